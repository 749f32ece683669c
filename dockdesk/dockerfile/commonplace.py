"""What Dockerfiles often say: ports, users, signals, paths, names and whole passages, offered while typing."""

from __future__ import annotations

from typing import NamedTuple


class Snippet(NamedTuple):
    """Lines to insert; ``«…»`` are placeholders, visited in order."""

    label: str
    body: str
    detail: str


PORTS: dict[str, str] = {
    "80": "HTTP",
    "443": "HTTPS",
    "3000": "Node.js, Rails, Grafana",
    "5000": "Flask",
    "8000": "Django, Uvicorn, Gunicorn",
    "8080": "HTTP without root, Tomcat",
    "8443": "HTTPS without root",
    "9000": "PHP-FPM",
    "9090": "Prometheus",
    "5432": "PostgreSQL",
    "3306": "MySQL, MariaDB",
    "6379": "Redis",
    "27017": "MongoDB",
    "5672": "AMQP",
    "9092": "Kafka",
    "11211": "Memcached",
    "53/udp": "DNS",
}
USERS: dict[str, str] = {
    "nobody": "in nearly every image",
    "nonroot": "distroless :nonroot images",
    "65532:65532": "distroless' nonroot by number",
    "1000:1000": "the first ordinary user",
    "node": "node images",
    "www-data": "Debian's web servers, php images",
    "nginx": "nginx images",
    "postgres": "postgres images",
    "$APP_UID": ".NET 8 images and later",
    "root": "everything is allowed",
}
SIGNALS: dict[str, str] = {
    "SIGTERM": "the default: please end",
    "SIGINT": "as Ctrl+C; PostgreSQL's fast shutdown",
    "SIGQUIT": "graceful for nginx and PHP-FPM",
    "SIGHUP": "often: read the configuration again",
    "SIGUSR1": "the program's own",
    "SIGUSR2": "the program's own",
    "SIGWINCH": "graceful for Apache httpd",
    "SIGRTMIN+3": "halts systemd",
    "SIGKILL": "at once, nothing is tidied up",
}
SHELLS: dict[str, str] = {
    '["/bin/sh", "-c"]': "Linux' default",
    '["/bin/bash", "-c"]': "bash",
    '["/bin/bash", "-o", "pipefail", "-c"]': "a pipe fails if any part of it does",
    '["/bin/ash", "-eo", "pipefail", "-c"]': "the same on Alpine",
    '["powershell", "-Command"]': "Windows PowerShell",
    '["pwsh", "-Command"]': "PowerShell",
    '["cmd", "/S", "/C"]': "Windows' default",
}
PLATFORMS = (
    "$BUILDPLATFORM",
    "$TARGETPLATFORM",
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "windows/amd64",
)
MODES = ("0644", "0755", "0600", "0700", "u=rwX,go=rX", "+x")
DURATIONS = ("5s", "10s", "30s", "1m", "5m")
FOLDERS = ("/app", "/src", "/workspace", "/usr/src/app", "/srv", "/opt/app")
CACHES: dict[str, str] = {
    "/var/cache/apt": "apt, with sharing=locked",
    "/var/lib/apt": "apt, with sharing=locked",
    "/var/cache/apk": "apk",
    "/var/cache/dnf": "dnf",
    "/root/.cache/pip": "pip",
    "/root/.cache/uv": "uv",
    "/root/.npm": "npm",
    "/usr/local/share/.cache/yarn": "yarn",
    "/root/.local/share/pnpm/store": "pnpm",
    "/go/pkg/mod": "Go modules",
    "/root/.cache/go-build": "Go builds",
    "/usr/local/cargo/registry": "Cargo",
    "/root/.m2": "Maven",
    "/root/.gradle": "Gradle",
    "/root/.nuget/packages": "NuGet",
    "/root/.composer/cache": "Composer",
    "/usr/local/bundle/cache": "Bundler",
    "/root/.cache/ccache": "ccache",
}
LABELS: dict[str, str] = {
    "org.opencontainers.image.title": "the name for people",
    "org.opencontainers.image.description": "what it is",
    "org.opencontainers.image.version": "the version inside",
    "org.opencontainers.image.revision": "the commit",
    "org.opencontainers.image.source": "where the source is",
    "org.opencontainers.image.url": "where to read on",
    "org.opencontainers.image.licenses": "an SPDX expression",
    "org.opencontainers.image.authors": "who to write to",
    "org.opencontainers.image.created": "a date as of RFC 3339",
    "org.opencontainers.image.vendor": "who gives it out",
}
ENVIRONMENT: dict[str, str] = {
    "PATH=/opt/app/bin:$PATH": "programs are found",
    "PYTHONUNBUFFERED=1": "logs appear at once",
    "PYTHONDONTWRITEBYTECODE=1": "no .pyc files",
    "PIP_NO_CACHE_DIR=1": "pip keeps no downloads",
    "NODE_ENV=production": "no development dependencies",
    "LANG=C.UTF-8": "UTF-8 everywhere",
    "TZ=UTC": "times in UTC",
    "CGO_ENABLED=0": "static Go programs",
}
SYNTAXES = ("docker/dockerfile:1", "docker/dockerfile:1-labs")
CHECKS = ("skip=", "error=true", "skip=all")

SNIPPETS: tuple[Snippet, ...] = (
    Snippet("stage", "FROM «alpine:3.20» AS «build»\nWORKDIR /«src»\n", "a stage with a name"),
    Snippet(
        "apt",
        "RUN apt-get update \\\n    && apt-get install --no-install-recommends -y \\\n        «ca-certificates» \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n",
        "install Debian packages and clean up",
    ),
    Snippet(
        "apt-cache",
        "RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\\n"
        "    --mount=type=cache,target=/var/lib/apt,sharing=locked \\\n"
        "    apt-get update && apt-get install --no-install-recommends -y «ca-certificates»\n",
        "install Debian packages from a cache mount",
    ),
    Snippet("apk", "RUN apk add --no-cache «ca-certificates»\n", "install Alpine packages"),
    Snippet(
        "dnf",
        "RUN dnf install -y «ca-certificates» \\\n    && dnf clean all\n",
        "install Fedora packages",
    ),
    Snippet(
        "pip",
        "COPY «requirements.txt» ./\nRUN --mount=type=cache,target=/root/.cache/pip \\\n"
        "    pip install -r «requirements.txt»\n",
        "Python dependencies before the source",
    ),
    Snippet(
        "npm",
        "COPY package.json package-lock.json ./\nRUN --mount=type=cache,target=/root/.npm \\\n    npm ci«»\n",
        "Node.js dependencies before the source",
    ),
    Snippet(
        "go",
        "RUN --mount=type=bind,source=go.mod,target=go.mod \\\n    --mount=type=bind,source=go.sum,target=go.sum \\\n"
        "    --mount=type=cache,target=/go/pkg/mod \\\n    go mod download\n",
        "Go modules before the source",
    ),
    Snippet(
        "user",
        "RUN groupadd --system «app» && useradd --system --gid «app» --no-create-home «app»\nUSER «app»\n",
        "an ordinary user to run as",
    ),
    Snippet(
        "secret",
        "RUN --mount=type=secret,id=«token»,env=«TOKEN»,required=true \\\n    «command»\n",
        "a command with a secret",
    ),
    Snippet("heredoc", "RUN <<EOF\nset -eu\n«command»\nEOF\n", "a script of several lines"),
    Snippet("file", "COPY <<EOF «/etc/app.conf»\n«text»\nEOF\n", "a file written here"),
    Snippet(
        "healthcheck",
        "HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \\\n"
        '    CMD ["«curl»", "-f", "http://localhost:«8080»/«health»"]\n',
        "a check with sensible times",
    ),
    Snippet(
        "labels",
        'LABEL org.opencontainers.image.title="«title»" \\\n    org.opencontainers.image.source="«url»" \\\n'
        '    org.opencontainers.image.licenses="«Apache-2.0»"\n',
        "the labels registries show",
    ),
)
