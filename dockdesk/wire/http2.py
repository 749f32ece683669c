"""HTTP/2 over a connected socket, both ends, for gRPC.

The library h2 keeps the protocol's state; this moves its bytes. One thread a connection reads and writes, since a TLS
socket must not be used by two at a time; streams are used by any thread, and block only their own.

DATA frames that come in don't pass through h2: it takes 30 µs for each, and BuildKit asks for every file of a context
in a frame of its own. They are taken out beforehand, and their flow control is done here. Source: RFC 9113.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

Headers: TypeAlias = list[tuple[str, str]]

CONNECTION_WINDOW = 1 << 25  # bytes that may be under way to us
STREAM_WINDOW = 1 << 23
_OUTGOING = 1 << 22  # bytes that wait for the socket before senders do
_RECEIVE = 1 << 18
_MAX_HEADERS = 1 << 20
_PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
_FRAME = struct.Struct(">HBBBI")  # length in 16 and 8 bits, type, flags, stream
_DATA, _WINDOW_UPDATE = 0, 8
_END_STREAM, _PADDED = 1, 8


class StreamClosedError(Exception):
    """The stream was reset (``code``, RFC 9113 section 7), or its connection is gone (``code`` None)."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


class Stream:
    """One request and its answer. Any thread may use it; one at a time sends, and one receives."""

    def __init__(self, connection: Connection, id: int) -> None:
        self.id = id
        self.headers: Headers = []  # the other side's: a request's, or an answer's
        self.trailers: Headers = []
        self._connection = connection
        self._changed = threading.Condition(connection.lock)
        self._received = bytearray()
        self._unacknowledged = 0
        self._ended = False  # the other side has said all
        self._done = False  # so have we
        self._stopped = False  # nobody wants to hear more
        self._failure: StreamClosedError | None = None

    def send_headers(self, headers: Headers, end: bool = False) -> None:
        with self._connection.lock:
            self._check()
            self._done = self._done or end
            with _translated():
                self._connection.state.send_headers(self.id, headers, end_stream=end)
            self._connection.flush()

    def send(self, data: bytes | bytearray, end: bool = False) -> None:
        """Send bytes; block while the other side has no room for them. Raise StreamClosedError."""
        connection, view = self._connection, memoryview(data)
        position = 0
        with connection.lock, _translated():
            while position < len(view) or end:
                self._check()
                room = min(
                    connection.state.local_flow_control_window(self.id),
                    connection.state.max_outbound_frame_size,
                )
                piece = view[position : position + max(0, room)]
                if (not piece and position < len(view)) or connection.waiting > _OUTGOING:
                    connection.flush()
                    self._changed.wait()
                    continue
                position += len(piece)
                last = end and position == len(view)
                connection.state.send_data(self.id, piece.tobytes(), end_stream=last)
                if last:
                    self._done = True
                    break
            connection.flush()

    def receive(self, deadline: float | None = None) -> bytes:
        """What has come, at least a byte; empty once the other side has said all.

        Raise StreamClosedError, or TimeoutError after ``deadline`` (as time.monotonic counts).
        """
        with self._connection.lock:
            while not self._received:
                if self._ended or self._stopped:
                    return b""
                self._check()
                self._wait(deadline)
            data = bytes(self._received)
            self._received.clear()
            self._unacknowledged += len(data)
            if self._unacknowledged > STREAM_WINDOW // 2 and not self._ended:
                self._connection.grant(self.id, self._unacknowledged)
                self._unacknowledged = 0
            return data

    def poll(self) -> bytes:
        """What has come by now, if anything. Never waits or raises."""
        return self.receive() if self._received else b""

    def await_headers(self, deadline: float | None = None) -> Headers:
        """The other side's headers. Raise as `receive` does."""
        with self._connection.lock:
            while not self.headers:
                self._check()
                if self._ended:
                    raise StreamClosedError("the stream ended without headers")
                self._wait(deadline)
            return self.headers

    def reset(self, code: h2.errors.ErrorCodes = h2.errors.ErrorCodes.CANCEL) -> None:
        """End it at once, both ways. Harmless where it is over."""
        with self._connection.lock:
            if self._failure is None and not (self._ended and self._done):
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self._connection.state.reset_stream(self.id, code)
                self._fail(StreamClosedError("the stream was cancelled", int(code)))
                self._connection.flush()
            self._connection.forget(self)

    def forget(self) -> None:
        """It is over for whoever used it."""
        with self._connection.lock:
            self._connection.forget(self)

    def stop_receiving(self) -> None:
        """What comes from here on does not matter: `receive` returns the end."""
        with self._connection.lock:
            self._received.clear()
            self._stopped = True
            self._changed.notify_all()

    @property
    def failure(self) -> StreamClosedError | None:
        return self._failure

    # For the connection, which holds the lock.

    def _take(self, data: Any) -> None:
        if not self._stopped:
            self._received += data
        self._changed.notify_all()

    def _end(self) -> None:
        self._ended = True
        self._changed.notify_all()

    def _fail(self, failure: StreamClosedError) -> None:
        if self._failure is None:
            self._failure = failure
        self._changed.notify_all()

    def _wake(self) -> None:
        self._changed.notify_all()

    def _check(self) -> None:
        if self._failure is not None:
            raise StreamClosedError(str(self._failure), self._failure.code)

    def _wait(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError("no answer in time")
        self._changed.wait(left)


class Connection:
    """One end of a connection. It owns ``sock``, and closes it.

    ``received`` was read from the socket already. A server gets each request with ``on_request``, called on the
    connection's thread: it must not block. ``on_close`` is called there too, once, when the connection is over.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        client: bool,
        received: bytes = b"",
        on_request: Callable[[Stream], None] | None = None,
        on_close: Callable[[], None] | None = None,
        name: str = "http2",
    ) -> None:
        self.lock = threading.RLock()
        self.waiting = 0  # bytes for the socket
        self.error: Exception | None = None
        self._sock = sock
        self._on_request = on_request
        self._on_close = on_close
        self._streams: dict[int, Stream] = {}
        self._outgoing: list[bytes] = []
        self._rest = b""
        self._preface = 0 if client else _PREFACE
        self._unacknowledged = 0
        self._closing = self.closed = self._going_away = False
        self._would_block: tuple[type[OSError], ...] = (BlockingIOError, InterruptedError)
        if hasattr(sock, "pending"):
            import ssl

            self._would_block += (ssl.SSLWantReadError, ssl.SSLWantWriteError)
        self._wakeup, self._waker = socket.socketpair()
        self._wakeup.setblocking(False)
        self._waker.setblocking(False)
        self.state = self._new_state(client)
        self._thread = threading.Thread(target=self._run, args=(received,), name=name, daemon=True)

    @staticmethod
    def _new_state(client: bool) -> h2.connection.H2Connection:
        state = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=client, header_encoding=None, validate_inbound_headers=False
            )
        )
        codes = h2.settings.SettingCodes
        state.local_settings = h2.settings.Settings(
            client=client,
            initial_values={
                codes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
                codes.MAX_CONCURRENT_STREAMS: 256,
                codes.MAX_HEADER_LIST_SIZE: _MAX_HEADERS,
                **({codes.ENABLE_PUSH: 0} if client else {}),
            },
        )
        # An error's details, with the Dockerfile in them, come in a trailer.
        state.decoder.max_header_list_size = _MAX_HEADERS
        state.initiate_connection()
        state.increment_flow_control_window(CONNECTION_WINDOW - 65535)
        return state

    def start(self) -> Connection:
        self._sock.setblocking(False)
        self._thread.start()
        return self

    def open(self, headers: Headers, end: bool = False) -> Stream:
        """Begin a request. Raise StreamClosedError where there is no connection any more."""
        with self.lock:
            if self.closed or self._closing or self._going_away:
                raise StreamClosedError(self._why())
            with _translated():
                id = self.state.get_next_available_stream_id()
            stream = self._streams[id] = Stream(self, id)
            stream.send_headers(headers, end)
            return stream

    def close(self) -> None:
        """End it and wait for its thread. Any thread; twice is harmless."""
        with self.lock:
            if not self._closing and not self.closed:
                self._closing = True
                with contextlib.suppress(h2.exceptions.ProtocolError):
                    self.state.close_connection()
                self.flush()
            self._wake()
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join()

    # For streams, which hold the lock.

    def flush(self) -> None:
        """Have what h2 has made written."""
        if data := self.state.data_to_send():
            self._write(data)

    def grant(self, id: int, size: int) -> None:
        """Let the other side send ``size`` more bytes."""
        self._write(_FRAME.pack(0, 4, _WINDOW_UPDATE, 0, id) + size.to_bytes(4, "big"))

    def forget(self, stream: Stream) -> None:
        self._streams.pop(stream.id, None)

    def _write(self, data: bytes) -> None:
        if not self._outgoing:
            self._wake()
        self._outgoing.append(data)
        self.waiting += len(data)

    def _wake(self) -> None:
        # BlockingIOError: it is woken already; another OSError: it is over.
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def _why(self) -> str:
        return f"the connection broke: {self.error}" if self.error else "the connection is closed"

    # --- The connection's thread ---

    def _run(self, received: bytes) -> None:
        try:
            with self.lock:
                self.flush()
            if received:
                self._feed(received)
            self._loop()
        except (OSError, h2.exceptions.H2Error, ValueError) as error:
            self.error = error
        finally:
            with self.lock:
                self.closed = True
                streams = list(self._streams.values())
                self._streams.clear()
                for stream in streams:
                    stream._fail(StreamClosedError(self._why()))
            for sock in (self._sock, self._wakeup, self._waker):
                sock.close()
            if self._on_close is not None:
                self._on_close()

    def _loop(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            selector.register(self._wakeup, selectors.EVENT_READ)
            blocked = b""
            while True:
                blocked = self._drain(blocked)
                if self._closing and not blocked:
                    return
                wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if blocked else 0)
                if selector.get_key(self._sock).events != wanted:
                    selector.modify(self._sock, wanted)
                # A peer that takes nothing more must not hold up a close.
                for key, events in selector.select(1.0 if self._closing else None):
                    if key.fileobj is self._wakeup:
                        with contextlib.suppress(*self._would_block):
                            self._wakeup.recv(4096)
                    elif events & selectors.EVENT_READ and not self._read():
                        return
                if self._closing and blocked:
                    return

    def _drain(self, blocked: bytes) -> bytes:
        """Write what waits; return what the socket does not take yet."""
        while True:
            with self.lock:
                if not blocked:
                    blocked = b"".join(self._outgoing)
                    self._outgoing.clear()
                    if not blocked:
                        return b""
            view = memoryview(blocked)
            position = 0
            try:
                while position < len(view):
                    position += self._sock.send(view[position : position + _RECEIVE])
            except self._would_block:
                pass
            with self.lock:
                over = self.waiting > _OUTGOING
                self.waiting -= position
                if over and self.waiting <= _OUTGOING:
                    self._wake_streams()
            if position < len(view):
                return blocked[position:]
            blocked = b""

    def _read(self) -> bool:
        """Take what has come; False at the end."""
        while True:
            try:
                data = self._sock.recv(_RECEIVE)
            except self._would_block:
                return True
            if not data:
                return False
            self._feed(data)
            if not hasattr(self._sock, "pending") or not self._sock.pending():
                return True

    def _feed(self, data: bytes) -> None:
        requests: list[Stream] = []
        with self.lock:
            if self._preface:
                self._rest += data
                if len(self._rest) < self._preface:
                    return
                size, self._preface = self._preface, 0
                self._handle(self._rest[:size], requests)
                data, self._rest = self._rest[size:], b""
            self._frames(self._rest + data if self._rest else data, requests)
            self.flush()
        for stream in requests:
            if self._on_request is not None:
                self._on_request(stream)

    def _frames(self, data: bytes, requests: list[Stream]) -> None:
        """Part DATA frames from all others, which h2 gets, in their order."""
        position = begun = 0
        view, end, unpack = memoryview(data), len(data), _FRAME.unpack_from
        while end - position >= 9:
            high, low, kind, flags, id = unpack(data, position)
            size = high << 8 | low
            if size > self.state.max_inbound_frame_size:
                raise ValueError(f"a frame of {size} bytes")
            after = position + 9 + size
            if after > end:
                break
            if kind == _DATA:
                if begun < position:
                    self._handle(data[begun:position], requests)
                begun = after
                self._data(id & 0x7FFFFFFF, flags, view[position + 9 : after], requests)
            position = after
        if begun < position:
            self._handle(data[begun:position], requests)
        self._rest = data[position:]

    def _data(self, id: int, flags: int, payload: memoryview, requests: list[Stream]) -> None:
        self._unacknowledged += len(payload)
        if self._unacknowledged > CONNECTION_WINDOW // 2:
            self.grant(0, self._unacknowledged)
            self._unacknowledged = 0
        stream = self._streams.get(id)
        if stream is None:
            return  # it was reset, which the other side did not know yet
        if flags & _PADDED:
            if not payload or payload[0] >= len(payload):
                raise ValueError("a frame with more padding than bytes")
            payload = payload[1 : len(payload) - payload[0]]
        if payload:
            stream._take(payload)
        if flags & _END_STREAM:
            self._handle(_FRAME.pack(0, 0, _DATA, _END_STREAM, id), requests)

    def _handle(self, frames: bytes, requests: list[Stream]) -> None:
        for event in self.state.receive_data(frames):
            self._on_event(event, requests)

    def _on_event(self, event: h2.events.Event, requests: list[Stream]) -> None:
        kinds = h2.events
        if isinstance(event, kinds.RequestReceived):
            stream = self._streams[event.stream_id] = Stream(self, event.stream_id)
            stream.headers = _texts(event.headers)
            requests.append(stream)
            return
        if isinstance(event, (kinds.WindowUpdated, kinds.RemoteSettingsChanged)):
            self._wake_streams()
            return
        if isinstance(event, kinds.ConnectionTerminated):
            self._going_away = True
            last = event.last_stream_id or 0
            if event.error_code not in {0, None}:
                detail = bytes(event.additional_data or b"").decode("utf-8", "replace")
                self.error = ConnectionError(f"it was ended with code {event.error_code} {detail}")
                last = -1
            for id, stream in list(self._streams.items()):
                if id > last:
                    stream._fail(StreamClosedError(self._why()))
            return
        found = self._streams.get(getattr(event, "stream_id", None) or 0)
        if found is None:
            return
        if isinstance(event, kinds.ResponseReceived):
            found.headers = _texts(event.headers)
            found._wake()
        elif isinstance(event, kinds.TrailersReceived):
            found.trailers = _texts(event.headers)
        elif isinstance(event, kinds.StreamEnded):
            found._end()
        elif isinstance(event, kinds.StreamReset):
            found._fail(
                StreamClosedError("the other side ended the stream", int(event.error_code or 0))
            )
            self.forget(found)

    def _wake_streams(self) -> None:
        for stream in self._streams.values():
            stream._wake()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """What h2 refuses, such as to send on a stream that the other side has closed."""
    try:
        yield
    except h2.exceptions.ProtocolError as error:
        raise StreamClosedError(str(error) or type(error).__name__) from error


def _texts(headers: Iterable[Any] | None) -> Headers:
    return [(_text(name), _text(value)) for name, value in headers or ()]


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
