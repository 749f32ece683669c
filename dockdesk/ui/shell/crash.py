"""Nothing fails in silence: every exception nobody caught is written to the log file and told in a notice."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from dockdesk.core.errors import DockDeskError, LocalError

_log = logging.getLogger("dockdesk")
_qt_log = logging.getLogger("dockdesk.qt")

_LOG_BYTES = 2_000_000
_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def start_log(path: Path) -> logging.Handler | None:
    """Write what is worth knowing to ``path`` (and one older file); None where that can't be done: stderr has it then.

    The file is opened with the first line that is written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("no log file: %s", error)
        return None
    handler = _LogFile(path)
    handler.setLevel(logging.INFO)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
    )
    root = logging.getLogger("dockdesk")
    root.addHandler(handler)
    if root.level == logging.NOTSET:
        root.setLevel(logging.INFO)
    return handler


class _LogFile(logging.Handler):
    """Makes the handler that writes when there is something to write: it brings in pickle and sockets."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file: logging.Handler | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._file is None:
            from logging.handlers import RotatingFileHandler

            self._file = RotatingFileHandler(
                self._path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
            )
            self._file.setFormatter(self.formatter)
        self._file.emit(record)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def log_qt(kind: QtMsgType, _context: object, message: str) -> None:
    """Qt's own messages go where DockDesk's go."""
    _qt_log.log(_LEVELS.get(kind, logging.WARNING), "%s", message)


class CrashGuard(QObject):
    """Takes over Python's hooks for uncaught exceptions while installed.

    ``caught`` is emitted on the GUI thread with a DockDeskError that can be shown; equal ones are told once a run, so
    that a fault in a paint event does not bury the window in notices.
    """

    caught = Signal(object)
    _raised = Signal(object)

    def __init__(self, log_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log_path = log_path
        self._told: set[tuple[str, str]] = set()
        self._before: Callable[..., object] | None = None
        self._threads_before: Callable[[threading.ExceptHookArgs], object] | None = None
        self._raised.connect(self._on_raised, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        self._before, self._threads_before = sys.excepthook, threading.excepthook
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook
        qInstallMessageHandler(log_qt)

    def remove(self) -> None:
        if self._before is not None and self._threads_before is not None:
            sys.excepthook = self._before
            threading.excepthook = self._threads_before
            qInstallMessageHandler(None)
            self._before = self._threads_before = None

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        _log.critical("uncaught", exc_info=(kind, error, trace))
        self._raised.emit(error)

    def _thread_hook(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is None or arguments.exc_type is SystemExit:
            return
        error = arguments.exc_value
        _log.critical("uncaught in a thread", exc_info=(type(error), error, error.__traceback__))
        self._raised.emit(error)

    def _on_raised(self, error: BaseException) -> None:
        if isinstance(error, DockDeskError):
            shown: DockDeskError = error
        else:
            shown = LocalError(
                "Something in DockDesk went wrong",
                f"{type(error).__name__}: {error}",
                f"What you were doing may not have happened. Details are in {self._log_path}.",
            )
        key = (shown.title, shown.detail)
        if key not in self._told:
            self._told.add(key)
            self.caught.emit(shown)
