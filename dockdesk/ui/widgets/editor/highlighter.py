"""Colours a document line by line, what changed first, in slices that leave time to paint.

QSyntaxHighlighter would colour a whole file before it returns. This one does the same to the blocks' layouts, but stops
after a few milliseconds and goes on when the event loop comes round.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextDocument, QTextLayout

from dockdesk.ui.widgets.editor.language import Language
from dockdesk.ui.widgets.editor.units import simple, to_units

_SLICE_S = 0.004
_PAUSE_MS = 2  # keys and paints come before the next slice
_AT_ONCE = 2000  # characters: what is typed is coloured as it appears, what is loaded comes first


class Highlighter(QObject):
    """Keeps the state that each line ends in as its block's user state; a change goes on until states agree again.

    ``finished`` tells that all of the document is coloured.
    """

    finished = Signal()

    def __init__(self, document: QTextDocument, language: Language, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._language = language
        self._formats: Mapping[str, QTextCharFormat] = {}
        self._ids: dict[Hashable, int] = {None: 0}
        self._states: list[Hashable] = [None]
        self._next, self._until = 0, -1  # blocks still to be coloured; at least up to the second
        self._blocks = document.blockCount()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._work)
        document.contentsChange.connect(self._on_contents_change)

    def set_language(self, language: Language) -> None:
        self._language = language
        self._ids, self._states = {None: 0}, [None]
        self.redo()

    def set_formats(self, formats: Mapping[str, QTextCharFormat]) -> None:
        """Use other colours, from the top."""
        self._formats = formats
        self.redo()

    def redo(self) -> None:
        block = self._document.firstBlock()
        while block.isValid():
            block.setUserState(-1)
            block = block.next()
        self._next, self._until = 0, self._document.blockCount() - 1
        self._timer.start()

    @property
    def busy(self) -> bool:
        return self._next <= self._until

    def _on_contents_change(self, position: int, _removed: int, added: int) -> None:
        first = self._document.findBlock(position).blockNumber()
        end = self._document.findBlock(position + added)
        last = end.blockNumber() if end.isValid() else self._document.blockCount() - 1
        grown = self._document.blockCount() - self._blocks
        self._blocks = self._document.blockCount()
        if self.busy:
            if self._until >= first:
                self._until += grown
            if self._next > first:
                self._next = first
            self._until = max(self._until, last)
        else:
            self._next, self._until = first, last
        if added > _AT_ONCE:
            self._timer.start()
        else:
            self._work()

    def _work(self) -> None:
        if not self.busy:
            return
        block = self._document.findBlockByNumber(self._next)
        state = self._state_before(block)
        deadline = time.perf_counter() + _SLICE_S
        while block.isValid():
            spans, state = self._language.scan_line(text := block.text(), state)
            self._colour(block, text, spans)
            known, ended = block.userState(), self._id(state)
            block.setUserState(ended)
            self._next = block.blockNumber() + 1
            if self._next > self._until and known == ended:
                break
            self._until = max(self._until, self._next)
            block = block.next()
            if time.perf_counter() > deadline and block.isValid():
                self._timer.start()
                return
        self._next, self._until = 0, -1
        self._timer.stop()
        self.finished.emit()

    def _state_before(self, block: QTextBlock) -> Hashable:
        before = block.previous()
        known = before.userState() if before.isValid() else 0
        return self._states[known] if 0 <= known < len(self._states) else None

    def _id(self, state: Hashable) -> int:
        if (known := self._ids.get(state)) is None:
            known = self._ids[state] = len(self._states)
            self._states.append(state)
        return known

    def _colour(self, block: QTextBlock, text: str, spans: object) -> None:
        layout = block.layout()
        ranges: list[QTextLayout.FormatRange] = []
        plain = simple(text)
        for span in spans:  # type: ignore[attr-defined]
            form = self._formats.get(span.kind)
            if form is None or span.end <= span.start:
                continue
            made = QTextLayout.FormatRange()
            start, end = span.start, span.end
            if not plain:
                start, end = to_units(text, start), to_units(text, end)
            made.start, made.length, made.format = start, end - start, form
            ranges.append(made)
        if ranges or layout.formats():
            layout.setFormats(ranges)
            self._document.markContentsDirty(block.position(), block.length())
