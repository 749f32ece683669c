"""Imports what the program is made of, while its window is on the screen already."""

from __future__ import annotations

import importlib
import logging
import threading

from PySide6.QtCore import QObject, Signal

_log = logging.getLogger(__name__)

PROGRAM = "dockdesk.app"
BACKENDS = ("dockdesk.backends.engine.backend", "dockdesk.backends.engine.contexts")


class Loader(QObject):
    """Imports on a thread of its own: the program, tells of it by ``loaded``, and goes on with what it connects with.

    A failed import is only logged: whoever needs the module imports it again, and fails where it is seen.
    """

    loaded = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = threading.Thread(target=self._run, name="dockdesk-import", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Return once everything is imported: an interpreter that ends meanwhile would crash."""
        self._thread.join()

    def _run(self) -> None:
        _import(PROGRAM)
        self.loaded.emit()
        for name in BACKENDS:
            _import(name)


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # noqa: BLE001 - it fails again, and is shown, where it is needed
        _log.exception("%s can't be imported", name)
