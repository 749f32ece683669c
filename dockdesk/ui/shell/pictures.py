"""Draws the panes to PNG files: for documentation, and for a look without a display."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from PySide6.QtCore import QObject, QTimer

from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.options import Options
from dockdesk.ui.shell.environments import Environments
from dockdesk.ui.shell.shell import Shell
from dockdesk.ui.theme import Theme, ThemeMode

_CONNECT_MS = 15_000
_SETTLE_MS = 400
_OPEN_MS = 1500
_BUILD_MS = 60_000
_LAUNCH_MS = 6000  # to start a container, and for the word of it to leave the window


class Pictures(QObject):
    """Waits for the engine (or for the welcome page, where none answers), then draws pane by pane, theme by theme.

    ``options`` has out, pane, theme, size, wait, open and build as on the command line; ``done`` gets the exit code.
    """

    def __init__(
        self,
        shell: Shell,
        theme: Theme,
        session: EngineSession,
        environments: Environments,
        options: Options,
        done: Callable[[int], None],
    ) -> None:
        super().__init__(shell)
        self._shell = shell
        self._theme = theme
        self._session = session
        self._environments = environments
        self._options = options
        self._done = done
        self._folder = Path(options.out)
        self._steps: Iterator[tuple[str, ThemeMode]] = iter(())
        self._begun = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._draw_all)

    def begin(self) -> None:
        known = [entry.id for entry in self._shell.navigation.entries]
        unknown = [id for id in self._options.pane or () if id not in known]
        if unknown:
            print(f"There is no pane {unknown[0]}; there are: {', '.join(known)}.", file=sys.stderr)
            self._done(2)
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            print(f"{self._folder} can't be made: {error.strerror}", file=sys.stderr)
            self._done(2)
            return
        self._patience.start(_CONNECT_MS)
        self._session.state_changed.connect(self._look)
        self._environments.attempts_changed.connect(self._look)
        self._look()

    def _look(self, _state: object = None) -> None:
        """Draw once the engine is there, or once nothing more will be tried."""
        state = self._session.state
        tried = state not in (SessionState.CONNECTED, SessionState.CONNECTING)
        if state is SessionState.CONNECTED or (tried and not self._environments.searching):
            self._draw_all()

    def _draw_all(self) -> None:
        if self._begun:
            return
        self._begun = True
        self._patience.stop()
        if self._options.open:
            self._shell.open_paths([self._options.open])
            QTimer.singleShot(_OPEN_MS, self, self._build if self._options.build else self._list)
        else:
            self._list()

    def _build(self) -> None:
        """Build and run what was opened, and go on when that is over, one way or the other."""
        builds = self._shell.context.builds
        builds.ended.connect(self._on_built)
        self._patience.timeout.disconnect()
        self._patience.timeout.connect(self._on_built)
        self._patience.start(_BUILD_MS)
        self._shell.navigation.trigger("build.and_run")

    def _on_built(self, _run: object = None) -> None:
        self._shell.context.builds.ended.disconnect(self._on_built)
        self._patience.stop()
        QTimer.singleShot(_LAUNCH_MS, self, self._list)

    def _list(self) -> None:
        panes = self._options.pane or [entry.id for entry in self._shell.navigation.entries]
        modes = ["light", "dark"] if self._options.theme == "both" else [self._options.theme]
        self._steps = ((pane, cast(ThemeMode, mode)) for pane in panes for mode in modes)
        self._next()

    def _next(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._done(0)
            return
        pane, mode = step
        fresh = (
            pane != self._shell.navigation.current_id or pane not in self._shell.navigation.panes
        )
        self._shell.navigation.show_pane(pane)
        self._theme.set_mode(mode)
        self._theme.settle()
        wait = int(self._options.wait * 1000) if fresh or mode == "light" else _SETTLE_MS
        QTimer.singleShot(max(wait, _SETTLE_MS), self, lambda: self._grab(pane, mode))

    def _grab(self, pane: str, mode: str) -> None:
        self._theme.settle()
        file = self._folder / f"{pane}-{mode}.png"
        if not self._shell.window.grab().save(str(file), "PNG"):
            print(f"{file} can't be written.", file=sys.stderr)
            self._done(1)
            return
        print(file)
        self._next()
