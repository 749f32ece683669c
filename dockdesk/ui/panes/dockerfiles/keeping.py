"""Between documents and the disk: saving, what changed outside, and what must survive a crash."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import CancelledError, ConflictError, DockDeskError
from dockdesk.core.wholefile import local_error
from dockdesk.core.work import Work
from dockdesk.ui.panes.dockerfiles import files
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.files import FileContent, Stamp
from dockdesk.ui.panes.dockerfiles.recovery import Recovery, Unsaved

_KEEP_MS = 1000
_LOOK_MS = 1500
_LANE = "files"


class Keeper(QObject):
    """Every call returns at once; signals tell how it went.

    ``outside`` tells of a document whose file is another now while it has changes of its own (a FileContent), or is
    gone (None). ``failed`` carries a document and a DockDeskError.
    """

    saved = Signal(object)
    outside = Signal(object, object)
    reloaded = Signal(object)
    failed = Signal(object, object)

    def __init__(
        self, jobs: Jobs, recovery: Recovery | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._recovery = recovery
        self._documents: list[OpenDocument] = []
        self._saving: set[str] = set()
        self._told: dict[str, Stamp | None] = {}  # what the user was told of, not to be told again
        self._kept: set[str] = set()
        self._dirty: set[str] = set()
        self._keep_timer = QTimer(self)
        self._keep_timer.setSingleShot(True)
        self._keep_timer.setInterval(_KEEP_MS)
        self._keep_timer.timeout.connect(self.keep_now)
        self._look_timer = QTimer(self)
        self._look_timer.setInterval(_LOOK_MS)
        self._look_timer.timeout.connect(self.look)

    # Which documents.

    def add(self, document: OpenDocument) -> None:
        self._documents.append(document)
        document.changed.connect(partial(self._on_changed, document))
        document.modified_changed.connect(partial(self._on_modified_changed, document))

    def remove(self, document: OpenDocument) -> None:
        """It is closed, and what is not saved of it is not wanted."""
        self._documents.remove(document)
        self._told.pop(document.id, None)
        self._dirty.discard(document.id)
        self._drop(document.id)

    def set_watching(self, on: bool) -> None:
        """Look for changes made outside, while somebody can see them."""
        if on:
            self.look()
            self._look_timer.start()
        else:
            self._look_timer.stop()

    # Reading.

    def read(
        self,
        path: Path,
        done: Callable[[FileContent], None],
        failed: Callable[[DockDeskError], None],
    ) -> None:
        self._jobs.submit(self, lambda _work: files.read(path), done, failed, lane=_LANE)

    # Saving.

    def save(
        self,
        document: OpenDocument,
        path: Path | None = None,
        done: Callable[[], None] | None = None,
        failed: Callable[[], None] | None = None,
        *,
        anyway: bool = False,
    ) -> None:
        """Write the document to its file, or to ``path``. ``anyway``: also over what another program wrote.

        ``failed`` is called once the user has been told why it was not written.
        """
        target = path or document.path
        if target is None:
            raise ValueError("a new file needs a path")
        text, form = document.editor.text(), document.form
        expected = document.stamp if target == document.path and not anyway else None
        self._saving.add(document.id)

        def work(_work: Work) -> Stamp:
            if expected is not None:
                present = _stamp(target)
                if present is not None and present != expected:
                    raise ConflictError(f"“{target.name}” was changed by another program")
            return files.write(target, files.encode(text, form))

        def written(stamp: Stamp) -> None:
            self._saving.discard(document.id)
            self._told.pop(document.id, None)
            document.set_path(target)
            document.saved(text, stamp)
            self.saved.emit(document)
            if done is not None:
                done()

        def not_written(error: DockDeskError) -> None:
            self._saving.discard(document.id)
            if isinstance(error, ConflictError):
                self._told.pop(document.id, None)
                self.look()
            elif not isinstance(error, CancelledError):
                self.failed.emit(document, error)
            if failed is not None:
                failed()

        self._jobs.submit(
            self, work, written, not_written, lane=_LANE, order=str(target), vital=True
        )

    # Outside changes.

    def look(self) -> None:
        """See whether files are as they were when they were read or written."""
        watched = [
            (document.id, document.path)
            for document in self._documents
            if document.path is not None and document.stamp is not None
        ]
        if watched:
            self._jobs.submit(
                self,
                lambda work: _stamps(watched, work),
                self._on_stamps,
                _ignored,
                lane=_LANE,
                question="stamps",
            )

    def _on_stamps(self, found: Sequence[tuple[str, Path, Stamp | None]]) -> None:
        by_id = {document.id: document for document in self._documents}
        for id, path, stamp in found:
            document = by_id.get(id)
            if document is None or document.path != path or id in self._saving:
                continue
            if stamp == document.stamp or self._told.get(id, document.stamp) == stamp:
                continue
            self._told[id] = stamp
            if stamp is None:
                self.outside.emit(document, None)
            else:
                self.read(
                    path,
                    partial(self._on_other, document),
                    lambda error, document=document: self.failed.emit(document, error),  # type: ignore[misc]
                )

    def _on_other(self, document: OpenDocument, content: FileContent) -> None:
        if document not in self._documents or document.id in self._saving:
            return
        if not document.modified:
            self.take(document, content)
            self.reloaded.emit(document)
        elif content.text == document.editor.text():
            document.saved(content.text, content.stamp)
            self.saved.emit(document)
        else:
            self._told[document.id] = content.stamp
            self.outside.emit(document, content)

    def take(self, document: OpenDocument, content: FileContent) -> None:
        """Take the file's text in the place of the document's."""
        self._told.pop(document.id, None)
        document.reload(content)

    def keep_mine(self, document: OpenDocument, content: FileContent) -> None:
        """Go on with the document's text: saving will replace what is there now."""
        document.stamp = content.stamp
        document.editor.document().setModified(True)

    # What must survive.

    def left_behind(self, done: Callable[[list[Unsaved]], None]) -> None:
        """Ask for what an earlier run of the program could not save."""
        recovery = self._recovery
        if recovery is not None:
            self._jobs.submit(self, lambda _work: recovery.left_behind(), done, _ignored)

    def forget(self, unsaved: Unsaved) -> None:
        """It was restored, or is not wanted."""
        recovery = self._recovery
        if recovery is not None:
            self._in_order(lambda: recovery.drop(unsaved.id))

    def keep_now(self) -> None:
        """Write what was typed since the last time. It is done even if the program ends meanwhile."""
        self._keep_timer.stop()
        recovery, dirty = self._recovery, self._dirty
        self._dirty = set()
        if recovery is None:
            return
        for document in self._documents:
            if document.id in dirty and document.modified:
                path = str(document.path) if document.path is not None else ""
                entry = (document.id, document.name, path, document.text())
                self._kept.add(document.id)
                self._in_order(partial(recovery.keep, *entry))

    def _drop(self, id: str) -> None:
        recovery = self._recovery
        if recovery is not None and id in self._kept:
            self._kept.discard(id)
            self._in_order(lambda: recovery.drop(id))

    def _in_order(self, do: Callable[[], None]) -> None:
        def work(_work: Work) -> None:
            try:
                do()
            except OSError as error:
                raise local_error(
                    "What is not saved could not be kept", error.filename or "", error
                ) from error

        self._jobs.submit(None, work, order="unsaved", vital=True)

    def _on_changed(self, document: OpenDocument) -> None:
        if self._recovery is not None and document.modified:
            self._dirty.add(document.id)
            if not self._keep_timer.isActive():
                self._keep_timer.start()

    def _on_modified_changed(self, document: OpenDocument, modified: bool) -> None:
        if modified:
            self._on_changed(document)
        else:
            self._dirty.discard(document.id)
            self._drop(document.id)


def difference(mine: str, theirs: str, name: str) -> str:
    """What the file has that the document has not, and the other way round, as a unified diff."""
    lines = difflib.unified_diff(
        mine.split("\n"), theirs.split("\n"), f"{name} (here)", f"{name} (on the disk)", lineterm=""
    )
    return "\n".join(lines)


def _stamp(path: Path) -> Stamp | None:
    try:
        return files.stamp_of(path)
    except OSError:  # the write that follows says it better
        return None


def _stamps(
    watched: Sequence[tuple[str, Path]], work: Work
) -> list[tuple[str, Path, Stamp | None]]:
    found = []
    for id, path in watched:
        work.check()
        try:
            found.append((id, path, files.stamp_of(path)))
        except OSError:  # a share that is away: nothing is known of it
            continue
    return found


def _ignored(_error: Any) -> None:
    """Nobody asked for it: the next look finds it too."""
