"""What the simulated engine knows: its images, containers, volumes and networks, and how they are looked up."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.engine.catalogue import Program
from dockdesk.sandbox.engine.events import EventBus
from dockdesk.sandbox.engine.filesystem import FileSystem, Node
from dockdesk.sandbox.engine.mounts import Mount, Mounted, points_of
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.traffic import Traffic, unit

CPUS = 8
MEMORY = 16 << 30
_MOST_SPOKEN = 20_000


def digest_of(*key: object) -> str:
    """A sha256 digest that depends on ``key`` alone."""
    return "sha256:" + hashlib.sha256(repr(key).encode()).hexdigest()


@dataclass(slots=True)
class Layer:
    """One line of history. ``id`` is a diff id, empty for metadata only; ``size`` in bytes.

    ``blob`` is the layer's archive, gzipped: what a push sends.
    """

    created_by: str
    size: int
    id: str = ""
    blob: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class SimImage:
    """``config`` is Docker's image Config; ``tree`` the files that containers made from it start with.

    ``raw`` is the image's configuration file; its digest is the image's id. ``stock``: from the catalogue, made by nobody.
    """

    id: str
    tags: list[str]
    digests: list[str]
    created: float
    config: dict[str, Any]
    layers: list[Layer]
    tree: dict[str, Node]
    program: Program
    shells: tuple[str, ...] = ("/bin/sh",)
    architecture: str = "amd64"
    parent: str = ""
    raw: bytes = field(default=b"", repr=False)
    stock: bool = False

    @property
    def size(self) -> int:
        return sum(layer.size for layer in self.layers)


@dataclass(slots=True)
class Endpoint:
    """A container's place on a network."""

    network: str
    address: str
    mac: str
    aliases: list[str] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)  # as in IPAMConfig


@dataclass(slots=True)
class SimContainer:
    """A container that pretends to run. Times are the world's seconds since 1970, 0 where it never happened.

    ``spoken`` holds output that was really produced (by a shell); the rest of the log is computed from the program.
    """

    id: str
    name: str
    image: SimImage
    image_name: str
    config: dict[str, Any]
    host: dict[str, Any]
    files: FileSystem
    program: Program
    created: float
    traffic: Traffic
    status: str = "created"
    started: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    on_term: str | None = None  # what its shell does on SIGTERM, where it said so
    restarts: int = 0
    asked_to_stop: bool = False
    pid: int = 0
    health: str = ""
    health_log: list[dict[str, Any]] = field(default_factory=list)
    probed: float = 0.0
    failing: int = 0
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    ports: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    runs: list[tuple[float, float]] = field(default_factory=list)  # past runs: started, finished
    spoken: list[tuple[float, int, bytes]] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cpu_ns: float = 0.0
    cpu_read: float = 0.0
    exec_ids: list[str] = field(default_factory=list)
    removed: asyncio.Event = field(default_factory=asyncio.Event)
    mounts: dict[str, Mount] = field(default_factory=dict)  # target → what is there
    # Writes what tells it who it is, when somebody looks for the first time after that changed.
    identify: Callable[[SimContainer], None] | None = None

    @property
    def view(self) -> FileSystem:
        """Its files as its processes see them: with what is mounted."""
        if self.identify is not None:
            identify, self.identify = self.identify, None
            identify(self)
        return Mounted(self.files, self.mounts) if self.mounts else self.files

    @property
    def running(self) -> bool:
        return self.status in {"running", "paused"}

    @property
    def tty(self) -> bool:
        return bool(self.config.get("Tty"))

    @property
    def labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.config.get("Labels") or {}
        return labels

    def say(self, at: float, stream: int, data: bytes) -> None:
        """Keep output in the log; the oldest is forgotten, as log files are rotated."""
        self.spoken.append((at, stream, data))
        if len(self.spoken) > _MOST_SPOKEN:
            del self.spoken[: _MOST_SPOKEN // 10]

    def cpu_percent(self, now: float) -> float:
        """Percent of one core that it uses at a time, below its limit."""
        if self.status != "running":
            return 0.0
        noise = 0.75 + 0.5 * unit(self.id, "cpu", int(now))
        wanted = self.program.cpu * noise + self.program.cpu_per_request * self.traffic.rate(now)
        limit = self.host.get("NanoCpus") or 0
        return min(wanted, limit / 1e7 if limit else CPUS * 100.0)

    def memory(self, now: float) -> int:
        """Bytes in use at a time."""
        if not self.running:
            return 0
        breathing = 1.0 + 0.04 * (unit(self.id, "memory", int(now / 5)) - 0.5)
        return int(self.program.memory * breathing + self.program.leak * (now - self.started))

    def cpu_total(self, now: float) -> int:
        """Nanoseconds of processor time used so far: what the engine's counters say."""
        if self.running and now > self.cpu_read:
            since = max(self.cpu_read, self.started)
            self.cpu_ns += self.cpu_percent(now) / 100 * (now - since) * 1e9
        self.cpu_read = max(now, self.cpu_read)
        return int(self.cpu_ns)


@dataclass(slots=True)
class SimVolume:
    name: str
    created: float
    driver: str = "local"
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    files: FileSystem = field(default_factory=lambda: FileSystem({}))
    anonymous: bool = False
    size: int = 0  # of what it came with; files that are really there count on top

    @property
    def bytes(self) -> int:
        return self.size + self.files.size()


@dataclass(slots=True)
class SimNetwork:
    id: str
    name: str
    created: float
    driver: str = "bridge"
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    next_host: int = 2


class EngineState:
    """All of one simulated engine. Its methods look things up; `lifecycle` changes them."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.seed = seed
        self.born = clock.now()
        self.events = EventBus(clock)
        self.images: dict[str, SimImage] = {}
        self.containers: dict[str, SimContainer] = {}
        self.names: dict[str, SimContainer] = {}  # the same by name
        self.volumes: dict[str, SimVolume] = {}
        self.networks: dict[str, SimNetwork] = {}
        self.binds: dict[str, FileSystem] = {}  # source → what stands for that place of the host
        self.build_cache: list[dict[str, Any]] = []
        self.counter = 0
        self.hub = ""  # where the registry that stands for Docker Hub listens

    def new_id(self, *key: object) -> str:
        self.counter += 1
        return digest_of(self.seed, self.counter, *key).removeprefix("sha256:")

    def container(self, name: str) -> SimContainer:
        """By id, name or the beginning of an id. Raises HttpError 404."""
        name = name.lstrip("/")
        found = self.containers.get(name) or self.names.get(name)
        if found is None and name:
            matches = [item for key, item in self.containers.items() if key.startswith(name)]
            if len(matches) > 1:
                raise HttpError(400, f"multiple IDs found with provided prefix: {name}")
            found = matches[0] if matches else None
        if found is None:
            raise HttpError(404, f"No such container: {name}")
        return found

    def image(self, name: str) -> SimImage:
        """By id, tag, digest or the beginning of an id. Raises HttpError 404."""
        found = self.find_image(name)
        if found is None:
            raise HttpError(404, f"No such image: {name}")
        return found

    def find_image(self, name: str) -> SimImage | None:
        full = name if name.startswith("sha256:") else f"sha256:{name}"
        if full in self.images:
            return self.images[full]
        wanted = with_tag(name)
        for image in self.images.values():
            if wanted in image.tags or name in image.digests:
                return image
        if len(name.removeprefix("sha256:")) >= 4:
            return next((image for key, image in self.images.items() if key.startswith(full)), None)
        return None

    def network(self, name: str) -> SimNetwork:
        """By id, name or the beginning of an id. Raises HttpError 404."""
        for network in self.networks.values():
            if name in (network.id, network.name):
                return network
        for network in self.networks.values():
            if len(name) >= 4 and network.id.startswith(name):
                return network
        raise HttpError(404, f"network {name} not found")

    def volume(self, name: str) -> SimVolume:
        if name not in self.volumes:
            raise HttpError(404, f"get {name}: no such volume")
        return self.volumes[name]

    def made_from(self, image: SimImage) -> Iterator[SimContainer]:
        return (item for item in self.containers.values() if item.image is image)

    def users_of(self, volume: str) -> list[SimContainer]:
        return [
            item
            for item in self.containers.values()
            if item.mounts and volume in volume_names(item)
        ]


def volume_names(container: SimContainer) -> dict[str, str]:
    """Names of the volumes it mounts → their target paths."""
    points = points_of(container.host)
    return {point.source: point.target for point in points if point.kind == "volume"}


def with_tag(name: str) -> str:
    """A reference as engines store it: with a tag, and without Docker Hub's implied parts."""
    name = name.removeprefix("docker.io/").removeprefix("library/")
    if "@" in name:
        return name
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"
