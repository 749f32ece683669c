"""Fills the main window: joins the parts and leads between them."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QWidget

from dockdesk.bridge.engine_session import SessionState
from dockdesk.bridge.jobs import Job
from dockdesk.core import preferences
from dockdesk.core.actions import Danger
from dockdesk.core.environments import Confirmation, Environment
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.actions.bound import BoundActions
from dockdesk.ui.actions.runner import ActionRunner
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.pane import Pane
from dockdesk.ui.shell import window_state
from dockdesk.ui.shell.activity.running import RunningJobs
from dockdesk.ui.shell.asker import DialogAsker
from dockdesk.ui.shell.commands import ShellCommands
from dockdesk.ui.shell.environment_menu import EnvironmentMenu
from dockdesk.ui.shell.focus import focus_next_part
from dockdesk.ui.shell.frame import Frame
from dockdesk.ui.shell.main_window import MainWindow
from dockdesk.ui.shell.menus import Menus
from dockdesk.ui.shell.navigation import Navigation
from dockdesk.ui.shell.notices import NoticeStack
from dockdesk.ui.shell.parts import WindowParts
from dockdesk.ui.shell.presenter import Presenter
from dockdesk.ui.shell.quitting import Quitting
from dockdesk.ui.shell.sandbox_menu import SandboxMenu
from dockdesk.ui.shell.shell_actions import MENUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dockdesk.ui.shell.palette.palette import CommandPalette
    from dockdesk.ui.shell.primer import Primer
    from dockdesk.ui.shell.tray import Tray

_STATUS_HEIGHT = 32
_KEYS_AFTER_MS = 600  # the first list is there, and nobody has typed yet


class Shell(QObject):
    """Everything in the window. ``quit_agreed`` tells that the program may end: nothing runs, or the user said so.

    ``primed`` tells that all has been made that is made ahead.
    """

    quit_agreed = Signal()
    primed = Signal()

    def __init__(self, window: MainWindow, parts: WindowParts) -> None:
        super().__init__(window)
        self.window = window
        self._parts = parts
        self._tray: Tray | None = None
        self._quitting = False
        self._palette: CommandPalette | None = None
        self._primer: Primer | None = None
        self._lost = ""  # the environment whose engine is away
        window.setWindowIcon(parts.theme.app_icon())
        self.frame = Frame(parts.theme, parts.jobs, parts.entries)
        self.notices = NoticeStack(parts.theme, self.frame, bottom=_STATUS_HEIGHT)
        self.navigation = Navigation(parts.entries, self.frame.stack, lambda: self.frame.welcome)
        self.runner = ActionRunner(
            parts.jobs,
            parts.session,
            parts.audit,
            self.notices,
            DialogAsker(parts.theme, parts.jobs, lambda: window),
            self._confirmation,
            self,
        )
        self.context = self._make_context()
        self.navigation.set_context(self.context)
        commands = ShellCommands(self, parts)
        actions = [action for _title, actions in MENUS for action in actions]
        self.shell = BoundActions(
            parts.theme, actions, commands.refusal, lambda: (), commands.run, window
        )
        self.menus = Menus(
            parts.theme,
            window.menuBar(),
            self.shell,
            self.navigation,
            self.runner.refusal,
            window,
        )
        if parts.simulation is not None:
            self.sandbox_menu = SandboxMenu(
                window.menuBar(), parts.simulation, parts.session, parts.jobs, self.notices
            )
        self.presenter = Presenter(
            parts.session,
            parts.environments,
            self.frame,
            self.navigation,
            RunningJobs(parts.jobs, self),
            self,
        )
        self._environment_menu = EnvironmentMenu(parts.theme, window)
        self._quit = Quitting(
            parts.theme,
            parts.jobs,
            self.navigation,
            lambda: window if window.isVisible() else None,
            self,
        )
        self._connect_frame()
        self._connect_parts()
        window_state.restore(window, self.frame, parts.settings)
        window.setCentralWidget(self.frame)
        self.frame.fit(window.width())
        self._tell_visible()

    def _make_context(self) -> UiContext:
        parts = self._parts
        return UiContext(
            theme=parts.theme,
            jobs=parts.jobs,
            pulse=parts.pulse,
            session=parts.session,
            stats=parts.stats,
            runner=self.runner,
            navigator=self.navigation,
            notices=self.notices,
            settings=parts.settings,
            audit=parts.audit,
            builds=parts.builds,
            data=parts.data,
        )

    def _confirmation(self, environment: Environment, danger: Danger) -> Confirmation:
        level = self._parts.settings.get(preferences.CONFIRM)
        return preferences.confirmation(level, environment, danger)

    def _connect_frame(self) -> None:
        self.window.close_asked.connect(self._on_close_asked)
        self.window.resized.connect(self.frame.fit)
        self.window.visibility_changed.connect(self._tell_visible)
        frame, navigation, parts = self.frame, self.navigation, self._parts
        frame.rail.chosen.connect(navigation.show_pane)
        frame.rail.settings_asked.connect(self.show_settings)
        frame.rail.narrow_asked.connect(self.fold_rail)
        frame.top.back_asked.connect(navigation.back)
        frame.top.forward_asked.connect(navigation.forward)
        frame.top.palette_asked.connect(self.show_palette)
        frame.top.activity_asked.connect(self.toggle_activity)
        frame.top.environments_asked.connect(self.show_environments)
        frame.top.crumbs.clicked.connect(self._on_crumb_clicked)
        frame.drawer_closed.connect(self.toggle_activity)
        frame.status.reconnect_asked.connect(parts.session.reconnect)
        frame.status.jobs_asked.connect(self.toggle_activity)
        frame.status.containers_asked.connect(lambda: navigation.show_pane("containers"))
        frame.retry_asked.connect(parts.environments.find)
        frame.connect_asked.connect(parts.environments.switch)

    def _connect_parts(self) -> None:
        parts, navigation, menu = self._parts, self.navigation, self._environment_menu
        navigation.moved.connect(self._on_moved)
        navigation.activity_asked.connect(self.show_activity)
        navigation.settings_asked.connect(self.show_settings)
        navigation.pane_made.connect(self._on_pane_made)
        self._quit.agreed.connect(self._agree_to_quit)
        self._quit.stayed.connect(self._on_stayed)
        menu.switched.connect(parts.environments.switch)
        menu.marked.connect(parts.environments.mark)
        menu.find_asked.connect(parts.environments.find)
        menu.reconnect_asked.connect(parts.session.reconnect)
        parts.jobs.job_failed.connect(self._on_job_failed)
        parts.session.state_changed.connect(self._on_state_changed)
        parts.audit.failed.connect(self.notices.failure)
        parts.environments.failed.connect(self.notices.failure)

    # What can be asked of the window.

    def start(self, paths: Sequence[str] = ()) -> None:
        """Show the pane that the settings ask for, or that of ``paths``: files and folders named at the start.

        Called once the window has been painted.
        """
        if paths:
            self.open_paths(paths)
            QTimer.singleShot(_KEYS_AFTER_MS, self, self.menus.bind_anywhere)
            return
        settings = self._parts.settings
        wanted = settings.get(preferences.START_PAGE)
        if wanted == "last":
            wanted = str(settings.get(preferences.LAST_PANE))
        known = [entry.id for entry in self.navigation.entries]
        if known:
            first = next((e.id for e in self.navigation.entries if e.needs_engine), known[0])
            self.navigation.show_pane(wanted if wanted in known else first)
            self.navigation.focus_current()
        QTimer.singleShot(_KEYS_AFTER_MS, self, self.menus.bind_anywhere)
        if self.navigation.covered:
            # It is shown as soon as an engine answers, so it is made while one is awaited.
            QTimer.singleShot(0, self, lambda: self.navigation.pane(self.navigation.current_id))

    def open_paths(self, paths: Sequence[str]) -> None:
        """Show files and folders where they are edited; the last one in front."""
        for path in paths:
            self.navigation.open(ResourceRef("dockerfile", path, os.path.basename(path)))

    def prime(self) -> None:
        """Make, bit by bit, what the user may open next. Call it once all that it needs has been imported."""
        from dockdesk.ui.shell.primer import Primer

        self._primer = Primer(self._preparations(), self)

    def _preparations(self) -> Iterator[Callable[[], object]]:
        from dockdesk.ui.widgets.viewport import know_all_widgets

        yield know_all_widgets
        panes = self.navigation
        first = sorted(panes.entries, key=lambda entry: entry.id != panes.current_id)
        for entry in first:
            yield partial(panes.pane, entry.id)
        yield lambda: self.palette
        for entry in first:
            if (pane := panes.panes.get(entry.id)) is not None:
                yield from pane.preparations()
        yield self.primed.emit

    @property
    def palette(self) -> CommandPalette:
        """The command palette, made when it is first needed."""
        if self._palette is None:
            from dockdesk.ui.shell.palette.palette import CommandPalette
            from dockdesk.ui.shell.palette.source import PaletteSource

            parts = self._parts
            source = PaletteSource(
                self.shell, self.navigation, parts.session, parts.environments, self.runner
            )
            self._palette = CommandPalette(parts.theme, source, self.frame)
        return self._palette

    def show_palette(self) -> None:
        self.palette.open()

    def show_environments(self) -> None:
        """Open the environment menu below its button."""
        button = self.frame.top.environment
        session = self._parts.session
        self._environment_menu.fill(
            self._parts.environments.environments,
            session.environment,
            session.state is SessionState.CONNECTED,
        )
        self._environment_menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def show_settings(self, name: str = "") -> None:
        from dockdesk.ui.shell.settings_dialog import SettingsDialog

        dialog = SettingsDialog(self._parts.theme, self._parts.settings, parent=self.window)

        dialog.open_soon(partial(dialog.go_to, name) if name else None)

    def show_shortcuts(self) -> None:
        from dockdesk.ui.shell.shortcut_sheet import ShortcutSheet

        ShortcutSheet(self._parts.theme, self.menus.key_groups(), self.window).open()

    def show_activity(self) -> None:
        self.frame.set_drawer(True)
        self.frame.drawer.focus()

    def toggle_activity(self) -> None:
        if not self.frame.drawer_open:
            self.show_activity()
            return
        self.frame.set_drawer(False)
        if (pane := self.navigation.current) is not None:
            pane.focus_content()

    def fold_rail(self) -> None:
        self.frame.set_folded(not self.frame.rail.narrow)

    def focus_next_part(self) -> None:
        frame = self.frame
        drawer = [frame.drawer] if frame.drawer_open else []
        focus_next_part(
            self.window,
            [frame.stack, *drawer, self.notices.surface, frame.status, frame.rail, frame.top],
        )

    def set_tray(self, tray: Tray | None) -> None:
        """The tray's icon, where there is one. Its signals lead back here."""
        self._tray = tray
        self.presenter.set_tray(tray)
        if tray is not None:
            tray.window_asked.connect(self.come_forward)
            tray.reconnect_asked.connect(self._parts.session.reconnect)
            tray.quit_asked.connect(self.ask_quit)

    def come_forward(self) -> None:
        """Show the window, wherever it is."""
        window = self.window
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()

    def end(self) -> None:
        """Make nothing any more: the program ends."""
        if self._primer is not None:
            self._primer.stop()

    def save_state(self) -> None:
        """Hand everything that is to be remembered to the settings."""
        settings, navigation = self._parts.settings, self.navigation
        window_state.save(self.window, self.frame, settings, self._parts.theme)
        settings.set(preferences.PANE_STATES, navigation.save_states())
        if navigation.current_id:
            settings.set(preferences.LAST_PANE, navigation.current_id)

    def ask_quit(self) -> None:
        """End the program; asks first, also with a hidden window, where something would be lost."""
        self._quit.ask()

    def _agree_to_quit(self) -> None:
        self._quitting = True
        self.save_state()
        self.quit_agreed.emit()

    # What happens to the window.

    def _on_close_asked(self, event: QCloseEvent) -> None:
        if self._quitting:
            return
        event.ignore()
        to_tray = self._parts.settings.get(preferences.CLOSE_TO_TRAY)
        if to_tray and self._tray is not None and self._tray.visible:
            self.save_state()
            self.window.hide()
        else:
            self.ask_quit()

    def _on_stayed(self, pane: str) -> None:
        self.come_forward()
        self.navigation.show_pane(pane)

    def _tell_visible(self) -> None:
        """Live figures cost the engine work: none are asked for while nobody can see them."""
        self._parts.stats.set_active(self.window.isVisible() and not self.window.isMinimized())

    def _on_moved(self) -> None:
        navigation, top = self.navigation, self.frame.top
        self.frame.rail.set_current(navigation.current_id)
        top.crumbs.set_parts(navigation.crumbs())
        top.back.setEnabled(navigation.history.can_go_back)
        top.forward.setEnabled(navigation.history.can_go_forward)
        self.shell.refresh()

    def _on_crumb_clicked(self, number: int) -> None:
        if number == 0 and (pane := self.navigation.current) is not None:
            pane.focus_content()

    def _on_pane_made(self, pane: Pane) -> None:
        pane.bound.refresh()  # made now, so that its shortcuts work

    def _on_job_failed(self, job: Job) -> None:
        if job.error is None:
            return
        actions = []
        if job.title:
            actions.append(NoticeAction("Show", lambda: self._show_job(job)))
        self.notices.failure(job.error, actions)

    def _show_job(self, job: Job) -> None:
        self.show_activity()
        self.frame.drawer.show_job(job)

    def _on_state_changed(self, state: SessionState) -> None:
        self.shell.refresh()
        environment = self._parts.session.environment
        present = environment.id if environment is not None else ""
        if state is SessionState.LOST and not self.navigation.covered:
            self._lost = present
        elif state is SessionState.CONNECTED:
            lost, self._lost = self._lost, ""
            if lost != present:
                return
            self.notices.show("Connected again", "What is shown is current.", tone="good")

    @property
    def environment_menu(self) -> QWidget:
        return self._environment_menu
