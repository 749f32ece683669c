"""Streams reach the GUI thread in batches: at most 30 a second, bounded, and honest about what was skipped."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from dockdesk.core.errors import DockDeskError
from dockdesk.core.streams import Subscription

T = TypeVar("T")

_INTERVAL_MS = 33
_BUDGET_S = 0.008


class Pulse(QObject):
    """The one clock of all streams: it ticks only while something waits, and shares a frame among them fairly."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._dirty: deque[BatchedSink[Any]] = deque()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self._on_tick)
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)

    def wake(self, sink: BatchedSink[Any]) -> None:
        """Have ``sink`` flushed at the next tick. Any thread."""
        with self._lock:
            first = not self._dirty
            self._dirty.append(sink)
        if first and shiboken6.isValid(self):
            self._woken.emit()

    def close(self) -> None:
        self._timer.stop()
        with self._lock:
            self._dirty.clear()

    def _on_woken(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _on_tick(self) -> None:
        until = time.perf_counter() + _BUDGET_S
        while True:
            with self._lock:
                sink = self._dirty.popleft() if self._dirty else None
            if sink is None:
                return
            sink.flush()
            if time.perf_counter() > until:
                break
        with self._lock:
            more = bool(self._dirty)
        if more:
            self._timer.start()


class BatchedSink(Generic[T]):
    """A Sink whose items arrive on the GUI thread as `on_items(items, skipped)`, and whose end as `on_end(error)`.

    It holds at most ``bound`` items: when the GUI can't keep up, the oldest are dropped and counted in ``skipped``.
    Nothing is delivered once ``owner`` is gone or `close` was called. Assign ``subscription`` to have `close` end the
    stream itself too, also when it arrives after closing.
    """

    def __init__(
        self,
        pulse: Pulse,
        owner: QObject,
        on_items: Callable[[Sequence[T], int], None],
        on_end: Callable[[DockDeskError | None], None] | None = None,
        bound: int = 5000,
    ) -> None:
        self._pulse = pulse
        self._owner = owner
        self._on_items = on_items
        self._on_end = on_end
        self._lock = threading.Lock()
        self._items: deque[T] = deque(maxlen=bound)
        self._skipped = 0
        self._queued = False
        self._over = False
        self._error: DockDeskError | None = None
        self._closed = False
        self._subscription: Subscription | None = None

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, items: Sequence[T]) -> None:
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
        """Deliver nothing more and end the stream."""
        with self._lock:
            self._closed = True
            self._items.clear()
            subscription = self._subscription
        if subscription is not None:
            subscription.close()

    def flush(self) -> None:
        """Deliver what waits. GUI thread; called by the pulse."""
        with self._lock:
            items, skipped = list(self._items), self._skipped
            self._items.clear()
            self._skipped, self._queued = 0, False
            over, error, closed = self._over, self._error, self._closed
            self._over = False
        if closed:
            return
        if not shiboken6.isValid(self._owner):
            self.close()
            return
        if items:
            self._on_items(items, skipped)
        if over and not self._closed and self._on_end is not None:
            self._on_end(error)
