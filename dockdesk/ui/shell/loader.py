"""Imports what the program is made of, while its window is on the screen already."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal

_log = logging.getLogger(__name__)

PROGRAM = "dockdesk.app"
FIRST = (
    "dockdesk.backends.engine.backend",
    "dockdesk.backends.engine.contexts",
)
LATER = (
    "dockdesk.ui.widgets.dialogs",
    "dockdesk.ui.widgets.confirm",
    "dockdesk.ui.shell.palette.palette",
    "dockdesk.ui.shell.palette.source",
    "dockdesk.ui.shell.activity.drawer",
    "dockdesk.ui.shell.settings_dialog",
    "dockdesk.ui.shell.shortcut_sheet",
)
PANES = "dockdesk.ui.panes"
_LATER_S = 1.5
_BREATH_S = 0.005


class Loader(QObject):
    """Imports on a thread of its own: the program, telling of it by ``loaded``, then what it connects with.

    A while later, when the first list is there, it imports what is opened next, panes and dialogs: on the GUI thread
    that would be felt. A failed import is only logged: whoever needs the module imports it again, and fails where it
    is seen.
    """

    loaded = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dockdesk-import", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return once it imports nothing any more: an interpreter that ends meanwhile would crash."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        _import(PROGRAM)
        self.loaded.emit()
        for name in FIRST:
            _import(name)
        self._stopped.wait(_LATER_S)
        for name in (*LATER, *_pane_modules()):
            # A breath for the GUI thread after each: importing holds the interpreter.
            if self._stopped.wait(_BREATH_S):
                return
            _import(name)


def _pane_modules() -> Iterator[str]:
    """Every module of every pane."""
    panes = importlib.import_module(PANES)
    for module in pkgutil.walk_packages(panes.__path__, f"{PANES}.", onerror=_log.warning):
        yield module.name


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # noqa: BLE001 - it fails again, and is shown, where it is needed
        _log.exception("%s can't be imported", name)
