"""The composition root: makes every part, gives each what it needs, and ends them in order.

What is heavy (the engine's SDK, the archive) is imported by workers once the window has been painted.
"""

from __future__ import annotations

import argparse
import logging
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from dockdesk import __version__
from dockdesk.bridge.collector import Collector
from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.errors import LocalError
from dockdesk.core.ports import Engine, KeepsAudit
from dockdesk.core.preferences import CLOSE_TO_TRAY, TRAY
from dockdesk.core.reactor import Reactor
from dockdesk.core.settings import Settings
from dockdesk.core.work import Work
from dockdesk.launcher import ENVIRONMENT, Sandbox
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.panes.registry import PANES, PaneEntry
from dockdesk.ui.shell.crash import CrashGuard, start_log
from dockdesk.ui.shell.environments import Environments, FoundEnvironment
from dockdesk.ui.shell.keeper import SettingsKeeper
from dockdesk.ui.shell.parts import WindowParts
from dockdesk.ui.shell.tray import Tray
from dockdesk.ui.shell.window import MainWindow
from dockdesk.ui.theme import Theme

if TYPE_CHECKING:
    from dockdesk.backends.archive import Database

_log = logging.getLogger(__name__)

# Python hands the interpreter on every 5 ms by default, a third of a frame; workers must not keep it that long.
SWITCH_INTERVAL_S = 0.0005
_END_MS = 3000


@dataclass(frozen=True, slots=True)
class Places:
    """Where this user's files are: what was set, what was done, what went wrong."""

    settings: Path
    archive: Path
    log: Path


def user_places() -> Places:
    """As the desktop's conventions have it (XDG on Linux)."""
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("dockdesk", appauthor=False)
    return Places(
        settings=dirs.user_config_path / "settings.json",
        archive=dirs.user_data_path / "archive.sqlite",
        log=dirs.user_log_path / "dockdesk.log",
    )


class Program:
    """Everything that lives as long as the program does. `begin` after the first paint, `end` after the loop."""

    def __init__(
        self,
        app: QApplication,
        places: Places,
        entries: Sequence[PaneEntry] = PANES,
        discover: Callable[[Reactor], Sequence[FoundEnvironment]] | None = None,
        demo: bool = False,
    ) -> None:
        self._places = places
        self._database: Database | None = None
        self._tray: Tray | None = None
        self.collector = Collector()
        self.theme = Theme()
        self.settings = Settings(places.settings)
        self._unread = self.settings.load()
        self.jobs = Jobs()
        self.pulse = Pulse()
        self.reactor = Reactor()
        self.sandbox = Sandbox()
        self.keeper = SettingsKeeper(self.theme, self.jobs, self.settings)
        self.keeper.apply()
        self.theme.apply(app)
        self.session = EngineSession(self.jobs, self.pulse)
        self.stats = StatsFeed(self.session, self.jobs, self.pulse)
        self.audit = AuditLog(self.jobs)
        self.environments = Environments(
            self.jobs,
            self.session,
            self.settings,
            lambda: [*(discover or find_engines)(self.reactor), self._sandbox_environment()],
            ENVIRONMENT.id if demo else "",
        )
        self.window = MainWindow(
            WindowParts(
                self.theme,
                self.jobs,
                self.pulse,
                self.session,
                self.stats,
                self.settings,
                self.audit,
                self.environments,
                entries,
                places.log,
            )
        )
        self.keeper.failed.connect(self.window.notices.failure)
        self.window.runner.finished.connect(
            lambda _action, targets: self.session.read_back(targets)
        )

    def begin(self) -> None:
        """What can wait until the window has been painted."""
        self.keeper.apply_motion()
        self.environments.find()
        self.window.start()
        self.jobs.submit(
            None, self._open_archive, self._on_archive, self.window.notices.failure, long=True
        )
        if self._unread is not None:
            self.window.notices.failure(self._unread)
        self.settings.listen(TRAY, lambda _on: self._show_tray())
        self.settings.listen(CLOSE_TO_TRAY, lambda _on: self._show_tray())
        self._show_tray()

    def end(self) -> bool:
        """Stop everything; False if some thread would not end in time."""
        self.window.hide()
        if self._tray is not None:
            self._tray.hide()
        self.keeper.save()
        self.stats.close()
        self.session.close()
        ended = self.jobs.close(_END_MS)
        self.keeper.close()
        self.pulse.close()
        self.reactor.close()
        self.sandbox.stop()
        if self._database is not None:
            self._database.close()
        self.collector.close()
        return ended

    def _sandbox_environment(self) -> FoundEnvironment:
        """The sandbox as one more environment: it starts when it is connected to."""

        def connect_to_sandbox(work: Work) -> Engine:
            from dockdesk.backends.engine.backend import connect
            from dockdesk.backends.engine.endpoints import Endpoint

            return connect(Endpoint(ENVIRONMENT, self.sandbox.start(work)), self.reactor, work)

        return FoundEnvironment(ENVIRONMENT, connect_to_sandbox)

    def _open_archive(self, _work: Work) -> KeepsAudit:
        from dockdesk.backends.archive import AuditArchive, Database

        self._database = Database(self._places.archive)
        self._database.open()
        return AuditArchive(self._database)

    def _on_archive(self, archive: KeepsAudit) -> None:
        self.audit.set_archive(archive)
        if self._database is not None and self._database.set_aside is not None:
            detail = f"It was moved to {self._database.set_aside}, and a new one was begun."
            self.window.notices.failure(LocalError("The command log was damaged", detail))

    def _show_tray(self) -> None:
        wanted = self.settings.get(TRAY) or self.settings.get(CLOSE_TO_TRAY)
        if wanted and self._tray is None and Tray.available():
            self._tray = Tray(self.theme, self.window)
            self.window.set_tray(self._tray)
        if self._tray is not None:
            self._tray.show() if wanted else self._tray.hide()


def find_engines(reactor: Reactor) -> list[FoundEnvironment]:
    """The engines this user knows. Imports the SDK, so call it on a worker."""
    from dockdesk.backends.engine.backend import connect
    from dockdesk.backends.engine.contexts import discover

    return [
        FoundEnvironment(
            endpoint.environment,
            lambda work, endpoint=endpoint: connect(endpoint, reactor, work),  # type: ignore[misc]
            endpoint.current,
            endpoint.problem,
        )
        for endpoint in discover()
    ]


def make_application() -> QApplication:
    """Qt's application object with DockDesk's name on it."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication(["dockdesk"])
    app.setApplicationName("dockdesk")
    app.setApplicationDisplayName("DockDesk")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("org.dockdesk.DockDesk")
    app.setQuitOnLastWindowClosed(False)
    return app


def run(options: argparse.Namespace) -> int:
    """Show the window until the user quits; return the exit code."""
    app = make_application()
    if options.vnc is not None:
        from dockdesk.ui.shell.vnc import listen_on_loopback

        try:
            listen_on_loopback(options.vnc)
        except LocalError as error:
            print(f"{error}. {error.hint}".strip(), file=sys.stderr)
            return 2
        print(f"DockDesk is shown at 127.0.0.1:{options.vnc} (VNC).", flush=True)
    places = user_places()
    start_log(places.log)
    guard = CrashGuard(places.log)
    guard.install()
    program = Program(app, places, demo=options.demo)
    window = program.window
    guard.caught.connect(window.notices.failure)
    window.quit_agreed.connect(app.quit)
    signals = _EndSignals(lambda: _end_now(window, app))
    app.commitDataRequest.connect(lambda _manager: window.save_state())
    paint = FirstPaint(window, program.begin)
    if options.vnc is not None:
        window.showMaximized()
    else:
        window.show()
    code = app.exec()
    if not program.end():
        _log.warning("some work did not end in time and was left behind")
    signals.close()
    guard.remove()
    del paint
    return code


def draw(options: argparse.Namespace) -> int:
    """Draw panes to PNG files; return the exit code."""
    from dockdesk.ui.shell.pictures import Pictures

    app = make_application()
    places = user_places()
    program = Program(app, places, demo=options.demo)
    pictures = Pictures(
        program.window, program.theme, program.session, program.environments, options, app.exit
    )

    def begin() -> None:
        program.begin()
        pictures.begin()

    FirstPaint(program.window, begin)
    width, _, height = options.size.partition("x")
    program.window.resize(int(width), int(height))
    program.window.show()
    code = app.exec()
    program.end()
    return code


def _end_now(window: MainWindow, app: QApplication) -> None:
    window.save_state()
    app.quit()


class FirstPaint(QObject):
    """Calls back once, just after ``window`` has been painted for the first time."""

    def __init__(self, window: QWidget, then: Callable[[], object]) -> None:
        super().__init__(window)
        self._window = window
        self._then = then
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._window and event.type() == QEvent.Type.Paint:
            self._window.removeEventFilter(self)
            QTimer.singleShot(0, self, self._then)
        return super().eventFilter(watched, event)


class _EndSignals(QObject):
    """SIGTERM, SIGINT and SIGHUP end the program in order.

    Python runs handlers between its own instructions only, so Qt is woken through a socket.
    """

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self._end = end
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._handlers = {
            number: signal.signal(number, lambda _number, _frame: None)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_woken)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    def _on_woken(self) -> None:
        numbers = set(self._read.recv(64))
        if numbers & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}:
            self._end()
