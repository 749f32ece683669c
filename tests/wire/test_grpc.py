"""gRPC between its own two ends, over a pair of sockets and over TLS; and against misbehaving others."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.wire.grpc import Client, Code, GrpcError, Handler, Server, ServerCall, unary
from dockdesk.wire.http2 import CONNECTION_WINDOW, STREAM_WINDOW
from tests.certificates import Authority
from tests.engines import wait_for


@contextlib.contextmanager
def ends(
    handlers: dict[str, Handler], pair: tuple[socket.socket, socket.socket] | None = None
) -> Iterator[Client]:
    here, there = pair or socket.socketpair()
    server = Server(handlers)
    serving = server.serve(there)
    client = Client(here)
    try:
        yield client
    finally:
        client.close()
        serving.close()
        server.join()


def echo(call: ServerCall) -> None:
    for message in call:
        call.send(message)


def test_a_unary_call_with_metadata() -> None:
    seen: list[dict[str, list[str]]] = []

    def handle(call: ServerCall) -> None:
        seen.append({name: list(values) for name, values in call.metadata.items()})
        call.send(b"<" + (call.receive() or b"") + b">")

    with ends({"/a.B/C": handle}) as client:
        assert client.ask("/a.B/C", b"hello", [("x-many", "1"), ("x-many", "2")]) == b"<hello>"
    assert seen[0]["x-many"] == ["1", "2"]
    assert seen[0]["content-type"] == ["application/grpc"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=40_000), max_size=20))
def test_messages_arrive_as_they_were_sent(messages: list[bytes]) -> None:
    with ends({"/e": echo}) as client:
        call = client.call("/e")
        call.send(*messages)
        call.end()
        assert list(call) == messages


def test_more_than_the_windows_hold_both_ways_at_once() -> None:
    size, count = 1 << 20, (CONNECTION_WINDOW >> 20) + 8
    assert size * count > STREAM_WINDOW
    with ends({"/e": echo}) as client:
        call = client.call("/e")

        def send() -> None:
            for number in range(count):
                call.send(bytes([number]) * size)
            call.end()

        sender = threading.Thread(target=send)
        sender.start()
        for number in range(count):
            assert call.receive() == bytes([number]) * size
        assert call.receive() is None
        sender.join()


def test_a_reader_that_does_not_read_holds_only_its_own_stream_up() -> None:
    def flood(call: ServerCall) -> None:
        with contextlib.suppress(GrpcError):
            for _ in range(20):
                call.send(bytes(1 << 20))

    with ends({"/flood": flood, "/e": echo}) as client:
        flooded = client.begin("/flood", b"")
        for _ in range(3):
            assert client.ask("/e", b"still here", timeout=30) == b"still here"
        flooded.cancel()


def test_many_calls_side_by_side() -> None:
    with ends({"/e": echo}) as client:
        calls = [client.call("/e") for _ in range(60)]
        for number, call in enumerate(calls):
            call.send(b"%d" % number)
        for number, call in reversed(list(enumerate(calls))):
            assert call.receive() == b"%d" % number
            call.end()
            assert call.receive() is None


def test_failures_keep_code_words_and_details() -> None:
    def fail(call: ServerCall) -> None:
        raise GrpcError(Code.NOT_FOUND, "no “such” thing, 100 %\n", b"\x08\x05details\xff")

    with ends({"/f": fail}) as client:
        with pytest.raises(GrpcError) as caught:
            client.ask("/f", b"")
        assert caught.value.code is Code.NOT_FOUND
        assert caught.value.message == "no “such” thing, 100 %\n"
        assert caught.value.details == b"\x08\x05details\xff"
        with pytest.raises(GrpcError) as caught:
            client.ask("/nowhere", b"")
        assert caught.value.code is Code.UNIMPLEMENTED


def test_large_details_go_over_several_frames() -> None:
    details = bytes(range(256)) * 400

    def fail(call: ServerCall) -> None:
        raise GrpcError(Code.UNKNOWN, "x", details)

    with ends({"/f": fail}) as client:
        with pytest.raises(GrpcError) as caught:
            client.ask("/f", b"")
        assert caught.value.details == details
        with pytest.raises(GrpcError):
            client.ask("/f", b"")


def test_a_failure_after_some_messages() -> None:
    def some(call: ServerCall) -> None:
        call.send(b"1", b"2")
        raise GrpcError(Code.ABORTED, "enough")

    with ends({"/s": some}) as client:
        call = client.begin("/s", b"")
        assert [call.receive(), call.receive()] == [b"1", b"2"]
        with pytest.raises(GrpcError, match="enough"):
            call.receive()


def test_a_bug_in_a_handler_is_told(expect_log: Callable[[str], None]) -> None:
    expect_log("/b failed")

    def bug(call: ServerCall) -> None:
        raise ValueError("a bug")

    with ends({"/b": bug}) as client, pytest.raises(GrpcError, match="a bug") as caught:
        client.ask("/b", b"")
    assert caught.value.code is Code.UNKNOWN


def test_deadlines_at_both_ends() -> None:
    seen: list[Code] = []

    def wait(call: ServerCall) -> None:
        try:
            call.receive()
            call.receive()
        except GrpcError as error:
            seen.append(error.code)
            raise

    with ends({"/w": wait}) as client:
        call = client.call("/w", timeout=0.2)
        call.send(b"")
        with pytest.raises(GrpcError) as caught:
            call.receive()
        assert caught.value.code is Code.DEADLINE_EXCEEDED
        wait_for(lambda: seen, 30)
    assert seen[0] in {Code.DEADLINE_EXCEEDED, Code.CANCELLED}


def test_a_cancel_reaches_the_other_end() -> None:
    begun, seen = threading.Event(), []

    def wait(call: ServerCall) -> None:
        begun.set()
        try:
            for _ in call:
                pass
        except GrpcError as error:
            seen.append(error.code)

    with ends({"/w": wait}) as client:
        call = client.call("/w")
        waiting: list[GrpcError] = []

        def receive() -> None:
            try:
                call.receive()
            except GrpcError as error:
                waiting.append(error)

        thread = threading.Thread(target=receive)
        thread.start()
        assert begun.wait(30)
        call.cancel()
        thread.join(30)
        assert waiting[0].code is Code.CANCELLED
        wait_for(lambda: seen, 30)
        assert seen == [Code.CANCELLED]
        assert client.connection.closed is False


def test_a_server_that_answers_before_it_has_read_everything() -> None:
    def refuse(call: ServerCall) -> None:
        raise GrpcError(Code.RESOURCE_EXHAUSTED, "too much")

    with ends({"/r": refuse}) as client:
        call = client.call("/r")

        def send() -> None:
            for _ in range(100):
                call.send(bytes(1 << 20))
            call.receive()

        with pytest.raises(GrpcError) as caught:
            send()
        assert caught.value.code in {Code.RESOURCE_EXHAUSTED, Code.INTERNAL}


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_connection_that_breaks_ends_every_call(who: str) -> None:
    here, there = socket.socketpair()
    begun, ended = threading.Event(), threading.Event()

    def wait(call: ServerCall) -> None:
        begun.set()
        with contextlib.suppress(GrpcError):
            for _ in call:
                pass
        ended.set()

    with ends({"/w": wait}, (here, there)) as client:
        call = client.call("/w")
        assert begun.wait(30)
        (here if who == "client" else there).shutdown(socket.SHUT_RDWR)
        with pytest.raises(GrpcError) as caught:
            call.receive()
        assert caught.value.code is Code.UNAVAILABLE
        assert ended.wait(30)
        wait_for(lambda: client.connection.closed, 30)
        with pytest.raises(GrpcError) as caught:
            client.ask("/w", b"")
        assert caught.value.code is Code.UNAVAILABLE


def test_closing_is_told_once_and_may_be_repeated() -> None:
    here, there = socket.socketpair()
    closed: list[int] = []
    server = Server({"/e": echo})
    serving = server.serve(there, on_close=lambda: closed.append(1))
    client = Client(here)
    assert client.ask("/e", b"x") == b"x"
    client.close()
    client.close()
    wait_for(lambda: closed, 30)
    serving.close()
    assert closed == [1]
    server.join()


def test_what_came_with_the_answer_to_the_upgrade_is_not_lost() -> None:
    here, there = socket.socketpair()
    server = Server({"/u": unary(lambda message: message * 2)})
    client = Client(here)
    received = there.recv(11)  # a part of the preface
    serving = server.serve(there, received)
    assert client.ask("/u", b"ab") == b"abab"
    client.close()
    serving.close()
    server.join()


def test_over_tls_both_ways_at_once(tmp_path: Path) -> None:
    """One thread a connection uses the TLS socket, whoever sends."""
    authority = Authority(tmp_path / "ca")
    cert, key = authority.issue(tmp_path / "server", "localhost")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(cert, key)
    ours = ssl.create_default_context(cafile=str(authority.certificate))
    plain = socket.socketpair()
    accepted: list[socket.socket] = []
    thread = threading.Thread(
        target=lambda: accepted.append(theirs.wrap_socket(plain[1], server_side=True))
    )
    thread.start()
    here = ours.wrap_socket(plain[0], server_hostname="localhost")
    thread.join(30)
    message = bytes(range(256)) * 2000
    with ends({"/e": echo}, (here, accepted[0])) as client:
        call = client.call("/e")
        sender = threading.Thread(target=lambda: (call.send(*[message] * 40), call.end()))
        sender.start()
        assert list(call) == [message] * 40
        sender.join(30)


def test_garbage_ends_the_connection() -> None:
    here, there = socket.socketpair()
    server = Server({})
    serving = server.serve(there)
    here.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(100))
    wait_for(lambda: serving.closed, 30)
    assert serving.error is not None
    here.close()
    serving.close()


def _raw(act: Callable[[h2.connection.H2Connection, socket.socket], None]) -> Client:
    """A client whose server does what ``act`` says, by hand."""
    here, there = socket.socketpair()

    def serve() -> None:
        # The client hangs up whenever it has heard enough.
        with there, contextlib.suppress(OSError, h2.exceptions.ProtocolError):
            state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
            state.initiate_connection()
            there.sendall(state.data_to_send())
            there.settimeout(20)
            while data := there.recv(65536):
                for event in state.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        act(state, there)
                there.sendall(state.data_to_send())

    threading.Thread(target=serve, daemon=True).start()
    return Client(here)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([(":status", "404"), ("content-type", "text/html")], Code.UNIMPLEMENTED),
        ([(":status", "200"), ("content-type", "application/grpc")], Code.UNKNOWN),
        ([(":status", "200"), ("grpc-status", "99")], Code.UNKNOWN),
        ([(":status", "200"), ("grpc-status", "5"), ("grpc-message", "a%20b")], Code.NOT_FOUND),
    ],
)
def test_answers_without_a_message(headers: list[tuple[str, str]], code: Code) -> None:
    client = _raw(lambda state, sock: state.send_headers(1, headers, end_stream=True))
    with pytest.raises(GrpcError) as caught:
        client.ask("/x", b"")
    assert caught.value.code is code
    client.close()


@pytest.mark.parametrize("pieces", [1, 3, 7, 10_000])
def test_frames_cut_anywhere_and_padded(pieces: int) -> None:
    def act(state: h2.connection.H2Connection, sock: socket.socket) -> None:
        state.send_headers(1, [(":status", "200"), ("content-type", "application/grpc")])
        state.send_data(1, b"\0\0\0\0\x05he", pad_length=9)
        state.send_data(1, b"llo\0\0\0\0\0", pad_length=0)
        state.send_headers(1, [("grpc-status", "0")], end_stream=True)
        data = state.data_to_send()
        for start in range(0, len(data), pieces):
            sock.sendall(data[start : start + pieces])
            time.sleep(0)

    client = _raw(act)
    call = client.begin("/x", b"")
    assert list(call) == [b"hello", b""]
    client.close()


def test_a_message_that_is_too_long_or_compressed() -> None:
    for prefix, code in (
        (b"\0\x7f\xff\xff\xff", Code.RESOURCE_EXHAUSTED),
        (b"\1\0\0\0\0", Code.UNIMPLEMENTED),
    ):

        def act(
            state: h2.connection.H2Connection, sock: socket.socket, prefix: bytes = prefix
        ) -> None:
            state.send_headers(1, [(":status", "200")])
            state.send_data(1, prefix)

        client = _raw(act)
        with pytest.raises(GrpcError) as caught:
            client.ask("/x", b"")
        assert caught.value.code is code
        client.close()


def test_a_connection_that_is_ended_in_good_order() -> None:
    client = _raw(
        lambda state, sock: state.close_connection(error_code=11, additional_data=b"too many pings")
    )
    with pytest.raises(GrpcError) as caught:
        client.ask("/x", b"")
    assert caught.value.code is Code.UNAVAILABLE
    assert "too many pings" in caught.value.message
    client.close()
