"""Tags that common official images have, to pin to where no registry was asked.

A tag that names major and minor version gets fixes and no surprises. The templates use the same ones, so that there is
one place to bring up to date.
"""

from __future__ import annotations

from collections.abc import Sequence

PINS: dict[str, tuple[str, ...]] = {
    "alpine": ("3.22",),
    "amazoncorretto": ("21",),
    "busybox": ("1.37",),
    "caddy": ("2.10",),
    "composer": ("2.8",),
    "debian": ("12.11-slim", "12.11"),
    "eclipse-temurin": ("21-jre", "21-jdk"),
    "gcc": ("14.3",),
    "golang": ("1.24", "1.24-alpine"),
    "gradle": ("8.14-jdk21",),
    "haproxy": ("3.2",),
    "httpd": ("2.4",),
    "hugomods/hugo": ("exts-0.147.9",),
    "mariadb": ("11.8",),
    "maven": ("3.9-eclipse-temurin-21",),
    "memcached": ("1.6",),
    "mongo": ("8.0",),
    "mysql": ("8.4",),
    "nginx": ("1.28", "1.28-alpine"),
    "node": ("22.17-slim", "22.17"),
    "oven/bun": ("1.2",),
    "perl": ("5.40-slim",),
    "php": ("8.4-cli", "8.4-apache", "8.4-fpm"),
    "postgres": ("17.5",),
    "python": ("3.13-slim", "3.13"),
    "rabbitmq": ("4.1",),
    "redis": ("8.0",),
    "ruby": ("3.4-slim", "3.4"),
    "rust": ("1.88-slim", "1.88"),
    "tomcat": ("11.0",),
    "traefik": ("3.4",),
    "ubuntu": ("24.04",),
}


def known_images(prefix: str = "") -> Sequence[str]:
    """Names of images on Docker Hub that many projects begin with, those that begin with ``prefix``."""
    return [name for name in PINS if name.startswith(prefix)]


def known_tags(repository: str) -> Sequence[str]:
    """Tags of an official image, the one to prefer first; nothing for others."""
    name = repository.removeprefix("docker.io/").removeprefix("library/")
    return PINS.get(name, ())
