"""Requests and what becomes of their failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.paths import query, quoted
from dockdesk.backends.engine.server import HIGHEST_API, negotiate
from dockdesk.core.errors import (
    CancelledError,
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RemoteError,
    UnreachableError,
)
from tests.backends.engine.servers import (
    CancellableWork,
    Handler,
    ScriptedServer,
    Visit,
    refuse_all,
    tcp_server,
    unix_server,
)
from tests.engines import wait_for


class Scene:
    def __init__(self, server: ScriptedServer, client: EngineClient) -> None:
        self.server = server
        self.client = client

    def answers(self, handler: Handler) -> EngineClient:
        self.server.handler = handler
        return self.client


@pytest.fixture(params=["unix", "tcp"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """On a unix socket questions go over sockets of DockDesk's own, on TCP through the SDK."""
    made = unix_server(tmp_path) if request.param == "unix" else tcp_server()
    with made as (server, endpoint):
        client = EngineClient.connect(endpoint)
        yield Scene(server, client)
        client.close()


@pytest.mark.parametrize(
    ("server", "minimum", "spoken"),
    [
        ("1.41", "1.12", "1.41"),
        ("1.55", "1.40", HIGHEST_API),
        ("1.60", "1.50", "1.50"),
        ("1.9", "", "1.9"),
        ("1.41", "", "1.41"),
    ],
)
def test_the_version_spoken(server: str, minimum: str, spoken: str) -> None:
    assert negotiate(server, minimum) == spoken


def test_json_bytes_and_nothing(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, {"a": 1}))
    assert client.get("/info") == {"a": 1}
    assert scene.server.visits[-1].target == "/v1.41/info"
    assert client.get("/info", type=dict[str, int]) == {"a": 1}
    client = scene.answers(lambda visit: visit.answer(200, b"\0tar", "application/x-tar"))
    assert client.get("/x") == b"\0tar"
    client = scene.answers(lambda visit: visit.answer_raw(b"HTTP/1.1 204 None\r\n\r\n"))
    assert client.post("/x") is None
    client = scene.answers(lambda visit: visit.answer_raw(b"HTTP/1.1 304 Same\r\n\r\n"))
    assert client.post("/containers/x/start") is None


def test_what_is_sent(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, None))
    client.post("/x", {"all": True, "filters": {"id": ["a"]}, "none": None}, json={"B": [1]})
    visit = scene.server.visits[-1]
    assert visit.method == "POST"
    assert visit.target == "/v1.41/x?all=true&filters=%7B%22id%22%3A%5B%22a%22%5D%7D"
    assert visit.body == b'{"B":[1]}'
    assert visit.headers["content-type"] == "application/json"
    assert visit.headers["user-agent"] == "DockDesk"


def test_queries() -> None:
    assert query(None) == ""
    assert (
        query({"names": ["a/b:1", "c"], "n": 0, "x": False})
        == "names=a%2Fb%3A1&names=c&n=0&x=false"
    )


def test_names_in_paths() -> None:
    assert quoted("reg.example:5000/a/b:1.0") == "reg.example:5000/a/b:1.0"
    assert quoted("a b?c#d%") == "a%20b%3Fc%23d%25"
    for name in ("", "..", "a/../b", "a//b", "/"):
        with pytest.raises(InvalidInputError):
            quoted(name)


@pytest.mark.parametrize(
    ("status", "value", "kind"),
    [
        (400, {"message": "bad parameter"}, InvalidInputError),
        (401, {"message": "no"}, PermissionDeniedError),
        (403, {"message": "no"}, PermissionDeniedError),
        (404, {"message": "No such container: x"}, NotFoundError),
        (404, {"message": "page not found"}, NotSupportedError),
        (404, b"Not Found", NotSupportedError),
        (405, b"", NotSupportedError),
        (409, {"message": "in use"}, ConflictError),
        (500, {"message": "server error"}, RemoteError),
        (
            500,
            {"cause": "x", "message": "container state improper", "response": 500},
            ConflictError,
        ),
        (501, {"message": "no"}, NotSupportedError),
        (503, {"message": "no swarm"}, RemoteError),
        (500, b"\xff\xfe broken", RemoteError),
        (500, b"[1]", RemoteError),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_statuses(
    scene: Scene, status: int, value: object, kind: type[DockDeskError], streamed: bool
) -> None:
    client = scene.answers(lambda visit: visit.answer(status, value))
    ask = client.stream if streamed else client.request
    with pytest.raises(DockDeskError) as caught:
        ask("GET", "/x", title="Could not x")
    assert type(caught.value) is kind
    assert caught.value.title == "Could not x"
    assert caught.value.detail
    if isinstance(value, dict) and kind is not NotSupportedError:
        assert caught.value.detail == value["message"]


def test_a_head_request_has_headers_only(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, {}, "x/y"))
    assert client.head("/x")["content-type"] == "x/y"
    client = scene.answers(lambda visit: visit.answer(404))
    with pytest.raises(NotFoundError):
        client.head("/x")


def test_broken_utf8_in_json_is_shown_as_such(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, b'{"Name": "caf\xe9"}'))
    assert client.get("/x") == {"Name": "caf\N{REPLACEMENT CHARACTER}"}


def test_nonsense_instead_of_json(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, b"<html>"))
    with pytest.raises(NotSupportedError):
        client.get("/x")
    client = scene.answers(lambda visit: visit.answer(200, {"a": "text"}))
    with pytest.raises(NotSupportedError):
        client.get("/x", type=dict[str, int])


@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_that_does_not_come(scene: Scene, streamed: bool) -> None:
    client = scene.answers(Visit.wait_for_hang_up)
    with pytest.raises(UnreachableError, match="does not answer"):
        client.get("/x", timeout=0.2, work=CancellableWork() if streamed else None)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"])
def test_an_answer_that_breaks_off(scene: Scene, streamed: bool, begin: bytes) -> None:
    client = scene.answers(lambda visit: visit.sock.sendall(begin))
    with pytest.raises(UnreachableError):
        client.get("/x", work=CancellableWork() if streamed else None)


def test_a_stream_gives_its_pieces_as_they_come(scene: Scene) -> None:
    go_on = threading.Event()

    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        visit.chunk(b'{"a": 1}\n{"b"')
        go_on.wait(30)
        visit.chunk(b": 2}")
        visit.end_chunks()

    client = scene.answers(handler)
    with client.stream("GET", "/x") as answer:
        lines = answer.json_lines()
        assert next(lines) == {"a": 1}
        go_on.set()
        assert next(lines) == {"b": 2}
        assert next(lines, None) is None


def test_a_stream_that_breaks_off_says_so(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        visit.chunk(b"abc")

    client = scene.answers(handler)
    with client.stream("GET", "/x") as answer, pytest.raises(UnreachableError):
        answer.read()


def test_work_that_is_cancelled_ends_a_wait_at_once(scene: Scene) -> None:
    client = scene.answers(Visit.wait_for_hang_up)
    work = CancellableWork()
    threading.Timer(0.1, work.cancel).start()
    with pytest.raises(CancelledError):
        client.post("/containers/x/stop", timeout=None, work=work)
    with pytest.raises(CancelledError):
        client.get("/x", work=work)


def test_work_that_is_cancelled_ends_a_body(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        visit.chunk(b"abc")
        visit.wait_for_hang_up()

    work = CancellableWork()
    client = scene.answers(handler)
    with client.stream("GET", "/x", work=work) as answer:
        pieces = iter(answer)
        assert next(pieces) == b"abc"
        threading.Timer(0.1, work.cancel).start()
        with pytest.raises(CancelledError):
            next(pieces)


def test_a_body_is_sent_in_chunks(scene: Scene) -> None:
    received: list[bytes] = []

    def handler(visit: Visit) -> None:
        data = visit._buffer
        while not data.endswith(b"0\r\n\r\n"):
            data += visit.sock.recv(65_536)
        received.append(data)
        visit.answer(200, {"ok": True})

    client = scene.answers(handler)
    with client.stream("POST", "/images/load", data=iter([b"abc", b"", b"defg"])) as answer:
        assert answer.read() == b'{"ok": true}'
    assert received == [b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"]


def test_a_source_that_fails_is_not_the_engines_failure(scene: Scene) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"abc"
        raise FileNotFoundError("the file vanished")

    client = scene.answers(Visit.wait_for_hang_up)
    with pytest.raises(FileNotFoundError):
        client.stream("POST", "/images/load", data=pieces())
    wait_for(lambda: not client._open)


def test_an_engine_that_refuses_before_it_has_read_all(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(400, {"message": "not a tar"}))

    def pieces() -> Iterator[bytes]:
        for _ in range(2000):
            yield b"x" * 65_536

    with pytest.raises(DockDeskError) as caught:
        client.stream("POST", "/images/load", data=pieces())
    # Whether the answer can still be read is up to the kernel; the failure is told either way.
    assert isinstance(caught.value, (InvalidInputError, UnreachableError))


def test_close_ends_what_runs(scene: Scene) -> None:
    client = scene.answers(Visit.wait_for_hang_up)
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            client.get("/x", timeout=None, work=CancellableWork())
        except DockDeskError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(lambda: scene.server.visits)
    client.close()
    client.close()
    thread.join(30)
    assert isinstance(failures[0], CancelledError)
    for _ in range(2):
        with pytest.raises(UnreachableError, match="disconnected"):
            client.get("/x")
        with pytest.raises(UnreachableError, match="disconnected"):
            client.stream("GET", "/x")


def test_many_threads_share_a_client(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, {"path": visit.target}))
    wrong: list[str] = []

    def ask(number: int) -> None:
        for turn in range(20):
            path = f"/x/{number}/{turn}"
            answer = client.get(path, work=CancellableWork() if turn % 2 else None)
            if answer != {"path": f"/v1.41{path}"}:
                wrong.append(path)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert len(scene.server.visits) == 160


@pytest.mark.parametrize("scene", ["tcp"], indirect=True)
def test_a_kept_connection_that_ends_is_not_the_users_trouble(scene: Scene) -> None:
    """A connection of the pool may end while the next request is under way; reading again is harmless."""
    asked: list[str] = []

    def handler(visit: Visit) -> None:
        asked.append(visit.method)
        if len(asked) % 2:
            visit.answer(200, {"ok": True})

    client = scene.answers(handler)
    assert client.get("/x") == {"ok": True}
    assert client.get("/x") == {"ok": True}
    assert len(asked) == 3
    with pytest.raises(UnreachableError):
        client.post("/x")  # may have been done already: not asked twice
    assert len(asked) == 4


def test_a_hijacked_connection_carries_bytes_both_ways(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        assert visit.headers["upgrade"] == "tcp"
        visit.sock.sendall(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nhello ")
        visit.sock.sendall(visit.sock.recv(100).upper())

    client = scene.answers(handler)
    exchange = client.hijack("/exec/x/start", json={"Tty": True})
    sock, pieces = exchange.detach()
    sock.settimeout(30)
    data = b"".join(pieces)
    sock.sendall(b"you")
    while len(data) < 9:
        data += sock.recv(100)
    assert data == b"hello YOU"
    sock.close()


def test_a_connection_that_is_not_handed_over(scene: Scene) -> None:
    client = scene.answers(lambda visit: visit.answer(200, {}))
    with pytest.raises(NotSupportedError):
        client.hijack("/exec/x/start")


def test_podman_is_told_apart(tmp_path: Path) -> None:
    with unix_server(tmp_path, refuse_all) as (server, endpoint):
        server.version["Components"] = [{"Name": "Podman Engine"}]
        client = EngineClient.connect(endpoint)
        assert client.podman
        assert client.server.product == "Podman"
        client.close()


def test_an_engine_that_is_too_old(tmp_path: Path) -> None:
    with unix_server(tmp_path, refuse_all) as (server, endpoint):
        server.version |= {"ApiVersion": "1.24"}
        with pytest.raises(NotSupportedError, match="too old"):
            EngineClient.connect(endpoint)


@pytest.mark.parametrize("version", [{"ApiVersion": 5}, {"ApiVersion": "latest"}, {"Version": "3"}])
def test_something_else_that_answers(tmp_path: Path, version: dict[str, object]) -> None:
    with unix_server(tmp_path, refuse_all) as (server, endpoint):
        server.version = version
        with pytest.raises(UnreachableError, match="no container engine"):
            EngineClient.connect(endpoint)


def test_an_engine_that_became_newer(scene: Scene) -> None:
    """After an update of the engine the next greeting settles another version, and requests follow."""
    client = scene.answers(lambda visit: visit.answer(200, {"path": visit.target}))
    assert client.get("/x") == {"path": "/v1.41/x"}
    scene.server.version |= {"ApiVersion": "1.44"}
    client.greet(CancellableWork())
    assert client.get("/x") == {"path": "/v1.44/x"}
    assert client.speaks("1.42")
