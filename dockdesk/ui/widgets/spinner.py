"""A turning arc that says: still working."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QWidget

from dockdesk.ui.theme import Theme

_STEP_MS = 40
_STEP_DEGREES = 18


class Spinner(QWidget):
    """Turns while it is on screen, unless reduced motion is asked for; then it is a still arc."""

    def __init__(self, theme: Theme, size: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._size = size
        self._angle = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._on_tick)
        self.setFixedSize(size, size)
        theme.changed.connect(self._on_theme_changed)

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_theme_changed()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, _event: QPaintEvent) -> None:
        width = max(2.0, self._size / 10)
        ring = QRectF(self.rect()).adjusted(width, width, -width, -width)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line"), width))
        painter.drawEllipse(ring)
        arc = QPen(self._theme.colour("accent"), width)
        arc.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(arc)
        painter.drawArc(ring, -self._angle * 16, 90 * 16)
        painter.end()

    def _on_tick(self) -> None:
        self._angle = (self._angle + _STEP_DEGREES) % 360
        self.update()

    def _on_theme_changed(self) -> None:
        if self._theme.animated and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()
        self.update()
