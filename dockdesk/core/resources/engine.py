"""The engine itself, its volumes, networks, disk use and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume. ``size`` in bytes, -1 where not computed; ``used_by`` holds container names."""

    name: str
    driver: str
    mountpoint: str = ""
    created: float = 0.0
    scope: str = "local"
    size: int = -1
    used_by: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkMember:
    """A container on a network."""

    container_id: str
    name: str
    address: str = ""
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """A network. ``builtin`` ones (bridge, host, none) can't be removed."""

    id: str
    name: str
    driver: str
    scope: str = "local"
    created: float = 0.0
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    members: tuple[NetworkMember, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def builtin(self) -> bool:
        return self.name in {"bridge", "host", "none", "podman"}


@dataclass(frozen=True, slots=True)
class DiskSlice:
    """One line of `docker system df`: ``kind`` is images, containers, volumes or build cache. Bytes."""

    kind: str
    count: int
    active: int
    size: int
    reclaimable: int


@dataclass(frozen=True, slots=True)
class DiskItem:
    """One thing that takes up space and may be freed. ``kind`` as in DiskSlice; bytes."""

    kind: str
    id: str
    name: str
    size: int
    reclaimable: bool
    used_by: str = ""
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class DiskUsage:
    slices: tuple[DiskSlice, ...]
    items: tuple[DiskItem, ...] = ()

    @property
    def size(self) -> int:
        return sum(item.size for item in self.slices)

    @property
    def reclaimable(self) -> int:
        return sum(item.reclaimable for item in self.slices)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Who answers: product is "Docker Engine" or "Podman". ``memory`` in bytes."""

    product: str
    version: str
    api_version: str
    os: str = ""
    architecture: str = ""
    kernel: str = ""
    cpus: int = 0
    memory: int = 0
    storage_driver: str = ""
    root_dir: str = ""
    name: str = ""
    capabilities: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One event of the engine's stream. ``kind`` is container, image, volume, network, …; ``at`` seconds since 1970."""

    kind: str
    action: str
    id: str
    at: float
    name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What a prune removed, and the bytes it freed."""

    removed: tuple[str, ...]
    freed: int
