"""The log view: the canvas with its mouse, its keyboard and its selection."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from dockdesk.core.logs.blocks import Row
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.log.canvas import LogCanvas
from dockdesk.ui.widgets.log.gate import PaintGate
from dockdesk.ui.widgets.log.keys import Keys
from dockdesk.ui.widgets.log.matcher import Hit
from dockdesk.ui.widgets.log.pointer import Pointer
from dockdesk.ui.widgets.log.search import LogSearch
from dockdesk.ui.widgets.log.selection import Position, Selection
from dockdesk.ui.widgets.plain import plain_tip
from dockdesk.ui.widgets.read_aloud import ReadAloud

_WHEEL_LINES = 3


class LogView(LogCanvas):
    """A log to read, search and select in. It copies nothing itself, since that may take long.

    ``copy_asked`` when the user wants the selection copied, ``selection_done`` when it has been made,
    ``menu_asked`` with a global position.
    """

    selection_done = Signal()
    copy_asked = Signal()
    menu_asked = Signal(QPoint)

    def __init__(
        self, theme: Theme, search: LogSearch, gate: PaintGate, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, search, gate, parent)
        self._pointer = Pointer(self, self)
        self._keys = Keys(self)
        self._wheel = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Log")
        self._aloud = ReadAloud(
            self,
            lambda: (text for _row, text in self.lines_drawn()),
            "Arrow keys scroll, Shift with them selects, End goes to the newest line and follows it.",
        )
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)

    @property
    def selection(self) -> Selection:
        return self._selection

    def zoom_by(self, step: int) -> None:
        """A step larger or smaller; 0 for the usual size."""
        self.set_zoom(self.zoom + step if step else 0)

    def neighbour(self, row: int, step: int) -> int:
        if not len(self._shown):
            return row
        return self._shown.row(max(0, min(len(self._shown) - 1, self._shown.index(row) + step)))

    def text_of(self, row: int) -> str:
        """The text of a row as it is shown; empty if the row is gone."""
        found = self._reader.rows([row])
        return self._reader.line(found[0]).text if found else ""

    def hit(self, point: QPointF) -> tuple[Position, str] | None:
        drawn = self._in_view()
        if not drawn:
            return None
        height = self._painter.height
        at = int((point.y() - drawn[0].top) // height)
        item = drawn[max(0, min(len(drawn) - 1, at))]
        line, (start, end) = item.line, item.segment
        if at >= len(drawn):
            return Position(line.row.number, end), line.text
        left = self.text_left - self._shift()
        cell = line.cell(start) + (point.x() - left) / self._painter.cell
        return Position(line.row.number, line.char_at(cell, start, end)), line.text

    def edge(self, point: QPointF) -> tuple[int, int]:
        view = self.viewport()
        lines = cells = 0
        if point.y() < 0:
            lines = -1 - int(-point.y()) // 20
        elif point.y() >= view.height():
            lines = 1 + int(point.y() - view.height()) // 20
        if not self.wrapped and point.x() < self.text_left and self._shift() > 0:
            cells = -2
        elif not self.wrapped and point.x() >= view.width():
            cells = 2
        return lines, cells

    def show_position(self, position: Position) -> None:
        """Scroll as far as it takes to see a character."""
        if not len(self._shown):
            return
        index = min(self._shown.index(position.row), len(self._shown) - 1)
        found = self._reader.rows(self._shown.numbers(index, 1))
        if not found:
            return
        line = self._reader.line(found[0])
        columns = self._columns
        part = sum(1 for start in line.breaks(columns) if start <= position.char) - 1
        self._scroller.reveal(index, max(0, part))
        if not self.wrapped:
            left = line.cell(min(position.char, len(line.text))) * self._painter.cell
            bar = self.horizontalScrollBar()
            room = self._room
            self._widest = max(self._widest, line.cells)
            self._sync_bars()
            if not bar.value() <= left <= bar.value() + room - 4 * self._painter.cell:
                bar.setValue(max(0, round(left - room / 3)))
        self._moved()

    def show_hit(self, hit: Hit) -> None:
        self.selection.clear()
        self.show_position(Position(hit.row, hit.end))
        self.show_position(Position(hit.row, hit.start))

    # Selecting.

    def select_all(self) -> None:
        if len(self._shown):
            last = self._shown.row(len(self._shown) - 1)
            self.selection.begin(
                Position(self._shown.row(0), 0), Position(last, len(self.text_of(last)) + 1)
            )
            self.selection_moved(True)

    def clear_selection(self) -> bool:
        """Returns whether there was one."""
        had = self.selection.range is not None
        self.selection.clear()
        self.selection_moved(False)
        return had

    def copy(self) -> None:
        self.copy_asked.emit()

    def selection_moved(self, done: bool) -> None:
        self._held = self._pointer.dragging
        self.viewport().update()
        if done:
            # What is selected should stay in sight, not run away with the newest line.
            if self.selection.range is not None and self._scroller.following:
                self._scroller.following = False
                self._sync_bars()
            self.selection_done.emit()

    # Events.

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._aloud.touch()

    def event(self, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and self._keys.wants(event):
            event.accept()
            return True
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event)
            return True
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keys.press(event):
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pointer.double_click(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(event.globalPos())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def hideEvent(self, event: QHideEvent) -> None:
        self._pointer.cancel()
        self._held = False
        super().hideEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if delta.y():
                self.zoom_by(1 if delta.y() > 0 else -1)
        elif delta.x() or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.scroll_cells(-round((delta.x() or delta.y()) / 120 * 6))
        else:
            self._wheel -= delta.y() / 120 * _WHEEL_LINES
            lines = int(self._wheel)
            self._wheel -= lines
            if lines:
                self.scroll_lines(lines)
        event.accept()

    def _show_tip(self, event: QHelpEvent) -> None:
        row = self._row_under(event.pos())
        if row is not None and event.pos().x() < max(12, self.text_left):
            QToolTip.showText(event.globalPos(), plain_tip(self._gutter.tip(row)), self.viewport())
        else:
            QToolTip.hideText()

    def _row_under(self, point: QPoint) -> Row | None:
        height = self._painter.height
        for item in self._in_view():
            if item.top <= point.y() < item.top + height:
                return item.line.row
        return None
