"""What the engine in memory holds, and how tests turn it."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockdesk.core.errors import DockDeskError, LocalError, NotFoundError
from dockdesk.core.ports import LogChunk
from dockdesk.core.resources.builds import Builder, BuildItem, BuildStep, BuildWarning, PastBuild
from dockdesk.core.resources.containers import Container, StatsSample
from dockdesk.core.resources.engine import EngineEvent
from tests.fake_streams import FakeExec, FakeSubscription
from tests.fake_world import GIB, NOW, containers, images, networks, volumes

CAPABILITIES = frozenset({"update", "buildkit", "disk_usage", "distribution", "events_since"})


class FakeState:
    """What it holds, and what tests turn.

    `calls` records what was asked (method name, then arguments that matter); `faults` maps a method's name to the
    error it raises; `pause_on(name)` holds a method until released, to look at what is shown meanwhile."""

    def __init__(self) -> None:
        self.capabilities = CAPABILITIES
        self.calls: list[tuple[Any, ...]] = []
        self.faults: dict[str, DockDeskError] = {}
        self.closed = False
        self._lock = threading.RLock()
        self._containers = {item.id: item for item in containers()}
        self._images = {item.id: item for item in images()}
        self._volumes = {item.name: item for item in volumes()}
        self._networks = {item.id: item for item in networks(self._containers.values())}
        self._gates: dict[str, threading.Event] = {}
        self._event_streams: list[FakeSubscription[EngineEvent]] = []
        self._log_streams: dict[str, list[FakeSubscription[LogChunk]]] = {}
        self._stats_streams: dict[str, list[FakeSubscription[StatsSample]]] = {}
        self.execs: list[FakeExec] = []
        self._made = 0
        self._build_cache = 412_000_000
        self._ticks = 0
        self._time = NOW
        self.image_versions: dict[str, int] = {}  # by name: which version of the shop it holds
        self.image_file = Path()  # the archive of a large image
        self.build_items: list[BuildItem] = [
            BuildStep("sha256:1", "[1/2] FROM scratch", (), True, NOW, NOW),
            BuildStep("sha256:2", "[2/2] COPY . /", ("sha256:1",), False, NOW, NOW + 1),
        ]
        self.build_warnings: list[BuildWarning] | None = []
        self.build_builders: list[Builder] = []
        self.build_history: list[PastBuild] = []

    # What tests turn.

    @contextmanager
    def pause_on(self, name: str) -> Iterator[None]:
        """Hold calls of the method ``name`` while inside."""
        gate = self._gates[name] = threading.Event()
        try:
            yield
        finally:
            del self._gates[name]
            gate.set()

    def emit(self, kind: str, action: str, id: str, name: str = "", **attributes: str) -> None:
        """Send an event to all listeners."""
        self._time += 1
        event = EngineEvent(kind, action, id, self._time, name, attributes)
        for stream in list(self._event_streams):
            stream.push(event)

    def log_streams(self, id: str) -> int:
        """How many listen to a container's log."""
        return len(self._log_streams.get(self._one(id).id, ()))

    def emit_log(self, id: str, data: bytes, stream: int = 1) -> None:
        for subscription in list(self._log_streams.get(self._one(id).id, ())):
            subscription.push(LogChunk(stream, data))

    def tick(self, count: int = 1) -> None:
        """Let ``count`` seconds of use go by on every stats stream."""
        for _ in range(count):
            self._ticks += 1
            for id, streams in list(self._stats_streams.items()):
                for stream in list(streams):
                    stream.push(self._sample(id))

    def drop(self, error: DockDeskError) -> None:
        """Cut all streams, as when the daemon dies."""
        groups: list[Sequence[FakeSubscription[Any]]] = [list(self._event_streams)]
        groups += [list(item) for item in self._log_streams.values()]
        groups += [list(item) for item in self._stats_streams.values()]
        for group in groups:
            for stream in group:
                stream.end(error)

    def put_container(self, container: Container, action: str = "update") -> None:
        """Change or add a container behind the program's back."""
        with self._lock:
            self._containers[container.id] = container
        self.emit("container", action, container.id, container.name)

    @property
    def stats_streams(self) -> int:
        return sum(len(streams) for streams in self._stats_streams.values())

    def _enter(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if (gate := self._gates.get(name)) is not None and not gate.wait(30):
            raise LocalError("The test held a call for too long", name)
        if (error := self.faults.get(name)) is not None:
            raise error

    def _one(self, id: str) -> Container:
        for item in self._containers.values():
            if id in (item.id, item.short_id, item.name):
                return item
        raise NotFoundError("No such container", id)

    def _set(self, id: str, event: str, **changes: Any) -> None:
        with self._lock:
            item = self._one(id)
            self._containers[item.id] = changed = replace(item, **changes)
        if event in {"die", "restart"}:
            self._end_logs(item.id)
        self.emit("container", event, changed.id, changed.name)

    def _end_logs(self, id: str) -> None:
        """A log that is followed ends when its container does."""
        for stream in list(self._log_streams.get(id, ())):
            stream.end()

    def _sample(self, id: str) -> StatsSample:
        seed = int(id[:4], 16)
        wave = math.sin(self._ticks / 5 + seed) + math.sin(self._ticks / 2.3 + seed * 2) / 2
        size = (seed % 60) + 4
        return StatsSample(
            NOW + self._ticks, max(0.1, size + wave * size / 6), (200 + seed % 700) * 1e6, 16 * GIB,
            2e4 + 1e4 * wave, 1e4, 5e3, 3e3, 6 + seed % 9,
        )  # fmt: skip
