"""Who answers, and which version of the API is spoken with it. Source: Engine API, SystemVersion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.core.errors import UnreachableError
from dockdesk.core.records import dataclass

# The newest API whose answers are understood. On a newer engine fields vanish from newer versions.
HIGHEST_API = "1.47"
LOWEST_API = "1.40"


def version_key(version: str) -> tuple[int, ...]:
    """An API version as numbers that compare; raise ValueError for anything else."""
    return tuple(int(part) for part in version.split("."))


def negotiate(server: str, minimum: str) -> str:
    """The version to speak: the server's own, at most the highest tested, at least what it still accepts."""
    version = min(server, HIGHEST_API, key=version_key)
    with suppress(ValueError):
        version = max(version, minimum, key=version_key)
    return version


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """What GET /version tells. ``podman`` is true for Podman's service, which speaks most of Docker's API."""

    product: str
    version: str
    api: str
    minimum_api: str
    podman: bool
    raw: Mapping[str, Any]


def server_version(raw: Any, served_by: str, endpoint: Endpoint) -> ServerVersion:
    if not isinstance(raw, dict) or not isinstance(raw.get("ApiVersion"), str):
        raise UnreachableError(
            f"“{endpoint.name}” is no container engine",
            "It answered, but not as an engine does.",
            "Check the address.",
        )
    components: Sequence[Any] = raw.get("Components") or ()
    names = [str(part.get("Name", "")) for part in components if isinstance(part, dict)]
    podman = served_by.startswith("Libpod/") or any("Podman" in name for name in names)
    try:
        version_key(raw["ApiVersion"])
    except ValueError:
        raise UnreachableError(
            f"“{endpoint.name}” is no container engine",
            f"It claims API version “{raw['ApiVersion']}”.",
        ) from None
    return ServerVersion(
        "Podman" if podman else "Docker Engine",
        str(raw.get("Version", "")),
        raw["ApiVersion"],
        str(raw.get("MinAPIVersion", "")),
        podman,
        raw,
    )
