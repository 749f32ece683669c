"""Text to read, taken in without holding the GUI thread."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from dockdesk.ui.theme import Theme

_CHUNK_LINES = 300
_CHUNK_CHARACTERS = 24_000


class TextView(QPlainTextEdit):
    """Monospaced text that can be marked and copied, but not changed. Long texts come in a slice at a time: about 3 ms
    for 300 lines. ``shown`` tells that all of it is there.
    """

    shown = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self._rest: Iterator[str] = iter(())
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._take_slice)
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setProperty("look", "plain")
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def text(self) -> str:
        """All of the text, also while it is still coming in."""
        return self._text

    def set_text(self, text: str) -> None:
        self._text = text
        self.clear()
        self._rest = chunks(text)
        # The first slice at once, so that nothing flickers; the timer takes the rest, or finds that there is none.
        self._timer.start()
        self._take_slice()

    def _take_slice(self) -> None:
        chunk = next(self._rest, None)
        if chunk is None:
            self._timer.stop()
            self.shown.emit()
            return
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(chunk)

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font("mono"))


def chunks(text: str) -> Iterator[str]:
    """``text`` in pieces of at most 300 lines and 24,000 characters."""
    start = 0
    while start < len(text):
        end, lines = start, 0
        limit = min(len(text), start + _CHUNK_CHARACTERS)
        while end < limit and lines < _CHUNK_LINES:
            found = text.find("\n", end, limit)
            end = limit if found < 0 else found + 1
            lines += 1
        yield text[start:end]
        start = end
