"""Both engines behind one face, so that one test holds for each."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.core.errors import DockDeskError, RemoteError
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.resources.containers import Container
from dockdesk.core.work import SilentWork
from tests.engines import EngineProcess, SandboxEngine, wait_for

_numbers = itertools.count(1)
PREFIX = "ddb"
T = TypeVar("T")


def _tended(id: str) -> bool:
    """Whether some process still looks after the container: conmon and `podman container cleanup` name its id."""
    for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if id.encode() in cmdline.read_bytes():
                return True
    return False


class Rig:
    """An engine with the busybox image. What a test names with `name` is removed when it is over."""

    def __init__(self, backend: EngineBackend, server: EngineProcess, image: str) -> None:
        self.backend = backend
        self.server = server
        self.image = image

    @property
    def podman(self) -> bool:
        return self.backend.client.podman

    @property
    def sandbox(self) -> bool:
        return isinstance(self.server, SandboxEngine)

    def must_be_real(self, why: str) -> None:
        """Skip the test in the sandbox, which can't do what it is about."""
        if self.sandbox:
            pytest.skip(f"a simulation: {why}")

    def name(self) -> str:
        return f"{PREFIX}{next(_numbers)}"

    def spec(self, *command: str, **options: Any) -> ContainerSpec:
        """A spec with a name of its own; without a network where none is asked for, which most tests need not."""
        values = {
            "image": self.image,
            "name": self.name(),
            "command": command,
            "stop_timeout": 0,
            "network": "none",
        }
        return ContainerSpec(**{**values, **options})

    def run(self, *command: str, **options: Any) -> str:
        """The name of a new container that runs ``command``, or sleeps."""
        spec = self.spec(*(command or ("sleep", "1000")), **options)

        def start() -> str:
            try:
                self.backend.run_container(spec, SilentWork())
            except DockDeskError:
                with contextlib.suppress(DockDeskError):
                    self.backend.remove(spec.name, force=True)
                raise
            return spec.name

        return start() if spec.network == "none" else self.patiently(start)

    def patiently(self, call: Callable[[], T]) -> T:
        """Do what needs the machine's packet filter, which another engine that starts just now may be resetting."""
        for _ in range(20):
            try:
                return call()
            except RemoteError as error:
                if "iptables" not in error.detail:
                    raise
                reason = error.detail
            time.sleep(0.5)
        pytest.skip(reason)

    def make(self, *command: str, **options: Any) -> str:
        """The name of a new container that was not started."""
        spec = self.spec(*(command or ("sleep", "1000")), **options)
        self.backend.create_container(spec, SilentWork())
        return spec.name

    def do(self, script: str, **options: Any) -> str:
        """The name of a new container in which a shell script has run to its end."""
        name = self.run("sh", "-c", script, **options)
        container = wait_for(lambda: self.ended(name), 60, "the script ends")
        assert container.exit_code == 0, container.status
        if self.podman:
            # Its monitor, then its cleanup, still unmount what the next request may mount.
            wait_for(lambda: not _tended(container.id), 60, "Podman leaves the container alone")
        return name

    def listed(self, name: str) -> Container | None:
        return next((c for c in self.backend.containers() if c.name == name), None)

    def ended(self, name: str) -> Container | None:
        container = self.listed(name)
        return container if container is not None and container.state == "exited" else None

    def clean(self) -> None:
        backend = self.backend
        for container in backend.containers():
            if container.name.startswith(PREFIX):
                with contextlib.suppress(DockDeskError):
                    backend.remove(container.id, force=True, volumes=True)
        for volume in backend.volumes():
            if volume.name.startswith(PREFIX):
                with contextlib.suppress(DockDeskError):
                    backend.remove_volume(volume.name, force=True)
        for network in backend.networks():
            if network.name.startswith(PREFIX):
                with contextlib.suppress(DockDeskError):
                    backend.remove_network(network.id)
        for image in backend.images():
            for tag in image.tags:
                if f"{PREFIX}" in tag:
                    with contextlib.suppress(DockDeskError):
                        backend.remove_image(tag, force=True)


_SERVERS = {"docker": "dockerd", "podman": "podman_service", "sandbox": "sandbox_engine_server"}
_IMAGES = {
    "docker": "busybox_image",
    "podman": "podman_busybox_image",
    "sandbox": "sandbox_busybox_image",
}


def rig_of(request: pytest.FixtureRequest, kind: str) -> Iterator[Rig]:
    backend = request.getfixturevalue(f"{kind}_engine")
    server = request.getfixturevalue(_SERVERS[kind])
    image = request.getfixturevalue(_IMAGES[kind])
    made = Rig(backend, server, image)
    try:
        yield made
    finally:
        made.clean()


@pytest.fixture(
    params=[
        pytest.param("docker", marks=pytest.mark.engine),
        pytest.param("podman", marks=pytest.mark.podman),
        "sandbox",
    ]
)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Docker, then Podman, then the sandbox's engine, which is wrong where it differs from Docker."""
    yield from rig_of(request, request.param)


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.engine), "sandbox"])
def docker(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """For what only Docker's engine can do, and so the sandbox's must."""
    yield from rig_of(request, request.param)


@pytest.fixture
def podman(request: pytest.FixtureRequest) -> Iterator[Rig]:
    yield from rig_of(request, "podman")
