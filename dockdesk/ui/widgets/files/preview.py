"""What is in a file."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.units import bytes_text
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.files.source import (
    PREVIEW_BYTES,
    FileSource,
    Preview,
    link_target,
    make_preview,
)
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.text_view import TextView

_MORE = 4
_MOST_BYTES = 4 << 20


class FilePreview(QWidget):
    """Text, or the bytes of a binary file, up to a limit that can be raised. Reads off the GUI thread."""

    previewed = Signal(object)

    def __init__(self, theme: Theme, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._source: FileSource | None = None
        self._entry: FileEntry | None = None
        self._limit = PREVIEW_BYTES
        self.text = TextView(theme)
        self.text.setAccessibleName("Content of the file")
        self.state = EmptyState(theme)
        self._loading = LoadingState(theme, "Reading…")
        self._pages = QStackedWidget(self)
        for page in (self.state, self._loading, self.text):
            self._pages.addWidget(page)
        self._name = ElidedLabel(theme, "", "strong")
        self._note = PlainLabel(theme, "", "small", "muted")
        self._more = Button(theme, "Show more", look="flat")
        self._more.clicked.connect(self._on_more_clicked)
        header = QHBoxLayout()
        header.setSpacing(8)
        header.addWidget(self._name, 1)
        header.addWidget(self._note)
        header.addWidget(self._more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(header)
        layout.addWidget(self._pages, 1)
        self.show_entry(None, None)

    def show_entry(self, source: FileSource | None, entry: FileEntry | None) -> None:
        """Show a file; None, or what is no file, shows a word instead."""
        self._source, self._entry, self._limit = source, entry, PREVIEW_BYTES
        self._name.setText(entry.name if entry is not None else "")
        self._note.setText("")
        self._more.hide()
        if source is None or entry is None:
            self._say("file-search", "Nothing is selected", "Select a file to see what is in it.")
        elif entry.kind == "folder":
            self._say("folder", "A folder", "Enter or a double click opens it.")
        elif entry.kind == "deleted":
            self._say("file-x", "Deleted", "The image has it; here it is gone.")
        elif entry.kind not in {"file", "link"}:
            self._say("file-unknown", "No regular file", "A device, socket or pipe has no content.")
        else:
            self._read(source, entry)

    def show_several(self, entries: Sequence[FileEntry]) -> None:
        """Say how many are selected, and how large the files among them are."""
        self.show_entry(None, None)
        files = [entry for entry in entries if entry.kind == "file"]
        folders = sum(entry.kind == "folder" for entry in entries)
        parts = [_counted(folders, "folder")] if folders else []
        if files:
            size = bytes_text(sum(entry.size for entry in files))
            parts.append(f"{_counted(len(files), 'file')} of {size}")
        self._say("file", f"{len(entries)} are selected", " and ".join(parts))

    def _read(self, source: FileSource, entry: FileEntry) -> None:
        limit = self._limit
        path = link_target(entry) if entry.kind == "link" else entry.path
        self._pages.setCurrentWidget(self._loading)
        self._jobs.submit(
            self,
            lambda _work: make_preview(entry.path, *source.read(path, limit)),
            self._on_read,
            self._on_failed,
            lane=source.lane,
            question="preview",
        )

    def _on_read(self, preview: Preview) -> None:
        if self._entry is None or preview.path != self._entry.path:
            return
        if preview.kind == "empty":
            self._say("file", "Empty", "The file has no content.")
        else:
            self.text.set_text(preview.text)
            self._pages.setCurrentWidget(self.text)
        self._note.setText(self._words(preview))
        self._more.setVisible(preview.cut and preview.kind == "text" and self._limit < _MOST_BYTES)
        self.previewed.emit(preview)

    def _words(self, preview: Preview) -> str:
        kind = {"hex": "binary", "text": "text"}.get(preview.kind, "")
        if not preview.cut:
            return kind
        size = self._entry.size if self._entry is not None else 0
        whole = f" of {bytes_text(size)}" if size > preview.shown_bytes else ""
        return f"{kind}, the first {bytes_text(preview.shown_bytes)}{whole}"

    def _on_failed(self, error: DockDeskError) -> None:
        if self._entry is not None and self._entry.kind == "link":
            # Most often it leads to a folder, which is no failure.
            self._say("link", f"A link to {self._entry.link_target}", "Enter follows it.")
            return
        self._pages.setCurrentWidget(self.state)
        self.state.show_error(error, (StateButton("Try again", self._on_again, icon="refresh"),))

    def _on_again(self) -> None:
        if self._source is not None and self._entry is not None:
            self._read(self._source, self._entry)

    def _on_more_clicked(self) -> None:
        self._limit = min(self._limit * _MORE, _MOST_BYTES)
        self._on_again()

    def _say(self, icon: str, title: str, text: str) -> None:
        self._pages.setCurrentWidget(self.state)
        self.state.show_message(icon, title, text)


def _counted(count: int, word: str) -> str:
    return f"1 {word}" if count == 1 else f"{count} {word}s"
