"""Small histories in table cells: all of a column on one scale, drawn once and kept as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

_SAMPLES = 60  # what fills the width; fewer begin further right
_KEPT = 512
_MARGIN = 9
_NARROWEST = 16


class Sparks:
    """Draws sparklines. An antialiased line costs as much as ten texts, and most are the same at the next paint.

    The height of a line's peak goes by the root of its share of the column's scale: small users show beside a large
    one, and still look smaller. Within a line height is proportional, from zero.
    """

    def __init__(self) -> None:
        self._pictures: dict[tuple[object, ...], QPixmap] = {}
        self._scales: dict[str, float] = {}
        self.grew = False  # a scale did, so what was painted before is out of date

    def forget(self) -> None:
        """The colours changed."""
        self._pictures.clear()

    def scale(self, column: str, histories: Iterable[Sequence[float]]) -> float:
        """The scale to paint these histories of a column on; it only grows."""
        highest = _highest(histories)
        scale = self._scales.get(column, 0.0)
        if highest > scale:
            scale = self._scales[column] = round_up(highest)
            self.grew = True
        return scale

    def shrink(self, column: str, histories: Iterable[Sequence[float]]) -> bool:
        """Take a scale back to what ``histories``, all that are visible, need; True if it changed."""
        scale = round_up(_highest(histories))
        changed = scale != self._scales.get(column, 0.0)
        self._scales[column] = scale
        return changed

    def paint(
        self,
        painter: QPainter,
        values: Sequence[float],
        at: tuple[float, float],
        size: tuple[int, int],
        scale: float,
        colour: QColor,
    ) -> None:
        """Draw ``values``, oldest first, into the box of ``size`` at ``at``."""
        width, height = size
        if width < _NARROWEST or not len(values):
            return
        ratio = painter.device().devicePixelRatio()
        key = (tuple(values), size, scale, ratio)
        picture = self._pictures.get(key)
        if picture is None:
            if len(self._pictures) >= _KEPT:
                self._pictures.clear()
            picture = self._pictures[key] = _picture(values, width, height, scale, colour, ratio)
        painter.drawPixmap(QPointF(*at), picture)


def _picture(
    values: Sequence[float], width: int, height: int, scale: float, colour: QColor, ratio: float
) -> QPixmap:
    picture = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(colour, 1.3))
    painter.drawPolyline(QPolygonF(points(values, width, height, scale)))
    painter.end()
    return picture


def points(values: Sequence[float], width: int, height: int, scale: float) -> list[QPointF]:
    """Where a line goes in a box of this size, the newest sample at its right edge."""
    bottom, room = height - _MARGIN, height - 2 * _MARGIN
    step = (width - 2) / max(_SAMPLES - 1, len(values) - 1)
    x = width - 1 - step * (len(values) - 1)
    peak = _highest([values])
    factor = room / math.sqrt(scale * peak) if scale > 0 and peak > 0 else 0.0
    found = [
        QPointF(x + step * index, bottom - value * factor if value > 0 else bottom)
        for index, value in enumerate(values)
    ]
    if len(found) == 1:  # one sample is a dash
        found.insert(0, QPointF(found[0].x() - step, found[0].y()))
    return found


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20 …: a scale that does not change with every sample."""
    if not 0 < value < math.inf:
        return 0.0
    power: float = 10.0 ** math.floor(math.log10(value))
    steps = (power, 2 * power, 5 * power, 10 * power)
    return next((step for step in steps if step >= value), 10 * power)


def _highest(histories: Iterable[Sequence[float]]) -> float:
    highest = 0.0
    for values in histories:
        if len(values) and not (peak := max(values)) <= highest:
            # NaN, which has no order, hides what stands behind it.
            highest = (
                peak if peak < math.inf else max((v for v in values if v < math.inf), default=0.0)
            )
    return highest
