"""What the shell's own actions do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from dockdesk import __version__
from dockdesk.core import preferences
from dockdesk.core.actions import Action
from dockdesk.core.environments import Guard
from dockdesk.ui.pane import Pane

if TYPE_CHECKING:
    from dockdesk.ui.shell.parts import WindowParts
    from dockdesk.ui.shell.shell import Shell

_NEED_PANE = frozenset({"view.reload", "view.filter", "view.maximise"})


class ShellCommands:
    """Action id → what happens; and why it can't happen now."""

    def __init__(self, shell: Shell, parts: WindowParts) -> None:
        self._shell = shell
        self._parts = parts
        self._handlers = {**self._window_handlers(), **self._other_handlers()}

    def run(self, action: Action[Any], _rows: Sequence[Any] = ()) -> None:
        self._handlers[action.id]()

    def refusal(self, action: Action[Any], _rows: Sequence[Any] = ()) -> str | None:
        """Why ``action`` is not possible now, in one sentence, or None."""
        navigation, environment = self._shell.navigation, self._parts.session.environment
        if action.id == "go.back" and not navigation.history.can_go_back:
            return "There is nothing to go back to."
        if action.id == "go.forward" and not navigation.history.can_go_forward:
            return "There is nothing to go forward to."
        if action.id in _NEED_PANE and (navigation.current is None or navigation.covered):
            return "No pane is shown."
        if environment is None and (
            action.group == "guard" or action.id == "environment.reconnect"
        ):
            return "No environment is chosen."
        return None

    def _window_handlers(self) -> Mapping[str, Callable[[], None]]:
        shell, window = self._shell, self._shell.window
        return {
            "app.settings": shell.show_settings,
            "app.close": self._close,
            "app.quit": shell.ask_quit,
            "view.reload": lambda: self._with_pane(lambda pane: pane.reload()),
            "view.filter": lambda: self._with_pane(lambda pane: pane.focus_filter()),
            "view.maximise": lambda: self._with_pane(lambda pane: pane.toggle_maximised()),
            "view.rail": shell.fold_rail,
            "view.activity": shell.toggle_activity,
            "view.menu_bar": lambda: window.menuBar().setVisible(window.menuBar().isHidden()),
            "view.full_screen": lambda: window.setWindowState(
                window.windowState() ^ Qt.WindowState.WindowFullScreen
            ),
            "go.back": shell.navigation.back,
            "go.forward": shell.navigation.forward,
            "go.next_part": shell.focus_next_part,
            "help.palette": shell.show_palette,
            "help.shortcuts": shell.show_shortcuts,
        }

    def _other_handlers(self) -> Mapping[str, Callable[[], None]]:
        parts = self._parts
        return {
            "view.light": lambda: parts.settings.set(preferences.THEME, "light"),
            "view.dark": lambda: parts.settings.set(preferences.THEME, "dark"),
            "view.system": lambda: parts.settings.set(preferences.THEME, "system"),
            "environment.switch": self._shell.show_environments,
            "environment.reconnect": parts.session.reconnect,
            "environment.find": parts.environments.find,
            "environment.normal": lambda: self._guard(Guard.NORMAL),
            "environment.protected": lambda: self._guard(Guard.PROTECTED),
            "environment.read_only": lambda: self._guard(Guard.READ_ONLY),
            "help.log": self._show_log,
            "help.about": self._show_about,
        }

    def _with_pane(self, do: Callable[[Pane], None]) -> None:
        pane = self._shell.navigation.current
        if pane is not None:
            do(pane)

    def _close(self) -> None:
        self._shell.window.close()

    def _guard(self, guard: Guard) -> None:
        environment = self._parts.session.environment
        if environment is not None:
            self._parts.environments.mark(replace(environment, guard=guard))

    def _show_log(self) -> None:
        path = self._parts.log_path
        if path.exists():
            from PySide6.QtCore import QUrl
            from PySide6.QtGui import QDesktopServices

            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
        else:
            self._shell.notices.show(
                "The log is empty", f"Nothing went wrong yet. It would be {path}."
            )

    def _show_about(self) -> None:
        info = self._parts.session.info
        engine = f"Connected to {info.product} {info.version}." if info is not None else ""
        self._shell.notices.show(f"DockDesk {__version__}", f"Apache License 2.0. {engine}".strip())
