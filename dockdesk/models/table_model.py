"""The one model of all tables: rows told apart by a key, reconciled and never reset."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from dockdesk.core.columns import CellKind, Column
from dockdesk.models.arrangement import Arrangement, Entry, Group, Grouping, Key
from dockdesk.models.reconcile import Insert, Permute, Remove, steps

T = TypeVar("T")

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_NUMBERS = frozenset({CellKind.NUMBER})

# New lines at most so often; with many rows so seldom that making them (and the paint that follows) stays a small part
# of the time. What changes within a line is shown at once.
_SHORTEST_GAP_S = 0.033
_REST = 100
_SEARCHED = 8  # so many lines are found quicker by looking for them than by numbering all
_PREPARE_S = 0.002
_PREPARE_EVERY_MS = 12
_UNPREPARED = 500  # search texts that a first letter may have to make: 4 ms


class Role(IntEnum):
    """What a cell gives beyond Qt's own roles."""

    ROW = Qt.ItemDataRole.UserRole + 1  # the row itself, None for a header
    KEY = Qt.ItemDataRole.UserRole + 2
    GROUP = Qt.ItemDataRole.UserRole + 3  # the Group of a header line
    KIND = Qt.ItemDataRole.UserRole + 4  # CellKind
    TONE = Qt.ItemDataRole.UserRole + 5
    SERIES = Qt.ItemDataRole.UserRole + 6  # samples of a sparkline, oldest first
    FRACTION = Qt.ItemDataRole.UserRole + 7
    LINKS = Qt.ItemDataRole.UserRole + 8
    VALUE = Qt.ItemDataRole.UserRole + 9  # what sorting compares


class KeyedTableModel(QAbstractTableModel, Generic[T]):
    """Sorts, filters and groups by itself. Rows that are the same (by ``key``) keep their selection and place.

    Under a flood of changes the order follows a moment later; read it only through the model. A removed row may still
    stand in its line for that moment.
    """

    counts_changed = Signal(int, int)  # rows that match the filter, all rows
    sort_changed = Signal()
    groups_changed = Signal()  # one was collapsed or expanded
    reordering = Signal()  # before `layoutAboutToBeChanged`
    reordered = Signal()  # after `layoutChanged`

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], Key],
        parent: QObject | None = None,
        *,
        search: Callable[[T], str] | None = None,
        grouping: Grouping[T] | None = None,
    ) -> None:
        """``search`` is what the filter looks through, by default all columns' texts."""
        super().__init__(parent)
        self.columns = tuple(columns)
        self.key = key
        self._arrangement: Arrangement[T] = Arrangement(self.columns, search)
        self._arrangement.set_grouping(grouping)
        self._lines: list[Entry] = []
        self._positions: dict[Entry, int] | None = None
        self._leaving: dict[Key, T] = {}
        self._visible: tuple[int, int] | None = None
        self._counts = (0, 0)
        self._ready_at = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._arrange)
        self._prepare_timer = QTimer(self)
        self._prepare_timer.setSingleShot(True)
        self._prepare_timer.setInterval(_PREPARE_EVERY_MS)
        self._prepare_timer.timeout.connect(self._on_prepare)

    # Rows.

    def apply(self, changed: Iterable[T], removed: Iterable[Key] = ()) -> None:
        """Add or change rows, and take others out by key. Unknown keys are ignored."""
        rows = self._arrangement.rows
        moved = False
        touched: set[Entry] = set()
        for row in changed:
            key = self.key(row)
            if key in rows:
                touched.add(key)
            moved = self._arrangement.put(key, row) or moved
            self._leaving.pop(key, None)
        for key in removed:
            row_out = self._arrangement.remove(key)
            if row_out is not None:
                self._leaving[key] = row_out
                moved = True
        self._tell_changed(touched)
        if moved:
            self._arrange_soon()
        if self._arrangement.unprepared > _UNPREPARED and not self._prepare_timer.isActive():
            self._prepare_timer.start()

    def reset_to(self, rows: Iterable[T]) -> None:
        """Have exactly ``rows``; those that are equal to what is here cost nothing."""
        known = self._arrangement.rows
        new = {self.key(row): row for row in rows}
        changed = [
            row
            for key, row in new.items()
            if (old := known.get(key)) is None or (old is not row and old != row)
        ]
        self.apply(changed, [key for key in known if key not in new])

    def row(self, key: Key) -> T | None:
        """The row of a key, shown or not."""
        return self._arrangement.rows.get(key)

    def rows(self) -> list[T]:
        """All rows, shown or not, in the order in which they came."""
        return list(self._arrangement.rows.values())

    def shown_rows(self) -> list[T]:
        """The rows that have a line, top to bottom."""
        return [self._row_of(line) for line in self._lines if not isinstance(line, Group)]

    # Lines.

    def entry_at(self, line: int) -> T | Group | None:
        """What stands in a line: a row, or a header."""
        if not 0 <= line < len(self._lines):
            return None
        entry = self._lines[line]
        return entry if isinstance(entry, Group) else self._row_of(entry)

    def key_at(self, line: int) -> Key | None:
        """The key of the row in a line; None for a header."""
        entry = self._lines[line] if 0 <= line < len(self._lines) else None
        return None if isinstance(entry, Group) else entry

    def rows_at(self, lines: Iterable[int]) -> list[T]:
        """The rows in these lines, each once; a header stands for all of its rows."""
        keys: dict[Key, None] = {}
        for line in lines:
            entry = self._lines[line] if 0 <= line < len(self._lines) else None
            if isinstance(entry, Group):
                keys.update(dict.fromkeys(entry.members))
            elif entry is not None:
                keys[entry] = None
        return [self._row_of(key) for key in keys if self._known(key)]

    def entries_at(self, lines: Iterable[int]) -> list[Entry]:
        """What stands in these lines as what `line_of` takes: keys, and Groups for headers."""
        return [self._lines[line] for line in lines if 0 <= line < len(self._lines)]

    def line_of(self, key: Entry) -> int:
        """The line of a row or header, -1 where it has none: it is filtered out, or its group is collapsed."""
        if self._positions is None:
            self._positions = {entry: line for line, entry in enumerate(self._lines)}
        return self._positions.get(key, -1)

    def set_visible_range(self, first: int, last: int) -> None:
        """The lines on the screen: changes of other ones aren't signalled, since nobody sees them."""
        self._visible = (first, last)

    @property
    def shown(self) -> int:
        """How many rows match the filter."""
        return self._arrangement.shown

    @property
    def total(self) -> int:
        return len(self._arrangement.rows)

    # Order, filter, groups.

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The id of the column that rows are sorted by ("" for none), and whether it falls."""
        column, descending = self._arrangement.sort
        return (column.id if column is not None else "", descending)

    def sort_by(self, column_id: str, descending: bool = False) -> None:
        """Sort by a column's native values; None stands last. An unknown id: the order in which rows came."""
        column = next((item for item in self.columns if item.id == column_id), None)
        self._arrangement.set_sort(column, descending)
        self._arrange()
        self.sort_changed.emit()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        column_id = self.columns[column].id if 0 <= column < len(self.columns) else ""
        self.sort_by(column_id, order == Qt.SortOrder.DescendingOrder)

    def set_filter(self, text: str) -> None:
        """Show rows that hold all words of ``text``."""
        self._arrangement.set_filter(text)
        self._arrange()

    def set_predicate(self, predicate: Callable[[T], bool] | None) -> None:
        """Show only rows for which ``predicate`` holds, beside the filter."""
        self._arrangement.set_predicate(predicate)
        self._arrange()

    def set_grouping(self, grouping: Grouping[T] | None) -> None:
        self._arrangement.set_grouping(grouping)
        self._arrange()

    @property
    def grouped(self) -> bool:
        """Whether there are headers now."""
        return self._arrangement.grouped

    @property
    def filtered(self) -> bool:
        return self._arrangement.filtered

    @property
    def collapsed(self) -> frozenset[str]:
        """Names of the collapsed groups."""
        return self._arrangement.collapsed

    def set_collapsed(self, names: Iterable[str]) -> None:
        self._arrangement.collapse(names)
        self._arrange()
        self.groups_changed.emit()

    def toggle(self, group: Group) -> None:
        """Collapse a group, or expand it."""
        self.set_collapsed(self.collapsed ^ {group.name})

    def group_detail(self, group: Group) -> str:
        """What a header says of its rows, beside its title."""
        return self._arrangement.detail(group)

    # Qt's questions.

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._lines):
            return None
        entry = self._lines[index.row()]
        if isinstance(entry, Group):
            return self._header_line_data(entry, index.column(), role)
        return self._cell_data(entry, self.columns[index.column()], role)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.kind in _NUMBERS else _LEFT
        return None

    def _cell_data(self, key: Key, column: Column[T], role: int) -> Any:
        row = self._row_of(key)
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return column.text(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip(row) if column.tip is not None else column.text(row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.kind in _NUMBERS else _LEFT
        if role == Role.ROW:
            return row
        if role == Role.KEY:
            return key
        if role == Role.KIND:
            return column.kind
        if role == Role.VALUE:
            return column.value(row)
        extra = {
            Role.TONE: column.tone,
            Role.SERIES: column.series,
            Role.FRACTION: column.fraction,
            Role.LINKS: column.links,
        }.get(role)  # type: ignore[call-overload]
        return extra(row) if extra is not None else None

    def _header_line_data(self, group: Group, column: int, role: int) -> Any:
        if role == Role.GROUP:
            return group
        if role == Qt.ItemDataRole.DisplayRole:
            return group.title if column == 0 else None
        if role == Qt.ItemDataRole.AccessibleTextRole and column == 0:
            state = "collapsed" if group.collapsed else "expanded"
            detail = self.group_detail(group) or f"{len(group.members)} rows"
            return f"Group {group.title}, {detail}, {state}"
        return None

    # Keeping the lines current.

    def _known(self, key: Key) -> bool:
        return key in self._arrangement.rows or key in self._leaving

    def _row_of(self, key: Key) -> T:
        row = self._arrangement.rows.get(key)
        return self._leaving[key] if row is None else row

    def _tell_changed(self, keys: set[Entry]) -> None:
        """Signal the lines of these rows, and the headers above them, as far as they are on the screen."""
        if not keys or not self._lines:
            return
        lines = self._lines
        if self._arrangement.grouped:
            group_of = self._arrangement.group_of
            keys = keys | {group for key in keys if (group := group_of(key)) is not None}
        run: int | None = None
        for line in (visible := self._visible_lines()):
            hit = lines[line] in keys
            if hit and run is None:
                run = line
            elif not hit and run is not None:
                self._tell_lines(run, line - 1)
                run = None
        if run is not None:
            self._tell_lines(run, visible[-1])

    def _visible_lines(self) -> range:
        last = len(self._lines) - 1
        if self._visible is None:
            return range(last + 1)
        return range(max(0, self._visible[0]), min(last, self._visible[1]) + 1)

    def _tell_lines(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def _arrange_soon(self) -> None:
        """Make the lines anew: at once after a quiet time, else when the next turn has come."""
        wait = self._ready_at - time.monotonic()
        if wait <= 0:
            self._arrange()
        elif not self._timer.isActive():
            self._timer.start(max(1, round(wait * 1000)))

    def _arrange(self) -> None:
        start = time.monotonic()
        self._timer.stop()
        reordered = not self._arrangement.members_changed
        new = self._arrangement.arrange()
        for step in steps(self._lines, new, reordered):
            self._positions = None
            if isinstance(step, Remove):
                self.beginRemoveRows(_ROOT, step.first, step.last)
                del self._lines[step.first : step.last + 1]
                self.endRemoveRows()
            elif isinstance(step, Insert):
                last = step.first + len(step.entries) - 1
                self.beginInsertRows(_ROOT, step.first, last)
                self._lines[step.first : step.first] = step.entries
                self.endInsertRows()
            else:
                self._permute(step)
        self._leaving.clear()
        if self._arrangement.grouped:
            # Headers speak of rows that came or went below them, in collapsed groups too.
            visible = [self._lines[line] for line in self._visible_lines()]
            self._tell_changed({entry for entry in visible if isinstance(entry, Group)})
        self._tell_counts()
        end = time.monotonic()
        self._ready_at = end + max(_SHORTEST_GAP_S, _REST * (end - start))

    def _permute(self, step: Permute) -> None:
        self.reordering.emit()
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        entries = {index.row(): self._lines[index.row()] for index in before}
        self._lines = step.entries
        self._positions = None
        if len(entries) > _SEARCHED:
            places = {row: self.line_of(entry) for row, entry in entries.items()}
        else:
            places = {row: self._lines.index(entry) for row, entry in entries.items()}
        after = [self.index(places[index.row()], index.column()) for index in before]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()
        self.reordered.emit()

    def _tell_counts(self) -> None:
        counts = (self._arrangement.shown, len(self._arrangement.rows))
        if counts != self._counts:
            self._counts = counts
            self.counts_changed.emit(*counts)

    def _on_prepare(self) -> None:
        if self._arrangement.prepare(_PREPARE_S):
            self._prepare_timer.start()
