"""The log store: takes bytes from any thread, keeps the newest within a bound, and is read through snapshots."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from dockdesk.core.logs.blocks import BLOCK_BYTES, ROW_BYTES, Block, GrowingBlock, Row, tag_of
from dockdesk.core.logs.stamps import split_stamp, split_stamps
from dockdesk.core.records import dataclass

MAX_BYTES = 256 * 1024 * 1024

_PORTION = 32 * 1024
_SLICE = 64 * 1024  # taken under the lock at once: what a reader may have to wait for


@dataclass(frozen=True, slots=True)
class LogSource:
    """One origin of lines, such as a container or a log stream. ``label`` is shown where there are several."""

    id: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class LogSnapshot:
    """The store at one moment. Immutable: it may be read on any thread for as long as needed.

    ``partial`` are lines not ended yet, numbered from ``end_row`` on; they may still change and their numbers are not
    kept. ``dropped_lines`` went because of the bound (not because somebody cleared the log).
    """

    generation: int
    sources: tuple[LogSource, ...]
    blocks: tuple[Block, ...]
    first_row: int
    end_row: int
    partial: tuple[Row, ...]
    dropped_lines: int
    size: int

    @property
    def lines(self) -> int:
        """Complete lines in the store."""
        return sum(block.lines for block in self.blocks)

    @property
    def last_row(self) -> int:
        """One past the last row that can be shown, partial ones included."""
        return self.end_row + len(self.partial)

    def block_index(self, row: int) -> int:
        """The index in ``blocks`` of the block that holds ``row``; -1 if it is before the first."""
        return bisect_right(self.blocks, row, key=lambda block: block.first_row) - 1

    def rows(self, first: int, count: int) -> Iterator[Row]:
        """Up to ``count`` rows from row number ``first`` on; rows that are gone are left out."""
        if first < self.first_row:
            count -= self.first_row - first
            first = self.first_row
        index = self.block_index(first)
        while count > 0 and 0 <= index < len(self.blocks):
            block = self.blocks[index]
            taken = min(count, block.end_row - first)
            if taken > 0:
                yield from block.rows_at(first - block.first_row, taken)
                first += taken
                count -= taken
            index += 1
        if count > 0 and first >= self.end_row:
            yield from self.partial[first - self.end_row : first - self.end_row + count]

    def row(self, number: int) -> Row | None:
        return next(self.rows(number, 1), None) if number >= self.first_row else None


class _FairLock:
    """A lock that a writer in a flood, who has it nearly always, can't take again before a reader who waits for it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._turn:
            self._lock.acquire()

    def __exit__(self, *_error: object) -> None:
        self._lock.release()


class LogStore:
    """Rows of one or more sources in the order they arrived.

    ``on_change`` is called, on the thread that appends, at the first change after each `acknowledge`: enough to wake a
    reader, and cheap in a flood. Beyond ``max_bytes`` the oldest block is dropped. Needs about 1.1 bytes a byte.
    """

    def __init__(
        self, max_bytes: int = MAX_BYTES, on_change: Callable[[], None] | None = None
    ) -> None:
        self.max_bytes = max_bytes
        self._on_change = on_change
        self._lock = _FairLock()
        self._generation = 0
        self._sources: tuple[LogSource, ...] = ()
        self._timestamped = False
        self._signalled = False
        self._empty(0)

    def _empty(self, first_row: int) -> None:
        self._blocks: deque[Block] = deque()
        self._open = GrowingBlock(first_row)
        self._pending: dict[int, bytearray] = {}
        self._cut: set[int] = set()
        self._sealed_size = 0
        self._dropped = 0

    @property
    def generation(self) -> int:
        return self._generation

    def reset(self, sources: Sequence[LogSource], timestamped: bool = False) -> int:
        """Begin anew; returns the new generation. What still arrives for an older one is ignored.

        ``timestamped``: every line begins with an RFC 3339 stamp and a space, kept apart from its text.
        """
        with self._lock:
            self._generation += 1
            self._sources = tuple(sources)
            self._timestamped = timestamped
            self._empty(0)
            generation = self._generation
        self._changed()
        return generation

    def clear(self) -> None:
        """Forget the rows so far; streams go on and rows keep counting."""
        with self._lock:
            self._empty(self._open.first_row + self._open.rows)
        self._changed()

    def append(self, generation: int, source: int, stream: int, data: bytes) -> None:
        """Take bytes as they came, cut anywhere. ``source`` is an index of the sources; ``stream`` is 1 or 2."""
        for start in range(0, len(data), _SLICE):
            with self._lock:
                if generation != self._generation:
                    return
                self._take(tag_of(source, stream), data[start : start + _SLICE])
        if data:
            self._changed()

    def append_runs(self, generation: int, runs: Sequence[tuple[int, bytes]]) -> None:
        """Take runs of (`tag_of` their origin, bytes), at once: some 64 KiB of them at most."""
        with self._lock:
            if generation != self._generation:
                return
            for tag, data in runs:
                self._take(tag, data)
        self._changed()

    def finish(self, generation: int, source: int) -> None:
        """The source has ended: a last line without a newline is complete."""
        with self._lock:
            if generation != self._generation:
                return
            for stream in (1, 2):
                tag = tag_of(source, stream)
                pending = self._pending.pop(tag, None)
                if pending:
                    self._commit(tag, bytes(pending) + b"\n")
        self._changed()

    def acknowledge(self) -> None:
        """The reader is about to look: tell it of the next change again."""
        self._signalled = False

    def snapshot(self) -> LogSnapshot:
        with self._lock:
            blocks = tuple(self._blocks)
            if self._open.rows:
                blocks = (*blocks, self._open.freeze())
            end = self._open.first_row + self._open.rows
            return LogSnapshot(
                self._generation,
                self._sources,
                blocks,
                blocks[0].first_row if blocks else end,
                end,
                self._partial_rows(end),
                self._dropped,
                self._sealed_size + self._open.size,
            )

    def _changed(self) -> None:
        if not self._signalled and self._on_change is not None:
            self._signalled = True
            self._on_change()

    def _take(self, tag: int, data: bytes) -> None:
        pending = self._pending.get(tag)
        end = data.rfind(b"\n") + 1
        if end:
            # A cut inside "\r\n" or a stamp heals here, where the line is whole again.
            head = bytes(pending) + data[:end] if pending else data[:end]
            self._pending.pop(tag, None)
            self._commit(tag, head)
            data = data[end:]
            pending = None
        if data:
            if pending is None:
                pending = self._pending[tag] = bytearray()
            pending += data
            if len(pending) > ROW_BYTES:
                self._cut_pending(tag, pending)

    def _partial_rows(self, end: int) -> tuple[Row, ...]:
        found: list[Row] = []
        for tag in sorted(self._pending):
            data = bytes(self._pending[tag])
            stamp = b""
            if self._timestamped and tag not in self._cut:
                stamp, data = split_stamp(data)
            found.append(
                Row(end + len(found), tag >> 1, 1 + (tag & 1), data, stamp, tag in self._cut)
            )
        return tuple(found)

    def _cut_pending(self, tag: int, pending: bytearray) -> None:
        """Commit what is too long for one row, in rows; the rest stays pending."""
        start = 0
        pieces: list[bytes] = []
        while len(pending) - start > ROW_BYTES:
            end = _cut_at(pending, start)
            pieces.append(bytes(pending[start:end]))
            start = end
        del pending[:start]
        self._commit_pieces(tag, pieces)
        self._cut.add(tag)

    def _commit_pieces(self, tag: int, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._add(tag, piece + b"\n", [0] if tag in self._cut else [])
            self._cut.add(tag)

    def _commit(self, tag: int, head: bytes) -> None:
        """Add complete lines."""
        start = 0
        while start < len(head):
            end = len(head)
            if end - start > _PORTION:
                end = head.rfind(b"\n", start, start + _PORTION) + 1 or head.find(b"\n", start) + 1
            self._commit_portion(tag, head[start:end])
            start = end

    def _commit_portion(self, tag: int, lines: bytes) -> None:
        if b"\r\n" in lines:
            lines = lines.replace(b"\r\n", b"\n")
        if len(lines) > ROW_BYTES and _has_long_line(lines):
            for line in lines.split(b"\n")[:-1]:
                self._commit_line(tag, line)
            return
        self._add(tag, lines, [0] if tag in self._cut else [])
        self._cut.discard(tag)

    def _commit_line(self, tag: int, line: bytes) -> None:
        start = 0
        pieces: list[bytes] = []
        while len(line) - start > ROW_BYTES:
            end = _cut_at(line, start)
            pieces.append(line[start:end])
            start = end
        self._commit_pieces(tag, [*pieces, line[start:]])
        self._cut.discard(tag)

    def _add(self, tag: int, lines: bytes, continued: list[int]) -> None:
        stamps: list[bytes] | None = None
        if self._timestamped:
            if continued:
                # The first row is the rest of a line: whatever it begins with is text.
                first, _, rest = lines.partition(b"\n")
                stamps, rest = split_stamps(rest)
                stamps, lines = [b"", *stamps], first + b"\n" + rest
            else:
                stamps, lines = split_stamps(lines)
        self._open.add(tag, lines, lines.count(b"\n"), continued, stamps)
        if self._open.full:
            self._seal()

    def _seal(self) -> None:
        block = self._open.freeze(sealed=True)
        self._blocks.append(block)
        self._sealed_size += block.size
        self._open = GrowingBlock(block.end_row)
        # With room for the block that grows next.
        while self._sealed_size + BLOCK_BYTES > self.max_bytes and len(self._blocks) > 1:
            oldest = self._blocks.popleft()
            self._sealed_size -= oldest.size
            self._dropped += oldest.lines


def _has_long_line(lines: bytes) -> bool:
    start = 0
    while len(lines) - start > ROW_BYTES:
        newline = lines.rfind(b"\n", start, start + ROW_BYTES + 1)
        if newline < 0:
            return True
        start = newline + 1
    return False


def _cut_at(data: bytes | bytearray, start: int) -> int:
    """Where to end a row that begins at ``start``: not within a character, nor within a short escape sequence."""
    end = start + ROW_BYTES
    for back in range(4):
        if data[end - back] & 0xC0 != 0x80:
            end -= back
            break
    escape = data.rfind(b"\x1b", end - 32, end)
    if escape > start and not any(
        0x40 <= byte <= 0x7E and byte != 0x5B for byte in data[escape + 1 : end]
    ):
        end = escape
    return end
