"""Bring widgets up to date with a new palette without holding the GUI thread.

A style sheet's palette roles are read when a widget is polished, and replacing the sheet polishes every widget at once
(70 µs each: 100 ms for a full window). Here the sheet stays, and widgets are polished a slice at a time, those that
can be seen first.
"""

from __future__ import annotations

import time

import shiboken6
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget

SLICE_SECONDS = 0.003


class Repolisher(QObject):
    """Polishes all widgets of the application, in slices of about 3 ms."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._done: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._slice)

    def start(self) -> None:
        """Begin anew; a run that is under way starts over."""
        self._done.clear()
        self._timer.start()

    def busy(self) -> bool:
        return self._timer.isActive()

    def finish(self) -> None:
        """Do what is left at once: for pictures and for the start of the program."""
        while self._timer.isActive():
            self._slice()

    def _slice(self) -> None:
        end = time.perf_counter() + SLICE_SECONDS
        # Widgets may have come and gone since the last slice: ask afresh, and keep addresses, never widgets.
        left = [
            (address, widget)
            for widget in QApplication.allWidgets()
            if (address := shiboken6.getCppPointer(widget)[0]) not in self._done
        ]
        left.sort(key=lambda item: not item[1].isVisible())
        for address, widget in left:
            self._done.add(address)
            _polish(widget)
            if time.perf_counter() > end:
                return
        self._done.clear()
        self._timer.stop()


def _polish(widget: QWidget) -> None:
    widget.style().polish(widget)
    widget.update()
