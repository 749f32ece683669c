"""Colours for indented JSON."""

from __future__ import annotations

import re

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme

_LINE_LIMIT = 2000
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)'
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<literal>true|false|null)"
)
_TONES: dict[str, Tone] = {"key": "info", "text": "good", "number": "warn", "literal": "bad"}


class JsonHighlighter(QSyntaxHighlighter):
    """Colours a line at a time, from its own text alone: indented JSON has no token over two lines.

    After a change of theme it colours what comes in from then on: colouring a long text anew would hold the GUI thread.
    """

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        self._formats: dict[str, QTextCharFormat] = {}
        theme.changed.connect(self._set_formats)
        self._set_formats()

    def highlightBlock(self, text: str) -> None:
        if len(text) > _LINE_LIMIT:
            return
        for found in _TOKEN.finditer(text):
            kind = found.lastgroup or "text"
            self.setFormat(found.start(), found.end() - found.start(), self._formats[kind])

    def _set_formats(self) -> None:
        for kind, tone in _TONES.items():
            made = QTextCharFormat()
            made.setForeground(self._theme.tone(tone))
            self._formats[kind] = made
