"""The one thread that reads every stream."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockdesk.core.reactor import RECEIVE, Reactor
from tests.certificates import Authority
from tests.engines import wait_for


class Ear:
    """A stream that remembers what it hears."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ends: list[Exception | None] = []
        self.threads: set[threading.Thread] = set()

    def received(self, data: bytes) -> None:
        assert data
        self.threads.add(threading.current_thread())
        self.data += data

    def lost(self, error: Exception | None) -> None:
        self.threads.add(threading.current_thread())
        self.ends.append(error)


@pytest.fixture
def pairs() -> Iterator[Callable[[], tuple[socket.socket, socket.socket]]]:
    made: list[socket.socket] = []

    def pair() -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        theirs.settimeout(30)
        made.append(theirs)
        return ours, theirs

    yield pair
    for sock in made:
        sock.close()


Pair = Callable[[], tuple[socket.socket, socket.socket]]


def test_bytes_arrive_in_order_and_the_end_is_told_once(reactor: Reactor, pairs: Pair) -> None:
    ours, theirs = pairs()
    ear = Ear()
    reactor.add(ours, ear)
    sent = os.urandom(3 * RECEIVE)
    theirs.sendall(sent)
    theirs.close()
    wait_for(lambda: ear.ends)
    assert bytes(ear.data) == sent
    assert ear.ends == [None]
    assert len(ear.threads) == 1
    assert threading.current_thread() not in ear.threads
    assert ours.fileno() == -1


def test_a_reset_is_told_as_what_it_is(reactor: Reactor) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(server.getsockname())
    theirs, _ = server.accept()
    server.close()
    ear = Ear()
    reactor.add(ours, ear)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    theirs.close()
    wait_for(lambda: ear.ends)
    assert isinstance(ear.ends[0], ConnectionResetError)


def test_one_thread_reads_all(reactor: Reactor, pairs: Pair) -> None:
    ears = [Ear() for _ in range(50)]
    ends = []
    for ear in ears:
        ours, theirs = pairs()
        reactor.add(ours, ear)
        ends.append(theirs)
    for number, theirs in enumerate(ends):
        theirs.sendall(b"%d" % number)
    wait_for(lambda: all(ear.data for ear in ears))
    assert [bytes(ear.data) for ear in ears] == [b"%d" % number for number in range(50)]
    assert len(set.union(*(ear.threads for ear in ears))) == 1
    assert len(reactor) == 50


def test_nothing_is_heard_after_close(reactor: Reactor, pairs: Pair) -> None:
    ours, theirs = pairs()
    ear = Ear()
    link = reactor.add(ours, ear)
    theirs.sendall(b"before")
    wait_for(lambda: ear.data)
    link.close()
    link.close()
    with contextlib.suppress(OSError):
        theirs.sendall(b"after")
    wait_for(lambda: ours.fileno() == -1)
    assert ear.data == b"before"
    assert ear.ends == []
    assert len(reactor) == 0


def test_a_stream_that_raises_ends_alone(
    reactor: Reactor, pairs: Pair, expect_log: Callable[[str], None]
) -> None:
    expect_log("a stream failed")

    class Faulty(Ear):
        def received(self, data: bytes) -> None:
            raise ZeroDivisionError("on purpose")

    ours, theirs = pairs()
    other_ours, other_theirs = pairs()
    faulty, other = Faulty(), Ear()
    reactor.add(ours, faulty)
    reactor.add(other_ours, other)
    theirs.sendall(b"x")
    wait_for(lambda: faulty.ends)
    assert isinstance(faulty.ends[0], ZeroDivisionError)
    other_theirs.sendall(b"still here")
    wait_for(lambda: other.data == b"still here")
    assert other.ends == []


def test_an_end_that_raises_harms_nobody(
    reactor: Reactor, pairs: Pair, expect_log: Callable[[str], None]
) -> None:
    expect_log("a stream failed on its end")

    class Faulty(Ear):
        def lost(self, error: Exception | None) -> None:
            super().lost(error)
            raise ZeroDivisionError("on purpose")

    ours, theirs = pairs()
    other_ours, other_theirs = pairs()
    faulty, other = Faulty(), Ear()
    reactor.add(ours, faulty)
    reactor.add(other_ours, other)
    theirs.close()
    wait_for(lambda: faulty.ends)
    other_theirs.sendall(b"still here")
    wait_for(lambda: other.data)


def test_sending_never_waits_and_keeps_the_order(reactor: Reactor, pairs: Pair) -> None:
    ours, theirs = pairs()
    link = reactor.add(ours, Ear())
    pieces = [os.urandom(100_000) for _ in range(40)]
    for piece in pieces:
        link.send(piece)  # nobody reads yet: far more than a socket's buffer takes
    got = bytearray()
    while len(got) < 4_000_000:
        got += theirs.recv(65_536)
    assert bytes(got) == b"".join(pieces)


def test_a_receiver_may_close_its_own_stream(reactor: Reactor, pairs: Pair) -> None:
    ours, theirs = pairs()

    class Shy(Ear):
        def received(self, data: bytes) -> None:
            super().received(data)
            link.close()

    ear = Shy()
    ready = threading.Event()
    reactor.call(ready.wait)  # until ``link`` is known
    link = reactor.add(ours, ear)
    ready.set()
    theirs.sendall(b"x")
    wait_for(lambda: ear.data)
    wait_for(lambda: len(reactor) == 0)
    assert ear.ends == []


def test_timers_fire_in_order_and_can_be_cancelled(reactor: Reactor) -> None:
    fired: list[str] = []
    reactor.later(0.05, lambda: fired.append("second"))
    reactor.later(0.0, lambda: fired.append("first"))
    cancelled = reactor.later(0.01, lambda: fired.append("never"))
    cancelled.cancel()
    wait_for(lambda: "second" in fired)
    assert fired == ["first", "second"]


def test_adding_and_closing_from_many_threads_leaks_nothing(reactor: Reactor, pairs: Pair) -> None:
    heard: list[bytes] = []

    def work() -> None:
        for number in range(50):
            ours, theirs = socket.socketpair()
            ear = Ear()
            link = reactor.add(ours, ear)
            theirs.sendall(b"x" * (number + 1))
            if number % 2:
                wait_for(lambda ear=ear, number=number: len(ear.data) == number + 1)  # type: ignore[misc]
                heard.append(bytes(ear.data))
            link.close()
            theirs.close()

    ours, _theirs = pairs()
    reactor.add(ours, Ear()).close()
    wait_for(lambda: len(reactor) == 0)
    before = len(os.listdir("/proc/self/fd"))
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(heard) == 8 * 25
    wait_for(lambda: len(reactor) == 0)
    wait_for(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_close_ends_the_thread_and_every_socket(pairs: Pair) -> None:
    reactor = Reactor("to-close")
    ours, theirs = pairs()
    ear = Ear()
    link = reactor.add(ours, ear)
    reactor.close()
    reactor.close()
    assert not any(thread.name == "to-close" for thread in threading.enumerate())
    assert ours.fileno() == -1
    assert theirs.recv(1) == b""
    assert ear.ends == []
    link.send(b"x")
    link.close()
    late, _ = pairs()
    with pytest.raises(RuntimeError, match="closed"):
        reactor.add(late, Ear())
    assert late.fileno() == -1


def test_an_unused_reactor_starts_no_thread() -> None:
    reactor = Reactor("unused")
    assert not any(thread.name == "unused" for thread in threading.enumerate())
    reactor.close()


def test_it_sleeps_while_nothing_happens(reactor: Reactor, pairs: Pair) -> None:
    ours, theirs = pairs()
    ear = Ear()
    reactor.add(ours, ear)
    theirs.sendall(b"x")
    wait_for(lambda: ear.data)
    thread = next(iter(ear.threads))
    stat = Path(f"/proc/self/task/{thread.native_id}/status")

    def switches() -> str:
        return next(line for line in stat.read_text().splitlines() if line.startswith("voluntary"))

    # Asleep is when it gave the processor up and did not wake again between two looks.
    def asleep() -> bool:
        before = switches()
        time.sleep(0.2)
        return switches() == before

    wait_for(asleep)


class Secure:
    """Both ends of a TLS connection over a pair of sockets."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        cert, key = authority.issue(folder / "server", "engine")
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(cert, key)
        client_context = ssl.create_default_context(cafile=str(authority.certificate))
        ours, theirs = socket.socketpair()
        made: list[ssl.SSLSocket] = []
        shaking = threading.Thread(
            target=lambda: made.append(server_context.wrap_socket(theirs, server_side=True))
        )
        shaking.start()
        self.ours = client_context.wrap_socket(ours, server_hostname="engine")
        shaking.join(30)
        self.theirs = made[0]
        self.theirs.settimeout(30)


def test_tls_gives_what_it_holds_back(reactor: Reactor, tmp_path: Path) -> None:
    """A selector does not tell of bytes that TLS has decrypted already; none may be left lying."""
    secure = Secure(tmp_path)
    ear = Ear()
    reactor.add(secure.ours, ear)
    sent = os.urandom(5 * RECEIVE + 17)
    writer = threading.Thread(target=secure.theirs.sendall, args=(sent,))
    writer.start()
    wait_for(lambda: len(ear.data) == len(sent))
    assert bytes(ear.data) == sent
    writer.join(30)
    secure.theirs.close()
    wait_for(lambda: ear.ends)


def test_tls_gives_what_was_decrypted_before_it_was_added(reactor: Reactor, tmp_path: Path) -> None:
    secure = Secure(tmp_path)
    secure.theirs.sendall(b"headbody")
    assert secure.ours.recv(4) == b"head"
    assert secure.ours.pending() == 4
    ear = Ear()
    reactor.add(secure.ours, ear)
    wait_for(lambda: ear.data == b"body")
    secure.theirs.close()
    wait_for(lambda: ear.ends)


def test_tls_sends_both_ways_at_once(reactor: Reactor, tmp_path: Path) -> None:
    secure = Secure(tmp_path)
    ear = Ear()
    link = reactor.add(secure.ours, ear)
    there, back = os.urandom(2_000_000), os.urandom(2_000_000)
    link.send(there)
    got = bytearray()

    def read() -> None:
        while len(got) < len(there):
            got.extend(secure.theirs.recv(65_536))

    # The other side answers only after it has read: TLS sockets are not for two threads at once.
    other = threading.Thread(target=lambda: (read(), secure.theirs.sendall(back)))
    other.start()
    wait_for(lambda: len(ear.data) == len(back))
    other.join(30)
    assert bytes(got) == there
    assert bytes(ear.data) == back
    secure.theirs.close()
    wait_for(lambda: ear.ends)
