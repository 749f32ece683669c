"""The table of all lists: painted by hand, driven by keys as well as by the mouse, and quiet while nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QMenu,
    QTableView,
    QToolTip,
    QWidget,
)

from dockdesk.core.columns import CellKind, Link
from dockdesk.models.arrangement import Group, Key
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import plain_tip
from dockdesk.ui.widgets.table_header import TableHeader
from dockdesk.ui.widgets.table_paint import GROUP_TEXT_AT, PAD, Cell, CellPainter

T = TypeVar("T")

_ROOT = QModelIndex()


class TableView(QTableView, Generic[T]):
    """Shows a `KeyedTableModel`. What is chosen is told as rows; a chosen group header stands for its rows.

    Enter or a double click activates a row (and folds a header), the menu key or a right click asks for a menu, typing
    goes to the row whose name begins so, Ctrl+C copies the chosen rows as text, Ctrl+Enter opens the row's first link.
    """

    selection_changed = Signal(list)  # rows, the current one first
    activated_row = Signal(object)
    context_requested = Signal(QPoint)  # global position; the rows are `selected_rows`
    link_activated = Signal(str)  # address
    visible_keys_changed = Signal(object)  # set of the keys of rows on the screen

    def __init__(
        self,
        theme: Theme,
        model: KeyedTableModel[T],
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        """``name`` says what the table lists, for people who can't see it."""
        super().__init__(parent)
        self._theme = theme
        self._rows: KeyedTableModel[T] = model
        self._cells = CellPainter(theme)
        self._empty = ("Nothing here yet", "")
        self._no_match = ("No match", "Nothing matches the filter.")
        self._hovered_line = -1
        self._hovered_link: Link | None = None
        self._pressed_link: Link | None = None
        self._visible_keys: set[Key] = set()
        self._typed = ""
        self._typed_timer = QTimer(self)
        self._typed_timer.setSingleShot(True)
        self._typed_timer.timeout.connect(self._on_typing_paused)
        self._visible_timer = QTimer(self)
        self._visible_timer.setSingleShot(True)
        self._visible_timer.timeout.connect(self._tell_visible)
        self.setAccessibleName(name)
        self._set_up()
        self.setModel(model)
        self._header = TableHeader(
            theme, self._cells, model.columns, lambda: model.sorted_by, model.sort_by, self
        )
        self.setHorizontalHeader(self._header)
        self._header.begin()
        self._take_theme()
        theme.changed.connect(self._take_theme)
        model.sort_changed.connect(self._header.viewport().update)
        model.counts_changed.connect(self._on_counts_changed)
        model.layoutAboutToBeChanged.connect(self._on_about_to_reorder)

    def _set_up(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _take_theme(self) -> None:
        self._cells.refresh()
        height = self._cells.row_height
        self.verticalHeader().setMinimumSectionSize(height)
        self.verticalHeader().setDefaultSectionSize(height)
        self.verticalScrollBar().setSingleStep(height)
        self._header.fit()
        self.viewport().update()
        self._header.viewport().update()

    # What is chosen.

    @property
    def rows(self) -> KeyedTableModel[T]:
        """The model."""
        return self._rows

    def selected_rows(self) -> list[T]:
        """The chosen rows, the current one first; a chosen header stands for its rows."""
        lines = sorted({index.row() for index in self.selectionModel().selectedRows()})
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
        flags = selection.SelectionFlag
        chosen = flags.Select | flags.Rows
        first = self._rows.index(lines[0], self._first_column())
        selection.setCurrentIndex(first, flags.ClearAndSelect | flags.Rows)
        for line in lines[1:]:
            selection.select(self._rows.index(line, 0), chosen)
        self.scrollTo(first)
        return True

    def set_empty(self, title: str, text: str = "") -> None:
        """What the table says while it has no rows at all."""
        self._empty = (title, text)
        self.viewport().update()

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

    # Painting.

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        area = event.rect()
        painter.fillRect(area, self._cells.colour("panel"))
        if not self._rows.rowCount():
            title, text = self._no_match if self._rows.total else self._empty
            self._cells.paint_message(painter, QRectF(self.viewport().rect()), title, text)
            self._note_visible(-1, -1)
            return
        bottom = self.viewport().height() - 1
        self._note_visible(*self._lines_between(0, bottom))
        first, last = self._lines_between(area.top(), area.bottom())
        lines = [(line, self._rows.entry_at(line)) for line in range(first, last + 1)]
        self._paint_lines(painter, lines)
        self._paint_cells(painter, lines, area.left(), area.right())
        self._paint_focus(painter)
        if self._cells.sparks.grew:  # what was painted before, on a smaller scale, is out of date
            self._cells.sparks.grew = False
            self.viewport().update()

    def _lines_between(self, top: int, bottom: int) -> tuple[int, int]:
        first, last = self.rowAt(top), self.rowAt(bottom)
        return max(0, first), (last if last >= 0 else self._rows.rowCount() - 1)

    def _paint_lines(
        self, painter: QPainter, lines: Sequence[tuple[int, T | Group | None]]
    ) -> None:
        selection = self.selectionModel()
        width = self.viewport().width()
        for line, entry in lines:
            header = isinstance(entry, Group)
            area = QRectF(0, self.rowViewportPosition(line), width, self.rowHeight(line))
            self._cells.paint_ground(
                painter,
                area,
                selected=selection.isRowSelected(line, _ROOT),
                hovered=line == self._hovered_line,
                header=header,
            )
            if isinstance(entry, Group):
                self._cells.paint_group(painter, entry, self._rows.group_detail(entry), area)

    def _paint_cells(
        self,
        painter: QPainter,
        lines: Sequence[tuple[int, T | Group | None]],
        left: int,
        right: int,
    ) -> None:
        header = self._header
        places = [
            (entry, self.rowViewportPosition(line), self.rowHeight(line))
            for line, entry in lines
            if not isinstance(entry, Group) and entry is not None
        ]
        if not places:
            return
        hovered = (self._rows.entry_at(self._hovered_line), self._hovered_link)
        for number, column in enumerate(self._rows.columns):
            if header.isSectionHidden(number):
                continue
            x, width = self._span(number)
            if x > right or x + width < left:
                continue
            cells = [(entry, Cell(x, y, width, height)) for entry, y, height in places]
            self._cells.paint_column(painter, column, cells, hovered)

    def _span(self, number: int) -> tuple[int, int]:
        """Where a column's cells begin and how wide they are; below headers the first one is set in."""
        header = self._header
        x, width = header.sectionViewportPosition(number), header.sectionSize(number)
        inset = GROUP_TEXT_AT - PAD if self._rows.grouped and number == self._first_column() else 0
        return x + inset, width - inset

    def _paint_focus(self, painter: QPainter) -> None:
        line = self.currentIndex().row()
        if line >= 0 and self.hasFocus():
            y, height = self.rowViewportPosition(line), self.rowHeight(line)
            self._cells.paint_focus(painter, QRectF(0, y, self.viewport().width(), height))

    def _update_line(self, line: int) -> None:
        if line >= 0:
            self.viewport().update(
                0, self.rowViewportPosition(line), self.viewport().width(), self.rowHeight(line)
            )

    # What is visible.

    def _note_visible(self, first: int, last: int) -> None:
        """Keep the model's idea of the screen true; every scroll, resize and reorder ends in a paint."""
        self._rows.set_visible_range(first, last)
        keys = {
            key
            for line in (range(first, last + 1) if first >= 0 else ())
            if (key := self._rows.key_at(line)) is not None
        }
        if keys != self._visible_keys:
            self._visible_keys = keys
            self._visible_timer.start(0)

    def _tell_visible(self) -> None:
        rows = [row for key in self._visible_keys if (row := self._rows.row(key)) is not None]
        if self._cells.shrink_scales(self._rows.columns, rows):
            self.viewport().update()
        self.visible_keys_changed.emit(set(self._visible_keys))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._note_visible(-1, -1)

    # Following the model.

    def rowsInserted(self, parent: Any, start: int, end: int) -> None:
        super().rowsInserted(parent, start, end)
        self._shift(start, end - start + 1)

    def rowsAboutToBeRemoved(self, parent: Any, start: int, end: int) -> None:
        super().rowsAboutToBeRemoved(parent, start, end)
        self._shift(start, -(end - start + 1))

    def _shift(self, start: int, count: int) -> None:
        """Lines came or went above what is looked at: scroll along, so that it stays where it is."""
        bar = self.verticalScrollBar()
        if bar.value() > 0 and start + max(0, -count) <= self.rowAt(0):
            target = bar.value() + count * self._cells.row_height
            if count > 0:
                self.updateGeometries()
            bar.setValue(max(0, target))

    def _on_about_to_reorder(self) -> None:
        """A current row that is about to go would be replaced by whatever comes to stand at the very end."""
        key = self._rows.key_at(self.currentIndex().row())
        if key is not None and self._rows.row(key) is None:
            self.selectionModel().setCurrentIndex(
                QModelIndex(), self.selectionModel().SelectionFlag.NoUpdate
            )

    def _on_counts_changed(self, _shown: int, _total: int) -> None:
        if not self._rows.rowCount():
            self.viewport().update()

    def selectionChanged(self, selected: Any, deselected: Any) -> None:
        super().selectionChanged(selected, deselected)
        self.selection_changed.emit(self.selected_rows())

    def currentChanged(self, current: Any, previous: Any) -> None:
        super().currentChanged(current, previous)
        self._update_line(previous.row())
        self._update_line(current.row())

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

    def _first_column(self) -> int:
        header = self._header
        places = (header.logicalIndex(place) for place in range(header.count()))
        return next((number for number in places if not header.isSectionHidden(number)), 0)

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

    def _cell(self, line: int, number: int) -> Cell:
        x, width = self._span(number)
        return Cell(x, self.rowViewportPosition(line), width, self.rowHeight(line))

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

    # The frame around.

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.fit()

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

    def sizeHintForColumn(self, column: int) -> int:
        """What the visible cells of a column need: for a double click between two titles."""
        described = self._rows.columns[column]
        rows = [row for key in self._visible_keys if (row := self._rows.row(key)) is not None]
        return round(max((self._cells.needed(described, row) for row in rows), default=0.0)) + 1
