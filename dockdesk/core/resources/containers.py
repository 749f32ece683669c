"""Containers as the Engine API (v1.41 and later: ContainerList, ContainerInspect) tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass

COMPOSE_PROJECT = "com.docker.compose.project"
COMPOSE_SERVICE = "com.docker.compose.service"

STATE_TONES: Mapping[str, Tone] = {
    "running": "good",
    "restarting": "warn",
    "paused": "warn",
    "created": "muted",
    "exited": "muted",
    "removing": "muted",
    "dead": "bad",
}


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container; ``public`` is None where it is exposed only, ``host`` the bound address."""

    private: int
    protocol: str = "tcp"
    public: int | None = None
    host: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """Something mounted: ``kind`` is bind, volume, tmpfs, …; ``name`` a volume's name."""

    kind: str
    source: str
    target: str
    read_only: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """One row of the container list. ``status`` is the engine's own phrase, true when it was read.

    Times are seconds since 1970 (UTC): ``created``, and ``since`` for when it was started or ended, 0 where unknown.
    """

    id: str
    name: str
    image: str
    image_id: str
    state: str
    status: str
    created: float
    health: str = ""  # "", starting, healthy, unhealthy
    exit_code: int | None = None
    command: str = ""
    ports: tuple[Port, ...] = ()
    mounts: tuple[Mount, ...] = ()
    networks: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    since: float = 0.0

    @property
    def short_id(self) -> str:
        return self.id[:12]

    @property
    def running(self) -> bool:
        return self.state in {"running", "paused", "restarting"}

    @property
    def project(self) -> str:
        """The Compose project it belongs to, or an empty string."""
        return self.labels.get(COMPOSE_PROJECT, "")

    @property
    def service(self) -> str:
        return self.labels.get(COMPOSE_SERVICE, "")

    @property
    def tone(self) -> Tone:
        if self.health == "unhealthy":
            return "bad"
        if self.state == "exited" and self.exit_code not in (None, 0):
            return "bad"
        if self.health == "starting":
            return "warn"
        return STATE_TONES.get(self.state, "neutral")

    @property
    def state_text(self) -> str:
        """State and, where there is one, health: what the state pill says."""
        if self.state == "running" and self.health:
            return self.health
        if self.state == "exited" and self.exit_code not in (None, 0):
            return f"exited ({self.exit_code})"
        return self.state


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """One run of a health check; times are seconds since 1970."""

    start: float
    end: float
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class NetworkEndpoint:
    """How a container sits on one network."""

    network: str
    network_id: str
    address: str = ""
    gateway: str = ""
    mac: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerDetail:
    """What one inspect tells. ``raw`` is the engine's whole answer, plain JSON values, for the inspect tree.

    ``memory_limit`` is in bytes and ``cpu_limit`` in cores, None where unlimited. Times are
    seconds since 1970, 0 if never.
    """

    container: Container
    raw: Mapping[str, Any]
    environment: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    tty: bool = False
    restart_policy: str = ""
    restart_count: int = 0
    started: float = 0.0
    finished: float = 0.0
    pid: int = 0
    memory_limit: int | None = None
    cpu_limit: float | None = None
    oom_killed: bool = False
    log_driver: str = ""
    mounts: tuple[Mount, ...] = ()
    endpoints: tuple[NetworkEndpoint, ...] = ()
    health_log: tuple[HealthProbe, ...] = ()
    failing_streak: int = 0


@dataclass(frozen=True, slots=True)
class StatsSample:
    """One reading of a container's use, computed from the engine's counters.

    ``at`` is seconds since 1970; ``cpu`` in percent of one core; ``memory`` in bytes without page
    cache (as `docker stats`);
    ``memory_limit`` bytes, 0 where unknown; network and block figures are bytes a second since the sample before.
    """

    at: float
    cpu: float
    memory: float
    memory_limit: float = 0.0
    net_in: float = 0.0
    net_out: float = 0.0
    block_read: float = 0.0
    block_write: float = 0.0
    pids: int = 0


@dataclass(frozen=True, slots=True)
class ProcessTable:
    """`docker top`: the columns' titles, and a tuple of cells a process."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file in a container or volume.

    ``kind`` is file, folder, link or other; ``size`` in bytes; ``modified`` seconds since 1970.
    """

    name: str
    path: str
    kind: str
    size: int = 0
    mode: int = 0
    modified: float = 0.0
    owner: str = ""
    link_target: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """How a path differs from the image: ``kind`` is added, changed or deleted."""

    path: str
    kind: str
