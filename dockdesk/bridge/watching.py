"""Tells when what a build depends on has changed: each burst of changes once, and nothing that is ignored.

The system's own notifications are used where it has them (through watchfiles); a folder that is left out isn't watched,
however large it is.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import CancelledError, DockDeskError, LocalError
from dockdesk.dockerfile.watched import Relevant, Watched, watched

_log = logging.getLogger(__name__)

DEBOUNCE_MS = 500
_LONGEST_BURST_S = 5.0  # a program that writes without a pause isn't waited for any longer
_STEP_MS, _GROUP_MS = 50, 200
_WAKE_MS = 250  # how long an ended watch may take to hear of it
_JOIN_S = 5.0
_LIMIT_HINT = (
    "Leave large folders out with .dockerignore, or raise fs.inotify.max_user_watches "
    "(sudo sysctl fs.inotify.max_user_watches=524288)."
)


class ContextWatcher(QObject):
    """Watches one context at a time, on a thread of its own.

    ``started`` tells that changes from now on are seen; ``changed`` carries the paths of one burst, once it has rested
    for `DEBOUNCE_MS`; ``failed`` why nothing is watched any more. All arrive on the GUI thread.
    """

    started = Signal()
    changed = Signal(object)
    failed = Signal(object)
    _told = Signal(int, object)
    _broke = Signal(int, object)
    _ready = Signal(int)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._number = 0
        self._thread: _Thread | None = None
        self._context: Path | None = None
        self._dockerfile: Path | None = None
        self._outputs: frozenset[str] = frozenset()
        self._burst: set[str] = set()
        self._burst_began = 0.0
        self._held = False  # until the folders are watched that the burst made
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._on_rested)
        queued = Qt.ConnectionType.QueuedConnection
        self._told.connect(self._on_told, queued)
        self._broke.connect(self._on_broke, queued)
        self._ready.connect(self._on_ready, queued)
        self.destroyed.connect(_Farewell(self))

    @property
    def active(self) -> bool:
        return self._context is not None

    def start(self, context: Path, dockerfile: Path, outputs: Sequence[str] = ()) -> None:
        """Watch a context; ``outputs`` are paths that the build writes itself."""
        self.stop()
        self._context, self._dockerfile = context, dockerfile
        self._outputs = frozenset(os.path.abspath(path) for path in outputs)
        self._look()

    def stop(self) -> None:
        """Watch nothing. Returns at once; the thread ends within a moment."""
        self._context = self._dockerfile = None
        self._burst.clear()
        self._held = False
        self._timer.stop()
        self._number += 1
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    def close(self) -> None:
        """Watch nothing, and wait for the thread's end."""
        thread = self._thread
        self.stop()
        if thread is not None:
            thread.join(_JOIN_S)

    def _look(self) -> None:
        """Find out which folders count now, and watch these."""
        if self._context is None or self._dockerfile is None:
            return
        self._jobs.submit(
            self,
            Call(watched, (self._context, self._dockerfile)),
            self._on_found,
            self._on_not_found,
            lane="context",
            question="watched",
            process=True,
        )

    def _on_found(self, what: Watched) -> None:
        if self._context is None:
            return
        if self._thread is not None:
            self._thread.end()
        self._number += 1
        self._thread = _Thread(self._number, what, Relevant(what, self._outputs), self)
        self._thread.start()

    def _on_not_found(self, error: DockDeskError) -> None:
        if not isinstance(error, CancelledError) and self._context is not None:
            self.stop()
            self.failed.emit(error)

    def _on_ready(self, number: int) -> None:
        if number != self._number:
            return
        self.started.emit()
        if self._held:
            self._held = False
            self._timer.start()

    def _on_told(self, number: int, told: _Told) -> None:
        if number != self._number or self._context is None:
            return
        if not self._burst:
            self._burst_began = time.monotonic()
        self._burst |= told.paths
        if told.others:
            # What happens in new folders is seen only once these are watched, too.
            self._held = True
            self._look()
        if time.monotonic() - self._burst_began < _LONGEST_BURST_S or not self._timer.isActive():
            self._timer.start()

    def _on_rested(self) -> None:
        if self._burst and not self._held:
            paths, self._burst = frozenset(self._burst), set()
            self.changed.emit(paths)

    def _on_broke(self, number: int, error: DockDeskError) -> None:
        if number == self._number and self._context is not None:
            self.stop()
            self.failed.emit(error)

    # From the thread.

    def ready(self, number: int) -> None:
        self._emit(self._ready.emit, number)

    def tell(self, number: int, told: _Told) -> None:
        self._emit(self._told.emit, number, told)

    def broke(self, number: int, error: DockDeskError) -> None:
        self._emit(self._broke.emit, number, error)

    @staticmethod
    def _emit(emit: object, *arguments: object) -> None:
        try:
            emit(*arguments)  # type: ignore[operator]
        except RuntimeError as error:
            _log.debug("a watch outlived its owner: %s", error)


class _Told:
    """One burst: the paths that count, and whether other folders are to be watched from now on."""

    def __init__(self, paths: frozenset[str], others: bool) -> None:
        self.paths = paths
        self.others = others


class _Farewell:
    """Ends the thread of a watcher that is destroyed; keeps nothing of it alive."""

    def __init__(self, watcher: ContextWatcher) -> None:
        self._namespace = watcher.__dict__

    def __call__(self) -> None:
        thread = self._namespace.get("_thread")
        if thread is not None:
            thread.end()


class _Thread(threading.Thread):
    def __init__(
        self, number: int, what: Watched, relevant: Relevant, owner: ContextWatcher
    ) -> None:
        super().__init__(name="dockdesk-watch", daemon=True)
        self._number = number
        self._what = what
        self._relevant = relevant
        self._owner = owner
        self._over = threading.Event()

    def end(self) -> None:
        self._over.set()

    def run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # noqa: BLE001 - Rust's errors have many types; each is told
            if not self._over.is_set():
                _log.debug("the watch ended", exc_info=True)
                self._owner.broke(self._number, _words(error))

    def _watch(self) -> None:
        from watchfiles import watch  # needed by those alone who watch

        told = False
        for found in watch(
            *self._what.folders,
            watch_filter=None,
            debounce=_GROUP_MS,
            step=_STEP_MS,
            stop_event=self._over,
            rust_timeout=_WAKE_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
            ignore_permission_denied=True,
        ):
            if not told:
                told = True
                self._owner.ready(self._number)
            if found:
                self._handle({(int(kind), path) for kind, path in found})

    def _handle(self, found: set[tuple[int, str]]) -> None:
        paths = {path for _kind, path in found}
        # What was made and is gone again was some program's temporary file.
        made = {path for kind, path in found if kind == 1}
        paths = {path for path in paths if path not in made or os.path.lexists(path)}
        counted = frozenset(path for path in paths if self._relevant(path))
        if not counted:
            return
        folders = any(path in made and os.path.isdir(path) for path in counted)
        self._owner.tell(
            self._number, _Told(counted, folders or self._relevant.rules_changed(counted))
        )


def _words(error: Exception) -> DockDeskError:
    text = str(error)
    full = isinstance(error, OSError) and error.errno == 28
    if full or "max_user_watches" in text or "No space left" in text or "file watch limit" in text:
        return LocalError("The build context can't be watched", text, _LIMIT_HINT)
    return LocalError("The build context is no longer watched", text, "Turn watching on again.")
