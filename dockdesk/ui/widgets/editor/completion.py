"""Completion: when it is asked for, what is offered, what keys do meanwhile, and the places of a snippet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QTextCursor

from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor.language import Candidate, Candidates
from dockdesk.ui.widgets.editor.snippets import indented
from dockdesk.ui.widgets.editor.units import to_units

if TYPE_CHECKING:
    from dockdesk.ui.widgets.editor.editor import CodeEditor
    from dockdesk.ui.widgets.editor.popup import CompletionPopup

_SHOWN = 200
_PAUSE_MS = 40  # shorter than between two keys of a quick typist
_KEEP = QTextCursor.MoveMode.KeepAnchor


def fitting(items: Sequence[Candidate], typed: str) -> list[Candidate]:
    """Those that begin with what was typed, then those that hold it, then those with its letters in this order."""
    wanted = typed.casefold()
    if not wanted:
        return list(items[:_SHOWN])
    ranked: list[tuple[int, int, Candidate]] = []
    for number, item in enumerate(items):
        label = item.label.casefold()
        if label.startswith(wanted):
            rank = 0
        elif wanted in label:
            rank = 1
        elif _in_order(wanted, label):
            rank = 2
        else:
            continue
        ranked.append((rank, number, item))
    ranked.sort(key=lambda entry: entry[:2])
    return [item for _rank, _number, item in ranked[:_SHOWN]]


def _in_order(letters: str, text: str) -> bool:
    at = 0
    for letter in letters:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True


class Completer(QObject):
    """Asks the language on a worker; an answer that comes after the cursor has left is dropped."""

    def __init__(self, theme: Theme, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._theme = theme
        self._editor = editor
        self._popup: CompletionPopup | None = None
        self._offered = Candidates()
        self._line = -1
        self._deliberate = False  # asked for or moved in: Enter then accepts
        self._stops: list[QTextCursor] = []
        self._stop = -1
        self._asked = 0  # questions so far: an answer to an older one is dropped
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._on_paused)

    @property
    def open(self) -> bool:
        return self._popup is not None and self._popup.isVisible()

    @property
    def takes_tab(self) -> bool:
        """Whether Tab is a key of its own now: it accepts, or goes through a snippet."""
        return self.open or bool(self._stops)

    @property
    def popup(self) -> CompletionPopup:
        """Made when it is first needed."""
        if self._popup is None:
            from dockdesk.ui.widgets.editor.popup import CompletionPopup

            self._popup = CompletionPopup(self._theme, self._editor)
            self._popup.chosen.connect(self.accept)
        return self._popup

    def ask(self, deliberate: bool = True) -> None:
        """Offer what may stand at the cursor."""
        editor = self._editor
        text, language = editor.text(), editor.language
        line, column = editor.cursor_place()
        self._asked += 1
        asked = self._asked
        editor.jobs.submit(
            self,
            lambda _work: language.complete(text, line, column),
            lambda found: self._on_found(asked, found, (line, column), deliberate),
            self._on_failed,
            question="complete",
        )

    def typed(self, text: str) -> None:
        """Something was typed, or erased, at the cursor."""
        triggers = self._editor.language.triggers
        if (text and (text[-1] in triggers or text[-1].isalnum() or text[-1] in "_-./")) or (
            self.open and not text.isspace()
        ):
            self._pause.start()
        elif text.isspace() and not (text == " " and " " in triggers):
            self.close()

    def _on_paused(self) -> None:
        self.ask(deliberate=self.open and self._deliberate)

    def cursor_moved(self) -> None:
        if self.open:
            self._refilter()
        if self._stops and not self._in_a_stop():
            self._stops.clear()

    def close(self) -> None:
        self._pause.stop()
        self._asked += 1
        if self._popup is not None:
            self._popup.hide()
        self._deliberate = False

    def wants(self, event: QKeyEvent) -> bool:
        """Whether `take_key` would take it."""
        keys = {Qt.Key.Key_Escape}
        if self.open:
            keys |= {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Tab, Qt.Key.Key_Return}
            return event.key() in keys
        return bool(self._stops) and event.key() in keys

    def take_key(self, event: QKeyEvent) -> bool:
        """Answer a key while the list is open, or while a snippet is filled in; False leaves it to the editor."""
        key = event.key()
        if not self.open:
            if self._stops and key == Qt.Key.Key_Escape:
                self._stops.clear()
                return True
            return False
        popup = self.popup
        steps = {
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageUp: -popup.page,
            Qt.Key.Key_PageDown: popup.page,
        }
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if (step := steps.get(Qt.Key(key))) is not None:
            popup.step(step)
            self._deliberate = True
            return True
        if key == Qt.Key.Key_Escape:
            self.close()
            return True
        current = popup.current()
        enter = key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if current is not None and (key == Qt.Key.Key_Tab or (enter and self._deliberate)):
            self.accept(current)
            return True
        if enter:
            self.close()
        return False

    def accept(self, item: Candidate) -> None:
        """Put a candidate in the place of what was typed."""
        editor = self._editor
        self.close()
        cursor = editor.textCursor()
        block = cursor.block()
        start = block.position() + to_units(block.text(), self._offered.start)
        cursor.beginEditBlock()
        end = max(cursor.position(), start)
        cursor.setPosition(start)
        cursor.setPosition(end, _KEEP)
        line = block.text()
        indent = line[: len(line) - len(line.lstrip())]
        text = item.text
        stops: list[tuple[int, int]] = []
        if item.stops:
            text, stops = indented(item.text, item.stops, indent)
        cursor.insertText(text)
        cursor.endEditBlock()
        editor.setTextCursor(cursor)
        if stops:
            self._set_stops(start, text, stops)
        last = item.text[-1:]
        if not stops and last and last in editor.language.triggers:
            self.ask(deliberate=False)

    # The places of a snippet.

    def next_stop(self, backwards: bool = False) -> bool:
        """Go to the snippet's next place; False where none is being filled in."""
        if not self._stops:
            return False
        at = self._stop + (-1 if backwards else 1)
        if not 0 <= at < len(self._stops):
            self._stops.clear()
            return False
        self._stop = at
        cursor = QTextCursor(self._stops[at])
        if at == len(self._stops) - 1:
            self._stops = []
        self._editor.setTextCursor(cursor)
        return True

    def _set_stops(self, start: int, text: str, stops: Sequence[tuple[int, int]]) -> None:
        self._stops = []
        for first, end in stops:
            cursor = QTextCursor(self._editor.document())
            cursor.setPosition(start + to_units(text, first))
            cursor.setPosition(start + to_units(text, end), _KEEP)
            self._stops.append(cursor)
        self._stop = -1
        self.next_stop()

    def _in_a_stop(self) -> bool:
        here = self._editor.textCursor().position()
        first = min(stop.selectionStart() for stop in self._stops)
        last = max(stop.selectionEnd() for stop in self._stops)
        document = self._editor.document()
        low = document.findBlock(first).position()
        end = document.findBlock(last)
        return low <= here <= end.position() + end.length()

    # Answers.

    def _on_found(
        self, asked: int, found: Candidates, place: tuple[int, int], deliberate: bool
    ) -> None:
        editor = self._editor
        line, column = editor.cursor_place()
        if (
            asked != self._asked
            or line != place[0]
            or column < found.start
            or not editor.hasFocus()
        ):
            return
        self._offered, self._line = found, line
        self._deliberate = deliberate
        self._refilter()

    def _refilter(self) -> None:
        editor = self._editor
        line, column = editor.cursor_place()
        text = editor.textCursor().block().text()
        start = self._offered.start
        typed = text[start:column]
        if line != self._line or column < start or any(c.isspace() for c in typed):
            self.close()
            return
        items = fitting(self._offered.items, typed)
        whole = len(items) == 1 and items[0].text.rstrip() == typed
        if not items or (whole and not self._deliberate):
            self.close()
            return
        block = editor.textCursor().block()
        spot = editor.spot(block.position() + to_units(text, start))
        self.popup.show_items(items, spot, editor.fontMetrics().height())

    def _on_failed(self, error: DockDeskError) -> None:
        if not isinstance(error, CancelledError):
            self.close()
