#> The newest stable version of the Dockerfile language, for cache mounts.
# syntax=docker/dockerfile:1

#if composer
#> Composer stays in this stage.
FROM composer:2.8 AS packages
WORKDIR /app
#> Only the lists of packages: this step and the next are cached until they change.
COPY {{manifests}} ./
#> Without the tools of development, and without scripts, whose source is not here yet.
RUN --mount=type=cache,target=/tmp/cache composer install --no-dev --no-scripts --no-autoloader --ignore-platform-reqs
#> The source, then the table of its classes.
COPY . .
RUN composer dump-autoload --no-dev --no-scripts --optimize
#end

#> PHP in Apache.
FROM php:{{version}}-apache
#> Without root no port below 1024 can be opened: Apache listens on 8080, and serves {{root}}.
RUN sed -ri 's/^Listen 80$/Listen 8080/' /etc/apache2/ports.conf \
    && sed -ri 's/:80>/:8080>/; s#/var/www/html#{{root}}#' /etc/apache2/sites-available/*.conf \
    && a2enmod rewrite \
    && mv "$PHP_INI_DIR/php.ini-production" "$PHP_INI_DIR/php.ini"
WORKDIR /var/www/html
#if composer
COPY --from=packages {{owner}}/app ./
#else
COPY . .
#end
#> Not root: the web server's user “www-data”, by its number, so that Kubernetes can see that it is not root.
USER 33:33
EXPOSE 8080
#> Whether it answers, asked with what is in the image anyway.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080"]
#> As the base image starts it.
CMD ["apache2-foreground"]
