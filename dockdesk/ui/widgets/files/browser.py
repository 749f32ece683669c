"""A file browser that knows nothing of where the files are."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.containers import FileEntry
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.breadcrumb import Breadcrumb
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.files.model import FilesModel
from dockdesk.ui.widgets.files.preview import FilePreview
from dockdesk.ui.widgets.files.source import Differences, FileSource, clean, link_target, parts_of
from dockdesk.ui.widgets.files.view import DragOut, FilesView, local_files
from dockdesk.ui.widgets.notice import ErrorCard, MessageCard
from dockdesk.ui.widgets.plain import one_line, plain_tip
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.splitter import Splitter

_COMPARE = "Mark what differs from the image"


class FileBrowser(QWidget):
    """Lists folders of a `FileSource`, shows files, and takes files in and out.

    Listing, reading and comparing are asked of the source; what changes something is left to the owner:
    ``upload_asked`` carries local paths and the folder they go to, ``download_asked`` entries and a local folder.
    After an upload the owner calls `reload`.
    """

    upload_asked = Signal(list, str)
    download_asked = Signal(list, Path)
    path_changed = Signal(str)

    def __init__(self, theme: Theme, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._source: FileSource | None = None
        self._path = "/"
        self._places: dict[str, str] = {}
        self._listed = False
        self._choose = ""
        self.setAcceptDrops(True)
        self.model = FilesModel(theme, self._arrange_apart, self)
        self.view = FilesView(self.model)
        self.preview = FilePreview(theme, jobs)
        self._drag = DragOut(jobs, self.view)
        self._make_bar()
        self._loading = LoadingState(theme)
        self.state = EmptyState(theme)
        self._pages = QStackedWidget()
        for page in (self.view, self.state, self._loading):
            self._pages.addWidget(page)
        self._messages = QVBoxLayout()
        self._split = Splitter(Qt.Orientation.Horizontal, (3, 2))
        self._split.addWidget(self._pages)
        self._split.addWidget(self.preview)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._bar)
        layout.addLayout(self._messages)
        layout.addWidget(self._split, 1)
        self._connect()
        self.set_source(None)

    def path(self) -> str:
        """The folder that is shown, or asked for."""
        return self._path

    def source(self) -> FileSource | None:
        return self._source

    def set_source(self, source: FileSource | None) -> None:
        """Show another source where it was left; the same ``key`` again only replaces the callables."""
        if self._source is not None:
            self._places[self._source.key] = self._path
        same = source is not None and self._source is not None and source.key == self._source.key
        self._source = source
        self.compare.setVisible(source is not None and source.changes is not None)
        self.download.setVisible(source is not None and source.download is not None)
        if same:
            return
        self._listed = False
        self.model.set_entries("/", ())
        self.model.set_differences(None)
        self.view.show_differences(False)
        self.compare.setChecked(False)
        self._say(None)
        if source is None:
            self.state.show_message("folder", "No files", "")
            self._pages.setCurrentWidget(self.state)
            self._show_path()
        else:
            self.go(self._places.get(source.key, source.start))

    def set_may_upload(self, may: bool, why_not: str = "") -> None:
        """Let files be brought in, or say why not."""
        self.upload.setEnabled(may)
        self.upload.setToolTip(plain_tip(why_not))
        self.view.set_may_drop(may)

    def go(self, path: str, choose: str = "") -> None:
        """Show a folder, with the entry ``choose`` selected. Where that fails, the folder shown before stays."""
        source = self._source
        if source is None:
            return
        path = clean(path)
        if not self._listed:
            self._path = path
            self._pages.setCurrentWidget(self._loading)
            self._show_path()
        self._jobs.submit(
            self,
            lambda _work: source.list(path),
            lambda entries: self._on_listed(path, entries, choose),
            lambda error: self._on_list_failed(path, error),
            lane=source.lane,
            question="list",
        )

    def reload(self) -> None:
        """List the folder again, and compare again if that is on."""
        chosen = self.view.chosen()
        self.go(self._path, chosen[0].path if chosen else "")
        if self.compare.isChecked():
            self._compare()

    def up(self) -> None:
        if self._path != "/":
            self.go(posixpath.dirname(self._path), self._path)

    def focus_filter(self) -> None:
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _make_bar(self) -> None:
        theme = self._theme
        self.up_button = IconButton(theme, "arrow-up", "Up", "Alt+Up")
        self.crumbs = Breadcrumb(theme)
        self.path_field = QLineEdit()
        self.path_field.setAccessibleName("Path of the folder")
        self.path_field.hide()
        self.filter = SearchField(theme, "Filter names")
        self.filter.setFixedWidth(180)
        self.compare = IconButton(theme, "file-diff", _COMPARE)
        self.compare.setCheckable(True)
        self.reload_button = IconButton(theme, "refresh", "Reload the folder")
        self.download = IconButton(theme, "download", "Download what is selected…")
        self.upload = Button(theme, "Upload…", "upload")
        self._bar = QHBoxLayout()
        self._bar.setSpacing(4)
        self._bar.addWidget(self.up_button)
        self._bar.addWidget(self.crumbs, 1)
        self._bar.addWidget(self.path_field, 1)
        for widget in (self.filter, self.compare, self.reload_button, self.download, self.upload):
            self._bar.addWidget(widget)

    def _connect(self) -> None:
        self.up_button.clicked.connect(self.up)
        self.crumbs.clicked.connect(self._on_crumb_clicked)
        self.filter.searched.connect(self.model.set_filter)
        self.filter.left.connect(self.view.setFocus)
        self.compare.toggled.connect(self._on_compare_toggled)
        self.reload_button.clicked.connect(self.reload)
        self.download.clicked.connect(self._on_download_clicked)
        self.upload.clicked.connect(self._on_upload_clicked)
        self.view.opened.connect(self._on_opened)
        self.view.up_asked.connect(self.up)
        self.view.dropped.connect(
            lambda files, folder: self.upload_asked.emit(files, folder or self._path)
        )
        self.view.drag_asked.connect(self._on_drag_asked)
        self.view.customContextMenuRequested.connect(self._on_menu_asked)
        self.view.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.model.arranged.connect(self._on_arranged)
        self.model.modelReset.connect(self._on_selection_changed)
        self.path_field.returnPressed.connect(self._on_path_typed)
        self.path_field.editingFinished.connect(self._hide_path_field)
        self._drag.failed.connect(self._say)
        self._drag.ready.connect(self._on_drag_ready)
        type_path = QShortcut(QKeySequence("Ctrl+L"), self, self._on_type_path)
        type_path.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.upload.isEnabled() and self._listed and local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.upload_asked.emit(local_files(event.mimeData()), self._path)

    # What comes back

    def _on_listed(self, path: str, entries: Sequence[FileEntry], choose: str) -> None:
        moved = path != self._path or not self._listed
        self._path, self._listed = path, True
        self._say(None)
        if moved:
            self.filter.clear()
        self._choose = choose
        self.model.set_entries(path, entries)
        self._show_path()
        if moved:
            self.path_changed.emit(path)

    def _on_arranged(self) -> None:
        if not self._listed:
            return
        if self.model.rowCount():
            self._pages.setCurrentWidget(self.view)
            if self._choose:
                self.view.choose(self._choose)
                self._choose = ""
            return
        if self.model.total():
            self.state.show_message("search", "No name matches", "The filter hides all there is.")
        else:
            hint = "Drop files here to bring them in." if self.upload.isEnabled() else ""
            self.state.show_message("folder-open", "This folder is empty", hint)
        self._pages.setCurrentWidget(self.state)

    def _on_list_failed(self, path: str, error: DockDeskError) -> None:
        again = StateButton("Try again", lambda: self.go(path), icon="refresh")
        if self._listed:
            self._say(error, again)
            return
        root = StateButton("Go to /", lambda: self.go("/"))
        self.state.show_error(error, (again, root) if path != "/" else (again,))
        self._pages.setCurrentWidget(self.state)

    def _compare(self) -> None:
        source = self._source
        if source is None or source.changes is None:
            return
        changes = source.changes
        self._jobs.submit(
            self,
            lambda _work: Differences.of(changes()),
            self._on_compared,
            self._on_compare_failed,
            lane=source.lane,
            question="changes",
        )

    def _on_compared(self, differences: Differences) -> None:
        if self.compare.isChecked():
            self.view.show_differences(True)
            self.model.set_differences(differences)

    def _on_compare_failed(self, error: DockDeskError) -> None:
        self.compare.setChecked(False)
        self._say(error)

    def _arrange_apart(
        self, work: Callable[[], list[FileEntry]], done: Callable[[list[FileEntry]], None]
    ) -> None:
        self._jobs.submit(self, lambda _work: work(), done, question="arrange")

    # What the user does

    def _on_opened(self, entry: FileEntry) -> None:
        if entry.kind == "folder":
            self.go(entry.path)
        elif entry.kind == "link":
            self._follow(entry)

    def _follow(self, entry: FileEntry) -> None:
        """Open a link as a folder; if it leads to none, go to where it leads and select that."""
        source, target = self._source, link_target(entry)
        if source is None:
            return
        self._jobs.submit(
            self,
            lambda _work: source.list(target),
            lambda entries: self._on_listed(target, entries, ""),
            lambda _error: self.go(posixpath.dirname(target), target),
            lane=source.lane,
            question="list",
        )

    def _on_crumb_clicked(self, number: int) -> None:
        parts = parts_of(self._path)
        deeper = parts[number + 1] if number + 1 < len(parts) else ""
        folder = clean("/".join(parts[1 : number + 1]))
        self.go(folder, posixpath.join(folder, deeper) if deeper else "")

    def _on_compare_toggled(self, on: bool) -> None:
        if on:
            self._compare()
        else:
            self.view.show_differences(False)
            self.model.set_differences(None)

    def _on_selection_changed(self) -> None:
        chosen = self.view.chosen()
        self.download.setEnabled(any(entry.kind != "deleted" for entry in chosen))
        if len(chosen) > 1:
            self.preview.show_several(chosen)
        else:
            self.preview.show_entry(self._source, chosen[0] if chosen else None)

    def _on_upload_clicked(self) -> None:
        dialog = QFileDialog(self, "Files to upload")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(
            lambda names: self.upload_asked.emit([Path(name) for name in names], self._path)
        )
        dialog.open()

    def _on_download_clicked(self) -> None:
        entries = [entry for entry in self.view.chosen() if entry.kind != "deleted"]
        if not entries:
            return
        dialog = QFileDialog(self, "Folder to download into")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.download_asked.emit(entries, Path(name)))
        dialog.open()

    def _on_drag_asked(self, entries: list[FileEntry]) -> None:
        if self._source is not None:
            self._drag.start(self._source, entries)

    def _on_menu_asked(self, place: QPoint) -> None:
        index = self.view.indexAt(place)
        if not index.isValid():
            return
        entry, chosen = self.model.entry(index.row()), self.view.chosen()
        several = len(chosen) > 1
        menu = QMenu(self.view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = self._theme.icon
        if entry.kind in {"folder", "link"} and not several:
            menu.addAction(icon("folder-open"), "Open", lambda: self._on_opened(entry))
        if self.download.isVisibleTo(self) and self.download.isEnabled():
            what = f"Download {len(chosen)} items…" if several else "Download…"
            menu.addAction(icon("download"), what, self._on_download_clicked)
        paths = "\n".join(item.path for item in chosen) if several else entry.path
        menu.addAction(
            icon("copy"),
            "Copy paths" if several else "Copy path",
            lambda: QGuiApplication.clipboard().setText(paths),
        )
        menu.addSeparator()
        menu.addAction(icon("refresh"), "Reload", self.reload)
        menu.popup(self.view.viewport().mapToGlobal(place))

    def _on_type_path(self) -> None:
        self.crumbs.hide()
        self.path_field.setText(self._path)
        self.path_field.show()
        self.path_field.selectAll()
        self.path_field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_path_typed(self) -> None:
        self.go(self.path_field.text())
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _hide_path_field(self) -> None:
        self.path_field.hide()
        self.crumbs.show()

    def _show_path(self) -> None:
        self.crumbs.set_parts(parts_of(self._path) if self._source is not None else ())
        self.up_button.setEnabled(self._path != "/")

    def _on_drag_ready(self, entries: list[FileEntry]) -> None:
        what = f"“{one_line(entries[0].name, 80)}” is" if len(entries) == 1 else "The files are"
        self._show_card(
            MessageCard(
                self._theme, f"{what} fetched", hint="Drag again: nothing has to be waited for."
            )
        )

    def _say(self, error: DockDeskError | None, *buttons: StateButton) -> None:
        """Show a failure above the files, or nothing."""
        self._show_card(
            ErrorCard(self._theme, error, buttons, closable=True) if error is not None else None
        )

    def _show_card(self, card: MessageCard | None) -> None:
        while (item := self._messages.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if card is not None:
            card.closed.connect(lambda: self._show_card(None))
            self._messages.addWidget(card)
