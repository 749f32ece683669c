"""Tells screen readers what a widget has painted: to them it is a blank surface otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

_SETTLE_MS = 300  # what scrolls past faster than that nobody can hear
_LONGEST_LINE = 500


class ReadAloud(QObject):
    """Keeps ``widget``'s accessible description at what ``lines`` gives, while a screen reader listens.

    Call `touch` whenever something may have been painted: it costs nothing while nobody listens. ``help`` stands
    before the lines. PySide can make no text interface of its own, which a reader could walk through.
    """

    def __init__(self, widget: QWidget, lines: Callable[[], Iterable[str]], help: str = "") -> None:
        super().__init__(widget)
        self._widget = widget
        self._lines = lines
        self._help = help
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._tell)
        widget.setAccessibleDescription(help)

    def touch(self) -> None:
        if QAccessible.isActive() and not self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        lines = (line[:_LONGEST_LINE].rstrip() for line in self._lines())
        told = "\n".join(line for line in (self._help, *lines) if line)
        if told != self._widget.accessibleDescription():
            self._widget.setAccessibleDescription(told)
