"""The mouse: reports for programs that ask for them; otherwise, or with Shift held, selecting and scrolling."""

from __future__ import annotations

import time
from typing import cast

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from dockdesk.ui.widgets.terminal import mouse
from dockdesk.ui.widgets.terminal.canvas import TerminalCanvas
from dockdesk.ui.widgets.terminal.emulation import Emulation
from dockdesk.ui.widgets.terminal.screen import Mode, Unit

_UNITS: tuple[Unit, ...] = ("character", "word", "line")
_NOTCH = 120
_AUTOSCROLL_MS = 40
_TRACKING = (Mode.MOUSE_MOVES, Mode.MOUSE_DRAGS, Mode.MOUSE_CLICKS, Mode.MOUSE_PRESS)
_BUTTONS = {
    Qt.MouseButton.LeftButton: mouse.LEFT,
    Qt.MouseButton.MiddleButton: mouse.MIDDLE,
    Qt.MouseButton.RightButton: mouse.RIGHT,
}


class Pointer(QObject):
    """Listens to a canvas."""

    reported = Signal(object)  # bytes for the program
    scrolled = Signal(int)  # rows, down is positive
    zoomed = Signal(int)
    selected = Signal()  # a selection was finished
    middle_clicked = Signal()
    menu_asked = Signal(QPoint)  # global

    def __init__(self, canvas: TerminalCanvas, emulation: Emulation) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._emulation = emulation
        self._selecting = False
        self._clicks = 0
        self._last_click = (0.0, QPoint())
        self._last_cell = (-1, -1)
        self._wheel = 0.0
        self._at = QPoint()
        self._autoscroll = QTimer(self)
        self._autoscroll.setInterval(_AUTOSCROLL_MS)
        self._autoscroll.timeout.connect(self._on_autoscroll)
        canvas.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick):
            return self._on_press(cast(QMouseEvent, event))
        if kind == QEvent.Type.MouseMove:
            return self._on_move(cast(QMouseEvent, event))
        if kind == QEvent.Type.MouseButtonRelease:
            return self._on_release(cast(QMouseEvent, event))
        if kind == QEvent.Type.Wheel:
            return self._on_wheel(cast(QWheelEvent, event))
        if kind == QEvent.Type.ContextMenu:
            return self._on_context_menu(cast(QContextMenuEvent, event))
        if kind == QEvent.Type.Hide:
            self._stop()
        return False

    def _reports(self, modifiers: Qt.KeyboardModifier) -> Mode | None:
        """The widest tracking a program asked for; Shift takes the mouse back."""
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            return None
        return next((mode for mode in _TRACKING if self._emulation.mode(mode)), None)

    def _report(self, kind: mouse.Kind, button: int, event: QMouseEvent | QWheelEvent) -> None:
        column, row = self._canvas.cell_at(event.position().toPoint())
        held = event.modifiers()
        sent = mouse.report(
            kind,
            button,
            column,
            row,
            alt=bool(held & Qt.KeyboardModifier.AltModifier),
            control=bool(held & Qt.KeyboardModifier.ControlModifier),
            sgr=self._emulation.mode(Mode.MOUSE_SGR),
        )
        if sent:
            self.reported.emit(sent)

    def _on_press(self, event: QMouseEvent) -> bool:
        self._canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        button = event.button()
        if self._reports(event.modifiers()) is not None:
            if button in _BUTTONS:
                self._report("press", _BUTTONS[button], event)
            return True
        if button == Qt.MouseButton.LeftButton:
            self._begin(event)
        elif button == Qt.MouseButton.MiddleButton:
            self.middle_clicked.emit()
        return True

    def _begin(self, event: QMouseEvent) -> None:
        screen = self._emulation.screen
        if screen is None:
            return
        now, position = time.monotonic(), event.position().toPoint()
        last, where = self._last_click
        again = now - last < QApplication.doubleClickInterval() / 1000
        near = (position - where).manhattanLength() < QApplication.startDragDistance()
        self._clicks = self._clicks % 3 + 1 if again and near else 1
        self._last_click = (now, position)
        unit = _UNITS[self._clicks - 1]
        column, row = self._canvas.cell_at(position, edge=unit == "character")
        screen.begin_selection(column, row, unit)
        self._selecting = True
        self._emulation.changed.emit()

    def _on_move(self, event: QMouseEvent) -> bool:
        position = event.position().toPoint()
        if self._selecting:
            self._extend(position)
            beyond = self._canvas.rows_beyond(position)
            if beyond and not self._autoscroll.isActive():
                self._autoscroll.start()
            elif not beyond:
                self._autoscroll.stop()
            return True
        tracking = self._reports(event.modifiers())
        held = next((number for key, number in _BUTTONS.items() if event.buttons() & key), None)
        wanted = tracking == Mode.MOUSE_MOVES or (tracking == Mode.MOUSE_DRAGS and held is not None)
        cell = self._canvas.cell_at(position)
        if wanted and cell != self._last_cell:
            self._report("move", mouse.NONE if held is None else held, event)
        self._last_cell = cell
        return True

    def _extend(self, position: QPoint) -> None:
        self._at = position
        screen = self._emulation.screen
        if screen is None:
            return
        characters = self._clicks == 1
        column, row = self._canvas.cell_at(position, edge=characters)
        beyond = self._canvas.rows_beyond(position)
        if characters and beyond:
            column = 0 if beyond < 0 else self._canvas.grid[0]
        screen.extend_selection(column, row)
        self._emulation.changed.emit()

    def _on_autoscroll(self) -> None:
        beyond = self._canvas.rows_beyond(self._at)
        if not self._selecting or not beyond:
            self._autoscroll.stop()
            return
        self.scrolled.emit(beyond)
        self._extend(self._at)

    def _on_release(self, event: QMouseEvent) -> bool:
        if self._selecting and event.button() == Qt.MouseButton.LeftButton:
            self._stop()
            self.selected.emit()
            return True
        releases = self._reports(event.modifiers()) not in (None, Mode.MOUSE_PRESS)
        if releases and event.button() in _BUTTONS:
            self._report("release", _BUTTONS[event.button()], event)
        return True

    def _stop(self) -> None:
        self._selecting = False
        self._autoscroll.stop()

    def _on_wheel(self, event: QWheelEvent) -> bool:
        event.accept()
        self._wheel += event.angleDelta().y() / _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._wheel, steps = self._wheel - int(self._wheel), int(self._wheel)
            if steps:
                self.zoomed.emit(steps)
            return True
        if self._reports(event.modifiers()) is not None:
            self._wheel, notches = self._wheel - int(self._wheel), int(self._wheel)
            for _ in range(abs(notches)):
                self._report("press", mouse.WHEEL_UP if notches > 0 else mouse.WHEEL_DOWN, event)
            return True
        exact = self._wheel * QGuiApplication.styleHints().wheelScrollLines()
        rows = int(exact)
        if rows:
            self._wheel = 0.0
            self._scroll(-rows)
        return True

    def _scroll(self, rows: int) -> None:
        screen = self._emulation.screen
        if screen is not None and screen.alternate and screen.mode(Mode.ALTERNATE_SCROLL):
            # A pager that knows no mouse: it gets the arrow keys.
            start = b"\x1bO" if screen.mode(Mode.APPLICATION_CURSOR) else b"\x1b["
            self.reported.emit((start + (b"B" if rows > 0 else b"A")) * abs(rows))
        else:
            self.scrolled.emit(rows)

    def _on_context_menu(self, event: QContextMenuEvent) -> bool:
        by_mouse = event.reason() == QContextMenuEvent.Reason.Mouse
        if not (by_mouse and self._reports(event.modifiers()) is not None):
            self.menu_asked.emit(event.globalPos())
        event.accept()
        return True
