"""Images on real engines, with a real registry."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import io
import json
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.secrets.authfiles import Login
from dockdesk.backends.secrets.logins import encoded
from dockdesk.core.errors import (
    CancelledError,
    ConflictError,
    DockDeskError,
    InvalidInputError,
    LocalError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.reactor import Reactor
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork
from tests.contract.conftest import Rig
from tests.engines import Dockerd, Registry, connected, free_port, wait_for


def tags(rig: Rig) -> set[str]:
    """All tags; Podman writes docker.io in front of some."""
    found = {tag for image in rig.backend.images() for tag in image.tags}
    return found | {tag.removeprefix("docker.io/").removeprefix("library/") for tag in found}


def test_list_and_inspect(rig: Rig) -> None:
    name = rig.make()
    backend = rig.backend
    image = next(i for i in backend.images() if any(rig.image in tag for tag in i.tags))
    assert name in image.used_by
    assert image.size > 1_000_000
    assert image.created > 0
    detail = backend.image(rig.image)
    assert detail.image.id.removeprefix("sha256:") == image.id.removeprefix("sha256:")
    assert name in detail.image.used_by
    assert detail.os == "linux"
    assert detail.architecture
    assert detail.command[-1] == "sh"
    assert detail.layers
    assert detail.raw["Id"]
    rig.backend.remove(name)
    image = next(i for i in backend.images() if any(rig.image in tag for tag in i.tags))
    assert name not in image.used_by


def test_tags_come_and_go(rig: Rig) -> None:
    backend = rig.backend
    tag = f"localhost/{rig.name()}:2"
    backend.tag(rig.image, tag)
    assert tag in tags(rig)
    backend.tag(tag, f"localhost/{rig.name()}")
    assert tag in backend.remove_image(tag)[0]
    assert tag not in tags(rig)
    with pytest.raises(NotFoundError):
        backend.image(tag)
    with pytest.raises(NotFoundError):
        backend.remove_image(tag)
    with pytest.raises(NotFoundError):
        backend.tag(tag, "localhost/ddb-x:1")
    with pytest.raises(InvalidInputError):
        backend.tag(rig.image, "localhost/x@sha256:" + "1" * 64)
    with pytest.raises(DockDeskError):
        backend.tag(rig.image, "localhost/UPPER:1")


def test_an_image_in_use_stays(rig: Rig) -> None:
    name = rig.make()
    id = rig.backend.image(rig.image).image.id
    with pytest.raises(ConflictError) as caught:
        rig.backend.remove_image(id)
    assert caught.value.hint
    rig.backend.remove(name)


def test_dangling_images_are_pruned(rig: Rig) -> None:
    container = rig.do("echo x > /x")
    tag = f"localhost/{rig.name()}"
    id = rig.backend.commit(container, tag, "1")
    rig.backend.commit(container, tag, "1")  # takes the tag away
    rig.backend.remove(container)
    bare = id.removeprefix("sha256:")
    dangling = {i.id.removeprefix("sha256:") for i in rig.backend.images() if i.dangling}
    assert bare in dangling
    report = rig.backend.prune_images()
    assert any(bare in gone for gone in report.removed)
    rig.backend.image(rig.image)  # used or not, it has a tag


def test_save_and_load(rig: Rig, tmp_path: Path) -> None:
    backend = rig.backend
    tag = f"localhost/{rig.name()}:1"
    container = rig.do("echo x > /x")
    backend.commit(container, tag.partition(":")[0], "1")
    backend.remove(container)
    target = tmp_path / "image.tar"
    work = RecordingWork()
    assert backend.save_images([tag], target, work) == target.stat().st_size
    assert work.fractions[-1] == 1.0
    backend.remove_image(tag)
    assert tag not in tags(rig)
    work = RecordingWork()
    assert backend.load_images(target, work) == [tag]
    assert tag in tags(rig)
    assert work.fractions[-1] == 1.0
    assert any(text.startswith("Sent ") for text in work.texts)


def test_save_what_is_not_there(rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        rig.backend.save_images(["localhost/ddb-none:1"], tmp_path / "x.tar", SilentWork())
    with pytest.raises(InvalidInputError):
        rig.backend.save_images([], tmp_path / "x.tar", SilentWork())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"no tar at all" * 100, b"", bytes(10240)])
def test_loading_what_is_no_image(rig: Rig, tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "x.tar"
    source.write_bytes(content)
    with pytest.raises((InvalidInputError, RemoteError)) as caught:
        rig.backend.load_images(source, SilentWork())
    assert caught.value.detail
    assert "Import" in caught.value.hint


def test_loading_a_file_that_is_not_there(rig: Rig, tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        rig.backend.load_images(tmp_path / "gone.tar", SilentWork())
    assert "gone.tar" in caught.value.detail


def test_a_cancelled_load(rig: Rig, tmp_path: Path) -> None:
    source = tmp_path / "x.tar"
    rig.backend.save_images([rig.image], source, SilentWork())
    with pytest.raises(CancelledError):
        rig.backend.load_images(source, RecordingWork(cancel_after=1))
    rig.backend.ping()


def test_import(rig: Rig, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    source = tmp_path / "files.tar"
    source.write_bytes(buffer.getvalue())
    repository = f"localhost/{rig.name()}"
    id = rig.backend.import_image(source, repository, "3", SilentWork())
    assert rig.backend.image(f"{repository}:3").image.id == id
    name = rig.make("/hello", image=f"{repository}:3")
    assert rig.backend.read_file(name, "/hello") == (b"hello", False)


@pytest.mark.engine
def test_push_and_pull(docker: Rig, registry: Registry) -> None:
    backend = docker.backend
    reference = f"{registry.address}/{docker.name()}/app:1"
    container = docker.do("dd if=/dev/zero of=/big bs=1M count=3 2>/dev/null")
    backend.commit(container, reference.rpartition(":")[0], "1")
    backend.remove(container)
    work = RecordingWork()
    digest = backend.push(reference, work)
    assert digest.startswith("sha256:")
    assert work.parts
    assert all(bars[-1][0] == 1.0 for bars in work.parts.values())
    assert work.fractions[-1] == 1.0

    backend.remove_image(reference)
    assert reference not in tags(docker)
    work = RecordingWork()
    id = backend.pull(reference, work)
    image = backend.image(reference).image
    assert image.id == id
    assert any(digest in item for item in image.digests)
    # The layers of the busybox image are there already; what was made on top of it comes anew.
    assert [bars[-1][0] for bars in work.parts.values()].count(1.0) == len(work.parts) > 0
    assert work.fractions[-1] == 1.0

    backend.remove_image(reference)
    by_digest = f"{reference.rpartition(':')[0]}@{digest}"
    assert backend.pull(by_digest, SilentWork()) == id
    backend.remove_image(by_digest)


@pytest.mark.engine
def test_missing_images_are_pulled_to_run(docker: Rig, registry: Registry) -> None:
    backend = docker.backend
    reference = f"{registry.address}/{docker.name()}:1"
    backend.tag(docker.image, reference)
    backend.push(reference, SilentWork())
    backend.remove_image(reference)
    spec = docker.spec("true", image=reference)
    work = RecordingWork()
    backend.run_container(spec, work)
    assert any("Downloaded" in line or "Digest" in line for line in work.lines)
    again = RecordingWork()
    backend.create_container(docker.spec("true", image=reference), again)
    assert again.lines == []
    always = RecordingWork()
    backend.create_container(docker.spec("true", image=reference, pull="always"), always)
    assert any("up to date" in line for line in always.lines)


def test_a_tag_that_is_not_there(docker: Rig, registry: Registry) -> None:
    with pytest.raises(NotFoundError) as caught:
        docker.backend.pull(f"{registry.address}/ddb-none:9", SilentWork())
    assert "tag" in caught.value.hint


def test_podmans_failures_come_inside_a_success(podman: Rig, registry: Registry) -> None:
    """It wants TLS, which the registry does not speak."""
    with pytest.raises(RemoteError) as caught:
        podman.backend.pull(f"{registry.address}/ddb-none:9", SilentWork())
    assert "HTTP response to HTTPS client" in caught.value.detail
    assert "registries.conf" in caught.value.hint


def test_a_registry_that_is_not_there(rig: Rig) -> None:
    reference = f"127.0.0.1:{free_port()}/ddb:1"
    with pytest.raises(RemoteError) as caught:
        rig.backend.pull(reference, SilentWork())
    assert "refused" in caught.value.detail
    assert "network" in caught.value.hint


def test_push_what_is_not_there(rig: Rig) -> None:
    with pytest.raises(DockDeskError) as caught:
        rig.backend.push("127.0.0.1:1/ddb-none:1", SilentWork())
    assert caught.value.title
    assert caught.value.detail
    with pytest.raises(InvalidInputError):
        rig.backend.push("127.0.0.1:1/x@sha256:" + "1" * 64, SilentWork())


class Doorkeeper(http.server.BaseHTTPRequestHandler):
    """A registry that lets nobody in, and remembers who came."""

    came: list[str]

    def do_GET(self) -> None:
        self.came.append(self.headers.get("Authorization", ""))
        body = b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="door"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def doorkeeper() -> Iterator[tuple[str, list[str]]]:
    came: list[str] = []
    handler = type("Handler", (Doorkeeper,), {"came": came})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", came
    server.shutdown()
    thread.join()
    server.server_close()


class OneLogin:
    """Logs in as Ann everywhere."""

    def __init__(self, problem: str = "") -> None:
        self.asked: list[str] = []
        self.problem = problem

    def registry_auth(self, reference: str) -> tuple[str, str]:
        self.asked.append(reference)
        if self.problem:
            return encoded(None), self.problem
        return encoded(Login("x", "ann", "hunter2")), ""


def test_the_login_reaches_the_registry(docker: Rig, doorkeeper: tuple[str, list[str]]) -> None:
    address, came = doorkeeper
    docker.backend.logins = logins = OneLogin()
    with pytest.raises(PermissionDeniedError) as caught:
        docker.backend.pull(f"{address}/private:1", SilentWork())
    assert logins.asked == [f"{address}/private:1"]
    expected = "Basic " + base64.b64encode(b"ann:hunter2").decode()
    assert expected in came
    assert "docker login" in caught.value.hint
    assert "hunter2" not in f"{caught.value!r} {caught.value.detail} {caught.value.hint}"


def test_a_broken_login_is_told_when_it_matters(
    docker: Rig, doorkeeper: tuple[str, list[str]]
) -> None:
    docker.backend.logins = OneLogin("The credential helper docker-credential-x is not installed.")
    with pytest.raises(PermissionDeniedError) as caught:
        docker.backend.pull(f"{doorkeeper[0]}/private:1", SilentWork())
    assert "docker-credential-x" in caught.value.hint


@pytest.fixture
def tarpit() -> Iterator[tuple[str, threading.Event]]:
    """A registry that takes a connection and says nothing: its address, and whether someone came."""
    listener = socket.create_server(("127.0.0.1", 0))
    came = threading.Event()
    visitors: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                visitors.append(listener.accept()[0])
                came.set()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", came
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for visitor in visitors:
        visitor.close()


class SlowRegistry(http.server.BaseHTTPRequestHandler):
    """A registry whose only layer takes hours."""

    protocol_version = "HTTP/1.1"
    asked: threading.Event
    left: threading.Event
    over: threading.Event  # the test is

    CONFIG = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {},
         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}}
    ).encode()  # fmt: skip
    MANIFEST = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(CONFIG),
                "digest": "sha256:" + hashlib.sha256(CONFIG).hexdigest(),
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": 1_000_000_000,
                    "digest": "sha256:" + "2" * 64,
                }
            ],
        }
    ).encode()

    def do_GET(self) -> None:
        if "/manifests/" in self.path:
            self._say(self.MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
        elif self.path.endswith("2" * 64):
            self.send_response(200)
            self.send_header("Content-Length", "1000000000")
            self.end_headers()
            self.asked.set()
            with contextlib.suppress(OSError):
                while not self.over.wait(0.01):
                    self.wfile.write(bytes(32_768))
            self.left.set()
        elif "/blobs/" in self.path:
            self._say(self.CONFIG, "application/octet-stream")
        else:
            self._say(b"{}", "application/json")

    do_HEAD = do_GET

    def _say(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(body).hexdigest())
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def slow_registry() -> Iterator[tuple[str, type[SlowRegistry]]]:
    events = {name: threading.Event() for name in ("asked", "left", "over")}
    handler = type("Handler", (SlowRegistry,), events)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", handler
    events["over"].set()
    server.shutdown()
    thread.join()
    server.server_close()


class Pulling:
    """A pull on a thread of its own."""

    def __init__(self, rig: Rig, reference: str) -> None:
        self.work = RecordingWork()
        self.failure: BaseException | None = None
        self._rig = rig
        self._reference = reference
        self._thread = threading.Thread(target=self._pull)
        self._thread.start()

    def _pull(self) -> None:
        try:
            self._rig.backend.pull(self._reference, self.work)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.failure = error

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    def cancel(self) -> None:
        self.work.cancel()
        self.join()
        assert isinstance(self.failure, CancelledError), self.failure


def test_a_pull_of_what_does_not_answer_can_be_cancelled(
    rig: Rig, tarpit: tuple[str, threading.Event]
) -> None:
    address, came = tarpit
    pulling = Pulling(rig, f"{address}/slow:1")
    wait_for(came.is_set, 60, "the engine asks the registry")
    pulling.cancel()


def test_a_cancelled_pull_ends_in_the_engine_too(
    docker: Rig, slow_registry: tuple[str, type[SlowRegistry]]
) -> None:
    docker.must_be_real("it holds no layer of a gigabyte")
    address, registry = slow_registry
    pulling = Pulling(docker, f"{address}/slow:1")
    wait_for(registry.asked.is_set, 60, "the engine asks for the layer")

    def downloading() -> bool:
        bars = pulling.work.parts.get("2" * 12, [])
        return any(fraction and text.startswith("Downloading ") for fraction, text in bars)

    wait_for(downloading, 60, "its download is told")
    pulling.cancel()
    wait_for(registry.left.is_set, 60, "the engine lets go of the registry")


@pytest.mark.engine
def test_an_engine_that_dies_during_a_pull(
    own_dockerd: Dockerd, reactor: Reactor, slow_registry: tuple[str, type[SlowRegistry]]
) -> None:
    address, registry = slow_registry
    backend = connected(own_dockerd, reactor)
    try:
        pulling = Pulling(Rig(backend, own_dockerd, ""), f"{address}/slow:1")
        wait_for(registry.asked.is_set, 60, "the engine asks for the layer")
        own_dockerd.kill()
        pulling.join()
        assert isinstance(pulling.failure, UnreachableError), pulling.failure
        assert pulling.failure.title
        assert pulling.failure.hint
        own_dockerd.start()
        with pytest.raises(NotFoundError):
            backend.image(f"{address}/slow:1")
    finally:
        backend.close()
