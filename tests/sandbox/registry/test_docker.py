"""A real docker daemon and the sandbox's engine, each with docker-registry and with the sandbox's registry.

What both engines tell of a pull or push must be the same; what one pushed the other must be able to pull.
"""

from __future__ import annotations

import gc
import io
import itertools
import json
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError, ImageNotFound, NotFound

from dockdesk.sandbox.engine.transfer import bar
from dockdesk.sandbox.registry.accounts import PASSWORD, USER
from tests.engines import Dockerd, Registry
from tests.sandbox.registry.conftest import World

LOGIN = {"username": USER, "password": PASSWORD}
# dockerd tells a layer's last state for sure, and what came before if there was time.
PASSING = {
    "Waiting",
    "Preparing",
    "Pushing",
    "Pulling fs layer",
    "Downloading",
    "Verifying Checksum",
    "Download complete",
    "Extracting",
}
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """The SDK's generators leave their sockets to the garbage collector, which warns of each."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _client(socket: Path) -> Any:
    return docker.DockerClient(base_url=f"unix://{socket}", version="auto", timeout=60)


@pytest.fixture
def simulated(world: World) -> Iterator[Any]:
    made = _client(world.socket)
    yield made
    made.close()


@pytest.fixture
def real(dockerd: Dockerd) -> Iterator[Any]:
    made = _client(dockerd.socket)
    yield made
    made.close()


@pytest.fixture(params=["dockerd", "sandbox"])
def engine(request: pytest.FixtureRequest) -> Any:
    """The real engine, the judge, and then the sandbox's."""
    return request.getfixturevalue("real" if request.param == "dockerd" else "simulated")


@pytest.fixture(params=["docker-registry", "sandbox"])
def address(request: pytest.FixtureRequest) -> str:
    """Of the real registry, and of the sandbox's."""
    if request.param == "sandbox":
        world: World = request.getfixturevalue("world")
        return world.registry.address
    registry: Registry = request.getfixturevalue("registry")
    return registry.address


@pytest.fixture
def name() -> str:
    """A repository nobody used yet, the same for all engines and registries."""
    return f"demo/shipped-{next(_numbers)}"


def built(engine: Any, text: str) -> Any:
    """An image of the engine's own, with a file that nobody else has."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, data in {
            "Dockerfile": b'FROM scratch\nCOPY a.txt /etc/\nLABEL by=test\nCMD ["/none"]\n',
            "a.txt": text.encode(),
        }.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    buffer.seek(0)
    image, _ = engine.images.build(fileobj=buffer, custom_context=True, rm=True)
    return image


def told(stream: Any) -> list[str]:
    """What is said of a transfer, once each, without what differs from run to run."""
    said: list[str] = []
    for message in stream:
        text = message.get("error") or message.get("status") or ("aux" if "aux" in message else "")
        if "digest: sha256" in text:
            text = text.partition("sha256")[0]
        if text not in said and text not in PASSING:
            said.append(text)
    return said


def pull(engine: Any, repository: str, tag: str, **more: Any) -> list[str]:
    return told(engine.api.pull(repository, tag=tag, stream=True, decode=True, **more))


def push(engine: Any, repository: str, tag: str, login: Any = None) -> list[str]:
    return told(
        engine.api.push(
            repository, tag=tag, stream=True, decode=True, auth_config=login or dict(LOGIN)
        )
    )


def test_an_image_goes_to_a_registry_and_comes_back(engine: Any, address: str, name: str) -> None:
    image = built(engine, f"{address} {name}")
    repository = f"{address}/{name}"
    image.tag(repository, "1")
    assert push(engine, repository, "1") == [
        f"The push refers to repository [{repository}]",
        "Pushed",
        "1: digest: ",
        "aux",
    ]
    digests = engine.images.get(f"{repository}:1").attrs["RepoDigests"]
    assert [digest.partition("@")[0] for digest in digests] == [repository]
    assert "Layer already exists" in push(engine, repository, "1")
    assert pull(engine, repository, "1")[-1].startswith("Status: Image is up to date for")
    engine.images.remove(image.id, force=True)
    with pytest.raises(ImageNotFound):
        engine.images.get(image.id)
    assert pull(engine, repository, "1") == [
        f"Pulling from {name}",
        "Pull complete",
        f"Digest: {digests[0].partition('@')[2]}",
        f"Status: Downloaded newer image for {repository}:1",
    ]
    again = engine.images.get(f"{repository}:1")
    assert again.id == image.id
    assert again.labels == {"by": "test"}
    assert again.attrs["RepoDigests"] == digests
    engine.images.remove(image.id, force=True)
    # By digest it has no tag, but is the same.
    assert engine.images.pull(digests[0]).id == image.id
    engine.images.remove(image.id, force=True)


def test_every_step_of_a_layer_is_told(simulated: Any, address: str, name: str) -> None:
    """The sandbox's engine is never in such a hurry that it leaves one out."""
    image = built(simulated, f"{address} {name}")
    repository = f"{address}/{name}"
    image.tag(repository, "1")

    def steps(stream: Any) -> list[str]:
        found: list[str] = []
        for message in stream:
            if message.get("status") in PASSING and message["status"] not in found:
                found.append(message["status"])
                assert message["id"]
                if detail := message["progressDetail"]:
                    assert 0 < detail["current"] <= detail["total"]
                    assert message["progress"] == bar(detail["current"], detail["total"])
        return found

    stream = simulated.api.push(
        repository, tag="1", stream=True, decode=True, auth_config=dict(LOGIN)
    )
    assert steps(stream) == ["Preparing", "Pushing"]
    simulated.images.remove(image.id, force=True)
    stream = simulated.api.pull(repository, tag="1", stream=True, decode=True)
    assert steps(stream) == [
        "Pulling fs layer",
        "Downloading",
        "Verifying Checksum",
        "Download complete",
        "Extracting",
    ]
    simulated.images.remove(image.id, force=True)


def test_a_layer_is_mounted_from_another_repository(engine: Any, address: str, name: str) -> None:
    image = built(engine, f"{address} {name}")
    for suffix in ("", "-copy"):
        image.tag(f"{address}/{name}{suffix}", "1")
    push(engine, f"{address}/{name}", "1")
    assert f"Mounted from {name}" in push(engine, f"{address}/{name}-copy", "1")
    engine.images.remove(image.id, force=True)


def test_all_tags_of_a_repository_are_pushed(engine: Any, address: str, name: str) -> None:
    image = built(engine, f"{address} {name}")
    repository = f"{address}/{name}"
    for tag in ("a", "b"):
        image.tag(repository, tag)
    stream = engine.api.push(repository, stream=True, decode=True, auth_config=dict(LOGIN))
    assert [text for text in told(stream) if "digest" in text] == ["a: digest: ", "b: digest: "]
    engine.images.remove(image.id, force=True)


def test_what_one_engine_pushed_the_other_pulls(
    real: Any, simulated: Any, address: str, name: str
) -> None:
    for source, target in ((real, simulated), (simulated, real)):
        image = built(source, f"{address} {name}")
        repository = f"{address}/{name}"
        image.tag(repository, "1")
        push(source, repository, "1")
        found = target.images.pull(repository, tag="1")
        assert found.id == image.id
        assert found.attrs["RootFS"]["Layers"] == image.attrs["RootFS"]["Layers"]
        with tarfile.open(fileobj=io.BytesIO(b"".join(found.save()))) as archive:
            entry = json.loads(_read(archive, "manifest.json"))[0]
            layer = _read(archive, entry["Layers"][-1])
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            assert _read(archive, "etc/a.txt") == f"{address} {name}".encode()
        for engine in (source, target):
            engine.images.remove(image.id, force=True)


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def test_a_seeded_image_is_pulled(engine: Any, world: World) -> None:
    repository = f"{world.registry.address}/nginx"
    engine.images.pull(repository, tag="1.27-alpine")
    image = engine.images.get(f"{repository}:1.27-alpine")
    assert "NGINX_VERSION=1.27.3" in image.attrs["Config"]["Env"]
    assert image.attrs["Architecture"] == "amd64"
    other = f"{world.registry.address}/acme/api"
    engine.images.pull(other, tag="2.14.1", platform="linux/arm64")
    found = engine.images.get(f"{other}:2.14.1")
    assert found.attrs["Architecture"] == "arm64"
    said = pull(engine, f"{world.registry.address}/acme/worker", "latest", platform="linux/s390x")
    assert said[-1] == "no matching manifest for linux/s390x in the manifest list entries"
    for id in (image.id, found.id):
        engine.api.remove_image(
            id if engine.images.get(id).tags == [] else engine.images.get(id).tags[-1]
        )


def test_engine_and_registry_hold_the_same_images(simulated: Any, world: World) -> None:
    """What the sandbox's engine came with is what the registry has under that name."""
    held = simulated.images.get("redis:7-alpine")
    found = simulated.images.pull(f"localhost:{world.registry.port}/redis", tag="alpine")
    assert found.id == held.id
    digest = held.attrs["RepoDigests"][0].partition("@")[2]
    assert f"localhost:{world.registry.port}/redis@{digest}" in found.attrs["RepoDigests"]
    simulated.images.remove(f"localhost:{world.registry.port}/redis:alpine")


def test_an_image_of_the_world_is_pushed_and_runs_elsewhere(
    simulated: Any, real: Any, world: World, name: str
) -> None:
    """A build on a base from the catalogue: its layers really travel."""
    dockerfile = io.BytesIO(b'FROM alpine:3.21\nRUN apk add x\nCMD ["cat", "/etc/os-release"]\n')
    image, _ = simulated.images.build(fileobj=dockerfile, tag=f"{world.registry.address}/{name}:1")
    push(simulated, f"{world.registry.address}/{name}", "1")
    found = real.images.pull(f"{world.registry.address}/{name}", tag="1")
    assert found.id == image.id
    assert len(found.attrs["RootFS"]["Layers"]) == 2
    real.images.remove(found.id, force=True)
    simulated.images.remove(image.id, force=True)
    simulated.images.pull(f"{world.registry.address}/{name}", tag="1")
    said = simulated.containers.run(f"{world.registry.address}/{name}:1", remove=True)
    assert b"Alpine" in said


def test_the_bar_is_dockers() -> None:
    assert bar(32_768, 39_145) == f"[{'=' * 41}>{' ' * 9}]  32.77kB/39.15kB"
    assert bar(5_478, 5_478) == f"[{'=' * 50}>]  5.478kB/5.478kB"


def _fails(engine: Any, action: Any) -> str:
    with pytest.raises(APIError) as caught:
        action()
    return str(caught.value.explanation)


def test_pulls_that_fail(engine: Any, world: World) -> None:
    address = world.registry.address

    def pulling(name: str, tag: str, login: Any = None) -> str:
        return _fails(
            engine, lambda: engine.api.pull(f"{address}/{name}", tag=tag, auth_config=login)
        )

    assert pulling("nginx", "absent") == (
        f"manifest for {address}/nginx:absent not found: manifest unknown: manifest unknown"
    )
    assert pulling("demo/absent", "1", dict(LOGIN)) == (
        f"repository {address}/demo/absent not found: "
        "name unknown: repository name not known to registry"
    )
    denied = "denied: requested access to the resource is denied"
    for name in ("demo/absent", "acme/batch"):
        assert pulling(name, "0.9") == (
            f"pull access denied for {address}/{name}, repository does not exist or may require "
            f"'docker login': {denied}"
        )
    said = pulling("acme/batch", "0.9", {"username": USER, "password": "wrong"})
    assert said.endswith("unauthorized: incorrect username or password")
    said = _fails(engine, lambda: engine.api.pull("127.0.0.1:1/demo/x", tag="1"))
    assert said == 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'


def test_pushes_that_fail(engine: Any, world: World, name: str) -> None:
    image = built(engine, name)
    repository = f"{world.registry.address}/{name}"
    foreign = f"{world.registry.address}/nginx"
    image.tag(repository, "1")
    image.tag(foreign, "mine")
    denied = "denied: requested access to the resource is denied"
    wrong = "unauthorized: incorrect username or password"
    nobody = {"username": "", "password": ""}
    assert push(engine, repository, "1", nobody)[-1] == denied
    assert push(engine, repository, "1", {"username": USER, "password": "wrong"})[-1] == wrong
    assert push(engine, foreign, "mine")[-1] == denied
    assert push(engine, repository, "2")[-1] == f"tag does not exist: {repository}:2"
    assert push(engine, f"{repository}-other", "2")[-1] == (
        f"An image does not exist locally with the tag: {repository}-other"
    )
    engine.images.remove(image.id, force=True)


def test_logins_are_checked(engine: Any, world: World) -> None:
    address = world.registry.address
    assert (
        engine.login(USER, PASSWORD, registry=address, reauth=True)["Status"] == "Login Succeeded"
    )
    said = _fails(engine, lambda: engine.login(USER, "wrong", registry=address, reauth=True))
    assert said.endswith("unauthorized: incorrect username or password")


def test_a_registry_is_asked_what_it_has(engine: Any, world: World) -> None:
    address = world.registry.address
    found = engine.images.get_registry_data(f"{address}/nginx:1.27-alpine")
    assert found.id.startswith("sha256:")
    assert {"architecture": "amd64", "os": "linux"} in found.attrs["Platforms"]
    with pytest.raises(NotFound):
        engine.images.get_registry_data(f"{address}/nginx:absent")


def test_the_limit_of_pulls_is_told(engine: Any, world: World) -> None:
    world.call(lambda: setattr(world.registry.limits, "anonymous", 0))
    try:
        said = _fails(
            engine, lambda: engine.api.pull(f"{world.registry.address}/alpine", tag="3.20")
        )
    finally:
        world.call(lambda: setattr(world.registry.limits, "anonymous", 100))
    assert said.startswith("toomanyrequests: You have reached your unauthenticated pull rate limit")
