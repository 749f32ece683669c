"""How a table shows its model: painted by hand, and aware of which rows are on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QRectF,
    QTimer,
    Signal,
)
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from dockdesk.core.columns import Link
from dockdesk.models.arrangement import Entry, Group, Key
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.table_header import TableHeader
from dockdesk.ui.widgets.table_paint import GROUP_TEXT_AT, PAD, Cell, CellPainter
from dockdesk.ui.widgets.viewport import own_viewport

T = TypeVar("T")

_ROOT = QModelIndex()


class TableCanvas(QTableView, Generic[T]):
    """Paints rows, cells and headers straight from the model, and keeps what is looked at in its place."""

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
        self._rows: KeyedTableModel[T] = model
        self._cells = CellPainter(theme)
        self._empty = ("Nothing here yet", "")
        self._no_match = ("No match", "Nothing matches the filter.")
        self._hovered_line = -1
        self._hovered_link: Link | None = None
        self._visible_keys: set[Key] = set()
        self._chosen: list[Entry] = []  # while lines change places
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
        model.reordering.connect(self._on_reordering)
        model.reordered.connect(self._on_reordered)

    def _set_up(self) -> None:
        own_viewport(self, QPalette.ColorRole.Base)
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

    @property
    def rows(self) -> KeyedTableModel[T]:
        """The model."""
        return self._rows

    def set_empty(self, title: str, text: str = "") -> None:
        """What the table says while it has no rows at all."""
        self._empty = (title, text)
        self.viewport().update()

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
        current = self.currentIndex().row()
        key = self._rows.key_at(current) if start <= current <= end else None
        if key is not None and self._rows.filtered and self._rows.row(key) is not None:
            # A filter hides it. Qt would go to what stands next to it, which is the very end of what is left.
            selection = self.selectionModel()
            selection.setCurrentIndex(_ROOT, selection.SelectionFlag.NoUpdate)
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

    def selected_lines(self) -> list[int]:
        """The chosen lines, top to bottom. A list of indexes, as Qt gives it, takes long to make of many."""
        ranges = self.selectionModel().selection()
        found: set[int] = set()
        for number in range(ranges.count()):
            item = ranges.at(number)
            found.update(range(item.top(), item.bottom() + 1))
        return sorted(found)

    def select_lines(self, lines: Iterable[int]) -> None:
        """Choose these lines and no others, in one step."""
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().select(self._selection_of(sorted(lines)), flags.ClearAndSelect)

    def _selection_of(self, lines: Sequence[int]) -> QItemSelection:
        """Ascending lines as a selection of whole rows, with one range for neighbours."""
        selection = QItemSelection()
        last_column = self._rows.columnCount() - 1
        start = 0
        for place, line in enumerate(lines):
            if place + 1 == len(lines) or lines[place + 1] != line + 1:
                first, last = self._rows.index(lines[start], 0), self._rows.index(line, last_column)
                selection.append(QItemSelectionRange(first, last))
                start = place + 1
        return selection

    def _on_reordering(self) -> None:
        """Keep what is chosen by itself: Qt would follow every single cell of it, for seconds where many are chosen."""
        key = self._rows.key_at(self.currentIndex().row())
        selection = self.selectionModel()
        if key is not None and self._rows.row(key) is None:
            # It is about to go, and would be replaced by whatever comes to stand at the very end.
            selection.setCurrentIndex(QModelIndex(), selection.SelectionFlag.NoUpdate)
        self._chosen = self._rows.entries_at(self.selected_lines())
        if self._chosen:
            selection.blockSignals(True)
            selection.clearSelection()
            selection.blockSignals(False)

    def _on_reordered(self) -> None:
        if self._chosen:
            selection = self.selectionModel()
            lines = sorted(self._rows.line_of(entry) for entry in self._chosen)
            selection.blockSignals(True)  # the same rows are chosen as before
            selection.select(self._selection_of(lines), selection.SelectionFlag.Select)
            selection.blockSignals(False)
            self._chosen = []

    def _on_counts_changed(self, _shown: int, _total: int) -> None:
        if not self._rows.rowCount():
            self.viewport().update()

    def currentChanged(self, current: Any, previous: Any) -> None:
        super().currentChanged(current, previous)
        self._update_line(previous.row())
        self._update_line(current.row())

    # Columns.

    def _first_column(self) -> int:
        header = self._header
        places = (header.logicalIndex(place) for place in range(header.count()))
        return next((number for number in places if not header.isSectionHidden(number)), 0)

    def _cell(self, line: int, number: int) -> Cell:
        x, width = self._span(number)
        return Cell(x, self.rowViewportPosition(line), width, self.rowHeight(line))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.fit()

    def sizeHintForColumn(self, column: int) -> int:
        """What the visible cells of a column need: for a double click between two titles."""
        described = self._rows.columns[column]
        rows = [row for key in self._visible_keys if (row := self._rows.row(key)) is not None]
        return round(max((self._cells.needed(described, row) for row in rows), default=0.0)) + 1
