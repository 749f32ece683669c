"""From the streams of a log's sources to its store, and what became of each stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from enum import Enum
from itertools import groupby

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.errors import DockDeskError
from dockdesk.core.logs.merge import SILENCE, Merger
from dockdesk.core.logs.stamps import stamp_ns
from dockdesk.core.logs.store import LogSource, LogStore
from dockdesk.core.ports import LogChunk
from dockdesk.core.records import dataclass
from dockdesk.ui.widgets.log.gate import PaintGate

_LOOK_BACK = 2000  # rows


class FeedState(Enum):
    IDLE = "idle"  # nobody has asked for anything
    LOADING = "loading"
    LIVE = "live"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class _End:
    """A stream is over; ``sink`` says which."""

    sink: FeedSink
    error: DockDeskError | None


class FeedSink:
    """Puts one source's chunks in the store, on the stream's own thread; nothing waits but for the store's lock."""

    def __init__(
        self,
        store: LogStore,
        merger: Merger | None,
        gate: PaintGate,
        generation: int,
        source: int,
        tell: Callable[[_End], None],
    ) -> None:
        self._store = store
        self._merger = merger
        self._gate = gate
        self._generation = generation
        self._tell = tell
        self.source = source
        self.over = False  # replaced by another, or ended
        self.heard = 0.0

    def put(self, items: Sequence[LogChunk]) -> None:
        if self.over:
            return
        self.heard = time.time()
        if len(items) == 1:
            self._take(items[0].stream, items[0].data)
            return
        for stream, chunks in groupby(items, key=_stream_of):
            self._take(stream, b"".join([chunk.data for chunk in chunks]))

    def ended(self, error: DockDeskError | None) -> None:
        if self.over:
            return
        self.over = True
        if self._merger is not None:
            self._merger.finish(self.source)
        else:
            self._store.finish(self._generation, self.source)
        self._tell(_End(self, error))

    def _take(self, stream: int, data: bytes) -> None:
        if self._merger is not None and not self._merger.settled:
            # Putting history in order takes long enough to be noticed.
            self._gate.pass_through()
            self._merger.put(self.source, stream, data)
        else:
            self._store.append(self._generation, self.source, stream, data)


class LogFeed(QObject):
    """The store with its sinks. ``changed``, at most 30 times a second, until `LogStore.acknowledge` asks for more."""

    changed = Signal()

    def __init__(
        self,
        jobs: Jobs,
        pulse: Pulse,
        gate: PaintGate,
        max_bytes: int,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._gate = gate
        self._jobs = jobs
        events: BatchedSink[_End | None] = BatchedSink(pulse, self, self._on_events, prompt=True)
        self._events = events
        self.store = LogStore(max_bytes, lambda: events.put((None,)))
        self._merger: Merger | None = None
        self._generation = 0
        self._sinks: list[FeedSink | None] = []
        self._ends: dict[int, DockDeskError | None] = {}
        self._connected = False
        self._timer = QTimer(self)
        self._timer.setInterval(round(SILENCE * 500))
        self._timer.timeout.connect(self._on_timeout)
        self.sources: tuple[LogSource, ...] = ()
        self._heard: dict[int, float] = {}  # when anything arrived last through sinks before

    @property
    def state(self) -> FeedState:
        if not self.sources:
            return FeedState.IDLE
        if any(error is not None for error in self._ends.values()):
            return FeedState.LOST
        if len(self._ends) == len(self.sources):
            return FeedState.ENDED
        if self._connected or any(sink is not None and sink.heard for sink in self._sinks):
            return FeedState.LIVE
        return FeedState.LOADING

    @property
    def error(self) -> DockDeskError | None:
        """Why a stream was lost."""
        return next((error for error in self._ends.values() if error is not None), None)

    def open(self, sources: Sequence[LogSource], timestamped: bool) -> None:
        """Begin anew; sinks given out before are deaf from now on."""
        self.close()
        self.sources = tuple(sources)
        self._generation = self.store.reset(self.sources, timestamped)
        self._sinks = [None] * len(self.sources)
        self._ends = {}
        self._heard = {}
        self._connected = False
        if timestamped and len(self.sources) > 1:
            self._merger = Merger(self.store, self._generation, len(self.sources))
            self._timer.start()
        self.changed.emit()

    def sink(self, source_id: str) -> FeedSink:
        """A sink for a source; one given out for it before is deaf from now on. Raises KeyError for none of them."""
        index = self._index(source_id)
        before = self._sinks[index]
        if before is not None:
            self._heard[index] = max(self._heard.get(index, 0.0), before.heard)
            before.over = True
        self._ends.pop(index, None)
        events = self._events  # not self: a stream must not keep its reader alive
        sink = FeedSink(
            self.store,
            self._merger,
            self._gate,
            self._generation,
            index,
            lambda end: events.put((end,)),
        )
        self._sinks[index] = sink
        self.changed.emit()
        return sink

    def connected(self) -> None:
        """The streams are open, though nothing may have come through them yet."""
        self._connected = True
        if self._merger is not None:
            self._merger.opened()
        self.changed.emit()

    def heard_until(self, source_id: str) -> float | None:
        """Up to when a source's lines are here, in seconds since 1970; None if none are.

        That is the newest stamp where lines have one, else when something arrived last: right as far as this clock and
        the source's agree. Raises KeyError for none of the sources.
        """
        index = self._index(source_id)
        snapshot = self.store.snapshot()
        stamp = b""
        for row in snapshot.rows(snapshot.end_row - _LOOK_BACK, _LOOK_BACK):
            if row.source == index and row.stamp:
                stamp = row.stamp
        if (moment := stamp_ns(stamp)) is not None:
            return moment / 1e9 + 1e-6
        sink = self._sinks[index]
        return max(self._heard.get(index, 0.0), sink.heard if sink is not None else 0.0) or None

    def _index(self, source_id: str) -> int:
        index = next((at for at, item in enumerate(self.sources) if item.id == source_id), -1)
        if index < 0:
            raise KeyError(source_id)
        return index

    def lost(self) -> list[str]:
        """Ids of the sources whose streams broke."""
        return [self.sources[at].id for at, error in self._ends.items() if error is not None]

    def over(self) -> list[str]:
        """Ids of the sources whose streams broke or came to their end."""
        return [self.sources[at].id for at in self._ends]

    def close(self) -> None:
        """Hear nothing more."""
        self._timer.stop()
        self._merger = None
        for sink in self._sinks:
            if sink is not None:
                sink.over = True

    def _on_events(self, events: Sequence[_End | None], _skipped: int) -> None:
        for event in events:
            if event is not None and event.sink in self._sinks:
                self._ends[event.sink.source] = event.error
        self.changed.emit()

    def _on_timeout(self) -> None:
        merger = self._merger
        if merger is None or merger.settled:
            self._timer.stop()
        else:
            self._jobs.submit(self, lambda _work: merger.tick(), question="merge")


def _stream_of(chunk: LogChunk) -> int:
    return chunk.stream
