"""Puts a text into a document a piece at a time: Qt takes 3 µs a line, and a large file has ten thousands of them."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QTextCursor, QTextDocument

_PIECE = 4096  # characters
_SLICE_S = 0.004
_PAUSE_MS = 2


class Filling(QObject):
    """Fills an empty document that nobody sees or edits yet; `begin`, then ``done`` is called once, in a later turn.

    There is nothing to undo afterwards, and nothing to save.
    """

    def __init__(
        self, document: QTextDocument, text: str, done: Callable[[], None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._text = text
        self._at = 0
        self._done = done
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._go_on)

    def begin(self) -> None:
        self._document.setUndoRedoEnabled(False)
        self._timer.start()

    def _go_on(self) -> None:
        if self._at >= len(self._text):
            self._timer.stop()
            self._document.setUndoRedoEnabled(True)
            self._document.setModified(False)
            self._done()
            self.deleteLater()
            return
        end = QTextCursor(self._document)
        end.movePosition(QTextCursor.MoveOperation.End)
        until = time.perf_counter() + _SLICE_S
        while self._at < len(self._text) and time.perf_counter() < until:
            end.insertText(self._text[self._at : self._at + _PIECE])
            self._at += _PIECE
