"""What is wrong with a Dockerfile, where, why, and what would mend it.

The parser, the own rules, hadolint and the engine's checks all speak this one shape, so that squiggles, the problem
list and quick fixes need to know nothing of where a finding came from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Literal

from dockdesk.core.records import dataclass

ProblemTone = Literal["bad", "warn", "info", "muted"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One replaced range: 0-based lines and columns in code points, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A mend that can be offered by its ``title``; ``edits`` are of one text and must not overlap."""

    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding at a place: 0-based lines and columns in code points, the end exclusive.

    ``code`` names the rule (``DL3008``, ``unknown-instruction``), ``source`` who found it (``parser``, ``dockdesk``,
    ``hadolint``, ``buildkit``); ``why`` says what it leads to, ``url`` where that is written. ``tone`` is ``bad`` for
    what fails the build.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    tone: ProblemTone
    message: str
    why: str = ""
    source: str = "parser"
    url: str = ""
    fixes: tuple[Fix, ...] = ()


def line_starts(text: str) -> list[int]:
    """The offset at which each line begins. Lines end at LF alone, as BuildKit reads them (a CR stays in its line)."""
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


def offset_at(text: str, starts: list[int], line: int, column: int) -> int:
    """The offset of a place; what lies outside of the text is moved to its nearest end."""
    if line < 0:
        return 0
    if line >= len(starts):
        return len(text)
    end = starts[line + 1] - 1 if line + 1 < len(starts) else len(text)
    return min(starts[line] + max(column, 0), end)


def place_at(starts: list[int], offset: int) -> tuple[int, int]:
    """The (line, column) of an offset."""
    line = bisect_right(starts, offset) - 1
    return line, offset - starts[line]


def apply(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with all edits made at once; their places are those of the text as it was.

    Insertions at one place stay in the order given. Overlapping edits raise ValueError: half a fix is worse than none.
    """
    starts = line_starts(text)
    spans = [
        (
            offset_at(text, starts, edit.line, edit.column),
            offset_at(text, starts, edit.end_line, edit.end_column),
            edit.text,
        )
        for edit in edits
    ]
    pieces: list[str] = []
    at = 0
    for begin, end, new in sorted(spans, key=lambda span: span[:2]):
        if begin < at or end < begin:
            raise ValueError("edits overlap")
        pieces += (text[at:begin], new)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)
