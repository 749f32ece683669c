"""The images of the sandbox, and how each behaves: its command, ports, files, logs, appetite and manners."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockdesk.sandbox.engine.filesystem import Node, file_node, folder_node, link_node

MB = 1_000_000
MIB = 1 << 20


# An image says by this label how it fares when it runs: ok, crashes or unhealthy.
FATE_LABEL = "dockdesk.sandbox.fate"
_CRASH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Program:
    """How the main process of an image behaves.

    ``logs`` names a style of log lines; ``cpu`` is percent of a core at rest and ``cpu_per_request`` per request a
    second; ``memory`` in bytes. ``runs_for`` seconds (0: for ever), then it exits with ``exit_code``.
    ``fails_health`` makes its health check fail; ``leak`` is bytes a second that its memory grows.
    """

    logs: str = "quiet"
    cpu: float = 0.3
    cpu_per_request: float = 0.0
    memory: int = 12 * MIB
    runs_for: float = 0.0
    exit_code: int = 0
    fails_health: bool = False
    leak: float = 0.0


def fated(config: Mapping[str, Any], program: Program) -> Program:
    """A program as its image's label and health check let it be: one that crashes, or that can only be unhealthy."""
    labels = config.get("Labels")
    fate = labels.get(FATE_LABEL) if isinstance(labels, dict) else None
    if fate == "crashes":
        return replace(program, runs_for=_CRASH_SECONDS, exit_code=1)
    health = config.get("Healthcheck")
    test = health.get("Test") if isinstance(health, dict) else None
    words = " ".join(str(word) for word in test[1:]).split() if isinstance(test, list) else []
    fails = words[:1] == ["false"] or (words[:1] == ["exit"] and words[1:2] not in ([], ["0"]))
    if fate == "unhealthy" or fails:
        return replace(program, fails_health=True)
    return program


@dataclass(frozen=True, slots=True)
class Recipe:
    """An image as the sandbox makes it. ``layers`` are (instruction, bytes), the lowest first."""

    repository: str
    tag: str
    layers: tuple[tuple[str, int], ...]
    command: tuple[str, ...]
    entrypoint: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    health: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    program: Program = Program()
    shells: tuple[str, ...] = ("/bin/sh",)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        return f"{self.repository}:{self.tag}"


ALPINE = (
    "/bin/sh -c #(nop) ADD file:5758b97d8301c84a204a6e516241275d785a7cade40b2fb99f01fe122482e283 in / ",
    7_802_000,
)
DEBIAN = (
    "/bin/sh -c #(nop) ADD file:d13afefcc2b0b02b598a3ac2598fe2187db41de1e17820e5b600a955b1429d59 in / ",
    74_800_000,
)
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_NGINX_CONF = """server {
    listen 80;
    location / { root /usr/share/nginx/html; index index.html; }
    location /api/ { proxy_pass http://api-gateway:9000; }
}
"""

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "nginx",
        "1.27-alpine",
        (
            ALPINE,
            ("RUN /bin/sh -c set -x && addgroup -g 101 -S nginx # buildkit", 39_600_000),
            ("COPY docker-entrypoint.sh / # buildkit", 1_620),
        ),
        ("nginx", "-g", "daemon off;"),
        ("/docker-entrypoint.sh",),
        (PATH, "NGINX_VERSION=1.27.3", "PKG_RELEASE=1"),
        ("80/tcp",),
        health=("CMD", "wget", "-qO-", "http://localhost/"),
        labels={"maintainer": "NGINX Docker Maintainers <docker-maint@nginx.com>"},
        program=Program("access", 0.6, 0.02, 18 * MIB),
        files={
            "/etc/nginx/conf.d/default.conf": _NGINX_CONF,
            "/usr/share/nginx/html/index.html": "<h1>Welcome to the shop</h1>\n",
        },
    ),
    Recipe(
        "postgres",
        "16",
        (
            DEBIAN,
            (
                "RUN /bin/sh -c apt-get update; apt-get install -y postgresql-16 # buildkit",
                340_000_000,
            ),
            ("COPY docker-entrypoint.sh /usr/local/bin/ # buildkit", 15_200),
        ),
        ("postgres",),
        ("docker-entrypoint.sh",),
        (PATH, "PG_MAJOR=16", "PG_VERSION=16.6-1.pgdg120+1", "PGDATA=/var/lib/postgresql/data"),
        ("5432/tcp",),
        ("/var/lib/postgresql/data",),
        health=("CMD-SHELL", "pg_isready -U postgres"),
        program=Program("postgres", 1.1, 0.05, 210 * MIB),
        shells=("/bin/bash", "/bin/sh"),
        files={
            "/var/lib/postgresql/data/PG_VERSION": "16\n",
            "/var/lib/postgresql/data/postgresql.conf": "max_connections = 100\nshared_buffers = 128MB\n",
        },
    ),
    Recipe(
        "redis",
        "7-alpine",
        (ALPINE, ("RUN /bin/sh -c apk add --no-cache redis # buildkit", 33_100_000)),
        ("redis-server",),
        ("docker-entrypoint.sh",),
        (PATH, "REDIS_VERSION=7.4.1"),
        ("6379/tcp",),
        ("/data",),
        program=Program("redis", 0.4, 0.01, 14 * MIB),
        files={"/data/dump.rdb": "REDIS0011\n"},
    ),
    Recipe(
        "acme/api",
        "2.14.1",
        (
            DEBIAN,
            ("RUN /bin/sh -c pip install -r requirements.txt # buildkit", 88_000_000),
            ("COPY src /app # buildkit", 1_400_000),
        ),
        ("python", "-m", "acme.api"),
        (),
        (PATH, "PYTHON_VERSION=3.12.8", "PYTHONUNBUFFERED=1"),
        ("9000/tcp",),
        user="app",
        workdir="/app",
        health=("CMD", "curl", "-fsS", "http://localhost:9000/healthz"),
        labels={
            "org.opencontainers.image.source": "https://git.example.com/acme/api",
            "org.opencontainers.image.version": "2.14.1",
        },
        program=Program("api", 2.0, 0.35, 160 * MIB),
        shells=("/bin/bash", "/bin/sh"),
        files={
            "/app/acme/api.py": "from acme.web import serve\n\nserve(port=9000)\n",
            "/app/requirements.txt": "flask==3.1.0\npsycopg==3.2.3\nredis==5.2.1\n",
        },
    ),
    Recipe(
        "acme/worker",
        "2.14.1",
        (
            DEBIAN,
            ("RUN /bin/sh -c pip install -r requirements.txt # buildkit", 88_000_000),
            ("COPY src /app # buildkit", 1_100_000),
        ),
        ("python", "-m", "acme.worker"),
        (),
        (PATH, "PYTHON_VERSION=3.12.8", "PYTHONUNBUFFERED=1"),
        user="app",
        workdir="/app",
        program=Program("worker", 24.0, 0.5, 240 * MIB),
        shells=("/bin/bash", "/bin/sh"),
        files={"/app/acme/worker.py": "from acme.queue import run\n\nrun()\n"},
    ),
    Recipe(
        "acme/batch",
        "0.9",
        (ALPINE, ("COPY batch /usr/local/bin/batch # buildkit", 9_200_000)),
        ("batch", "--nightly"),
        env=(PATH,),
        program=Program("batch", 55.0, 0.0, 64 * MIB, runs_for=45.0, exit_code=1),
    ),
    Recipe(
        "prom/prometheus",
        "v2.53.3",
        (ALPINE, ("COPY prometheus /bin/prometheus # buildkit", 268_000_000)),
        ("--config.file=/etc/prometheus/prometheus.yml",),
        ("/bin/prometheus",),
        (PATH,),
        ("9090/tcp",),
        ("/prometheus",),
        "nobody",
        "/prometheus",
        program=Program("prometheus", 2.2, 0.0, 190 * MIB),
        files={
            "/etc/prometheus/prometheus.yml": "scrape_configs:\n  - job_name: api\n    static_configs: [{targets: ['api-gateway:9000']}]\n"
        },
    ),
    Recipe(
        "mailhog/mailhog",
        "v1.0.1",
        (ALPINE, ("COPY MailHog /usr/local/bin/ # buildkit", 384_000_000)),
        ("MailHog",),
        env=(PATH,),
        ports=("1025/tcp", "8025/tcp"),
        program=Program("mailhog", 0.1, 0.0, 9 * MIB),
    ),
    Recipe(
        "traefik",
        "v3.2",
        (ALPINE, ("COPY traefik /usr/local/bin/ # buildkit", 178_000_000)),
        ("traefik", "--providers.docker"),
        ("/entrypoint.sh",),
        (PATH,),
        ("80/tcp", "443/tcp", "8080/tcp"),
        program=Program("access", 1.4, 0.03, 66 * MIB),
    ),
    Recipe(
        "alpine",
        "3.21",
        (ALPINE,),
        ("/bin/sh",),
        env=(PATH,),
        program=Program("quiet", 0.0, 0.0, 1 * MIB),
    ),
    Recipe(
        "busybox",
        "1.37",
        (("/bin/sh -c #(nop) ADD file:8d2b9b9a4e6e0a37 in / ", 4_270_000),),
        ("sh",),
        env=(PATH,),
        program=Program("quiet", 0.0, 0.0, 1 * MIB),
    ),
    Recipe(
        "hello-world",
        "latest",
        (("COPY hello / # buildkit", 10_100),),
        ("/hello",),
        program=Program("hello", 0.0, 0.0, 1 * MIB, runs_for=0.05),
        shells=(),
    ),
    Recipe(
        "grafana/grafana",
        "11.4.0",
        (ALPINE, ("COPY grafana /usr/share/grafana # buildkit", 481_000_000)),
        (),
        ("/run.sh",),
        (PATH, "GF_PATHS_DATA=/var/lib/grafana"),
        ("3000/tcp",),
        ("/var/lib/grafana",),
        "472",
        "/usr/share/grafana",
        program=Program("grafana", 1.0, 0.0, 120 * MIB),
        shells=("/bin/bash", "/bin/sh"),
    ),
)

BY_REFERENCE: Mapping[str, Recipe] = {recipe.reference: recipe for recipe in RECIPES}

_BUSYBOX_NAMES = (
    "cat",
    "clear",
    "date",
    "df",
    "echo",
    "env",
    "free",
    "grep",
    "head",
    "hostname",
    "id",
    "ls",
    "ps",
    "pwd",
    "sh",
    "sleep",
    "tail",
    "top",
    "uname",
    "uptime",
    "wc",
    "wget",
    "whoami",
)


def base_tree(recipe: Recipe, created: float) -> dict[str, Node]:
    """The files of an image: what a small Linux has, and the recipe's own."""
    tree = {
        path: folder_node(modified=created)
        for path in "/ /bin /dev /etc /home /lib /opt /proc /root /run /sbin /srv /sys /usr /usr/bin /usr/local /usr/local/bin /usr/share /var /var/lib /var/log".split()
    }
    tree["/tmp"] = folder_node(0o1777, created)
    if recipe.shells:
        binary = b"\x7fELF" + hashlib.sha256(recipe.layers[0][0].encode()).digest() * 64
        tree["/bin/busybox"] = file_node(binary, 0o755, created)
        tree.update({f"/bin/{name}": link_node("/bin/busybox", created) for name in _BUSYBOX_NAMES})
        if "/bin/bash" in recipe.shells:
            tree["/bin/bash"] = file_node(binary, 0o755, created)
    debian = DEBIAN in recipe.layers
    release = (
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
        if debian
        else 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.21.0\n'
    )
    files = {
        "/etc/os-release": release,
        "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/sbin/nologin\napp:x:1000:1000::/app:/bin/sh\n",
        "/etc/group": "root:x:0:\nnogroup:x:65534:\napp:x:1000:\n",
        **recipe.files,
    }
    for path, text in files.items():
        parent = path.rpartition("/")[0]
        while parent and parent not in tree:
            tree[parent] = folder_node(modified=created)
            parent = parent.rpartition("/")[0]
        tree[path] = file_node(text, modified=created)
    if recipe.workdir and recipe.workdir not in tree:
        tree[recipe.workdir] = folder_node(modified=created)
    return tree
