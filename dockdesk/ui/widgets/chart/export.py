"""A chart as a file. Both writers block: run them as jobs."""

from __future__ import annotations

import csv
import heapq
import io
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QImage, QImageWriter

from dockdesk.core.errors import LocalError
from dockdesk.core.records import dataclass
from dockdesk.core.wholefile import PartFile


@dataclass(frozen=True, slots=True)
class Table:
    """What a chart knows: a name, times and values a line; NaN where a value is missing."""

    names: Sequence[str]
    columns: Sequence[tuple[Sequence[float], Sequence[float]]]


def write_png(image: QImage, path: Path) -> Path:
    """Write a picture. Raises LocalError."""
    buffer = QBuffer()
    writer = QImageWriter(buffer, QByteArray(b"png"))
    if not writer.write(image):
        raise LocalError("The chart was not saved", writer.errorString())
    return _save(bytes(buffer.data().data()), path)


def write_csv(table: Table, path: Path) -> Path:
    """Write all samples, a row a moment (ISO 8601, UTC), a column a line; empty where a line has none.

    Raises LocalError. Names that a spreadsheet would take for a formula get an apostrophe (OWASP, "CSV Injection").
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["time", *(_harmless(name) for name in table.names)])
    for moment, values in _rows(table):
        at = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
        writer.writerow([at, *("" if math.isnan(value) else repr(value) for value in values)])
    return _save(text.getvalue().encode(), path)


def _rows(table: Table) -> Iterator[tuple[float, list[float]]]:
    """The lines joined by time."""
    streams = [_cells(index, *column) for index, column in enumerate(table.columns)]
    row: list[float] = []
    moment: float | None = None
    for time, index, value in heapq.merge(*streams, key=lambda item: item[:2]):
        if moment is not None and time != moment:
            yield moment, row
        if time != moment:
            moment, row = time, [math.nan] * len(table.columns)
        row[index] = value
    if moment is not None:
        yield moment, row


def _cells(
    column: int, times: Sequence[float], values: Sequence[float]
) -> Iterator[tuple[float, int, float]]:
    for time, value in zip(times, values, strict=True):
        yield time, column, value


def _harmless(name: str) -> str:
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _save(data: bytes, path: Path) -> Path:
    with PartFile(path, "The chart was not saved") as file:
        file.write(data)
        file.finish()
    return path
