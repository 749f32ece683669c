"""Steps over time, and which of them decided how long it all took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from dockdesk.ui.widgets.plain import one_line
from dockdesk.ui.widgets.steps.items import StepItem, clock_text
from dockdesk.ui.widgets.steps.rows import StepRows

_LABEL_SHARE = 0.34
_WIDEST_LABEL = 260
_RIGHT = 58  # for the time behind the longest bar
_BAR = 12
_LEAST = 2.0  # pixels of the shortest bar
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


class GanttChart(StepRows):
    """A bar a step from its start to its end, in the order of their starts. What has not begun is not there."""

    line_height = 24
    grouped = False
    top = 26

    _critical: tuple[str, ...] = ()

    def set_steps(self, items: Sequence[StepItem], critical: Sequence[str] = ()) -> None:
        """``critical`` are the keys of the steps on the critical path, first to last."""
        begun = [item for item in items if item.started is not None]
        begun.sort(key=lambda item: item.started or 0.0)
        if tuple(critical) != self._critical:
            self._critical = tuple(critical)
            self.viewport().update()
        self.set_items(begun)

    @property
    def critical(self) -> Sequence[str]:
        return self._critical

    def _changed_in_place(self, _lines: Sequence[int]) -> None:
        self.viewport().update()  # a bar that grows changes the scale of all

    def _on_tick(self) -> None:
        self.viewport().update()

    # The scale.

    def span(self) -> tuple[float, float]:
        """Start, and length in seconds, of what is shown."""
        starts = [item.started for item in self._items if item.started is not None]
        if not starts:
            return 0.0, 1.0
        now = self._clock()
        ends = [now if item.ended is None else item.ended for item in self._items]
        start = min(starts)
        return start, max(0.1, max(ends) - start)

    def _area(self) -> tuple[int, int]:
        """Where bars begin, and how wide they may be."""
        wide = self.viewport().width()
        left = min(_WIDEST_LABEL, round(wide * _LABEL_SHARE)) + 12
        return left, max(40, wide - left - _RIGHT)

    def bar_of(self, item: StepItem, rect: QRect) -> QRectF:
        """The bar of a step within its line."""
        start, length = self.span()
        left, wide = self._area()
        began = item.started or start
        ended = self._clock() if item.ended is None else item.ended
        x = left + (began - start) / length * wide
        w = max(_LEAST, (ended - began) / length * wide)
        return QRectF(x, rect.center().y() - _BAR / 2 + 1, w, _BAR)

    # Painting.

    def paint_line(self, painter: QPainter, line: int, rect: QRect) -> None:
        item = self._lines[line]
        if not isinstance(item, StepItem):
            return
        theme = self._theme
        self.paint_ground(painter, item, rect)
        left, _wide = self._area()
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("text"))
        room = QRect(12, rect.top(), left - 24, rect.height())
        words = painter.fontMetrics().elidedText(
            one_line(item.title, 200), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, words)
        bar = self.bar_of(item, rect)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour(item))
        painter.drawRoundedRect(bar, 3, 3)
        text = "cached" if item.state == "cached" else clock_text(item.seconds(self._clock()))
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.tone("bad") if item.state == "failed" else theme.colour("muted"))
        beside = QRectF(bar.right() + 6, rect.top(), _RIGHT, rect.height())
        painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, text)

    def _colour(self, item: StepItem) -> QColor:
        theme = self._theme
        if item.state == "failed":
            return theme.tone("bad")
        if item.key in self._critical or item.state == "running":
            return theme.colour("accent")
        return theme.colour("muted", 0.45)

    def paint_over(self, painter: QPainter) -> None:
        self._join(painter)
        self._paint_axis(painter)

    def _join(self, painter: QPainter) -> None:
        """The critical path as a line from bar to bar: colour alone would not tell it."""
        painter.setPen(QPen(self._theme.colour("accent"), 1.5))
        bars = []
        for key in self._critical:
            line = self._at.get(key)
            item = self._lines[line] if line is not None else None
            if line is not None and isinstance(item, StepItem):
                bars.append(self.bar_of(item, self.rect_of(line)))
        for before, after in pairwise(bars):
            x = min(before.right(), after.left())
            painter.drawLine(QPointF(x, before.center().y()), QPointF(x, after.center().y()))

    def _ticks(self) -> Iterator[tuple[float, float]]:
        """Seconds after the start, and where that is."""
        left, wide = self._area()
        _start, length = self.span()
        step = next((s for s in _STEPS if length / s <= max(2, wide / 90)), _STEPS[-1])
        at = 0.0
        while at <= length:
            yield at, left + at / length * wide
            at = round(at + step, 6)

    def paint_under(self, painter: QPainter) -> None:
        painter.setPen(QPen(self._theme.colour("line"), 1))
        for _at, x in self._ticks():
            painter.drawLine(QPointF(x, self.top - 4), QPointF(x, self.viewport().height()))

    def _paint_axis(self, painter: QPainter) -> None:
        theme = self._theme
        head = QRect(0, 0, self.viewport().width(), self.top - 3)
        painter.fillRect(head, theme.colour("panel"))
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.colour("muted"))
        middle = Qt.AlignmentFlag.AlignVCenter
        if self._critical:
            painter.fillRect(QRect(12, head.center().y() - 2, 14, 6), theme.colour("accent"))
            painter.drawText(head.adjusted(32, 0, 0, 0), middle, "Critical path")
        for at, x in self._ticks():
            words = "0" if not at else f"{at:g} s" if at < 60 else clock_text(at)
            painter.drawText(QRectF(x + 3, 0, 80, head.height()), middle, words)

    def tip(self, item: StepItem) -> str:
        start, _length = self.span()
        lines = [super().tip(item)]
        if item.started is not None:
            lines.insert(1, f"Began after {clock_text(item.started - start)}")
        if item.key in self._critical:
            lines.append("On the critical path: a faster one makes the whole faster.")
        return "\n".join(lines)
