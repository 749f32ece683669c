"""Charts of what the chosen containers use."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.stats_feed import History
from dockdesk.core.series import Series
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.chart import TimeChart, Unit
from dockdesk.ui.widgets.empty import EmptyState
from dockdesk.ui.widgets.scroll import ContentScroll

WINDOWS = (60, 180, 300, 600)  # seconds
_WIDE, _NARROW, _LOW = 1000, 560, 330  # pixels
MOST = 6  # lines beyond that nobody can tell apart

# Chart → its title, unit, and the series of a history it shows with a word for each ("" where there is one).
_CHARTS: tuple[tuple[str, Unit, tuple[tuple[str, str], ...]], ...] = (
    ("CPU", Unit.PERCENT, (("cpu", ""),)),
    ("Memory", Unit.BYTES_BINARY, (("memory", ""),)),
    ("Network", Unit.BYTES_PER_SECOND, (("net_in", "in"), ("net_out", "out"))),
    ("Block I/O", Unit.BYTES_PER_SECOND, (("block_read", "read"), ("block_write", "write"))),
    ("Processes", Unit.COUNT, (("pids", ""),)),
)


def charts_across(width: int, height: int) -> int:
    """How many charts stand side by side: as many as there are where one row must do, and fewer where it is narrow."""
    if width >= _WIDE and height < _LOW:
        return len(_CHARTS)
    return 3 if width >= _NARROW else 2


class StatsView(DetailView[ContainerRow]):
    """The last ten minutes, live; several containers side by side."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._rows: list[ContainerRow] = []
        self._pinned: list[str] = []
        self._names: dict[str, str] = {}
        self._told: dict[str, float] = {}
        self._lines: dict[str, TimeChart] = {}
        self._window = 0
        self._charts = [
            TimeChart(context.theme, unit, title, context.jobs) for title, unit, _ in _CHARTS
        ]
        self._message = EmptyState(
            context.theme,
            "chart-line",
            "It does not run",
            "Figures appear here while the container runs.",
        )
        grid_page = QWidget()
        self._grid = QGridLayout(grid_page)
        self._grid.setContentsMargins(16, 12, 16, 12)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(12)
        self._across = 0
        self._arrange(3)
        self._pages = QStackedWidget()
        self._pages.addWidget(ContentScroll(grid_page))
        self._pages.addWidget(self._message)
        column_layout = QVBoxLayout(self)
        column_layout.setContentsMargins(0, 0, 0, 0)
        column_layout.addWidget(self._pages)
        context.stats.sampled.connect(self._on_sampled)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(charts_across(self.width(), self.height()))

    def _arrange(self, across: int) -> None:
        if across == self._across:
            return
        for column in range(max(across, self._across)):
            self._grid.setColumnStretch(column, 1 if column < across else 0)
        self._across = across
        for position, chart in enumerate(self._charts):
            self._grid.addWidget(chart, position // across, position % across)

    def set_rows(self, rows: Sequence[ContainerRow]) -> None:
        self._rows = list(rows[:MOST])
        names = {row.container.id: row.container.name for row in self._rows}
        if names != self._names:
            self._names = names
            self._rebuild()
        live = any(row.container.running or self._history(row.container.id) for row in self._rows)
        self._pages.setCurrentIndex(0 if live else 1)

    def shown(self) -> None:
        self._pin(list(self._names))
        self._on_sampled(set(self._names))

    def hidden(self) -> None:
        self._pin([])

    def _history(self, id: str) -> History | None:
        history = self.context.stats.history(id)
        return history if history is not None and len(history.cpu) else None

    def _pin(self, ids: list[str]) -> None:
        for id in set(self._pinned) - set(ids):
            self.context.stats.unpin(id)
        for id in ids:
            if id not in self._pinned:
                self.context.stats.pin(id)
        self._pinned = ids

    def _rebuild(self) -> None:
        self._told.clear()
        for chart, (_, _, series) in zip(self._charts, _CHARTS, strict=True):
            for key in [key for key in self._lines if self._lines[key] is chart]:
                chart.remove_series(key)
                del self._lines[key]
            for id, name in self._names.items():
                for attribute, word in series:
                    title = " ".join(
                        part for part in (name if len(self._names) > 1 else "", word) if part
                    )
                    key = f"{id}/{attribute}"
                    chart.add_series(key, title or name)
                    self._lines[key] = chart
        if self.isVisible():
            self._pin(list(self._names))
            self._on_sampled(set(self._names))

    def _on_sampled(self, ids: set[str]) -> None:
        if not self.isVisible():
            return
        for id in ids & set(self._names):
            history = self._history(id)
            if history is None:
                continue
            for chart, (_, _, series) in zip(self._charts, _CHARTS, strict=True):
                for attribute, _word in series:
                    self._add_new(chart, id, attribute, getattr(history, attribute))
        self._fit_window()
        live = any(row.container.running or self._history(row.container.id) for row in self._rows)
        self._pages.setCurrentIndex(0 if live else 1)

    def _fit_window(self) -> None:
        """A minute at first, and longer as there is more to see; not while the user looks at a part of it."""
        histories = [history for id in self._names if (history := self._history(id)) is not None]
        span = max((h.cpu.times[-1] - h.cpu.times[0] for h in histories), default=0.0)
        window = next((seconds for seconds in WINDOWS if span <= seconds), WINDOWS[-1])
        if window != self._window:
            self._window = window
            for chart in self._charts:
                if chart.live:
                    chart.follow(window)

    def _add_new(self, chart: TimeChart, id: str, attribute: str, samples: Series) -> None:
        """Give a chart the samples it has not got yet."""
        key = f"{id}/{attribute}"
        since = self._told.get(key, 0.0)
        times, values = samples.times, samples.values
        at = len(times)
        while at and times[at - 1] > since:
            at -= 1
        for time, value in zip(times[at:], values[at:], strict=True):
            chart.append(key, time, value)
        if at < len(times):
            self._told[key] = times[-1]
