"""The details' views, imported when a tab is first looked at: the list should not wait for charts and terminals."""

from __future__ import annotations

from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow

View = DetailView[ContainerRow]


def _logs(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.logs import LogsView

    return LogsView(context)


def _stats(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.stats import StatsView

    return StatsView(context)


def _terminal(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.terminal import TerminalsView

    return TerminalsView(context)


def _files(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.files import FilesView

    return FilesView(context)


def _summary(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.summary import SummaryView

    return SummaryView(context)


def _health(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.health import HealthView

    return HealthView(context)


def _environment(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.summary import EnvironmentView

    return EnvironmentView(context)


def _processes(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.processes import ProcessesView

    return ProcessesView(context)


def _inspect(context: UiContext) -> View:
    from dockdesk.ui.panes.containers.details.inspect import InspectView

    return InspectView(context)


TABS: tuple[DetailTab[ContainerRow], ...] = (
    DetailTab("logs", "Logs", _logs, "file-text", several=True),
    DetailTab("stats", "Charts", _stats, "chart-line", several=True),
    DetailTab("terminal", "Terminal", _terminal, "terminal-2", per_row=True),
    DetailTab("files", "Files", _files, "folder"),
    DetailTab("summary", "Summary", _summary, "info-circle"),
    DetailTab(
        "health", "Health", _health, "heartbeat", applies=lambda row: bool(row.container.health)
    ),
    DetailTab("environment", "Environment", _environment, "variable"),
    DetailTab("processes", "Processes", _processes, "list"),
    DetailTab("inspect", "Inspect", _inspect, "list-tree"),
)
