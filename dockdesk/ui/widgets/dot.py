"""A small filled circle. The words beside it say what its colour says."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from dockdesk.ui.theme import Theme

Pick = Callable[[Theme], QColor]


class Dot(QWidget):
    """``pick`` takes its colour from the theme, again whenever that changes."""

    def __init__(
        self, theme: Theme, pick: Pick, radius: float = 4, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._pick = pick
        self._radius = radius
        self.setFixedSize(QSize(12, 12))
        theme.changed.connect(self.update)

    @property
    def colour(self) -> QColor:
        return self._pick(self._theme)

    def set_pick(self, pick: Pick) -> None:
        self._pick = pick
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour)
        painter.drawEllipse(QPointF(6, 6), self._radius, self._radius)
        painter.end()
