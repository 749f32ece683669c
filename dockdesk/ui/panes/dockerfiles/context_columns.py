"""Rows of the lists beside the context's tree: the biggest files, lines to add, what will not arrive. No Qt in it."""

from __future__ import annotations

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.dockerfile.verdict import Verdict


@dataclass(frozen=True, slots=True)
class FindingRow:
    """``path`` is what can be gone to, ``line`` what would go into the ignore file; either may be empty."""

    key: str
    title: str
    why: str
    size: int = 0
    path: str = ""
    line: str = ""


def biggest(verdict: Verdict) -> list[FindingRow]:
    whole = max(verdict.bytes[0], 1)
    return [
        FindingRow(path, path, f"{size * 100 / whole:.0f} %", size, path)
        for size, path in verdict.biggest
    ]


def suggestions(verdict: Verdict) -> list[FindingRow]:
    return [
        FindingRow(each.line, each.line, each.why, each.size, "", each.line)
        for each in verdict.suggestions
    ]


def notes(verdict: Verdict) -> list[FindingRow]:
    return [
        FindingRow(f"{note.kind} {note.path}", note.path, note.text, 0, note.path)
        for note in verdict.notes
    ]


COLUMNS: tuple[Column[FindingRow], ...] = (
    Column(
        "title",
        "What",
        lambda row: row.title,
        lambda row: row.title,
        CellKind.MONO,
        width=150,
        stretch=True,
        tip=lambda row: "\n".join(text for text in (row.title, row.why) if text),
    ),
    Column("why", "Why", lambda row: row.why, lambda row: row.why, width=150, stretch=True),
    Column(
        "size",
        "Size",
        lambda row: row.size,
        lambda row: bytes_text(row.size) if row.size else "",
        CellKind.NUMBER,
        width=84,
    ),
)
