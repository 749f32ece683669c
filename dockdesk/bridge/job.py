"""One piece of work off the GUI thread, as the worker and the activity drawer see it."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject

from dockdesk.core.errors import CancelledError, DockDeskError, LocalError
from dockdesk.core.work import Work

if TYPE_CHECKING:
    from dockdesk.bridge.jobs import Jobs

_log = logging.getLogger(__name__)

LOG_LINES = 2000
_LINE_LENGTH = 4000


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
    seconds since 1970. ``result`` of a job with a title is given to its success callback only and not kept.
    """

    def __init__(
        self, jobs: Jobs, number: int, function: Callable[[Work], Any], title: str, retryable: bool
    ) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        # Held while callbacks run: once a worker has left `on_cancel`, its callback can't be called any more, so that
        # it never shuts down a socket number that has been given to somebody else meanwhile.
        self._cancel_lock = threading.RLock()
        self._cancelled = threading.Event()
        self._cancel_callbacks: list[Callable[[], None]] = []
        self._ended = threading.Event()
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
        self.began = False  # False for good where it was cancelled before its function was called
        self.lane = ""
        self.order = ""
        self.question = ""
        self.long = False
        self.vital = False
        self.process = False
        self.owner: weakref.ref[QObject] | None = None
        self.success: Callable[[Any], None] | None = None
        self.failure: Callable[[DockDeskError], None] | None = None

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def orphaned(self) -> bool:
        """Whether it had an owner that no longer exists."""
        if self.owner is None:
            return False
        owner = self.owner()
        return owner is None or not shiboken6.isValid(owner)

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
            self.lines.append(line[:_LINE_LENGTH])
        self._jobs.mark(self)

    def lines_now(self) -> list[str]:
        with self._lock:
            return list(self.lines)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        with self._cancel_lock:
            self._cancel_callbacks.append(callback)
            if self._cancelled.is_set():
                self._call(callback)
        try:
            yield
        finally:
            with self._cancel_lock:
                self._cancel_callbacks.remove(callback)

    def cancel(self) -> None:
        """Ask it to stop. A queued job never starts; a running one stops where it checks or waits. Any thread."""
        with self._cancel_lock:
            if self._cancelled.is_set():
                return
            self._cancelled.set()
            for callback in list(self._cancel_callbacks):
                self._call(callback)
        self._jobs.cancel_asked(self)

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:  # noqa: BLE001 - the others must still be called, and it must still be dropped
            _log.exception("what should end a wait of job %s failed", self.title or self.number)

    # Called by Jobs only.

    def run(self) -> None:
        """Do the work and keep how it ended; never raises. Worker's thread."""
        try:
            self.check()
            self.began = True
            self.result = self._jobs.perform(self)
        except DockDeskError as error:
            _log.debug("job %s failed", self.title or self.number, exc_info=True)
            self.error = error
        except BaseException as error:  # noqa: BLE001 - a worker's last line of defence: every failure is shown
            _log.exception("job %s failed unexpectedly", self.title or self.number)
            self.error = LocalError(
                "Something in DockDesk went wrong",
                f"{type(error).__name__}: {error}",
                "Try again. If it happens again, please report it with the log.",
            )
        if self.error is not None:
            _forget_frames(self.error)
        self._ended.set()

    def wait(self, timeout: float) -> bool:
        """Whether its function has returned, after at most so many seconds."""
        return self._ended.wait(timeout)

    def settle(self) -> None:
        """Turn how the function ended into a state. GUI thread."""
        self.ended = time.time()
        if self.error is None:
            self.state = JobState.DONE
            self.fraction = 1.0
        elif self.cancelled or isinstance(self.error, CancelledError):
            # A wait that was broken off fails in its own words; what happened is that the user asked to stop.
            if not isinstance(self.error, CancelledError):
                self.error = CancelledError()
            self.state = JobState.CANCELLED
        else:
            self.state = JobState.FAILED

    def release(self) -> None:
        """Let go of all that the drawer doesn't show: a past job must not keep an image listing or a window alive."""
        if self.title:
            self.result = None
        if not self.retryable:
            self.success = self.failure = None
            self.function = _spent


def _spent(_work: Work) -> Any:
    raise LocalError("This can't be run again", "It was not made to be repeated.")


def _forget_frames(error: BaseException) -> None:
    """Cut tracebacks: their frames hold every local variable of the worker for as long as the error is kept."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        item = waiting.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        item.__traceback__ = None
        waiting += [item.__cause__, item.__context__]
