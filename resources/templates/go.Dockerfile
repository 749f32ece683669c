#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> Builds on the builder's own platform, for whichever is asked: Go needs no emulation for that.
FROM --platform=$BUILDPLATFORM golang:{{version}} AS build
WORKDIR /src
#> Only the lists of modules: this step and the next are cached until they change.
COPY {{manifests}} ./
#> The cache mount keeps modules for the next build, out of the image.
RUN --mount=type=cache,target=/go/pkg/mod go mod download
#> The source after the modules: it changes most.
COPY . .
#> BuildKit sets these to the platform built for.
ARG TARGETOS TARGETARCH
#> A static program without debug tables, so that it runs in an image with nothing else.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags="-s -w" -o /out/{{binary}} {{package}}

#> Certificates, time zones and an unprivileged user, no shell: little to attack, and 2 MB.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/{{binary}} /{{binary}}
#if port
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE {{port}}
#end
#> Not root. Says again what the base image has, so that it can be seen.
USER 65532:65532
#> The exec form: the program is process 1 and hears signals.
ENTRYPOINT ["/{{binary}}"]
