"""The bracket that belongs to the one at the cursor."""

from __future__ import annotations

from collections.abc import Callable

_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = {end: start for start, end in _OPEN.items()}
_REACH = 20_000  # characters


def matching(text: str, at: int) -> int | None:
    """The index of the bracket that belongs to the one at ``at``; None where there is none near by."""
    char = text[at] if 0 <= at < len(text) else ""
    if char in _OPEN:
        return _find(text, range(at, min(len(text), at + _REACH)), char, _OPEN[char])
    if char in _CLOSE:
        return _find(text, range(at, max(-1, at - _REACH), -1), char, _CLOSE[char])
    return None


def _find(text: str, way: range, same: str, other: str) -> int | None:
    depth = 0
    for index in way:
        if text[index] == same:
            depth += 1
        elif text[index] == other:
            depth -= 1
            if depth == 0:
                return index
    return None


def pair_at(char_at: Callable[[int], str], position: int) -> int | None:
    """Where the bracket beside a cursor stands: that behind it, else that before it."""
    for at in (position, position - 1):
        if at >= 0 and char_at(at) in "()[]{}":
            return at
    return None
