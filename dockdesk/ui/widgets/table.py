"""The table of all lists: painted by hand, driven by keys as well as by the mouse, and quiet while nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenu, QToolTip, QWidget

from dockdesk.core.columns import CellKind, Link
from dockdesk.models.arrangement import Group, Key
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import plain_tip
from dockdesk.ui.widgets.table_canvas import TableCanvas
from dockdesk.ui.widgets.table_paint import GROUP_TEXT_AT

T = TypeVar("T")


class TableView(TableCanvas[T]):
    """Shows a `KeyedTableModel`. What is chosen is told as rows; a chosen group header stands for its rows.

    Enter or a double click activates a row (and folds a header), the menu key or a right click asks for a menu, typing
    goes to the row whose name begins so, Ctrl+C copies the chosen rows as text, Ctrl+Enter opens the row's first link.
    """

    selection_changed = Signal(list)  # rows, the current one first
    activated_row = Signal(object)
    context_requested = Signal(QPoint)  # global position; the rows are `selected_rows`
    link_activated = Signal(str)  # address

    def __init__(
        self,
        theme: Theme,
        model: KeyedTableModel[T],
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        """``name`` says what the table lists, for people who can't see it."""
        super().__init__(theme, model, name, parent)
        self._pressed_link: Link | None = None
        self._typed = ""
        self._typed_timer = QTimer(self)
        self._typed_timer.setSingleShot(True)
        self._typed_timer.timeout.connect(self._on_typing_paused)

    # What is chosen.

    def selected_rows(self) -> list[T]:
        """The chosen rows, the current one first; a chosen header stands for its rows."""
        lines = self.selected_lines()
        current = self.currentIndex().row()
        if current in lines:
            lines.remove(current)
            lines.insert(0, current)
        return self._rows.rows_at(lines)

    def current_row(self) -> T | None:
        """The row that keys act on; None on a header, or where there is none."""
        entry = self._rows.entry_at(self.currentIndex().row())
        return None if isinstance(entry, Group) else entry

    def select_keys(self, keys: Iterable[Key]) -> bool:
        """Choose these rows and no others, and show the first; False if none of them has a line."""
        lines = [line for key in keys if (line := self._rows.line_of(key)) >= 0]
        if not lines:
            return False
        selection = self.selectionModel()
        first = self._rows.index(lines[0], self._first_column())
        selection.setCurrentIndex(first, selection.SelectionFlag.NoUpdate)
        self.select_lines(lines)
        self.scrollTo(first)
        return True

    def column_menu(self) -> QMenu:
        """Columns, sorting and reset as a menu, for a button or key; the caller shows it."""
        return self._header.menu(self)

    def copy_text(self) -> str:
        """The chosen rows as lines of tab-separated texts, with the titles above where there are several."""
        columns = [
            self._rows.columns[number]
            for place in range(self._header.count())
            if not self._header.isSectionHidden(number := self._header.logicalIndex(place))
        ]
        rows = self.selected_rows()
        lines = ["\t".join(column.text(row) for column in columns) for row in rows]
        if len(lines) > 1:
            lines.insert(0, "\t".join(column.title for column in columns))
        return "\n".join(lines)

    # State.

    def save_state(self) -> dict[str, Any]:
        """Columns, order and collapsed groups as plain JSON values."""
        column, descending = self._rows.sorted_by
        return {
            "columns": self._header.save(),
            "sort": [column, descending],
            "collapsed": sorted(self._rows.collapsed),
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave, perhaps another version: what no longer fits is ignored."""
        self._header.restore(state.get("columns"))
        sort = state.get("sort")
        if isinstance(sort, Sequence) and len(sort) == 2 and isinstance(sort[0], str):
            known = {column.id for column in self._rows.columns}
            if sort[0] in known or not sort[0]:
                self._rows.sort_by(sort[0], sort[1] is True)
        collapsed = state.get("collapsed")
        if isinstance(collapsed, list):
            self._rows.set_collapsed(name for name in collapsed if isinstance(name, str))

    # Keys.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            if text := self.copy_text():
                QGuiApplication.clipboard().setText(text)
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._on_enter(event)
            return
        entry = self._rows.entry_at(self.currentIndex().row())
        if self._fold_by_key(event, entry):
            return
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
            return
        super().keyPressEvent(event)

    def _on_enter(self, event: QKeyEvent) -> None:
        line = self.currentIndex().row()
        entry = self._rows.entry_at(line)
        if entry is None:
            event.ignore()
        elif isinstance(entry, Group):
            self._rows.toggle(entry)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            links = [
                link for c in self._rows.columns if c.links is not None for link in c.links(entry)
            ]
            if links:
                self.link_activated.emit(links[0].url)
        else:
            self.activated_row.emit(entry)

    def _fold_by_key(self, event: QKeyEvent, entry: T | Group | None) -> bool:
        """Left and right fold a header and unfold it; left goes from a row to the header above it."""
        key = event.key()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if isinstance(entry, Group):
            wanted = {Qt.Key.Key_Left: True, Qt.Key.Key_Right: False}.get(Qt.Key(key))
            if wanted is None and key != Qt.Key.Key_Space:
                return False
            if wanted is None or entry.collapsed != wanted:
                self._rows.toggle(entry)
            return True
        if key == Qt.Key.Key_Left and entry is not None:
            line = self.currentIndex().row()
            while line > 0 and not isinstance(self._rows.entry_at(line), Group):
                line -= 1
            if isinstance(self._rows.entry_at(line), Group):
                self.setCurrentIndex(self._rows.index(line, self._first_column()))
                return True
        return False

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Home and End mean the first and the last row, not the first and last cell of one."""
        ends = {
            QAbstractItemView.CursorAction.MoveHome: 0,
            QAbstractItemView.CursorAction.MoveEnd: self._rows.rowCount() - 1,
        }
        if action in ends:
            return self._rows.index(ends[action], self._first_column())
        return super().moveCursor(action, modifiers)

    def keyboardSearch(self, search: str) -> None:
        """Go to the next row whose name begins with what was typed; a letter again goes to the one after."""
        if not search.strip() and not self._typed:
            return
        again = bool(self._typed) and set(self._typed + search) == {search}
        self._typed += search
        self._typed_timer.start(QApplication.keyboardInputInterval() * 2)
        wanted = (search if again else self._typed).casefold()
        columns = self._rows.columns
        named = next((c for c in columns if c.kind is CellKind.STRONG), columns[0])
        count = self._rows.rowCount()
        start = max(0, self.currentIndex().row()) + (1 if again or len(self._typed) == 1 else 0)
        for step in range(count):
            line = (start + step) % count
            entry = self._rows.entry_at(line)
            if entry is None or isinstance(entry, Group):
                continue
            if named.text(entry).casefold().startswith(wanted):
                self.setCurrentIndex(self._rows.index(line, self._first_column()))
                return

    def _on_typing_paused(self) -> None:
        self._typed = ""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            line = self.currentIndex().row()
            if line < 0:
                return
            self.scrollTo(self.currentIndex())
            y = self.rowViewportPosition(line) + self.rowHeight(line)
            position = self.viewport().mapToGlobal(QPoint(GROUP_TEXT_AT, y))
        else:
            position = event.globalPos()
        self.context_requested.emit(position)
        event.accept()

    # Mouse.

    def link_at(self, position: QPoint) -> Link | None:
        """The link under a position in the viewport."""
        line, number = self.rowAt(position.y()), self.columnAt(position.x())
        entry = self._rows.entry_at(line)
        if entry is None or isinstance(entry, Group) or number < 0:
            return None
        column = self._rows.columns[number]
        if column.kind is not CellKind.LINKS:
            return None
        for piece in self._cells.pieces(column, entry, self._cell(line, number)):
            if piece.x <= position.x() < piece.x + piece.width:
                return piece.link
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        position = event.position().toPoint()
        self._hover(self.rowAt(position.y()), self.link_at(position))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_link = self.link_at(position)
            if self._pressed_link is not None:
                return
            entry = self._rows.entry_at(self.rowAt(position.y()))
            if isinstance(entry, Group) and position.x() < GROUP_TEXT_AT:
                self._rows.toggle(entry)
                return
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        link, self._pressed_link = self._pressed_link, None
        if link is not None and event.button() == Qt.MouseButton.LeftButton:
            if link == self.link_at(event.position().toPoint()):
                self.link_activated.emit(link.url)
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        position = event.position().toPoint()
        entry = self._rows.entry_at(self.rowAt(position.y()))
        if event.button() != Qt.MouseButton.LeftButton or self.link_at(position) is not None:
            return
        if isinstance(entry, Group):
            self._rows.toggle(entry)
        elif entry is not None:
            self.activated_row.emit(entry)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1, None)

    def _hover(self, line: int, link: Link | None) -> None:
        if link != self._hovered_link:
            self._hovered_link = link
            shape = Qt.CursorShape.PointingHandCursor if link else Qt.CursorShape.ArrowCursor
            self.viewport().setCursor(shape)
            self._update_line(line)
        if line != self._hovered_line:
            old, self._hovered_line = self._hovered_line, line
            self._update_line(old)
            self._update_line(line)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._show_tip(event)
            return True
        return super().viewportEvent(event)

    def tip_at(self, position: QPoint) -> str:
        """What a tooltip says there, as plain text: a link's address, the column's tip, or what the cell cuts off."""
        if (link := self.link_at(position)) is not None:
            return link.url
        line, number = self.rowAt(position.y()), self.columnAt(position.x())
        entry = self._rows.entry_at(line)
        if entry is None or isinstance(entry, Group) or number < 0:
            return ""
        column = self._rows.columns[number]
        if column.tip is not None:
            return column.tip(entry)
        cut = self._cells.elided(column, entry, self._span(number)[1])
        return column.text(entry) if cut else ""

    def _show_tip(self, event: QHelpEvent) -> None:
        position = event.pos()
        line, number = self.rowAt(position.y()), self.columnAt(position.x())
        text = self.tip_at(position)
        if not text:
            QToolTip.hideText()
            return
        cell = self.visualRect(self._rows.index(line, number))
        QToolTip.showText(event.globalPos(), plain_tip(text), self.viewport(), cell)

    def selectionChanged(self, selected: Any, deselected: Any) -> None:
        super().selectionChanged(selected, deselected)
        self.selection_changed.emit(self.selected_rows())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._rows.rowCount():
            # Keys must have a place to begin at; choosing it is left to the user.
            flags = self.selectionModel().SelectionFlag
            index = self._rows.index(0, self._first_column())
            self.selectionModel().setCurrentIndex(index, flags.NoUpdate)
        self._update_line(self.currentIndex().row())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._update_line(self.currentIndex().row())
