"""The Dockerfiles pane: files and folders, the text in the middle, views beside and below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout

from dockdesk.core.refs import ResourceRef
from dockdesk.core.work import Work
from dockdesk.ui.actions.bound import BoundActions
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.list_header import follow
from dockdesk.ui.pane import Handler, Pane, Unsaved
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.actions import ACTIONS
from dockdesk.ui.panes.dockerfiles.build_desk import BuildDesk
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.focus_order import order_focus
from dockdesk.ui.panes.dockerfiles.handlers import handlers_of
from dockdesk.ui.panes.dockerfiles.header import Header
from dockdesk.ui.panes.dockerfiles.launching import Launcher
from dockdesk.ui.panes.dockerfiles.margins import Margin
from dockdesk.ui.panes.dockerfiles.project_list import ProjectList
from dockdesk.ui.panes.dockerfiles.recovery import Unsaved as LeftBehind
from dockdesk.ui.panes.dockerfiles.start_page import StartPage
from dockdesk.ui.panes.dockerfiles.starting import Starting
from dockdesk.ui.panes.dockerfiles.tabs import DocumentTabs
from dockdesk.ui.panes.dockerfiles.view_area import ViewArea
from dockdesk.ui.panes.dockerfiles.views import VIEWS, DocumentView, Side
from dockdesk.ui.panes.dockerfiles.watch import WatchDesk
from dockdesk.ui.panes.dockerfiles.watch_strip import WatchStrip
from dockdesk.ui.panes.dockerfiles.workspace import Workspace
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.editor.keys import key_name
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.splitter import Splitter

_NO_FILES_BELOW = 900  # pixels of width in which a list of files leaves too little for the text
_NO_BESIDE_BELOW = 1000
_BUILD_HEIGHT = 380
_BUILD_SHARE = 0.55


class DockerfilesPane(Pane):
    """Left the folders' files, in the middle the documents with views below, on the right views beside the text.

    Which views there are is said in `views`. ``workspace`` holds the documents.
    """

    pane_id = "dockerfiles"
    title = "Dockerfiles"
    icon = "file-code"
    pane_actions = ACTIONS

    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self.setAcceptDrops(True)
        theme = context.theme
        self.tabs = DocumentTabs(theme)
        self.workspace = Workspace(context, self.tabs, self)
        self.builds = BuildDesk(context, self.workspace, self)
        self.launcher = Launcher(context, self.builds, self)
        self.watch = WatchDesk(context, self.builds, self.launcher, self)
        self.starting = Starting(context, self)
        self.alerts = self.builds.alerts
        self.files = ProjectList(theme)
        self.beside = ViewArea(context, [entry for entry in VIEWS if entry.side == "beside"])
        self.below = ViewArea(context, [entry for entry in VIEWS if entry.side == "below"])
        self._wanted = {"files": True, "beside": True, "below": True}
        self._saved_sizes: Mapping[str, Any] = {}
        self.start_page = StartPage(
            theme,
            (
                StateButton("Open folder…", self.ask_folder, "primary", "folder-open"),
                StateButton("New from project…", self.starting.new_from_project, icon="bulb"),
                StateButton("Open file…", self.ask_file, icon="file-import"),
            ),
            (
                StateButton("New Dockerfile", self.new, "flat", "file-plus"),
                StateButton("Try a sample project", self.starting.try_sample, "flat", "school"),
            ),
        )
        self._lay_out()
        self._connect()
        self._show_parts()
        self.workspace.offer_recovery(self._on_left_behind)

    @property
    def bound(self) -> BoundActions:
        made = self._bound is None
        bound = super().bound
        if made:
            # The window closes with the same key: in here, the key is this pane's (see `event`).
            bound["dockerfile.close"].setShortcutContext(
                Qt.ShortcutContext.WidgetWithChildrenShortcut
            )
        return bound

    def _lay_out(self) -> None:
        self.header = Header(self.context.theme, "Dockerfiles", self.bound)
        horizontal = Qt.Orientation.Horizontal
        self._middle = Splitter(Qt.Orientation.Vertical, (3, 1))
        self._middle.addWidget(self.tabs)
        self._middle.addWidget(self.below)
        self._middle.setSizes([520, 190])
        self._across = Splitter(horizontal, (3, 1))
        self._across.addWidget(self._middle)
        self._across.addWidget(self.beside)
        self._across.setSizes([700, 304])
        self._stack = QStackedWidget()
        self._stack.addWidget(self.start_page)
        self._stack.addWidget(self._across)
        self._whole = Splitter(horizontal, (0, 1))
        self._whole.addWidget(self.files)
        self._whole.addWidget(self._stack)
        self._whole.setSizes([200, 900])
        self._toggles = {
            "files": self._toggle("layout-sidebar", "Show or hide the files", "files"),
            "below": self._toggle("row-insert-bottom", "Show or hide problems", "below"),
            "beside": self._toggle("columns", "Show or hide the stages", "beside"),
        }
        for toggle in self._toggles.values():
            self.header.tools.addWidget(toggle)
        build = Button(self.context.theme, "Build…", "hammer", "primary")
        follow(build, self.bound["build.run"])
        run = Button(self.context.theme, "Run", "player-play")
        follow(run, self.bound["build.and_run"])
        self._watch_button = IconButton(
            self.context.theme, "eye", "Watch: build and run after each change", "Ctrl+Alt+W"
        )
        self._watch_button.setCheckable(True)
        self._watch_button.clicked.connect(lambda _on: self.bound["build.watch"].trigger())
        self.header.main.addWidget(self._watch_button)
        self.header.main.addWidget(run)
        self.header.main.addWidget(build)
        self.strip = WatchStrip(self.context.theme, self.watch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.header)
        column.addWidget(self.strip)
        column.addWidget(self._whole, 1)

    def _toggle(self, icon: str, tip: str, part: str) -> IconButton:
        made = IconButton(self.context.theme, icon, tip)
        made.setCheckable(True)
        made.clicked.connect(lambda on: self.show_part(part, on))
        return made

    def _connect(self) -> None:
        work, files = self.workspace, self.files
        self.tabs.chosen.connect(self._on_chosen)
        work.changed.connect(self._on_changed)
        work.opened.connect(self._on_opened)
        work.key_pressed.connect(self._on_key)
        work.keeper.reloaded.connect(lambda _document: self._on_changed())
        files.opened.connect(work.open)
        files.close_asked.connect(work.close_folder)
        files.refresh_asked.connect(work.refresh_folders)
        files.hide_asked.connect(lambda: self.show_part("files", False))
        self.beside.hide_asked.connect(lambda: self.show_part("beside", False))
        self.below.hide_asked.connect(lambda: self.show_part("below", False))
        self.start_page.recent_chosen.connect(self.open_path)
        self.builds.shown.connect(self._show_build)
        self.builds.seen = self._sees
        self.watch.changed.connect(self._on_watch_changed)
        self.watch.watcher.changed.connect(lambda _paths: self.alerts.look())
        self.alerts.changed.connect(self._on_alerts_changed)
        self.beside.made.connect(self._on_view_made)
        work.keeper.saved.connect(lambda _document: self.alerts.look())

    # What can be asked of it.

    @property
    def document(self) -> OpenDocument | None:
        """The document in front."""
        return self.tabs.current

    def show_view(self, id: str) -> DocumentView | None:
        """Open a view of `views.VIEWS` and bring it forward; None where it is not about this kind of file."""
        for side, area in self._areas():
            if any(entry.id == id for entry in area.entries):
                self.show_part(side, True)
                return area.show_view(id)
        return None

    def build(self, *, again: bool = False) -> None:
        """Ask how the document in front is to be built, or build it as last time."""
        self.context.navigator.show_pane(self.pane_id)
        if again:
            self.builds.build_again(self.document)
        else:
            self.builds.open_form(self.document)

    def open_path(self, path: Path) -> None:
        """Open a file, or a folder with its first Dockerfile."""
        self.open_paths((path,))

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open files and folders, the last file in front."""

        def look(_work: Work) -> tuple[list[Path], list[Path]]:
            folders = [path for path in paths if path.is_dir()]
            return folders, [path for path in paths if path not in folders]

        def go_on(found: tuple[list[Path], list[Path]]) -> None:
            for folder in found[0]:
                self.open_folder(folder)
            self.workspace.open_all(found[1])

        self.context.jobs.submit(self, look, go_on, lane="files")

    def open_folder(self, folder: Path) -> None:
        def done(found: Sequence[Path]) -> None:
            first = kinds.main_of(found)
            if first is not None:
                self.workspace.open(first, folder)
            written = first is not None and kinds.kind_of(first.name) == kinds.DOCKERFILE
            if not written and (first is not None or self.document is not None):
                self.starting.offer(folder)

        self.show_part("files", True)
        self.workspace.open_folder(folder, done)

    def ask_folder(self) -> None:
        dialog = QFileDialog(self, "Open a folder")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: self.open_folder(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_file(self) -> None:
        dialog = QFileDialog(self, "Open files")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        document = self.document
        if document is not None and document.path is not None:
            dialog.setDirectory(str(document.path.parent))
        dialog.filesSelected.connect(lambda paths: self.open_paths([Path(path) for path in paths]))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def show_part(self, part: str, on: bool) -> None:
        """Show or hide "files", "beside" or "below"."""
        self._wanted[part] = on
        self._show_parts(forced=part if on else "")

    # The pane as the shell knows it.

    def handlers(self) -> Mapping[str, Handler]:
        return handlers_of(self)

    def selected(self) -> Sequence[OpenDocument]:
        document = self.document
        return () if document is None else (document,)

    def preparations(self) -> Iterable[Callable[[], object]]:
        return [
            partial(area.prepare, entry.id)
            for _side, area in self._areas()
            for entry in area.entries
        ]

    def crumbs(self) -> Sequence[str]:
        document = self.document
        return () if document is None else (document.name,)

    def focus_filter(self) -> None:
        if (document := self.document) is not None:
            document.view.do("find")

    def focus_content(self) -> None:
        document = self.document
        if document is not None:
            document.editor.setFocus()
        else:
            buttons = self.start_page.empty.buttons()
            (buttons[0] if buttons else self).setFocus()

    def reload(self) -> None:
        self.workspace.refresh_folders()
        self.workspace.keeper.look()

    def toggle_maximised(self) -> None:
        """The text alone, or everything around it."""
        any_on = any(not widget.isHidden() for widget in (self.files, self.beside, self.below))
        for part in self._wanted:
            self._wanted[part] = not any_on
        self._show_parts()

    def open(self, ref: ResourceRef) -> bool:
        """``ref.id`` is a path."""
        if ref.kind != "dockerfile" or not ref.id:
            return False
        self.open_path(Path(ref.id))
        return True

    def place(self) -> ResourceRef | None:
        document = self.document
        if document is None or document.path is None:
            return None
        return ResourceRef("dockerfile", str(document.path), document.name)

    def may_close(self) -> str | None:
        unsaved = self.workspace.unsaved()
        lost = [why for view in self._views() if (why := view.may_close()) is not None]
        if not unsaved:
            return " ".join(lost) or None
        if self.context.data is None:
            lost.insert(0, f"Changes in {_listed(unsaved)} are not saved and would be lost.")
        else:
            self.workspace.keeper.keep_now()
            lost.insert(
                0,
                f"Changes in {_listed(unsaved)} are not saved. "
                "What is not saved is kept, and offered when DockDesk starts again.",
            )
        return " ".join(lost)

    def unsaved(self) -> Unsaved | None:
        documents = self.workspace.unsaved()
        if not documents:
            return None
        names = [str(d.path) if d.path is not None else f"{d.name} (new)" for d in documents]
        return Unsaved(names, self.workspace.save_all)

    def shown(self) -> None:
        self.context.session.want("images")
        self.workspace.keeper.set_watching(True)

    def hidden(self) -> None:
        self.workspace.keeper.set_watching(False)
        self.workspace.keeper.keep_now()

    def save_state(self) -> Mapping[str, Any]:
        self.workspace.keeper.keep_now()  # the session may end without a question
        return {
            "workspace": self.workspace.save_state(),
            "parts": dict(self._wanted),
            "beside": self.beside.save_state(),
            "below": self.below.save_state(),
            "sizes": {
                name: splitter.sizes()
                for name, splitter in self._splitters().items()
                if all(splitter.sizes())
            },
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        parts = state.get("parts")
        if isinstance(parts, Mapping):
            self._wanted.update(
                {
                    part: on
                    for part, on in parts.items()
                    if part in self._wanted and on in (True, False)
                }
            )
        for side, area in self._areas():
            if isinstance(saved := state.get(side), Mapping):
                area.restore_state(saved)
        sizes = state.get("sizes")
        for name, splitter in self._splitters().items():
            wanted = sizes.get(name) if isinstance(sizes, Mapping) else None
            if isinstance(wanted, list) and all(type(n) is int for n in wanted):
                splitter.setSizes(wanted)
        if isinstance(saved := state.get("workspace"), Mapping):
            self.workspace.restore_state(saved)
        self._show_parts()

    # Keys and files that are dropped.

    def event(self, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if override and key_name(event) == "Ctrl+W" and self.document is not None:  # type: ignore[arg-type]
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        header = self.header.layout()
        order_focus(
            [
                *([header] if header is not None else []),
                self.strip,
                self.files,
                self.start_page,
                self.tabs.bar,
                *(document.view for document in self.workspace.documents()),
                self.below,
                self.beside,
            ]
        )
        return super().focusNextPrevChild(next)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if key_name(event) == "Ctrl+W" and self.document is not None:
            self._on_key("close")
            return
        super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        urls = event.mimeData().urls()
        self.open_paths([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        event.acceptProposedAction()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_parts()

    # How it comes about.

    def _areas(self) -> tuple[tuple[Side, ViewArea], ...]:
        return (("beside", self.beside), ("below", self.below))

    def _views(self) -> list[DocumentView]:
        return [view for _side, area in self._areas() for view in area.views()]

    def _splitters(self) -> dict[str, Splitter]:
        return {"whole": self._whole, "across": self._across, "middle": self._middle}

    def _show_parts(self, forced: str = "") -> None:
        """What the user wants to see, as far as it leaves room for the text."""
        is_open = self.document is not None
        wide = {"files": _NO_FILES_BELOW, "beside": _NO_BESIDE_BELOW, "below": 0}
        there = {
            "files": bool(self.workspace.projects),
            "beside": is_open,
            "below": is_open,
        }
        parts = {"files": self.files, "beside": self.beside, "below": self.below}
        for part, widget in parts.items():
            room = self.width() >= wide[part] or part == forced
            widget.setVisible(self._wanted[part] and there[part] and room)
            self._toggles[part].setVisible(there[part])
            self._toggles[part].setChecked(not widget.isHidden())
        self.header.fit()
        self._stack.setCurrentIndex(1 if is_open else 0)
        if not is_open:
            self.start_page.set_recent(self.workspace.recent())
            bare = self.workspace.without_dockerfile()
            self.start_page.show_folder(bare, self.starting.for_project)

    def _on_chosen(self, document: OpenDocument | None) -> None:
        self.beside.set_document(document)
        self.below.set_document(document)
        self.alerts.set_document(document)
        self._show_parts()
        self.files.set_current(document.path if document is not None else None)
        self._count()
        self.selection_changed.emit()
        self.crumbs_changed.emit()
        if document is not None and self.isVisible():
            document.editor.setFocus()

    def _on_opened(self, document: OpenDocument) -> None:
        document.analysed.connect(partial(self._on_analysed, document))
        margin = Margin(self.context, document)
        margin.pressed.connect(lambda _line: self.show_view("history"))

    def _on_analysed(self, document: OpenDocument) -> None:
        if document is self.document:
            self._count()

    def _count(self) -> None:
        document = self.document
        count = len(document.problems()) if document is not None else 0
        self.below.set_badge("problems", str(count) if count else "")

    def _on_changed(self) -> None:
        documents = self.workspace.documents()
        self.files.set_projects(self.workspace.projects)
        self.files.set_marks({str(d.path): d.modified for d in documents if d.path is not None})
        document = self.document
        self.files.set_current(document.path if document is not None else None)
        self._show_parts()
        self.bound.refresh()
        self.crumbs_changed.emit()

    def _sees(self, run: object) -> bool:
        """Whether a build is on the screen."""
        view = self.below.view("build")
        return view is not None and view.isVisible() and getattr(view, "run", None) is run

    def _show_build(self) -> None:
        """A build has begun: have its view seen, with room for it."""
        self.show_view("build")
        text, below = self._middle.sizes()
        wanted = min(_BUILD_HEIGHT, round((text + below) * _BUILD_SHARE))
        if below < wanted:
            self._middle.setSizes([text + below - wanted, wanted])

    def _on_view_made(self, view: DocumentView) -> None:
        from dockdesk.ui.panes.dockerfiles.context_view import ContextView

        if isinstance(view, ContextView):
            view.warned.connect(self.alerts.set_warnings)
            self.watch.watcher.changed.connect(view.on_files_changed)

    def _on_watch_changed(self) -> None:
        self._watch_button.setChecked(self.watch.state.on)

    def _on_alerts_changed(self) -> None:
        count = len(self.alerts.warnings)
        self.beside.set_badge("context", f"{count} !" if count else "")

    def _on_key(self, name: str) -> None:
        document = self.document
        if name == "close" and document is not None:
            self.workspace.close(document)
        elif name in {"next_tab", "previous_tab"}:
            self.tabs.step(1 if name == "next_tab" else -1)

    def new(self) -> None:
        """A Dockerfile that has no file yet."""
        self.workspace.new()

    def close_folder(self) -> None:
        """Take the folder of the document in front off the list, else the last one."""
        document = self.document
        folders = list(self.workspace.projects)
        own = document.project if document is not None else None
        if folders:
            self.workspace.close_folder(own if own in folders and own else folders[-1])

    def _on_left_behind(self, left: Sequence[LeftBehind]) -> None:
        names = ", ".join(dict.fromkeys(item.name for item in left))
        text = f"{names}: typed before DockDesk ended, and not saved."

        def restore() -> None:
            for item in left:
                self.workspace.restore(item)

        def drop() -> None:
            for item in left:
                self.workspace.keeper.forget(item)

        self.context.notices.show(
            "There are changes that were not saved",
            text,
            tone="warn",
            actions=(NoticeAction("Restore", restore), NoticeAction("Discard", drop)),
        )


def _listed(documents: Sequence[OpenDocument]) -> str:
    names = [document.name for document in documents]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} files"
