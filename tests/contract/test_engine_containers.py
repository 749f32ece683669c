"""Containers on real engines."""

from __future__ import annotations

import subprocess
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockdesk.core.errors import (
    CancelledError,
    ConflictError,
    DockDeskError,
    InvalidInputError,
    LocalError,
    NotFoundError,
    NotSupportedError,
)
from dockdesk.core.ports import ContainerSpec, UpdateSpec
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork
from tests.contract.conftest import Rig
from tests.engines import wait_for

ODD = "<b>bold</b> \u202eright-to-left 🐳 “quoted” 'single' $HOME `x` \\"


def state(rig: Rig, name: str) -> str:
    container = rig.listed(name)
    assert container is not None
    return container.state


def test_a_containers_life(rig: Rig) -> None:
    backend = rig.backend
    spec = rig.spec("sleep", "1000")
    name = spec.name
    id = backend.create_container(spec, SilentWork())
    assert len(id) == 64
    assert state(rig, name) == "created"
    backend.start(id)
    assert state(rig, name) == "running"
    backend.start(id)  # a second time changes nothing
    backend.pause(name)
    assert state(rig, name) == "paused"
    backend.unpause(name)
    assert state(rig, name) == "running"
    backend.restart(name, timeout=0)
    assert state(rig, name) == "running"
    renamed = rig.name()
    backend.rename(name, renamed)
    assert rig.listed(name) is None
    backend.kill(renamed, "SIGKILL")
    container = wait_for(lambda: rig.ended(renamed))
    assert container.exit_code == 137
    backend.start(renamed)
    backend.stop(renamed, timeout=0, work=SilentWork())
    assert wait_for(lambda: rig.ended(renamed)).exit_code == 137
    backend.stop(renamed)  # stopped already
    backend.remove(renamed, volumes=True)
    assert rig.listed(renamed) is None


def test_the_list_is_one_call(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = rig.make(), rig.make()
    calls = []
    client = rig.backend.client
    request = client.request

    def counted(method: Any, path: str, *arguments: Any, **options: Any) -> Any:
        calls.append(path)
        return request(method, path, *arguments, **options)

    monkeypatch.setattr(client, "request", counted)
    everyone = rig.backend.containers()
    assert calls == ["/containers/json"]
    ids = {container.name: container.id for container in everyone}
    some = rig.backend.containers([ids[first], "f" * 64])
    assert [container.name for container in some] == [first]
    assert calls == ["/containers/json"] * 2
    many = [f"{number:064x}" for number in range(300)]
    assert {c.name for c in rig.backend.containers([*many, ids[second]])} == {second}
    assert rig.backend.containers(["f" * 64]) == []
    assert calls == ["/containers/json"] * 4


def test_odd_texts_come_through(rig: Rig) -> None:
    label = ODD * 100
    name = rig.run(labels=(("odd", label), (ODD, "")), env=(("ODD", ODD),))
    container = rig.listed(name)
    assert container is not None
    assert len(label) > 4096
    assert container.labels["odd"] == label
    assert ODD in container.labels
    assert ("ODD", ODD) in rig.backend.container(name).environment
    spec = rig.backend.spec_of(name)
    assert ("odd", label) in spec.labels
    assert ("ODD", ODD) in spec.env


def test_everything_of_a_spec(docker: Rig) -> None:
    backend = docker.backend
    volume = docker.name()
    spec = ContainerSpec(
        image=docker.image,
        name=docker.name(),
        command=("-c", "sleep 1000"),
        entrypoint=("sh",),
        env=(("A", "1"), ("B", "x=y z")),
        expose=("99/udp",),
        volumes=(f"{volume}:/data", "/etc:/host-etc:ro", "/anonymous"),
        tmpfs=("/scratch:size=1m",),
        network="none",
        hostname="boxed",
        dns=("9.9.9.9",),
        add_hosts=("db:10.1.2.3",),
        restart="on-failure:2",
        memory=64 << 20,
        cpus=0.5,
        cpu_shares=512,
        pids_limit=50,
        shm_size=8 << 20,
        ulimits=("nofile=256:512",),
        user="1000:1000",
        workdir="/tmp",
        labels=(("a", "b"),),
        health_cmd="true",
        health_interval=1.0,
        health_timeout=2.0,
        health_retries=4,
        health_start_period=0.5,
        cap_add=("SYS_PTRACE",),
        cap_drop=("MKNOD",),
        security_opt=("no-new-privileges",),
        devices=("/dev/null:/dev/nothing:rw",),
        read_only=True,
        tty=True,
        interactive=True,
        stop_signal="SIGINT",
        stop_timeout=0,
        log_driver="local",
        log_options=(("max-size", "1m"),),
    )
    try:
        backend.run_container(spec, SilentWork())
    except DockDeskError as error:
        # Some kernels do without one cgroup controller or another.
        if "cgroup" in error.detail:
            pytest.skip(error.detail)
        raise
    assert backend.spec_of(spec.name) == spec
    detail = backend.container(spec.name)
    assert detail.container.networks == ("none",)
    assert (detail.memory_limit, detail.cpu_limit) == (64 << 20, 0.5)
    assert detail.user == "1000:1000"
    assert {mount.target for mount in detail.mounts} == {
        "/data", "/host-etc", "/anonymous", "/scratch",
    }  # fmt: skip
    healthy = wait_for(lambda: rig_health(docker, spec.name) == "healthy", 60, "it is healthy")
    assert healthy
    assert backend.container(spec.name).health_log


def rig_health(rig: Rig, name: str) -> str:
    container = rig.listed(name)
    return container.health if container is not None else ""


def test_a_spec_survives_its_container(rig: Rig) -> None:
    """What comes back from inspect makes a container of which the same comes back."""
    volume = rig.name()
    spec = rig.spec(
        "sh", "-c", "sleep 1000", env=(("A", "1"),), labels=(("x", "y"),), restart="always",
        volumes=(f"{volume}:/data:ro", "/etc:/host-etc"), tmpfs=("/t",), hostname="boxed",
        add_hosts=("db:10.1.2.3",), user="1000", workdir="/tmp", cap_add=("SYS_PTRACE",), read_only=True,
        tty=True, health_cmd="true", health_interval=90.0,
    )  # fmt: skip
    backend = rig.backend
    backend.create_container(spec, SilentWork())
    first = backend.spec_of(spec.name)
    expected = replace(spec, stop_timeout=None if rig.podman else 0)
    same = replace(first, image=spec.image, ulimits=(), volumes=tuple(sorted(first.volumes)))
    assert same == replace(expected, volumes=tuple(sorted(spec.volumes)))
    again = replace(first, name=rig.name())
    backend.create_container(again, SilentWork())
    assert backend.spec_of(again.name) == again


def test_an_emptied_entrypoint(rig: Rig) -> None:
    name = rig.make("sleep", "1", entrypoint=())
    assert rig.backend.container(name).entrypoint in ((), ("",))
    assert rig.backend.container(name).container.command == "sleep 1"


def test_a_published_port(rig: Rig) -> None:
    if getattr(rig.server, "bridge", "") == "none":
        pytest.skip("this engine has no bridge")
    name = rig.run(network="", ports=("127.0.0.1:0:80", "81/udp"), expose=("82",))
    container = rig.backend.container(name).container
    found = {(port.private, port.protocol): port.public for port in container.ports}
    assert found[80, "tcp"]
    assert found[81, "udp"]
    if not rig.podman:  # which forgets what is exposed only
        assert found[82, "tcp"] is None
    listed = rig.listed(name)
    assert listed is not None
    assert {p.public for p in listed.ports if p.private == 80} == {found[80, "tcp"]}


def test_what_is_gone_is_not_found(rig: Rig, tmp_path: Path) -> None:
    gone = "ddb-none"
    backend = rig.backend
    calls: list[Callable[[], Any]] = [
        lambda: backend.container(gone),
        lambda: backend.start(gone),
        lambda: backend.stop(gone),
        lambda: backend.restart(gone),
        lambda: backend.kill(gone),
        lambda: backend.pause(gone),
        lambda: backend.unpause(gone),
        lambda: backend.rename(gone, "ddb-other"),
        lambda: backend.remove(gone),
        lambda: backend.commit(gone, "ddb", "1"),
        lambda: backend.processes(gone),
        lambda: backend.spec_of(gone),
        lambda: backend.changes(gone),
        lambda: backend.list_files(gone, "/"),
        lambda: backend.read_file(gone, "/x"),
        lambda: backend.upload(gone, [Path(__file__)], "/", SilentWork()),
        lambda: backend.download(gone, "/x", tmp_path, SilentWork()),
        lambda: backend.export(gone, tmp_path / "x", SilentWork()),
    ]
    for call in calls:
        with pytest.raises(NotFoundError) as caught:
            call()
        assert caught.value.title
        assert gone in caught.value.detail
    assert list(tmp_path.iterdir()) == []


def test_states_that_do_not_allow_it(rig: Rig) -> None:
    backend = rig.backend
    stopped, running = rig.make(), rig.run()
    with pytest.raises(ConflictError):
        backend.kill(stopped)
    with pytest.raises(ConflictError):
        backend.pause(stopped)
    with pytest.raises(ConflictError) as caught:
        backend.processes(stopped)
    assert caught.value.hint
    with pytest.raises(ConflictError) as caught:
        backend.remove(running)
    assert "force" in caught.value.hint
    with pytest.raises(ConflictError) as caught:
        backend.create_container(replace(rig.spec("true"), name=running), SilentWork())
    assert "name" in caught.value.hint
    with pytest.raises(DockDeskError):
        backend.rename(stopped, running)
    with pytest.raises(DockDeskError):
        backend.kill(running, "SIGNONSENSE")


def test_what_the_engine_can_not_use(rig: Rig) -> None:
    with pytest.raises(DockDeskError) as caught:
        rig.backend.create_container(replace(rig.spec("true"), name="-no name-"), SilentWork())
    assert caught.value.detail
    with pytest.raises(InvalidInputError) as told:
        rig.backend.create_container(rig.spec("true", pull="perhaps"), SilentWork())
    assert told.value.field == "pull"


def test_an_image_that_must_not_be_pulled(rig: Rig) -> None:
    spec = rig.spec("true", image="localhost/ddb-no-such-image:1", pull="never")
    with pytest.raises(NotFoundError) as caught:
        rig.backend.create_container(spec, SilentWork())
    assert "Pull it" in caught.value.hint


def test_a_failed_start_keeps_the_container(rig: Rig) -> None:
    spec = rig.spec("/no/such/program")
    with pytest.raises(DockDeskError) as caught:
        rig.backend.run_container(spec, SilentWork())
    assert spec.name in caught.value.hint
    assert "kept" in caught.value.hint
    assert rig.listed(spec.name) is not None


def test_warnings_are_in_the_log(docker: Rig) -> None:
    work = RecordingWork()
    docker.backend.create_container(docker.spec("true", dns=("127.0.0.1",), ports=()), work)
    assert work.texts == ["Creating"]


def test_limits_change(docker: Rig) -> None:
    name = docker.run()
    backend = docker.backend
    try:
        backend.update(name, UpdateSpec(memory=64 << 20, cpus=0.5, restart="always"))
    except DockDeskError as error:
        if "cgroup" in error.detail:
            pytest.skip(error.detail)
        raise
    detail = backend.container(name)
    assert (detail.memory_limit, detail.cpu_limit) == (64 << 20, 0.5)
    assert detail.restart_policy == "always"
    backend.update(name, UpdateSpec(memory=128 << 20, restart="no"))
    assert backend.container(name).memory_limit == 128 << 20
    backend.update(name, UpdateSpec(memory=0, cpus=0))
    detail = backend.container(name)
    info = backend.info()
    assert detail.memory_limit == info.memory
    assert detail.cpu_limit == info.cpus
    with pytest.raises(DockDeskError) as caught:
        backend.update(name, UpdateSpec(memory=1))
    assert "6MB" in caught.value.detail


def test_podman_has_no_update(podman: Rig) -> None:
    name = podman.make()
    with pytest.raises(NotSupportedError) as caught:
        podman.backend.update(name, UpdateSpec(memory=64 << 20))
    assert "Podman" in caught.value.detail
    assert caught.value.hint


def test_commit(rig: Rig) -> None:
    name = rig.do("echo made > /made; mkdir /folder")
    repository = f"localhost/{rig.name()}"
    id = rig.backend.commit(name, repository, "1", "message <b>", "Ann")
    image = rig.backend.image(f"{repository}:1")
    assert image.image.id.removeprefix("sha256:") == id.removeprefix("sha256:")
    other = rig.do("test -f /made", image=f"{repository}:1")
    assert rig.listed(other) is not None
    rig.backend.remove(other)
    rig.backend.remove_image(f"{repository}:1")


def test_processes(rig: Rig) -> None:
    table = rig.backend.processes(rig.run("sleep", "54321"))
    assert "PID" in table.titles
    assert any("sleep 54321" in row[-1] for row in table.rows)
    assert all(len(row) == len(table.titles) for row in table.rows)


def test_prune(rig: Rig) -> None:
    ended, running = rig.do("true"), rig.run()
    id = rig.backend.container(ended).container.id
    assert id in rig.backend.prune_containers().removed
    assert rig.listed(ended) is None
    assert rig.listed(running) is not None


def test_export(rig: Rig, tmp_path: Path) -> None:
    name = rig.do("echo inside > /inside")
    target = tmp_path / "files.tar"
    work = RecordingWork()
    written = rig.backend.export(name, target, work)
    assert target.stat().st_size == written
    with tarfile.open(target) as tar:
        assert {"inside", "bin/busybox"} <= {item.name.removeprefix("./") for item in tar}
    assert work.fractions[-1] == 1.0
    assert [entry.name for entry in tmp_path.iterdir()] == ["files.tar"]


def test_a_cancelled_export_leaves_nothing(rig: Rig, tmp_path: Path) -> None:
    name = rig.make()
    with pytest.raises(CancelledError):
        rig.backend.export(name, tmp_path / "files.tar", RecordingWork(cancel_after=2))
    assert list(tmp_path.iterdir()) == []
    rig.backend.remove(name)  # the engine let go of it


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("this user may not mount")
    yield place
    subprocess.run(["umount", str(place)], check=False)


def test_a_full_disk_leaves_nothing(rig: Rig, small_disk: Path) -> None:
    name = rig.make()
    with pytest.raises(LocalError) as caught:
        rig.backend.export(name, small_disk / "files.tar", SilentWork())
    assert "full" in caught.value.hint
    assert list(small_disk.iterdir()) == []
    with pytest.raises(LocalError) as caught:
        rig.backend.download(name, "/bin", small_disk, SilentWork())
    assert "full" in caught.value.hint
    assert list(small_disk.iterdir()) == []
    with pytest.raises(LocalError):
        rig.backend.save_images([rig.image], small_disk / "image.tar", SilentWork())
    assert list(small_disk.iterdir()) == []


def test_a_stop_can_be_cancelled(rig: Rig) -> None:
    """The shell hears no SIGTERM, so that stopping takes its whole time."""
    name = rig.run("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    work = RecordingWork()
    failures: list[BaseException] = []

    def stop() -> None:
        try:
            rig.backend.stop(name, timeout=300, work=work)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    thread = threading.Thread(target=stop)
    thread.start()
    wait_for(lambda: work._callbacks, 30, "the request is under way")
    work.cancel()
    thread.join(30)
    assert not thread.is_alive()
    assert [type(error) for error in failures] == [CancelledError]
    rig.backend.kill(name)
