"""The terminal's core, loaded off the GUI thread: it takes about 100 ms the first time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QThreadPool, QTimer

from dockdesk.core.errors import DockDeskError, NotSupportedError
from dockdesk.ui.widgets.terminal.screen import Screen

MakeScreen = Callable[[int, int, int], Screen]
"""Columns, rows, and lines to keep above them."""

_LOOK_AGAIN_MS = 15
_lock = threading.Lock()
_loaded = threading.Event()
_make: MakeScreen | None = None
_error: DockDeskError | None = None


def preload() -> None:
    """Load the core, so that the first terminal opens at once. Call it on a worker's thread; harmless when repeated."""
    global _make, _error
    with _lock:
        if _loaded.is_set():
            return
        try:
            from dockdesk.ui.widgets.terminal.ghostty import GhosttyScreen

            GhosttyScreen(80, 24).close()
            _make = GhosttyScreen
        except (ImportError, OSError, RuntimeError) as error:
            _error = NotSupportedError(
                "No terminal here",
                f"The terminal emulator could not be loaded: {error}",
                "It has builds for Linux and macOS. Use your own terminal: docker exec -it …",
            )
        finally:
            _loaded.set()


class Loader(QObject):
    """Calls back on the GUI thread with what makes screens, at once if it is loaded already."""

    def __init__(
        self,
        ready: Callable[[MakeScreen], None],
        failed: Callable[[DockDeskError], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._ready, self._failed = ready, failed
        # Asked for, not told: the owner may be gone when the thread ends.
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_AGAIN_MS)
        self._timer.timeout.connect(self._on_look)

    def start(self) -> None:
        if not _loaded.is_set():
            QThreadPool.globalInstance().start(preload)
            self._timer.start()
        else:
            self._on_look()

    def stop(self) -> None:
        self._timer.stop()

    def _on_look(self) -> None:
        if not _loaded.is_set():
            return
        self._timer.stop()
        if _make is not None:
            self._ready(_make)
        elif _error is not None:
            self._failed(_error)
