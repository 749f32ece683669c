"""The logs of the chosen containers, several merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import Engine, LogQuery
from dockdesk.core.resources.containers import Container
from dockdesk.core.streams import Subscription
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.log.panel import LogPanel


class _Streams:
    """The open streams of one view of the log; what arrives after `close` is closed at once."""

    def __init__(self) -> None:
        self._open: list[Subscription] = []
        self._closed = False

    def add(self, subscription: Subscription) -> None:
        self._open.append(subscription)
        if self._closed:
            subscription.close()

    def close(self) -> None:
        self._closed = True
        for subscription in self._open:
            subscription.close()


class LogsView(DetailView[ContainerRow]):
    """Streams while it is on the screen and goes on, where it stopped, when it comes back."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._containers: tuple[Container, ...] = ()
        self._sources: tuple[str, ...] = ()
        self._runs: dict[str, bool] = {}
        self._streams = _Streams()
        self._streaming = False
        self.panel = LogPanel(context.theme, context.jobs, context.pulse, self)
        self.panel.query_changed.connect(lambda _query: self._open_all())
        self.panel.retry_requested.connect(self._open_lost)
        context.session.state_changed.connect(self._on_session_changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def set_rows(self, rows: Sequence[ContainerRow]) -> None:
        self._containers = tuple(row.container for row in rows)
        ids = tuple(sorted(container.id for container in self._containers))
        started = [c.id for c in self._containers if c.running and self._runs.get(c.id) is False]
        self._runs = {container.id: container.running for container in self._containers}
        if ids != self._sources:
            self._sources = ids
            self._restart()
        elif started and self._streaming:
            # A container that was started again: its old stream has ended, the log goes on.
            self._open(started, self.panel.resume_query())
        self._set_words()

    def shown(self) -> None:
        if self._sources and not self._streaming:
            self._restart()

    def focus_filter(self) -> bool:
        self.panel.focus_search()
        return True

    def close_streams(self) -> None:
        self._streams.close()
        self._streaming = False

    def _set_words(self) -> None:
        if len(self._containers) != 1:
            self.panel.set_words("All containers have exited", "No output yet")
            return
        container = self._containers[0]
        if container.running:
            self.panel.set_words(
                "The stream ended", "No output yet", "What it prints will appear here."
            )
        elif container.state == "created":
            self.panel.set_words(
                "Never started", "Never started", "Start the container to see its output."
            )
        else:
            code = "" if container.exit_code is None else f" with code {container.exit_code}"
            self.panel.set_words(
                f"Exited{code}", "No output", f"The container exited{code} and printed nothing."
            )

    def _restart(self) -> None:
        self.close_streams()
        labels = {container.id: container.name for container in self._containers}
        self.panel.set_sources([LogSource(id, labels.get(id, "")) for id in self._sources])
        if self.isVisible():
            self._open_all()

    def _open_all(self) -> None:
        self.close_streams()
        self._streams = _Streams()
        self._open(self._sources, self.panel.query.log_query())

    def _open_lost(self) -> None:
        self._open(self.panel.lost_sources(), self.panel.resume_query())

    def _open(self, ids: Sequence[str], query: LogQuery) -> None:
        session = self.context.session
        engine, environment = session.backend, session.environment
        if engine is None or environment is None or not ids:
            return
        self._streaming = True
        streams = self._streams
        sinks = {id: self.panel.sink_for(id) for id in ids}

        def connect(_work: Work) -> None:
            for id, sink in sinks.items():
                try:
                    streams.add(_logs(engine, id, query, sink))
                except DockDeskError as error:
                    # The panel shows it where the stream's own end would be shown, and offers to try again.
                    sink.ended(error)

        self.context.jobs.submit(
            self, connect, lambda _result: self.panel.connected(), lane=environment.id, long=True
        )

    def _on_session_changed(self) -> None:
        if (
            self.context.session.backend is not None
            and self._streaming
            and self.panel.lost_sources()
        ):
            self._open_lost()

    def save_state(self) -> Mapping[str, Any]:
        tools = self.panel.toolbar
        return {"wrap": tools.wrap.isChecked(), "stamps": tools.stamps.isChecked()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        tools = self.panel.toolbar
        tools.wrap.setChecked(bool(state.get("wrap")))
        tools.stamps.setChecked(bool(state.get("stamps")))


def _logs(engine: Engine, id: str, query: LogQuery, sink: Any) -> Subscription:
    return engine.logs(id, query, sink)
