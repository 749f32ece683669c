"""Says in all places how the connection stands: top bar, banner, status bar, tray, rail, and the welcome page."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer

from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.core.columns import Tone
from dockdesk.core.environments import Guard
from dockdesk.core.units import duration_text
from dockdesk.ui.shell.activity.running import RunningJobs
from dockdesk.ui.shell.environments import Environments
from dockdesk.ui.shell.frame import Frame
from dockdesk.ui.shell.navigation import Navigation
from dockdesk.ui.shell.tray import Tray

STATES: dict[SessionState, tuple[str, Tone]] = {
    SessionState.IDLE: ("not connected", "muted"),
    SessionState.CONNECTING: ("connecting…", "info"),
    SessionState.CONNECTED: ("connected", "good"),
    SessionState.LOST: ("connection lost", "warn"),
    SessionState.FAILED: ("not connected", "bad"),
}
_SOON_MS = 100


class Presenter(QObject):
    """Follows the session; the texts it makes are properties, so that they can be tested and read aloud."""

    def __init__(
        self,
        session: EngineSession,
        environments: Environments,
        frame: Frame,
        navigation: Navigation,
        running: RunningJobs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._running = running
        self._session = session
        self._environments = environments
        self._frame = frame
        self._navigation = navigation
        self._tray: Tray | None = None
        self._seen = ""  # the environment whose containers have been shown
        self._countdown = QTimer(self)
        self._countdown.setInterval(1000)
        self._countdown.timeout.connect(self._show_engine)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._show_containers)
        session.state_changed.connect(self._on_state_changed)
        session.info_changed.connect(self._show_engine)
        session.containers_changed.connect(self._on_containers_changed)
        environments.attempts_changed.connect(self._show_welcome)
        running.changed.connect(self._on_running_changed)
        self.refresh()

    def set_tray(self, tray: Tray | None) -> None:
        self._tray = tray
        self.refresh()

    def refresh(self) -> None:
        self._on_state_changed(self._session.state)
        self._show_containers()
        self._on_running_changed(self._running.count)

    @property
    def engine_text(self) -> str:
        """Who answers and how it stands, such as "default · Docker Engine 27.3.1 · connected"."""
        session = self._session
        word = STATES[session.state][0]
        if session.state is SessionState.LOST:
            if self._welcome_due:
                word = "not connected"  # what never was can't be lost
            if session.retry_at is not None:
                left = max(0.0, session.retry_at - time.time())
                again = f"again in {duration_text(left + 0.9)}" if left > 1 else "trying again"
                word = f"{word}, {again}"
        name = session.environment.name if session.environment is not None else ""
        info = session.info
        product = f"{info.product} {info.version}" if info is not None else ""
        return " · ".join(part for part in (name, product, word) if part)

    def _on_state_changed(self, state: SessionState) -> None:
        environment = self._session.environment
        self._frame.set_environment(environment)
        if state is SessionState.CONNECTED and environment is not None:
            self._seen = environment.id
        if state is SessionState.LOST:
            self._countdown.start()
        else:
            self._countdown.stop()
        self._show_engine()
        self._show_banner()
        self._show_welcome()
        self._soon.start()

    def _show_engine(self) -> None:
        session = self._session
        text, tone = self.engine_text, STATES[session.state][1]
        can_reconnect = session.state in (SessionState.LOST, SessionState.FAILED)
        error = str(session.error) if session.error is not None else ""
        info = session.info
        detail = error
        if info is not None and not error:
            detail = "\n".join(
                part
                for part in (
                    f"API {info.api_version}",
                    f"{info.os} · {info.architecture}",
                    f"Storage: {info.storage_driver}" if info.storage_driver else "",
                )
                if part
            )
        self._frame.status.set_engine(text, tone, can_reconnect, detail)
        if self._tray is not None:
            self._tray.set_status(text, tone)

    def _show_banner(self) -> None:
        session, banner = self._session, self._frame.banner
        environment = session.environment
        if environment is None or self._welcome_due:
            banner.hide()
        elif session.state in (SessionState.LOST, SessionState.FAILED):
            why = f" {session.error.title}." if session.error is not None else ""
            what = (
                "The engine is away; what is shown is as it was last seen."
                if session.state is SessionState.LOST
                else "The engine can't be used; what is shown is as it was last seen."
            )
            banner.show_text(what + why, "warn", "plug-connected-x", "Reconnect", session.reconnect)
        elif environment.guard is Guard.READ_ONLY:
            banner.show_text(
                f"“{environment.name}” is read-only in DockDesk: nothing can be changed.",
                "warn",
                "shield-lock",
            )
        elif environment.guard is Guard.PROTECTED:
            banner.show_text(
                f"“{environment.name}” is protected: every change is asked about.",
                "info",
                "shield-check",
            )
        elif environment.simulated:
            banner.show_text(
                "This is the sandbox: a simulated engine. Nothing here touches real containers.",
                "info",
                "school",
            )
        else:
            banner.hide()

    @property
    def _welcome_due(self) -> bool:
        """Whether the present environment has never answered."""
        environment = self._session.environment
        return environment is None or self._seen != environment.id

    def _show_welcome(self) -> None:
        due = self._welcome_due
        self._navigation.set_covered(due)
        if not due:
            return
        environments, welcome = self._environments, self._frame.welcome
        welcome.offer_sandbox(environments.sandbox)
        environment = self._session.environment
        trying = self._session.state is SessionState.CONNECTING
        if environments.searching or trying:
            welcome.show_searching(environment.name if environment is not None else "")
        else:
            tried = {attempt.environment.id for attempt in environments.attempts}
            others = [
                other
                for other in environments.environments
                if other.id not in tried and not other.simulated
            ]
            welcome.show_attempts(environments.attempts, others)

    def _on_containers_changed(self, _changed: object, _gone: object) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _show_containers(self) -> None:
        session = self._session
        if session.state is SessionState.CONNECTED:
            total = len(session.containers)
            running = sum(item.running for item in session.containers.values())
            self._tell_containers(running, total)
        else:
            self._tell_containers(None, None)

    def _tell_containers(self, running: int | None, total: int | None) -> None:
        self._frame.status.set_containers(running, total)
        self._frame.rail.set_badge("containers", str(running) if running else "")
        if self._tray is not None:
            self._tray.set_containers(running, total)

    def _on_running_changed(self, count: int) -> None:
        self._frame.top.set_running(count)
        self._frame.status.set_jobs(count)
        if self._tray is not None:
            self._tray.set_jobs(count)
