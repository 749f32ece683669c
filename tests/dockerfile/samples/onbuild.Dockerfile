FROM ruby:3.3
WORKDIR /usr/src/app
ONBUILD ARG BUNDLE_WITHOUT=development:test
ONBUILD COPY Gemfile Gemfile.lock ./
ONBUILD RUN --mount=type=cache,target=/usr/local/bundle \
    bundle install --jobs 4
ONBUILD COPY --from=assets /public ./public
HEALTHCHECK NONE
CMD bundle exec rackup -o 0.0.0.0
