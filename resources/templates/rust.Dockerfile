#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> Compiler and crates stay in this stage. Bookworm has the C library of the image below.
FROM rust:{{version}}-slim-bookworm AS build
WORKDIR /src
COPY . .
#> Crates and what was compiled are kept for the next build; the program is copied out of that cache.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release{{locked}} --bin {{binary}} && cp target/release/{{binary}} /{{binary}}

#> The C library, certificates and an unprivileged user, no shell: little to attack.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /{{binary}} /{{binary}}
#if port
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE {{port}}
#end
#> Not root. Says again what the base image has, so that it can be seen.
USER 65532:65532
#> The exec form: the program is process 1 and hears signals.
ENTRYPOINT ["/{{binary}}"]
