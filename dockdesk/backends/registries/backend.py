"""All registries: one connection each, made when first asked for, and copies between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.copying import ImageCopier
from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.backends.registries.http import Http
from dockdesk.backends.registries.hub import HubRegistry
from dockdesk.core.errors import InvalidInputError, NotSupportedError
from dockdesk.core.registry_ports import FindsCredentials
from dockdesk.core.resources.registries import (
    DISTRIBUTION,
    DOCKER_HUB,
    Copied,
    Credential,
    ImagePlace,
    Registry,
)
from dockdesk.core.work import Work

# Makes the connection to a registry of a kind.
Connect = Callable[[Registry, FindsCredentials, DigestCache], DistributionRegistry]


class RegistriesBackend:
    """`ConnectsRegistries` and `CopiesImages` of core/registry_ports.py. Thread-safe.

    ``folder`` keeps manifests between starts. ``kinds`` adds, or replaces, kinds of registries: a subclass of
    `DistributionRegistry` for each, so that images can be copied to and from it.
    """

    def __init__(
        self,
        credentials: FindsCredentials,
        folder: Path | None = None,
        kinds: Mapping[str, Connect] | None = None,
    ) -> None:
        self._credentials = credentials
        self._cache = DigestCache(folder)
        self._kinds: dict[str, Connect] = {
            DISTRIBUTION: _distribution,
            DOCKER_HUB: HubRegistry,
            **(kinds or {}),
        }
        self._lock = threading.Lock()
        self._connections: dict[Registry, DistributionRegistry] = {}
        self._copier = ImageCopier(self.connection)

    def connection(self, registry: Registry) -> DistributionRegistry:
        with self._lock:
            found = self._connections.get(registry)
            if found is None:
                found = self._made(registry, self._credentials)
                self._connections[registry] = found
            return found

    def _made(self, registry: Registry, credentials: FindsCredentials) -> DistributionRegistry:
        if not registry.host or any(sign in registry.host for sign in "/@?# \t\n\\"):
            raise InvalidInputError(
                "This is no registry's address",
                f"“{registry.host}” is no host.",
                "Write it as host or host:port.",
                "host",
            )
        connect = self._kinds.get(registry.kind)
        if connect is None:
            raise NotSupportedError(
                f"{registry.name} can't be opened",
                f"Registries of kind {registry.kind} are unknown.",
            )
        return connect(registry, credentials, self._cache)

    def verify(self, registry: Registry, credential: Credential, work: Work) -> str:
        trial = self._made(registry, _Given(credential))
        try:
            return trial.ping(work)
        finally:
            trial.close()

    def forget(self, registry: Registry) -> None:
        with self._lock:
            gone = [key for key in self._connections if key.host == registry.host]
            connections = [self._connections.pop(key) for key in gone]
        for connection in connections:
            connection.close()

    def copy(
        self,
        source: ImagePlace,
        target: ImagePlace,
        work: Work,
        platforms: Sequence[str] = (),
        attachments: bool = False,
    ) -> Copied:
        return self._copier.copy(source, target, work, platforms, attachments)

    def close(self) -> None:
        with self._lock:
            connections = list(self._connections.values())
            self._connections.clear()
        for connection in connections:
            connection.close()


class _Given:
    """One login, whoever asks."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def credential(self, registry: Registry, repository: str = "") -> tuple[Credential | None, str]:
        del registry, repository
        return self._credential, ""

    def refused(self, registry: Registry) -> None:
        """It is tried once, as it is."""


def _distribution(
    registry: Registry, credentials: FindsCredentials, cache: DigestCache
) -> DistributionRegistry:
    return DistributionRegistry(registry, credentials, cache, Http(registry))
