"""Live streams and the contract of sinks, with a server that does what real ones do rarely."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dockdesk.backends.engine.backend import EngineBackend, connect
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    LocalError,
    NotFoundError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.ports import LogQuery
from dockdesk.core.reactor import Reactor
from dockdesk.core.resources.engine import EngineEvent
from tests.backends.engine.servers import Handler, ScriptedServer, Visit, unix_server
from tests.engines import wait_for
from tests.sinks import Recorder

EVENT = {"Type": "container", "Action": "start", "Actor": {"ID": "c"}, "time": 1}
LINE = json.dumps(EVENT).encode() + b"\n"


class Scene:
    def __init__(self, server: ScriptedServer, backend: EngineBackend, reactor: Reactor) -> None:
        self.server = server
        self.backend = backend
        self.reactor = reactor
        self.sink = Recorder()
        self.go_on = threading.Event()

    def events(self, handler: Handler) -> None:
        self.server.handler = handler
        self.subscription = self.backend.events(self.sink)

    def at_rest(self) -> None:
        """Nothing is left of any stream."""
        wait_for(lambda: len(self.reactor) == 0 and len(self.backend.hub) == 0)
        assert not self.sink.broken


@pytest.fixture
def scene(tmp_path: Path, reactor: Reactor) -> Iterator[Scene]:
    with unix_server(tmp_path) as (server, endpoint):
        backend = connect(endpoint, reactor)
        made = Scene(server, backend, reactor)
        yield made
        made.go_on.set()
        backend.close()


def test_items_come_on_the_reactors_thread_and_the_end_once(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        for cut in range(len(LINE)):
            visit.chunk(LINE[cut : cut + 1])
        visit.chunk(LINE * 3)
        visit.end_chunks()

    scene.events(handler)
    assert scene.sink.wait_for_end() is None
    assert scene.sink.items == [EngineEvent("container", "start", "c", 1.0)] * 4
    assert scene.sink.threads == {"test-streams"}
    scene.at_rest()
    scene.subscription.close()
    assert scene.sink.ends == [None]


def test_what_came_with_the_head_is_not_lost(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        body = b"%x\r\n%b\r\n" % (len(LINE), LINE)
        visit.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        visit.wait_for_hang_up()

    scene.events(handler)
    scene.sink.wait(lambda: scene.sink.items)


def test_an_answer_that_begins_late_is_waited_for_by_the_reactor(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockdesk.backends.engine.streams._HEAD_PATIENCE", 0.05)

    def handler(visit: Visit) -> None:
        scene.go_on.wait(30)
        visit.begin_chunks()
        visit.chunk(LINE)
        visit.end_chunks()

    scene.events(handler)
    assert scene.sink.items == []
    scene.go_on.set()
    assert scene.sink.wait_for_end() is None
    assert len(scene.sink.items) == 1
    scene.at_rest()


def test_a_refusal_is_raised_to_the_caller(scene: Scene) -> None:
    with pytest.raises(ConflictError, match="not now"):
        scene.events(lambda visit: visit.answer(409, {"message": "not now"}))
    scene.at_rest()
    assert scene.sink.ends == []


def test_a_late_refusal_is_told_to_the_sink(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockdesk.backends.engine.streams._HEAD_PATIENCE", 0.05)

    def handler(visit: Visit) -> None:
        scene.go_on.wait(30)
        visit.answer(404, {"message": "No such container: x"})

    scene.events(handler)
    scene.go_on.set()
    error = scene.sink.wait_for_end()
    assert isinstance(error, NotFoundError)
    assert error.detail == "No such container: x"
    scene.at_rest()


def test_an_engine_that_dies_is_not_an_end(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        visit.chunk(LINE)

    scene.events(handler)
    assert isinstance(scene.sink.wait_for_end(), UnreachableError)
    assert len(scene.sink.items) == 1
    scene.at_rest()


def test_nonsense_ends_the_stream_with_a_reason(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        visit.chunk(b"not json\n")
        visit.wait_for_hang_up()

    scene.events(handler)
    error = scene.sink.wait_for_end()
    assert isinstance(error, RemoteError)
    assert error.detail
    scene.at_rest()


def test_broken_chunks_end_the_stream_with_a_reason(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        visit.begin_chunks()
        visit.chunk(LINE)
        scene.sink.wait(lambda: scene.sink.items)
        visit.sock.sendall(b"no chunk\r\n")
        visit.wait_for_hang_up()

    scene.events(handler)
    assert isinstance(scene.sink.wait_for_end(), RemoteError)
    scene.at_rest()


def test_broken_chunks_right_away_are_told_to_the_caller(scene: Scene) -> None:
    def handler(visit: Visit) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        visit.sock.sendall(head + b"no chunk\r\n")
        visit.wait_for_hang_up()

    with pytest.raises(RemoteError, match="not understood"):
        scene.events(handler)
    scene.at_rest()


def endless(visit: Visit) -> None:
    visit.begin_chunks()
    while True:
        visit.chunk(LINE)


def test_nothing_comes_after_close(scene: Scene) -> None:
    scene.events(endless)
    scene.sink.wait(lambda: len(scene.sink.items) > 100)
    scene.subscription.close()
    scene.sink.closed()
    scene.subscription.close()
    scene.at_rest()
    assert scene.sink.ends == []


def test_a_sink_may_close_its_own_stream(scene: Scene) -> None:
    class Shy(Recorder):
        def put(self, items: Sequence[object]) -> None:
            super().put(items)
            scene.subscription.close()
            self.closed()

    scene.sink = Shy()
    ready = threading.Event()
    scene.reactor.call(ready.wait)  # until the subscription is known
    scene.events(endless)
    ready.set()
    scene.sink.wait(lambda: scene.sink.items)
    scene.at_rest()


def test_a_sink_that_raises_ends_its_own_stream_only(
    scene: Scene, expect_log: Callable[[str], None]
) -> None:
    expect_log("a stream's sink failed")

    class Faulty(Recorder):
        def put(self, items: Sequence[object]) -> None:
            raise ZeroDivisionError("on purpose")

    other = scene.sink
    scene.events(endless)
    scene.sink = Faulty()
    scene.events(endless)
    error = scene.sink.wait_for_end()
    assert isinstance(error, LocalError)
    assert "ZeroDivisionError" in error.detail
    seen = len(other.items)
    other.wait(lambda: len(other.items) > seen + 100)
    assert other.ends == []
    assert len(scene.sink.ends) == 1


def test_a_sink_that_raises_on_the_end_harms_nobody(
    scene: Scene, expect_log: Callable[[str], None]
) -> None:
    expect_log("failed on its end")

    class Faulty(Recorder):
        def ended(self, error: DockDeskError | None) -> None:
            super().ended(error)
            raise ZeroDivisionError("on purpose")

    scene.sink = Faulty()
    scene.events(lambda visit: (visit.begin_chunks(), visit.end_chunks()))  # type: ignore[arg-type, return-value]
    scene.sink.wait_for_end()
    scene.at_rest()


def test_close_does_not_wait_for_a_sink_that_waits(scene: Scene) -> None:
    """A GUI thread that closes a stream whose sink waits for the GUI thread must not lock up."""
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Recorder):
        def put(self, items: Sequence[object]) -> None:
            inside.set()
            go_on.wait(30)

    scene.sink = Slow()
    scene.events(endless)
    assert inside.wait(30)
    scene.subscription.close()
    assert not go_on.is_set()
    go_on.set()
    scene.at_rest()
    assert scene.sink.ends == []


def test_closing_the_backend_ends_every_stream(scene: Scene) -> None:
    scene.events(endless)
    other = scene.sink
    scene.sink = Recorder()
    scene.events(endless)
    scene.sink.wait(lambda: scene.sink.items)
    scene.backend.close()
    for sink in (other, scene.sink):
        error = sink.wait_for_end()
        assert isinstance(error, UnreachableError)
        assert "disconnected" in error.title
    scene.at_rest()
    with pytest.raises(UnreachableError):
        scene.backend.events(Recorder())


def test_a_closed_reactor_refuses_a_stream(tmp_path: Path) -> None:
    reactor = Reactor("closed")
    with unix_server(tmp_path, endless) as (_, endpoint):
        backend = connect(endpoint, reactor)
        reactor.close()
        with pytest.raises(UnreachableError):
            backend.events(Recorder())
        assert len(backend.hub) == 0
        backend.close()


def test_many_streams_come_and_go(scene: Scene) -> None:
    """Streams opened and closed from several threads at once leave nothing behind."""
    scene.server.handler = endless
    broken: list[str] = []

    def work() -> None:
        for _ in range(15):
            sink = Recorder()
            subscription = scene.backend.events(sink)
            sink.wait(lambda sink=sink: sink.items)  # type: ignore[misc]
            subscription.close()
            sink.closed()
            broken.extend(sink.broken)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not broken
    scene.at_rest()


# --- Logs ---


def log_server(tty: bool, body: Sequence[bytes]) -> Handler:
    def handler(visit: Visit) -> None:
        if visit.target.endswith("/json"):
            visit.answer(200, {"Config": {"Tty": tty}})
            return
        visit.begin_chunks("application/octet-stream")
        for piece in body:
            visit.chunk(piece)
        visit.end_chunks()

    return handler


def frame(kind: int, data: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def test_logs_keep_the_streams_apart(scene: Scene) -> None:
    scene.server.handler = log_server(False, [frame(1, b"out\n"), frame(2, b"err\n")])
    scene.backend.logs("x", LogQuery(), scene.sink)
    assert scene.sink.wait_for_end() is None
    assert [(chunk.stream, chunk.data) for chunk in scene.sink.items] == [
        (1, b"out\n"),
        (2, b"err\n"),
    ]


def test_logs_of_a_terminal_are_raw(scene: Scene) -> None:
    data = b"\x01\0\0\0\0\0\0\x02 no frame \xff\r\n"
    scene.server.handler = log_server(True, [data])
    scene.backend.logs("x", LogQuery(), scene.sink)
    scene.sink.wait_for_end()
    assert scene.sink.data == data


def test_a_line_of_10_mib_passes(scene: Scene) -> None:
    line = b"x" * (10 << 20) + b"\n"
    pieces = [frame(1, line[start : start + 16_384]) for start in range(0, len(line), 16_384)]
    scene.server.handler = log_server(False, pieces)
    scene.backend.logs("x", LogQuery(), scene.sink)
    assert scene.sink.wait_for_end() is None
    assert scene.sink.data == line
    # Passed on as it came, not kept until its end.
    assert max(len(chunk.data) for chunk in scene.sink.items) < len(line)


def test_what_is_asked_of_the_engine(scene: Scene) -> None:
    scene.server.handler = log_server(False, [])
    query = LogQuery(tail=None, follow=False, since=1.5, until=2.25, timestamps=True, stderr=False)
    scene.backend.logs("my/x", query, scene.sink)
    scene.sink.wait_for_end()
    assert scene.server.visits[-1].target == (
        "/v1.41/containers/my/x/logs?follow=false&stdout=true&stderr=false&timestamps=true&tail=all"
        "&since=1.500000000&until=2.250000000"
    )


# --- Terminals ---


def terminal_server(scene: Scene, running: list[bool], talk: Handler) -> Handler:
    def handler(visit: Visit) -> None:
        if visit.target.endswith("/start"):
            visit.sock.sendall(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n")
            talk(visit)
        elif visit.target.endswith("/exec"):
            visit.answer(201, {"Id": "e1"})
        elif "/resize?" in visit.target:
            visit.answer(200, None)
        else:
            visit.answer(200, {"Running": running[0], "ExitCode": 7})

    return handler


def test_a_terminal_that_ends(scene: Scene) -> None:
    running = [True]

    def talk(visit: Visit) -> None:
        visit.sock.sendall(b"hi ")
        visit.sock.sendall(visit.sock.recv(100).upper())
        running[0] = False

    scene.server.handler = terminal_server(scene, running, talk)
    session = scene.backend.execute("x", ["sh"], scene.sink)
    session.write(b"you")
    assert scene.sink.wait_for_end() is None
    assert scene.sink.data == b"hi YOU"
    assert session.exit_code() == 7
    scene.at_rest()


def test_a_terminal_whose_engine_hangs_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockdesk.backends.engine.exec._VERIFY_PAUSE", 0.001)
    scene.server.handler = terminal_server(scene, [True], lambda visit: None)
    session = scene.backend.execute("x", ["sh"], scene.sink)
    assert isinstance(scene.sink.wait_for_end(), UnreachableError)
    assert session.exit_code() is None
    scene.at_rest()


def test_closing_a_terminal_ends_its_process(scene: Scene) -> None:
    heard = bytearray()

    def talk(visit: Visit) -> None:
        while data := visit.sock.recv(100):
            heard.extend(data)
            visit.sock.sendall(b"still talking\r\n")
            if heard.count(b"\x04") == 2:
                return  # a program in a shell: each takes a round

    scene.server.handler = terminal_server(scene, [True], talk)
    session = scene.backend.execute("x", ["sh"], scene.sink)
    session.close()
    scene.sink.closed()
    session.close()
    session.write(b"too late")
    scene.at_rest()
    assert bytes(heard) == b"\x03\x04\x03\x04"
    assert scene.sink.ends == []


def test_closing_a_terminal_that_does_not_listen(scene: Scene) -> None:
    scene.server.handler = terminal_server(scene, [True], Visit.wait_for_hang_up)
    session = scene.backend.execute("x", ["vi"], scene.sink)
    session.close()
    scene.at_rest()


def test_closing_the_backend_lets_terminals_end_their_processes(scene: Scene) -> None:
    heard = bytearray()

    def talk(visit: Visit) -> None:
        while data := visit.sock.recv(100):
            heard.extend(data)
            if b"\x04" in heard:
                return

    scene.server.handler = terminal_server(scene, [True], talk)
    scene.backend.execute("x", ["sh"], scene.sink)
    scene.backend.close()
    wait_for(lambda: bytes(heard) == b"\x03\x04")
    assert isinstance(scene.sink.wait_for_end(), UnreachableError)
    scene.at_rest()


def test_typing_never_waits(scene: Scene) -> None:
    """Far more than the socket takes, while the other side reads nothing; then it all arrives, in order."""
    go_on = threading.Event()
    heard = bytearray()
    typed = b"".join(b"%07d\n" % number for number in range(200_000))

    def talk(visit: Visit) -> None:
        go_on.wait(30)
        while len(heard) < len(typed):
            heard.extend(visit.sock.recv(65_536))

    scene.server.handler = terminal_server(scene, [False], talk)
    session = scene.backend.execute("x", ["cat"], scene.sink)
    for start in range(0, len(typed), 8000):
        session.write(typed[start : start + 8000])
    go_on.set()
    assert scene.sink.wait_for_end() is None
    assert bytes(heard) == typed
