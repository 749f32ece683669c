"""From samples to strokes.

A thick, smooth path of a thousand noisy points takes Qt's stroker 14 ms, the same as single segments 2 ms, and as a
hair line 0.4 ms. So lines are drawn as segments, and as hair lines where their points are so close that the difference
can't be seen; dashes are cut out of them here. Dashes hang on the time axis and not on the screen: they move with the
line as it slides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPolygonF

from dockdesk.core.records import dataclass
from dockdesk.ui.widgets.chart.samples import Point

_DENSE = 0.7  # points a pixel
_RESTLESS = 2.0  # pixels up and down for each across


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the plot is, in pixels, and what part of the data it shows: two moments and the value at its top."""

    plot: QRectF
    start: float
    end: float
    high: float

    @property
    def span(self) -> float:
        return self.end - self.start

    def x(self, time: float) -> float:
        return self.plot.left() + (time - self.start) / self.span * self.plot.width()

    def y(self, value: float) -> float:
        return self.plot.bottom() - value / self.high * self.plot.height()

    def time(self, x: float) -> float:
        return self.start + (x - self.plot.left()) / self.plot.width() * self.span

    def to_pixels(self, run: Sequence[Point]) -> list[Point]:
        left, bottom, start = self.plot.left(), self.plot.bottom(), self.start
        across, up = self.plot.width() / self.span, self.plot.height() / self.high
        return [(left + (time - start) * across, bottom - value * up) for time, value in run]


def steps(points: Sequence[Point]) -> list[Point]:
    """Each value held until the next sample."""
    found = list(points[:1])
    for (_, y), (x, next_y) in pairwise(points):
        if next_y != y:
            found.append((x, y))
        found.append((x, next_y))
    return found


def without_flats(points: Sequence[Point]) -> list[Point]:
    """Without the points in the middle of level stretches, where strokes would meet and show as beads."""
    if len(points) < 3:
        return list(points)
    middle = [
        here
        for (before, here), (_, after) in pairwise(pairwise(points))
        if not before[1] == here[1] == after[1]
    ]
    return [points[0], *middle, points[-1]]


def segments(points: Sequence[Point]) -> list[QLineF]:
    """One line from each point to the next."""
    if len(points) == 1:
        x, y = points[0]
        return [QLineF(x - 0.5, y, x + 0.5, y)]
    return [QLineF(x, y, next_x, next_y) for (x, y), (next_x, next_y) in pairwise(points)]


def dashed(points: Sequence[Point], dashes: Sequence[float], offset: float) -> list[QLineF]:
    """The segments with gaps cut in, measured along the time axis; ``offset`` is where the pattern began, in pixels."""
    if len(points) < 2:
        return segments(points)
    found: list[QLineF] = []
    for (x, y), (next_x, next_y) in pairwise(points):
        width = next_x - x
        if width < 0.01:
            if _is_on(x - offset, dashes):
                found.append(QLineF(x, y, next_x, next_y))
            continue
        slope = (next_y - y) / width
        for begin, end in _on_parts(x - offset, next_x - offset, dashes):
            first, last = begin + offset, end + offset
            found.append(QLineF(first, y + (first - x) * slope, last, y + (last - x) * slope))
    return found


def _is_on(at: float, dashes: Sequence[float]) -> bool:
    at %= sum(dashes)
    for index, length in enumerate(dashes):
        if at < length:
            return index % 2 == 0
        at -= length
    return False


def _on_parts(start: float, end: float, dashes: Sequence[float]) -> Iterator[tuple[float, float]]:
    period = sum(dashes)
    base = start // period * period
    while base < end:
        at = base
        for index, length in enumerate(dashes):
            if index % 2 == 0 and at + length > start and at < end:
                yield max(at, start), min(at + length, end)
            at += length
        base += period


def is_dense(points: Sequence[Point]) -> bool:
    """Whether a line has about a point a pixel and goes up and down so much that it is more of a surface."""
    width = points[-1][0] - points[0][0]
    if len(points) <= 40 or len(points) <= _DENSE * width:
        return False
    return sum(abs(other[1] - one[1]) for one, other in pairwise(points)) > _RESTLESS * width


def dense_strokes(
    points: Sequence[Point], dashes: Sequence[float], offset: float
) -> list[QPolygonF]:
    """A dense run as polylines, cut at whole points."""
    if not dashes:
        return [QPolygonF([QPointF(x, y) for x, y in points])]
    strokes: list[list[QPointF]] = []
    drawing = False
    for x, y in points:
        on = _is_on(x - offset, dashes)
        if on and not drawing:
            strokes.append([])
        if on:
            strokes[-1].append(QPointF(x, y))
        drawing = on
    return [QPolygonF(stroke) for stroke in strokes if len(stroke) > 1]


def area(points: Sequence[Point], bottom: float) -> QPolygonF:
    """What is under a line."""
    polygon = [QPointF(x, y) for x, y in points]
    polygon += [QPointF(points[-1][0], bottom), QPointF(points[0][0], bottom)]
    return QPolygonF(polygon)
