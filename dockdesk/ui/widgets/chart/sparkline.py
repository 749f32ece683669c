"""A line the size of a word: how a number came to be what it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme


def paint_sparkline(
    painter: QPainter,
    rect: QRectF,
    values: Sequence[float],
    colour: QColor,
    high: float | None = None,
    filled: bool = True,
) -> None:
    """Draw values (oldest first) from 0 to ``high``, or to the largest; NaN breaks the line."""
    if len(values) < 2 or rect.width() < 2:
        return
    known = [value for value in values if value == value]
    top = high if high else max(known, default=0.0)
    across = rect.width() / (len(values) - 1)
    up = (rect.height() - 2) / top if top > 0 else 0.0
    runs: list[list[QPointF]] = [[]]
    for index, value in enumerate(values):
        if value == value:
            y = rect.bottom() - 1 - min(value, top) * up
            runs[-1].append(QPointF(rect.left() + index * across, y))
        elif runs[-1]:
            runs.append([])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for run in runs:
        if len(run) < 2:
            continue
        if filled:
            _fill(painter, rect, run, colour)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.4))
        painter.drawPolyline(QPolygonF(run))


def _fill(painter: QPainter, rect: QRectF, run: list[QPointF], colour: QColor) -> None:
    gradient = QLinearGradient(0, rect.top(), 0, rect.bottom())
    for place, strength in ((0.0, 0.28), (1.0, 0.02)):
        shade = QColor(colour)
        shade.setAlphaF(strength)
        gradient.setColorAt(place, shade)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    ends = [QPointF(run[-1].x(), rect.bottom()), QPointF(run[0].x(), rect.bottom())]
    painter.drawPolygon(QPolygonF([*run, *ends]))


class Sparkline(QWidget):
    """A sparkline as a widget of its own."""

    def __init__(self, theme: Theme, tone: Tone = "accent", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone: Tone = tone
        self._values: Sequence[float] = ()
        self._high: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_values(self, values: Sequence[float], high: float | None = None) -> None:
        """Show values, oldest first; ``high`` is the value at the top edge, else the largest."""
        self._values, self._high = list(values), high
        self.update()

    def set_tone(self, tone: Tone) -> None:
        if tone != self._tone:
            self._tone = tone
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(96, 24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect()).adjusted(0, 1, 0, 0)
        paint_sparkline(painter, rect, self._values, self._theme.tone(self._tone), self._high)
