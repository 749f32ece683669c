# syntax=docker/dockerfile:1.7
FROM --platform=$BUILDPLATFORM golang:1.22-alpine AS build
ARG TARGETOS TARGETARCH TARGETVARIANT
ARG VERSION=dev COMMIT
WORKDIR /src
RUN --mount=type=bind,source=go.mod,target=go.mod \
    --mount=type=bind,source=go.sum,target=go.sum \
    --mount=type=cache,target=/go/pkg/mod \
    go mod download -x
RUN --mount=type=bind,target=. \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,id=build-$TARGETARCH,target=/root/.cache/go-build \
    --network=none <<EOT
  set -eu
  export GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v}
  go build -trimpath -ldflags "-s -w -X main.version=$VERSION -X main.commit=${COMMIT:-none}" -o /out/server ./cmd/server
EOT

FROM scratch AS binary
COPY --from=build /out/ /

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=binary /server /server
USER 65532:65532
EXPOSE 8080/tcp 9090/tcp
STOPSIGNAL SIGINT
ENTRYPOINT ["/server"]
