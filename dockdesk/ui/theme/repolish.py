"""Bring widgets up to date with a new palette without holding the GUI thread.

A style sheet's palette roles are read when a widget is polished, and replacing the sheet polishes every widget at once
(70 µs each: 100 ms for a full window). Here the sheet stays, and widgets are polished a slice at a time, those that
can be seen first.
"""

from __future__ import annotations

import time
from collections import deque

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

SLICE_SECONDS = 0.003
_PAUSE_MS = 2  # keys and paints come before the next slice
_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


class Repolisher(QObject):
    """Polishes all widgets of the application, in slices of about 4 ms."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._seen: deque[QWidget] = deque()
        self._hidden: deque[QWidget] = deque()
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._slice)

    def start(self) -> None:
        """Begin anew; a run that is under way starts over."""
        self._seen.clear()
        self._hidden.clear()
        for window in QApplication.topLevelWidgets():
            self._queue(window)
        self._timer.start()

    def busy(self) -> bool:
        return self._timer.isActive()

    def finish(self) -> None:
        """Do what is left at once: for pictures and for the start of the program."""
        while self._timer.isActive():
            self._slice()

    def _slice(self) -> None:
        end = time.perf_counter() + SLICE_SECONDS
        while self._seen or self._hidden:
            self._polish((self._seen or self._hidden).popleft())
            if time.perf_counter() > end:
                return
        self._timer.stop()

    def _polish(self, widget: QWidget) -> None:
        if not shiboken6.isValid(widget):
            return  # gone since it was queued
        widget.style().polish(widget)
        # The style gives it the palette back that it first had: what has a colour of its own sets that again.
        if (recolour := getattr(widget, "recolour", None)) is not None:
            recolour()
        widget.update()
        # Not children(): what it meets besides widgets may take 20 ms to wrap.
        for child in widget.findChildren(QWidget, options=_DIRECT):
            self._queue(child)

    def _queue(self, widget: QWidget) -> None:
        (self._seen if widget.isVisible() else self._hidden).append(widget)
