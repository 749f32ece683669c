"""A field for a path on this computer: typed, picked, or dropped onto it."""

from __future__ import annotations

import os
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton

PathKind = Literal["open", "save", "folder"]


class PathField(QWidget):
    """``path`` is what was typed with ~ written out; whether it exists is for the work that uses it to find out."""

    changed = Signal()

    def __init__(
        self, theme: Theme, kind: PathKind, title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._title = title
        self.edit = QLineEdit(self)
        self.edit.textChanged.connect(self.changed)
        self.edit.setAcceptDrops(False)
        self.setAcceptDrops(True)
        words = "Choose a folder…" if kind == "folder" else "Choose a file…"
        self.browse = IconButton(theme, "folder-open", words, parent=self)
        self.browse.clicked.connect(self._on_browse_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.edit, 1)
        layout.addWidget(self.browse)
        self.setFocusProxy(self.edit)

    def path(self) -> str:
        return os.path.expanduser(self.edit.text().strip())

    def set_path(self, path: str) -> None:
        self.edit.setText(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.edit.setText(url.toLocalFile())
                event.acceptProposedAction()
                return

    def _on_browse_clicked(self) -> None:
        dialog = QFileDialog(self.window(), self._title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._kind == "folder":
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        elif self._kind == "save":
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if path := self.path():
            dialog.setDirectory(os.path.dirname(path))
            dialog.selectFile(os.path.basename(path))
        dialog.fileSelected.connect(self.edit.setText)
        dialog.open()
