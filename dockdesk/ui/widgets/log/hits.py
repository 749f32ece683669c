"""Where the hits of a search are: counts block by block, and the rows a filter shows."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from dockdesk.core.logs.blocks import Block, Row
from dockdesk.core.logs.export import Portion
from dockdesk.core.logs.store import LogSnapshot
from dockdesk.ui.widgets.log.matcher import Hit, Scan

_MARKS = 1024
"""A scroll bar has hardly more pixels."""


class HitIndex:
    """The scans of all blocks in the order of the log. GUI thread."""

    def __init__(self) -> None:
        self._scans: dict[int, Scan] = {}
        self.hits = 0

    def __iter__(self) -> Iterator[Scan]:
        return iter(self._scans.values())

    def add(self, scan: Scan) -> None:
        """Add the scan of a later block, or replace that of a block, such as the one that grows."""
        before = self._scans.get(scan.block)
        self.hits += scan.hits - (before.hits if before is not None else 0)
        self._scans[scan.block] = scan

    def forget_before(self, row: int) -> None:
        """Leave out blocks that begin before ``row``: they were dropped."""
        for block in [block for block in self._scans if block < row]:
            self.hits -= self._scans.pop(block).hits

    def scan_of(self, block: int) -> Scan | None:
        return self._scans.get(block)

    def missing(self, snapshot: LogSnapshot, every_row: bool) -> list[Block]:
        """The blocks still to be scanned, oldest first."""
        todo: list[Block] = []
        for block in snapshot.blocks:
            scan = self.scan_of(block.first_row)
            if scan is None or scan.scanned < block.rows or (every_row and scan.rows is None):
                todo.append(block)
        return todo

    def place(self, hit: Hit) -> int:
        """Which of all hits this is, 1 for the first; 0 if its block was dropped."""
        if self.scan_of(hit.block) is None:
            return 0
        before = sum(scan.hits for scan in self if scan.block < hit.block)
        return before + hit.ordinal + 1

    def marks(self) -> list[tuple[int, int]]:
        """Where to mark the scroll bar: first row and end of every stretch with hits, about _MARKS of them."""
        share = max(1, _MARKS // max(1, len(self._scans)))
        found: list[tuple[int, int]] = []
        for scan in self:
            if len(scan.marks) > share:
                found.append((scan.block, scan.block + scan.scanned))
            else:
                found += scan.marks
        return found

    def matching_rows(self) -> MatchingRows:
        return MatchingRows([(scan.block, scan.rows) for scan in self if scan.rows is not None])


class AllRows:
    """The rows shown when nothing is filtered: index 0 is the oldest row. Immutable."""

    def __init__(self, first: int = 0, end: int = 0) -> None:
        self._first = first
        self._end = end

    def __len__(self) -> int:
        return self._end - self._first

    def row(self, index: int) -> int:
        return self._first + index

    def index(self, row: int) -> int:
        """The index of ``row``, or of the next row that is shown."""
        return max(0, min(row, self._end) - self._first)

    def numbers(self, index: int, count: int) -> Sequence[int]:
        return range(self._first + index, min(self._end, self._first + index + count))


class MatchingRows:
    """The rows a filter shows, from (first row of a block, indexes in it). Immutable."""

    def __init__(self, blocks: Sequence[tuple[int, array[int]]]) -> None:
        self._blocks = [(first, rows) for first, rows in blocks if rows]
        self._starts = array("q")
        total = 0
        for _, rows in self._blocks:
            self._starts.append(total)
            total += len(rows)
        self._length = total

    def __len__(self) -> int:
        return self._length

    def row(self, index: int) -> int:
        at = bisect_right(self._starts, index) - 1
        first, rows = self._blocks[at]
        return first + rows[index - self._starts[at]]

    def index(self, row: int) -> int:
        at = bisect_right(self._blocks, row, key=lambda block: block[0]) - 1
        if at < 0:
            return 0
        first, rows = self._blocks[at]
        return self._starts[at] + bisect_left(rows, row - first)

    def numbers(self, index: int, count: int) -> Sequence[int]:
        return [self.row(at) for at in range(index, min(self._length, index + count))]

    def blocks(self) -> Sequence[tuple[int, array[int]]]:
        """First row of each block with matches, and the indexes of the rows in it."""
        return self._blocks


ShownRows = AllRows | MatchingRows


def portions_between(
    snapshot: LogSnapshot, shown: ShownRows, first: int, last: int
) -> Iterator[Portion]:
    """The same rows as `rows_between`, block by block, for whoever takes them apart elsewhere."""
    wanted = None if isinstance(shown, AllRows) else dict(shown.blocks())
    for block in snapshot.blocks:
        if block.end_row <= first or block.first_row > last:
            continue
        low, high = max(0, first - block.first_row), min(block.rows, last + 1 - block.first_row)
        if wanted is None:
            yield block, range(low, high)
        elif (indexes := wanted.get(block.first_row)) is not None:
            yield block, [index for index in indexes if low <= index < high]
    if wanted is None and last >= snapshot.end_row:
        start = max(first, snapshot.end_row)
        yield list(snapshot.rows(start, last + 1 - start))


def rows_between(snapshot: LogSnapshot, shown: ShownRows, first: int, last: int) -> Iterator[Row]:
    """The rows shown from number ``first`` to ``last``, on any thread, without keeping an index of them."""
    if isinstance(shown, AllRows):
        yield from snapshot.rows(first, last - first + 1)
        return
    for block_row, indexes in shown.blocks():
        at = snapshot.block_index(block_row)
        if at < 0 or block_row > last:
            continue
        block = snapshot.blocks[at]
        if block.first_row == block_row and block.end_row > first:
            wanted = (index for index in indexes if first <= block_row + index <= last)
            yield from block.pick(wanted)
