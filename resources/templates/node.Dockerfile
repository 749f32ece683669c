#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> One base for all stages, so that its version stands once.
FROM node:{{version}}-slim AS base
WORKDIR /app
#if manager=pnpm
#> Corepack fetches the pnpm that package.json names.
RUN npm install --global corepack@0.34.0 && corepack enable
#end
#if manager=yarn
#> Corepack fetches the Yarn that package.json names.
RUN npm install --global corepack@0.34.0 && corepack enable
#end

#if build
#> Installs all packages, builds, and is left behind.
FROM base AS build
#else
#> Installs the packages; what that needs is left behind.
FROM base AS packages
#end
#> Only the lists of packages: this step and the next are cached until they change.
COPY {{manifests}} ./
#if build
#> The cache mount keeps downloads for the next build, out of the image.
RUN --mount=type=cache,target={{cache}} {{install}}
#else
#> Without the tools of development. The cache mount keeps downloads for the next build, out of the image.
RUN --mount=type=cache,target={{cache}} {{install_production}}
#end
#if build
#> The source after the packages: it changes most, and all above stays cached.
COPY . .
#if framework=static
RUN {{build}}
#else
#if framework=next-standalone
RUN {{build}}
#else
#> Build, then take away the packages that only the build needed.
RUN {{build}} && {{prune}}
#end
#end
#end

#if framework=static
#> A web server that runs without root and listens on 8080.
FROM nginxinc/nginx-unprivileged:1.28-alpine
#> The built pages alone; nothing of Node.js is in the image.
COPY --from=build /app/{{output}} /usr/share/nginx/html
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s CMD ["wget", "-q", "--spider", "http://127.0.0.1:8080/"]
#> Says again what the base image has, so that it can be seen: not root.
USER 101
CMD ["nginx", "-g", "daemon off;"]
#else
#> The image that runs.
FROM base
#> Libraries leave out what is for development.
ENV NODE_ENV=production
#if framework=next
ENV HOSTNAME=0.0.0.0 PORT={{port}} NEXT_TELEMETRY_DISABLED=1
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
#if public
COPY --from=build /app/public ./public
#end
#> The server writes its cache here, and so must own it.
COPY --from=build --chown=node:node /app/.next ./.next
#else
#if framework=next-standalone
ENV HOSTNAME=0.0.0.0 PORT={{port}} NEXT_TELEMETRY_DISABLED=1
#if public
COPY --from=build /app/public ./public
#end
#> The standalone output has the server and just the packages that it uses.
COPY --from=build --chown=node:node /app/.next/standalone ./
COPY --from=build --chown=node:node /app/.next/static ./.next/static
#else
#if build
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/{{output}} ./{{output}}
#else
COPY --from=packages /app/node_modules ./node_modules
#> The source last: it changes most, and all above stays cached.
COPY . .
#end
#end
#end
#> Not root: the user “node” of the image, by its number, so that Kubernetes can see that it is not root.
USER 1000:1000
#if port
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE {{port}}
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["node", "-e", "require('net').connect({{port}}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"]
#end
#> {{command_note}}
CMD {{command}}
#end
