"""The composition root: makes every part, gives each what it needs, and ends them in order.

What is heavy (the engine's SDK, the archive) is imported by workers once the window has been painted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

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
from dockdesk.places import Places
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.panes.registry import PANES, PaneEntry
from dockdesk.ui.shell.crash import CrashGuard, start_log
from dockdesk.ui.shell.end_signals import EndSignals
from dockdesk.ui.shell.environments import Environments, FoundEnvironment
from dockdesk.ui.shell.keeper import SettingsKeeper
from dockdesk.ui.shell.main_window import MainWindow
from dockdesk.ui.shell.parts import WindowParts
from dockdesk.ui.shell.shell import Shell
from dockdesk.ui.theme import Theme

if TYPE_CHECKING:
    from dockdesk.backends.archive import Database
    from dockdesk.ui.shell.tray import Tray

_log = logging.getLogger(__name__)

_END_MS = 3000
_SETTLE_MS = 400  # until the first list is there, on most computers


class Program(QObject):
    """Everything that lives as long as the program does: fills ``window``.

    `begin` shows the first pane, `end` stops all after the event loop. ``ended`` carries the exit code, ``settled``
    tells that all that starts with the program has been started.
    """

    ended = Signal(int)
    settled = Signal()

    def __init__(
        self,
        app: QApplication,
        window: MainWindow,
        places: Places,
        entries: Sequence[PaneEntry] = PANES,
        discover: Callable[[Reactor], Sequence[FoundEnvironment]] | None = None,
        demo: bool = False,
    ) -> None:
        super().__init__()
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
        self.session = EngineSession(self.jobs, self.pulse)
        self.stats = StatsFeed(self.session, self.jobs)
        self.audit = AuditLog(self.jobs)
        self.environments = Environments(
            self.jobs,
            self.session,
            self.settings,
            lambda: [*(discover or find_engines)(self.reactor), self._sandbox_environment()],
            ENVIRONMENT.id if demo else "",
        )
        # Looked for and connected while the window is being filled.
        self.environments.find()
        self.keeper = SettingsKeeper(self.theme, self.jobs, self.settings)
        self.keeper.apply()
        self.theme.apply(app)
        self.shell = Shell(
            window,
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
                self.sandbox,
            ),
        )
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLE_MS)
        self._settling.timeout.connect(self._settle)
        self._connect(app)

    def _connect(self, app: QApplication) -> None:
        shell, notices = self.shell, self.shell.notices
        start_log(self._places.log)
        self._guard = CrashGuard(self._places.log)
        self._guard.install()
        self._guard.caught.connect(notices.failure)
        self._signals = EndSignals(self._on_end_signal)
        app.commitDataRequest.connect(lambda _manager: shell.save_state())
        shell.quit_agreed.connect(lambda: self.ended.emit(0))
        self.keeper.failed.connect(notices.failure)
        shell.runner.finished.connect(lambda _action, targets: self.session.read_back(targets))

    def begin(self) -> None:
        """What can wait until the window is filled."""
        self.shell.start()
        if self._unread is not None:
            self.shell.notices.failure(self._unread)
        self._settling.start()

    def _settle(self) -> None:
        """What can wait until the first list is there."""
        self.keeper.apply_motion()
        self.jobs.submit(
            None, self._open_archive, self._on_archive, self.shell.notices.failure, long=True
        )
        self.settings.listen(TRAY, lambda _on: self._show_tray())
        self.settings.listen(CLOSE_TO_TRAY, lambda _on: self._show_tray())
        self._show_tray()
        self.settled.emit()

    def end(self) -> bool:
        """Stop everything; False if some thread would not end in time."""
        self._settling.stop()
        self.shell.window.hide()
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
        self._signals.close()
        self._guard.remove()
        if not ended:
            _log.warning("some work did not end in time and was left behind")
        return ended

    def _on_end_signal(self) -> None:
        self.shell.save_state()
        self.ended.emit(0)

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
            self.shell.notices.failure(LocalError("The command log was damaged", detail))

    def _show_tray(self) -> None:
        from dockdesk.ui.shell.tray import Tray

        wanted = self.settings.get(TRAY) or self.settings.get(CLOSE_TO_TRAY)
        if wanted and self._tray is None and Tray.available():
            self._tray = Tray(self.theme, self.shell)
            self.shell.set_tray(self._tray)
        if self._tray is not None:
            self._tray.show() if wanted else self._tray.hide()


def find_engines(reactor: Reactor) -> list[FoundEnvironment]:
    """The engines this user knows. Imports the SDK, so call it on a worker."""
    from dockdesk.backends.engine.backend import connect
    from dockdesk.backends.engine.contexts import discover
    from dockdesk.backends.engine.endpoints import Endpoint
    from dockdesk.backends.secrets.logins import RegistryLogins

    def found(endpoint: Endpoint) -> FoundEnvironment:
        logins = RegistryLogins(podman_first="podman" in endpoint.host)
        return FoundEnvironment(
            endpoint.environment,
            lambda work: connect(endpoint, reactor, work, logins),
            endpoint.current,
            endpoint.problem,
        )

    return [found(endpoint) for endpoint in discover()]
