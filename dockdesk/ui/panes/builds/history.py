"""All builds that the pane lists: those of this window, those of the archive, and those the engine tells of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.builds import ARCHIVE_LANE
from dockdesk.core.builds.records import BuildRecord, project_of
from dockdesk.core.builds.trend import durations
from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import PastBuild
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.builds.rows import (
    BuildRow,
    from_elsewhere,
    key_of,
    row_of,
    row_of_run,
)

if TYPE_CHECKING:
    from dockdesk.bridge.build_run import BuildRun
    from dockdesk.core.ports import KeepsBuilds

LISTED = 2_000  # builds; older ones of the archive are not read
_FIRST = 60  # that are read before the rest
_PIECE = 100  # read in one question, so that a build that ends just now need not wait to be kept
_SHOWN_DURATIONS = 60
_TICK_MS = 1_000


@dataclass(frozen=True, slots=True)
class Listing:
    """What was read of the archive: rows by key, and the records of each project, newest first."""

    rows: Mapping[str, BuildRow]
    projects: Mapping[str, Sequence[BuildRecord]]


def read_listing(archive: KeepsBuilds, count: int, work: Work) -> Listing:
    """The newest ``count`` builds; on a worker, since thousands of them take a while to be made."""
    projects: dict[str, list[BuildRecord]] = {}
    for skip in range(0, count, _PIECE):
        work.check()
        records = archive.newest(limit=min(_PIECE, count - skip), skip=skip)
        for record in records:
            projects.setdefault(record.project, []).append(record)
        if not records:
            break
    rows: dict[str, BuildRow] = {}
    for found in projects.values():
        seconds = [record.seconds for record in found if record.outcome == "ok"][::-1]
        until = len(seconds)
        for record in found:
            before = tuple(seconds[max(0, until - _SHOWN_DURATIONS) : until])
            rows[key_of(record.id)] = row_of(record, before)
            until -= record.outcome == "ok"
    return Listing(rows, projects)


class BuildHistory(QObject):
    """``changed`` gives rows that are new or differ, and keys of those that are gone; ``failed`` why nothing is read.

    ``loaded`` is False until the archive has answered; ``keeps`` whether the engine told of builds itself, None while
    that isn't known: engines without a history of their own tell of none.
    """

    changed = Signal(object, object)
    failed = Signal(object)
    elsewhere_changed = Signal()

    def __init__(self, context: UiContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._projects: dict[str, list[BuildRecord]] = {}  # newest first
        self._rows: dict[str, BuildRow] = {}
        self._elsewhere: dict[str, BuildRow] = {}
        self._past: list[PastBuild] = []
        self._reading = False
        self.loaded = False
        self.keeps: bool | None = None
        builds = context.builds
        builds.opened.connect(self.read)
        builds.started.connect(self._on_started)
        builds.ended.connect(self._on_run_changed)
        builds.recorded.connect(self._on_recorded)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)

    # What is there.

    def rows(self) -> list[BuildRow]:
        return [*self._rows.values(), *self._elsewhere.values()]

    def of_project(self, project: str) -> Sequence[BuildRecord]:
        """The builds of a project that are over, newest first."""
        return self._projects.get(project, ())

    def before(self, row: BuildRow) -> BuildRecord | None:
        """The build of the same project before this one; one that was stopped says little, so it is passed over."""
        return next(
            (
                record
                for record in self.of_project(row.project)
                if record.at < row.at and record.outcome != "cancelled"
            ),
            None,
        )

    def key_of(self, id: int) -> str:
        """The key of the row of a record."""
        return next(
            (
                row.key
                for row in self._rows.values()
                if row.record is not None and row.record.id == id
            ),
            "",
        )

    def elsewhere(self) -> int:
        """How many builds the engine tells of that are not of DockDesk."""
        return len(self._elsewhere)

    # Reading.

    def read(self) -> None:
        """Read the archive anew: the newest first, so that they are seen at once, then all."""
        archive = self._context.builds.archive
        if archive is not None and not self._reading:
            self._reading = True
            self._ask(archive, _FIRST, lambda: self._ask(archive, LISTED, self._on_read))

    def _ask(self, archive: KeepsBuilds, count: int, done: Callable[[], None]) -> None:
        def take(read: Listing) -> None:
            self._take(read, whole=count == LISTED)
            done()

        def failed(error: DockDeskError) -> None:
            self._reading = False
            self.failed.emit(error)

        self._context.jobs.submit(
            self,
            lambda work: read_listing(archive, count, work),
            take,
            failed,
            lane=ARCHIVE_LANE,
            question="builds",
        )

    def _on_read(self) -> None:
        self._reading = False

    def read_elsewhere(self) -> None:
        """Ask the engine what it knows of builds."""
        session = self._context.session
        backend, environment = session.backend, session.environment
        if backend is None or environment is None:
            self._take_past([], None)
            return

        def failed(_error: object) -> None:
            # Many engines have no such history; what went wrong with one that has is told by its other lists.
            self._take_past([], None)

        self._context.jobs.submit(
            self,
            lambda _work: backend.past_builds(LISTED),
            lambda past: self._take_past(past, bool(past)),
            failed,
            lane=environment.id,
            question="past builds",
        )

    def watch(self, on: bool) -> None:
        """Whether the rows of running builds are kept up to date."""
        if on:
            self._on_tick()
            self._timer.start()
        else:
            self._timer.stop()

    def forget(self, rows: Iterable[BuildRow]) -> None:
        """Take rows out that the archive no longer has."""
        gone = {row.record.id: row.key for row in rows if row.record is not None}
        for project, records in self._projects.items():
            self._projects[project] = [each for each in records if each.id not in gone]
        for key in gone.values():
            self._rows.pop(key, None)
        self.changed.emit([], list(gone.values()))

    # How it comes about.

    def _take(self, read: Listing, whole: bool) -> None:
        new = dict(read.rows)
        for run in self._context.builds.runs:
            if run.record is not None:
                new.pop(key_of(run.record.id), None)
        self._projects = {project: list(found) for project, found in read.projects.items()}
        for run in self._context.builds.runs:
            self._note(run)
            row = row_of_run(run, self._durations(run))
            new[row.key] = row
        gone = self._rows.keys() - new.keys() if whole else set()
        before, self._rows = self._rows, new if whole else {**self._rows, **new}
        differ = [row for key, row in new.items() if before.get(key) != row]
        self.loaded = True
        self.changed.emit(differ, list(gone))
        self._match_past()

    def _note(self, run: BuildRun) -> None:
        """A build that was recorded while the archive was read may not be in what was read."""
        record = run.record
        if record is not None and record.id:
            known = self._projects.setdefault(record.project, [])
            if not any(each.id == record.id for each in known):
                known.append(record)
                known.sort(key=lambda each: (each.at, each.id), reverse=True)

    def _durations(self, run: BuildRun) -> tuple[float, ...]:
        return durations(self.of_project(project_of(run.spec)), run.at, _SHOWN_DURATIONS)

    def _put(self, run: BuildRun) -> None:
        row = row_of_run(run, self._durations(run))
        if self._rows.get(row.key) != row:
            self._rows[row.key] = row
            self.changed.emit([row], [])

    def _on_started(self, run: BuildRun) -> None:
        self._put(run)

    def _on_run_changed(self, run: BuildRun) -> None:
        self._put(run)

    def _on_tick(self) -> None:
        for run in self._context.builds.running():
            self._put(run)

    def _on_recorded(self, record: BuildRecord) -> None:
        run = next((run for run in self._context.builds.runs if run.record is record), None)
        if run is not None:
            self._note(run)
            self._put(run)
            self._match_past()

    def _take_past(self, past: Sequence[PastBuild], keeps: bool | None) -> None:
        self._past, self.keeps = list(past), keeps
        self._match_past()
        self.elsewhere_changed.emit()

    def _match_past(self) -> None:
        """What the engine tells of our own builds is no news."""
        new = {row.key: row for row in from_elsewhere(self._past, list(self._rows.values()))}
        gone = self._elsewhere.keys() - new.keys()
        differ = [row for key, row in new.items() if self._elsewhere.get(key) != row]
        self._elsewhere = new
        if differ or gone:
            self.changed.emit([replace(row) for row in differ], list(gone))
