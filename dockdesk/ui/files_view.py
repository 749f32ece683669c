"""A detail tab with the files of what is chosen: browsed while it is looked at, changed through the action runner."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.actions import Action, Call, Danger, Values
from dockdesk.core.resources.containers import FileEntry
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.widgets.files import FileBrowser, FileSource

T = TypeVar("T")


def _given(_rows: Sequence[Any], values: Values) -> Sequence[Call]:
    """The calls are planned where the files were chosen or dropped."""
    calls: Sequence[Call] = values["calls"]
    return calls


def upload_action(kind: str) -> Action[Any]:
    """Bringing files into a ``kind`` ("container"), as the command log and a guard know it."""
    return Action(f"{kind}.upload", "Upload files", "upload", _given, Danger.CHANGES, on_rows=False)


def download_action(kind: str) -> Action[Any]:
    return Action(f"{kind}.download", "Download files", "download", _given, on_rows=False)


class BrowsingView(DetailView[T], Generic[T]):
    """Subclasses say where the files of a row are and plan what is copied in and out. ``kind`` is that of the rows."""

    kind = ""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._row: T | None = None
        self.browser = FileBrowser(context.theme, context.jobs, self)
        self.browser.upload_asked.connect(self._on_upload_asked)
        self.browser.download_asked.connect(self._on_download_asked)
        self.setFocusProxy(self.browser.view)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.addWidget(self.browser)
        context.session.state_changed.connect(self._on_state_changed)

    @abstractmethod
    def source(self, engine: Any, row: T, lane: str) -> FileSource:
        """The row's files on this engine; ``lane`` is the environment's id, unique together with the row's."""

    @abstractmethod
    def upload(self, row: T, sources: Sequence[Path], folder: str) -> Call:
        """Copy local files into a folder."""

    @abstractmethod
    def download(self, row: T, entry: FileEntry, folder: Path) -> Call:
        """Copy a file or folder into a local folder."""

    def set_rows(self, rows: Sequence[T]) -> None:
        self._row = rows[0] if rows else None
        if self.isVisible():
            self._update()

    def shown(self) -> None:
        self._update()

    def focus_filter(self) -> bool:
        self.browser.focus_filter()
        return True

    def _on_state_changed(self, _state: object) -> None:
        if self.isVisible():
            self._update()

    def _update(self) -> None:
        session, row = self.context.session, self._row
        engine, environment = session.backend, session.environment
        if row is None or engine is None or environment is None:
            return
        self.browser.set_source(self.source(engine, row, environment.id))
        reason = environment.refusal(Danger.CHANGES)
        self.browser.set_may_upload(reason is None, reason or "")

    def _on_upload_asked(self, sources: list[Path], folder: str) -> None:
        if self._row is None or not sources:
            return
        calls = [self.upload(self._row, sources, folder)]
        what = sources[0].name if len(sources) == 1 else f"{len(sources)} files and folders"

        def done(_results: Sequence[Any]) -> None:
            self.browser.reload()
            self.context.notices.show("Uploaded", f"{what} into {folder}", tone="good")

        self.context.runner.trigger(upload_action(self.kind), (), {"calls": calls}, done=done)

    def _on_download_asked(self, entries: list[FileEntry], folder: Path) -> None:
        row = self._row
        if row is not None:
            calls = [self.download(row, entry, folder) for entry in entries]
            self.context.runner.trigger(
                download_action(self.kind),
                (),
                {"calls": calls},
                done=self._tell,
            )

    def _tell(self, made: Sequence[Any]) -> None:
        """Where it went; of several the runner tells."""
        if len(made) == 1:
            self.context.notices.show("Downloaded", str(made[0]), tone="good")
