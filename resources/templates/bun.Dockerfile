#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> Installs the packages; what that needs is left behind.
FROM oven/bun:{{version}}-slim AS packages
WORKDIR /app
#> Only the lists of packages: this step and the next are cached until they change.
COPY {{manifests}} ./
#> The cache mount keeps downloads for the next build, out of the image.
RUN --mount=type=cache,target=/root/.bun/install/cache bun install --production{{frozen}}

#> The image that runs.
FROM oven/bun:{{version}}-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
#> The source last: it changes most, and all above stays cached.
COPY . .
#> Not root: the user “bun” of the image, by its number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE {{port}}
#> {{command_note}}
CMD {{command}}
