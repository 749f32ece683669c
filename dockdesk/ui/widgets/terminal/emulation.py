"""A terminal without its looks: output goes in on any thread, and is parsed on the GUI thread in slices."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from dockdesk.core.errors import DockDeskError
from dockdesk.ui.widgets.terminal.feed import LOW_WATER, Feed
from dockdesk.ui.widgets.terminal.loading import Loader, MakeScreen
from dockdesk.ui.widgets.terminal.screen import HISTORY, Colours, Mode, Screen

_SLICE = 1024
"""Bytes parsed between looks at the clock: the worst sequences take 20 µs a byte, ordinary output 0.02."""
_BUDGET_S = 0.003


class Emulation(QObject):
    """Parses what a program prints. Everything but `feed` belongs to the GUI thread."""

    ready = Signal()  # there is a screen
    failed = Signal(object)  # a DockDeskError: there won't be one
    changed = Signal()  # the screen looks different, or may
    answered = Signal(object)  # bytes for the program
    title_changed = Signal(str)
    bell = Signal()
    drained = Signal()  # there is room again
    _fed = Signal()

    def __init__(self, parent: QObject | None = None, history: int = HISTORY) -> None:
        super().__init__(parent)
        self._history = history
        self.screen: Screen | None = None
        self._make: MakeScreen | None = None
        self._size = (80, 24, 8, 16)
        self._colours: Colours | None = None
        self._feed = Feed()
        self._rest = memoryview(b"")
        self._full = False
        self._more = QTimer(self)
        self._more.setSingleShot(True)
        self._more.setInterval(0)
        self._more.timeout.connect(self._drain)
        self._fed.connect(self._drain, Qt.ConnectionType.QueuedConnection)
        self._loader = Loader(self._on_loaded, self._on_failed, self)
        self.destroyed.connect(self._feed.close)

    def start(self) -> None:
        """Load the core, if need be, and make the screen; `ready` or `failed` follows, perhaps at once."""
        self._loader.start()

    def feed(self, data: bytes, wait: bool = True) -> bool:
        """Take output, on any thread. Returns False when there is too much: hold back until `drained`.

        With ``wait`` a caller on another thread is slowed down (by 50 ms a call at most); the GUI thread never is.
        """
        on_gui = threading.current_thread() is threading.main_thread()
        wake, room = self._feed.put(data, wait and not on_gui)
        if not room:
            self._full = True
        if wake and shiboken6.isValid(self):
            with suppress(RuntimeError):  # deleted in this very moment
                self._fed.emit()
        return room

    @property
    def waiting(self) -> int:
        """Bytes not parsed yet."""
        return self._feed.size + len(self._rest)

    def resize(self, columns: int, rows: int, cell_width: int, cell_height: int) -> None:
        self._size = (columns, rows, cell_width, cell_height)
        if self.screen is not None:
            self.screen.resize(*self._size)
            self.changed.emit()

    def set_colours(self, colours: Colours) -> None:
        self._colours = colours
        if self.screen is not None:
            self.screen.set_colours(colours)

    def mode(self, mode: Mode) -> bool:
        return self.screen is not None and self.screen.mode(mode)

    def restart(self) -> None:
        """A fresh screen, as for a new program."""
        if self._make is None:
            return
        if self.screen is not None:
            self.screen.close()
        columns, rows, cell_width, cell_height = self._size
        self.screen = self._make(columns, rows, self._history)
        self.screen.resize(columns, rows, cell_width, cell_height)
        if self._colours is not None:
            self.screen.set_colours(self._colours)
        self.ready.emit()
        self.changed.emit()

    def close(self) -> None:
        """Free the screen; output that still comes is dropped."""
        self._feed.close()
        self._loader.stop()
        self._more.stop()
        self._rest = memoryview(b"")
        screen, self.screen = self.screen, None
        if screen is not None:
            screen.close()

    def _on_loaded(self, make: MakeScreen) -> None:
        self._make = make
        self.restart()
        self._drain()

    def _on_failed(self, error: DockDeskError) -> None:
        self._feed.close()
        self.failed.emit(error)

    def _drain(self) -> None:
        screen = self.screen
        if screen is None:
            return
        until = time.perf_counter() + _BUDGET_S
        answers, title, bell, parsed = b"", None, False, False
        while True:
            if not self._rest:
                chunk = self._feed.take()
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            events = screen.write(self._rest[:_SLICE])
            self._rest = self._rest[_SLICE:]
            parsed = True
            answers += events.answers
            bell = bell or events.bell
            title = events.title if events.title is not None else title
            if time.perf_counter() > until:
                self._more.start()
                break
        if answers:
            self.answered.emit(answers)
        if title is not None:
            self.title_changed.emit(title)
        if bell:
            self.bell.emit()
        if parsed:
            self.changed.emit()
        if self._full and self.waiting <= LOW_WATER:
            self._full = False
            self.drained.emit()
