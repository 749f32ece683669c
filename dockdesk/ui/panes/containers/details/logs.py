"""The logs of the chosen containers, several merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import Engine, LogQuery
from dockdesk.core.preferences import LOG_BUFFER_MB, LOG_TAIL, LOG_WRAP
from dockdesk.core.resources.containers import Container
from dockdesk.core.streams import Subscription
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.log.panel import LogPanel
from dockdesk.ui.widgets.log.query import RANGES, LogRange

LINGER_MS = 60_000
MOST = 50
"""So many logs are merged: each is a stream of its own, and nobody reads more of them at a time."""


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
    """Streams while it is looked at and for a minute more, and goes on where it stopped when it comes back."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._containers: tuple[Container, ...] = ()
        self._sources: tuple[str, ...] = ()
        self._opened: dict[str, Container] = {}  # as they were when their streams were opened
        self._streams = _Streams()
        self._streaming = False
        settings = context.settings
        self.panel = LogPanel(
            context.theme, context.jobs, context.pulse, self, settings.get(LOG_BUFFER_MB) << 20
        )
        self._linger = QTimer(self)
        self._linger.setSingleShot(True)
        self._linger.setInterval(LINGER_MS)
        self._linger.timeout.connect(self.close_streams)
        self._begin_as_set()
        self.panel.query_changed.connect(lambda _query: self._open_all())
        self.panel.retry_requested.connect(self._open_lost)
        self.panel.feed.changed.connect(self._follow_restarts)
        context.session.state_changed.connect(self._on_session_changed)
        self.setFocusProxy(self.panel.view)
        self._left_out = PlainLabel(context.theme, "", "small", "warn", wrap=True)
        self._left_out.setContentsMargins(12, 6, 12, 0)
        self._left_out.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._left_out)
        column.addWidget(self.panel, 1)

    def _begin_as_set(self) -> None:
        """How many lines, and whether they are wrapped, as the settings have it."""
        settings, tools = self.context.settings, self.panel.toolbar
        tail = settings.get(LOG_TAIL)
        chosen = next((item for item in RANGES if item.tail == tail), None)
        chosen = chosen or LogRange(f"Last {tail:,} lines", tail=tail)
        tools.show_range(chosen)
        tools.range.chosen.emit(chosen)
        tools.wrap.setChecked(settings.get(LOG_WRAP))
        end = settings.listen(LOG_WRAP, tools.wrap.setChecked)
        self.destroyed.connect(lambda: end())

    def set_rows(self, rows: Sequence[ContainerRow]) -> None:
        containers = tuple(row.container for row in rows[:MOST])
        self._left_out.setText(f"The logs of {MOST} of the {len(rows):,} chosen containers.")
        self._left_out.setVisible(len(rows) > MOST)
        if containers == self._containers:
            return
        self._containers = containers
        ids = tuple(sorted(container.id for container in containers))
        if ids != self._sources:
            self._sources = ids
            self._restart()
        else:
            self._follow_restarts()
        self._set_words()

    def shown(self) -> None:
        self._linger.stop()
        if self._sources and not self._streaming:
            self._come_back()

    def hidden(self) -> None:
        if self._streaming:
            self._linger.start()

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
        # What is hidden waits: a log that nobody looks at is not read.
        if self.isVisible():
            self.panel.set_sources([LogSource(id, labels.get(id, "")) for id in self._sources])
            self._open_all()
        else:
            self.panel.set_sources(())

    def _come_back(self) -> None:
        """Begin, or go on where it stopped when it had been out of sight for long."""
        feed = self.panel.feed
        if not feed.sources:
            self._restart()
            return
        if self.context.session.backend is None:
            return
        self._streams = _Streams()
        self._streaming = True
        self._resume([id for id in self._sources if id not in feed.over()])
        self._follow_restarts()

    def _open_all(self) -> None:
        self.close_streams()
        self._streams = _Streams()
        query = self.panel.query.log_query()
        self._open(dict.fromkeys(self._sources, query))

    def _open_lost(self) -> None:
        self._resume(self.panel.lost_sources())

    def _resume(self, ids: Sequence[str]) -> None:
        """Go on where the lines of these sources ended."""
        self._open({id: self.panel.resume_query(id) for id in ids})

    def _follow_restarts(self) -> None:
        """A stream ends when its container stops. Where that runs again, the log goes on.

        Tried once for each news of a container, which never comes without an end: some logs can't be followed.
        """
        over = set(self.panel.feed.over())
        if not over or not self._streaming or self.panel.query.range.until is not None:
            return
        ended = over - set(self.panel.lost_sources())
        again = [
            container
            for container in self._containers
            if container.id in ended
            and container.running
            and self._opened.get(container.id) != container
        ]
        if again:
            self._resume([container.id for container in again])

    def _open(self, queries: Mapping[str, LogQuery]) -> None:
        session = self.context.session
        engine, environment = session.backend, session.environment
        if engine is None or environment is None or not queries:
            return
        self._streaming = True
        self._opened |= {item.id: item for item in self._containers if item.id in queries}
        streams = self._streams
        sinks = {id: self.panel.sink_for(id) for id in queries}

        def connect(_work: Work) -> None:
            for id, sink in sinks.items():
                try:
                    streams.add(_logs(engine, id, queries[id], sink))
                except DockDeskError as error:
                    # The panel shows it where the stream's own end would be shown, and offers to try again.
                    sink.ended(error)

        self.context.jobs.submit(
            self, connect, lambda _result: self.panel.connected(), lane=environment.id, long=True
        )

    def _on_session_changed(self, _state: object) -> None:
        if self.context.session.backend is None or not self._sources:
            return
        if self._streaming and self.panel.lost_sources():
            self._open_lost()
        elif not self._streaming and self.isVisible():
            # It was chosen while the engine was away.
            self._come_back()

    def save_state(self) -> Mapping[str, Any]:
        return {"stamps": self.panel.toolbar.stamps.isChecked()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        self.panel.toolbar.stamps.setChecked(state.get("stamps") is True)


def _logs(engine: Engine, id: str, query: LogQuery, sink: Any) -> Subscription:
    return engine.logs(id, query, sink)
