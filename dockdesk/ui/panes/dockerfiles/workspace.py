"""The open documents: opened, saved, closed and brought back, with nothing typed lost on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from dockdesk.core import preferences
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.checking import Checker
from dockdesk.ui.panes.dockerfiles.closing import CloseDialog
from dockdesk.ui.panes.dockerfiles.coming_back import bring_back, state_of
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.files import FileContent
from dockdesk.ui.panes.dockerfiles.keeping import Keeper
from dockdesk.ui.panes.dockerfiles.language import language_of
from dockdesk.ui.panes.dockerfiles.mending import mend_all
from dockdesk.ui.panes.dockerfiles.messages import Messages
from dockdesk.ui.panes.dockerfiles.reading import Reader
from dockdesk.ui.panes.dockerfiles.recovery import Recovery, Unsaved, folder_of
from dockdesk.ui.panes.dockerfiles.sources import Sources
from dockdesk.ui.panes.dockerfiles.tabs import DocumentTabs
from dockdesk.ui.widgets.editor import EditorView

_RECENT = 12
_NEXT_TURN_MS = 2


class Workspace(QObject):
    """Between the pane's widgets and the documents. ``key_pressed`` carries an editor's key that is the pane's.

    ``opened`` tells of each document that was added, ``changed`` that names, marks or folders may be others.
    """

    opened = Signal(object)
    changed = Signal()
    key_pressed = Signal(str)

    def __init__(self, context: UiContext, tabs: DocumentTabs, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._window = window
        self.tabs = tabs
        self.projects: dict[Path, Sequence[Path]] = {}
        recovery = Recovery(folder_of(context.data)) if context.data is not None else None
        self.keeper = Keeper(context.jobs, recovery, self)
        self.sources = Sources(context, self)
        self._reader = Reader()
        self.wraps = False
        self.size = 0
        self.tab_moves = False
        self._checkers: dict[str, Checker] = {}
        self._opening: set[Path] = set()
        self.asked = 0  # how often something was opened by the user: what comes back by itself stays behind it
        self._new = 0
        self.messages = Messages(context, self, window)
        self.keeper.saved.connect(lambda _document: self.changed.emit())
        tabs.close_asked.connect(self.close_these)

    # Opening.

    def documents(self) -> list[OpenDocument]:
        return list(self.tabs.documents())

    def document_of(self, path: Path) -> OpenDocument | None:
        return next((item for item in self.tabs.documents() if item.path == path), None)

    def open(
        self,
        path: Path,
        project: Path | None = None,
        done: Callable[[OpenDocument], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        """Open a file, or bring it forward. ``failed`` once the user has been told why it can't be."""
        self.asked += 1
        path = Path(os.path.abspath(path))
        known = self.document_of(path)
        if known is not None:
            self.tabs.show_document(known)
            if done is not None:
                done(known)
            return
        if path in self._opening:
            return
        self._opening.add(path)

        def not_read(error: DockDeskError) -> None:
            self._opening.discard(path)
            self.forget_recent(path)
            self._context.notices.failure(error)
            if failed is not None:
                failed()

        self.keeper.read(path, partial(self._on_read, project, done), not_read)

    def open_all(self, paths: Sequence[Path]) -> None:
        """Open files in the order of ``paths``, the last one in front."""
        todo = list(paths)

        def following(_document: OpenDocument | None = None) -> None:
            if todo:
                self.open(todo.pop(0), done=following, failed=following)

        following()

    def _on_read(
        self,
        project: Path | None,
        done: Callable[[OpenDocument], None] | None,
        content: FileContent,
    ) -> None:
        document = self.document_of(content.path)  # opened on another way meanwhile?

        def opened(document: OpenDocument) -> None:
            self._opening.discard(content.path)
            self.remember(content.path)
            if done is not None:
                done(document)

        if document is None:
            self.take_in(content, project, done=opened)
        else:
            self.tabs.show_document(document)
            opened(document)

    def take_in(
        self,
        content: FileContent,
        project: Path | None = None,
        *,
        front: bool = True,
        done: Callable[[OpenDocument], None] | None = None,
    ) -> None:
        """Give what was read a tab of its own, once its text is in an editor, and hand it to ``done``."""
        document = self._make(content.path.name, kinds.kind_of(content.path.name))
        document.project = project

        def loaded() -> None:
            known = self.document_of(content.path)
            if known is not None:
                document.view.deleteLater()
                document.deleteLater()
            else:
                self._add(document, front=front)
                self.messages.say_of(document, content)
            if done is not None:
                done(known or document)

        document.load_unseen(content, loaded)

    def new(
        self, text: str = "", name: str = "Dockerfile", project: Path | None = None
    ) -> OpenDocument:
        """A document without a file yet; ``text`` is not saved."""
        document = self._make(name, kinds.kind_of(name))
        document.project = project or next(iter(self.projects), None)
        self.asked += 1
        self._add(document)
        if text:
            document.set_text(text)
        return document

    def _make(self, name: str, kind: str) -> OpenDocument:
        context = self._context
        # Where it will stand: a widget that moves to another parent is styled again, with all that is in it.
        view = EditorView(context.theme, context.jobs, parent=self.tabs.pages)
        view.hide()
        document = OpenDocument(view, name, self)

        def snapshot() -> Any:
            path = document.path
            return self.sources.snapshot(document.context_folder, str(path) if path else "")

        view.editor.set_language(language_of(kind, self._reader, snapshot))
        view.editor.set_wrap(self.wraps)
        view.editor.set_size(self.size)
        view.editor.set_tab_moves(self.tab_moves)
        view.editor.font_changed.connect(self._on_font_changed)
        view.editor.tab_moves_changed.connect(self._on_tab_moves_changed)
        view.key_pressed.connect(self.key_pressed)
        view.editor.fix_all_asked.connect(lambda mark: mend_all(document, mark.code))
        return document

    def _add(self, document: OpenDocument, *, front: bool = True) -> None:
        self.keeper.add(document)
        checker = Checker(self._context, document, self._reader)
        self._checkers[document.id] = checker
        document.changed.connect(lambda: self._refresh_sources(document))
        document.moved.connect(lambda: self._on_moved(document))
        document.modified_changed.connect(lambda _on: self.changed.emit())
        self.tabs.add(document, front=front)
        self._refresh_sources(document)
        QTimer.singleShot(_NEXT_TURN_MS, checker, checker.check)
        self.opened.emit(document)
        self.changed.emit()

    def _refresh_sources(self, document: OpenDocument) -> None:
        if document.kind == kinds.DOCKERFILE:
            path = document.path
            self.sources.refresh(document.context_folder, str(path) if path else "")

    def _on_moved(self, document: OpenDocument) -> None:
        kind = document.kind

        def snapshot() -> Any:
            path = document.path
            return self.sources.snapshot(document.context_folder, str(path) if path else "")

        document.editor.set_language(language_of(kind, self._reader, snapshot))
        self.changed.emit()

    # Folders.

    def open_folder(
        self, folder: Path, done: Callable[[Sequence[Path]], None] | None = None
    ) -> None:
        """List a folder's files, and remember it. ``done`` gets them."""
        folder = Path(os.path.abspath(folder))

        def listed(files: Sequence[Path]) -> None:
            self.remember(folder)
            if done is not None:
                done(files)

        self.list_folder(folder, listed)

    def list_folder(
        self,
        folder: Path,
        done: Callable[[Sequence[Path]], None] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Look for a folder's files. One that is gone leaves the list; ``quiet``: that is not worth a message."""

        def found(files: Sequence[Path]) -> None:
            self.projects[folder] = files
            self.changed.emit()
            if done is not None:
                done(files)

        def failed(error: DockDeskError) -> None:
            if isinstance(error, CancelledError):
                return
            self.close_folder(folder)
            self.forget_recent(folder)
            if not quiet:
                self._context.notices.failure(error)

        self._context.jobs.submit(
            self,
            lambda work: kinds.files_of(folder, work),
            found,
            failed,
            question=f"folder {folder}",
        )

    def refresh_folders(self) -> None:
        for folder in list(self.projects):
            self.list_folder(folder, quiet=True)

    def without_dockerfile(self) -> Path | None:
        """The folder that was opened last, where it has no Dockerfile."""
        for folder, found in list(self.projects.items())[-1:]:
            if all(kinds.kind_of(path.name) != kinds.DOCKERFILE for path in found):
                return folder
        return None

    def close_folder(self, folder: Path) -> None:
        self.projects.pop(folder, None)
        self.changed.emit()

    # Saving.

    def save(
        self,
        document: OpenDocument,
        done: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        """Save to its file, or ask for one. ``failed``: it is not saved, which has been told or was wanted."""
        if document.path is None:
            self.save_as(document, done, failed)
        elif document.modified or document.stamp is None:
            self.keeper.save(document, done=done, failed=failed)
        elif done is not None:
            done()

    def save_as(
        self,
        document: OpenDocument,
        done: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        self.tabs.show_document(document)
        dialog = QFileDialog(self._window, f"Save {document.name}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        folder = document.context_folder or document.project
        if folder is not None:
            dialog.setDirectory(str(folder))
        dialog.selectFile(document.name)
        dialog.fileSelected.connect(lambda path: self.save_to(document, Path(path), done, failed))
        if failed is not None:
            dialog.rejected.connect(failed)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_to(
        self,
        document: OpenDocument,
        path: Path,
        done: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        """Save under another name; the document is that file from then on."""

        def saved() -> None:
            document.editor.setReadOnly(False)
            self.messages.take(document)
            self.remember(path)
            self.refresh_folders()
            for other in self.documents():  # of what is there no more
                if other is not document and other.path == path and not other.modified:
                    self.discard(other)
            if done is not None:
                done()

        self.keeper.save(document, path, saved, failed, anyway=True)

    def save_all(
        self, done: Callable[[], None] | None = None, failed: Callable[[], None] | None = None
    ) -> None:
        """Save what has changes; ``done`` once all are saved, ``failed`` at the first that is not."""
        self.save_these(self.unsaved(), done, failed)

    def save_these(
        self,
        documents: Sequence[OpenDocument],
        done: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        todo = list(documents)

        def following() -> None:
            if todo:
                document = todo.pop(0)

                def given_up() -> None:
                    self.tabs.show_document(document)
                    if failed is not None:
                        failed()

                self.save(document, following, given_up)
            elif done is not None:
                done()

        following()

    # Closing.

    def close(self, document: OpenDocument) -> None:
        """Close a tab; asks where something is not saved."""
        self.close_these([document])

    def close_these(self, documents: Sequence[OpenDocument]) -> None:
        """Close tabs; asks once about all that is not saved."""
        unsaved = [item for item in documents if item.modified]
        for document in documents:
            if document not in unsaved:
                self.discard(document)
        if not unsaved:
            return
        self.tabs.show_document(unsaved[0])

        def discard_all() -> None:
            for document in unsaved:
                if document in self.documents():
                    self.discard(document)

        names = [item.name for item in unsaved]
        dialog = CloseDialog(self._context.theme, names, self._window)
        dialog.save_asked.connect(lambda: self.save_these(unsaved, discard_all))
        dialog.discard_asked.connect(discard_all)
        dialog.open()

    def discard(self, document: OpenDocument) -> None:
        """Close a tab without saving."""
        self._checkers.pop(document.id).stop()
        self.messages.take(document)
        self.keeper.remove(document)
        self.tabs.remove(document)
        document.view.close()
        document.view.deleteLater()
        document.deleteLater()
        self.changed.emit()

    def unsaved(self) -> list[OpenDocument]:
        return [item for item in self.documents() if item.modified]

    # What an earlier run left.

    def offer_recovery(self, found: Callable[[Sequence[Unsaved]], None]) -> None:
        self.keeper.left_behind(lambda left: found(left) if left else None)

    def restore(self, unsaved: Unsaved) -> None:
        """Bring a text back that was not saved: over its file's, as something to be saved or undone."""

        def put(document: OpenDocument) -> None:
            document.set_text(unsaved.text)
            self.keeper.keep_now()
            self.keeper.forget(unsaved)

        if unsaved.path and Path(unsaved.path).is_absolute():
            path = Path(unsaved.path)
            known = self.document_of(path)
            if known is not None:
                put(known)
                return

            def gone(_error: DockDeskError) -> None:
                document = self.new(name=unsaved.name)
                document.set_path(path)
                put(document)

            def read(content: FileContent) -> None:
                self._on_read(None, put, content)

            self.keeper.read(path, read, gone)
        else:
            put(self.new(name=unsaved.name))

    # What is remembered.

    def recent(self) -> list[Path]:
        """Files and folders, the newest first."""
        kept = self._context.settings.get(preferences.RECENT_FILES)
        return [Path(str(item)) for item in kept] if isinstance(kept, (list, tuple)) else []

    def remember(self, path: Path) -> None:
        others = [str(item) for item in self.recent() if item != path]
        self._context.settings.set(preferences.RECENT_FILES, [str(path), *others][:_RECENT])

    def forget_recent(self, path: Path) -> None:
        kept = [str(item) for item in self.recent() if item != path]
        self._context.settings.set(preferences.RECENT_FILES, kept)

    def set_wrap(self, on: bool) -> None:
        self.wraps = on
        for document in self.tabs.documents():
            document.editor.set_wrap(on)

    def _on_tab_moves_changed(self, on: bool) -> None:
        if on == self.tab_moves:
            return
        self.tab_moves = on
        for document in self.tabs.documents():
            document.editor.set_tab_moves(on)
        if on:
            self._context.notices.show("Tab moves on now", "Ctrl+M lets it indent again.")
        else:
            self._context.notices.show("Tab indents again", "Ctrl+M lets it move on.")

    def _on_font_changed(self, size: int) -> None:
        self.size = size
        for document in self.tabs.documents():
            document.editor.set_size(size)

    def save_state(self) -> dict[str, Any]:
        return state_of(self)

    def restore_state(self, state: Mapping[str, Any]) -> None:
        bring_back(self, state)
