"""The folders that are open, each with its files that belong to containers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.labels import Line, PlainLabel
from dockdesk.ui.widgets.plain import one_line, plain_tip

_PATH = Qt.ItemDataRole.UserRole


class ProjectList(QFrame):
    """``opened`` carries a file and its folder, ``close_asked`` a folder to be taken off the list."""

    opened = Signal(object, object)
    close_asked = Signal(object)
    hide_asked = Signal()
    refresh_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._theme = theme
        self._marks: Mapping[str, bool] = {}
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIndentation(14)
        self.tree.setAccessibleName("Files")
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._on_menu_asked)
        self.tree.itemClicked.connect(lambda item, _column: self._open(item))
        self.tree.itemActivated.connect(lambda item, _column: self._open(item))
        head = QHBoxLayout()
        head.setContentsMargins(14, 4, 6, 2)
        head.addWidget(PlainLabel(theme, "Files", "strong"), 1)
        refresh = IconButton(theme, "refresh", "Look for files again", size=16)
        refresh.clicked.connect(self.refresh_asked)
        hide = IconButton(theme, "x", "Hide", size=16)
        hide.clicked.connect(self.hide_asked)
        head.addWidget(refresh)
        head.addWidget(hide)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 6)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(Line())
        column.addWidget(self.tree, 1)

    def set_projects(self, projects: Mapping[Path, Sequence[Path]]) -> None:
        """Folder → its files, as they are to be listed."""
        folded = {
            item.data(0, _PATH)
            for item in self._tops()
            if item is not None and not item.isExpanded()
        }
        self.tree.clear()
        for folder, found in projects.items():
            top = QTreeWidgetItem([one_line(folder.name or str(folder), 80)])
            top.setData(0, _PATH, str(folder))
            top.setIcon(0, self._theme.icon("folder", "muted", 16))
            top.setToolTip(0, plain_tip(str(folder)))
            top.setFont(0, self._theme.font("strong"))
            self.tree.addTopLevelItem(top)
            for path in found:
                shown = os.path.relpath(path, folder)
                item = QTreeWidgetItem([one_line(shown, 120)])
                item.setData(0, _PATH, str(path))
                item.setIcon(
                    0, self._theme.icon(kinds.ICONS[kinds.kind_of(path.name)], "muted", 16)
                )
                item.setToolTip(0, plain_tip(str(path)))
                top.addChild(item)
            if not found:
                none = QTreeWidgetItem(["No Dockerfile yet"])
                none.setDisabled(True)
                top.addChild(none)
            top.setExpanded(str(folder) not in folded)
        self.set_marks(self._marks)

    def set_marks(self, marks: Mapping[str, bool]) -> None:
        """Path of each open document → whether it has changes."""
        self._marks = marks
        for top in self._tops():
            for item in _children(top):
                path = str(item.data(0, _PATH) or "")
                if path:
                    name = item.text(0).removesuffix(" •")
                    item.setText(0, f"{name} •" if marks.get(path) else name)

    def set_current(self, path: Path | None) -> None:
        for top in self._tops():
            for item in _children(top):
                if path is not None and item.data(0, _PATH) == str(path):
                    self.tree.setCurrentItem(item)
                    return
        self.tree.clearSelection()

    def _tops(self) -> list[QTreeWidgetItem]:
        found = [self.tree.topLevelItem(n) for n in range(self.tree.topLevelItemCount())]
        return [item for item in found if item is not None]

    def _open(self, item: QTreeWidgetItem) -> None:
        top = item.parent()
        if top is not None and item.data(0, _PATH):
            self.opened.emit(Path(item.data(0, _PATH)), Path(top.data(0, _PATH)))

    def _on_menu_asked(self, position: QPoint) -> None:
        item = self.tree.itemAt(position)
        if item is None:
            return
        top = item.parent() or item
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if item.parent() is not None and item.data(0, _PATH):
            menu.addAction("Open").triggered.connect(lambda: self._open(item))
        folder = Path(top.data(0, _PATH))
        menu.addAction("Close folder").triggered.connect(lambda: self.close_asked.emit(folder))
        menu.popup(self.tree.viewport().mapToGlobal(position))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.tree.currentItem()
        if event.key() == Qt.Key.Key_Delete and item is not None and item.parent() is None:
            self.close_asked.emit(Path(item.data(0, _PATH)))
            return
        super().keyPressEvent(event)


def _children(top: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = [top.child(number) for number in range(top.childCount())]
    return [item for item in found if item is not None]
