"""Who the engine is and what it can do. Sources: Engine API, SystemInfo, SystemVersion, SystemPing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.backends.engine.base import EnginePart
from dockdesk.backends.engine.server import ServerVersion
from dockdesk.backends.engine.streams import StreamHub
from dockdesk.core.resources.engine import EngineInfo
from dockdesk.core.work import SilentWork

_DOCKER = frozenset({"update", "buildkit", "disk_usage", "distribution", "events_since"})
_PODMAN = frozenset({"disk_usage"})


class Identity(EnginePart):
    """The connection itself, see ConnectsEngine in core/ports.py."""

    hub: StreamHub

    @property
    def capabilities(self) -> frozenset[str]:
        return capabilities_of(self.client.server)

    def info(self) -> EngineInfo:
        raw = self.client.get("/info", title="The engine does not say who it is")
        return info_from(raw, self.client.server, self.capabilities)

    def ping(self) -> None:
        """Also learns the engine's version anew: after a restart it may be another."""
        self.client.greet(SilentWork())

    def close(self) -> None:
        self.hub.close()
        self.client.close()


def capabilities_of(server: ServerVersion) -> frozenset[str]:
    """What the engine can do beyond what all can."""
    if server.podman:
        return _PODMAN
    found = _DOCKER
    if server.raw.get("Os") == "windows":
        found -= {"update", "buildkit"}
    elif server.raw.get("Experimental") is True:
        found |= {"checkpoint"}
    return found


def info_from(
    raw: Mapping[str, Any], server: ServerVersion, capabilities: frozenset[str]
) -> EngineInfo:
    """EngineInfo of GET /info's answer."""
    return EngineInfo(
        product=server.product,
        version=server.version or str(raw.get("ServerVersion") or ""),
        api_version=server.api,
        os=str(raw.get("OperatingSystem") or raw.get("OSType") or ""),
        architecture=str(raw.get("Architecture") or ""),
        kernel=str(raw.get("KernelVersion") or ""),
        cpus=int(raw.get("NCPU") or 0),
        memory=int(raw.get("MemTotal") or 0),
        storage_driver=str(raw.get("Driver") or ""),
        root_dir=str(raw.get("DockerRootDir") or ""),
        name=str(raw.get("Name") or ""),
        capabilities=capabilities,
        warnings=tuple(str(line) for line in raw.get("Warnings") or ()),
    )
