#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#> The full image has the compilers that gems with C code need; they stay in this stage.
FROM ruby:{{version}} AS build
WORKDIR /app
#> Into the project's folder, so that the gems can be copied; without the tools of development.
ENV BUNDLE_PATH=/app/vendor/bundle BUNDLE_WITHOUT=development:test BUNDLE_DEPLOYMENT={{deployment}}
#> Only the lists of gems: this step and the next are cached until they change.
COPY {{manifests}} ./
RUN bundle install && rm -rf vendor/bundle/ruby/*/cache
COPY . .
#if framework=rails
#> Assets are made at the build; no real key is needed for that.
RUN SECRET_KEY_BASE_DUMMY=1 bundle exec rails assets:precompile
#end

#> The image that runs, without compilers.
FROM ruby:{{version}}-slim
WORKDIR /app
ENV BUNDLE_PATH=/app/vendor/bundle BUNDLE_WITHOUT=development:test{{environment}}
#> The program writes logs and caches below its folder, and so must own it.
COPY --from=build --chown=10001:10001 /app /app
#> Not root: who breaks out of the program has few rights. The number needs no entry in /etc/passwd.
USER 10001:10001
#if port
#> Says which port the program listens on; -p opens it when the container is run.
EXPOSE {{port}}
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD ["ruby", "-rsocket", "-e", "TCPSocket.new('127.0.0.1', {{port}}).close"]
#end
#> {{command_note}}
CMD {{command}}
