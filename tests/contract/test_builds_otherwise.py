"""Builds without BuildKit, through the older request, with registries that want a login, and by buildx."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.secrets.authfiles import Login
from dockdesk.backends.secrets.logins import encoded
from dockdesk.core.errors import (
    BuildError,
    CancelledError,
    InvalidInputError,
    LocalError,
    NotSupportedError,
)
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.resources.builds import BuildOutput, BuildSecret, BuildSpec, BuildStatus
from dockdesk.core.work import SilentWork
from tests.contract.building import Building, Told, Tree, build, received, write
from tests.contract.conftest import Rig, rig_of
from tests.engines import CannotStart, Registry, unavailable, wait_for

BOTH = [
    pytest.param("docker", marks=pytest.mark.engine),
    pytest.param("podman", marks=pytest.mark.podman),
    "sandbox",
]


@pytest.fixture(params=BOTH)
def old(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """Docker's classic builder, then Podman's, then the sandbox's."""
    yield from rig_of(request, request.param)


def content(rig: Rig, image: str, path: str) -> bytes:
    name = rig.name()
    rig.backend.create_container(
        ContainerSpec(image, name=name, command=("x",), pull="never"), SilentWork()
    )
    data, _ = rig.backend.read_file(name, path)
    return data


def image_files(rig: Rig, image: str, tmp_path: Path) -> dict[str, tarfile.TarInfo]:
    """All that is in an image, by path."""
    name = rig.name()
    rig.backend.create_container(
        ContainerSpec(image, name=name, command=("x",), pull="never"), SilentWork()
    )
    target = tmp_path / "export.tar"
    rig.backend.export(name, target, SilentWork())
    with tarfile.open(target, errors="surrogateescape") as tar:
        return {member.name.rstrip("/"): member for member in tar.getmembers()}


def test_a_classic_build(old: Rig, tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": "from the context\n"})
    text = (
        "ARG BASE=none\nFROM $BASE AS made\nARG WHO=nobody\nCOPY a.txt /a.txt\n"
        "RUN echo made by $WHO > /who && cat /a.txt\n"
        "FROM scratch\nCOPY --from=made /who /who\n"
    )
    tag = f"{old.name()}:1"
    options = {"args": (("WHO", "Ann"), ("BASE", old.image)), "classic": True, "text": text}
    result, told = build(old, tmp_path, tags=(tag,), labels=(("kind", "old"),), **options)
    assert result.method == "classic"
    assert result.files == 3, "the file, the Dockerfile and what leaves that out again"
    detail = old.backend.image(result.image)
    assert detail.image.id.removeprefix("sha256:") == result.image.removeprefix("sha256:")
    assert dict(detail.image.labels)["kind"] == "old"
    assert content(old, tag, "/who") == b"made by Ann\n"
    assert "from the context\n" in told.log
    run = told.step("RUN echo made by")
    assert run.completed
    assert not run.cached
    assert told.step("COPY a.txt").digest in run.inputs
    assert told.step("load build context").completed
    assert [item for item in told.of(BuildStatus) if item.name == "" and item.current > 0]
    _, told = build(old, tmp_path, tags=(tag,), labels=(("kind", "old"),), **options)
    assert told.step("RUN echo made by").cached


def test_a_classic_build_that_fails(old: Rig, tmp_path: Path) -> None:
    told = Told()
    text = f"FROM {old.image}\n\n# why\nRUN echo the reason >&2; exit 4\n"
    with pytest.raises(BuildError) as caught:
        build(old, tmp_path, told=told, text=text, classic=True)
    assert "the reason\n" in told.log
    if not old.podman:
        assert "4" in caught.value.title
    assert caught.value.line == 4
    assert told.steps[caught.value.step].error
    with pytest.raises(BuildError) as caught:
        build(old, tmp_path, text="FROM scratch\n\nCOPPY a b\n", classic=True)
    assert "COPPY" in caught.value.detail


AWKWARD: Tree = {
    "plain": "text", "empty": "", "Ünï/名前": "unicode", "A": "1", "a": "2", "n" * 120: "long",
    f"{'d' * 90}/{'e' * 90}/f": "deep", "with\nnewline": "n", "large": bytes(700_000), "keep/me": "k",
    "keep/not": "k", "x.log": "l", "sub/x.log": "l", "folder": None,
}  # fmt: skip


def test_what_a_classic_build_sends(old: Rig, tmp_path: Path) -> None:
    context = write(tmp_path / "context", AWKWARD)
    (context / "script").write_text("#!/bin/sh\n")
    (context / "script").chmod(0o755)
    (context / "link").symlink_to("plain" if old.podman else "../" * 40 + "somewhere")
    os.link(context / "large", context / "hard")
    (context / ".dockerignore").write_text("*.log\nkeep\n!keep/me\nDockerfile\n.dockerignore\n")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    tag = old.name()
    build(old, context, tags=(tag,), classic=True)
    found = image_files(old, tag, tmp_path)
    expected = {
        path.relative_to(context).as_posix(): path
        for path in context.rglob("*")
        if path.relative_to(context).as_posix()
        not in {"Dockerfile", ".dockerignore", "keep/not", "x.log"}
    }
    assert set(expected) <= set(found), set(expected) - set(found)
    assert not {"Dockerfile", ".dockerignore", "keep/not", "x.log"} & set(found)
    for name, path in expected.items():
        member, info = found[name], path.lstat()
        assert member.issym() == stat.S_ISLNK(info.st_mode), name
        if member.isreg():
            assert (member.size, member.mode & 0o777) == (info.st_size, info.st_mode & 0o777), name
        elif member.issym():
            assert member.linkname == os.readlink(path)


def test_what_only_buildkit_can_do(old: Rig, tmp_path: Path) -> None:
    for options in (
        {"secrets": (BuildSecret("a", "/etc/hostname"),)},
        {"ssh": ("default",)},
        {"outputs": (BuildOutput("local", "x"),)},
        {"cache_to": ("type=inline",)},
    ):
        with pytest.raises(NotSupportedError, match="BuildKit"):
            build(old, tmp_path, text="FROM scratch\n", classic=True, **options)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        build(old, tmp_path, text="FROM scratch\n", classic=True, platforms=("linux/a", "linux/b"))


def test_a_cancelled_classic_build(old: Rig, tmp_path: Path) -> None:
    text = f"FROM {old.image}\nRUN echo begun && sleep 3456.75\n"
    building = Building(old, BuildSpec(tmp_path, text=text, classic=True, no_cache=True))
    wait_for(lambda: "begun" in building.told.log, 60, "the step runs")
    building.work.cancel()
    building.join()
    assert isinstance(building.failure, CancelledError), building.failure


@pytest.mark.podman
def test_podman_has_no_buildkit_and_says_so(podman: Rig, tmp_path: Path) -> None:
    assert "buildkit" not in podman.backend.capabilities
    result, _ = build(podman, tmp_path, text=f"FROM {podman.image}\n", tags=(podman.name(),))
    assert result.method == "classic"
    assert podman.backend.check(BuildSpec(tmp_path, text="FROM scratch\n"), SilentWork()) is None
    assert podman.backend.past_builds() == []


@pytest.mark.engine
def test_an_engine_without_sessions_is_built_on_classically(
    docker: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockdesk.backends.engine.buildkit import session

    asked: list[str] = []

    def refuse(client: object, path: str, *_: object) -> None:
        asked.append(path)
        raise NotSupportedError("no")

    monkeypatch.setattr(session, "upgraded", refuse)
    assert "buildkit" in docker.backend.capabilities
    text = f"FROM {docker.image}\n"
    assert build(docker, tmp_path, text=text)[0].method == "classic"
    assert "buildkit" not in docker.backend.capabilities
    before = len(asked)
    assert build(docker, tmp_path, text=text)[0].method == "classic"
    assert len(asked) == before, "it is not asked again"


@pytest.mark.engine
def test_an_engine_with_sessions_alone(
    docker: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through POST /build, whose stream carries the same messages."""
    from dockdesk.backends.engine.buildkit import native

    def refuse(*_: object) -> None:
        raise NotSupportedError("no /grpc")

    monkeypatch.setattr(native, "Control", refuse)
    write(tmp_path, {"a": "a"})
    tag = docker.name()
    text = f"FROM {docker.image}\nARG WHO\nCOPY a /\nRUN echo for $WHO\n"
    options = {"text": text, "args": (("WHO", "Ann"),), "no_cache": True}
    result, told = build(docker, tmp_path, tags=(tag,), **options)
    assert result.method == "buildkit"
    assert result.files == 1
    assert docker.backend.image(tag).image.id == result.image
    assert "for Ann\n" in told.log
    assert told.step("RUN echo for").completed
    found = received(docker, write(tmp_path / "b", {"x": "y"}), tmp_path / "out")
    assert set(found) == {"x"}
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=f"FROM {docker.image}\nRUN exit 5\n")
    assert caught.value.line == 2
    assert "5" in caught.value.title
    with pytest.raises(NotSupportedError):
        build(docker, tmp_path, text="FROM scratch\n", platforms=("linux/amd64", "linux/arm64"))


@pytest.mark.podman
def test_podman_refuses_links_that_lead_out(podman: Rig, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("../elsewhere")
    with pytest.raises(BuildError) as caught:
        build(podman, tmp_path, text="FROM scratch\nCOPY . /\n")
    assert "links" in caught.value.hint


# --- Registries ---


class LockedRegistry(Registry):
    """A registry that wants Ann's password, hunter2."""

    def more_configuration(self) -> str:
        users = self.folder / "users"
        # As `htpasswd -B` writes it.
        users.write_text("ann:$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n")
        return f"auth: {{htpasswd: {{realm: test, path: '{users}'}}}}\n"


@pytest.fixture(scope="module")
def locked() -> Iterator[LockedRegistry]:
    made = LockedRegistry()
    try:
        made.start()
    except CannotStart as error:
        made.remove()
        unavailable(str(error))
    yield made
    made.remove()


class OneLogin:
    """Ann is logged in at one registry."""

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.asked: list[str] = []

    def registry_auth(self, reference: str) -> tuple[str, str]:
        self.asked.append(reference)
        if reference.startswith(f"{self.registry}/"):
            return encoded(Login(self.registry, "ann", "hunter2")), ""
        return encoded(None), ""


@pytest.fixture
def private(docker: Rig, locked: LockedRegistry) -> str:
    """A base image in the registry, and no longer in the engine."""
    docker.backend.logins = OneLogin(locked.address)
    reference = f"{locked.address}/{docker.name()}:1"
    docker.backend.tag(docker.image, reference)
    docker.backend.push(reference, SilentWork())
    docker.backend.remove_image(reference)
    return reference


@pytest.mark.engine
@pytest.mark.parametrize("classic", [False, True])
def test_a_private_base_image(
    docker: Rig, private: str, locked: LockedRegistry, tmp_path: Path, classic: bool
) -> None:
    tag = f"{locked.address}/{docker.name()}:2"
    outputs = (BuildOutput("push"),)
    text = f"ARG FROM={private}\nFROM $FROM\nRUN true\n"
    result, _ = build(
        docker, tmp_path, text=text, tags=(tag,), outputs=outputs, pull=True, classic=classic
    )
    assert result.digest.startswith("sha256:")
    assert docker.backend.image(tag).image.id == result.image


@pytest.mark.engine
@pytest.mark.parametrize("classic", [False, True])
def test_a_private_base_image_without_a_login(
    docker: Rig, private: str, tmp_path: Path, classic: bool
) -> None:
    docker.backend.logins = OneLogin("elsewhere")
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=f"FROM {private}\n", pull=True, classic=classic)
    assert "docker login" in caught.value.hint
    assert "hunter2" not in f"{caught.value!r} {caught.value.detail}"


@pytest.mark.engine
def test_a_cache_in_a_registry(docker: Rig, registry: Registry, tmp_path: Path) -> None:
    tag = f"{registry.address}/{docker.name()}:1"
    text = f"FROM {docker.image}\nRUN echo {tag} > /made\n"
    outputs = (BuildOutput("push"),)
    build(docker, tmp_path, text=text, tags=(tag,), outputs=outputs, cache_to=("type=inline",))
    _, told = build(docker, tmp_path, text=text, cache_from=(tag,))
    assert told.step("RUN echo").cached
    assert any("importing cache manifest" in step.name for step in told.steps.values())


# --- buildx ---


@pytest.mark.engine
def test_a_builder_of_buildx(docker: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default builder is the engine itself, which needs no image to run in."""
    probe = ["docker", "buildx", "version"]
    if shutil.which("docker") is None or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("buildx is not installed")
    assert docker.backend.builders() == [], "the engine's own is not among them"
    create = ["docker", "buildx", "create", "--driver=docker-container", "--name=ddt-other"]
    subprocess.run([*create, docker.server.host], capture_output=True, check=True)
    try:
        (other,) = docker.backend.builders()
        assert (other.name, other.driver, other.status) == (
            "ddt-other",
            "docker-container",
            "inactive",
        )
    finally:
        subprocess.run(["docker", "buildx", "rm", "ddt-other"], capture_output=True, check=True)
    monkeypatch.setenv("DDT_TOKEN", "t0ken")
    write(tmp_path, {"a": "a"})
    tag = docker.name()
    text = (
        f"FROM {docker.image}\nCOPY a /\n"
        "RUN --mount=type=secret,id=t echo $(cat /run/secrets/t | wc -c) bytes\n"
    )
    result, told = build(
        docker, tmp_path, text=text, tags=(tag,), builder="default", no_cache=True,
        secrets=(BuildSecret("t", variable="DDT_TOKEN"),),
    )  # fmt: skip
    assert result.method == "buildx"
    assert docker.backend.image(tag).image.id == result.image
    assert "5 bytes\n" in told.log
    with pytest.raises(BuildError) as caught:
        build(docker, tmp_path, text=f"FROM {docker.image}\nRUN exit 6\n", builder="default")
    assert caught.value.line == 2
    with pytest.raises(LocalError, match="nobody"):
        build(docker, tmp_path, text="FROM scratch\n", builder="nobody")
    mark = f"FROM {docker.image}\nRUN echo begun && sleep 2345.5\n"
    building = Building(docker, BuildSpec(tmp_path, text=mark, builder="default", no_cache=True))
    wait_for(lambda: "begun" in building.told.log, 60, "the step runs")
    building.work.cancel()
    building.join()
    assert isinstance(building.failure, CancelledError), building.failure
