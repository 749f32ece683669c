"""The engine's streams as ports: events, stats and logs."""

from __future__ import annotations

from typing import Any

from dockdesk.backends.engine.base import EnginePart
from dockdesk.backends.engine.client import quoted
from dockdesk.backends.engine.events import EventDecoder
from dockdesk.backends.engine.frames import FrameSplitter, RawSplitter
from dockdesk.backends.engine.stats import StatsDecoder
from dockdesk.backends.engine.streams import StreamHub, seconds
from dockdesk.core.ports import LogChunk, LogQuery
from dockdesk.core.resources.containers import StatsSample
from dockdesk.core.resources.engine import EngineEvent
from dockdesk.core.streams import Sink, Subscription


class LiveStreams(EnginePart):
    """Events, stats and logs; read by the reactor, see StreamsLogs and its neighbours in core/ports.py."""

    hub: StreamHub

    def events(self, sink: Sink[EngineEvent], since: float | None = None) -> Subscription:
        """The engine's events from now on, or from ``since`` (seconds since 1970) where the engine keeps them."""
        params: dict[str, Any] = {}
        if since is not None and not self.client.podman:
            params["since"] = seconds(since)
        decoder = EventDecoder(self.client.podman)
        return self.hub.open("/events", params, decoder, sink, "The engine tells no events")

    def stats(self, id: str, sink: Sink[StatsSample]) -> Subscription:
        """What the container uses, about once a second (Podman: every five)."""
        path = f"/containers/{quoted(id)}/stats"
        return self.hub.open(
            path, {"stream": True}, StatsDecoder(), sink, "No figures for this container"
        )

    def logs(self, id: str, query: LogQuery, sink: Sink[LogChunk]) -> Subscription:
        """What the container wrote: first what there is, then, with ``follow``, what comes."""
        splitter = RawSplitter() if self._has_tty(id) else FrameSplitter()
        params = {
            "follow": query.follow,
            "stdout": query.stdout,
            "stderr": query.stderr,
            "timestamps": query.timestamps,
            "tail": "all" if query.tail is None else max(0, query.tail),
            "since": None if query.since is None else seconds(query.since),
            "until": None if query.until is None else seconds(query.until),
        }
        path = f"/containers/{quoted(id)}/logs"
        return self.hub.open(path, params, splitter, sink, "No logs of this container")

    def _has_tty(self, id: str) -> bool:
        """Whether its output is a terminal's, without frames. Before API 1.42 only its configuration tells."""
        detail = self.client.get(f"/containers/{quoted(id)}/json", title="No such container")
        return bool(detail["Config"]["Tty"])
