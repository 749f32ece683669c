"""Functions called in processes of their own, whose interpreters are not the window's.

A thread that works in Python, or in C without letting go of the interpreter, takes frames from the window; a process
does not. What takes more than a second of CPU is called there: a log that is saved, a build context that is looked
through. What it needs travels as pickles, so it pays for work, not for data that is only looked at.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dockdesk
from dockdesk.bridge import helper_main as far
from dockdesk.bridge.call import Call
from dockdesk.core.errors import CancelledError, LocalError
from dockdesk.core.work import Work

if TYPE_CHECKING:
    import subprocess

_log = logging.getLogger(__name__)

# Whose functions may be called there: none of these import Qt.
ALLOWED = (
    "dockdesk.backends",
    "dockdesk.core",
    "dockdesk.dockerfile",
    "dockdesk.runspec",
    "dockdesk.scaling",
    "dockdesk.wire",
)
_START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from dockdesk.bridge.helper_main import main; main(sys.argv[2:])"
)
_GRACE_S = 1.0  # for half-written files to be removed


class Helpers:
    """Helper processes, started when they are needed, kept while there may be more to do, ended by `rest` or `close`.

    At most ``limit`` work at once; further calls wait. Thread-safe; not for the GUI thread.
    """

    def __init__(self, limit: int = 0, allowed: Sequence[str] = ALLOWED) -> None:
        """``limit`` 0: one fewer than there are processors, so that one is left for the window."""
        self._limit = limit or max(1, min(4, (os.cpu_count() or 1) - 1))
        self._allowed = tuple(allowed)
        self._turn = threading.Condition()
        self._idle: list[_Helper] = []
        self._busy: set[_Helper] = set()
        self._taken = 0
        self._closed = False

    def call(self, call: Call, work: Work) -> Any:
        """The result of ``call``, whose reports reach ``work``. Blocks.

        Raises what the function raised of DockDeskError; CancelledError soon after ``work`` was cancelled; LocalError
        if the process came to its end before; RuntimeError for everything unforeseen.
        """
        with self._place(work):
            helper = self._helper()
            if helper is None:
                return call(work)  # slower for the window, but done
            try:
                with work.on_cancel(helper.cancel):
                    return helper.run(call, work)
            finally:
                self._put_back(helper)

    @property
    def alive(self) -> int:
        """How many processes there are."""
        with self._turn:
            return sum(helper.alive for helper in (*self._idle, *self._busy))

    def rest(self) -> None:
        """End those that have nothing to do. Blocks for a moment."""
        with self._turn:
            idle, self._idle = self._idle, []
        for helper in idle:
            helper.end()

    def close(self) -> None:
        """End all, whatever they do, and call nothing any more. Blocks for a moment."""
        with self._turn:
            self._closed = True
            helpers = [*self._idle, *self._busy]
            self._idle = []
            self._turn.notify_all()
        for helper in helpers:
            helper.cancel()
        for helper in helpers:
            helper.end()

    @contextmanager
    def _place(self, work: Work) -> Iterator[None]:
        """A turn among those who want a helper."""
        with work.on_cancel(self._wake), self._turn:
            while self._taken >= self._limit and not self._closed:
                work.check()
                self._turn.wait()
            work.check()
            if self._closed:
                raise CancelledError
            self._taken += 1
        try:
            yield
        finally:
            with self._turn:
                self._taken -= 1
                self._turn.notify()

    def _wake(self) -> None:
        with self._turn:
            self._turn.notify_all()

    def _helper(self) -> _Helper | None:
        """One that lives, started if need be; None if the system lets none start."""
        with self._turn:
            while self._idle:
                helper = self._idle.pop()
                if helper.alive:
                    self._busy.add(helper)
                    return helper
        try:
            helper = _Helper(self._allowed)
        except OSError:
            _log.warning("no helper process can be started", exc_info=True)
            return None
        with self._turn:
            self._busy.add(helper)
        return helper

    def _put_back(self, helper: _Helper) -> None:
        with self._turn:
            self._busy.discard(helper)
            keep = helper.ready and not helper.cancelled and not self._closed
            if keep:
                self._idle.append(helper)
        if not keep:
            helper.end()


class _Helper:
    """One process. Raises OSError if it can't be started."""

    def __init__(self, allowed: Sequence[str]) -> None:
        import subprocess  # most sessions need no helper

        self.cancelled = False
        self.ready = True  # for a call
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._process: subprocess.Popen[bytes] = subprocess.Popen(
            [*_program(), *allowed], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, call: Call, work: Work) -> Any:
        items = iter(call.items()) if call.items is not None else None
        self.ready = False
        try:
            self._send(
                far.CALL,
                call.function.__module__,
                call.function.__qualname__,
                call.arguments,
                items is not None,
            )
            while True:
                kind, *rest = self._receive()
                if kind == far.NEXT:
                    self._feed(items)
                elif kind in far.ANSWERS:
                    self.ready = True
                    return _answered(kind, rest)
                else:
                    _report(work, kind, rest)
        except (EOFError, OSError) as error:
            if self.cancelled:
                raise CancelledError from None
            code = self._ended()
            raise LocalError(
                "The work was broken off",
                f"The process that did it came to an unexpected end (exit code {code}).",
                "Try again; the system may have been short of memory.",
            ) from error

    def cancel(self) -> None:
        """End it, whatever it does. Any thread; returns at once."""
        self.cancelled = True
        self._process.terminate()
        # It hears of that between two steps of Python; a single one may take long.
        self._timer = threading.Timer(_GRACE_S, self._process.kill)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """End it and wait until it has; it gets a moment to clean up. Any thread."""
        with self._lock:
            self._process.terminate()
            self._ended()
            if self._timer is not None:
                self._timer.cancel()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _ended(self) -> int:
        import subprocess

        try:
            return self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _feed(self, items: Iterator[Any] | None) -> None:
        for item in items or ():
            self._send(far.ITEM, item)
            return
        self._send(far.END)

    def _send(self, *message: Any) -> None:
        assert self._process.stdin is not None
        far.send(self._process.stdin, far.packed(*message))

    def _receive(self) -> tuple[Any, ...]:
        assert self._process.stdout is not None
        return far.receive(self._process.stdout)


def _answered(kind: str, rest: Sequence[Any]) -> Any:
    if kind == far.ERROR:
        raise rest[0]
    if kind == far.BROKEN:
        _log.error("a helper's function failed:\n%s", rest[1])
        raise RuntimeError(rest[0])
    return rest[0]


def _report(work: Work, kind: str, rest: Sequence[Any]) -> None:
    if kind == far.PROGRESS:
        work.progress(*rest)
    elif kind == far.PART:
        work.part(*rest)
    elif kind == far.LOG:
        work.log(*rest)


def _program() -> Sequence[str]:
    """What makes the interpreter, or in a package the program itself, a helper."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "helper"]
    # Not -m: that would look for modules in the current folder first, whatever lies there.
    return [sys.executable, "-P", "-c", _START, str(Path(dockdesk.__file__).parents[1])]
