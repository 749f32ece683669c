"""What is selected: two positions, by characters, words or rows."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

_WORD = re.compile(r"[\w.:/@%+~-]+|\s+|.", re.DOTALL)


class Position(NamedTuple):
    """Before character ``char`` of row number ``row``; positions compare in the order of the text."""

    row: int
    char: int


class Unit(Enum):
    CHARACTER = "character"
    WORD = "word"
    ROW = "row"


class Selection:
    """From where the user began to where they are now. Rows keep their numbers, so it stays when lines arrive."""

    def __init__(self) -> None:
        self.anchor: tuple[Position, Position] | None = None
        self.cursor: Position | None = None
        self._end: tuple[Position, Position] | None = None

    @property
    def range(self) -> tuple[Position, Position] | None:
        """First and end position; None if nothing is selected."""
        if self.anchor is None or self._end is None:
            return None
        start, end = min(self.anchor[0], self._end[0]), max(self.anchor[1], self._end[1])
        return (start, end) if start < end else None

    def clear(self) -> None:
        self.anchor = self._end = None

    def begin(self, start: Position, end: Position) -> None:
        """Begin anew with what was clicked: one position twice, or the ends of a word or row."""
        self.anchor = self._end = (start, end)
        self.cursor = end

    def extend(self, start: Position, end: Position) -> None:
        """Let the selection reach over this as well."""
        if self.anchor is None:
            self.anchor = (self.cursor or start,) * 2
        self._end = (start, end)
        self.cursor = start if start < self.anchor[0] else end

    def forget_before(self, row: int) -> None:
        """Rows before ``row`` are gone."""
        first = Position(row, 0)
        if self.anchor is not None and self._end is not None:
            if max(self.anchor[1], self._end[1]) <= first:
                self.clear()
            else:
                self.anchor = max(self.anchor[0], first), max(self.anchor[1], first)
                self._end = max(self._end[0], first), max(self._end[1], first)
        if self.cursor is not None:
            self.cursor = max(self.cursor, first)

    def chars_of(self, row: int, length: int) -> tuple[int, int] | None:
        """The selected characters of a row; the end is ``length`` + 1 where its newline is selected too."""
        found = self.range
        if found is None or not found[0].row <= row <= found[1].row:
            return None
        first = found[0].char if row == found[0].row else 0
        last = found[1].char if row == found[1].row else length + 1
        return (min(first, length), min(last, length + 1)) if last > first else None


def word_at(text: str, char: int) -> tuple[int, int]:
    """First and end character of the word at ``char``: paths, addresses and ids count as one."""
    for match in _WORD.finditer(text):
        if match.end() > char:
            return match.span()
    return len(text), len(text)
