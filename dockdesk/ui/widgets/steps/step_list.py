"""The list of steps, by group, with the graph that they make beside it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPainterPath, QPen

from dockdesk.ui.widgets.plain import one_line
from dockdesk.ui.widgets.steps.items import LOOKS, StepItem, clock_text, group_text
from dockdesk.ui.widgets.steps.rows import StepRows

_NODE_X = 24
_EDGE_X = 8
_ICON = 16
_TEXT_X = 42
_TIME = 58
_AMOUNT = 78
_NARROW = 300  # below so many pixels amounts give way


class StepList(StepRows):
    """A rail joins the steps of a group; what the chosen step takes from others is joined by lines."""

    def paint_line(self, painter: QPainter, line: int, rect: QRect) -> None:
        entry = self._lines[line]
        if isinstance(entry, str):
            self._paint_head(painter, line, rect, entry)
        else:
            self._paint_item(painter, line, rect, entry)

    def _paint_head(self, painter: QPainter, line: int, rect: QRect, group: str) -> None:
        theme = self._theme
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("muted"))
        right = group_text(list(self.group_items(line)), self._clock())
        wide = painter.fontMetrics().horizontalAdvance(right) + 12
        words = rect.adjusted(12, 4, -wide - 12, 0)
        middle = Qt.AlignmentFlag.AlignVCenter
        name = painter.fontMetrics().elidedText(
            one_line(group), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(words, middle, name)
        painter.drawText(rect.adjusted(0, 4, -12, 0), middle | Qt.AlignmentFlag.AlignRight, right)

    def _paint_item(self, painter: QPainter, line: int, rect: QRect, item: StepItem) -> None:
        theme = self._theme
        self.paint_ground(painter, item, rect)
        self._paint_rail(painter, line, rect)
        icon, tone, _word = LOOKS[item.state]
        spot = QRect(_NODE_X - _ICON // 2, rect.center().y() - _ICON // 2 + 1, _ICON, _ICON)
        ground = "panel"
        if item.key == self._key:
            ground = "accent_surface"
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(ground))
        painter.drawEllipse(QRectF(spot).adjusted(-1, -1, 1, 1))
        painter.drawPixmap(spot, theme.pixmap(icon, tone, _ICON, self.devicePixelRatioF()))
        right = self._paint_figures(painter, rect, item)
        self._paint_title(
            painter, QRect(_TEXT_X, rect.top(), right - _TEXT_X - 8, rect.height()), item
        )
        if item.state == "running" and item.share is not None:
            whole = QRect(_TEXT_X, rect.bottom() - 2, rect.width() - _TEXT_X - 12, 2)
            painter.fillRect(whole, theme.colour("line"))
            done = QRect(whole)
            done.setWidth(round(whole.width() * max(0.0, min(1.0, item.share))))
            painter.fillRect(done, theme.colour("accent"))

    def _paint_rail(self, painter: QPainter, line: int, rect: QRect) -> None:
        lines = self._lines
        above = line > 0 and isinstance(lines[line - 1], StepItem)
        below = line + 1 < len(lines) and isinstance(lines[line + 1], StepItem)
        painter.setPen(QPen(self._theme.colour("control_line"), 1.5))
        middle = rect.center().y() + 1
        if above:
            painter.drawLine(_NODE_X, rect.top(), _NODE_X, middle)
        if below:
            painter.drawLine(_NODE_X, middle, _NODE_X, rect.bottom() + 1)

    def _paint_figures(self, painter: QPainter, rect: QRect, item: StepItem) -> int:
        """Time and amount on the right; returns where they begin."""
        theme = self._theme
        painter.setFont(theme.font("small", tabular=True))
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        right = rect.right() - 12
        text = ""
        if item.state == "cached":
            text = "cached"
        elif item.started is not None:
            text = clock_text(item.seconds(self._clock()))
        painter.setPen(
            theme.tone(
                LOOKS[item.state][1] if item.state in {"running", "failed", "cached"} else "muted"
            )
        )
        painter.drawText(QRect(right - _TIME, rect.top(), _TIME, rect.height()), middle, text)
        right -= _TIME
        if item.amount and rect.width() >= _NARROW:
            painter.setPen(theme.colour("muted"))
            painter.drawText(
                QRect(right - _AMOUNT, rect.top(), _AMOUNT, rect.height()), middle, item.amount
            )
            right -= _AMOUNT
        return right

    def _paint_title(self, painter: QPainter, rect: QRect, item: StepItem) -> None:
        theme = self._theme
        waiting = item.state in {"waiting", "cancelled"}
        keyword, _, rest = one_line(item.title, 300).partition(" ")
        colour = theme.colour("muted" if waiting else "text")
        painter.setPen(theme.tone("bad") if item.state == "failed" else colour)
        if not keyword.isupper() or not rest:
            painter.setFont(theme.font("body"))
            words = painter.fontMetrics().elidedText(
                one_line(item.title, 300), Qt.TextElideMode.ElideRight, rect.width()
            )
            painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, words)
            return
        font = theme.font("strong")
        painter.setFont(font)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, keyword)
        left = QFontMetrics(font).horizontalAdvance(keyword) + 8
        mono = theme.font("mono")
        painter.setFont(mono)
        painter.setPen(colour)
        words = QFontMetrics(mono).elidedText(
            rest, Qt.TextElideMode.ElideRight, rect.width() - left
        )
        painter.drawText(rect.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)

    def paint_over(self, painter: QPainter) -> None:
        """The lines from what the chosen step, or the one under the pointer, builds on."""
        line = self._at.get(self._key) if self._hovered < 0 else self._hovered
        if line is None or line >= len(self._lines):
            return
        item = self._lines[line]
        if not isinstance(item, StepItem):
            return
        painter.setPen(QPen(self._theme.colour("accent"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        end = QPointF(_NODE_X - 9, self.rect_of(line).center().y() + 1)
        for key in item.inputs:
            source = self._at.get(key)
            if source is None or abs(source - line) <= 1:
                continue  # joined by the rail
            start = QPointF(_NODE_X - 9, self.rect_of(source).center().y() + 1)
            radius = 5.0 if start.y() < end.y() else -5.0
            path = QPainterPath(start)
            path.quadTo(QPointF(_EDGE_X, start.y()), QPointF(_EDGE_X, start.y() + radius))
            path.lineTo(QPointF(_EDGE_X, end.y() - radius))
            path.quadTo(QPointF(_EDGE_X, end.y()), end)
            painter.drawPath(path)
            painter.drawLine(end, end + QPointF(-4, -3))
            painter.drawLine(end, end + QPointF(-4, 3))
