"""The picture of a time chart: grid, axes, areas, lines, band, thresholds and events, in the theme's colours."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter, QPen, QPolygonF

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart.lines import (
    Frame,
    area,
    dashed,
    dense_strokes,
    is_dense,
    segments,
    steps,
    without_flats,
)
from dockdesk.ui.widgets.chart.model import Band, ChartModel, Event, Line
from dockdesk.ui.widgets.chart.timescale import time_ticks
from dockdesk.ui.widgets.chart.units import Tick, Unit, axis_ticks

_GAP = 8
_EVENT_ROOM = 18
_READABLE = 90  # an event's label is cut to no less
_LINE_WIDTH = 1.5
_BUCKETS_PER_PIXEL = 0.35
_MAX_FILL = 0.26
_ROW_HEIGHT = 44
"""About one horizontal line for so many pixels."""


class ChartPainter:
    """Lays a chart out in a size and paints it."""

    def __init__(self, theme: Theme, model: ChartModel, unit: Unit) -> None:
        self._theme = theme
        self._model = model
        self.unit = unit
        self.fixed_high: float | None = None

    def lay_out(
        self, width: float, height: float, start: float, end: float
    ) -> tuple[Frame, list[Tick]]:
        """The frame for a size in pixels, and the ticks of the value axis."""
        metrics = QFontMetricsF(self._theme.font("small", tabular=True))
        top = metrics.height() / 2 + (_EVENT_ROOM if self._model.events else 0)
        below = metrics.height() + _GAP
        rows = max(2, int((height - top - below) / _ROW_HEIGHT) + 1)
        high = self.fixed_high or self._model.highest(start, end)
        ticks = axis_ticks(high, self.unit, rows)
        label = max(metrics.horizontalAdvance(tick.label) for tick in ticks)
        left = math.ceil(label) + _GAP + 1
        right = 10.0
        plot = QRectF(left, top, max(1.0, width - left - right), max(1.0, height - top - below))
        return Frame(plot, start, end, ticks[-1].value), ticks

    def paint(self, painter: QPainter, frame: Frame, ticks: Sequence[Tick]) -> None:
        painter.setFont(self._theme.font("small", tabular=True))
        self._paint_grid(painter, frame, ticks)
        self._paint_time_axis(painter, frame)
        painter.save()
        painter.setClipRect(frame.plot.adjusted(0, -2, 0, 1))
        self._paint_band(painter, frame)
        shown = self._model.shown()
        outlines = [(line, self._outline(line, frame)) for line in shown]
        for line, runs in outlines:
            if self._model.is_filled(line):
                self._paint_area(painter, frame, line, runs)
        for line, runs in reversed(outlines):  # the first line is the one on top
            self._paint_line(painter, frame, line, runs)
        painter.restore()
        self._paint_band_label(painter, frame)
        self._paint_thresholds(painter, frame)
        self._paint_events(painter, frame)

    def _outline(self, line: Line, frame: Frame) -> list[list[tuple[float, float]]]:
        buckets = int(frame.plot.width() * _BUCKETS_PER_PIXEL)
        runs = [
            frame.to_pixels(run) for run in line.samples.outline(frame.start, frame.end, buckets)
        ]
        return [without_flats(steps(run) if line.stepped else run) for run in runs]

    def _paint_grid(self, painter: QPainter, frame: Frame, ticks: Sequence[Tick]) -> None:
        plot = frame.plot
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        metrics = QFontMetricsF(painter.font())
        for tick in ticks:
            y = round(frame.y(tick.value))
            painter.setPen(
                QPen(self._theme.colour("control_line" if tick.value == 0 else "line"), 1)
            )
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(self._theme.colour("muted"))
            label = QRectF(0, y - metrics.height() / 2, plot.left() - _GAP, metrics.height())
            painter.drawText(
                label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, tick.label
            )

    def _paint_time_axis(self, painter: QPainter, frame: Frame) -> None:
        metrics = QFontMetricsF(painter.font())
        plot = frame.plot
        room = metrics.horizontalAdvance("00:00:00") + 28
        painter.setPen(self._theme.colour("muted"))
        last = -1e9
        for tick in time_ticks(frame.start, frame.end, max(1, int(plot.width() / room))):
            width = metrics.horizontalAdvance(tick.label)
            # Kept inside the picture; left out where it would come too close to the one before.
            left = min(max(frame.x(tick.value) - width / 2, 1.0), plot.right() + 10 - width)
            if left < last + 12:
                continue
            painter.drawText(
                QPointF(left, plot.bottom() + _GAP / 2 + metrics.ascent() + 2), tick.label
            )
            last = left + width

    def _paint_area(
        self, painter: QPainter, frame: Frame, line: Line, runs: list[list[tuple[float, float]]]
    ) -> None:
        tops = [min(y for _, y in run) for run in runs]
        if not tops:
            return
        colour = self._theme.series(line.colour)
        gradient = QLinearGradient(0, max(min(tops), frame.plot.top()), 0, frame.plot.bottom())
        for place, strength in ((0.0, _MAX_FILL), (1.0, 0.02)):
            shade = QColor(colour)
            shade.setAlphaF(strength)
            gradient.setColorAt(place, shade)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(gradient)
        for run in runs:
            if len(run) > 1:
                painter.drawPolygon(area(run, frame.plot.bottom()))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_line(
        self, painter: QPainter, frame: Frame, line: Line, runs: list[list[tuple[float, float]]]
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(self._theme.series(line.colour), _LINE_WIDTH)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap if not line.dashes else Qt.PenCapStyle.FlatCap)
        period = sum(line.dashes)
        # Where a dash began at a round moment, so that the pattern stays on the line when it slides.
        offset = frame.x(0.0) % period if period else 0.0
        hair = QPen(pen.color(), 1)
        for run in runs:
            if is_dense(run):
                painter.setPen(hair)
                for stroke in dense_strokes(run, line.dashes, offset):
                    painter.drawPolyline(stroke)
            else:
                painter.setPen(pen)
                strokes = dashed(run, line.dashes, offset) if line.dashes else segments(run)
                painter.drawLines(strokes)

    def _paint_band(self, painter: QPainter, frame: Frame) -> None:
        band = self._band_in(frame)
        if band is None:
            return
        colour = self._theme.colour("good")
        top, bottom = frame.y(min(band.high, frame.high)), frame.y(max(0.0, band.low))
        fill, edge = QColor(colour), QColor(colour)
        fill.setAlphaF(0.09)
        edge.setAlphaF(0.45)
        rect = QRectF(frame.plot.left(), top, frame.plot.width(), bottom - top)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(rect, fill)
        painter.setPen(QPen(edge, 1))
        for y in (round(top), round(bottom)):
            painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))

    def _band_in(self, frame: Frame) -> Band | None:
        """The band, where a part of it is on the axis."""
        band = self._model.band
        return band if band is not None and band.low <= frame.high and band.high >= 0 else None

    def _paint_band_label(self, painter: QPainter, frame: Frame) -> None:
        band = self._band_in(frame)
        if band is not None and band.label:
            metrics = QFontMetricsF(painter.font())
            top = frame.y(min(band.high, frame.high))
            at = QPointF(frame.plot.left() + 8, top + metrics.ascent() + 4)
            self._paint_plate(painter, at, metrics.horizontalAdvance(band.label), metrics)
            painter.setPen(self._theme.colour("good"))
            painter.drawText(at, band.label)

    def _paint_thresholds(self, painter: QPainter, frame: Frame) -> None:
        metrics = QFontMetricsF(painter.font())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        taken: list[QRectF] = []
        for threshold in self._model.thresholds:
            if not 0 <= threshold.value <= frame.high:
                continue
            y = round(frame.y(threshold.value))
            colour = self._theme.tone(threshold.tone)
            pen = QPen(colour, 1)
            pen.setDashPattern([5, 4])
            painter.setPen(pen)
            painter.drawLine(QLineF(frame.plot.left(), y, frame.plot.right(), y))
            if threshold.label:
                width = metrics.horizontalAdvance(threshold.label)
                above = y - 4 > frame.plot.top() + metrics.ascent()
                at = QPointF(
                    frame.plot.right() - width - 4, y - 4 if above else y + metrics.ascent() + 3
                )
                # Close to another one it stands beside that one's words.
                while (other := _in_the_way(_plate(at, width, metrics), taken)) is not None:
                    at.setX(other.left() - width - 6)
                taken.append(_plate(at, width, metrics))
                self._paint_plate(painter, at, width, metrics)
                painter.setPen(colour)
                painter.drawText(at, threshold.label)

    def _paint_plate(
        self, painter: QPainter, at: QPointF, width: float, metrics: QFontMetricsF
    ) -> None:
        """A little of the panel behind a label, so that a line under it doesn't cross its letters."""
        panel = self._theme.colour("panel")
        panel.setAlphaF(0.8)
        painter.fillRect(_plate(at, width, metrics), panel)

    def _paint_events(self, painter: QPainter, frame: Frame) -> None:
        events = [event for event in self._model.events if frame.start <= event.time <= frame.end]
        metrics = QFontMetricsF(painter.font())
        taken = -1e9
        for index, event in enumerate(events):
            x = round(frame.x(event.time))
            following = (
                frame.x(events[index + 1].time) if index + 1 < len(events) else frame.plot.right()
            )
            taken = self._paint_event(painter, frame, event, x, following, taken, metrics)

    def _paint_event(
        self,
        painter: QPainter,
        frame: Frame,
        event: Event,
        x: float,
        following: float,
        taken: float,
        metrics: QFontMetricsF,
    ) -> float:
        """Mark an event; its label is left out where there is no room (the readout has it). Returns where it ends."""
        colour = self._theme.tone(event.tone)
        top = frame.plot.top() - _EVENT_ROOM + 2
        pen = QPen(colour, 1)
        pen.setDashPattern([2, 3])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.drawLine(QLineF(x, top + 8, x, frame.plot.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        corners = [QPointF(x - 4, top + 2), QPointF(x + 4, top + 2), QPointF(x, top + 9)]
        painter.drawPolygon(QPolygonF(corners))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        width = metrics.horizontalAdvance(event.label)
        start = max(taken + 8, frame.plot.left())
        if width <= following - x - 16 or following - x - 16 >= _READABLE:
            left, room = x + 7, following - x - 16
        elif width <= x - 7 - start:
            left, room = x - 7 - width, width
        else:
            return max(taken, x + 4.0)
        text = metrics.elidedText(event.label, Qt.TextElideMode.ElideRight, room)
        painter.setPen(colour)
        painter.drawText(QPointF(left, top + metrics.ascent() - 1), text)
        return max(x + 4.0, left + metrics.horizontalAdvance(text))


def _plate(at: QPointF, width: float, metrics: QFontMetricsF) -> QRectF:
    """The room of a label whose baseline begins at ``at``."""
    return QRectF(at.x() - 3, at.y() - metrics.ascent(), width + 6, metrics.height())


def _in_the_way(box: QRectF, taken: Sequence[QRectF]) -> QRectF | None:
    return next((other for other in taken if other.intersects(box)), None)
