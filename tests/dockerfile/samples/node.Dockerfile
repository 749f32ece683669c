FROM node:22-alpine as deps
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci

FROM deps as build
COPY . .
RUN npm run build \
 && npm prune --omit=dev

FROM node:22-alpine
ENV NODE_ENV production
WORKDIR /app
COPY --from=build --chown=node:node ["/app/dist", "/app/node_modules", "./"]
USER node
EXPOSE 3000
CMD [ "node", "server.js" ]
