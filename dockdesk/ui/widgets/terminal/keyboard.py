"""Keys and input methods: what goes to the program, what the terminal does itself, what the application keeps."""

from __future__ import annotations

import sys
from typing import cast

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QInputMethodEvent, QInputMethodQueryEvent, QKeyEvent

from dockdesk.ui.widgets.terminal.canvas import TerminalCanvas
from dockdesk.ui.widgets.terminal.emulation import Emulation
from dockdesk.ui.widgets.terminal.keys import Key, KeyModes, Modifier, encode, is_for_the_program
from dockdesk.ui.widgets.terminal.screen import Mode

_CTRL, _SHIFT = Modifier.ControlModifier, Modifier.ShiftModifier
_HELD = _CTRL | _SHIFT | Modifier.AltModifier | Modifier.MetaModifier
_CLIPBOARD = _CTRL if sys.platform == "darwin" else _CTRL | _SHIFT

COMMANDS: dict[tuple[Qt.KeyboardModifier, Qt.Key], str] = {
    (_CLIPBOARD, Key.Key_C): "copy",
    (_CLIPBOARD, Key.Key_V): "paste",
    (_CLIPBOARD, Key.Key_F): "find",
    (_SHIFT, Key.Key_Insert): "paste_selection",
    (_SHIFT, Key.Key_PageUp): "page_up",
    (_SHIFT, Key.Key_PageDown): "page_down",
    (_CTRL | _SHIFT, Key.Key_Up): "line_up",
    (_CTRL | _SHIFT, Key.Key_Down): "line_down",
    (_CTRL | _SHIFT, Key.Key_Home): "to_start",
    (_CTRL | _SHIFT, Key.Key_End): "to_end",
    (_CTRL, Key.Key_Plus): "zoom_in",
    (_CTRL | _SHIFT, Key.Key_Plus): "zoom_in",
    (_CTRL, Key.Key_Equal): "zoom_in",
    (_CTRL, Key.Key_Minus): "zoom_out",
    (_CTRL, Key.Key_0): "zoom_reset",
}
"""What the terminal does itself, by the keys for it."""


class Keyboard(QObject):
    """Listens to a canvas."""

    typed = Signal(object)  # bytes for the program
    commanded = Signal(str)  # one of COMMANDS
    focus_reported = Signal(object)  # bytes for a program that asked about focus

    def __init__(self, canvas: TerminalCanvas, emulation: Emulation) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._emulation = emulation
        canvas.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride:
            return self._claim(cast(QKeyEvent, event))
        if kind == QEvent.Type.KeyPress:
            return self._on_key(cast(QKeyEvent, event))
        if kind == QEvent.Type.InputMethod:
            return self._on_input_method(cast(QInputMethodEvent, event))
        if kind == QEvent.Type.InputMethodQuery:
            return self._on_input_method_query(cast(QInputMethodQueryEvent, event))
        if kind in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._on_focus(kind == QEvent.Type.FocusIn)
        return False

    def _claim(self, event: QKeyEvent) -> bool:
        """Take a key before the application's shortcuts see it."""
        if self._command(event) is not None or self._encoded(event):
            event.accept()
            return True
        return False

    def _on_key(self, event: QKeyEvent) -> bool:
        command = self._command(event)
        if command is not None:
            self.commanded.emit(command)
        elif sent := self._encoded(event):
            self.typed.emit(sent)
        else:
            return False
        event.accept()
        return True

    @staticmethod
    def _command(event: QKeyEvent) -> str | None:
        try:
            return COMMANDS.get((event.modifiers() & _HELD, Key(event.key())))
        except ValueError:
            return None

    def _encoded(self, event: QKeyEvent) -> bytes:
        if not is_for_the_program(event.key(), event.modifiers()):
            return b""
        modes = KeyModes(
            self._emulation.mode(Mode.APPLICATION_CURSOR),
            self._emulation.mode(Mode.BACKSPACE_SENDS_BS),
        )
        return encode(event.key(), event.modifiers(), event.text(), modes)

    def _on_input_method(self, event: QInputMethodEvent) -> bool:
        """Dead keys, compose sequences and Asian input."""
        self._canvas.preedit = event.preeditString()
        if event.commitString():
            self.typed.emit(event.commitString().encode("utf-8", "replace"))
        self._canvas.update()
        event.accept()
        return True

    def _on_input_method_query(self, event: QInputMethodQueryEvent) -> bool:
        queries = event.queries()
        for query, value in (
            (Qt.InputMethodQuery.ImEnabled, True),
            (Qt.InputMethodQuery.ImCursorRectangle, self._canvas.cursor_rect()),
            (Qt.InputMethodQuery.ImFont, self._canvas.font()),
            (
                Qt.InputMethodQuery.ImHints,
                Qt.InputMethodHint.ImhNoPredictiveText | Qt.InputMethodHint.ImhNoAutoUppercase,
            ),
        ):
            if queries & query:
                event.setValue(query, value)
        event.accept()
        return True

    def _on_focus(self, gained: bool) -> None:
        self._canvas.focus_changed()
        if self._emulation.mode(Mode.FOCUS):
            self.focus_reported.emit(b"\x1b[I" if gained else b"\x1b[O")
