"""A scroll bar that shows where the hits of a search are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from dockdesk.ui.theme import Theme


class MarkedScrollBar(QScrollBar):
    """Vertical; `set_marks` puts lines beside the handle, in shares of the whole."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._theme = theme
        self._marks: Sequence[tuple[float, float]] = ()
        self._current: float | None = None
        self._bands: list[QRect] = []
        self._bands_height = -1

    def set_marks(self, marks: Sequence[tuple[float, float]], current: float | None = None) -> None:
        """Stretches as (begin, end), and the current hit; 0.0 is the top, 1.0 the bottom."""
        self._marks = marks
        self._current = current
        self._bands_height = -1
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._marks:
            return
        if self._bands_height != self.height():
            self._lay_out()
        painter = QPainter(self)
        colour = self._theme.tone("warn")
        for band in self._bands:
            painter.fillRect(band, colour)
        if self._current is not None:
            top = round(self._current * (self.height() - 3))
            painter.fillRect(QRect(0, top, self.width(), 3), self._theme.colour("accent"))
        painter.end()

    def _lay_out(self) -> None:
        """Join marks that fall on the same pixels: there may be many thousands."""
        height = self._bands_height = self.height()
        width = 4
        left = self.width() - width
        self._bands = []
        begin = end = -1
        for first, last in self._marks:
            top = int(first * (height - 2))
            bottom = max(top + 2, int(last * (height - 2)))
            if top <= end and begin >= 0:
                end = max(end, bottom)
                continue
            if begin >= 0:
                self._bands.append(QRect(left, begin, width, end - begin))
            begin, end = top, bottom
        if begin >= 0:
            self._bands.append(QRect(left, begin, width, end - begin))
