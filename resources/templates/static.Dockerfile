#> The newest stable version of the Dockerfile language.
# syntax=docker/dockerfile:1

#if hugo
#> Hugo stays in this stage.
FROM hugomods/hugo:exts-0.147.9 AS build
WORKDIR /src
COPY . .
RUN hugo --minify --destination /out
#end

#> A web server that runs without root and listens on 8080.
FROM nginxinc/nginx-unprivileged:1.28-alpine
#if hugo
COPY --from=build /out /usr/share/nginx/html
#else
#> The pages. .dockerignore says what of the folder is none.
COPY {{root}} /usr/share/nginx/html
#end
EXPOSE 8080
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s CMD ["wget", "-q", "--spider", "http://127.0.0.1:8080/"]
#> Says again what the base image has, so that it can be seen: not root.
USER 101
#> As the base image starts it.
CMD ["nginx", "-g", "daemon off;"]
