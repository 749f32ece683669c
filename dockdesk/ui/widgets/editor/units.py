"""Qt counts UTF-16 units, everybody else code points: what lies beyond the Basic Multilingual Plane counts twice."""

from __future__ import annotations

from bisect import bisect_right

_FIRST_PAIR = "\U00010000"


def simple(text: str) -> bool:
    """Whether both counts are the same."""
    return text.isascii() or not text or max(text) < _FIRST_PAIR


def units(text: str) -> int:
    """How many UTF-16 units ``text`` has."""
    return len(text) if simple(text) else len(text) + sum(c >= _FIRST_PAIR for c in text)


def to_units(line: str, column: int) -> int:
    """A column in code points as one in UTF-16 units; columns beyond the end are the end."""
    if simple(line):
        return min(max(column, 0), len(line))
    return units(line[: max(column, 0)])


def to_points(line: str, unit: int) -> int:
    """A column in UTF-16 units as one in code points; one inside a pair is the pair's beginning."""
    if simple(line):
        return min(unit, len(line))
    at = 0
    for column, char in enumerate(line):
        if at >= unit:
            return column
        at += 2 if char >= _FIRST_PAIR else 1
        if at > unit:
            return column
    return len(line)


class UnitMap:
    """Offsets of one long text, turned into units: each costs a search among the characters that count twice."""

    def __init__(self, text: str) -> None:
        self._pairs = [] if simple(text) else [n for n, c in enumerate(text) if c >= _FIRST_PAIR]

    def units(self, offset: int) -> int:
        return offset + (bisect_right(self._pairs, offset - 1) if self._pairs else 0)
