"""What stands before the text of a line: an output's mark, its time, and whose line it is."""

from __future__ import annotations

from datetime import date, datetime

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from dockdesk.core.logs.ansi import safe_text
from dockdesk.core.logs.blocks import Row
from dockdesk.core.logs.cells import cell_offsets
from dockdesk.core.logs.stamps import stamp_ns
from dockdesk.core.logs.store import LogSource
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.log.colours import readable, rgb

STAMP_CELLS = 14
_LABEL_CELLS = 20
_MARK_WIDTH = 3
_PAD = 10


def stamp_text(stamp: bytes, today: date) -> str:
    """A stamp in local time: the time with milliseconds if it is of today, else month, day and time."""
    moment = stamp_ns(stamp)
    if moment is None:
        return ""
    try:
        local = datetime.fromtimestamp(moment // 1_000_000_000)
    except (ValueError, OverflowError, OSError):  # a year that this system's clock does not know
        return ""
    if local.date() == today:
        return f"{local:%H:%M:%S}.{moment // 1_000_000 % 1000:03}"
    return f"{local:%m-%d %H:%M:%S}"


class Gutter:
    """Measures and draws it. ``cell`` is the width of a character in pixels."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._labels: list[str] = []
        self._colours: list[QColor] = []
        self._label_cells = 0
        self._sources: tuple[LogSource, ...] = ()
        self.stamps = False
        self.cell = 8.0
        self.refresh()

    @property
    def labelled(self) -> bool:
        """Whether labels are shown: only where there are several sources."""
        return len(self._sources) > 1

    @property
    def width(self) -> int:
        """Pixels before the text."""
        cells = (STAMP_CELLS + 1 if self.stamps else 0) + (
            self._label_cells + 1 if self.labelled else 0
        )
        return _PAD + round(cells * self.cell)

    def use(self, sources: tuple[LogSource, ...]) -> None:
        if sources != self._sources:
            self._sources = sources
            self.refresh()

    def refresh(self) -> None:
        """Take colours from the theme anew."""
        ground = rgb(self._theme.tokens.panel)
        self._labels = [_short(source.label or source.id) for source in self._sources]
        self._label_cells = max(map(_cells, self._labels), default=0)
        self._colours = [
            QColor(*readable(rgb(self._theme.series(index).name()), ground))
            for index in range(len(self._sources))
        ]

    def draw(self, painter: QPainter, row: Row, first: bool, box: QRectF, baseline: float) -> None:
        """Draw it for one line; ``first`` for that in which its row begins."""
        if row.stream == 2:
            mark = QRectF(box.x(), box.y(), _MARK_WIDTH, box.height())
            painter.fillRect(mark, self._theme.tone("bad"))
        if not first:
            return
        left = box.x() + _PAD
        if self.stamps:
            text = "↪" if row.continued else stamp_text(row.stamp, date.today())
            painter.setPen(self._theme.tone("muted"))
            painter.drawText(QPointF(left, baseline), text)
            left += (STAMP_CELLS + 1) * self.cell
        elif row.continued:
            painter.setPen(self._theme.tone("muted"))
            painter.drawText(QPointF(box.x() + _MARK_WIDTH - 1, baseline), "↪")
        if self.labelled and row.source < len(self._labels):
            painter.setPen(self._colours[row.source])
            painter.drawText(QPointF(left, baseline), self._labels[row.source])

    def tip(self, row: Row) -> str:
        """The whole of it in words, plain text."""
        parts = []
        if row.source < len(self._sources):
            label = self._sources[row.source].label
            parts.append(safe_text(label.encode("utf-8", "replace")))
        parts.append("standard error" if row.stream == 2 else "standard output")
        if row.stamp:
            parts.append(row.stamp.decode("ascii", "replace"))
        if row.continued:
            parts.append("goes on from the row before")
        return "\n".join(part for part in parts if part)


def _cells(text: str) -> int:
    offsets = cell_offsets(text)
    return len(text) if offsets is None else offsets[-1]


def _short(label: str) -> str:
    text = safe_text(label.replace("\t", " ").encode("utf-8", "replace"))
    while _cells(text) > _LABEL_CELLS:
        text = text[:-2] + "…"
    return text
