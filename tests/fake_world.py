"""The values the fake engine starts with. Times hang on a fixed moment, so that pictures do not change by the hour."""

from __future__ import annotations

from collections.abc import Iterable

from dockdesk.core.resources.containers import (
    COMPOSE_PROJECT,
    COMPOSE_SERVICE,
    Container,
    FileEntry,
    Mount,
    Port,
)
from dockdesk.core.resources.engine import Network, NetworkMember, Volume
from dockdesk.core.resources.images import Image

NOW = 1_780_000_000.0  # seconds since 1970
GIB = 1 << 30
HOUR = 3600.0

# name, image, state, health, exit code, ports, project, command
_Row = tuple[str, str, str, str, int | None, tuple[Port, ...], str, str]
_STACK: tuple[_Row, ...] = (
    ("web-frontend", "nginx:1.27-alpine", "running", "healthy", None,
     (Port(80, "tcp", 8080, "0.0.0.0"),), "shop", "nginx -g daemon off;"),
    ("api-gateway", "acme/api:2.14.1", "running", "healthy", None,
     (Port(9000, "tcp", 9000, "0.0.0.0"),), "shop", "/app/api --listen :9000"),
    ("worker-1", "acme/worker:2.14.1", "running", "", None, (), "shop", "/app/worker"),
    ("worker-2", "acme/worker:2.14.1", "running", "unhealthy", None, (), "shop", "/app/worker"),
    ("postgres", "postgres:16", "running", "healthy", None,
     (Port(5432, "tcp", 5432, "127.0.0.1"),), "shop", "postgres"),
    ("redis", "redis:7-alpine", "running", "", None,
     (Port(6379, "tcp", 6379, "127.0.0.1"),), "shop", "redis-server"),
    ("migrate", "acme/api:2.14.1", "exited", "", 0, (), "shop", "/app/api migrate"),
    ("prometheus", "prom/prometheus:v2.53", "running", "", None,
     (Port(9090, "tcp", 9090, "0.0.0.0"),), "watch", "prometheus"),
    ("batch-night", "acme/batch:0.9", "exited", "", 1, (), "", "/app/batch --all"),
    ("mail-dev", "mailhog/mailhog:latest", "paused", "", None,
     (Port(1025, "tcp", 1025, "0.0.0.0"), Port(8025, "tcp")), "", "MailHog"),
    ("traefik", "traefik:v3.1", "running", "starting", None,
     (Port(80, "tcp", 80, "0.0.0.0"), Port(443, "tcp", 443, "0.0.0.0")), "edge", "traefik"),
    ("loki", "grafana/loki:3.1.1", "created", "", None, (Port(3100, "tcp"),), "watch", "loki"),
)  # fmt: skip

_SIZES = {
    "nginx:1.27-alpine": 43_200_000,
    "acme/api:2.14.1": 187_000_000,
    "acme/worker:2.14.1": 191_000_000,
    "postgres:16": 432_000_000,
    "redis:7-alpine": 41_400_000,
    "prom/prometheus:v2.53": 271_000_000,
    "acme/batch:0.9": 644_000_000,
    "mailhog/mailhog:latest": 392_000_000,
    "traefik:v3.1": 163_000_000,
    "grafana/loki:3.1.1": 74_300_000,
    "python:3.12-slim": 124_000_000,
    "node:20": 1_100_000_000,
    "": 96_000_000,
}


def _id(number: int, seed: int) -> str:
    """64 hexadecimal digits that look as an engine's do, and always the same."""
    value = seed * 2_654_435_761 + number * 40_503
    digits = ""
    for _ in range(8):
        value = (value * 6364136223846793005 + 1442695040888963407 + number) % (1 << 64)
        digits += f"{value >> 32:08x}"
    return digits


def image_id(reference: str) -> str:
    return "sha256:" + _id(list(_SIZES).index(reference), 77)


_STATUS = {
    "running": "Up 3 hours",
    "paused": "Up 3 hours (Paused)",
    "exited": "Exited ({code}) 10 minutes ago",
    "created": "Created",
}


def containers() -> list[Container]:
    made = []
    for number, (name, image, state, health, code, ports, project, command) in enumerate(_STACK):
        labels = {COMPOSE_PROJECT: project, COMPOSE_SERVICE: name} if project else {}
        mounts = (
            (Mount("volume", "/var/lib/docker/volumes/shop_db/_data",
                   "/var/lib/postgresql/data", name="shop_db"),)
            if name == "postgres"
            else ()
        )  # fmt: skip
        made.append(
            Container(
                id=_id(number, 11),
                name=name,
                image=image,
                image_id=image_id(image),
                state=state,
                status=_STATUS[state].format(code=code),
                created=NOW - (3 + number) * HOUR,
                health=health,
                exit_code=code,
                command=command,
                ports=ports,
                mounts=mounts,
                networks=(f"{project}_default",) if project else ("bridge",),
                labels=labels,
            )
        )
    return made


def images() -> list[Image]:
    used: dict[str, list[str]] = {}
    for row in _STACK:
        used.setdefault(row[1], []).append(row[0])
    return [
        Image(
            id=image_id(reference),
            tags=(reference,) if reference else (),
            digests=(f"{reference.split(':')[0]}@sha256:{_id(number, 5)}",) if reference else (),
            created=NOW - (10 + number * 30) * HOUR,
            size=size,
            shared=size // 3,
            used_by=tuple(used.get(reference, ())),
        )
        for number, (reference, size) in enumerate(_SIZES.items())
    ]


def volumes() -> list[Volume]:
    return [
        Volume("shop_db", "local", "/var/lib/docker/volumes/shop_db/_data", NOW - 90 * HOUR,
               size=1_840_000_000, used_by=("postgres",), labels={COMPOSE_PROJECT: "shop"}),
        Volume("shop_cache", "local", "/var/lib/docker/volumes/shop_cache/_data", NOW - 90 * HOUR,
               size=22_000_000, used_by=("redis",), labels={COMPOSE_PROJECT: "shop"}),
        Volume("metrics", "local", "/var/lib/docker/volumes/metrics/_data", NOW - 50 * HOUR,
               size=730_000_000, used_by=("prometheus",)),
        Volume("old_uploads", "local", "/var/lib/docker/volumes/old_uploads/_data",
               NOW - 900 * HOUR, size=3_100_000_000),
        Volume(_id(3, 9), "local", f"/var/lib/docker/volumes/{_id(3, 9)}/_data", NOW - 7 * HOUR,
               size=4096),
    ]  # fmt: skip


def networks(all_containers: Iterable[Container]) -> list[Network]:
    rows = list(all_containers)
    names = ["bridge", "host", "none", *dict.fromkeys(n for c in rows for n in c.networks)]
    made = []
    for number, name in enumerate(dict.fromkeys(names)):
        members = tuple(
            NetworkMember(c.id, c.name, f"172.{17 + number}.0.{at + 2}")
            for at, c in enumerate(rows)
            if name in c.networks and c.running
        )
        driver = {"host": "host", "none": "null"}.get(name, "bridge")
        subnets = (f"172.{17 + number}.0.0/16",) if driver == "bridge" else ()
        gateways = (f"172.{17 + number}.0.1",) if driver == "bridge" else ()
        made.append(
            Network(_id(number, 3), name, driver, created=NOW - 500 * HOUR, subnets=subnets,
                    gateways=gateways, members=members)
        )  # fmt: skip
    return made


def log_lines(name: str, count: int = 400) -> list[bytes]:
    """Lines of a web service, coloured as loggers do."""
    levels = (b"\x1b[32mINFO\x1b[0m ", b"\x1b[36mDEBUG\x1b[0m", b"\x1b[33mWARN\x1b[0m ",
              b"\x1b[31mERROR\x1b[0m")  # fmt: skip
    return [
        b"14:%02d:%02d %s GET /api/v1/items/%d 200 %dms (%s)\n"
        % (at // 60 % 60, at % 60, levels[(at * at) % 4], at * 37 % 1000, at % 97, name.encode())
        for at in range(count)
    ]


def log_stamp(second: int) -> bytes:
    """The stamp that an engine puts before a line, RFC 3339."""
    return b"2026-05-28T14:%02d:%02d.000000000Z " % (second // 60 % 60, second % 60)


_TREE = {
    "/": (("app", "folder"), ("bin", "folder"), ("etc", "folder"), ("tmp", "folder"),
          ("start.sh", "file")),
    "/app": (("api", "file"), ("config.toml", "file"), ("static", "folder")),
    "/etc": (("hosts", "file"), ("passwd", "file"), ("localtime", "link")),
}  # fmt: skip


def files(path: str) -> list[FileEntry]:
    folder = path.rstrip("/") or "/"
    base = "" if folder == "/" else folder
    return [
        FileEntry(
            name, f"{base}/{name}", kind, 0 if kind == "folder" else 1200 + 37 * len(name),
            0o755 if kind == "folder" else 0o644, NOW - 40 * HOUR, "0:0",
            "/usr/share/zoneinfo/UTC" if kind == "link" else "",
        )
        for name, kind in _TREE.get(folder, ())
    ]  # fmt: skip
