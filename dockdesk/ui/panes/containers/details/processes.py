"""The processes of a container, as `docker top` lists them."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.resources.containers import ProcessTable
from dockdesk.core.work import Work
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.fetched import FetchedView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.table import TableView

REFRESH_MS = 5000

_Process = tuple[str, ...]


def columns_of(table: ProcessTable) -> list[Column[_Process]]:
    """A column for each title; numbers sort as numbers, the command takes the room that is left."""
    return [
        _column(position, title, position == len(table.titles) - 1)
        for position, title in enumerate(table.titles)
    ]


def _column(position: int, title: str, last: bool) -> Column[_Process]:
    def text(row: _Process) -> str:
        return row[position] if position < len(row) else ""

    def value(row: _Process) -> tuple[bool, float, str]:
        cell = text(row)
        number = cell.replace(".", "", 1).isdigit()
        return (not number, float(cell) if number else 0.0, cell)

    kind = CellKind.MONO if last else CellKind.TEXT
    return Column(
        f"{position}", title, value, text, kind, width=320 if last else 90, stretch=last, tip=text
    )


class ProcessesView(FetchedView[ContainerRow, ProcessTable]):
    """Read again every few seconds while it is looked at: the engine has no events for processes."""

    refresh_ms = REFRESH_MS

    def make_content(self) -> QWidget:
        self._titles: tuple[str, ...] = ()
        self._table: TableView[_Process] | None = None
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.setContentsMargins(0, 0, 0, 0)
        return self._page

    def key(self, row: ContainerRow) -> str:
        return row.container.id

    def stamp(self, row: ContainerRow) -> Any:
        return row.container.id, row.container.state

    def refusal(self, row: ContainerRow) -> tuple[str, str] | None:
        if row.container.running:
            return None
        return "It does not run", "Processes are listed here while the container runs."

    def fetch(self, engine: Any, row: ContainerRow, work: Work) -> ProcessTable:  # noqa: ARG002
        table: ProcessTable = engine.processes(row.container.id)
        return table

    def present(self, row: ContainerRow, data: ProcessTable) -> None:  # noqa: ARG002
        if data.titles != self._titles or self._table is None:
            self._titles = data.titles
            if self._table is not None:
                self._column.removeWidget(self._table)
                self._table.deleteLater()
            pid = next((n for n, title in enumerate(data.titles) if title.upper() == "PID"), 0)
            model: KeyedTableModel[_Process] = KeyedTableModel(
                columns_of(data), lambda process: process[pid] if pid < len(process) else "", self
            )
            self._table = TableView(self.context.theme, model, "Processes")
            self._column.addWidget(self._table)
            self.setFocusProxy(self._table)
        self._table.rows.reset_to(data.rows)
