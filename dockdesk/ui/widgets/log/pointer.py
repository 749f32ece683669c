"""Selecting with the mouse: by characters, words or rows, and beyond the edges of the view."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QElapsedTimer, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QMouseEvent

from dockdesk.ui.widgets.log.selection import Position, Selection, Unit, word_at

_SCROLL_MS = 40


class Selectable(Protocol):
    """What a pointer needs of its view."""

    @property
    def selection(self) -> Selection: ...
    def hit(self, point: QPointF) -> tuple[Position, str] | None:
        """The position nearest to a point in the viewport, and the text of its row."""

    def edge(self, point: QPointF) -> tuple[int, int]:
        """How far a point is outside: lines up or down, and cells left or right."""

    def scroll_lines(self, lines: int) -> None: ...
    def scroll_cells(self, cells: int) -> None: ...
    def selection_moved(self, done: bool) -> None: ...


class Pointer(QObject):
    """Turns mouse events into a selection. ``dragging`` while a button is down."""

    def __init__(self, view: Selectable, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._unit = Unit.CHARACTER
        self._point = QPointF()
        self._double = QElapsedTimer()
        self._double_at = QPointF()
        self._timer = QTimer(self)
        self._timer.setInterval(_SCROLL_MS)
        self._timer.timeout.connect(self._on_timeout)
        self.dragging = False

    def press(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._unit = Unit.ROW if self._is_third(event) else Unit.CHARACTER
        self._begin(event.position(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def double_click(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._double.start()
        self._double_at = event.position()
        self._unit = Unit.WORD
        self._begin(event.position(), False)

    def move(self, event: QMouseEvent) -> None:
        if not self.dragging:
            return
        self._point = event.position()
        if any(self._view.edge(self._point)):
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()
        self._extend()

    def release(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.dragging:
            self.cancel()
            self._view.selection_moved(True)

    def cancel(self) -> None:
        """The button is up, or the view is gone."""
        self.dragging = False
        self._timer.stop()

    def _is_third(self, event: QMouseEvent) -> bool:
        if not self._double.isValid():
            return False
        hints = QGuiApplication.styleHints()
        soon = self._double.elapsed() <= hints.mouseDoubleClickInterval()
        moved = (event.position() - self._double_at).manhattanLength()
        self._double.invalidate()
        return soon and moved <= hints.startDragDistance()

    def _begin(self, point: QPointF, extends: bool) -> None:
        found = self._view.hit(point)
        if found is None:
            return
        self.dragging = True
        self._point = point
        if extends and self._view.selection.cursor is not None:
            self._view.selection.extend(*self._around(*found))
        else:
            self._view.selection.begin(*self._around(*found))
        self._view.selection_moved(False)

    def _extend(self) -> None:
        found = self._view.hit(self._point)
        if found is not None:
            self._view.selection.extend(*self._around(*found))
            self._view.selection_moved(False)

    def _around(self, position: Position, text: str) -> tuple[Position, Position]:
        row = position.row
        if self._unit is Unit.WORD:
            first, end = word_at(text, position.char)
            return Position(row, first), Position(row, end)
        if self._unit is Unit.ROW:
            return Position(row, 0), Position(row, len(text) + 1)
        return position, position

    def _on_timeout(self) -> None:
        lines, cells = self._view.edge(self._point)
        self._view.scroll_lines(lines)
        self._view.scroll_cells(cells)
        self._extend()
