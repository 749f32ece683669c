"""The crosshair: what all lines say at one moment."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart.lines import Frame
from dockdesk.ui.widgets.chart.model import ChartModel, Line
from dockdesk.ui.widgets.chart.timescale import moment_text
from dockdesk.ui.widgets.chart.units import Unit, value_text

_PAD = 8
_SWATCH = 16
_NEAR_EVENT = 6
_LONGEST_NAME = 220


@dataclass(frozen=True, slots=True)
class Reading:
    """What is under the crosshair: each line's sample, and events close by."""

    time: float
    values: tuple[tuple[Line, float | None, float | None], ...]  # line, moment, value
    events: tuple[tuple[str, Tone], ...]


def read(model: ChartModel, frame: Frame, x: float) -> Reading:
    """The reading at a place; its moment is that of the sample nearest to it."""
    time = frame.time(x)
    found = [(line, line.samples.nearest(time)) for line in model.shown()]
    moments = [point[0] for _, point in found if point is not None]
    at = min(moments, key=lambda moment: abs(moment - time), default=time)
    values = tuple(
        (line, None if point is None else point[0], None if point is None else point[1])
        for line, point in found
    )
    events = tuple(
        (event.label, event.tone)
        for event in model.events
        if abs(frame.x(event.time) - x) <= _NEAR_EVENT
    )
    return Reading(at, values, events)


def reading_text(reading: Reading, unit: Unit, span: float) -> str:
    """A reading in words, for those who hear the chart."""
    parts = [moment_text(reading.time, span)]
    parts += [
        f"{line.name} {'no data' if value is None else value_text(value, unit)}"
        for line, _, value in reading.values
    ]
    return ", ".join([*parts, *(label for label, _ in reading.events)])


def paint_reading(
    painter: QPainter, theme: Theme, frame: Frame, reading: Reading, unit: Unit, width: float
) -> None:
    """Draw the line, a dot on each line's sample, and a box with the values beside it."""
    x = round(frame.x(reading.time))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(theme.colour("muted"), 1))
    painter.drawLine(QLineF(x, frame.plot.top(), x, frame.plot.bottom()))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for line, moment, value in reading.values:
        if value is not None and moment is not None:
            painter.setPen(QPen(theme.colour("panel"), 2))
            painter.setBrush(theme.series(line.colour))
            painter.drawEllipse(QPointF(frame.x(moment), frame.y(value)), 4.5, 4.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _paint_box(painter, theme, frame, reading, unit, x, width)


def _paint_box(
    painter: QPainter,
    theme: Theme,
    frame: Frame,
    reading: Reading,
    unit: Unit,
    x: float,
    width: float,
) -> None:
    small, tabular = theme.font("small"), theme.font("small", tabular=True)
    metrics = QFontMetricsF(small)
    rows = [
        (
            line,
            metrics.elidedText(line.name, Qt.TextElideMode.ElideMiddle, _LONGEST_NAME),
            "no data" if value is None else value_text(value, unit),
        )
        for line, _, value in reading.values
    ]
    head = moment_text(reading.time, frame.span)
    names = max((metrics.horizontalAdvance(name) for _, name, _ in rows), default=0.0)
    figures = QFontMetricsF(tabular)
    numbers = max((figures.horizontalAdvance(number) for _, _, number in rows), default=0.0)
    labels = [
        (metrics.elidedText(label, Qt.TextElideMode.ElideRight, _LONGEST_NAME), tone)
        for label, tone in reading.events
    ]
    content = max(
        figures.horizontalAdvance(head),
        _SWATCH + 6 + names + 16 + numbers,
        *(metrics.horizontalAdvance(label) for label, _ in labels),
    )
    step = metrics.height() + 3
    box = QRectF(0, 0, content + 2 * _PAD, step * (1 + len(rows) + len(labels)) + 2 * _PAD - 3)
    beside = x + 12 if x + 12 + box.width() <= width else x - 12 - box.width()
    box.moveTo(max(0.0, beside), max(0.0, frame.plot.top() + 4))
    painter.setPen(QPen(theme.colour("control_line"), 1))
    painter.setBrush(QColor(theme.colour("raised")))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    left, right = box.left() + _PAD, box.right() - _PAD
    baseline = box.top() + _PAD + metrics.ascent()
    painter.setFont(tabular)
    painter.setPen(theme.colour("muted"))
    painter.drawText(QPointF(left, baseline), head)
    for line, name, number in rows:
        baseline += step
        paint_swatch(painter, theme, line, left, baseline - metrics.ascent() / 2 + 1)
        painter.setFont(small)
        painter.setPen(theme.colour("text"))
        painter.drawText(QPointF(left + _SWATCH + 6, baseline), name)
        painter.setFont(tabular)
        painter.drawText(QPointF(right - figures.horizontalAdvance(number), baseline), number)
    for label, tone in labels:
        baseline += step
        painter.setFont(small)
        painter.setPen(theme.tone(tone))
        painter.drawText(QPointF(left, baseline), label)


def paint_swatch(painter: QPainter, theme: Theme, line: Line, left: float, middle: float) -> None:
    """A short piece of a line, in its colour and dashes."""
    pen = QPen(theme.series(line.colour), 2)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if line.dashes:
        pen.setDashPattern([max(0.5, length / 2) for length in line.dashes])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.drawLine(QLineF(left, middle, left + _SWATCH, middle))
