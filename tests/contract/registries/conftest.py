"""Registries of all kinds behind one face, so that one test holds for each."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.registries.backend import RegistriesBackend
from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.core.resources.registries import DOCKER_HUB, Credential, ImagePlace, Registry
from dockdesk.core.work import SilentWork
from dockdesk.sandbox.registry.accounts import PASSWORD as DEMO_PASSWORD
from dockdesk.sandbox.registry.accounts import USER as DEMO
from tests.certificates import Authority
from tests.engines import CannotStart, unavailable
from tests.engines import Registry as RegistryProcess
from tests.registries import (
    PASSWORD,
    USER,
    LockedRegistry,
    Logins,
    SecureRegistry,
    TokenRegistry,
    TokenService,
)
from tests.sandbox.registry.conftest import World

_numbers = itertools.count(1)


def _running(made: RegistryProcess) -> Iterator[RegistryProcess]:
    try:
        made.start()
    except CannotStart as error:
        made.remove()
        unavailable(str(error))
    yield made
    made.remove()


@pytest.fixture(scope="module")
def locked() -> Iterator[RegistryProcess]:
    yield from _running(LockedRegistry())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(authority: Authority) -> Iterator[RegistryProcess]:
    yield from _running(SecureRegistry(authority))


@pytest.fixture(scope="module")
def token_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenService]:
    made = TokenService(tmp_path_factory.mktemp("tokens"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def guarded(token_service: TokenService) -> Iterator[RegistryProcess]:
    yield from _running(TokenRegistry(token_service))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="ddr-", dir="/tmp") as folder:
        made = World(Path(folder))
        yield made
        made.close()


class Rig:
    """A registry with a login that may do everything in ``rig.name()``. ``anybody`` connects without a login."""

    def __init__(self, kind: str, registry: Registry, logins: Logins) -> None:
        self.kind = kind
        self.registry = registry
        self.logins = logins
        self.backend = RegistriesBackend(logins)
        self._others: list[RegistriesBackend] = []

    @property
    def connection(self) -> DistributionRegistry:
        return self.backend.connection(self.registry)

    def name(self) -> str:
        return f"demo/contract-{next(_numbers)}"

    def place(self, repository: str, reference: str = "latest") -> ImagePlace:
        return ImagePlace(self.registry, repository, reference)

    def afresh(self, logins: Logins | None = None) -> DistributionRegistry:
        """A connection that knows nothing yet: no token and no manifest."""
        made = RegistriesBackend(logins or self.logins)
        self._others.append(made)
        return made.connection(self.registry)

    def close(self) -> None:
        for backend in [self.backend, *self._others]:
            backend.close()


KINDS = ["docker-registry", "htpasswd", "tls", "token", "sandbox"]


def rig_of(request: pytest.FixtureRequest, kind: str) -> Rig:
    logins = Logins(Credential(USER, PASSWORD))
    if kind == "sandbox":
        world: World = request.getfixturevalue("world")
        logins = Logins(Credential(DEMO, DEMO_PASSWORD))
        return Rig(kind, Registry(world.registry.address), logins)
    fixture = {
        "docker-registry": "registry",
        "htpasswd": "locked",
        "tls": "secure",
        "token": "guarded",
    }[kind]
    process: RegistryProcess = request.getfixturevalue(fixture)
    ca_file = ""
    if kind == "tls":
        authority: Authority = request.getfixturevalue("authority")
        ca_file = str(authority.certificate)
    if kind == "docker-registry":
        logins = Logins()
    return Rig(kind, Registry(process.address, ca_file=ca_file), logins)


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = rig_of(request, request.param)
    yield made
    made.close()


@pytest.fixture(params=["docker-registry", "sandbox"])
def rig_of_two(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The judge and the sandbox, for what does not depend on how one logs in."""
    made = rig_of(request, request.param)
    yield made
    made.close()


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = rig_of(request, "sandbox")
    yield made
    made.close()


@pytest.fixture
def hub(world: World) -> Iterator[Rig]:
    """The sandbox as Docker Hub."""
    registry = Registry(
        world.registry.address, DOCKER_HUB, "Docker Hub", api=world.registry.hub_url
    )
    made = Rig("hub", registry, Logins(Credential(DEMO, DEMO_PASSWORD)))
    yield made
    made.close()


@pytest.fixture
def work() -> SilentWork:
    return SilentWork()
