"""The docker SDK, which knows nothing of DockDesk, uses the sandbox's engine as it would a real one."""

from __future__ import annotations

import gc
import io
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from docker.errors import APIError, BuildError, ImageNotFound, NotFound


@pytest.fixture(scope="module")
def client(sandbox_host: str) -> Iterator[Any]:
    made = docker.DockerClient(base_url=sandbox_host, version="auto", timeout=30)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    """The SDK's generators leave their sockets to the garbage collector, which warns of each."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_who_it_is(client: Any) -> None:
    assert client.ping()
    assert client.info()["Name"] == "dockdesk-sandbox"
    assert "simulation" in client.version()["Platform"]["Name"]


def test_a_container_lives_and_dies(client: Any) -> None:
    container = client.containers.run(
        "nginx:1.27-alpine",
        name="life",
        detach=True,
        ports={"80/tcp": 18080},
        environment={"A": "1"},
        labels={"team": "web"},
        mem_limit="64m",
    )
    assert container.status in {"created", "running"}
    container.reload()
    assert container.status == "running"
    assert container.attrs["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"] == "18080"
    assert "A=1" in container.attrs["Config"]["Env"]
    container.pause()
    container.reload()
    assert container.status == "paused"
    container.unpause()
    container.rename("life2")
    container.restart()
    container.stop()
    container.reload()
    assert (container.status, container.name) == ("exited", "life2")
    container.remove()
    with pytest.raises(NotFound):
        client.containers.get("life2")


def test_commands_say_what_a_shell_says(client: Any) -> None:
    assert client.containers.run("alpine:3.21", "echo hello", remove=True) == b"hello\n"
    assert (
        client.containers.run("alpine:3.21", ["sh", "-c", "echo $HOME; uname"], remove=True)
        == b"/root\nLinux\n"
    )


def test_logs_are_the_same_each_time_they_are_read(client: Any) -> None:
    container = client.containers.get("api-gateway")
    until = int(time.time()) - 60
    first, second = (container.logs(until=until, tail=50) for _ in range(2))
    assert first == second
    assert len(first.splitlines()) == 50
    assert b" " in container.logs(tail=1, timestamps=True)


def test_followed_logs_go_on(client: Any) -> None:
    stream = client.containers.get("api-gateway").logs(stream=True, follow=True, tail=1)
    lines = [next(stream) for _ in range(2)]
    stream.close()
    assert all(lines)


def test_stats_move(client: Any) -> None:
    stream = client.containers.get("worker-1").stats(decode=True)
    first, second = next(stream), next(stream)
    stream.close()
    assert (
        second["cpu_stats"]["cpu_usage"]["total_usage"]
        > first["cpu_stats"]["cpu_usage"]["total_usage"]
    )
    assert second["precpu_stats"]["cpu_usage"] == first["cpu_stats"]["cpu_usage"]
    assert second["memory_stats"]["usage"] > 0


def test_exec_looks_around(client: Any) -> None:
    container = client.containers.get("web-frontend")
    code, output = container.exec_run("ls /etc/nginx/conf.d")
    assert (code, output) == (0, b"default.conf\n")
    code, output = container.exec_run(["sh", "-c", "cat /etc/os-release | grep ID=; nonsense"])
    assert code == 127
    assert b"ID=alpine" in output
    code, _ = container.exec_run(["sh", "-c", "echo hi > /tmp/x && cat /tmp/x && exit 3"])
    assert code == 3
    with pytest.raises(APIError, match="executable file not found"):
        container.exec_run("no-such-program")


def test_a_terminal_talks(client: Any) -> None:
    made = client.api.exec_create("redis", "sh", tty=True, stdin=True)
    socket = client.api.exec_start(made["Id"], tty=True, socket=True)._sock
    socket.settimeout(15)
    socket.sendall(b"echo one-$((1))two\r")
    data = b""
    while b"two\r\n" not in data.replace(b"echo one", b""):
        data += socket.recv(4096)
    socket.sendall(b"exit 4\r")
    while socket.recv(4096):
        pass
    socket.close()
    _until(lambda: client.api.exec_inspect(made["Id"])["ExitCode"] == 4)


def test_files_go_in_and_out(client: Any) -> None:
    container = client.containers.get("api-gateway")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("sub/new.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    assert container.put_archive("/tmp", buffer.getvalue())
    pieces, stat = container.get_archive("/tmp/sub/new.txt")
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        member = archive.extractfile("new.txt")
        assert member is not None
        assert member.read() == b"hello"
    assert stat["size"] == 5
    assert {"Path": "/tmp/sub/new.txt", "Kind": 1} in container.diff()
    with pytest.raises(NotFound):
        container.get_archive("/nowhere")


def test_nothing_escapes_an_upload(client: Any) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("../../../outside")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(APIError, match="invalid path"):
        client.containers.get("api-gateway").put_archive("/tmp", buffer.getvalue())


def test_images_are_pulled_tagged_saved_and_loaded(client: Any) -> None:
    image = client.images.pull("busybox", tag="1.37")
    assert image.tags == ["busybox:1.37"]
    assert image.tag("team/box", "7")
    data = b"".join(client.images.get("team/box:7").save(named=True))
    client.images.remove("team/box:7")
    client.images.remove("busybox:1.37")
    with pytest.raises(ImageNotFound):
        client.images.get("busybox:1.37")
    loaded = client.images.load(data)
    assert loaded[0].tags
    assert client.images.get("nginx:1.27-alpine").history()
    with pytest.raises(NotFound):
        client.images.pull("no/such", tag="missing")


def test_a_dockerfile_is_built_and_run(client: Any) -> None:
    files = {
        "Dockerfile": b"ARG BASE=alpine:3.21\nFROM ${BASE} AS base\nWORKDIR /app\nCOPY a.txt sub/ ./\nRUN apk add x\n"
        b'FROM base\nCOPY --from=base /app/a.txt /b.txt\nLABEL by=me\nCMD ["cat", "/b.txt"]\n',
        "a.txt": b"copied\n",
        "sub/c.txt": b"c",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    buffer.seek(0)
    image, _ = client.images.build(fileobj=buffer, custom_context=True, tag="mine:1")
    assert image.tags == ["mine:1"]
    assert image.labels == {"by": "me"}
    assert client.containers.run("mine:1", remove=True) == b"copied\n"


@pytest.mark.parametrize(
    ("dockerfile", "message"),
    [
        (b"FROM alpine:3.21\nRUN false\n", "non-zero"),
        (b"FROM alpine:3.21\nCOPY nothing /\n", "not found"),
        (b"FROM alpine:3.21\nNONSENSE x\n", "unknown instruction"),
        (b"FROM no/such:missing\n", "pull access denied"),
        (b"", "cannot be empty"),
    ],
)
def test_builds_fail_as_real_ones(client: Any, dockerfile: bytes, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        client.images.build(fileobj=io.BytesIO(dockerfile))


def test_volumes_and_networks(client: Any) -> None:
    volume = client.volumes.create("stuff", labels={"a": "b"})
    network = client.networks.create("lane", driver="bridge", labels={"a": "b"})
    container = client.containers.create(
        "alpine:3.21", "sleep 60", name="user", volumes=["stuff:/data"], network="lane"
    )
    container.start()
    network.reload()
    assert [item.name for item in network.containers] == ["user"]
    with pytest.raises(APIError, match="in use"):
        volume.remove()
    network.disconnect(container)
    network.connect(container, aliases=["friend"])
    container.remove(force=True)
    volume.remove()
    network.remove()
    with pytest.raises(APIError, match="pre-defined"):
        client.networks.get("bridge").remove()


def test_prunes_and_disk(client: Any) -> None:
    client.containers.create("alpine:3.21", name="left")
    usage = client.df()
    assert usage["LayersSize"] > 0
    assert {volume["Name"]: volume["UsageData"]["RefCount"] for volume in usage["Volumes"]}[
        "old-backup"
    ] == 0
    assert len(client.containers.prune()["ContainersDeleted"]) >= 1
    assert client.images.prune()["SpaceReclaimed"] > 0
    assert client.volumes.prune({"all": True})["VolumesDeleted"]
    assert client.api.prune_builds()["SpaceReclaimed"] > 0


def test_events_tell_what_happens(client: Any) -> None:
    events = client.events(decode=True, filters={"container": "eventful"})
    container = client.containers.run("alpine:3.21", "sleep 60", name="eventful", detach=True)
    container.kill()
    container.remove()
    seen: list[str] = []
    for event in events:
        seen.append(event["Action"])
        if event["Action"] == "destroy":
            break
    events.close()
    assert seen == ["create", "start", "kill", "die", "destroy"]


def test_faults_have_the_engines_shape(client: Any) -> None:
    with pytest.raises(APIError) as caught:
        client.containers.create("alpine:3.21", name="web-frontend")
    assert caught.value.status_code == 409
    assert "already in use" in caught.value.explanation
    with pytest.raises(ImageNotFound):
        client.containers.create("no-such-image")
    with pytest.raises(APIError) as caught:
        client.containers.get("postgres").remove()
    assert caught.value.status_code == 409
    with pytest.raises(APIError) as caught:
        client.containers.run(
            "alpine:3.21", "sleep 9", ports={"1/tcp": 5432}, detach=True, name="clash"
        )
    assert "port is already allocated" in str(caught.value)
    client.containers.get("clash").remove()


def test_memory_limits_kill(client: Any) -> None:
    container = client.containers.run("postgres:16", detach=True, mem_limit="64m", name="hungry")
    _until(lambda: client.containers.get("hungry").status == "exited")
    container.reload()
    assert container.attrs["State"]["OOMKilled"]
    assert container.attrs["State"]["ExitCode"] == 137
    container.remove()


def test_one_network_named_in_two_ways_is_joined_once(client: Any) -> None:
    """As `docker run` does it: the mode is bridge, and the endpoint's options are for default."""
    made = client.api.create_container(
        "nginx:1.27-alpine",
        host_config=client.api.create_host_config(network_mode="bridge"),
        networking_config={"EndpointsConfig": {"default": {}}},
    )
    container = client.containers.get(made["Id"])
    container.start()
    container.reload()
    assert list(container.attrs["NetworkSettings"]["Networks"]) == ["bridge"]
    container.remove(force=True)


def test_volumes_hold_what_their_programs_keep(client: Any) -> None:
    stream, _ = client.containers.get("postgres").get_archive("/var/lib/postgresql/data")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        assert {"data/PG_VERSION", "data/base/1/PG_VERSION"} <= set(archive.getnames())
