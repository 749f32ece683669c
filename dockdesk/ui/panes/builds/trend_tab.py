"""The builds of a project over time."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.builds.trend import trend
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.builds.history import BuildHistory
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.panes.builds.trend_chart import TrendChart
from dockdesk.ui.widgets.empty import EmptyState


class TrendView(DetailView[BuildRow]):
    """A click on a build chooses it in the list."""

    def __init__(
        self, context: UiContext, history: BuildHistory, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, parent)
        self._history = history
        self._row: BuildRow | None = None
        self.chart = TrendChart(context.theme)
        self.chart.chosen.connect(self._on_chosen)
        self.empty = EmptyState(context.theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.chart)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self._stack)
        self.setFocusProxy(self.chart)
        history.changed.connect(self._on_changed)

    def set_rows(self, rows: Sequence[BuildRow]) -> None:
        self._row = rows[0] if rows else None
        if self.isVisible():
            self._show()

    def shown(self) -> None:
        self._show()

    def _show(self) -> None:
        row = self._row
        if row is None:
            return
        records = self._history.of_project(row.project)
        if not records:
            self.empty.show_message(
                "chart-line",
                "No trend yet",
                "Builds of this project that are over are drawn here."
                if row.project
                else "The engine tells of single builds, not of the projects they belong to.",
            )
        else:
            self.chart.set_points(trend(records), row.record.id if row.record is not None else 0)
        self._stack.setCurrentIndex(1 if records else 0)

    def _on_changed(self, rows: Sequence[BuildRow], _gone: object) -> None:
        if self.isVisible() and self._row and any(r.project == self._row.project for r in rows):
            self._show()

    def _on_chosen(self, id: int) -> None:
        key = self._history.key_of(id)
        if key:
            self.context.navigator.open(ResourceRef("build", key))
