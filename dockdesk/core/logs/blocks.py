"""Rows of log text in blocks of bytes: nothing is split, decoded or copied until somebody looks at it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from dockdesk.core.logs.stamps import STAMP_WIDTH

BLOCK_BYTES = 256 * 1024
BLOCK_ROWS = 32 * 1024
ROW_BYTES = 16 * 1024
"""A longer line is kept as several rows, so that the price of showing a row is bounded. Docker cuts there too."""

_NEAR = 512


class Row(NamedTuple):
    """One row: a line, or a part of one longer than ROW_BYTES (then all parts but the first are ``continued``).

    ``number`` counts from the beginning of the log and never changes; ``source`` is an index, ``stream`` 1 or 2;
    ``stamp`` is the line's time as it was written, or empty.
    """

    number: int
    source: int
    stream: int
    data: bytes
    stamp: bytes
    continued: bool


def tag_of(source: int, stream: int) -> int:
    """Where a row comes from, as one number."""
    return source * 2 + (stream == 2)


class Block:
    """Complete rows, each ended by a newline. Immutable, so any thread may read it.

    ``runs`` are the rows at which the origin changes, ``tags`` the origins from there on.
    """

    __slots__ = (
        "_escaped",
        "_newlines",
        "continued",
        "data",
        "first_row",
        "rows",
        "runs",
        "sealed",
        "stamps",
        "tags",
    )

    def __init__(
        self,
        first_row: int,
        rows: int,
        data: bytes,
        runs: array[int],
        tags: array[int],
        continued: frozenset[int] = frozenset(),
        stamps: bytes = b"",
        sealed: bool = True,
    ) -> None:
        self.first_row = first_row
        self.rows = rows
        self.data = data
        self.runs = runs
        self.tags = tags
        self.continued = continued
        self.stamps = stamps
        self.sealed = sealed
        self._newlines: array[int] | None = None
        self._escaped: bool | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """As it was made: what it has looked up since stays behind when it travels."""
        return Block, (
            self.first_row,
            self.rows,
            self.data,
            self.runs,
            self.tags,
            self.continued,
            self.stamps,
            self.sealed,
        )

    @property
    def escaped(self) -> bool:
        """Whether any row holds an escape sequence."""
        if self._escaped is None:
            self._escaped = b"\x1b" in self.data
        return self._escaped

    @property
    def end_row(self) -> int:
        return self.first_row + self.rows

    @property
    def lines(self) -> int:
        """Lines that begin in this block."""
        return self.rows - len(self.continued)

    @property
    def size(self) -> int:
        return len(self.data) + len(self.stamps)

    def stamp(self, index: int) -> bytes:
        """The stamp of the row at ``index`` in this block, or empty."""
        if not self.stamps:
            return b""
        return self.stamps[index * STAMP_WIDTH : (index + 1) * STAMP_WIDTH].rstrip()

    def tag(self, index: int) -> int:
        return self.tags[bisect_right(self.runs, index) - 1]

    def rows_at(self, index: int, count: int) -> Iterator[Row]:
        """``count`` rows from ``index`` in this block on."""
        count = min(count, self.rows - index)
        if count <= 0:
            return
        start, end = self._bounds(index, count)
        lines = self.data[start:end].split(b"\n")
        for position in range(count):
            yield self._row(index + position, lines[position])

    def pick(self, indexes: Iterable[int]) -> Iterator[Row]:
        """The rows at these indexes in this block; for many of them, all over it."""
        lines = self.data.split(b"\n")
        for index in indexes:
            yield self._row(index, lines[index])

    def forget_index(self) -> None:
        """Free what makes random access quick; it is made again when needed."""
        self._newlines = None

    def _row(self, index: int, line: bytes) -> Row:
        tag = self.tag(index)
        number = self.first_row + index
        return Row(
            number, tag >> 1, 1 + (tag & 1), line, self.stamp(index), index in self.continued
        )

    def _bounds(self, index: int, count: int) -> tuple[int, int]:
        """First byte and end of ``count`` rows."""
        if count == self.rows:
            return 0, len(self.data)
        left = self.rows - index
        if self._newlines is None and left <= _NEAR:
            # The end of a growing log is read at every frame: looking back from there needs no index.
            end = len(self.data)
            for _ in range(left - count):
                end = self.data.rfind(b"\n", 0, end - 1) + 1
            start = end
            for _ in range(count):
                start = self.data.rfind(b"\n", 0, start - 1) + 1
            return start, end
        if self._newlines is None:
            self._newlines = _newlines(self.data)
        newlines = self._newlines
        return (newlines[index - 1] + 1 if index else 0), newlines[index + count - 1] + 1


def _newlines(data: bytes) -> array[int]:
    found = array("I")
    at = data.find(b"\n")
    while at >= 0:
        found.append(at)
        at = data.find(b"\n", at + 1)
    return found


class GrowingBlock:
    """The block that is written to. Not for several threads at once: its owner locks."""

    def __init__(self, first_row: int) -> None:
        self.first_row = first_row
        self.rows = 0
        self._data = bytearray()
        self._runs = array("I")
        self._tags = array("H")
        self._continued: set[int] = set()
        self._stamps = bytearray()
        self._frozen: Block | None = None

    @property
    def size(self) -> int:
        return len(self._data) + len(self._stamps)

    @property
    def full(self) -> bool:
        return len(self._data) >= BLOCK_BYTES or self.rows >= BLOCK_ROWS

    def add(
        self, tag: int, data: bytes, rows: int, continued: list[int], stamps: list[bytes] | None
    ) -> None:
        """Add complete rows of one origin; ``continued`` are indexes among them, ``stamps`` one each or None."""
        if not self._tags or self._tags[-1] != tag:
            self._runs.append(self.rows)
            self._tags.append(tag)
        if continued:
            self._continued.update(self.rows + index for index in continued)
        if stamps is not None:
            missing = self.rows * STAMP_WIDTH - len(self._stamps)
            self._stamps += b" " * missing
            self._stamps += b"".join([stamp.ljust(STAMP_WIDTH) for stamp in stamps])
        elif self._stamps:
            self._stamps += b" " * (rows * STAMP_WIDTH)
        self._data += data
        self.rows += rows
        self._frozen = None

    def freeze(self, sealed: bool = False) -> Block:
        """What is in it now, as a block of its own."""
        if self._frozen is None or sealed:
            self._frozen = Block(
                self.first_row,
                self.rows,
                bytes(self._data),
                self._runs[:],
                self._tags[:],
                frozenset(self._continued),
                bytes(self._stamps),
                sealed,
            )
        return self._frozen
