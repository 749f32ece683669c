"""Keys against terminfo's xterm-256color and xterm's ctlseqs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from dockdesk.ui.widgets.terminal.keys import KeyModes, encode, is_for_the_program

K, M = Qt.Key, Qt.KeyboardModifier
NONE, SHIFT, CTRL, ALT, META = (
    M.NoModifier,
    M.ShiftModifier,
    M.ControlModifier,
    M.AltModifier,
    M.MetaModifier,
)


@pytest.mark.parametrize(
    ("key", "modifiers", "text", "sent"),
    [
        (K.Key_A, NONE, "a", b"a"),
        (K.Key_A, SHIFT, "A", b"A"),
        (K.Key_Eacute, NONE, "é", "é".encode()),
        (K.Key_unknown, NONE, "漢", "漢".encode()),
        (K.Key_A, ALT, "a", b"\x1ba"),
        (K.Key_C, CTRL, "\x03", b"\x03"),
        (K.Key_C, CTRL, "", b"\x03"),
        (0x0421, CTRL, "\x03", b"\x03"),  # С of a Cyrillic layout
        (K.Key_C, CTRL | ALT, "\x03", b"\x1b\x03"),
        (K.Key_Q, CTRL | ALT, "€", "\x1b€".encode()),
        (K.Key_Space, CTRL, " ", b"\x00"),
        (K.Key_BracketLeft, CTRL, "\x1b", b"\x1b"),
        (K.Key_Backslash, CTRL, "\x1c", b"\x1c"),
        (K.Key_Slash, CTRL, "", b"\x1f"),
        (K.Key_Backspace, NONE, "\x08", b"\x7f"),
        (K.Key_Backspace, CTRL, "\x08", b"\x08"),
        (K.Key_Backspace, ALT, "\x08", b"\x1b\x7f"),
        (K.Key_Return, NONE, "\r", b"\r"),
        (K.Key_Enter, M.KeypadModifier, "\r", b"\r"),
        (K.Key_Return, ALT, "\r", b"\x1b\r"),
        (K.Key_Escape, NONE, "\x1b", b"\x1b"),
        (K.Key_Tab, NONE, "\t", b"\t"),
        (K.Key_Backtab, SHIFT, "", b"\x1b[Z"),
        (K.Key_Up, NONE, "", b"\x1b[A"),
        (K.Key_Left, CTRL, "", b"\x1b[1;5D"),
        (K.Key_Right, ALT | SHIFT, "", b"\x1b[1;4C"),
        (K.Key_Home, NONE, "", b"\x1b[H"),
        (K.Key_End, CTRL | SHIFT | ALT, "", b"\x1b[1;8F"),
        (K.Key_Insert, NONE, "", b"\x1b[2~"),
        (K.Key_Delete, SHIFT, "\x7f", b"\x1b[3;2~"),
        (K.Key_PageUp, NONE, "", b"\x1b[5~"),
        (K.Key_PageDown, CTRL, "", b"\x1b[6;5~"),
        (K.Key_F1, NONE, "", b"\x1bOP"),
        (K.Key_F4, CTRL, "", b"\x1b[1;5S"),
        (K.Key_F5, NONE, "", b"\x1b[15~"),
        (K.Key_F6, NONE, "", b"\x1b[17~"),
        (K.Key_F10, NONE, "", b"\x1b[21~"),
        (K.Key_F11, NONE, "", b"\x1b[23~"),
        (K.Key_F12, SHIFT, "", b"\x1b[24;2~"),
        (K.Key_F13, NONE, "", b"\x1b[25~"),
        (K.Key_F20, NONE, "", b"\x1b[34~"),
        (K.Key_Shift, SHIFT, "", b""),
        (K.Key_CapsLock, NONE, "", b""),
    ],
)
def test_a_key_sends_what_xterm_sends(
    key: Qt.Key | int, modifiers: Qt.KeyboardModifier, text: str, sent: bytes
) -> None:
    assert encode(key if isinstance(key, int) else key.value, modifiers, text) == sent


def test_modes_change_arrows_and_backspace() -> None:
    modes = KeyModes(application_cursor=True, backspace_sends_bs=True)
    assert encode(K.Key_Down.value, NONE, "", modes) == b"\x1bOB"
    assert encode(K.Key_Home.value, NONE, "", modes) == b"\x1bOH"
    assert encode(K.Key_Down.value, CTRL, "", modes) == b"\x1b[1;5B"
    assert encode(K.Key_Backspace.value, NONE, "\x08", modes) == b"\x08"
    assert encode(K.Key_Backspace.value, CTRL, "\x08", modes) == b"\x7f"


@pytest.mark.parametrize(
    ("key", "modifiers", "program"),
    [
        (K.Key_C, CTRL, True),
        (K.Key_F, CTRL, True),
        (K.Key_K, CTRL, True),
        (K.Key_Slash, NONE, True),
        (K.Key_Question, SHIFT, True),
        (K.Key_F1, NONE, True),
        (K.Key_Tab, NONE, True),
        (K.Key_Backtab, SHIFT, True),
        (K.Key_Left, CTRL | SHIFT, True),
        (K.Key_Tab, CTRL, False),
        (K.Key_Backtab, CTRL | SHIFT, False),
        (K.Key_P, CTRL | SHIFT, False),
        (K.Key_1, CTRL | SHIFT, False),
        (K.Key_F11, NONE, False),
        (K.Key_F6, NONE, True),
        (K.Key_F6, CTRL, False),
        (K.Key_L, META, False),
    ],
)
def test_the_application_keeps_its_way_out(
    key: Qt.Key, modifiers: Qt.KeyboardModifier, program: bool
) -> None:
    assert is_for_the_program(key.value, modifiers) is program
