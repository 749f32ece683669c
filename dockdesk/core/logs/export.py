"""Rows of a log as text to copy or to save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dockdesk.core.logs.ansi import safe_text
from dockdesk.core.logs.blocks import Row
from dockdesk.core.logs.store import LogSource


@dataclass(frozen=True, slots=True)
class TextFormat:
    """What stands before the text of a line, and whether escape sequences are kept as they came (``raw``)."""

    stamps: bool = False
    labels: bool = False
    raw: bool = False


def line_prefix(row: Row, sources: tuple[LogSource, ...], form: TextFormat) -> str:
    """What ``form`` puts before the text of ``row``; nothing before a part of a line."""
    if row.continued:
        return ""
    parts = [row.stamp.decode("ascii", "replace")] if form.stamps and row.stamp else []
    if form.labels and row.source < len(sources):
        parts.append(safe_text(sources[row.source].label.encode()))
    return "".join(part + " " for part in parts)


def export_rows(
    rows: Iterable[Row], sources: tuple[LogSource, ...], form: TextFormat
) -> Iterator[bytes]:
    """``rows`` as UTF-8, a piece a row; parts of one long line are joined again unless others stand between them."""
    before: tuple[int, int] | None = None
    for row in rows:
        origin = (row.source, row.stream)
        if before is not None and not (row.continued and before == origin):
            yield b"\n"
        before = origin
        prefix = line_prefix(row, sources, form).encode()
        yield prefix + (row.data if form.raw else safe_text(row.data).encode())
    if before is not None:
        yield b"\n"
