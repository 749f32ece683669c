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
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, SignalInstance

from dockdesk.bridge.call import Call
from dockdesk.bridge.job import LOG_LINES, Job, JobState
from dockdesk.bridge.lanes import Bounds, Lanes
from dockdesk.bridge.workers import Workers
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.work import Work

if TYPE_CHECKING:
    from dockdesk.bridge.helper_process import Helpers

__all__ = ["HISTORY", "LOG_LINES", "Job", "JobState", "Jobs"]

_log = logging.getLogger(__name__)

HISTORY = 200
_FLUSH_MS = 33
_HELPERS_KEPT_MS = 30_000


class Jobs(QObject):
    """Runs jobs. Lives on the GUI thread; every callback and signal arrives there."""

    job_changed = Signal(object)
    job_failed = Signal(object)  # a failure that no caller handles: becomes a notice
    _worker_ended = Signal(object)
    _cancel_asked = Signal(object)
    _marked = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        threads: int = 32,
        long_threads: int = 16,
        lane_reads: int = 4,
        lane_writes: int = 8,
    ) -> None:
        """The bounds hold for all lanes (``threads``: reads and writes; ``long_threads``) and for each of them.

        ``threads`` is far above what a few lanes may use, so that stuck ones leave room for the others.
        """
        super().__init__(parent)
        bounds = Bounds(
            lane_reads, lane_writes, max(1, long_threads * 3 // 4), threads, long_threads
        )
        self._lanes: Lanes[Job] = Lanes(bounds)
        self._workers = Workers("dockdesk-job")
        self._helpers: Helpers | None = None
        self._questions: dict[tuple[int, str], Job] = {}
        self._live: dict[int, Job] = {}
        self._past: deque[Job] = deque(maxlen=HISTORY)
        self._dirty: set[Job] = set()
        self._dirty_lock = threading.Lock()
        self._count = 0
        self._closed = False
        self._gui_thread = threading.get_ident()
        self._flush_timer = QTimer(self)
        self._flush_timer.setSingleShot(True)
        self._flush_timer.setInterval(_FLUSH_MS)
        self._flush_timer.timeout.connect(self._flush)
        self._rest_timer = QTimer(self)
        self._rest_timer.setSingleShot(True)
        self._rest_timer.setInterval(_HELPERS_KEPT_MS)
        self._rest_timer.timeout.connect(self._let_helpers_rest)
        queued = Qt.ConnectionType.QueuedConnection
        self._worker_ended.connect(self._on_worker_ended, queued)
        self._cancel_asked.connect(self._on_cancel_asked, queued)
        self._marked.connect(self._on_marked, queued)

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
        vital: bool = False,
        process: bool = False,
    ) -> Job:
        """Run ``function`` off the GUI thread.

        Its callbacks are dropped when ``owner`` is gone, or when the owner has asked the same ``question`` again; work
        that only answers somebody (neither ``order`` nor ``title``) isn't even begun then. Jobs with an equal ``order``
        run one after the other. A ``title`` makes the job visible in the activity drawer. Without ``failure`` a failure
        becomes a notice. When cancelled while it runs, ``failure`` gets a CancelledError; when cancelled before it
        began, nothing is called. ``vital`` work (an audit line, the end of a connection) is not cancelled by `close`.

        ``process``: more than a second of CPU; ``function`` is a Call and runs in a helper process. See there.
        """
        if process and not isinstance(function, Call):
            raise TypeError("only a Call can run in another process")
        if process and self._helpers is None:
            from dockdesk.bridge.helper_process import Helpers  # most sessions need none

            self._helpers = Helpers()
        self._count += 1
        job = Job(self, self._count, function, title, retryable)
        job.lane, job.order, job.long, job.vital = lane, order, long, vital
        job.process = process
        job.owner = weakref.ref(owner) if owner is not None else None
        job.success, job.failure = success, failure
        if self._closed:
            job.state = JobState.CANCELLED
            return job
        if question and owner is not None:
            self._ask(job, owner, question)
        self._lanes.add(job)
        if title:
            self._live[job.number] = job
            self.mark(job)
        self._start_ready()
        return job

    def retry(self, job: Job) -> Job:
        """Run the same work again, as a new job. Raises ValueError for one that is not over or not ``retryable``."""
        if not job.retryable or not job.state.over:
            raise ValueError("only a retryable job that is over can be run again")
        owner = job.owner() if job.owner is not None else None
        # Whom it would tell may be gone; the work itself can still be wanted.
        told = not job.orphaned
        return self.submit(
            owner if told else None,
            job.function,
            job.success if told else None,
            job.failure if told else None,
            lane=job.lane,
            order=job.order,
            question=job.question,
            title=job.title,
            long=job.long,
            retryable=job.retryable,
            vital=job.vital,
            process=job.process,
        )

    def visible(self) -> list[Job]:
        """Jobs with a title, newest first: all that wait or run, and the last ones that ended."""
        return sorted([*self._live.values(), *self._past], key=lambda job: -job.number)

    def lists(self, job: Job) -> bool:
        """Whether `visible` returns this job."""
        return job.number in self._live or job in self._past

    def forget_ended(self) -> None:
        """Clear ended jobs from what `visible` returns."""
        self._past.clear()

    def busy(self) -> bool:
        return self._lanes.busy

    def close(self, timeout_ms: int = 3000) -> bool:
        """Cancel everything and wait; False if a thread would not end in time.

        Vital work is done, within the same time; no callback is called any more.
        """
        until = time.monotonic() + timeout_ms / 1000
        self._closed = True  # from here on nothing is started or delivered
        running = self._lanes.running
        waiting = self._lanes.waiting
        for job in [*waiting, *running]:
            if not job.vital:
                job.cancel()
        self._flush_timer.stop()
        self._rest_timer.stop()
        vital = [job for job in waiting if job.vital]
        self._finish_vital(running, vital, timeout_ms / 1000)
        ended = self._workers.close(max(0.0, until - time.monotonic()))
        if self._helpers is not None:
            self._helpers.close()
        for job in [*running, *vital]:
            if job.wait(0):
                self._lanes.drop(job)
                self._lanes.finish(job)
                job.settle()
                job.release()
        self._questions.clear()
        return ended

    def _finish_vital(self, running: list[Job], vital: list[Job], timeout: float) -> None:
        """Run what must still be done: side by side, but in order where there is one."""
        before = {job.order: job for job in running if job.order}
        lines: dict[str, list[Job]] = {}
        for job in vital:
            lines.setdefault(job.order or f"\0{job.number}", []).append(job)

        def run(first: Job | None, line: list[Job]) -> None:
            if first is None or first.wait(timeout):
                for job in line:
                    job.run()

        for order, line in lines.items():
            first = before.get(order)
            self._workers.start(lambda first=first, line=line: run(first, line))  # type: ignore[misc]

    # Called from any thread.

    def perform(self, job: Job) -> Any:
        """Call the job's function, here or in a helper. Worker's thread; raises what it raises."""
        if job.process:
            assert self._helpers is not None
            assert isinstance(job.function, Call)
            return self._helpers.call(job.function, job)
        return job.function(job)

    def mark(self, job: Job) -> None:
        """Note that ``job`` has news; the GUI thread tells of it at most 30 times a second."""
        if not job.title or self._closed:
            return
        with self._dirty_lock:
            first = not self._dirty
            self._dirty.add(job)
        if first:
            _emit(self._marked)

    def cancel_asked(self, job: Job) -> None:
        """Drop a job that still waits."""
        if threading.get_ident() == self._gui_thread:
            self._on_cancel_asked(job)
        elif not self._closed:
            _emit(self._cancel_asked, job)

    # GUI thread.

    def _on_cancel_asked(self, job: Job) -> None:
        if self._lanes.drop(job):
            job.error = CancelledError()
            job.settle()
            self._put_away(job)
            self._start_ready()
        else:
            self.mark(job)

    def _ask(self, job: Job, owner: QObject, question: str) -> None:
        job.question = question
        older = self._questions.get((id(owner), question))
        self._questions[id(owner), question] = job
        if older is not None:
            # Silenced first: what it says from now on answers a question nobody asks any more.
            older.success = None
            older.failure = _ignore
            older.cancel()

    def _start_ready(self) -> None:
        while not self._closed and (job := self._lanes.take()) is not None:
            if job.orphaned and not (job.order or job.title or job.vital):
                self._lanes.finish(job)
                job.error = CancelledError()
                job.settle()
                self._put_away(job)
                continue
            job.state = JobState.RUNNING
            job.started = time.time()
            self.mark(job)
            self._workers.start(lambda job=job: self._work(job))  # type: ignore[misc]

    def _work(self, job: Job) -> None:
        job.run()
        if not self._closed:
            _emit(self._worker_ended, job)

    def _on_worker_ended(self, job: Job) -> None:
        if self._closed:
            return
        self._lanes.finish(job)
        if job.process:
            self._rest_timer.start()
        job.settle()
        result, success, failure = job.result, job.success, job.failure
        self._put_away(job)
        self._start_ready()
        self._deliver(job, result, success, failure)

    def _let_helpers_rest(self) -> None:
        if self._helpers is not None:
            self._workers.start(self._helpers.rest)

    def _deliver(
        self,
        job: Job,
        result: Any,
        success: Callable[[Any], None] | None,
        failure: Callable[[DockDeskError], None] | None,
    ) -> None:
        if job.orphaned:
            # Nobody is left to handle it, but a change that failed must not go unseen.
            if job.state is JobState.FAILED and job.title:
                self.job_failed.emit(job)
            return
        if job.state is JobState.DONE:
            if success is not None:
                success(result)
        elif job.error is not None and failure is not None:
            if job.began:
                failure(job.error)
        elif job.state is JobState.FAILED:
            self.job_failed.emit(job)

    def _put_away(self, job: Job) -> None:
        """Book a job that is over as past, and keep no more of it than is shown."""
        if self._live.pop(job.number, None) is not None:
            self._past.append(job)
        if job.question:
            for key in [key for key, asked in self._questions.items() if asked is job]:
                del self._questions[key]
        self.mark(job)
        job.release()

    def _on_marked(self) -> None:
        if not self._closed:
            self._flush_timer.start()

    def _flush(self) -> None:
        with self._dirty_lock:
            dirty, self._dirty = self._dirty, set()
        for job in sorted(dirty, key=lambda item: item.number):
            self.job_changed.emit(job)


def _emit(signal: SignalInstance, *arguments: object) -> None:
    """Emit from a worker, which may outlive the object: then there is nobody left to tell."""
    try:
        signal.emit(*arguments)
    except RuntimeError as error:
        _log.debug("a worker outlived its program: %s", error)


def _ignore(_error: DockDeskError) -> None:
    """The failure of a job whose answer is out of date."""
