"""The editor's own keys, by name: what each does, and which are for others although Qt's text areas would take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from dockdesk.ui.widgets.editor import commands

if TYPE_CHECKING:
    from dockdesk.ui.widgets.editor.editor import CodeEditor

LEFT_TO_OTHERS = frozenset({"Ctrl+K", "Ctrl+E", "Ctrl+B", "Ctrl+J", "Ctrl+O", "Ctrl+N"})
"""Emacs' and others' keys that some platforms give to text areas: in this window they are the window's and pane's."""

ASKED_OF_OWNER: Mapping[str, str] = {
    "Ctrl+F": "find",
    "Ctrl+H": "replace",
    "F3": "find_next",
    "Shift+F3": "find_previous",
    "Ctrl+G": "go_to_line",
    "Ctrl+Shift+O": "go_to_place",
    "Ctrl+W": "close",
    "Ctrl+PgUp": "previous_tab",
    "Ctrl+PgDown": "next_tab",
}


def key_name(event: QKeyEvent) -> str:
    """Such as "Ctrl+Shift+O": the same text on every desktop."""
    key = event.key()
    if key in {Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, 0}:
        return ""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    combination = QKeyCombination(modifiers, Qt.Key(key))
    return QKeySequence(combination).toString(QKeySequence.SequenceFormat.PortableText)


def _unless_read_only(do: Callable[[CodeEditor], object]) -> Callable[[CodeEditor], None]:
    def run(editor: CodeEditor) -> None:
        if not editor.isReadOnly():
            do(editor)

    return run


def _asks(name: str) -> Callable[[CodeEditor], None]:
    return lambda editor: editor.key_pressed.emit(name)


def _backspace(editor: CodeEditor) -> None:
    if not commands.backspace(editor):
        editor.textCursor().deletePreviousChar()


def _tab(editor: CodeEditor) -> None:
    if not editor.completer.next_stop():
        commands.indent(editor)


def _outdent(editor: CodeEditor) -> None:
    if not editor.completer.next_stop(backwards=True):
        commands.outdent(editor)


OWN: Mapping[str, Callable[[CodeEditor], None]] = {
    **{key: _asks(name) for key, name in ASKED_OF_OWNER.items()},
    "Return": _unless_read_only(commands.new_line),
    "Enter": _unless_read_only(commands.new_line),
    "Backspace": _unless_read_only(_backspace),
    "Tab": _unless_read_only(_tab),
    "Shift+Tab": _unless_read_only(_outdent),
    "Shift+Backtab": _unless_read_only(_outdent),
    "Backtab": _unless_read_only(_outdent),
    "Home": lambda editor: commands.home(editor, select=False),
    "Shift+Home": lambda editor: commands.home(editor, select=True),
    "Ctrl+D": _unless_read_only(commands.duplicate),
    "Ctrl+Shift+K": _unless_read_only(commands.delete_lines),
    "Alt+Up": _unless_read_only(lambda editor: commands.move_lines(editor, down=False)),
    "Alt+Down": _unless_read_only(lambda editor: commands.move_lines(editor, down=True)),
    "Ctrl+/": _unless_read_only(lambda editor: editor.toggle_comment()),
    "Shift+Alt+F": _unless_read_only(lambda editor: editor.format()),
    "Alt+Shift+F": _unless_read_only(lambda editor: editor.format()),
    "Alt+Return": lambda editor: editor.show_remedies(),
    "Alt+Enter": lambda editor: editor.show_remedies(),
    "F8": lambda editor: editor.next_mark(),
    "Shift+F8": lambda editor: editor.next_mark(backwards=True),
    "Ctrl+I": lambda editor: editor.hover.show_at_cursor(),
    "Ctrl+Space": _unless_read_only(lambda editor: editor.completer.ask()),
    "Ctrl++": lambda editor: editor.zoom(1),
    "Ctrl+=": lambda editor: editor.zoom(1),
    "Ctrl+-": lambda editor: editor.zoom(-1),
    "Ctrl+0": lambda editor: editor.zoom(0),
    "Ctrl+M": lambda editor: editor.set_tab_moves(not editor.tabChangesFocus()),
    "Alt+Z": lambda editor: editor.set_wrap(not editor.wraps),
}
