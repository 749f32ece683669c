"""Takes apart what the engine puts together: stdout and stderr in one stream, and JSON values one a line.

Source: Engine API, ContainerAttach, "Stream format": a frame is a byte that names the stream (0 stdin, 1 stdout,
2 stderr, 3 an error of the engine's own), three zero bytes, and a big-endian 32-bit length.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from dockdesk.backends.engine.wire import ProtocolError
from dockdesk.core.ports import LogChunk

_HEADER = Struct(">BxxxL")
_SIZE = _HEADER.size


class FrameSplitter:
    """Splits the engine's frames, cut anywhere; neighbours of one stream come out as one chunk.

    It never waits for the rest of a frame, so a line of any length is passed on as it arrives.
    """

    __slots__ = ("_current", "_kind", "_left", "_rest")

    def __init__(self) -> None:
        self._kind = 1  # of the chunk before
        self._current = 1  # of the present frame
        self._left = 0  # bytes still to come of the present frame
        self._rest = b""  # of a header

    def feed(self, pieces: Sequence[bytes]) -> list[LogChunk]:
        """The chunks in ``pieces``. Raise ProtocolError for what is no frame."""
        chunks: list[LogChunk] = []
        parts: list[bytes] = []
        kind = self._kind
        unpack = _HEADER.unpack_from
        add = parts.append
        for piece in pieces:
            # The engine sends a frame a piece most of the time: then this is all there is to do for a line.
            if not self._left and not self._rest and len(piece) > _SIZE:
                next_kind, size = unpack(piece)
                if size == len(piece) - _SIZE and next_kind == kind:
                    add(piece[_SIZE:])
                    continue
            for next_kind, part in self._split(piece):
                if next_kind != kind:
                    if parts:
                        chunks.append(LogChunk(_stream(kind), b"".join(parts)))
                        parts.clear()
                    kind = next_kind
                add(part)
        if parts:
            chunks.append(LogChunk(_stream(kind), b"".join(parts)))
        self._kind = kind
        return chunks

    def _split(self, data: bytes) -> list[tuple[int, bytes]]:
        """The kinds and contents in ``data``, of frames cut anywhere."""
        found: list[tuple[int, bytes]] = []
        if self._rest:
            data = self._rest + data
            self._rest = b""
        position = 0
        total = len(data)
        kind, left = self._current, self._left
        while position < total:
            if not left:
                if total - position < _SIZE:
                    self._rest = data[position:]
                    break
                kind, left = _HEADER.unpack_from(data, position)
                if kind > 3:
                    raise ProtocolError("a frame is of no known stream")
                position += _SIZE
                if not left:
                    continue
            part = data[position : position + left]
            position += len(part)
            left -= len(part)
            found.append((kind, part))
        self._current, self._left = kind, left
        return found


def _stream(kind: int) -> int:
    """Where a kind of frame is shown: what the engine itself has to say (3) stands beside errors."""
    return 2 if kind >= 2 else 1


class RawSplitter:
    """A TTY's output: one stream, no frames."""

    def feed(self, pieces: Sequence[bytes]) -> list[LogChunk]:
        data = b"".join(pieces)
        return [LogChunk(1, data)] if data else []


class LineSplitter:
    """Lines of a stream cut anywhere, without their line ends; `rest` is what came after the last."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, pieces: Sequence[bytes]) -> list[bytes]:
        lines: list[bytes] = []
        for piece in pieces:
            if b"\n" not in piece:
                self._parts.append(piece)
                continue
            first, *more = piece.split(b"\n")
            lines.append(b"".join([*self._parts, first]))
            lines += more[:-1]
            self._parts = [more[-1]] if more[-1] else []
        return [line for line in lines if line.strip()]

    def rest(self) -> bytes:
        return b"".join(self._parts)
