"""gRPC over any connected socket, as client and as server: unary and streaming, deadlines, cancellation, trailers.

grpcio was weighed: it can't be given a connected socket, which is what an engine's hijacked connection is, nor be the
server on a connection that it opened. Messages are bytes here; see protobuf.py for what is in them.
Source: github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md and doc/statuscodes.md.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import TypeAlias
from urllib.parse import quote, unquote

from h2.errors import ErrorCodes

from dockdesk.wire.http2 import Connection, Headers, Stream, StreamClosedError

_log = logging.getLogger(__name__)

MAX_MESSAGE = 1 << 26
_PREFIX = struct.Struct(">BI")
_REFUSED_STREAM, _CANCEL, _CALM = 0x7, 0x8, 0xB
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


class Code(IntEnum):
    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class GrpcError(Exception):
    """A call failed. ``details`` is a google.rpc.Status message, or empty."""

    def __init__(self, code: Code, message: str, details: bytes = b"") -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.details = details


def framed(*messages: bytes) -> bytes:
    """Messages with their length prefixes."""
    return b"".join(_PREFIX.pack(0, len(item)) + item for item in messages)


class Call:
    """One call, seen from either end. One thread at a time sends, and one receives.

    ``metadata`` is what the other side sent with its headers: names in lower case, values in their order.
    """

    def __init__(self, stream: Stream, deadline: float | None = None) -> None:
        self._stream = stream
        self._deadline = deadline
        self._rest = b""
        self._ready: list[bytes] = []

    @property
    def metadata(self) -> Mapping[str, Sequence[str]]:
        return _metadata(self._stream.headers)

    @property
    def broken(self) -> bool:
        """Whether it was cancelled, or its connection is gone."""
        return self._stream.failure is not None

    def send(self, *messages: bytes) -> None:
        """Send messages; block while the other side has no room. Raise GrpcError."""
        self.send_framed(framed(*messages))

    def send_framed(self, data: bytes | bytearray) -> None:
        """Send messages that carry their length prefixes already: many small ones at the cost of one."""
        try:
            self._stream.send(data)
        except StreamClosedError as error:
            raise self._failure(error) from error

    def receive(self) -> bytes | None:
        """The next message, or None at the end. Raise GrpcError."""
        if not self._ready:
            self._ready = self.receive_some()[::-1]
        return self._ready.pop() if self._ready else None

    def receive_some(self) -> list[bytes]:
        """All messages that have come, at least one; none at the end. Raise GrpcError."""
        if self._ready:
            ready, self._ready = self._ready[::-1], []
            return ready
        while True:
            try:
                data = self._stream.receive(self._deadline)
            except StreamClosedError as error:
                raise self._failure(error) from error
            except TimeoutError:
                self.cancel()
                raise GrpcError(Code.DEADLINE_EXCEEDED, "no answer in time") from None
            if not data:
                self._at_end()
                return []
            if found := self._split(data):
                return found

    def poll(self) -> list[bytes]:
        """The messages that have come by now; never waits."""
        ready, self._ready = self._ready[::-1], []
        return ready + self._split(self._stream.poll())

    def __iter__(self) -> Iterator[bytes]:
        while (item := self.receive()) is not None:
            yield item

    def cancel(self) -> None:
        """End it at once; who waits for it gets GrpcError. Any thread."""
        self._stream.reset()

    def _at_end(self) -> None:
        if self._rest:
            raise GrpcError(Code.INTERNAL, "the stream ends within a message")

    def _failure(self, error: StreamClosedError) -> GrpcError:
        return _closed(error)

    def _split(self, data: bytes) -> list[bytes]:
        data = self._rest + data if self._rest else data
        found: list[bytes] = []
        position, end = 0, len(data)
        while end - position >= 5:
            compressed, size = _PREFIX.unpack_from(data, position)
            if compressed:
                raise GrpcError(Code.UNIMPLEMENTED, "a compressed message")
            if size > MAX_MESSAGE:
                raise GrpcError(Code.RESOURCE_EXHAUSTED, f"a message of {size} bytes")
            after = position + 5 + size
            if after > end:
                break
            found.append(data[position + 5 : after])
            position = after
        self._rest = data[position:]
        return found


class ClientCall(Call):
    """A call that was made. Receiving to the end raises the failure it ended with."""

    def end(self) -> None:
        """Say that nothing more will be sent; harmless where the server has answered already."""
        try:
            self._stream.send(b"", end=True)
        except StreamClosedError as error:
            # A server that has said all may reset what is left of the stream (RFC 9113, section 8.1).
            if not self._answered:
                raise self._failure(error) from error

    def _at_end(self) -> None:
        headers = self._stream.headers
        _check_answer(headers)
        status = _status(self._stream.trailers or headers)
        self._stream.forget()
        if status is not None:
            raise status
        super()._at_end()

    @property
    def _answered(self) -> bool:
        trailers = self._stream.trailers or self._stream.headers
        return any(name == "grpc-status" for name, _ in trailers)

    def _failure(self, error: StreamClosedError) -> GrpcError:
        # A server may answer before it has read everything, and then reset the rest.
        if self._answered:
            return _status(self._stream.trailers or self._stream.headers) or _closed(error)
        return _closed(error)


class ServerCall(Call):
    """A call that came. ``method`` is as in “/grpc.health.v1.Health/Check”."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream, _deadline(stream.headers))
        self.method = next((value for name, value in stream.headers if name == ":path"), "")
        self._begun = False

    def send_framed(self, data: bytes | bytearray) -> None:
        self.begin()
        super().send_framed(data)

    def begin(self) -> None:
        """Send the answer's headers, before its first message where the other side waits for them."""
        if not self._begun:
            self._begun = True
            try:
                self._stream.send_headers(_ANSWER)
            except StreamClosedError as error:
                raise self._failure(error) from error

    def stop_receiving(self) -> None:
        """Have whoever receives see the end."""
        self._stream.stop_receiving()

    def finish(self, error: GrpcError | None = None) -> None:
        """End the call; the rest of what comes is not read."""
        trailers: Headers = [("grpc-status", str(int(error.code) if error else 0))]
        if error is not None:
            trailers.append(
                ("grpc-message", quote(error.message, safe=" !#$&'()*+,-./:;<=>?@[]^_`{|}~"))
            )
            if error.details:
                text = base64.b64encode(error.details).decode("ascii").rstrip("=")
                trailers.append(("grpc-status-details-bin", text))
        with contextlib.suppress(StreamClosedError):  # who asked has gone
            head = [] if self._begun else _ANSWER
            self._stream.send_headers([*head, *trailers], end=True)
        self._stream.reset(ErrorCodes.NO_ERROR)


Handler: TypeAlias = Callable[[ServerCall], None]


def unary(function: Callable[[bytes], bytes]) -> Handler:
    """A handler of one message in and one out."""

    def handle(call: ServerCall) -> None:
        call.send(function(call.receive() or b""))

    return handle


class Client:
    """Makes calls over ``sock``, which it owns. Thread-safe."""

    def __init__(
        self,
        sock: socket.socket,
        received: bytes = b"",
        authority: str = "localhost",
        name: str = "grpc-client",
        on_close: Callable[[], None] | None = None,
    ) -> None:
        self._authority = authority
        self.connection = Connection(
            sock, client=True, received=received, on_close=on_close, name=name
        ).start()

    def call(
        self,
        method: str,
        metadata: Sequence[tuple[str, str]] = (),
        timeout: float | None = None,
    ) -> ClientCall:
        """Begin a call, streaming both ways. ``timeout`` in seconds bounds all of it. Raise GrpcError."""
        headers: Headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", method),
            (":authority", self._authority),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        deadline = None
        if timeout is not None:
            headers.append(("grpc-timeout", f"{max(1, int(timeout * 1000))}m"))
            deadline = time.monotonic() + timeout
        try:
            return ClientCall(self.connection.open([*headers, *metadata]), deadline)
        except StreamClosedError as error:
            raise _closed(error) from error

    def ask(
        self,
        method: str,
        request: bytes,
        metadata: Sequence[tuple[str, str]] = (),
        timeout: float | None = None,
    ) -> bytes:
        """A unary call: one message there, one back. Raise GrpcError."""
        call = self.begin(method, request, metadata, timeout)
        answer = call.receive()
        if answer is None:
            raise GrpcError(Code.INTERNAL, "the answer is empty")
        while call.receive() is not None:
            pass
        return answer

    def begin(
        self,
        method: str,
        request: bytes,
        metadata: Sequence[tuple[str, str]] = (),
        timeout: float | None = None,
    ) -> ClientCall:
        """A call of one message, whose answers are read from what is returned."""
        call = self.call(method, metadata, timeout)
        try:
            call.send(request)
            call.end()
        except GrpcError:
            # The answer, if there is one, says why; `receive` raises it.
            if call._stream.failure is None:
                raise
        return call

    def close(self) -> None:
        self.connection.close()


class Server:
    """Answers calls on connected sockets; each call on a thread of its own.

    ``handlers`` map methods, as in “/package.Service/Method”. What a handler raises ends the call: GrpcError as it is,
    anything else as UNKNOWN, with its text.
    """

    def __init__(self, handlers: Mapping[str, Handler], name: str = "grpc-server") -> None:
        self._handlers = dict(handlers)
        self._name = name
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()

    def serve(
        self,
        sock: socket.socket,
        received: bytes = b"",
        on_close: Callable[[], None] | None = None,
    ) -> Connection:
        """Answer what comes over ``sock``, which is closed with the connection that is returned."""
        return Connection(
            sock,
            client=False,
            received=received,
            on_request=self._on_request,
            on_close=on_close,
            name=self._name,
        ).start()

    def join(self, timeout: float = 10.0) -> None:
        """Wait for handlers that still run; their connections should be closed."""
        until = time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))

    def _on_request(self, stream: Stream) -> None:
        call = ServerCall(stream)
        thread = threading.Thread(
            target=self._answer, args=(call,), name=f"{self._name}-call", daemon=True
        )
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _answer(self, call: ServerCall) -> None:
        failure: GrpcError | None = None
        try:
            handler = self._handlers.get(call.method)
            if handler is None:
                raise GrpcError(Code.UNIMPLEMENTED, f"unknown method {call.method}")
            handler(call)
        except GrpcError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a handler's failure is its call's
            _log.exception("%s failed", call.method)
            failure = GrpcError(Code.UNKNOWN, str(error) or type(error).__name__)
        finally:
            call.finish(failure)
            with self._lock:
                self._threads.discard(threading.current_thread())


_ANSWER: Headers = [(":status", "200"), ("content-type", "application/grpc")]


def _closed(error: StreamClosedError) -> GrpcError:
    if error.code is None:
        return GrpcError(Code.UNAVAILABLE, str(error))
    code = {
        _REFUSED_STREAM: Code.UNAVAILABLE,
        _CANCEL: Code.CANCELLED,
        _CALM: Code.RESOURCE_EXHAUSTED,
    }.get(error.code, Code.INTERNAL)
    return GrpcError(code, str(error))


def _metadata(headers: Headers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if not name.startswith(":"):
            found.setdefault(name.lower(), []).append(value)
    return found


def _check_answer(headers: Headers) -> None:
    status = next((value for name, value in headers if name == ":status"), "200")
    if status != "200":
        code = {
            "401": Code.UNAUTHENTICATED,
            "403": Code.PERMISSION_DENIED,
            "404": Code.UNIMPLEMENTED,
        }
        raise GrpcError(code.get(status, Code.UNKNOWN), f"HTTP status {status}")


def _status(trailers: Headers) -> GrpcError | None:
    """The failure in trailers; None for success."""
    values = dict(trailers)
    text = values.get("grpc-status")
    if text is None:
        return GrpcError(Code.UNKNOWN, "the answer has no status")
    try:
        code = Code(int(text))
    except ValueError:
        code = Code.UNKNOWN
    if code is Code.OK:
        return None
    return GrpcError(
        code,
        unquote(values.get("grpc-message", "")),
        _binary(values.get("grpc-status-details-bin", "")),
    )


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _deadline(headers: Headers) -> float | None:
    text = next((value for name, value in headers if name == "grpc-timeout"), "")
    if not text or text[-1] not in _UNITS or not text[:-1].isdecimal():
        return None
    return time.monotonic() + int(text[:-1]) * _UNITS[text[-1]]
