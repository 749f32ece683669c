"""The composition root: joins services and window, gives each part what it needs, and ends them in order."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from dockdesk.bridge.collector import Collector
from dockdesk.core.errors import LocalError
from dockdesk.core.ports import KeepsAudit, KeepsBuilds
from dockdesk.core.preferences import CLOSE_TO_TRAY, TRAY
from dockdesk.places import Places
from dockdesk.services import Services
from dockdesk.ui.panes.registry import PANES, PaneEntry
from dockdesk.ui.shell.crash import CrashGuard, start_log
from dockdesk.ui.shell.end_signals import EndSignals
from dockdesk.ui.shell.keeper import SettingsKeeper
from dockdesk.ui.shell.main_window import MainWindow
from dockdesk.ui.shell.parts import WindowParts
from dockdesk.ui.shell.shell import Shell
from dockdesk.ui.theme import Theme

if TYPE_CHECKING:
    from dockdesk.ui.shell.tray import Tray

_log = logging.getLogger(__name__)

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
        services: Services,
        entries: Sequence[PaneEntry] = PANES,
    ) -> None:
        super().__init__()
        self._places = places
        self._tray: Tray | None = None
        self.services = services
        self.session, self.settings = services.session, services.settings
        self.jobs, self.audit = services.jobs, services.audit
        self.environments = services.environments
        self.collector = Collector()
        self.theme = Theme()
        self.keeper = SettingsKeeper(self.theme, self.jobs, self.settings)
        self.keeper.apply()
        # The theme's colours from here on. Before the style sheet comes: it would keep the window's own for ever.
        window.setPalette(QPalette())
        self.theme.apply(app)
        self.shell = Shell(
            window,
            WindowParts(
                self.theme,
                services.jobs,
                services.pulse,
                services.session,
                services.stats,
                services.settings,
                services.audit,
                services.builds,
                services.environments,
                entries,
                places.log,
                services.sandbox,
                places.archive.parent,
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
        shell.primed.connect(self.collector.keep)
        self.keeper.failed.connect(notices.failure)
        shell.window.visibility_changed.connect(self._on_visibility_changed)
        shell.runner.finished.connect(lambda _action, targets: self.session.read_back(targets))

    def begin(self, paths: Sequence[str] = ()) -> None:
        """What can wait until the window is filled. ``paths`` are files and folders to open, absolute."""
        self.shell.start(paths)
        if (unread := self.services.unread) is not None:
            self.shell.notices.failure(unread)
        self._settling.start()

    def _settle(self) -> None:
        """What can wait until the first list is there."""
        self.keeper.apply_motion()
        self.jobs.submit(
            None,
            self.services.open_archive,
            self._on_archive,
            self.shell.notices.failure,
            long=True,
        )
        from dockdesk.ui.panes.dockerfiles.recovery import anything_left

        data = self._places.archive.parent
        self.jobs.submit(None, lambda _work: anything_left(data), self._on_looked_for_unsaved)
        self.settings.listen(TRAY, lambda _on: self._show_tray())
        self.settings.listen(CLOSE_TO_TRAY, lambda _on: self._show_tray())
        self._show_tray()
        self.settled.emit()

    def end(self) -> bool:
        """Stop everything; False if some thread would not end in time."""
        self._settling.stop()
        self.shell.end()
        self.shell.window.hide()
        if self._tray is not None:
            self._tray.hide()
        self.keeper.save()
        ended = self.services.end_work()
        self.keeper.close()
        self.services.close()
        self.collector.close()
        self._signals.close()
        self._guard.remove()
        if not ended:
            _log.warning("some work did not end in time and was left behind")
        return ended

    def _on_end_signal(self) -> None:
        self.shell.save_state()
        self.ended.emit(0)

    def _on_visibility_changed(self) -> None:
        window = self.shell.window
        self.collector.rest(window.isMinimized() or not window.isVisible())

    def _on_archive(self, archives: tuple[KeepsAudit, KeepsBuilds]) -> None:
        audit, builds = archives
        self.audit.set_archive(audit)
        self.services.builds.set_archive(builds)
        if (aside := self.services.damaged_archive) is not None:
            detail = f"It was moved to {aside}, and a new one was begun."
            self.shell.notices.failure(LocalError("The command log was damaged", detail))

    def _on_looked_for_unsaved(self, found: bool) -> None:
        if found:  # the pane offers it as soon as it is made, whichever pane is looked at
            self.shell.navigation.pane("dockerfiles")

    def _show_tray(self) -> None:
        from dockdesk.ui.shell.tray import Tray

        wanted = self.settings.get(TRAY) or self.settings.get(CLOSE_TO_TRAY)
        if wanted and self._tray is None and Tray.available():
            self._tray = Tray(self.theme, self.shell)
            self.shell.set_tray(self._tray)
        if self._tray is not None:
            self._tray.show() if wanted else self._tray.hide()
