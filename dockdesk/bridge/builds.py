"""Builds of this window: each goes on whatever is shown, and is written to the history when it is over.

Views come and go while a build runs; it belongs to the program. What the builder tells is folded on the GUI thread, at
most 30 times a second, so that views read it without a lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.errors import CancelledError
from dockdesk.core.work import Work

if TYPE_CHECKING:
    from dockdesk.bridge.build_run import BuildRun
    from dockdesk.core.builds.records import BuildRecord
    from dockdesk.core.ports import KeepsBuilds
    from dockdesk.core.resources.builds import BuildSpec

ARCHIVE_LANE = "archive"
REMEMBERED = 20  # builds of this window that can still be looked at in full
_PATIENCE = 0.05  # seconds between two looks at whether a worker that waits is to stop


class _Wish:
    """A worker's wish for a BuildRun, which only the GUI thread can make."""

    def __init__(self, spec: BuildSpec, text: str, environment: str) -> None:
        self.spec, self.text, self.environment = spec, text, environment
        self.run: BuildRun | None = None
        self.answered = threading.Event()
        self.lock = threading.Lock()  # so that it isn't dropped while it is being answered
        self.dropped = False


class BuildRuns(QObject):
    """All builds of this window, newest first in ``runs``, and the history before them.

    ``opened`` tells that the history can be read; ``started`` and ``ended`` give a BuildRun; ``recorded`` its
    BuildRecord once the history has it; ``failed`` why the history does not take it.
    """

    opened = Signal()
    started = Signal(object)
    ended = Signal(object)
    recorded = Signal(object)
    failed = Signal(object)
    _wished = Signal(object)

    def __init__(self, jobs: Jobs, pulse: Pulse, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._pulse = pulse
        self._runs: deque[BuildRun] = deque()
        self._archive: KeepsBuilds | None = None
        self._count = 0
        self._wished.connect(self._on_wished, Qt.ConnectionType.QueuedConnection)

    @property
    def runs(self) -> Sequence[BuildRun]:
        return tuple(self._runs)

    @property
    def archive(self) -> KeepsBuilds | None:
        """The history, for jobs of `ARCHIVE_LANE`; None while it isn't open, or can't be."""
        return self._archive

    def set_archive(self, archive: KeepsBuilds) -> None:
        """Let the history be read and written; what ended before it was opened is kept now."""
        self._archive = archive
        for run in reversed(self._runs):
            if run.over:
                self._keep(run)
        self.opened.emit()

    def prepare(self, spec: BuildSpec, text: str, environment: str) -> BuildRun:
        """A build that is about to be given to a job, which calls its `execute`."""
        from dockdesk.bridge.build_run import (
            BuildRun,
        )  # reads Dockerfiles: not before the first list

        self._count += 1
        run = BuildRun(self._count, spec, text, environment, self._pulse, self)
        run.ended.connect(lambda run=run: self._on_ended(run))
        self._runs.appendleft(run)
        self._forget_old()
        self.started.emit(run)
        return run

    def begin(self, spec: BuildSpec, text: str, environment: str, work: Work) -> BuildRun:
        """`prepare` for the worker that builds next, so that each try of a job is a build of its own.

        Waits for the GUI thread; raises CancelledError where ``work`` is cancelled meanwhile. Where it was made by
        then, it is returned all the same: only its `execute` can end it.
        """
        wish = _Wish(spec, text, environment)
        try:
            self._wished.emit(wish)
        except RuntimeError as error:  # the window is gone
            raise CancelledError from error
        try:
            while not wish.answered.wait(_PATIENCE):
                work.check()
        except CancelledError:
            with wish.lock:
                wish.dropped = wish.run is None
            if wish.dropped:
                raise
        assert wish.run is not None
        return wish.run

    def running(self) -> Sequence[BuildRun]:
        return [run for run in self._runs if not run.over]

    def of_project(self, project: str) -> BuildRun | None:
        """The newest build of this window of a project (see `project_of`)."""
        from dockdesk.core.builds.records import project_of

        return next((run for run in self._runs if project_of(run.spec) == project), None)

    def _on_wished(self, wish: _Wish) -> None:
        with wish.lock:
            if not wish.dropped:
                wish.run = self.prepare(wish.spec, wish.text, wish.environment)
                wish.answered.set()

    def _forget_old(self) -> None:
        for run in [run for run in list(self._runs)[REMEMBERED:] if run.over]:
            self._runs.remove(run)
            run.deleteLater()

    def _on_ended(self, run: BuildRun) -> None:
        self.ended.emit(run)
        self._keep(run)

    def _keep(self, run: BuildRun) -> None:
        archive, record = self._archive, run.record
        if archive is None or record is None:
            return
        files = run.listing
        logs = {digest: bytes(step.log) for digest, step in run.progress.steps.items() if step.log}

        def keep(_work: Work) -> BuildRecord:
            return replace(record, id=archive.add(record, files or None, logs))

        def kept(stored: BuildRecord) -> None:
            run.record = stored
            self.recorded.emit(stored)

        self._jobs.submit(
            self, keep, kept, self.failed.emit, lane=ARCHIVE_LANE, order=ARCHIVE_LANE, vital=True
        )
