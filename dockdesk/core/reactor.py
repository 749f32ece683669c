"""One thread that reads every live stream.

A thread a stream costs frames: a hundred readers that wake at once keep the GUI thread from the interpreter for longer
than a frame, one selector does not.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

_log = logging.getLogger(__name__)

RECEIVE = 262_144  # bytes a read; also what one stream may take before the others have their turn

# A round that follows a small one begins at least this long, in seconds, after it. A busy stream would otherwise be
# read in crumbs, each of which costs the GUI thread the interpreter; what stands alone, such as the echo of a key, is
# not delayed. Longer would hold the sender up: a unix socket takes only some hundred small writes.
_ROUND = 0.0003
_CRUMBS = 8192  # bytes


class Stream(Protocol):
    """What a socket's bytes go to. Both methods are called on the reactor's thread and must not wait."""

    def received(self, data: bytes) -> None:
        """Take bytes as they came, never empty. An exception ends this stream and no other."""

    def lost(self, error: Exception | None) -> None:
        """The socket is over, called once: closed by the other side (None), broken, or `received` raised."""


class Timer:
    """Something to happen later; `cancel` from any thread."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def cancel(self) -> None:
        self._function = None

    def fire(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            function()


class Link:
    """A socket in a reactor's care. `send` and `close` are for any thread; neither waits."""

    __slots__ = ("_outgoing", "_reactor", "closed", "events", "secure", "sock", "stream", "waits")

    def __init__(self, reactor: Reactor, sock: socket.socket, stream: Stream) -> None:
        self._reactor = reactor
        self.sock = sock
        self.stream = stream
        self.closed = False
        self.events = 0  # what the selector waits for; 0 while not registered
        self.secure = hasattr(sock, "pending")  # as TLS sockets are
        self.waits: tuple[type[OSError], ...] = (BlockingIOError, InterruptedError)
        if self.secure:
            import ssl  # not needed before there is such a socket

            self.waits += (ssl.SSLWantReadError, ssl.SSLWantWriteError)
        self._outgoing: deque[memoryview] = deque()

    def send(self, data: bytes) -> None:
        """Queue bytes; they leave in order as the socket takes them."""
        if data and not self.closed:
            self._outgoing.append(memoryview(bytes(data)))
            self._reactor.call(lambda: self._reactor.flush(self))

    def close(self) -> None:
        """Hear nothing more of it; the reactor's thread closes the socket."""
        if not self.closed:
            self.closed = True
            self._reactor.call(lambda: self._reactor.drop(self))

    @property
    def outgoing(self) -> deque[memoryview]:
        """What the socket has not taken yet. The reactor's thread's own."""
        return self._outgoing


class Reactor:
    """Reads sockets on one thread, which starts with the first of them and sleeps while nothing happens."""

    def __init__(self, name: str = "streams") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._links: set[Link] = set()
        self._again: set[Link] = set()  # TLS keeps bytes that no selector tells of
        self._thread: threading.Thread | None = None
        self._selector: selectors.BaseSelector | None = None
        self._waker: socket.socket | None = None
        self._awake = False
        self._closed = False
        self._buffer = memoryview(bytearray(RECEIVE))
        self._taken = 0  # bytes of the present round

    # --- Any thread ---

    def __len__(self) -> int:
        """How many sockets it reads."""
        return len(self._links)

    @property
    def here(self) -> bool:
        """Whether the caller is on the reactor's thread."""
        return threading.current_thread() is self._thread

    def add(self, sock: socket.socket, stream: Stream) -> Link:
        """Read ``sock``, which it owns from now on, into ``stream``. A closed reactor closes it and raises."""
        link = Link(self, sock, stream)
        sock.setblocking(False)
        if not self.call(lambda: self._watch(link)):
            sock.close()
            raise RuntimeError("the reactor is closed")
        return link

    def call(self, function: Callable[[], None]) -> bool:
        """Have ``function`` run on the reactor's thread soon; False if the reactor is closed."""
        with self._lock:
            if self._closed:
                return False
            self._calls.append(function)
            if self._thread is None:
                self._start()
            if self._awake:
                return True
            self._wake()
        return True

    def later(self, delay: float, function: Callable[[], None]) -> Timer:
        """Have ``function`` run on the reactor's thread after ``delay`` seconds."""
        timer = Timer(function)
        due = time.monotonic() + delay
        self.call(lambda: heapq.heappush(self._timers, (due, next(self._order), timer)))
        return timer

    def close(self, timeout: float = 5.0) -> None:
        """Close every socket and end the thread; streams hear nothing more. Twice is harmless."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
            if not self._awake:
                self._wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    # --- The reactor's thread ---

    def flush(self, link: Link) -> None:
        """Send what ``link`` has queued, as far as the socket takes it."""
        if link.closed or link not in self._links:
            return
        outgoing = link.outgoing
        try:
            while outgoing:
                view = outgoing[0]
                sent = link.sock.send(view)
                if sent == len(view):
                    outgoing.popleft()
                else:
                    outgoing[0] = view[sent:]
        except link.waits:
            pass
        except OSError as error:
            self._lose(link, error)
            return
        self._wait_for(link)

    def drop(self, link: Link) -> None:
        """Forget a link and close its socket."""
        link.closed = True
        self._links.discard(link)
        self._again.discard(link)
        link.outgoing.clear()
        if link.events and self._selector is not None:
            self._selector.unregister(link.sock)
            link.events = 0
        link.sock.close()

    def _wake(self) -> None:
        """Under the lock, and only while not awake, so that there is never more than a byte in the pipe."""
        if self._waker is not None:
            self._awake = True
            self._waker.send(b"\0")

    def _start(self) -> None:
        """Under the lock."""
        self._selector = selectors.DefaultSelector()
        reader, self._waker = socket.socketpair()
        reader.setblocking(False)
        self._selector.register(reader, selectors.EVENT_READ)
        self._thread = threading.Thread(
            target=self._run, args=(self._selector, reader), name=self._name, daemon=True
        )
        self._thread.start()

    def _run(self, selector: selectors.BaseSelector, reader: socket.socket) -> None:
        last = 0.0
        while not self._closed:
            ready = selector.select(self._patience())
            if self._taken < _CRUMBS and (early := last + _ROUND - time.monotonic()) > 0:
                time.sleep(early)
            last = time.monotonic()
            self._taken = 0
            for key, events in ready:
                if key.data is None:
                    self._hear(reader)
                elif not key.data.closed:
                    self._serve(key.data, events)
            self._run_calls()
            self._run_timers()
            again, self._again = self._again, set()
            for link in again:
                if not link.closed:
                    self._read(link)
        for link in list(self._links):
            self.drop(link)
        self._run_calls()  # sockets that were on their way in
        selector.close()
        with self._lock:  # `close` holds it from telling to waking
            reader.close()
            if self._waker is not None:
                self._waker.close()
                self._waker = None

    def _patience(self) -> float | None:
        if self._again or self._calls:
            return 0.0
        while self._timers and self._timers[0][2]._function is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _hear(self, reader: socket.socket) -> None:
        # First the byte, then the flag: whoever finds the flag still up has queued its call already.
        with suppress(BlockingIOError):
            reader.recv(16)
        with self._lock:
            self._awake = False

    def _run_calls(self) -> None:
        for _ in range(len(self._calls)):
            self._guarded(self._calls.popleft())

    def _run_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._guarded(heapq.heappop(self._timers)[2].fire)

    def _guarded(self, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception:  # noqa: BLE001 - one stream's fault must not end the others; it is logged
            _log.exception("a call on the streams' thread failed")

    def _watch(self, link: Link) -> None:
        if link.closed or self._closed:
            link.closed = True
            link.sock.close()
            return
        self._links.add(link)
        self._wait_for(link)
        if link.secure:
            self._again.add(link)  # the handshake or the head may have brought more than was taken

    def _wait_for(self, link: Link) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.outgoing else 0)
        if events == link.events or self._selector is None:
            return
        if link.events:
            self._selector.modify(link.sock, events, link)
        else:
            self._selector.register(link.sock, events, link)
        link.events = events

    def _serve(self, link: Link, events: int) -> None:
        # With TLS each direction may wait for the other, so both are tried.
        if link.outgoing:
            self.flush(link)
        if not link.closed and (events & selectors.EVENT_READ or link.secure):
            self._read(link)

    def _read(self, link: Link) -> None:
        data, failure, ended = self._receive(link)
        if link.closed:
            return  # while it was read
        if data:
            try:
                link.stream.received(data)
            except Exception as error:  # noqa: BLE001 - one stream's fault is not the others'
                _log.exception("a stream failed on what it received")
                failure, ended = error, True
        if ended:
            self._lose(link, failure)

    def _receive(self, link: Link) -> tuple[bytes, Exception | None, bool]:
        """What there is to read, the failure of reading, and whether that was the end.

        TLS gives a record at a time and keeps others back, of which no selector tells: it is asked until it has none.
        """
        secure = link.secure
        parts: list[bytes] = []
        left = RECEIVE
        try:
            while left > 0:
                count = link.sock.recv_into(self._buffer)
                parts.append(bytes(self._buffer[:count]))
                left -= count
                self._taken += count
                if not count:
                    return b"".join(parts), None, True
                if not secure:
                    break  # the selector tells of what is left
        except link.waits:
            secure = False  # nothing is kept back
        except OSError as error:
            return b"".join(parts), error, True
        if secure:
            self._again.add(link)
        return b"".join(parts), None, False

    def _lose(self, link: Link, error: Exception | None) -> None:
        if link.closed:
            return
        self.drop(link)
        try:
            link.stream.lost(error)
        except Exception:  # noqa: BLE001 - one stream's fault must not end the others; it is logged
            _log.exception("a stream failed on its end")
