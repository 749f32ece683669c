"""What a tab shows of a build, fetched off the GUI thread: from the build itself, the archive, or the engine."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.builds import ARCHIVE_LANE
from dockdesk.core.builds.progress import BuildProgress
from dockdesk.core.builds.records import StepRecord
from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.builds.history import BuildHistory
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class BuildContent:
    """A build's steps, and what they wrote by digest. ``kept`` is False where logs are not kept any more."""

    steps: tuple[StepRecord, ...]
    logs: Mapping[str, bytes]
    kept: bool = True


def content_of(context: UiContext, row: BuildRow) -> tuple[str, Callable[[Work], BuildContent]]:
    """The lane and the work that gets a build's content. Call it on the GUI thread, the work on a worker."""
    run, record, past = row.run, row.record, row.past
    if run is not None:
        steps = tuple(run.record.steps if run.record is not None else run.steps())
        logs = {digest: bytes(step.log) for digest, step in run.progress.steps.items() if step.log}
        content = BuildContent(steps, logs)
        return ARCHIVE_LANE, lambda _work: content
    archive = context.builds.archive
    if record is not None and archive is not None:

        def read(_work: Work) -> BuildContent:
            logs = archive.logs(record.id)
            return BuildContent(record.steps, logs, bool(logs))

        return ARCHIVE_LANE, read
    backend, environment = context.session.backend, context.session.environment

    def replay(work: Work) -> BuildContent:
        if backend is None or past is None:
            raise DockDeskError(
                "The build can't be read",
                "The engine that knows it does not answer.",
                "Connect to it.",
            )
        return replayed(backend, past.ref, work)

    return environment.id if environment is not None else "", replay


def replayed(backend: Any, ref: str, work: Work) -> BuildContent:
    """What the engine's own history tells of a build."""
    progress = BuildProgress()
    backend.past_build(ref, progress.apply, work)
    begun = progress.started or 0.0
    steps = tuple(
        StepRecord(
            each.step.name,
            each.step.digest,
            max(0.0, (each.step.started or begun) - begun),
            each.seconds(progress.ended or begun),
            each.step.cached,
            each.step.error,
            each.moved()[0],
            each.step.inputs,
            reached=each.state != "waiting",
        )
        for each in progress.in_order()
    )
    logs = {digest: bytes(step.log) for digest, step in progress.steps.items() if step.log}
    return BuildContent(steps, logs)


class ContentView(DetailView[BuildRow], Generic[D]):
    """A tab that fetches ``D`` for the build in front while it is looked at, and again when `stamp` changes."""

    def __init__(
        self, context: UiContext, history: BuildHistory, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, parent)
        self.history = history
        self.rows: tuple[BuildRow, ...] = ()
        self._asked: Any = None
        self._shown: Any = None
        self._loading = LoadingState(context.theme, "Reading the build…")
        self.message = EmptyState(context.theme)
        self.content = self.make_content()
        self._pages = QStackedWidget(self)
        for page in (self._loading, self.message, self.content):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)

    @abstractmethod
    def make_content(self) -> QWidget:
        """The widget that shows what was fetched."""

    @abstractmethod
    def work(self, row: BuildRow) -> tuple[str, Callable[[Work], D]] | None:
        """The lane and the work to be done; None where there is nothing to be shown, and `say` has said so."""

    @abstractmethod
    def present(self, row: BuildRow, data: D) -> None:
        """Show what was fetched, or `say` that there is nothing."""

    def stamp(self, row: BuildRow) -> Any:
        """What must differ for another fetch."""
        return row.key, row.outcome, row.record is not None and row.record.id

    @property
    def row(self) -> BuildRow | None:
        return self.rows[0] if self.rows else None

    @property
    def ready(self) -> bool:
        """Whether the content is shown, and no message in its place."""
        return self._pages.currentWidget() is self.content

    def set_rows(self, rows: Sequence[BuildRow]) -> None:
        self.rows = tuple(rows)
        if self.isVisible():
            self._update()

    def shown(self) -> None:
        self._update()

    def refresh(self) -> None:
        """Fetch again."""
        self._asked = self._shown = None
        if self.isVisible():
            self._update()

    def say(self, title: str, text: str = "", icon: str = "inbox") -> None:
        """Show a message in place of the content."""
        self.message.show_message(icon, title, text)
        self._pages.setCurrentWidget(self.message)

    def _update(self) -> None:
        row = self.row
        if row is None:
            return
        stamp = self.stamp(row)
        if stamp in (self._asked, self._shown):
            return
        asked = self.work(row)
        self._asked = stamp
        if asked is None:
            self._shown = stamp
            return
        lane, function = asked
        if self._shown is None or self._shown[0] != row.key:
            self._pages.setCurrentWidget(self._loading)
        self.context.jobs.submit(
            self,
            function,
            lambda data: self._on_fetched(row, stamp, data),
            lambda error: self._on_failed(stamp, error),
            lane=lane,
            question="content",
        )

    def _on_fetched(self, row: BuildRow, stamp: Any, data: D) -> None:
        self._asked = None
        if self.row is not None and self.stamp(self.row) == stamp:
            self._shown = stamp
            self._pages.setCurrentWidget(self.content)
            self.present(row, data)
        elif self.isVisible():
            self._update()

    def _on_failed(self, stamp: Any, error: DockDeskError) -> None:
        self._asked = None
        if self.row is not None and self.stamp(self.row) == stamp:
            self._shown = stamp
            self.message.show_error(error, [StateButton("Try again", self.refresh)])
            self._pages.setCurrentWidget(self.message)
        elif self.isVisible():
            self._update()
