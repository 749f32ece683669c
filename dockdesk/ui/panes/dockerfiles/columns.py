"""Columns of the list of problems, without Qt."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.records import dataclass
from dockdesk.dockerfile.problems import Problem

WORDS = {"bad": "error", "warn": "warning", "info": "advice", "muted": "note"}
_RANKS = {"bad": 0, "warn": 1, "info": 2, "muted": 3}


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem of the list. ``key`` is its code, line and number among those of the same: it outlives a new check."""

    key: str
    problem: Problem


def rows_of(problems: Sequence[Problem]) -> list[ProblemRow]:
    """Each problem with a key of its own."""
    seen: dict[tuple[str, int], int] = {}
    rows = []
    for problem in problems:
        at = (problem.code, problem.line)
        number = seen[at] = seen.get(at, 0) + 1
        rows.append(ProblemRow(f"{problem.code}:{problem.line}:{number}", problem))
    return rows


def _tone(row: ProblemRow) -> Tone:
    return row.problem.tone


COLUMNS: tuple[Column[ProblemRow], ...] = (
    Column(
        "severity",
        "Severity",
        lambda row: _RANKS[row.problem.tone],
        lambda row: WORDS[row.problem.tone],
        CellKind.PILL,
        width=96,
        tone=_tone,
    ),
    Column(
        "line",
        "Line",
        lambda row: (row.problem.line, row.problem.column),
        lambda row: str(row.problem.line + 1),
        CellKind.NUMBER,
        width=72,
    ),
    Column(
        "message",
        "Message",
        lambda row: row.problem.message,
        lambda row: row.problem.message,
        width=320,
        stretch=True,
        tip=lambda row: "\n".join(t for t in (row.problem.message, row.problem.why) if t),
    ),
    Column(
        "code",
        "Rule",
        lambda row: row.problem.code,
        lambda row: row.problem.code,
        CellKind.MONO,
        width=104,
        tip=lambda row: row.problem.code,
    ),
    Column(
        "source", "From", lambda row: row.problem.source, lambda row: row.problem.source, width=92
    ),
)
