"""What the sandbox's engine holds when it starts: a small web shop under Compose, and some leftovers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dockdesk.sandbox.engine.catalogue import MIB, RECIPES, Program
from dockdesk.sandbox.engine.filesystem import file_node
from dockdesk.sandbox.engine.images import derived, image_of
from dockdesk.sandbox.engine.layers import layer_of
from dockdesk.sandbox.engine.lifecycle import Lifecycle, stamp
from dockdesk.sandbox.engine.recipes import day_of
from dockdesk.sandbox.engine.state import EngineState, SimNetwork, digest_of
from dockdesk.sandbox.world.traffic import unit

HOUR = 3600.0
_CROWD_IMAGES = 9
_STEP = 20


class AddsNetworks(Protocol):
    def add(self, name: str, body: Mapping[str, Any]) -> SimNetwork: ...


@dataclass(frozen=True, slots=True)
class _Start:
    """A container that is there from the beginning. ``age`` in hours; ``state`` what became of it."""

    name: str
    image: str
    ports: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    project: str = "shop"
    service: str = ""
    state: str = "running"
    age: float = 26.0
    exit_code: int = 0
    memory: int = 0
    restart: str = ""
    network: str = "shop_default"
    rate: float = 12.0


_COMPOSE = "2.29.7"
_VOLUME_PROJECTS = {
    "shop_pgdata": "shop",
    "shop_redis": "shop",
    "prometheus-data": "monitoring",
    "grafana-data": "monitoring",
}
_STARTS = (
    _Start(
        "web-frontend", "nginx:1.27-alpine", {"80/tcp": "8080"}, restart="unless-stopped", rate=40
    ),
    _Start(
        "api-gateway",
        "acme/api:2.14.1",
        {"9000/tcp": "9000"},
        env=(
            "DATABASE_URL=postgres://shop:s3cret@postgres/shop",
            "LOG_LEVEL=info",
            "API_TOKEN=abc123",
        ),
        memory=512 * MIB,
        restart="unless-stopped",
        rate=40,
    ),
    _Start(
        "worker-1", "acme/worker:2.14.1", env=("QUEUE=redis://redis/0",), service="worker", rate=60
    ),
    _Start(
        "worker-2", "acme/worker:2.14.1", env=("QUEUE=redis://redis/0",), service="worker", rate=55
    ),
    _Start(
        "postgres",
        "postgres:16",
        {"5432/tcp": "5432"},
        ("shop_pgdata:/var/lib/postgresql/data",),
        ("POSTGRES_PASSWORD=s3cret", "POSTGRES_DB=shop"),
        restart="always",
    ),
    _Start("redis", "redis:7-alpine", {"6379/tcp": "6379"}, ("shop_redis:/data",)),
    _Start("migrate", "acme/api:2.14.1", state="exited", age=26.1),
    _Start(
        "prometheus",
        "prom/prometheus:v2.53.3",
        {"9090/tcp": "9090"},
        ("prometheus-data:/prometheus",),
        project="monitoring",
        network="monitoring_default",
        age=100,
    ),
    _Start(
        "grafana",
        "grafana/grafana:11.4.0",
        {"3000/tcp": "3000"},
        ("grafana-data:/var/lib/grafana",),
        project="monitoring",
        network="monitoring_default",
        age=100,
    ),
    _Start(
        "batch-night",
        "acme/batch:0.9",
        project="",
        network="bridge",
        state="exited",
        exit_code=1,
        age=9,
    ),
    _Start(
        "mail-dev",
        "mailhog/mailhog:v1.0.1",
        {"1025/tcp": "1025", "8025/tcp": "8025"},
        project="",
        network="bridge",
        state="paused",
        age=30,
    ),
    _Start(
        "traefik",
        "traefik:v3.2",
        {"80/tcp": "80", "443/tcp": "443"},
        project="",
        network="bridge",
        age=200,
        restart="always",
        rate=80,
    ),
)

_VOLUME_SIZES = {
    "shop_pgdata": 412_000_000,
    "shop_redis": 9_400_000,
    "prometheus-data": 1_830_000_000,
    "grafana-data": 42_000_000,
    "old-backup": 2_650_000_000,
}
# Some of what the programs that own the volumes keep there. The rest of a volume's size is only told.
_VOLUME_FILES: Mapping[str, Mapping[str, str]] = {
    "shop_pgdata": {
        "/PG_VERSION": "16\n",
        "/postgresql.conf": "listen_addresses = '*'\nmax_connections = 100\nshared_buffers = 128MB\n",
        "/pg_hba.conf": "local all all trust\nhost all all all scram-sha-256\n",
        "/postmaster.pid": "1\n/var/lib/postgresql/data\n5432\n",
        "/base/1/PG_VERSION": "16\n",
        "/pg_wal/archive_status/.keep": "",
    },
    "shop_redis": {"/appendonlydir/appendonly.aof.manifest": "file appendonly.aof.1.base.rdb\n"},
    "prometheus-data": {
        "/lock": "",
        "/wal/00000012": "",
        "/chunks_head/000004": "",
    },
    "grafana-data": {
        "/grafana.db": "SQLite format 3\x00",
        "/plugins/.keep": "",
        "/dashboards/shop.json": '{"title": "Shop", "refresh": "10s", "panels": []}\n',
    },
    "old-backup": {
        "/README": "Dumps of the shop's database. Kept for a year.\n",
        "/2023-11-03.sql": "-- PostgreSQL database dump\nCREATE TABLE orders (id bigint);\n",
    },
}


def furnish(
    state: EngineState, lifecycle: Lifecycle, networks: AddsNetworks, extra: int = 0
) -> None:
    """Fill an empty engine; ``extra`` more containers for the huge scenario."""
    now = state.clock.now()
    for name, driver in (("bridge", "bridge"), ("host", "host"), ("none", "null")):
        network = networks.add(name, {"Driver": driver})
        network.created = now - 400 * HOUR
        if driver != "bridge":
            network.subnet = network.gateway = ""
    for project in ("shop", "monitoring"):
        labels = {
            "com.docker.compose.project": project,
            "com.docker.compose.network": "default",
            "com.docker.compose.version": _COMPOSE,
        }
        networks.add(f"{project}_default", {"Labels": labels}).created = now - 120 * HOUR
    networks.add("old_backend", {"Internal": True}).created = now - 300 * HOUR
    for recipe in RECIPES:
        if recipe.repository not in {"busybox", "hello-world"}:
            image = image_of(recipe, now)
            state.images[image.id] = image
    _leftovers(state, now)
    for start in _STARTS:
        _add(lifecycle, start, now)
    for name in ("old-backup",):
        lifecycle.create_volume(name)
    for name, size in _VOLUME_SIZES.items():
        state.volumes[name].size = size
        created = state.volumes[name].created = now - (100 + 300 * unit(name)) * HOUR
        if owner := _VOLUME_PROJECTS.get(name):
            state.volumes[name].labels = {
                "com.docker.compose.project": owner,
                "com.docker.compose.version": _COMPOSE,
                "com.docker.compose.volume": name.removeprefix(f"{owner}_"),
            }
        for path, words in _VOLUME_FILES[name].items():
            state.volumes[name].files.put(path, file_node(words, modified=created))
    for _ in enlarge(lifecycle, extra):
        pass
    _cache(state, now)
    state.events.past.clear()


def enlarge(lifecycle: Lifecycle, extra: int) -> Iterator[None]:
    """So many more containers of many teams, some at each step; an image that somebody removed is left out."""
    state, now = lifecycle.state, lifecycle.state.clock.now()
    stock = [
        recipe
        for recipe in RECIPES[:_CROWD_IMAGES]
        if state.find_image(recipe.reference) is not None
    ]
    for number in range(extra if stock else 0):
        recipe = stock[number % len(stock)]
        name = f"{recipe.repository.rpartition('/')[2]}-{number:04d}"
        if name in state.names:
            continue
        start = _Start(
            name,
            recipe.reference,
            project=f"team-{number % 40}",
            state="exited" if number % 5 == 4 else "running",
            age=1 + number % 300,
            network="bridge",
        )
        _add(lifecycle, start, now)
        if number % _STEP == _STEP - 1:
            yield


def _leftovers(state: EngineState, now: float) -> None:
    """Images of earlier builds that nothing names any more."""
    api = next(image for image in state.images.values() if "acme/api:2.14.1" in image.tags)
    source = {"/app/acme/api.py": file_node("from acme.web import serve\n", modified=api.created)}
    old = derived(
        api,
        2,
        layer_of("COPY src /app # buildkit", source, 1_380_000),
        "acme/api:2.13.0",
        api.created - 14 * 24 * HOUR,
    )
    state.images[old.id] = old
    for number in range(3):
        note = {f"/var/log/build-{number}.log": file_node(f"build {number}\n")}
        layer = layer_of(
            "RUN /bin/sh -c pip install -r requirements.txt # buildkit",
            note,
            90_000_000 + number * 1_000_000,
        )
        left = derived(api, 1, layer, "", day_of(now) - (30 + 50 * number) * HOUR)
        left.program = Program()
        state.images[left.id] = left


def _add(lifecycle: Lifecycle, start: _Start, now: float) -> None:
    labels: dict[str, str] = {}
    if start.project:
        labels = {
            "com.docker.compose.project": start.project,
            "com.docker.compose.service": start.service or start.name,
            "com.docker.compose.project.working_dir": f"/home/dev/{start.project}",
            "com.docker.compose.container-number": start.name.rpartition("-")[2]
            if start.service
            else "1",
            "com.docker.compose.oneoff": "False",
            "com.docker.compose.version": _COMPOSE,
        }
    body = {
        "Image": start.image,
        "Env": list(start.env),
        "Labels": labels,
        "HostConfig": {
            "Binds": list(start.volumes) or None,
            "PortBindings": {port: [{"HostPort": public}] for port, public in start.ports.items()},
            "NetworkMode": start.network,
            "Memory": start.memory,
            "RestartPolicy": {"Name": start.restart or "no", "MaximumRetryCount": 0},
        },
    }
    container = lifecycle.create(start.name, body)
    container.created = now - start.age * HOUR
    container.traffic = replace(container.traffic, mean=start.rate)
    lifecycle.start(container)
    container.started = container.created + 1
    container.cpu_read = now
    if container.health:
        container.health = "healthy"
        container.probed = now
        lifecycle.remember_probes(container, now)
    if start.state == "paused":
        container.status = "paused"
    elif start.state == "exited":
        lifecycle.finish(container, start.exit_code)
        container.asked_to_stop = True
        container.finished = container.started + 45
        container.runs[:] = [(container.started, container.finished)]
        container.health = ""


def _cache(state: EngineState, now: float) -> None:
    """Build cache records, some of them in use."""
    texts = (
        "pulled from docker.io/library/python:3.12-slim",
        "[2/5] WORKDIR /app",
        "[3/5] COPY requirements.txt .",
        "[4/5] RUN pip install -r requirements.txt",
        "[5/5] COPY src .",
        "local source for context",
    )
    sizes = (0, 4_100, 8_300, 88_000_000, 1_400_000, 2_300_000)
    for number, (text, size) in enumerate(zip(texts, sizes, strict=True)):
        state.build_cache.append(
            {
                "ID": digest_of("cache", number)[7:32],
                "Parent": "",
                "Type": "source.local" if "local" in text else "regular",
                "Description": text,
                "InUse": number == 0,
                "Shared": number < 2,
                "Size": size,
                "CreatedAt": stamp(now - 50 * HOUR),
                "LastUsedAt": stamp(now - 3 * HOUR),
                "UsageCount": 4,
            }
        )
