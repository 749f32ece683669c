"""HTTP/1.1 to the engine on a socket of its own, for everything that streams.

The SDK's response objects can't be closed from another thread, hide buffered bytes and lose the difference between
the end of a stream and its loss. Here a request owns its socket, so that any thread can end it at any moment, and the
body's end is told apart from a broken connection. Source: RFC 9112 sections 4 to 7.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping

MAX_HEAD = 256 * 1024


class ProtocolError(Exception):
    """What came is not an HTTP/1.1 response."""


class ResponseReader:
    """Takes a response's bytes as they come, cut anywhere, and gives its body's.

    ``headers`` has lower-case names. ``upgraded`` is true once the connection carries raw bytes (status 101, or the
    engine's older 200 with no length to a request that asked for an upgrade). ``complete`` is true once the body has
    ended by its own framing; a body without framing ends with the connection, see `finish`.
    """

    __slots__ = (
        "_bodyless",
        "_buffer",
        "_chunked",
        "_left",
        "_trailer",
        "_until_close",
        "complete",
        "head_done",
        "headers",
        "status",
        "upgraded",
    )

    def __init__(self, *, bodyless: bool = False) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.head_done = False
        self.complete = False
        self.upgraded = False
        self._bodyless = bodyless
        self._buffer = b""
        self._chunked = False
        self._trailer = False
        self._until_close = False
        self._left = 0  # bytes still to come of the body or of the present chunk, with its line end

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was received; return the body's pieces in it. Raise ProtocolError."""
        if not self.head_done:
            data = self._buffer + data
            self._buffer = b""
            rest = self._head(data)
            if rest is None:
                return []
            data = rest
        if self.complete or not data:
            return []
        if self._until_close:
            return [data]
        if self._chunked:
            return self._dechunk(data)
        piece = data[: self._left]
        self._left -= len(piece)
        self.complete = self._left == 0
        return [piece]

    def finish(self) -> bool:
        """The connection ended: whether the response had been received in full."""
        if self._until_close:
            self.complete = True
        return self.complete

    def _head(self, data: bytes) -> bytes | None:
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > MAX_HEAD:
                    raise ProtocolError("the answer's head has no end")
                if not b"HTTP/1.".startswith(data[:7]) and not data.startswith(b"HTTP/1."):
                    raise ProtocolError("the answer is not HTTP")
                self._buffer = data
                return None
            self._parse_head(data[:end])
            data = data[end + 4 :]
            if not 100 <= self.status < 200 or self.status == 101:
                break
        self.head_done = True
        self._frame()
        return data

    def _parse_head(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            raise ProtocolError("the answer is not HTTP")
        self.status = int(words[1])
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                key = name.strip().lower()
                value = value.strip()
                self.headers[key] = (
                    f"{self.headers[key]}, {value}" if key in self.headers else value
                )

    def _frame(self) -> None:
        length = self.headers.get("content-length", "")
        if self.status == 101:
            self.upgraded = self._until_close = True
        elif self._bodyless or self.status in {204, 304}:
            self.complete = True
        elif "chunked" in self.headers.get("transfer-encoding", "").lower():
            self._chunked = True
        elif length:
            if not length.isdecimal():
                raise ProtocolError("the answer's length is not a number")
            self._left = int(length)
            self.complete = self._left == 0
        else:
            self.upgraded = self._until_close = True

    def _dechunk(self, data: bytes) -> list[bytes]:
        """Take the chunk framing away. The loop runs once a log line, so it is kept to few operations."""
        pieces: list[bytes] = []
        position = 0
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        total = len(data)
        if left := self._left:
            if left > total:
                # Two of what is left are the line end after the chunk.
                self._left = left - total
                pieces.append(data[: max(0, left - 2)])
                return pieces
            if left > 2:
                pieces.append(data[: left - 2])
            position = left
            self._left = 0
        if self._trailer:
            self._end_trailer(data, position)
            return pieces
        find = data.find
        add = pieces.append
        while position < total:
            line_end = find(b"\r\n", position)
            if line_end < 0:
                if total - position > 4096:
                    raise ProtocolError("a chunk's size has no end")
                self._buffer = data[position:]
                break
            try:
                size = int(data[position:line_end], 16)
            except ValueError:
                size = _chunk_size(data[position:line_end])
            start = line_end + 2
            if size <= 0:
                if size < 0:
                    raise ProtocolError("a chunk has a negative size")
                self._trailer = True
                self._end_trailer(data, start)
                break
            position = start + size + 2
            if position > total:
                self._left = position - total
                if start < total:
                    add(data[start : start + size])
                break
            add(data[start : start + size])
        return pieces

    def _end_trailer(self, data: bytes, position: int) -> None:
        rest = data[position:]
        if rest.startswith(b"\r\n") or b"\r\n\r\n" in rest:
            self.complete = True
        elif len(rest) > MAX_HEAD:
            raise ProtocolError("the answer's trailer has no end")
        else:
            self._buffer = rest


def _chunk_size(line: bytes) -> int:
    """A chunk's size where an extension follows it."""
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise ProtocolError("a chunk has no size") from error


def request_head(method: str, target: str, headers: Mapping[str, str | tuple[str, ...]]) -> bytes:
    """The bytes that open a request. Header values come from DockDesk, never with line ends in them.

    A header with several values is sent several times.
    """
    lines = [f"{method} {target} HTTP/1.1"]
    for name, values in headers.items():
        for value in (values,) if isinstance(values, str) else values:
            if "\r" in value or "\n" in value:
                raise ValueError(f"a line end in the header {name}")
            lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunks(body: Iterable[bytes]) -> Iterator[bytes]:
    """A body of unknown length in chunked transfer coding."""
    for piece in body:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def shut(sock: socket.socket) -> None:
    """End a socket's traffic from any thread, waking whoever waits on it; closing it stays its owner's business.

    `SSLSocket.shutdown` drops the TLS object under the thread that reads, so the plain one is called.
    """
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it is not connected, or not any more
