"""Searching a terminal a few milliseconds at a time."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.ui.widgets.terminal.canvas import TerminalCanvas
from dockdesk.ui.widgets.terminal.emulation import Emulation
from dockdesk.ui.widgets.terminal.screen import Search

_BUDGET_S = 0.004
_NEW_OUTPUT_MS = 250


class Finder(QObject):
    """Keeps the hits of one search current while output goes on."""

    counted = Signal(object, int, bool)  # the current hit or None, how many, whether it searches on

    def __init__(self, canvas: TerminalCanvas, emulation: Emulation) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._emulation = emulation
        self._search: Search | None = None
        self._needle = ""
        self._go_when_found: bool | None = None
        self._steps = QTimer(self)
        self._steps.setInterval(0)
        self._steps.timeout.connect(self._on_step)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_NEW_OUTPUT_MS)
        self._again.timeout.connect(self._on_new_output)
        emulation.changed.connect(self._on_changed)
        emulation.ready.connect(self._on_ready)
        canvas.refreshed.connect(self._show)

    def find(self, needle: str) -> None:
        """Search for something else; empty ends searching."""
        self.stop()
        self._needle = needle
        screen = self._emulation.screen
        if not needle or screen is None:
            self.counted.emit(None, 0, False)
            return
        self._search = screen.search(needle)
        self._go_when_found = True
        self._steps.start()

    def go(self, older: bool) -> None:
        if self._search is None:
            return
        if self._steps.isActive() and not self._search.count:
            self._go_when_found = older
            return
        self._search.go(older)
        self._emulation.changed.emit()
        self._tell()

    def stop(self) -> None:
        self._needle = ""
        self._steps.stop()
        self._again.stop()
        if self._search is not None:
            self._search.close()
            self._search = None
        self._canvas.set_matches([])

    def _on_step(self) -> None:
        search = self._search
        if search is None:
            self._steps.stop()
            return
        until = time.perf_counter() + _BUDGET_S
        more = True
        while more and time.perf_counter() < until:
            more = search.step()
        if not more:
            self._steps.stop()
        if self._go_when_found is not None and (search.count or not more):
            older, self._go_when_found = self._go_when_found, None
            self.go(older)
        self._show()
        self._tell()

    def _on_changed(self) -> None:
        if self._search is not None and not self._again.isActive():
            self._again.start()

    def _on_new_output(self) -> None:
        if self._search is not None and self._emulation.waiting == 0:
            self._search.refresh()
            self._steps.start()
        elif self._search is not None:
            self._again.start()

    def _on_ready(self) -> None:
        """Another screen: what was found is gone with the old one."""
        self._search = None
        if needle := self._needle:
            self.find(needle)

    def _show(self) -> None:
        if self._search is not None:
            self._canvas.set_matches(self._search.visible())

    def _tell(self) -> None:
        if self._search is not None:
            self.counted.emit(self._search.current, self._search.count, self._steps.isActive())
