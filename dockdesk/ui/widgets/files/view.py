"""The list of files: files can be dropped onto it and dragged out of it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QPoint, QRect, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.work import Work
from dockdesk.ui.widgets.files.model import DIFFERS, MODE, MODIFIED, NAME, OWNER, SIZE, FilesModel
from dockdesk.ui.widgets.files.source import FileSource

_WIDTHS = {SIZE: 84, MODE: 104, OWNER: 80, MODIFIED: 160, DIFFERS: 130}
_NAME_AT_LEAST = 160
_GIVE_WAY = (
    OWNER,
    MODE,
    MODIFIED,
)  # columns that leave, one after the other, where there is no room for the name


class FilesView(QTreeView):
    """Emits ``opened`` for Enter and double clicks, ``up_asked`` for Backspace, ``dropped`` for local files dropped
    on a folder (its path, or "" for the free space), ``drag_asked`` when entries begin to be dragged. While files are
    held over it, a frame shows where they would go.
    """

    opened = Signal(object)
    up_asked = Signal()
    dropped = Signal(list, str)
    drag_asked = Signal(list)

    def __init__(self, model: FilesModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._files = model
        self._may_drop = True
        self._target: QRect | None = None
        self.ensurePolished()
        self.setModel(model)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSortingEnabled(True)
        self.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
        self.setDragEnabled(True)
        self.setAcceptDrops(True)
        self.setDropIndicatorShown(False)  # Qt's own knows nothing of folders
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.CopyAction)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Files")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in _WIDTHS.items():
            header.resizeSection(column, width)
        header.moveSection(header.visualIndex(DIFFERS), 1)
        self.activated.connect(lambda index: self.opened.emit(model.entry(index.row())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Show as many columns as there is room for beside the name."""
        header = self.header()
        shown = [column for column in _WIDTHS if column not in _GIVE_WAY]
        room = self.viewport().width() - _NAME_AT_LEAST
        room -= sum(header.sectionSize(c) for c in shown if not self.isColumnHidden(c))
        for column in reversed(_GIVE_WAY):
            room -= _WIDTHS[column]
            self.setColumnHidden(column, room < 0)

    def show_differences(self, on: bool) -> None:
        self.setColumnHidden(DIFFERS, not on)
        self.fit()

    def chosen(self) -> list[FileEntry]:
        """The selected entries, the current one first."""
        rows = [index.row() for index in self.selectionModel().selectedRows()]
        current = self.currentIndex().row()
        rows.sort(key=lambda row: (row != current, row))
        return [self._files.entry(row) for row in rows]

    def choose(self, path: str) -> None:
        """Select an entry and bring it into view, if it is there."""
        if (row := self._files.row_of(path)) >= 0:
            self.setCurrentIndex(self._files.index(row, NAME))

    def set_may_drop(self, may: bool) -> None:
        self._may_drop = may
        self.setAcceptDrops(may)

    def startDrag(self, _actions: Qt.DropAction) -> None:
        entries = [entry for entry in self.chosen() if entry.kind != "deleted"]
        if entries:
            self.drag_asked.emit(entries)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        alone = event.modifiers() == Qt.KeyboardModifier.NoModifier
        up = event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() == Qt.Key.Key_Up
        if up or (alone and event.key() == Qt.Key.Key_Backspace):
            self.up_asked.emit()
            return
        super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._may_drop and event.source() is not self and local_files(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # scrolls at the edges
        if self._may_drop and event.source() is not self and local_files(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._aim(self._target_at(event.position().toPoint())[1])
        else:
            event.ignore()
            self._aim(None)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._aim(None)

    def dropEvent(self, event: QDropEvent) -> None:
        self._aim(None)
        files = local_files(event.mimeData())
        if not files or not self._may_drop or event.source() is self:
            event.ignore()
            return
        folder, _box = self._target_at(event.position().toPoint())
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.dropped.emit(files, folder)

    @property
    def target(self) -> QRect | None:
        """Where what is held over it would go: a folder's line, or all of it; None while nothing is."""
        return self._target

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._target is not None:
            painter = QPainter(self.viewport())
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(self._target.adjusted(1, 1, -1, -1))
            painter.end()

    def _target_at(self, place: QPoint) -> tuple[str, QRect]:
        """The folder below ``place``, "" for the one that is shown, and what stands for it."""
        index = self.indexAt(place)
        entry = self._files.entry(index.row()) if index.isValid() else None
        whole = self.viewport().rect()
        if entry is None or entry.kind != "folder":
            return "", whole
        line = self.visualRect(index)
        return entry.path, QRect(0, line.top(), whole.width(), line.height())

    def _aim(self, target: QRect | None) -> None:
        if target != self._target:
            self._target = target
            self.viewport().update()


def local_files(mime: QMimeData) -> list[Path]:
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


class DragOut(QObject):
    """Lets entries be dragged out to the desktop.

    A drag has to hand over files that exist, so they are fetched into a folder of DockDesk's own as soon as the drag
    begins. Small ones are there before the pointer has left the list; if the button was let go meanwhile, ``ready``
    says that they can be dragged now, without waiting.
    """

    ready = Signal(list)
    failed = Signal(object)

    def __init__(self, jobs: Jobs, view: QWidget) -> None:
        super().__init__(view)
        self._jobs = jobs
        self._view = view
        self._folder: Path | None = None
        self._fetched: dict[tuple[str, str, int, float], Path] = {}

    def start(self, source: FileSource, entries: Sequence[FileEntry]) -> None:
        """Fetch ``entries``, or take them from what was fetched, and begin the drag."""
        keys = [(source.key, entry.path, entry.size, entry.modified) for entry in entries]
        if all(key in self._fetched for key in keys):
            self._drag([self._fetched[key] for key in keys])
            return
        if source.download is None:
            return
        download, folder = source.download, self._folder

        def fetch(work: Work) -> tuple[Path, list[Path]]:
            base = folder or Path(tempfile.mkdtemp(prefix="dockdesk-drag-"))
            try:
                # A folder each: names may be equal.
                return base, [
                    download(entry.path, Path(tempfile.mkdtemp(dir=base)), work)
                    for entry in entries
                ]
            except BaseException:
                if folder is None:
                    shutil.rmtree(base, ignore_errors=True)
                raise

        def done(result: tuple[Path, list[Path]]) -> None:
            base, paths = result
            self._keep(base)
            self._fetched.update(zip(keys, paths, strict=True))
            if self._still_held():
                self._drag(paths)
            else:
                self.ready.emit(list(entries))

        self._jobs.submit(
            self,
            fetch,
            done,
            self._on_failed,
            lane=source.lane,
            question="drag",
            title=f"Fetch {_words(entries)}",
            long=True,
        )

    def _keep(self, folder: Path) -> None:
        if self._folder is None:
            self._folder = folder
            # What takes the files may copy them long after the drop: they stay until the program ends.
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)

    def _still_held(self) -> bool:
        return bool(QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton)

    def _on_failed(self, error: DockDeskError) -> None:
        self.failed.emit(error)

    def _drag(self, paths: Sequence[Path]) -> None:
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        drag = QDrag(self._view)
        drag.setMimeData(mime)
        drag.exec(Qt.DropAction.CopyAction)


def _words(entries: Sequence[FileEntry]) -> str:
    return entries[0].name if len(entries) == 1 else f"{len(entries)} files"
