"""Streams reach the GUI thread in batches: at most 30 a second, bounded, and honest about what was skipped."""

from __future__ import annotations

import inspect
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from dockdesk.core.errors import DockDeskError
from dockdesk.core.streams import Subscription

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_INTERVAL_MS = 33
_BUDGET_S = 0.008


class Pulse(QObject):
    """The one clock of all streams: it ticks only while something waits, and shares a frame among them fairly.

    After a quiet time it ticks at once, then at most every ``interval_ms``: a single line isn't held up, a flood is.
    """

    _woken = Signal()

    def __init__(self, parent: QObject | None = None, interval_ms: int = _INTERVAL_MS) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._dirty: deque[BatchedSink[Any]] = deque()
        self._prompt: deque[BatchedSink[Any]] = deque()
        self._owned: dict[int, weakref.WeakSet[BatchedSink[Any]]] = {}
        self._closed = False
        self._interval = interval_ms / 1000
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_tick)
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)

    def wake(self, sink: BatchedSink[Any]) -> None:
        """Have ``sink`` flushed at the next tick. Any thread."""
        quiet = sink.prompt and time.monotonic() - sink.flushed > self._interval
        queue = self._prompt if quiet else self._dirty
        with self._lock:
            if self._closed:
                return
            first = not queue
            queue.append(sink)
        if first:
            try:
                self._woken.emit()
            except RuntimeError:  # deleted while a stream still ran: nobody is left to tell
                self._closed = True

    def adopt(self, sink: BatchedSink[Any], owner: QObject) -> None:
        """Close ``sink`` when ``owner`` is destroyed. GUI thread."""
        key = id(owner)
        if (sinks := self._owned.get(key)) is None:
            sinks = self._owned[key] = weakref.WeakSet()
            owner.destroyed.connect(_Farewell(self._owned, key))
        sinks.add(sink)

    def close(self) -> None:
        """Tick no more. Sinks that are open stay so, but deliver nothing."""
        self._timer.stop()
        with self._lock:
            self._closed = True
            self._dirty.clear()
            self._prompt.clear()

    def _on_woken(self) -> None:
        if self._closed:
            return
        self._flush_all(self._prompt)
        if self._dirty and not self._timer.isActive():
            wait = self._last + self._interval - time.monotonic()
            self._timer.start(max(0, round(wait * 1000)))

    def _on_tick(self) -> None:
        try:
            self._flush_all(self._dirty)
        finally:
            self._last = time.monotonic()
            with self._lock:
                more = bool(self._dirty) and not self._closed
            if more:
                self._timer.start(round(self._interval * 1000))

    def _flush_all(self, queue: deque[BatchedSink[Any]]) -> None:
        """Flush what waits now, once each: what comes in meanwhile waits for the next tick."""
        until = time.perf_counter() + _BUDGET_S
        failed: Exception | None = None
        for _ in range(len(queue)):
            with self._lock:
                sink = queue.popleft() if queue else None
            if sink is None:
                break
            try:
                sink.flush()
            except Exception as error:  # noqa: BLE001 - raised below: one bad receiver must not silence the others
                failed = failed or error
            if time.perf_counter() > until and queue is self._dirty:
                break
        if failed is not None:
            raise failed


class _Farewell:
    """Closes an owner's sinks when it is destroyed; keeps neither the owner nor the sinks alive."""

    def __init__(self, owned: dict[int, weakref.WeakSet[BatchedSink[Any]]], key: int) -> None:
        self._owned = owned
        self._key = key

    def __call__(self, _destroyed: object = None) -> None:
        for sink in list(self._owned.pop(self._key, ())):
            sink.close()


class BatchedSink(Generic[T]):
    """A Sink whose items arrive on the GUI thread as `on_items(items, skipped)`, and whose end as `on_end(error)`.

    It holds at most ``bound`` items: when the GUI can't keep up, the oldest are dropped and counted in ``skipped``.
    Nothing is delivered once ``owner`` is gone (which ends the stream) or `close` was called. `hold` the subscription
    to have `close` end the stream itself too, also when it arrives after closing. A ``prompt`` one doesn't wait for the
    pulse's next tick, as long as it was quiet: for what echoes a key. Make it on the GUI thread.
    """

    def __init__(
        self,
        pulse: Pulse,
        owner: QObject,
        on_items: Callable[[Sequence[T], int], None],
        on_end: Callable[[DockDeskError | None], None] | None = None,
        bound: int = 5000,
        prompt: bool = False,
    ) -> None:
        self._pulse = pulse
        self._owner = weakref.ref(owner)
        self._on_items = _weakly(on_items, owner)
        self._on_end = _weakly(on_end, owner) if on_end is not None else None
        self._lock = threading.Lock()
        self._items: deque[T] = deque(maxlen=bound)
        self._skipped = 0
        self._queued = False
        self._over = False
        self._error: DockDeskError | None = None
        self._closed = False
        self._subscription: Subscription | None = None
        self.prompt = prompt
        self.flushed = 0.0  # when it last delivered, monotonic seconds
        pulse.adopt(self, owner)

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, items: Sequence[T]) -> None:
        if not items:
            return
        with self._lock:
            if self._closed:
                return
            bound = self._items.maxlen or 0
            self._skipped += max(0, len(self._items) + len(items) - bound)
            self._items.extend(items)
            wake = not self._queued
            self._queued = True
        if wake:
            self._pulse.wake(self)

    def ended(self, error: DockDeskError | None) -> None:
        with self._lock:
            if self._closed:
                return
            self._over, self._error = True, error
            wake = not self._queued
            self._queued = True
        if wake:
            self._pulse.wake(self)

    def hold(self, subscription: Subscription) -> None:
        """Tie the stream to this sink; ends it at once if the sink was closed meanwhile. Any thread."""
        with self._lock:
            self._subscription = subscription
            late = self._closed
        if late:
            subscription.close()

    def close(self) -> None:
        """Deliver nothing more and end the stream. Any thread; on the GUI thread it holds from this moment on."""
        with self._lock:
            self._closed = True
            self._items.clear()
            subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()

    def flush(self) -> None:
        """Deliver what waits. GUI thread; called by the pulse."""
        self.flushed = time.monotonic()
        with self._lock:
            items, skipped = list(self._items), self._skipped
            self._items.clear()
            self._skipped, self._queued = 0, False
            over, error, closed = self._over, self._error, self._closed
            self._over = False
        if closed:
            return
        owner = self._owner()
        if owner is None or not shiboken6.isValid(owner):
            self.close()
            return
        try:
            if items:
                self._on_items(items, skipped)
        finally:
            # The end is told even if the last items were too much for their receiver.
            if over and not self._closed and self._on_end is not None:
                self._on_end(error)


def _weakly(function: F, owner: QObject) -> F:
    """``function``, but not keeping ``owner`` alive where it is a method of it: a stream must not own its reader."""
    if not inspect.ismethod(function) or function.__self__ is not owner:
        return function
    method = weakref.WeakMethod(function)

    def call(*arguments: Any) -> None:
        if (bound := method()) is not None:
            bound(*arguments)

    return call  # type: ignore[return-value]
