"""What happens to whom when a real dockerd dies, hangs, restarts, or is reached by TLS."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdesk.backends.engine.backend import EngineBackend, connect
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.backends.engine.endpoints import TlsFiles
from dockdesk.core.errors import CancelledError, DockDeskError, RemoteError, UnreachableError
from dockdesk.core.ports import LogQuery
from dockdesk.core.reactor import Reactor
from tests.backends.engine.servers import CancellableWork, Visit, tcp_server
from tests.certificates import Authority
from tests.engines import (
    BUSYBOX,
    CannotStart,
    Dockerd,
    connected,
    free_port,
    load_busybox,
    unavailable,
    wait_for,
)
from tests.sinks import Recorder

pytestmark = pytest.mark.engine

TALK = "trap 'exit 0' TERM; i=0; while true; do i=$((i+1)); echo line $i; sleep 0.05; done"


def start(backend: EngineBackend, script: str = TALK, **config: Any) -> str:
    wanted = {"Image": BUSYBOX, "Cmd": ["/bin/sh", "-c", script], **config}
    id = str(backend.client.post("/containers/create", json=wanted)["Id"])
    backend.client.post(f"/containers/{id}/start")
    return id


def open_all(backend: EngineBackend, id: str) -> dict[str, Recorder]:
    """A stream of every kind, each of which has begun."""
    sinks = {name: Recorder() for name in ("events", "stats", "logs", "exec", "attach")}
    backend.events(sinks["events"])
    backend.stats(id, sinks["stats"])
    backend.logs(id, LogQuery(), sinks["logs"])
    backend.attach(id, sinks["attach"])
    backend.execute(id, ["/bin/sh"], sinks["exec"]).write(b"echo o''k\n")
    for sink in sinks.values():
        sink.wait(lambda sink=sink: sink.items, timeout=60)  # type: ignore[misc]
    return sinks


def pinged(backend: EngineBackend) -> bool:
    try:
        backend.ping()
    except DockDeskError:
        return False
    return True


def test_a_daemon_that_is_killed_and_comes_back(own_dockerd: Dockerd, reactor: Reactor) -> None:
    backend = connected(own_dockerd, reactor)
    id = start(backend)
    sinks = open_all(backend, id)

    own_dockerd.kill()
    for name, sink in sinks.items():
        error = sink.wait_for_end(timeout=60)
        assert isinstance(error, UnreachableError), name
        assert error.hint
        assert len(sink.ends) == 1
        assert not sink.broken
    assert len(reactor) == 0
    with pytest.raises(UnreachableError):
        backend.ping()
    with pytest.raises(UnreachableError):
        backend.logs(id, LogQuery(), Recorder())

    own_dockerd.start()
    # The same backend heals: nothing in it remembers the daemon that died.
    wait_for(lambda: pinged(backend))
    with contextlib.suppress(RemoteError):  # it may still end what its predecessor left
        backend.client.post(f"/containers/{id}/stop", {"t": 1})
    wait_for(lambda: not backend.client.get(f"/containers/{id}/json")["State"]["Running"], 60)
    backend.client.post(f"/containers/{id}/start")
    again = open_all(backend, id)
    assert [sink.ends for sink in again.values()] == [[]] * len(again)
    backend.close()
    assert len(reactor) == 0


def test_a_daemon_that_is_stopped_in_good_order(own_dockerd: Dockerd, reactor: Reactor) -> None:
    backend = connected(own_dockerd, reactor)
    id = start(backend, StopTimeout=1)
    sinks = open_all(backend, id)
    own_dockerd.stop()
    for name, sink in sinks.items():
        error = sink.wait_for_end(timeout=60)
        # The container had its end first, so some streams have theirs; none may hang, none may end twice.
        assert error is None or isinstance(error, UnreachableError), name
    assert isinstance(sinks["events"].ends[0], UnreachableError) or sinks["events"].ends == [None]
    wait_for(lambda: len(reactor) == 0)
    assert [sink.broken for sink in sinks.values() if sink.broken] == []
    backend.close()


def test_a_daemon_that_hangs(own_dockerd: Dockerd, reactor: Reactor) -> None:
    backend = connected(own_dockerd, reactor)
    id = start(backend)
    sink = Recorder()
    backend.logs(id, LogQuery(), sink)
    sink.wait(lambda: sink.items)
    assert own_dockerd.process is not None
    os.kill(own_dockerd.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(UnreachableError, match="does not answer"):
            backend.client.get("/info", timeout=0.5)
        work = CancellableWork()
        threading.Timer(0.3, work.cancel).start()
        with pytest.raises(CancelledError):
            connect(backend.client.endpoint, reactor, work)
        assert sink.ends == []
    finally:
        os.kill(own_dockerd.process.pid, signal.SIGCONT)
    # It goes on where it was, without a gap.
    seen = len(sink.items)
    sink.wait(lambda: len(sink.items) > seen + 5)
    lines = sink.text.split("\n")[:-1]
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]
    backend.close()


class SlowRegistry:
    """Has one image whose only layer never comes to its end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        layer = b"\x1f\x8b" + bytes(1_000_000)
        self._config = json.dumps(
            {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
        ).encode()
        self._layer = layer
        kind = "application/vnd.docker"
        self._manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{kind}.distribution.manifest.v2+json",
                "config": {
                    "mediaType": f"{kind}.container.image.v1+json",
                    "size": len(self._config),
                    "digest": digest(self._config),
                },
                "layers": [
                    {
                        "mediaType": f"{kind}.image.rootfs.diff.tar.gzip",
                        "size": len(layer),
                        "digest": digest(layer),
                    }
                ],
            }
        ).encode()

    def __call__(self, visit: Visit) -> None:
        if "/manifests/" in visit.target:
            visit.answer(
                200, self._manifest, "application/vnd.docker.distribution.manifest.v2+json"
            )
        elif visit.target.endswith(digest(self._config)):
            visit.answer(200, self._config, "application/octet-stream")
        elif "/blobs/" in visit.target:
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._layer)}\r\n\r\n"
            visit.sock.sendall(head.encode() + self._layer[:500_000])
            self.begun.set()
            visit.wait_for_hang_up()
        else:
            visit.answer(200, {})


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def slow_registry() -> Iterator[tuple[SlowRegistry, str]]:
    registry = SlowRegistry()
    with tcp_server(registry) as (_, place):
        yield registry, f"{place.host.removeprefix('tcp://')}/slow:1"


def test_a_daemon_that_is_killed_during_a_pull(
    own_dockerd: Dockerd, reactor: Reactor, slow_registry: tuple[SlowRegistry, str]
) -> None:
    registry, reference = slow_registry
    backend = connected(own_dockerd, reactor)
    failures: list[BaseException] = []

    def pull() -> None:
        try:
            backend.pull(reference, CancellableWork())
        except DockDeskError as error:
            failures.append(error)

    thread = threading.Thread(target=pull)
    thread.start()
    assert registry.begun.wait(60)
    own_dockerd.kill()
    thread.join(60)
    assert isinstance(failures[0], UnreachableError)
    own_dockerd.start()
    wait_for(lambda: pinged(backend))
    backend.close()


def test_a_pull_that_is_cancelled(
    docker_engine: EngineBackend, slow_registry: tuple[SlowRegistry, str]
) -> None:
    registry, reference = slow_registry
    work = CancellableWork()
    failures: list[BaseException] = []

    def pull() -> None:
        try:
            docker_engine.pull(reference, work)
        except DockDeskError as error:
            failures.append(error)

    thread = threading.Thread(target=pull)
    thread.start()
    assert registry.begun.wait(60)
    begun = time.monotonic()
    work.cancel()
    thread.join(60)
    assert time.monotonic() - begun < 20
    assert isinstance(failures[0], CancelledError)


@pytest.fixture(scope="module")
def tls_dockerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dockerd, Any]]:
    """A dockerd that also listens on TCP and wants certificates, and its TLS endpoint."""
    folder: Path = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    server_cert, server_key = authority.issue(folder / "server", "127.0.0.1")
    client_cert, client_key = authority.issue(folder / "client", client=True)
    port = free_port()
    engine = Dockerd(
        f"--host=tcp://127.0.0.1:{port}",
        "--tlsverify",
        f"--tlscacert={authority.certificate}",
        f"--tlscert={server_cert}",
        f"--tlskey={server_key}",
    )
    try:
        engine.start()
        load_busybox(engine)
        files = TlsFiles(authority.certificate, client_cert, client_key)
        yield engine, endpoint("tls", f"tcp://127.0.0.1:{port}", "a test", files)
    except CannotStart as error:
        unavailable(str(error))
    finally:
        engine.remove()


def test_every_stream_over_tls(tls_dockerd: tuple[Dockerd, Any], reactor: Reactor) -> None:
    backend = connect(tls_dockerd[1], reactor)
    id = start(backend)
    sinks = open_all(backend, id)
    big = start(backend, "head -c 10485760 /dev/zero | tr '\\0' x; echo; seq 1 100000; sleep 1000")
    sink = Recorder()
    backend.logs(big, LogQuery(tail=None), sink)
    # The container goes on in silence: nothing of it may be left lying in TLS's buffer.
    sink.wait_for_text("\n100000\n", timeout=90)
    assert sink.data.count(b"x") == 10_485_760
    typed = Recorder()
    session = backend.execute(id, ["/bin/sh"], typed)
    session.write(b"seq 1 50000; echo o''ver\n")
    typed.wait_for_text("over\r\n", timeout=60)
    assert typed.data.count(b"\r\n") > 50_000
    session.close()
    for container in (id, big):
        backend.client.delete(f"/containers/{container}", {"force": True})
    for each in sinks.values():
        if each is not sinks["events"]:
            each.wait_for_end(timeout=60)
    backend.close()


def test_a_daemon_that_wants_a_certificate(
    tls_dockerd: tuple[Dockerd, Any], reactor: Reactor
) -> None:
    target = tls_dockerd[1]
    bare = endpoint("tls", target.host, "a test", TlsFiles(target.tls.ca))
    with pytest.raises(DockDeskError) as caught:
        connect(bare, reactor)
    assert "cert.pem" in caught.value.hint
    plain = endpoint("tls", target.host, "a test")
    with pytest.raises(DockDeskError) as caught:
        connect(plain, reactor)
    assert "HTTPS" in caught.value.detail
