"""Keys as xterm sends them.

Source: xterm's ctlseqs, "PC-Style Function Keys" and "VT100 / Application Mode"; terminfo xterm-256color, which is the
TERM that programs are told.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt

from dockdesk.core.records import dataclass

Key = Qt.Key
Modifier = Qt.KeyboardModifier

_CURSOR = {
    Key.Key_Up: b"A",
    Key.Key_Down: b"B",
    Key.Key_Right: b"C",
    Key.Key_Left: b"D",
    Key.Key_Clear: b"E",
    Key.Key_End: b"F",
    Key.Key_Home: b"H",
}
_F1_TO_F4 = {Key.Key_F1: b"P", Key.Key_F2: b"Q", Key.Key_F3: b"R", Key.Key_F4: b"S"}
_TILDE = {
    Key.Key_Insert: 2,
    Key.Key_Delete: 3,
    Key.Key_PageUp: 5,
    Key.Key_PageDown: 6,
    **dict(
        zip(
            (Key(Key.Key_F5.value + step) for step in range(16)),
            (15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34),
            strict=True,
        )
    ),
}
_CONTROL = {
    **{Key(Key.Key_A.value + step): bytes([step + 1]) for step in range(26)},
    Key.Key_Space: b"\x00",
    Key.Key_At: b"\x00",
    Key.Key_2: b"\x00",
    Key.Key_BracketLeft: b"\x1b",
    Key.Key_3: b"\x1b",
    Key.Key_Backslash: b"\x1c",
    Key.Key_4: b"\x1c",
    Key.Key_BracketRight: b"\x1d",
    Key.Key_5: b"\x1d",
    Key.Key_AsciiCircum: b"\x1e",
    Key.Key_6: b"\x1e",
    Key.Key_Underscore: b"\x1f",
    Key.Key_Slash: b"\x1f",
    Key.Key_7: b"\x1f",
    Key.Key_Question: b"\x7f",
    Key.Key_8: b"\x7f",
}


@dataclass(frozen=True, slots=True)
class KeyModes:
    """The modes that change what keys send."""

    application_cursor: bool = False
    backspace_sends_bs: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    shift: bool
    alt: bool
    control: bool

    @property
    def any(self) -> bool:
        return self.shift or self.alt or self.control

    @property
    def number(self) -> int:
        """xterm's modifier parameter."""
        return 1 + self.shift + 2 * self.alt + 4 * self.control


def _held(modifiers: Qt.KeyboardModifier) -> _Held:
    # On macOS Qt calls the Command key Control, and Control Meta.
    control = Modifier.MetaModifier if sys.platform == "darwin" else Modifier.ControlModifier
    return _Held(
        bool(modifiers & Modifier.ShiftModifier),
        bool(modifiers & Modifier.AltModifier),
        bool(modifiers & control),
    )


def is_for_the_program(key: int, modifiers: Qt.KeyboardModifier) -> bool:
    """Whether a key that means something here goes to the program in the terminal before the application's shortcuts.

    The application keeps Ctrl+Shift with a letter, a digit or Tab, Ctrl+Tab, Ctrl+F6 and F11: terminals have no code of
    their own for most of them, and without a way out the keyboard would be caught in the terminal.
    """
    held = _held(modifiers)
    command = Modifier.ControlModifier if sys.platform == "darwin" else Modifier.MetaModifier
    if modifiers & command:
        return False
    with_control = (Key.Key_F6.value, Key.Key_Tab.value, Key.Key_Backtab.value)
    if key == Key.Key_F11.value or (held.control and key in with_control):
        return False
    text_key = Key.Key_Space.value <= key <= Key.Key_AsciiTilde.value
    return not (held.control and held.shift and text_key)


_PLAIN = KeyModes()


def encode(key: int, modifiers: Qt.KeyboardModifier, text: str, modes: KeyModes = _PLAIN) -> bytes:
    """What a key press sends; empty for keys that send nothing, such as Shift alone. ``text`` is Qt's for the press."""
    held = _held(modifiers)
    try:
        known = Key(key)
    except ValueError:
        return _text(text, held)
    if known in _CURSOR:
        return _cursor(_CURSOR[known], held, modes)
    if known in _F1_TO_F4:
        letter = _F1_TO_F4[known]
        return b"\x1b[1;%d" % held.number + letter if held.any else b"\x1bO" + letter
    if known in _TILDE:
        return _with_number(_TILDE[known], held)
    if (named := _named(known, held, modes)) is not None:
        return named
    if held.control and (code := _control(known, text)) is not None:
        return b"\x1b" + code if held.alt else code
    return _text(text, held)


def _cursor(letter: bytes, held: _Held, modes: KeyModes) -> bytes:
    if held.any:
        return b"\x1b[1;%d" % held.number + letter
    return (b"\x1bO" if modes.application_cursor else b"\x1b[") + letter


def _with_number(number: int, held: _Held) -> bytes:
    return b"\x1b[%d;%d~" % (number, held.number) if held.any else b"\x1b[%d~" % number


def _named(key: Qt.Key, held: _Held, modes: KeyModes) -> bytes | None:
    escape = b"\x1b" if held.alt else b""
    if key == Key.Key_Backspace:
        return escape + (b"\x08" if held.control != modes.backspace_sends_bs else b"\x7f")
    if key in (Key.Key_Return, Key.Key_Enter):
        return escape + b"\r"
    if key == Key.Key_Escape:
        return escape + b"\x1b"
    if key == Key.Key_Backtab:
        return escape + b"\x1b[Z"
    if key == Key.Key_Tab:
        return b"\x1b[Z" if held.shift else escape + b"\t"
    return None


def _control(key: Qt.Key, text: str) -> bytes | None:
    if len(text) == 1 and text.isprintable() and not text.isascii():
        return None  # AltGr, which some systems report as Ctrl+Alt
    if len(text) == 1 and (text < " " or text == "\x7f"):
        return text.encode()  # the layout knows best, such as on a Cyrillic keyboard
    return _CONTROL.get(key)


def _text(text: str, held: _Held) -> bytes:
    if not text:
        return b""
    return (b"\x1b" if held.alt else b"") + text.encode("utf-8", "replace")
