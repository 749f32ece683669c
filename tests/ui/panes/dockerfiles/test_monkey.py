"""Keys in any order, pastes, clicks and undo: nothing raises, and what is saved is what was typed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from tests.ui.panes.dockerfiles.conftest import Desk

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

_SECONDS = 4.0  # at most, however slow the computer is: fewer steps are taken then
_STEPS = 400
_NONE = Qt.KeyboardModifier.NoModifier
_CTRL = Qt.KeyboardModifier.ControlModifier
_ALT = Qt.KeyboardModifier.AltModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_KEYS = [
    (key, modifiers)
    for key in (
        Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Up,
        Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown, Qt.Key.Key_Escape, Qt.Key.Key_F3, Qt.Key.Key_F8, Qt.Key.Key_Space, Qt.Key.Key_Insert,
    )
    for modifiers in (_NONE, _SHIFT, _CTRL, _CTRL | _SHIFT)
    if (key, modifiers) not in {(Qt.Key.Key_PageUp, _CTRL), (Qt.Key.Key_PageDown, _CTRL)}
] + [
    (key, modifiers)
    for key in (
        Qt.Key.Key_A, Qt.Key.Key_C, Qt.Key.Key_X, Qt.Key.Key_V, Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_D, Qt.Key.Key_I,
        Qt.Key.Key_Slash, Qt.Key.Key_M, Qt.Key.Key_F, Qt.Key.Key_H, Qt.Key.Key_G, Qt.Key.Key_Plus, Qt.Key.Key_0,
    )
    for modifiers in (_CTRL,)
] + [
    (Qt.Key.Key_K, _CTRL | _SHIFT), (Qt.Key.Key_O, _CTRL | _SHIFT), (Qt.Key.Key_Z, _CTRL | _SHIFT),
    (Qt.Key.Key_F, _SHIFT | _ALT), (Qt.Key.Key_Up, _ALT), (Qt.Key.Key_Down, _ALT), (Qt.Key.Key_Z, _ALT),
]  # fmt: skip
_PIECES = [
    "FROM ", "RUN ", "COPY --from=", "ENV A=", "${", "}", "<<EOF\n", "EOF\n", " \\\n", "# escape=`\n", '"', "'", "[",
    "\t", "\u00a0", "\u2028", "\u2029", "\r\n", "\0", "\ufeff", "\U0001f433", "e\u0301", "\U0010f00d", "x" * 300,
    "\n" * 40,
]  # fmt: skip


class Monkey:
    def __init__(self, desk: Desk, document: OpenDocument, seed: int) -> None:
        self.desk = desk
        self.document = document
        self.random = random.Random(seed)

    def target(self) -> Any:
        focus = self.desk.pane.focusWidget()
        return focus if focus is not None and focus.isVisible() else self.document.editor

    def type(self) -> None:
        text = self.random.choice(_PIECES[:13])
        QTest.keyClicks(self.target(), text.replace("\n", "").replace("\t", ""))

    def press(self) -> None:
        key, modifiers = self.random.choice(_KEYS)
        QTest.keyClick(self.target(), key, modifiers)

    def paste(self) -> None:
        QGuiApplication.clipboard().setText("".join(self.random.choices(_PIECES, k=2)))
        self.document.editor.paste()

    def click(self) -> None:
        viewport = self.document.editor.viewport()
        spot = QPoint(
            self.random.randrange(max(1, viewport.width())),
            self.random.randrange(max(1, viewport.height())),
        )
        modifiers = self.random.choice([_NONE, _SHIFT])
        QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, modifiers, spot)

    def mend(self) -> None:
        fixes = [fix for problem in self.document.problems() for fix in problem.fixes]
        if fixes:
            self.document.apply(self.random.choice(fixes).edits)

    def settle(self) -> None:
        QApplication.processEvents()
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()

    def act(self) -> None:
        acts: list[Callable[[], None]] = [self.type, self.press, self.paste, self.click, self.mend]
        self.random.choices(acts, weights=[6, 8, 2, 1, 1])[0]()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.timeout(120)
def test_any_keys_in_any_order_raise_nothing(desk: Desk, seed: int) -> None:
    document = desk.open()
    monkey = Monkey(desk, document, seed)
    until = time.monotonic() + _SECONDS
    for _step in range(_STEPS):
        monkey.act()
        if monkey.random.random() < 0.1:
            monkey.settle()
        if time.monotonic() > until:
            break
    monkey.settle()
    editor = document.editor
    line, column = editor.cursor_place()
    assert 0 <= line < editor.blockCount()
    assert 0 <= column <= len(editor.text().split("\n")[line])
    typed = document.text()
    desk.checked(document)
    # All that happened can be taken back and done again.
    while editor.document().isUndoAvailable():
        editor.undo()
    while editor.document().isRedoAvailable():
        editor.redo()
    assert document.text() == typed
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: not document.modified)
    path = document.path
    assert path is not None
    assert path.read_bytes().decode("utf-8", "surrogateescape") == typed


@pytest.mark.parametrize("name", ["compose.yaml", ".dockerignore"])
@pytest.mark.timeout(120)
def test_other_kinds_of_files_stand_it_too(desk: Desk, name: str) -> None:
    document = desk.open(name)
    monkey = Monkey(desk, document, 7)
    until = time.monotonic() + _SECONDS
    for _step in range(_STEPS // 2):
        monkey.act()
        if time.monotonic() > until:
            break
    monkey.settle()
    desk.checked(document)
    desk.rig.settle()
