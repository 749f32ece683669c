"""What is underlined: findings that move with the text while it is typed, until newer ones come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextEdit

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor.language import Mark
from dockdesk.ui.widgets.editor.units import to_units

_SHOWN = 500
_WORST: Sequence[Tone] = ("bad", "warn", "info", "muted")


class MarkLayer(QObject):
    """Holds a cursor for each mark: Qt moves it with the text. All positions are Qt's."""

    def __init__(self, document: QTextDocument, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._theme = theme
        self._held: list[tuple[Mark, QTextCursor]] = []
        self._selections: list[QTextEdit.ExtraSelection] | None = None

    def set_marks(self, marks: Sequence[Mark]) -> None:
        self._held = [(mark, self._cursor(mark)) for mark in marks[:_SHOWN]]
        self._selections = None

    def recolour(self) -> None:
        self._selections = None

    def selections(self) -> list[QTextEdit.ExtraSelection]:
        if self._selections is None:
            self._selections = [
                self._underline(mark, cursor) for mark, cursor in reversed(self._held)
            ]
        return self._selections

    def at(self, position: int) -> list[Mark]:
        """The marks under a position."""
        return [m for m, c in self._held if c.selectionStart() <= position <= c.selectionEnd()]

    def on_line(self, line: int) -> list[Mark]:
        """The marks that begin on a line."""
        block = self._document.findBlockByNumber(line)
        first, last = block.position(), block.position() + block.length() - 1
        return [m for m, c in self._held if first <= c.selectionStart() <= last]

    def count(self, code: str) -> int:
        """How many marks of a kind there are."""
        return sum(mark.code == code for mark, _cursor in self._held)

    def places(self) -> list[tuple[int, int]]:
        """Line and position of each mark as it stands now, in the order of the text."""
        found = [
            (self._document.findBlock(c.selectionStart()).blockNumber(), c.selectionStart())
            for _mark, c in self._held
        ]
        return sorted(found)

    def tones(self) -> dict[int, Tone]:
        """The worst tone of each line that has marks."""
        worst: dict[int, Tone] = {}
        for mark, cursor in self._held:
            line = self._document.findBlock(cursor.selectionStart()).blockNumber()
            known = worst.get(line)
            if known is None or _rank(mark.tone) < _rank(known):
                worst[line] = mark.tone
        return worst

    def _cursor(self, mark: Mark) -> QTextCursor:
        cursor = QTextCursor(self._document)
        start = self._position(mark.line, mark.column)
        end = max(start, self._position(mark.end_line, mark.end_column))
        block = self._document.findBlock(start)
        if end == start:  # a mark of nothing could not be seen
            end = min(start + 1, block.position() + block.length() - 1)
            start = max(block.position(), end - 1)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _position(self, line: int, column: int) -> int:
        block = self._document.findBlockByNumber(max(0, line))
        if not block.isValid():
            return max(0, self._document.characterCount() - 1)
        return block.position() + to_units(block.text(), column)

    def _underline(self, mark: Mark, cursor: QTextCursor) -> QTextEdit.ExtraSelection:
        form = QTextCharFormat()
        wave = mark.tone in {"bad", "warn"}
        style = QTextCharFormat.UnderlineStyle
        form.setUnderlineStyle(style.WaveUnderline if wave else style.DotLine)
        form.setUnderlineColor(self._theme.tone(mark.tone))
        made = QTextEdit.ExtraSelection()
        made.cursor, made.format = cursor, form
        return made


def _rank(tone: Tone) -> int:
    return _WORST.index(tone) if tone in _WORST else len(_WORST)
