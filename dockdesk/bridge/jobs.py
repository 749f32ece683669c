"""Work that leaves the GUI thread and comes back as a result, a failure, or not at all if nobody waits any more.

One lane per remote: reads run side by side within a bound, so that a slow remote can't starve the others; writes to one
resource run in order. Long work (a pull, an export) has threads of its own and never holds up a list.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Qt, QThreadPool, QTimer, Signal

from dockdesk.core.errors import CancelledError, DockDeskError, LocalError
from dockdesk.core.work import Work

_log = logging.getLogger(__name__)

LOG_LINES = 2000
HISTORY = 200
_FLUSH_MS = 33


class JobState(Enum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Job:
    """One piece of work; also the Work its function reports to. Read it on the GUI thread, after `Jobs.job_changed`.

    ``fraction`` is 0.0 to 1.0 or None where unknown; ``parts`` maps a part's name to its fraction and text; times are
    seconds since 1970.
    """

    def __init__(
        self, jobs: Jobs, number: int, function: Callable[[Work], Any], title: str, retryable: bool
    ) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._cancel_callbacks: list[Callable[[], None]] = []
        self.function = function
        self.number = number
        self.title = title
        self.retryable = retryable
        self.state = JobState.QUEUED
        self.fraction: float | None = None
        self.text = ""
        self.parts: dict[str, tuple[float | None, str]] = {}
        self.lines: deque[str] = deque(maxlen=LOG_LINES)
        self.result: Any = None
        self.error: DockDeskError | None = None
        self.created = time.time()
        self.started = 0.0
        self.ended = 0.0
        self.lane = ""
        self.order = ""
        self.long = False
        self.owner: weakref.ref[QObject] | None = None
        self.success: Callable[[Any], None] | None = None
        self.failure: Callable[[DockDeskError], None] | None = None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check(self) -> None:
        if self._cancelled.is_set():
            raise CancelledError

    def progress(self, fraction: float | None, text: str = "") -> None:
        self.fraction = fraction
        if text:
            self.text = text
        self._jobs.mark(self)

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        with self._lock:
            self.parts[key] = (fraction, text)
        self._jobs.mark(self)

    def parts_now(self) -> dict[str, tuple[float | None, str]]:
        """A copy of the parts: safe to walk while the worker adds to them."""
        with self._lock:
            return dict(self.parts)

    def log(self, line: str) -> None:
        with self._lock:
            self.lines.append(line)
        self._jobs.mark(self)

    def lines_now(self) -> list[str]:
        with self._lock:
            return list(self.lines)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._cancel_callbacks.append(callback)
            late = self._cancelled.is_set()
        try:
            if late:
                callback()
            yield
        finally:
            with self._lock:
                self._cancel_callbacks.remove(callback)

    def cancel(self) -> None:
        """Ask it to stop. A queued job never starts; a running one stops where it checks or waits."""
        self._cancelled.set()
        with self._lock:
            callbacks = list(self._cancel_callbacks)
        for callback in callbacks:
            callback()
        self._jobs.cancel_asked(self)


class Jobs(QObject):
    """Runs jobs. Lives on the GUI thread; every callback and signal arrives there."""

    job_changed = Signal(object)
    job_failed = Signal(object)  # a failure that no caller handles: becomes a notice
    _worker_ended = Signal(object)
    _marked = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        threads: int = 8,
        long_threads: int = 16,
        lane_reads: int = 4,
    ) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._long_pool = QThreadPool(self)
        self._long_pool.setMaxThreadCount(long_threads)
        self._lane_reads = lane_reads
        self._waiting: deque[Job] = deque()
        self._running: set[Job] = set()
        self._questions: dict[tuple[int, str], Job] = {}
        self._history: deque[Job] = deque(maxlen=HISTORY)
        self._dirty: set[Job] = set()
        self._dirty_lock = threading.Lock()
        self._count = 0
        self._closed = False
        self._flush_timer = QTimer(self)
        self._flush_timer.setSingleShot(True)
        self._flush_timer.setInterval(_FLUSH_MS)
        self._flush_timer.timeout.connect(self._flush)
        self._worker_ended.connect(self._on_worker_ended, Qt.ConnectionType.QueuedConnection)
        self._marked.connect(self._flush_timer.start, Qt.ConnectionType.QueuedConnection)

    def submit(
        self,
        owner: QObject | None,
        function: Callable[[Work], Any],
        success: Callable[[Any], None] | None = None,
        failure: Callable[[DockDeskError], None] | None = None,
        *,
        lane: str = "",
        order: str = "",
        question: str = "",
        title: str = "",
        long: bool = False,
        retryable: bool = False,
    ) -> Job:
        """Run ``function`` off the GUI thread.

        Its callbacks are dropped when ``owner`` is gone, or when the owner has asked the same ``question`` again.
        Jobs with an equal ``order`` run one after the other. A ``title`` makes the job visible in the activity drawer.
        Without ``failure`` a failure becomes a notice.
        """
        self._count += 1
        job = Job(self, self._count, function, title, retryable)
        job.lane, job.order, job.long = lane, order, long
        job.owner = weakref.ref(owner) if owner is not None else None
        job.success, job.failure = success, failure
        if question and owner is not None:
            key = (id(owner), question)
            if (older := self._questions.get(key)) is not None:
                # Silenced first: what it says from now on answers a question nobody asks any more.
                older.success = None
                older.failure = _ignore
                older.cancel()
            self._questions[key] = job
        if self._closed:
            job.state = JobState.CANCELLED
            return job
        self._waiting.append(job)
        if title:
            self._history.append(job)
            self.mark(job)
        self._start_ready()
        return job

    def retry(self, job: Job) -> Job:
        """Run the same work again, as a new job."""
        owner = job.owner() if job.owner is not None else None
        return self.submit(
            owner,
            job.function,
            job.success,
            job.failure,
            lane=job.lane,
            order=job.order,
            title=job.title,
            long=job.long,
            retryable=job.retryable,
        )

    def visible(self) -> list[Job]:
        """Jobs with a title, newest first: those that run and the last ones that ended."""
        return list(reversed(self._history))

    def forget_ended(self) -> None:
        """Clear ended jobs from what `visible` returns."""
        self._history = deque((job for job in self._history if not job.state.over), maxlen=HISTORY)

    def busy(self) -> bool:
        return bool(self._running or self._waiting)

    def close(self, timeout_ms: int = 3000) -> bool:
        """Cancel everything and wait; False if a thread would not end in time."""
        self._closed = True
        for job in [*self._waiting, *self._running]:
            job.cancel()
        self._waiting.clear()
        self._flush_timer.stop()
        ended = self._pool.waitForDone(timeout_ms)
        return self._long_pool.waitForDone(timeout_ms) and ended

    # Called from any thread.

    def mark(self, job: Job) -> None:
        """Note that ``job`` has news; the GUI thread tells of it at most 30 times a second."""
        if not job.title or self._closed:
            return
        with self._dirty_lock:
            first = not self._dirty
            self._dirty.add(job)
        if first:
            self._marked.emit()

    # GUI thread.

    def cancel_asked(self, job: Job) -> None:
        """Drop a job that still waits."""
        if job in self._waiting:
            self._waiting.remove(job)
            job.state = JobState.CANCELLED
            job.ended = time.time()
            self._forget_question(job)
            self.mark(job)

    def _start_ready(self) -> None:
        orders = {job.order for job in self._running if job.order}
        reads: dict[str, int] = {}
        for job in self._running:
            if not job.long and not job.order:
                reads[job.lane] = reads.get(job.lane, 0) + 1
        for job in list(self._waiting):
            if job.order:
                ready = job.order not in orders
                # A later write to the same resource must not overtake one that still waits.
                orders.add(job.order)
            else:
                ready = job.long or reads.get(job.lane, 0) < self._lane_reads
                if ready and not job.long:
                    reads[job.lane] = reads.get(job.lane, 0) + 1
            if ready:
                self._waiting.remove(job)
                self._start(job)

    def _start(self, job: Job) -> None:
        job.state = JobState.RUNNING
        job.started = time.time()
        self._running.add(job)
        self.mark(job)
        pool = self._long_pool if job.long else self._pool
        pool.start(lambda: self._work(job))

    def _work(self, job: Job) -> None:
        try:
            job.check()
            job.result = job.function(job)
        except DockDeskError as error:
            job.error = error
        except Exception as error:  # noqa: BLE001 - a worker's last line of defence: every failure is shown
            _log.exception("job %s failed unexpectedly", job.title or job.number)
            job.error = LocalError(
                "Something in DockDesk went wrong",
                f"{type(error).__name__}: {error}",
                "Try again. If it happens again, please report it with the log.",
            )
        if not self._closed:
            self._worker_ended.emit(job)

    def _on_worker_ended(self, job: Job) -> None:
        self._running.discard(job)
        job.ended = time.time()
        self._forget_question(job)
        if isinstance(job.error, CancelledError) or (job.error is not None and job.cancelled):
            job.state = JobState.CANCELLED
        elif job.error is not None:
            job.state = JobState.FAILED
        else:
            job.state = JobState.DONE
            job.fraction = 1.0
        self.mark(job)
        self._start_ready()
        self._deliver(job)

    def _deliver(self, job: Job) -> None:
        if job.owner is not None:
            owner = job.owner()
            if owner is None or not shiboken6.isValid(owner):
                return
        if job.state is JobState.DONE:
            if job.success is not None:
                job.success(job.result)
        elif job.error is not None and job.failure is not None:
            job.failure(job.error)
        elif job.state is JobState.FAILED:
            self.job_failed.emit(job)

    def _forget_question(self, job: Job) -> None:
        for key, asked in list(self._questions.items()):
            if asked is job:
                del self._questions[key]

    def _flush(self) -> None:
        with self._dirty_lock:
            dirty, self._dirty = self._dirty, set()
        for job in sorted(dirty, key=lambda item: item.number):
            self.job_changed.emit(job)


def _ignore(_error: DockDeskError) -> None:
    """The failure of a job whose answer is out of date."""
