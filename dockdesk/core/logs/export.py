"""Rows of a log as text to copy or to save."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from dockdesk.core.errors import LocalError
from dockdesk.core.logs.ansi import safe_text
from dockdesk.core.logs.blocks import Block, Row
from dockdesk.core.logs.store import LogSource
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.core.wholefile import PartFile
from dockdesk.core.work import Work

COPY_LIMIT = 8 * 1024 * 1024
_CHECKED_PIECES = 2000


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


def copy_text(
    rows: Iterable[Row],
    sources: tuple[LogSource, ...],
    form: TextFormat,
    start: tuple[int, int],
    end: tuple[int, int],
    limit: int = COPY_LIMIT,
) -> str:
    """The text of ``rows`` from ``start`` to ``end``, each a row number and a character of its shown text.

    A character beyond the last row's text means its newline, too. Raises LocalError for more than ``limit`` characters:
    other programs choke on it.
    """
    parts: list[str] = []
    size = 0
    before: Row | None = None
    for row in rows:
        text = safe_text(row.data)
        first = start[1] if row.number == start[0] else 0
        last = end[1] if row.number == end[0] else len(text) + 1
        if before is not None and not (row.continued and before[1:3] == row[1:3]):
            parts.append("\n")
        parts.append(("" if first else line_prefix(row, sources, form)) + text[first:last])
        if row.number == end[0] and last > len(text):
            parts.append("\n")
        before = row
        size += len(text)
        if size > limit:
            raise LocalError(
                "That is too much to copy",
                f"The clipboard takes up to {bytes_text(limit)} of a log.",
                "Select less, or save the log to a file.",
            )
    return "".join(parts)


Portion = tuple[Block, range | list[int]] | list[Row]
"""Rows on their way to a file: a block and the indexes of those wanted in it, or rows that are in no block yet."""


def save_portions(
    work: Work,
    count: int,
    sources: tuple[LogSource, ...],
    form: TextFormat,
    target: Path,
    portions: Iterable[Portion],
) -> int:
    """Write the rows of ``portions`` (about ``count`` of them) to ``target``; returns the bytes written.

    A million of them take seconds of CPU: call it in a helper process. Raises LocalError, for example for a full disk,
    and CancelledError; what was at ``target`` then stays as it was.
    """
    with PartFile(target, "The log could not be saved") as file:
        for number, piece in enumerate(export_rows(_rows_of(portions), sources, form)):
            file.write(piece)
            if number % _CHECKED_PIECES == 0:
                work.check()
                # About two pieces a row: its text and its newline.
                work.progress(min(1.0, number / 2 / max(1, count)), bytes_text(file.written))
        file.finish()
        return file.written


def _rows_of(portions: Iterable[Portion]) -> Iterator[Row]:
    for portion in portions:
        match portion:
            case (Block() as block, range() as indexes):
                yield from block.rows_at(indexes.start, len(indexes))
            case (Block() as block, list() as indexes):
                yield from block.pick(indexes)
            case list() as rows:
                yield from rows
