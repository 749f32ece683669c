"""What is chosen in a list, through filters, folded groups, rows that leave and rows that are still to come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from dockdesk.core.refs import ResourceRef
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.descriptions import ListDescription
from dockdesk.ui.detail import DetailArea
from dockdesk.ui.widgets.table import TableView

T = TypeVar("T")

_FIRST_AFTER_MS = 30


class Departures(QObject):
    """Whether rows are leaving a model just now. Make it before the table, to be told before the table is."""

    def __init__(self, model: KeyedTableModel[T]) -> None:
        super().__init__(model)
        self.under_way = False
        model.rowsAboutToBeRemoved.connect(lambda *_where: self._set(True))
        model.rowsRemoved.connect(lambda *_where: self._set(False))

    def _set(self, under_way: bool) -> None:
        self.under_way = under_way


class ListChoice(QObject, Generic[T]):
    """Hands the chosen rows to the details. ``changed`` tells of every change, of rows or of what they hold.

    ``where`` gives the id of the environment whose rows are shown, ``unfilter`` shows all rows.
    """

    changed = Signal()

    def __init__(
        self,
        description: ListDescription[T],
        table: TableView[T],
        detail: DetailArea[T],
        departures: Departures,
        where: Callable[[], str],
        unfilter: Callable[[], None],
    ) -> None:
        super().__init__(table)
        self._description = description
        self._table = table
        self._detail = detail
        self._departures = departures
        self._where = where
        self._unfilter = unfilter
        self._chosen_in = ""
        self._began = False
        self._pending: ResourceRef | None = None
        self.rows: list[T] = []
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(0)
        self._settle.timeout.connect(self._on_settled)
        table.selection_changed.connect(self._on_selection_changed)
        # Rows may get their lines a moment after they were given: only then can they be chosen.
        model = table.rows
        model.rowsInserted.connect(lambda *_where: self._settle.start())
        model.rowsRemoved.connect(lambda *_where: self._settle.start())
        model.layoutChanged.connect(lambda *_what: self._settle.start())
        model.groups_changed.connect(self.regain)

    def open(self, ref: ResourceRef, wait: bool) -> bool:
        """Choose a row by its key, a short id or its name; one that is not here yet once it is, if it may ``wait``."""
        row = self._find(ref)
        if row is None:
            self._pending = ref if wait else None
            return wait
        self._pending = None
        self._began = True
        key = self._description.key(row)
        self._reveal(row)
        if not self._table.select_keys([key]):
            self._pending = ref  # its line comes in a moment
        return True

    def begin_soon(self) -> None:
        """Choose the first row, unless something was chosen: an empty half of a window helps nobody.

        Once the list has been painted: details cost more, and whoever comes looks at the list first.
        """
        if not self._began:
            QTimer.singleShot(_FIRST_AFTER_MS, self, self._begin)

    def note_rows(self) -> None:
        """Rows have come, changed or gone."""
        self._follow()
        self._settle.start()

    def _follow(self) -> None:
        """Rows that are chosen may have been replaced by newer ones."""
        rows = self._table.selected_rows()
        same = len(rows) == len(self.rows) and all(
            new is old for new, old in zip(rows, self.rows, strict=True)
        )
        if rows and not same:
            self._take(rows)

    def regain(self) -> None:
        """Choose again what a filter or a folded group had hidden, now that it is back."""
        if self.rows and not self._table.selected_rows():
            self._table.select_keys([self._description.key(row) for row in self.rows])

    def enter(self) -> None:
        """The keyboard comes from the filter into the list: what it found first is chosen, if nothing seen is."""
        rows = self._table.rows.shown_rows() if not self._table.selected_rows() else []
        if rows:
            self._table.select_keys([self._description.key(rows[0])])
        self._table.setFocus(Qt.FocusReason.TabFocusReason)

    def _find(self, ref: ResourceRef) -> T | None:
        model = self._table.rows
        if (row := model.row(ref.id)) is not None:
            return row
        key, name = self._description.key, self._description.name
        for row in model.rows():
            if ref.id and (key(row).startswith(ref.id) or name(row) == ref.id):
                return row
        return next((row for row in model.rows() if ref.name and name(row) == ref.name), None)

    def _reveal(self, row: T) -> None:
        """Undo the filter, and unfold the group, that hide a row."""
        if self._table.rows.line_of(self._description.key(row)) >= 0:
            return
        self._unfilter()
        model, grouping = self._table.rows, self._description.grouping
        group = grouping.of(row) if grouping is not None else ""
        if group in model.collapsed:
            model.set_collapsed(model.collapsed - {group})

    def _begin(self) -> None:
        if self._began or not self._table.isVisible() or not self._description.tabs:
            return
        rows = self._table.rows.shown_rows()
        if rows and not self._table.selected_rows():
            self._began = True
            self._table.select_keys([self._description.key(rows[0])])

    def _on_settled(self) -> None:
        """New rows have their lines: what waited for them can be chosen."""
        if self._pending is not None:
            self.open(self._pending, wait=True)
        self._follow()
        self.begin_soon()

    def _on_selection_changed(self, rows: Sequence[T]) -> None:
        if rows:
            self._began = True
        self._take(rows)

    def _take(self, rows: Sequence[T]) -> None:
        if rows or not self._departures.under_way:
            self.rows = list(rows)
            self._chosen_in = self._where()
            self._detail.set_rows(self.rows)
        else:
            self._keep_detail()
        self.changed.emit()

    def _keep_detail(self) -> None:
        """It was not the user who let go of the rows. Filtered out, they are still looked at; and of what is gone, the
        last log lines may be what the user came for."""
        model, key = self._table.rows, self._description.key
        gone = [row for row in self.rows if model.row(key(row)) is None]
        if gone and self._chosen_in != self._where():
            # They still exist, in an environment that is no longer shown.
            self.rows, self._began = [], False
            self._detail.set_rows(())
        elif gone:
            name = self._description.name(gone[0])
            self._detail.show_gone(f"“{name}” no longer exists. This is what was last seen of it.")
            self.rows = []
