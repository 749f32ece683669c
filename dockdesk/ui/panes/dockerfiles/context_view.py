"""What a build would send, by folder and size, with the ignore rules edited beside it and their effect seen at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.core.units import bytes_text
from dockdesk.dockerfile.context_warnings import ContextWarning, context_warnings
from dockdesk.dockerfile.ignore_edits import leave_out, send_after_all, with_line
from dockdesk.dockerfile.inventory import FOLDER
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.context_columns import biggest, notes, suggestions
from dockdesk.ui.panes.dockerfiles.context_lists import FindingList
from dockdesk.ui.panes.dockerfiles.context_look import ContextLook
from dockdesk.ui.panes.dockerfiles.context_model import ContextModel
from dockdesk.ui.panes.dockerfiles.context_parts import Chosen, Secrets
from dockdesk.ui.panes.dockerfiles.context_tree import ContextTree
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.ignore_editor import IgnoreEditor
from dockdesk.ui.panes.dockerfiles.treemap import Tile, Treemap
from dockdesk.ui.panes.dockerfiles.views import DocumentView
from dockdesk.ui.widgets.buttons import IconButton, Segment, SegmentedControl
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.labels import ElidedLabel, Line
from dockdesk.ui.widgets.splitter import Splitter

_SIDE_BY_SIDE = 620  # pixels of width from which the rules stand beside the tree
_PARTS = ("tree", "biggest", "advice")


class ContextView(DocumentView):
    """``warned`` carries the ContextWarnings of what is shown, each time they may be others."""

    warned = Signal(object)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.look = ContextLook(context.jobs, self)
        self.look.looked.connect(self._on_looked)
        self.look.judged.connect(self._on_judged)
        self.look.failed.connect(self._on_failed)
        self.model = ContextModel(self)
        self._unfolded: list[str] = []
        self._shown_for: tuple[Path | None, Path | None] | None = None
        self.ignore = IgnoreEditor(context, self._paths)
        self.ignore.edited.connect(self._on_edited)
        self._lay_out()

    def _lay_out(self) -> None:
        theme = self.context.theme
        self.summary = ElidedLabel(theme, "", "strong")
        self.left = ElidedLabel(theme, "", "small", "muted")
        for label in (self.summary, self.left):
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        refresh = IconButton(theme, "refresh", "Read the folder again", size=16)
        refresh.clicked.connect(self.refresh)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.summary)
        words.addWidget(self.left)
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 8, 6)
        head.addLayout(words, 1)
        head.addWidget(refresh)
        self.map = Treemap(theme)
        self.map.chosen.connect(self._show_entry)
        self.secrets = Secrets(theme)
        self.secrets.line_asked.connect(self._add_line)
        self.secrets.show_asked.connect(self._show_path)
        self.parts = SegmentedControl(
            theme,
            [
                Segment("tree", "Folders"),
                Segment("biggest", "Biggest"),
                Segment("advice", "Advice"),
            ],
        )
        self.parts.changed.connect(self._show_part)
        self.tree = ContextTree(theme, self.model)
        self.tree.chosen.connect(self._on_chosen)
        self.tree.customContextMenuRequested.connect(self._on_menu_asked)
        self.lists = {id: FindingList(theme, id, self) for id in _PARTS[1:]}
        for found in self.lists.values():
            found.path_asked.connect(self._show_path)
            found.line_asked.connect(self._add_line)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.tree)
        for id in _PARTS[1:]:
            self._pages.addWidget(self.lists[id])
        self.foot = Chosen(theme)
        self.foot.leave_asked.connect(self._leave_out)
        self.foot.send_asked.connect(self._send)
        self.foot.open_asked.connect(self._open_outside)
        self.foot.rule_asked.connect(self._go_to_rule)
        self._put_together(head)

    def _put_together(self, head: QHBoxLayout) -> None:
        theme = self.context.theme
        segments = QHBoxLayout()
        segments.setContentsMargins(12, 8, 8, 4)
        segments.addWidget(self.parts)
        segments.addStretch(1)
        around = QVBoxLayout()
        around.setContentsMargins(12, 0, 12, 0)
        around.setSpacing(8)
        around.addWidget(self.map)
        around.addWidget(self.secrets)
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(around)
        column.addLayout(segments)
        column.addWidget(self._pages, 1)
        column.addWidget(self.foot)
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        lower.setSpacing(0)
        self._line = Line()
        lower.addWidget(self._line)
        lower.addWidget(self.ignore, 1)
        self.splitter = Splitter(Qt.Orientation.Vertical, (3, 2))
        self.splitter.addWidget(top)
        self.splitter.addWidget(below)
        self.splitter.setSizes([520, 220])
        self._below = below
        self.empty = EmptyState(theme)
        self.loading = LoadingState(theme, "Looking at the files…")
        self._stack = QStackedWidget()
        for page in (self.empty, self.loading, self.splitter):
            self._stack.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._stack)

    # What it is about.

    def set_document(self, document: OpenDocument | None) -> None:
        super().set_document(document)
        if document is not None:
            self.follow(document.moved, self._on_moved)
            if document.kind == kinds.IGNORE:
                self.follow(document.changed, self._on_edited)
        self._below.setVisible(document is None or document.kind != kinds.IGNORE)
        self._renew()

    def shown(self) -> None:
        self.ignore.set_watching(True)
        self._renew(again=True)

    def hidden(self) -> None:
        self.ignore.set_watching(False)

    def refresh(self) -> None:
        """Read the folder again, and the ignore file with it."""
        self._renew(again=True)

    def on_files_changed(self, _paths: object) -> None:
        """Files of the context changed: read it again, if it is seen."""
        self._renew(again=True)

    def may_close(self) -> str | None:
        unsaved = self.ignore.unsaved()
        if not unsaved:
            return None
        self.ignore.keeper.keep_now()
        kept = "They are kept." if self.context.data is not None else "They would be lost."
        return f"Changes in {unsaved[0].name} are not saved. {kept}"

    def save_state(self) -> Mapping[str, Any]:
        return {"part": self.parts.current()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if state.get("part") in _PARTS:
            self.parts.set_current(str(state["part"]))

    def rules_text(self) -> str:
        """The rules as they are now, saved or not."""
        document = self.document
        if document is not None and document.kind == kinds.IGNORE:
            return document.text()
        return self.ignore.text()

    def _renew(self, again: bool = False) -> None:
        """Look at another folder, or at the same one once more; nothing is read while it isn't seen."""
        document = self.document
        folder = document.context_folder if document is not None else None
        if folder is None:
            self._shown_for = None
            self.look.forget()
            self.model.show_inventory(None, None, "")
            self.empty.show_message(
                "folder",
                "No folder yet",
                "Save the Dockerfile into a folder to see what a build of it would send."
                if document is not None
                else "Open a Dockerfile to see what a build of it would send.",
            )
            self._stack.setCurrentWidget(self.empty)
            return
        if not self.isVisible():
            return
        own = document.path if document is not None and document.kind == kinds.DOCKERFILE else None
        wanted = (folder, own)
        if wanted == self._shown_for and not again:
            return
        another = wanted != self._shown_for
        self._shown_for = wanted
        if another or self.look.inventory is None:
            self.look.forget()
            self._stack.setCurrentWidget(self.loading)
        if document is not None and document.kind == kinds.IGNORE:
            self._look()
        else:
            # The folder is read once its rules are known, which `edited` tells.
            self.ignore.show_for(folder, own)

    def _look(self) -> None:
        if self._shown_for is not None and (folder := self._shown_for[0]) is not None:
            self._unfolded = self.tree.unfolded()
            self.look.look(folder, self.rules_text())

    def _on_moved(self) -> None:
        self._renew()

    def _on_edited(self) -> None:
        """The rules changed: by a key, or since another file, or the same one read again, is shown."""
        if self._shown_for is None:
            return
        if self.ignore.just_shown():
            self._look()
        else:
            self.look.set_rules(self.rules_text())

    # What is shown.

    def _on_looked(self) -> None:
        look = self.look
        chosen = self._path(self.tree.current())
        self.model.show_inventory(look.inventory, look.verdict, look.text)
        self.tree.unfold(self._unfolded)
        if chosen:
            self._show_path(chosen)
        self._stack.setCurrentWidget(self.splitter)
        self._show()

    def _on_judged(self) -> None:
        if self.look.verdict is not None:
            self.model.show_verdict(self.look.verdict, self.look.text)
            self.tree.viewport().update()
            self._show()

    def _on_failed(self, error: DockDeskError) -> None:
        self._shown_for = None
        self.empty.show_error(error, (StateButton("Try again", self.refresh, icon="refresh"),))
        self._stack.setCurrentWidget(self.empty)

    def _show(self) -> None:
        inventory, verdict = self.look.inventory, self.look.verdict
        if inventory is None or verdict is None:
            return
        files, left = verdict.files[0], verdict.left_files[0]
        noun = "file" if files == 1 else "files"
        self.summary.setText(f"{bytes_text(verdict.bytes[0])} in {files:,} {noun} sent")
        words = f"{bytes_text(verdict.left_bytes[0])} in {left:,} left out" if left else ""
        if not inventory.complete:
            words = f"Only the first {len(inventory):,} entries were looked at. {words}"
        self.left.setText(words or "Nothing is left out.")
        self.map.show_tiles(self._tiles())
        warnings = context_warnings(verdict)
        self.secrets.show_warnings([w for w in warnings if w.tone == "warn"])
        advice = [*suggestions(verdict), *notes(verdict)]
        self.parts.button("advice").setText(f"Advice {len(advice)}" if advice else "Advice")
        self.lists["biggest"].set_rows(biggest(verdict))
        self.lists["advice"].set_rows(advice)
        self._on_chosen(self.tree.current())
        self.warned.emit(warnings)

    def warnings(self) -> Sequence[ContextWarning]:
        """What is worth saying before this context is sent; empty while it isn't known."""
        return context_warnings(self.look.verdict) if self.look.verdict is not None else ()

    def _tiles(self) -> list[Tile]:
        inventory, verdict = self.look.inventory, self.look.verdict
        assert inventory is not None
        assert verdict is not None
        return [
            Tile(
                entry,
                inventory.name(entry) + ("/" if inventory.kinds[entry] == FOLDER else ""),
                self.model.size_text(entry),
                verdict.bytes[entry],
                verdict.left_bytes[entry],
            )
            for entry in inventory.entries(0)
        ]

    def _show_part(self, id: str) -> None:
        self._pages.setCurrentIndex(_PARTS.index(id))
        self.foot.setVisible(id == "tree" and bool(self.tree.current()))

    def _on_chosen(self, entry: int) -> None:
        path = self._path(entry)
        on_tree = self.parts.current() == "tree"
        self.foot.setVisible(bool(path) and on_tree)
        if path:
            self.foot.show_entry(
                self.model.state(entry), self.model.rule(entry), self.model.line(entry)
            )

    def _path(self, entry: int) -> str:
        inventory = self.model.inventory
        return inventory.path(entry) if inventory is not None and 0 < entry < len(inventory) else ""

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _SIDE_BY_SIDE
        wanted = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)
            self._line.setVisible(not wide)
            room = self.width() if wide else self.height()
            self.splitter.setSizes([room * 3 // 5, room * 2 // 5])

    # What can be done.

    def _show_entry(self, entry: int) -> None:
        self.parts.set_current("tree")
        self.tree.show_entry(entry)

    def _show_path(self, path: str) -> None:
        inventory = self.model.inventory
        if inventory is not None and (entry := inventory.find(path)) is not None:
            self._show_entry(entry)

    def _change(self, text: str) -> None:
        """Put other rules into the ignore file that is shown: one step of its undo."""
        document = self.document
        if document is not None and document.kind == kinds.IGNORE:
            document.set_text(text)
        else:
            self.ignore.propose(text)

    def _add_line(self, line: str) -> None:
        self._change(with_line(self.rules_text(), line))

    def _leave_out(self) -> None:
        if path := self._path(self.tree.current()):
            self._change(leave_out(self.rules_text(), path))

    def _send(self) -> None:
        if path := self._path(self.tree.current()):
            self._change(send_after_all(self.rules_text(), path))

    def _go_to_rule(self) -> None:
        line = self.model.line(self.tree.current())
        document = self.document
        if line >= 0 and document is not None and document.kind == kinds.IGNORE:
            document.go_to(line)
        elif line >= 0:
            self.ignore.go_to(line)

    def _open_outside(self) -> None:
        """Its folder in the file manager."""
        path, folder = self._path(self.tree.current()), self.look.folder
        if path and folder is not None:
            inside = folder / path
            place = inside if self.model.is_folder(self.tree.current()) else inside.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))

    def _on_menu_asked(self, spot: QPoint) -> None:
        menu = self.menu()
        if menu is not None:
            menu.popup(self.tree.viewport().mapToGlobal(spot))

    def menu(self) -> QMenu | None:
        """What can be done with the chosen entry."""
        entry = self.tree.current()
        path = self._path(entry)
        if not path:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        icon = self.context.theme.icon
        if self.model.state(entry) != "none":
            menu.addAction(icon("eye-off"), "Leave out").triggered.connect(self._leave_out)
        if self.model.state(entry) != "all":
            menu.addAction(icon("eye"), "Send after all").triggered.connect(self._send)
        if self.model.line(entry) >= 0:
            menu.addAction("Go to the rule").triggered.connect(self._go_to_rule)
        menu.addSeparator()
        menu.addAction("Open in the file manager").triggered.connect(self._open_outside)
        menu.addAction("Copy path").triggered.connect(
            lambda: QGuiApplication.clipboard().setText(path)
        )
        return menu

    def _paths(self, prefix: str) -> list[str]:
        """Paths of the context that begin so, for completion; any thread."""
        inventory = self.look.inventory
        if inventory is None:
            return []
        folder, _slash, start = prefix.rpartition("/")
        here = inventory.find(folder) if folder else 0
        if here is None or inventory.kinds[here] != FOLDER:
            return []
        before = f"{folder}/" if folder else ""
        return [
            before + name + ("/" if inventory.kinds[entry] == FOLDER else "")
            for entry in inventory.entries(here)
            if (name := inventory.name(entry)).startswith(start)
        ]
