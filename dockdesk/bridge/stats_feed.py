"""Live figures of the containers that are on the screen, and of no others: every stream costs the engine work."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.backoff import Backoff
from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Job, Jobs
from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.errors import DockDeskError
from dockdesk.core.ports import Engine
from dockdesk.core.resources.containers import StatsSample
from dockdesk.core.series import Series
from dockdesk.core.streams import Subscription
from dockdesk.core.work import Work

KEPT_S = 600  # ten minutes, at a sample a second
_HISTORIES = 400  # so many of them at most, before those that nobody watches are forgotten
_PULSE_MS = 200
_STATES = frozenset({"running", "paused"})


class History:
    """What a container used in the last ten minutes; units as in StatsSample.

    ``latest`` is None while there is nothing new: the container doesn't run, or its figures haven't come yet.
    """

    __slots__ = (
        "block_read",
        "block_write",
        "cpu",
        "latest",
        "memory",
        "memory_limit",
        "net_in",
        "net_out",
        "pids",
    )

    def __init__(self) -> None:
        self.cpu = Series(KEPT_S)
        self.memory = Series(KEPT_S)
        self.net_in = Series(KEPT_S)
        self.net_out = Series(KEPT_S)
        self.block_read = Series(KEPT_S)
        self.block_write = Series(KEPT_S)
        self.pids = Series(KEPT_S)
        self.memory_limit = 0.0
        self.latest: StatsSample | None = None

    def add(self, sample: StatsSample) -> None:
        self.cpu.add(sample.at, sample.cpu)
        self.memory.add(sample.at, sample.memory)
        self.net_in.add(sample.at, sample.net_in)
        self.net_out.add(sample.at, sample.net_out)
        self.block_read.add(sample.at, sample.block_read)
        self.block_write.add(sample.at, sample.block_write)
        self.pids.add(sample.at, sample.pids)
        self.memory_limit = sample.memory_limit
        self.latest = sample


class _Stream:
    """The sink of one container's stream; hands its samples, labelled, to the one sink of all."""

    def __init__(self, id: str, feed: BatchedSink[tuple[_Stream, StatsSample | None]]) -> None:
        self.id = id
        self.over = False
        self.error: DockDeskError | None = None
        self.job: Job | None = None
        self.unwanted_since: float | None = None  # monotonic seconds
        self._feed = feed
        self._lock = threading.Lock()
        self._closed = False
        self._subscription: Subscription | None = None

    def put(self, items: Sequence[StatsSample]) -> None:
        self._feed.put([(self, item) for item in items])

    def ended(self, error: DockDeskError | None) -> None:
        self.over, self.error = True, error
        self._feed.put([(self, None)])

    def open(self, engine: Engine, _work: Work) -> None:
        """Connect; on a worker."""
        with self._lock:
            if self._closed:
                return
        subscription = engine.stats(self.id, self)
        with self._lock:
            self._subscription = subscription
            late = self._closed
        if late:
            subscription.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()
        if self.job is not None:
            self.job.cancel()


class StatsFeed(QObject):
    """One stream a container that is visible (`watch`) or looked at in detail (`pin`) and runs.

    Streams begin a moment after a container came into view and end a moment after it left, so that scrolling past
    costs nothing. They come back after a restart of the container or of the engine. Histories stay while the container
    exists.
    """

    sampled = Signal(object)  # ids with new figures, or whose figures ended

    def __init__(
        self,
        session: EngineSession,
        jobs: Jobs,
        parent: QObject | None = None,
        *,
        settle_ms: int = 150,
        linger_s: float = 3.0,
        first_retry: float = 1.0,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._jobs = jobs
        self._linger = linger_s
        self._first_retry = first_retry
        self._watched: frozenset[str] = frozenset()
        self._pinned: Counter[str] = Counter()
        self._active = True
        self._streams: dict[str, _Stream] = {}
        self._retries: dict[str, tuple[Backoff, float]] = {}
        self._histories: dict[str, History] = {}
        self._pulse = Pulse(self, _PULSE_MS)
        self._feed: BatchedSink[tuple[_Stream, StatsSample | None]] = BatchedSink(
            self._pulse, self, self._on_samples, bound=20_000
        )
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._reconcile)
        self._settle_ms = settle_ms
        session.containers_changed.connect(self._on_containers_changed)
        session.state_changed.connect(self._on_session_changed)

    def watch(self, ids: Iterable[str]) -> None:
        """Follow these containers, and of those watched before only these."""
        wanted = frozenset(ids)
        if wanted != self._watched:
            self._watched = wanted
            # Put off again by each call: while the user scrolls, nothing begins.
            self._timer.start(self._settle_ms)

    def pin(self, id: str) -> None:
        """Follow a container also while it is out of view; counted, so `unpin` it as often."""
        self._pinned[id] += 1
        self._reconcile()

    def unpin(self, id: str) -> None:
        self._pinned[id] -= 1
        if self._pinned[id] <= 0:
            del self._pinned[id]
        self._reconcile()

    def set_active(self, active: bool) -> None:
        """False while nobody can see the window: all streams end, until it is True again."""
        if active != self._active:
            self._active = active
            if active:
                self._reconcile()
            else:
                self._end_all()

    def history(self, id: str) -> History | None:
        """What is known of a container's use, or None if it was never followed."""
        return self._histories.get(id)

    def latest(self, id: str) -> StatsSample | None:
        """A container's newest figures, None where there are none now."""
        history = self._histories.get(id)
        return history.latest if history is not None else None

    @property
    def streams(self) -> int:
        """How many streams are open, or being opened."""
        return len(self._streams)

    def close(self) -> None:
        """End all streams for good."""
        self._active = False
        self._end_all()
        self._feed.close()
        self._pulse.close()

    # What should run, and what does.

    def _wanted(self) -> set[str]:
        if not self._active or self._session.engine is None:
            return set()
        containers = self._session.containers
        return {
            id
            for id in self._watched | self._pinned.keys()
            if id in containers and containers[id].state in _STATES
        }

    def _reconcile(self) -> None:
        """Begin what is missing, end what is left over; comes back by itself for what is not due yet."""
        now = time.monotonic()
        wanted = self._wanted()
        due: list[float] = []
        for id in wanted - self._streams.keys():
            _, at = self._retries.get(id, (None, 0.0))
            if at <= now:
                self._begin(id)
            else:
                due.append(at)
        for id, stream in list(self._streams.items()):
            if id in wanted:
                stream.unwanted_since = None
                continue
            if stream.unwanted_since is None:
                stream.unwanted_since = now
            ends = stream.unwanted_since + self._linger
            if ends <= now or not self._running(id):
                self._end(id)
            else:
                due.append(ends)
        self._retries = {id: retry for id, retry in self._retries.items() if id in wanted}
        if due:
            self._timer.start(max(1, round((min(due) - now) * 1000) + 1))
        else:
            self._timer.stop()

    def _running(self, id: str) -> bool:
        container = self._session.containers.get(id)
        return container is not None and container.state in _STATES

    def _begin(self, id: str) -> None:
        engine, environment = self._session.engine, self._session.environment
        if engine is None or environment is None:
            return
        stream = self._streams[id] = _Stream(id, self._feed)
        self._keep_history(id)
        stream.job = self._jobs.submit(
            self,
            partial(stream.open, engine),
            None,
            partial(self._on_open_failed, stream),
            # A lane of its own: Podman may hold an answer back for seconds, and lists must not wait for that.
            lane=f"{environment.id}/stats",
        )

    def _end(self, id: str) -> None:
        stream = self._streams.pop(id, None)
        if stream is not None:
            stream.close()

    def _end_all(self) -> None:
        self._timer.stop()
        self._retries.clear()
        for id in list(self._streams):
            self._end(id)

    def _keep_history(self, id: str) -> None:
        """Have a history for it, as the newest; forget the oldest of those that nobody watches."""
        history = self._histories.pop(id, None)
        self._histories[id] = History() if history is None else history
        if len(self._histories) > _HISTORIES:
            for old in list(self._histories)[: len(self._histories) - _HISTORIES]:
                if old not in self._streams:
                    del self._histories[old]

    # What comes in.

    def _on_samples(
        self, items: Sequence[tuple[_Stream, StatsSample | None]], skipped: int
    ) -> None:
        touched: set[str] = set()
        for stream, sample in items:
            if sample is None or self._streams.get(stream.id) is not stream:
                continue
            self._histories[stream.id].add(sample)
            self._retries.pop(stream.id, None)
            touched.add(stream.id)
        ended = {stream for stream, sample in items if sample is None}
        if skipped:
            ended.update(stream for stream in self._streams.values() if stream.over)
        for stream in ended:
            self._on_ended(stream)
        if touched:
            self.sampled.emit(touched)

    def _on_ended(self, stream: _Stream) -> None:
        """By itself (its container stopped), or cut: if it is still wanted, it is tried again after a while."""
        if self._streams.get(stream.id) is not stream:
            return
        self._end(stream.id)
        self._put_off(stream.id)
        self._reconcile()

    def _on_open_failed(self, stream: _Stream, error: DockDeskError) -> None:
        stream.error = error
        self._on_ended(stream)

    def _put_off(self, id: str) -> None:
        backoff, _ = self._retries.get(id, (Backoff(self._first_retry, 30.0), 0.0))
        self._retries[id] = (backoff, time.monotonic() + backoff.next())

    def _on_containers_changed(self, changed: set[str], removed: set[str]) -> None:
        for id in removed:
            self._end(id)
            self._histories.pop(id, None)
            self._pinned.pop(id, None)
        stopped = set()
        for id in changed:
            # A new run is a new chance; and figures of a container that does not run are not its present ones.
            self._retries.pop(id, None)
            history = self._histories.get(id)
            if history is not None and history.latest is not None and not self._running(id):
                history.latest = None
                stopped.add(id)
        if (changed | removed) & (self._watched | self._pinned.keys() | self._streams.keys()):
            self._reconcile()
        if stopped:
            self.sampled.emit(stopped)

    def _on_session_changed(self, _state: object) -> None:
        if self._session.engine is None:
            self._end_all()
        else:
            self._reconcile()
