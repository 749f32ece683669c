"""What is in the sandbox's containers: mounts, names and health; and that odd requests leave the engine alive."""

from __future__ import annotations

import gc
import http.client
import io
import json
import socket
import tarfile
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import docker
import pytest
from docker.errors import APIError, BuildError, NotFound
from docker.types import Mount

from dockdesk.sandbox.engine.events import EventBus, Listening
from dockdesk.sandbox.engine.filesystem import FileSystem, file_node, folder_node
from dockdesk.sandbox.engine.images import image_of
from dockdesk.sandbox.engine.lifecycle import Lifecycle
from dockdesk.sandbox.engine.releases import at
from dockdesk.sandbox.engine.state import EngineState
from dockdesk.sandbox.world.clock import Clock


@pytest.fixture(scope="module")
def client(sandbox_host: str) -> Iterator[Any]:
    made = docker.DockerClient(base_url=sandbox_host, version="auto", timeout=30)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _sh(container: Any, script: str) -> tuple[int, str]:
    code, output = container.exec_run(["sh", "-c", script])
    return code, output.decode()


@pytest.fixture
def pair(client: Any) -> Iterator[tuple[Any, Any]]:
    """Two containers with one volume; the second may only read it."""
    made = [
        client.containers.run(
            "alpine:3.21", "sleep 1000", detach=True, name=name,
            volumes={"notes": {"bind": "/notes", "mode": mode}},
        )
        for name, mode in (("writer", "rw"), ("reader", "ro"))
    ]  # fmt: skip
    yield made[0], made[1]
    for container in made:
        container.remove(force=True)
    client.volumes.get("notes").remove()


def test_a_volume_is_seen_by_all_who_mount_it(pair: tuple[Any, Any]) -> None:
    writer, reader = pair
    assert _sh(writer, "echo one > /notes/a && echo two >> /notes/a; mkdir /notes/sub")[0] == 0
    assert _sh(reader, "cat /notes/a; ls /notes") == (0, "one\ntwo\na    sub\n")
    assert "notes" in _sh(reader, "ls /")[1]
    code, text = _sh(reader, "echo no > /notes/b")
    assert code == 1
    assert "Read-only file system" in text
    assert _sh(reader, "rm /notes/a")[0] == 1
    assert _sh(writer, "ls /notes")[1].split() == ["a", "sub"]
    # It is none of the container's own changes.
    assert not [item for item in writer.diff() or () if item["Path"].startswith("/notes/")]


def test_a_volume_is_in_archives_both_ways(pair: tuple[Any, Any]) -> None:
    writer, reader = pair
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("put.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"put"))
    assert writer.put_archive("/notes", buffer.getvalue())
    pieces, _ = reader.get_archive("/notes")
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        assert archive.getnames() == ["notes", "notes/put.txt"]
    with pytest.raises(APIError, match="Read-only"):
        reader.put_archive("/notes", buffer.getvalue())
    pieces, _ = writer.get_archive("/")
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        assert "./notes/put.txt" in archive.getnames()


def test_an_empty_volume_takes_what_the_image_has(client: Any) -> None:
    container = client.containers.run(
        "nginx:1.27-alpine", detach=True, name="copied",
        mounts=[Mount("/usr/share/nginx/html", "site"), Mount("/empty", "void", no_copy=True)],
    )  # fmt: skip
    try:
        assert _sh(container, "ls /usr/share/nginx/html") == (0, "index.html\n")
        assert _sh(container, "ls /empty") == (0, "")
        kinds = {item["Destination"]: item["Type"] for item in container.attrs["Mounts"]}
        assert kinds["/usr/share/nginx/html"] == "volume"
    finally:
        container.remove(force=True)
        for name in ("site", "void"):
            client.volumes.get(name).remove()


def test_a_folder_of_the_host_is_never_looked_into(client: Any) -> None:
    run = {"detach": True, "volumes": {"/etc": {"bind": "/host", "mode": "rw"}}}
    first, second = (client.containers.run("alpine:3.21", "sleep 1000", **run) for _ in range(2))
    try:
        assert _sh(first, "ls /host") == (0, "")
        assert _sh(first, "echo x > /host/shared")[0] == 0
        assert _sh(second, "cat /host/shared") == (0, "x\n")
    finally:
        first.remove(force=True)
        second.remove(force=True)


def test_a_container_knows_its_name_and_addresses(client: Any) -> None:
    container = client.containers.run(
        "alpine:3.21", "sleep 1000", detach=True, hostname="box", extra_hosts={"db": "10.1.2.3"}
    )
    network = client.networks.create("inside", driver="bridge")
    try:
        assert _sh(container, "cat /etc/hostname; hostname") == (0, "box\nbox\n")
        network.connect(container)
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"]
        hosts = _sh(container, "cat /etc/hosts")[1]
        for entry in networks.values():
            assert f"{entry['IPAddress']}\tbox" in hosts
        assert "10.1.2.3\tdb" in hosts
        assert "127.0.0.11" in _sh(container, "cat /etc/resolv.conf")[1]
    finally:
        container.remove(force=True)
        network.remove()


def test_networks_have_places_of_their_own(client: Any) -> None:
    made = [client.networks.create(f"n{number}") for number in range(3)]
    made[1].remove()
    made[1] = client.networks.create("again")
    found = client.networks.list(names=["n0", "again", "n2"])
    subnets = [item.attrs["IPAM"]["Config"][0]["Subnet"] for item in found]
    assert len(set(subnets)) == 3
    for network in made:
        network.remove()
    with pytest.raises(APIError, match="invalid"):
        client.api.create_network("odd", ipam={"Config": [{"Subnet": "nonsense"}]})


def test_health_is_probed_on_and_on(client: Any) -> None:
    old = client.containers.get("api-gateway").attrs["State"]["Health"]
    assert old["Status"] == "healthy"
    assert len(old["Log"]) == 5
    test = {"test": ["CMD", "true"], "interval": 1_000_000_000}
    container = client.containers.run(
        "alpine:3.21", "sleep 1000", detach=True, healthcheck=test, name="probed"
    )

    def log() -> list[str]:
        container.reload()
        return [line["Start"] for line in container.attrs["State"]["Health"]["Log"]]

    try:
        _until(log)
        before = log()
        _until(lambda: log()[-1] > before[-1])
        container.reload()
        assert container.attrs["State"]["Health"]["Status"] == "healthy"
    finally:
        container.remove(force=True)


def test_compose_knows_its_things(client: Any) -> None:
    label = {"label": "com.docker.compose.project=shop"}
    assert {item.name for item in client.volumes.list(filters=label)} == {
        "shop_pgdata", "shop_redis",
    }  # fmt: skip
    assert {item.name for item in client.networks.list(filters=label)} == {"shop_default"}
    assert client.volumes.get("shop_pgdata").attrs["Labels"]["com.docker.compose.volume"] == "pgdata"  # fmt: skip


def test_a_container_that_removes_itself_is_gone_after_a_stop(client: Any) -> None:
    container = client.containers.run("nginx:1.27-alpine", detach=True, auto_remove=True)
    container.stop()

    def gone() -> bool:
        try:
            client.containers.get(container.id)
        except NotFound:
            return True
        return False

    _until(gone)


@pytest.mark.parametrize(
    "body",
    [
        {"HostConfig": {"Memory": "lots"}},
        {"HostConfig": {"RestartPolicy": "always"}},
        {"HostConfig": {"RestartPolicy": {"Name": "perhaps"}}},
        {"HostConfig": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 3}}},
        {"HostConfig": {"Binds": [1]}},
        {"HostConfig": {"Mounts": ["x"]}},
        {"HostConfig": {"PortBindings": {"x/tcp": [{}]}}},
        {"HostConfig": {"NanoCpus": True}},
        {"Healthcheck": {"Test": ["CMD", "true"], "Interval": "1s"}},
        {"Healthcheck": "true"},
        {"Labels": {"a": 1}},
        {"Env": "A=1"},
        {"ExposedPorts": ["80"]},
        {"Tty": "yes"},
    ],
)
def test_wrong_types_are_refused_and_nothing_stops(
    client: Any, sandbox_host: str, body: dict[str, Any]
) -> None:
    connection = http.client.HTTPConnection("docker", timeout=30)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(urlsplit(sandbox_host).path)
    data = json.dumps({"Image": "nginx:1.27-alpine", **body}).encode()
    connection.request("POST", "/v1.43/containers/create?name=odd", data)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    assert response.status == 400
    assert answer["message"]
    with pytest.raises(NotFound):
        client.containers.get("odd")


def test_a_listener_who_never_reads_is_forgotten() -> None:
    import asyncio

    async def main() -> None:
        bus = EventBus(Clock(1.0))

        async def body(queue: asyncio.Queue[Any]) -> Any:
            while True:
                yield json.dumps(await queue.get()).encode()

        never, some = Listening(bus, body), Listening(bus, body)
        assert bus.listeners == 2
        bus.emit("volume", "create", "x")
        assert b"create" in await anext(aiter(some))
        await never.aclose()
        await some.aclose()
        assert bus.listeners == 0

    asyncio.run(main())


def test_one_odd_container_does_not_stop_the_others(expect_log: Callable[[str], None]) -> None:
    expect_log("container odd")
    now = 1_767_787_200.0
    clock = Clock(1.0, lambda: now, now)
    state = EngineState(clock, 1)
    life = Lifecycle(state)
    recipe = at("acme/batch", "0.9")
    assert recipe is not None
    image = image_of(recipe, now)
    state.images[image.id] = image
    host = {"NetworkMode": "none"}
    odd, good = (
        life.create(name, {"Image": image.id, "HostConfig": dict(host)}) for name in ("odd", "good")
    )
    for container in (odd, good):
        life.start(container)
    odd.host["Memory"] = "lots"
    now += 100
    life.tick()
    assert (odd.status, good.status) == ("running", "exited")


def test_a_tree_is_walked_parents_first() -> None:
    files = FileSystem({"/": folder_node(), "/a": folder_node(), "/a/b": file_node("b")})
    files.put("/a-b/c", file_node("c"))
    files.put("/a/b c/d", file_node("d"))
    files.remove("/a/b")
    assert [path for path, _ in files.walk("/")] == ["/", "/a", "/a/b c", "/a/b c/d", "/a-b", "/a-b/c"]  # fmt: skip
    assert [path for path, _ in files.walk("/a")] == ["/a", "/a/b c", "/a/b c/d"]


def test_a_dockerfile_that_makes_no_sense_is_told_of(client: Any) -> None:
    for text in ('FROM alpine:3.21\nENV A="x\n', 'FROM alpine:3.21\nCOPY ["a\n', "FROM\n"):
        with pytest.raises(BuildError):
            client.images.build(fileobj=io.BytesIO(text.encode()))


def test_a_log_that_somebody_fills_forgets_its_beginning() -> None:
    now = 1_767_787_200.0
    state = EngineState(Clock(1.0, lambda: now, now), 1)
    recipe = at("alpine", "3.21")
    assert recipe is not None
    image = image_of(recipe, now)
    state.images[image.id] = image
    body = {"Image": image.id, "HostConfig": {"NetworkMode": "none"}}
    container = Lifecycle(state).create("talks", body)
    for number in range(50_000):
        container.say(now, 1, b"%d\n" % number)
    assert len(container.spoken) <= 20_000
    assert container.spoken[-1][2] == b"49999\n"
