"""The lists beside the context's tree: the biggest files, and advice on secrets, ballast and what can't arrive."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.panes.dockerfiles.context_columns import COLUMNS, FindingRow
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import EmptyState
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.table import TableView

_NOTHING = {
    "biggest": ("file", "Nothing is sent", "Every file is left out."),
    "advice": ("circle-check", "Nothing to improve", "No secret and no ballast was found."),
}
_NAMES = {"biggest": "Biggest files", "advice": "Advice"}


class FindingList(QWidget):
    """``path_asked`` carries a path to be shown in the tree, ``line_asked`` a line for the ignore file."""

    path_asked = Signal(str)
    line_asked = Signal(str)

    def __init__(self, theme: Theme, id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        hidden = {"biggest": "why", "advice": ""}[id]
        columns = tuple(column for column in COLUMNS if column.id != hidden)
        self.model: KeyedTableModel[FindingRow] = KeyedTableModel(
            columns, lambda row: row.key, self
        )
        self.table: TableView[FindingRow] = TableView(theme, self.model, _NAMES[id])
        self.table.activated_row.connect(self._on_activated)
        self.table.selection_changed.connect(self._on_selected)
        if id == "biggest":
            self.model.sort_by("size", True)
        self._why = PlainLabel(theme, "", "small", "muted", wrap=True)
        self._do = Button(theme, "Add", "plus")
        self._do.clicked.connect(self._on_clicked)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(12, 4, 8, 6)
        foot.addWidget(self._why, 1)
        foot.addWidget(self._do)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(4, 0, 4, 0)
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        column.addWidget(self._foot)
        self.empty = EmptyState(theme, *_NOTHING[id])
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)
        self._on_selected(())

    def set_rows(self, rows: Sequence[FindingRow]) -> None:
        keys = {row.key for row in rows}
        self.model.apply(rows, [row.key for row in self.model.rows() if row.key not in keys])
        self._stack.setCurrentIndex(1 if rows else 0)
        self._on_selected(self.table.selected_rows())

    def _on_selected(self, rows: Sequence[FindingRow]) -> None:
        self._foot.setVisible(bool(rows))
        if rows:
            row = rows[0]
            self._why.setText(row.why)
            self._do.setText("Leave out" if row.line else "Show")

    def _on_activated(self, row: FindingRow) -> None:
        if row.path:
            self.path_asked.emit(row.path)
        elif row.line:
            self.line_asked.emit(row.line)

    def _on_clicked(self) -> None:
        for row in self.table.selected_rows()[:1]:
            self._on_activated(row)
