"""What is said above a document's text: what its file is like, and what other programs did to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.panes.dockerfiles.bars import FileBar
from dockdesk.ui.panes.dockerfiles.compare import CompareDialog
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.files import FileContent
from dockdesk.ui.panes.dockerfiles.keeping import difference
from dockdesk.ui.widgets.empty import StateButton

if TYPE_CHECKING:
    from dockdesk.ui.panes.dockerfiles.workspace import Workspace


class Messages(QObject):
    """One bar a document at most; the newest counts."""

    def __init__(self, context: UiContext, workspace: Workspace, window: QWidget) -> None:
        super().__init__(workspace)
        self._context = context
        self._workspace = workspace
        self._window = window
        self._bars: dict[str, FileBar] = {}
        workspace.keeper.outside.connect(self._on_outside)
        workspace.keeper.failed.connect(self._on_failed)
        workspace.keeper.saved.connect(self.take)  # whatever was said of the file is over
        workspace.keeper.reloaded.connect(self.take)

    def say_of(self, document: OpenDocument, content: FileContent) -> None:
        lines = []
        if not content.writable:
            lines.append("This file can only be read; save it under another name to change it.")
        elif document.read_only:
            lines.append("This file holds characters that can't be edited without harm to it.")
        if not content.form.clean:
            lines.append("Not all of it is UTF-8: what could not be read is kept as it is.")
        if content.form.mixed:
            lines.append("Its lines end in different ways; those you don't touch keep theirs.")
        if lines:
            self._show_bar(document, " ".join(lines), "info")

    def _on_outside(self, document: OpenDocument, content: FileContent | None) -> None:
        if content is None:
            save = StateButton("Save again", lambda: self._answer(document, self._save_anyway))
            close = StateButton("Close", lambda: self._workspace.close(document))
            self._show_bar(
                document, f"“{document.name}” is no longer on the disk.", "warn", (save, close)
            )
            document.editor.document().setModified(True)
            return
        present = content

        def keep(item: OpenDocument) -> None:
            self._workspace.keeper.keep_mine(item, present)

        def take(item: OpenDocument) -> None:
            self._workspace.keeper.take(item, present)

        buttons = (
            StateButton("Compare", lambda: self._compare(document, present)),
            StateButton("Keep mine", lambda: self._answer(document, keep)),
            StateButton("Take theirs", lambda: self._answer(document, take)),
        )
        text = f"“{document.name}” was changed by another program while you changed it here."
        self._show_bar(document, text, "warn", buttons)

    def _save_anyway(self, document: OpenDocument) -> None:
        self._workspace.keeper.save(document, anyway=True)

    def _answer(self, document: OpenDocument, do: Callable[[OpenDocument], None]) -> None:
        self.take(document)
        do(document)

    def _compare(self, document: OpenDocument, content: FileContent) -> None:
        mine, theirs, name = document.editor.text(), content.text, document.name

        def show(text: str) -> None:
            CompareDialog(self._context.theme, name, text, self._window).open()

        self._context.jobs.submit(self, lambda _work: difference(mine, theirs, name), show)

    def bar(self, document: OpenDocument) -> FileBar | None:
        """What is said above a document's text."""
        return self._bars.get(document.id)

    def _show_bar(
        self,
        document: OpenDocument,
        text: str,
        tone: Any,
        buttons: Sequence[StateButton] = (),
    ) -> None:
        self.take(document)
        bar = FileBar(self._context.theme, text, tone, buttons)
        bar.closed.connect(lambda: self.take(document))
        self._bars[document.id] = bar
        document.view.bars.addWidget(bar)

    def take(self, document: OpenDocument) -> None:
        bar = self._bars.pop(document.id, None)
        if bar is not None:
            bar.hide()
            bar.deleteLater()

    def _on_failed(self, document: OpenDocument, error: DockDeskError) -> None:
        actions = ()
        if document.modified:
            actions = (NoticeAction("Save as…", lambda: self._workspace.save_as(document)),)  # type: ignore[assignment]
        self._context.notices.failure(error, actions)
