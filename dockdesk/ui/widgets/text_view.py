"""Text to read, taken in without holding the GUI thread."""

from __future__ import annotations

import re
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
        self._place = 0
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

    def set_text(self, text: str, *, keep_place: bool = False) -> None:
        """Show another text; ``keep_place`` stays where one had scrolled to."""
        self._place = self.verticalScrollBar().value() if keep_place else 0
        self._text = text
        self.clear()
        self._rest = chunks(text)
        # The first slice at once, so that nothing flickers; the timer takes the rest, or finds that there is none.
        self._timer.start()
        self._take_slice()

    def select(self, start: int, end: int) -> None:
        """Mark a piece, given in UTF-16 units as `find_all` gives it, and bring it into view."""
        while self.document().characterCount() <= end and self._take_slice():
            pass
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def _take_slice(self) -> bool:
        """Take in a piece; False where there is none left."""
        chunk = next(self._rest, None)
        if chunk is None:
            if self._timer.isActive():
                self._timer.stop()
                self.shown.emit()
            return False
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(chunk)
        if self._place and self.verticalScrollBar().maximum() >= self._place:
            self.verticalScrollBar().setValue(self._place)
            self._place = 0
        return True

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


def find_all(text: str, needle: str, limit: int = 10_000) -> list[tuple[int, int]]:
    """Where ``needle`` stands in ``text``, in any case: starts and ends in UTF-16 units, which documents count in.

    For a worker thread.
    """
    if not needle:
        return []
    found: list[tuple[int, int]] = []
    place = units = 0
    for match in re.finditer(re.escape(needle), text, re.IGNORECASE):
        start = units + _units(text[place : match.start()])
        end = start + _units(match.group())
        found.append((start, end))
        place, units = match.end(), end
        if len(found) >= limit:
            break
    return found


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
