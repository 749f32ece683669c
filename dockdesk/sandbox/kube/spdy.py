"""SPDY/3.1 as kubectl forwards ports with it: many streams in one connection, which may be a WebSocket.

Only a server's half, without flow control, which the clients' library has none of either.
Source: The Chromium Projects, "SPDY Protocol - Draft 3.1"; KEP-4006 for the tunnel.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dockdesk.sandbox.kube.websocket import WebSocketError

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 1
_VERSION = 3
_LARGEST = 1 << 20
_LARGEST_BLOCK = 1 << 16
_MOST_HEADERS = 64
_REFUSED = 3

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length content-location "
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range "
    "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get "
    "status"
).split()
_REST = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept "
    "Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    """What both ends have packed before the first header (section 2.6.10.1)."""
    words = [*_WORDS, "200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive"]
    words.append("origin")
    return b"".join(struct.pack(">I", len(word)) + word.encode() for word in words) + _REST.encode()


DICTIONARY = _dictionary()


@dataclass(frozen=True, slots=True)
class Frame:
    """What a client sent. ``kind`` is a control frame's type, 0 for data."""

    kind: int
    stream: int
    data: bytes = b""
    ends: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Framing:
    """Bytes to frames, and frames to bytes. Raises WebSocketError where a client breaks the protocol."""

    def __init__(self) -> None:
        self._taken = b""
        self._unpacker = zlib.decompressobj(zdict=DICTIONARY)
        self._packer = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole by now."""
        self._taken += data
        while len(self._taken) >= 8:
            first, second = struct.unpack(">II", self._taken[:8])
            size = second & 0xFFFFFF
            if size > _LARGEST:
                raise WebSocketError("a frame is too large")
            if len(self._taken) < 8 + size:
                return
            body, self._taken = self._taken[8 : 8 + size], self._taken[8 + size :]
            yield self._frame(first, second >> 24, body)

    def _frame(self, first: int, flags: int, body: bytes) -> Frame:
        ends = bool(flags & FIN)
        if not first >> 31:
            return Frame(0, first, body, ends)
        kind = first & 0xFFFF
        if first >> 16 & 0x7FFF != _VERSION or len(body) < 4:
            raise WebSocketError("a malformed frame")
        stream = struct.unpack(">I", body[:4])[0] & 0x7FFFFFFF
        if kind == SYN_STREAM:
            return Frame(kind, stream, b"", ends, self._headers(body[10:]))
        return Frame(kind, stream, body, ends)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._unpacker.decompress(block, _LARGEST_BLOCK)
            (count,) = struct.unpack_from(">I", text)
            found, at = {}, 4
            for _ in range(min(count, _MOST_HEADERS)):
                parts = []
                for _ in range(2):
                    (size,) = struct.unpack_from(">I", text, at)
                    parts.append(text[at + 4 : at + 4 + size].decode("latin-1"))
                    at += 4 + size
                found[parts[0].lower()] = parts[1]
        except (zlib.error, struct.error) as error:
            raise WebSocketError(f"malformed headers: {error}") from None
        return found

    @staticmethod
    def _control(kind: int, body: bytes, flags: int = 0) -> bytes:
        return struct.pack(">HHI", 0x8000 | _VERSION, kind, flags << 24 | len(body)) + body

    def reply(self, stream: int) -> bytes:
        """Accept a stream, without headers of its own."""
        block = self._packer.compress(struct.pack(">I", 0))
        block += self._packer.flush(zlib.Z_SYNC_FLUSH)
        return self._control(SYN_REPLY, struct.pack(">I", stream) + block)

    def refuse(self, stream: int) -> bytes:
        return self._control(RST_STREAM, struct.pack(">II", stream, _REFUSED))

    def pong(self, ping: Frame) -> bytes:
        return self._control(PING, ping.data[:4])

    @staticmethod
    def data(stream: int, data: bytes, ends: bool = False) -> bytes:
        return struct.pack(">II", stream, (FIN if ends else 0) << 24 | len(data)) + data
