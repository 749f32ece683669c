"""Rows as they are drawn: text, colours and cells, read once and kept for as long as they are near the screen."""

from __future__ import annotations

from array import array
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import field

from dockdesk.core.logs.ansi import PLAIN, Style, parse_row, safe_text, style_after
from dockdesk.core.logs.blocks import Block, Row
from dockdesk.core.logs.cells import cell_offsets, wrap_breaks
from dockdesk.core.logs.store import LogSnapshot
from dockdesk.core.records import dataclass

_KEPT = 1 << 20  # characters
_RUN_WEIGHT = 50  # a change of style costs as much memory, and work for the garbage collector, as so many characters
_KEPT_ALWAYS = 200  # lines, more than a screen has
_INDEXED_BLOCKS = 16
_LOOK_BACK = 64
"""Rows before the first one shown that may still colour it."""


@dataclass(slots=True, eq=False)
class Line:
    """One row to draw. ``runs`` are (first character, style); ``offsets`` as `cell_offsets` gives them."""

    row: Row
    text: str
    runs: tuple[tuple[int, Style], ...]
    end: Style
    offsets: array[int] | None
    _breaks: array[int] = field(default_factory=lambda: array("I", [0]))
    _columns: int = 0
    _pieces: int = -1

    @property
    def weight(self) -> int:
        """What keeping it costs, in characters."""
        return len(self.text) + _RUN_WEIGHT * len(self.runs)

    @property
    def pieces(self) -> int:
        """About how many pieces of text have to be drawn one by one: what drawing it costs."""
        if self._pieces < 0:
            uneven = 0 if self.offsets is None else sum(char > "\u02ff" for char in self.text)
            self._pieces = len(self.runs) + uneven
        return self._pieces

    @property
    def cells(self) -> int:
        return self.offsets[-1] if self.offsets is not None else len(self.text)

    def cell(self, char: int) -> int:
        """The cell that character ``char`` begins in."""
        return self.offsets[char] if self.offsets is not None else char

    def char_at(self, cell: float, start: int = 0, end: int | None = None) -> int:
        """The character boundary nearest to ``cell``, between the characters ``start`` and ``end``."""
        last = len(self.text) if end is None else end
        if self.offsets is None:
            return max(start, min(last, int(cell + 0.5)))
        best = start
        for char in range(start, last + 1):
            if self.offsets[char] <= cell:
                best = char
            else:
                middle = (self.offsets[best] + self.offsets[char]) / 2
                return char if cell >= middle else best
        return best

    def breaks(self, columns: int) -> array[int]:
        """The first characters of its lines when wrapped at ``columns`` cells; 0 for not wrapped."""
        if columns != self._columns:
            self._columns = columns
            if columns and self.cells > columns:
                self._breaks = wrap_breaks(self.text, self.offsets, columns)
            else:
                self._breaks = array("I", [0])
        return self._breaks

    def segment(self, part: int, columns: int) -> tuple[int, int]:
        """First and end character of wrapped line number ``part``."""
        breaks = self.breaks(columns)
        end = breaks[part + 1] if part + 1 < len(breaks) else len(self.text)
        return breaks[part], end


class LineReader:
    """Reads rows of a snapshot as lines, with the colours that rows before them left on."""

    def __init__(self) -> None:
        self._snapshot: LogSnapshot | None = None
        self._lines: OrderedDict[int, Line] = OrderedDict()
        self._weight = 0
        self._indexed: deque[Block] = deque()

    def use(self, snapshot: LogSnapshot) -> None:
        before = self._snapshot
        if before is not None and before.generation != snapshot.generation:
            self._lines.clear()
            self._weight = 0
        self._snapshot = snapshot

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """The rows with these numbers, those that are gone left out."""
        snapshot = self._snapshot
        if snapshot is None or not numbers:
            return []
        for number in (numbers[0], numbers[-1]):
            self._note_read(snapshot, number)
        if isinstance(numbers, range):
            return list(snapshot.rows(numbers[0], len(numbers)))
        found = (snapshot.row(number) for number in numbers)
        return [row for row in found if row is not None]

    def knows(self, row: Row) -> bool:
        return row.number in self._lines

    def line(self, row: Row) -> Line:
        known = self._lines.get(row.number)
        # A partial row may have been kept under a number that is a complete row's now.
        if known is not None and known.row.data == row.data and known.row[1:3] == row[1:3]:
            self._lines.move_to_end(row.number)
            return known
        text, runs, end = parse_row(row.data, self._style_before(row))
        line = Line(row, text, runs, end, cell_offsets(text))
        if known is not None:
            self._weight -= known.weight
        self._lines[row.number] = line
        self._weight += line.weight
        while self._weight > _KEPT and len(self._lines) > _KEPT_ALWAYS:
            _, old = self._lines.popitem(last=False)
            self._weight -= old.weight
        return line

    def plain(self, row: Row) -> Line:
        """The line without its colours, which is quick, and not kept."""
        text = safe_text(row.data)
        return Line(row, text, ((0, PLAIN),), PLAIN, cell_offsets(text))

    def _style_before(self, row: Row) -> Style:
        """The style at the beginning of ``row``: terminals carry it over from line to line."""
        snapshot = self._snapshot
        if snapshot is None or not self._coloured(row.number, snapshot):
            return PLAIN
        before = self._lines.get(row.number - 1)
        if before is not None and before.row[1:3] == row[1:3]:
            return before.end
        first = max(snapshot.first_row, row.number - _LOOK_BACK)
        earlier = [
            found.data
            for found in snapshot.rows(first, row.number - first)
            if found[1:3] == row[1:3] and b"\x1b" in found.data
        ]
        return style_after(earlier)

    def _note_read(self, snapshot: LogSnapshot, number: int) -> None:
        """Keep the row index of the blocks read last, and free that of others."""
        at = snapshot.block_index(number)
        if at < 0 or snapshot.blocks[at] in self._indexed:
            return
        self._indexed.append(snapshot.blocks[at])
        if len(self._indexed) > _INDEXED_BLOCKS:
            self._indexed.popleft().forget_index()

    @staticmethod
    def _coloured(number: int, snapshot: LogSnapshot) -> bool:
        """Whether rows shortly before ``number`` may hold escapes at all: most logs have none."""
        at = snapshot.block_index(number)
        return any(
            snapshot.blocks[index].escaped
            for index in (at - 1, at)
            if 0 <= index < len(snapshot.blocks)
        )
