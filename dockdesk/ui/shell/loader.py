"""Imports what the program is made of, while its window is on the screen already."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
from collections.abc import Iterator

from PySide6.QtCore import QObject, Signal

_log = logging.getLogger(__name__)

SERVICES = "dockdesk.services"
PROGRAM = "dockdesk.app"
BACKENDS = (
    "dockdesk.backends.engine.backend",
    "dockdesk.backends.engine.contexts",
    "dockdesk.backends.secrets.logins",
)
LATER = (
    "dockdesk.bridge.helper_process",
    "dockdesk.dockerfile.lint.checked",
    "dockdesk.dockerfile.lint.merge",
    "dockdesk.dockerfile.lint.hadolint",
    "dockdesk.dockerfile.complete",
    "dockdesk.dockerfile.hover",
    "dockdesk.ui.widgets.dialogs",
    "dockdesk.ui.widgets.confirm",
    "dockdesk.ui.shell.palette.palette",
    "dockdesk.ui.shell.palette.source",
    "dockdesk.ui.shell.activity.drawer",
    "dockdesk.ui.shell.settings_dialog",
    "dockdesk.ui.shell.shortcut_sheet",
    "regex",
)
PANES = "dockdesk.ui.panes"
TERMINAL = "dockdesk.ui.widgets.terminal"
_BREATH_S = 0.005


class Loader(QObject):
    """Imports on a thread of its own: what works without a window, with what it connects with, then the window's parts.

    ``services_loaded`` and ``loaded`` tell of the first and of the last, ``finished`` of all there is to import.

    Once told to `go_on`, when the user reaches for the program, it imports what they may open next, panes and dialogs:
    on the GUI thread that would be felt, and before it would be memory for nothing. A failed import is only logged:
    whoever needs the module imports it again, and fails where it is seen.
    """

    services_loaded = Signal()
    loaded = Signal()
    finished = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stopped = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dockdesk-import", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def go_on(self) -> None:
        """Import the rest."""
        self._wanted.set()

    def stop(self) -> None:
        """Return once it imports nothing any more: an interpreter that ends meanwhile would crash."""
        self._stopped.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        _import(SERVICES)
        self.services_loaded.emit()
        for name in BACKENDS:
            _import(name)
        _import(PROGRAM)
        self.loaded.emit()
        self._wanted.wait()
        for name in (*LATER, *_pane_modules()):
            # A breath for the GUI thread after each: importing holds the interpreter.
            if self._stopped.wait(_BREATH_S):
                return
            _import(name)
        if not self._stopped.is_set():
            _preload_terminal()
            self.finished.emit()


def _pane_modules() -> Iterator[str]:
    """Every module of every pane."""
    panes = importlib.import_module(PANES)
    for module in pkgutil.walk_packages(panes.__path__, f"{PANES}.", onerror=_log.warning):
        yield module.name


def _preload_terminal() -> None:
    try:
        importlib.import_module(TERMINAL).preload()
    except Exception:  # noqa: BLE001 - as below
        _log.exception("the terminal's library can't be loaded")


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # noqa: BLE001 - it fails again, and is shown, where it is needed
        _log.exception("%s can't be imported", name)
