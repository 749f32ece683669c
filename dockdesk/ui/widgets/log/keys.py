"""The keyboard of a log view: moving about, and selecting with Shift."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from dockdesk.ui.widgets.log.selection import Position, Selection, word_at

_Key = Qt.Key


class Steerable(Protocol):
    """What the keys need of their view."""

    @property
    def selection(self) -> Selection: ...
    @property
    def page(self) -> int: ...
    def first_shown(self) -> Position: ...
    def neighbour(self, row: int, step: int) -> int:
        """The row shown ``step`` rows further, or the first or last one."""

    def text_of(self, row: int) -> str: ...
    def scroll_lines(self, lines: int) -> None: ...
    def scroll_cells(self, cells: int) -> None: ...
    def go_to_top(self) -> None: ...
    def go_to_end(self) -> None: ...
    def select_all(self) -> None: ...
    def copy(self) -> None: ...
    def zoom_by(self, step: int) -> None: ...
    def show_position(self, position: Position) -> None: ...
    def selection_moved(self, done: bool) -> None: ...


class Keys:
    """What each key does. `press` says whether it was one of them."""

    def __init__(self, view: Steerable) -> None:
        self._view = view
        lines, cells = view.scroll_lines, view.scroll_cells
        self._moves: dict[int, Callable[[], None]] = {
            _Key.Key_Up: lambda: lines(-1),
            _Key.Key_Down: lambda: lines(1),
            _Key.Key_Left: lambda: cells(-4),
            _Key.Key_Right: lambda: cells(4),
            _Key.Key_PageUp: lambda: lines(-view.page),
            _Key.Key_PageDown: lambda: lines(view.page),
            _Key.Key_Space: lambda: lines(view.page),
            _Key.Key_Home: view.go_to_top,
            _Key.Key_End: view.go_to_end,
        }

    def wants(self, event: QKeyEvent) -> bool:
        """Whether the key is the view's, even where the window has a shortcut on it."""
        return self._command(event) is not None or (
            event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
            and event.key() in self._moves
        )

    def press(self, event: QKeyEvent) -> bool:
        command = self._command(event)
        if command is not None:
            command()
            return True
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            return self._select(event.key(), control)
        move = self._moves.get(event.key())
        if move is None or (modifiers and event.key() not in {_Key.Key_Home, _Key.Key_End}):
            return False
        move()
        return True

    def _command(self, event: QKeyEvent) -> Callable[[], None] | None:
        view = self._view
        if event.matches(QKeySequence.StandardKey.Copy):
            return view.copy
        if event.matches(QKeySequence.StandardKey.SelectAll):
            return view.select_all
        if event.matches(QKeySequence.StandardKey.ZoomIn) or _is(event, "Ctrl+="):
            return lambda: view.zoom_by(1)
        if event.matches(QKeySequence.StandardKey.ZoomOut):
            return lambda: view.zoom_by(-1)
        if _is(event, "Ctrl+0"):
            return lambda: view.zoom_by(0)
        return None

    def _select(self, key: int, control: bool) -> bool:
        view = self._view
        cursor = view.selection.cursor or view.first_shown()
        moved = self._moved(cursor, key, control)
        if moved is None:
            if key == _Key.Key_Space:
                view.scroll_lines(-view.page)
                return True
            return False
        view.selection.extend(moved, moved)
        view.show_position(moved)
        view.selection_moved(True)
        return True

    def _moved(self, cursor: Position, key: int, control: bool) -> Position | None:
        """Where a key takes the cursor."""
        view = self._view
        row, char = cursor
        steps: dict[int, int] = {
            _Key.Key_Up: -1,
            _Key.Key_Down: 1,
            _Key.Key_PageUp: -view.page,
            _Key.Key_PageDown: view.page,
        }
        if key in steps:
            return Position(view.neighbour(row, steps[key]), char)
        text = view.text_of(row)
        char = min(char, len(text))
        if key in (_Key.Key_Home, _Key.Key_End):
            if control:
                step = -(1 << 60) if key == _Key.Key_Home else 1 << 60
                row = view.neighbour(row, step)
                text = view.text_of(row)
            return Position(row, 0 if key == _Key.Key_Home else len(text))
        if key == _Key.Key_Left:
            if char == 0:
                above = view.neighbour(row, -1)
                return cursor if above == row else Position(above, len(view.text_of(above)))
            return Position(row, word_at(text, char - 1)[0] if control else char - 1)
        if key == _Key.Key_Right:
            if char >= len(text):
                below = view.neighbour(row, 1)
                return cursor if below == row else Position(below, 0)
            return Position(row, word_at(text, char)[1] if control else char + 1)
        return None


def _is(event: QKeyEvent, keys: str) -> bool:
    pressed = QKeySequence(QKeyCombination(event.modifiers(), _Key(event.key())))
    return pressed.matches(QKeySequence(keys)) is QKeySequence.SequenceMatch.ExactMatch
