"""A number that matters, on a card: title, figure, a quiet line below and, where it has a past, a sparkline."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart.sparkline import paint_sparkline
from dockdesk.ui.widgets.plain import one_line

_PAD_X, _PAD_Y, _GAP = 14, 11, 3
_RADIUS = 12
_SPARK_HEIGHT = 26


class StatCard(QWidget):
    """Draws itself in one go; as low as its three lines need. With ``clickable`` it is a button."""

    clicked = Signal()

    def __init__(
        self, theme: Theme, title: str, clickable: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = title
        self._figure = "—"
        self._sub = ""
        self._tone: Tone = "neutral"
        self._values: Sequence[float] = ()
        self._high: float | None = None
        self._clickable = clickable
        self._hovered = False
        if clickable:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)
        self._name()

    def set_value(self, figure: str, sub: str = "", tone: Tone = "neutral") -> None:
        """The figure as text, the quiet line below, and the figure's tone where it means something."""
        figure, sub = one_line(figure), one_line(sub)
        if (figure, sub, tone) != (self._figure, self._sub, self._tone):
            self._figure, self._sub, self._tone = figure, sub, tone
            self._name()
            self.update()

    def set_series(self, values: Sequence[float], high: float | None = None) -> None:
        """The figure's past, oldest first."""
        self._values, self._high = list(values), high
        self.update()

    def _name(self) -> None:
        self.setAccessibleName(
            ", ".join(part for part in (self._title, self._figure, self._sub) if part)
        )

    def sizeHint(self) -> QSize:
        return QSize(200, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(110, self._height())

    def _height(self) -> int:
        small = QFontMetricsF(self._theme.font("small")).height()
        figure = QFontMetricsF(self._theme.font("figure")).height()
        return round(2 * small + figure) + 2 * _PAD_Y + 2 * _GAP

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_card(painter)
        room = self.width() - 2 * _PAD_X
        self._paint_spark(painter, room)
        top = float(_PAD_Y)
        small, muted = self._theme.font("small"), self._theme.colour("muted")
        figure = self._theme.font("figure")
        for font, text, colour in (
            (small, self._title, muted),
            (figure, self._figure, self._theme.tone(self._tone)),
            (small, self._sub, muted),
        ):
            metrics = QFontMetricsF(font)
            painter.setFont(font)
            painter.setPen(colour)
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPointF(_PAD_X, top + metrics.ascent()), shown)
            top += metrics.height() + _GAP

    def _paint_card(self, painter: QPainter) -> None:
        focused = self.hasFocus()
        pen = QPen(self._theme.colour("accent" if focused else "line"), 2 if focused else 1)
        inset = pen.widthF() / 2
        painter.setPen(pen)
        painter.setBrush(self._theme.colour("hover" if self._hovered else "panel"))
        rect = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(rect, _RADIUS, _RADIUS)

    def _paint_spark(self, painter: QPainter, room: float) -> None:
        figure = QFontMetricsF(self._theme.font("figure")).horizontalAdvance(self._figure)
        width = min(110.0, room - figure - 20)
        if len(self._values) > 1 and width >= 36:
            title = QFontMetricsF(self._theme.font("small")).height()
            rect = QRectF(
                self.width() - _PAD_X - width, _PAD_Y + title + _GAP, width, _SPARK_HEIGHT
            )
            colour = self._theme.tone("accent" if self._tone == "neutral" else self._tone)
            paint_sparkline(painter, rect, self._values, colour, self._high)

    def enterEvent(self, _event: QEnterEvent) -> None:
        self._hovered = self._clickable
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self._hovered = False
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if self._clickable and inside and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._clickable and event.key() in (
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Space,
        ):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()
