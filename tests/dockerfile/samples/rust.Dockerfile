ARG RUST=1.79
FROM --platform=${BUILDPLATFORM:-linux/amd64} rust:${RUST} AS chef
RUN cargo install cargo-chef
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
FROM chef AS builder
COPY --from=planner /recipe.json recipe.json
RUN cargo chef cook --release --recipe-path recipe.json
COPY --parents ./crates/**/Cargo.toml Cargo.lock ./
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=target,sharing=private \
    cargo build --release --locked && cp target/release/app /app
FROM debian:12-slim
COPY --from=builder --chmod=0755 /app /usr/local/bin/app
USER nobody
CMD ["app"]
