from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.backends.registries.http import Http
from dockdesk.core.resources.registries import Credential, Registry
from dockdesk.core.work import Work
from tests.backends.registries.faulty import Faulty
from tests.registries import Logins

SECRET = "planted-hunter2-secret"


class Waits:
    """Waits that are over at once, and noted."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float, work: Work) -> None:
        work.check()
        self.seconds.append(seconds)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    monkeypatch.setattr("dockdesk.backends.registries.blobs.wait", made)
    return made


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    made = Faulty()
    yield made
    made.close()


Connect = Callable[..., DistributionRegistry]


@pytest.fixture
def connect(faulty: Faulty, waits: Waits) -> Iterator[Connect]:
    """Connects to the faulty registry; ``secret`` logs Ann in."""
    made: list[DistributionRegistry] = []

    def connected(
        secret: str = "",
        credential: Credential | None = None,
        registry: Registry | None = None,
        folders: tuple[Path, ...] = (),
        read_timeout: float = 10.0,
        cache: DigestCache | None = None,
    ) -> DistributionRegistry:
        given = Credential("ann", secret) if secret else credential
        target = registry or Registry(faulty.host, endpoint=faulty.url)
        http = Http(target, folders, pause=waits, read_timeout=read_timeout)
        made.append(DistributionRegistry(target, Logins(given), cache or DigestCache(), http))
        return made[-1]

    yield connected
    for connection in made:
        connection.close()
