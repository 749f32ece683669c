"""The ignore file of the build in front, edited where its effect is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.core.work import Work
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import files
from dockdesk.ui.panes.dockerfiles.bars import FileBar
from dockdesk.ui.panes.dockerfiles.checking import ignore_problems
from dockdesk.ui.panes.dockerfiles.document import Analysis, OpenDocument
from dockdesk.ui.panes.dockerfiles.files import FileContent
from dockdesk.ui.panes.dockerfiles.ignore_language import IgnoreLanguage
from dockdesk.ui.panes.dockerfiles.keeping import Keeper
from dockdesk.ui.panes.dockerfiles.recovery import Recovery
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.editor import EditorView
from dockdesk.ui.widgets.editor.keys import key_name
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.plain import plain_tip

Paths = Callable[[str], Sequence[str]]
_CHECK_MS = 150


def ignore_file(context: Path, dockerfile: Path | None) -> tuple[Path, FileContent | None]:
    """The file whose rules a build uses, and what stands in it; None where it is still to be made. Blocks.

    Raises LocalError and InvalidInputError.
    """
    candidates = [context / ".dockerignore"]
    if dockerfile is not None:
        candidates.insert(0, dockerfile.with_name(f"{dockerfile.name}.dockerignore"))
    for path in candidates:
        if path.is_file():
            return path, files.read(path)
    return candidates[-1], None


class IgnoreEditor(QWidget):
    """``edited`` tells of every change of the rules that hold: typed, loaded, or of another build's file.

    What was typed for one build is kept while another is looked at, and survives a crash as all text does.
    """

    edited = Signal()
    saved = Signal()

    def __init__(
        self, context: UiContext, paths: Paths | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._paths = paths
        self._documents: dict[Path, OpenDocument] = {}
        self._document: OpenDocument | None = None
        self._fresh = False
        recovery = Recovery(context.data / "unsaved") if context.data is not None else None
        self.keeper = Keeper(context.jobs, recovery, self)
        self.keeper.saved.connect(self._on_saved)
        self.keeper.reloaded.connect(lambda _document: self._on_changed())
        self.keeper.outside.connect(self._on_outside)
        self.keeper.failed.connect(lambda _document, error: context.notices.failure(error))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_CHECK_MS)
        self._timer.timeout.connect(self._check)
        self._lay_out()

    def _lay_out(self) -> None:
        theme = self._context.theme
        self._name = ElidedLabel(theme, "", "strong", middle=True)
        self._state = PlainLabel(theme, "", "small", "muted")
        self._undo = IconButton(theme, "arrow-back-up", "Undo", "Ctrl+Z", size=16)
        self._undo.clicked.connect(self._on_undo)
        self.save_button = Button(theme, "Save", "device-floppy")
        self.save_button.setToolTip(plain_tip("Save the ignore file (Ctrl+S)"))
        self.save_button.clicked.connect(self.save)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 8, 4)
        head.setSpacing(8)
        self._name.setMinimumWidth(90)
        head.addWidget(self._name)
        head.addWidget(self._state)
        head.addStretch(1)
        head.addWidget(self._undo)
        head.addWidget(self.save_button)
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self._show_state()

    # Which file.

    @property
    def document(self) -> OpenDocument | None:
        """The ignore file that is shown; None until it was looked for."""
        return self._document

    def text(self) -> str:
        """The rules as they stand in the editor."""
        return self._document.text() if self._document is not None else ""

    @property
    def path(self) -> Path | None:
        return self._document.path if self._document is not None else None

    def just_shown(self) -> bool:
        """Whether `edited` tells of the answer to `show_for` rather than of a change."""
        return self._fresh

    def show_for(self, context: Path | None, dockerfile: Path | None) -> None:
        """Show the ignore file of another build; looks at the disk on a worker."""
        if context is None:
            self._show(None)
            return

        def look(_work: Work) -> tuple[Path, FileContent | None]:
            return ignore_file(context, dockerfile)

        self._context.jobs.submit(
            self, look, self._on_found, self._on_failed, lane="files", question="ignore"
        )

    def _on_found(self, found: tuple[Path, FileContent | None]) -> None:
        path, content = found
        document = self._documents.get(path)
        if document is None:
            document = self._make(path)
            if content is not None:
                document.load(content)
            else:
                document.set_path(path)
            self.keeper.add(document)
            document.changed.connect(self._on_changed)
            document.modified_changed.connect(lambda _on: self._show_state())
        elif content is not None and document.stamp is None and not document.modified:
            document.load(content)
        self._show(document)

    def _on_failed(self, error: DockDeskError) -> None:
        self._show(None)
        self._context.notices.failure(error)

    def _make(self, path: Path) -> OpenDocument:
        view = EditorView(self._context.theme, self._context.jobs, IgnoreLanguage(self._paths))
        view.editor.setAccessibleName("Ignore rules")
        view.editor.installEventFilter(self)
        view.editor.setPlaceholderText(
            "What stands here is left out of the build, a pattern a line."
        )
        document = OpenDocument(view, path.name, self)
        self._documents[path] = document
        self._stack.addWidget(view)
        return document

    def _show(self, document: OpenDocument | None) -> None:
        self._document = document
        if document is not None:
            self._stack.setCurrentWidget(document.view)
        self._stack.setVisible(document is not None)
        self._fresh = True
        self._on_changed()
        self._fresh = False
        self._check()

    # Changing it.

    def propose(self, text: str) -> None:
        """Put another text in place, as one step of undo."""
        if self._document is not None and not self._document.read_only:
            self._document.set_text(text)
            editor = self._document.editor
            editor.go_to(max(0, editor.blockCount() - 2))

    def go_to(self, line: int) -> None:
        """Put the cursor into a rule's line."""
        if self._document is not None:
            self._document.go_to(line)

    def save(self) -> None:
        """Write it, whole or not at all; makes the file where there is none."""
        document = self._document
        if document is None or document.path is None:
            return
        if document.stamp is not None:
            self.keeper.save(document)
            return
        path = document.path

        def look(_work: Work) -> FileContent | None:
            return files.read(path) if path.exists() else None

        def go_on(content: FileContent | None) -> None:
            if content is not None and content.text != document.editor.text():
                self._on_outside(document, content)
            else:
                self.keeper.save(document, anyway=True)

        self._context.jobs.submit(self, look, go_on, lane="files")

    def unsaved(self) -> list[OpenDocument]:
        return [document for document in self._documents.values() if document.modified]

    def set_watching(self, on: bool) -> None:
        """Look for changes made by others while it is on the screen."""
        self.keeper.set_watching(on)
        if not on:
            self.keeper.keep_now()

    # How it comes about.

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+S saves this file, not the one in front."""
        if isinstance(event, QKeyEvent) and key_name(event) == "Ctrl+S":
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.save()
                return True
        return super().eventFilter(watched, event)

    def _on_undo(self) -> None:
        if self._document is not None:
            self._document.editor.undo()

    def _on_changed(self) -> None:
        self._show_state()
        self._timer.start()
        self.edited.emit()

    def _on_saved(self, _document: OpenDocument) -> None:
        self._show_state()
        self.saved.emit()

    def _on_outside(self, document: OpenDocument, content: FileContent | None) -> None:
        if content is None:
            document.stamp = None
            document.editor.document().setModified(True)
            self._show_state()
            return

        def answer(do: Callable[[OpenDocument, FileContent], Any]) -> None:
            bar.hide()
            bar.deleteLater()
            do(document, content)
            self._on_changed()

        bar = FileBar(
            self._context.theme,
            "Another program changed it meanwhile.",
            "warn",
            (
                StateButton("Keep mine", lambda: answer(self.keeper.keep_mine)),
                StateButton("Take theirs", lambda: answer(self.keeper.take)),
            ),
        )
        bar.closed.connect(bar.deleteLater)
        document.view.bars.addWidget(bar)

    def _check(self) -> None:
        """Underline what an engine would refuse; a short text, read in no time."""
        document = self._document
        if document is not None:
            text = document.text()
            document.set_analysis(Analysis(text, None, ignore_problems(text)))

    def _show_state(self) -> None:
        document = self._document
        modified = document is not None and document.modified
        new = document is not None and document.stamp is None
        self._name.setText(document.name if document is not None else ".dockerignore")
        self._name.setToolTip(plain_tip(str(self.path or "")))
        self._state.setText("not saved" if modified else "not there yet" if new else "")
        self.save_button.setEnabled(modified)
        can_undo = document is not None and document.editor.document().isUndoAvailable()
        self._undo.setEnabled(can_undo)

    def rules(self) -> IgnoreRules:
        """What stands in the editor, read."""
        return IgnoreRules.parse(self.text(), self.path)
