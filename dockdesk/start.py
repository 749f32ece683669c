"""Starts the program: paints the window first, and only then imports what it is made of.

Importing all of DockDesk takes longer than Qt takes to show a window. So the window comes first, in the colours and the
place it had, and a thread imports the rest meanwhile.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockdesk import __version__, plain_import  # isort: split

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from dockdesk.places import Places, user_places
from dockdesk.ui.shell.main_window import MainWindow

if TYPE_CHECKING:
    from dockdesk.app import Program
    from dockdesk.options import Options
    from dockdesk.services import Services
    from dockdesk.ui.shell.loader import Loader

# Python hands the interpreter on every 5 ms by default, a third of a frame; workers must not keep it that long.
SWITCH_INTERVAL_S = 0.0005


def run(options: Options) -> int:
    """Show the window until the user quits; return the exit code."""
    app = make_application()
    if options.vnc is not None and not _serve(options.vnc):
        return 2
    start = Start(app, user_places(), demo=options.demo, paths=options.paths)
    return start.run(maximised=options.vnc is not None)


def draw(options: Options) -> int:
    """Draw panes to PNG files; return the exit code."""
    app = make_application()

    def draw_panes(program: Program) -> None:
        from dockdesk.ui.shell.pictures import Pictures

        Pictures(
            program.shell,
            program.theme,
            program.session,
            program.environments,
            options,
            app.exit,
        ).begin()

    start = Start(app, user_places(), draw_panes, demo=options.demo)
    width, _, height = options.size.partition("x")
    start.window.resize(int(width), int(height))
    return start.run()


def make_application() -> QApplication:
    """Qt's application object with DockDesk's name on it."""
    # Nothing of what is imported from here on is garbage; looking for some would take a tenth of the time. Once the
    # program runs, `dockdesk.bridge.collector` collects.
    gc.disable()
    plain_import.restore()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # The style as an argument: what `setStyle` returns costs 5 ms to wrap.
    app = QApplication(["dockdesk", "-style", "Fusion"])
    app.setProperty("fusion", True)
    app.setApplicationName("dockdesk")
    app.setApplicationDisplayName("DockDesk")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("org.dockdesk.DockDesk")
    app.setQuitOnLastWindowClosed(False)
    return app


class Start:
    """The window from its first paint to the end of the program. ``begun`` is called once the Program is there."""

    def __init__(
        self,
        app: QApplication,
        places: Places,
        begun: Callable[[Program], None] | None = None,
        demo: bool = False,
        paths: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._places = places
        self._begun = begun
        self._demo = demo
        self._paths = paths
        self._program: Program | None = None
        self._services: Services | None = None
        self._loader: Loader | None = None
        self.window = MainWindow(_window_state(places))
        self.window.close_asked.connect(self._on_close_asked)
        self.window.painted.connect(self._on_painted)

    def run(self, maximised: bool = False) -> int:
        """Show the window, and run until the program ends; return the exit code."""
        if maximised:
            self.window.showMaximized()
        else:
            self.window.show()
        code = self._app.exec()
        if self._loader is not None:
            self._loader.stop()
        if self._program is not None:
            self._program.end()
        elif self._services is not None:
            self._services.end_work()
            self._services.close()
        return code

    def _on_painted(self) -> None:
        # What was painted reaches the screen once the paint event is over.
        QTimer.singleShot(0, self._load)

    def _load(self) -> None:
        from dockdesk.ui.shell.loader import Loader

        self._loader = Loader()
        self._loader.services_loaded.connect(self._on_services_loaded)
        self._loader.loaded.connect(self._on_loaded)
        self._loader.start()

    def _on_services_loaded(self) -> None:
        try:
            from dockdesk.services import Services

            self._services = Services(self._places, demo=self._demo)
        except BaseException:
            self._app.exit(1)
            raise

    def _on_loaded(self) -> None:
        if self._services is None:
            return  # which has been told
        try:
            # Imported already, unless that failed: then it fails again here, where it is seen.
            from dockdesk.app import Program

            program = Program(self._app, self.window, self._places, self._services)
        except BaseException:
            self._app.exit(1)  # rather than an empty window for ever
            raise
        self._program = program
        program.ended.connect(self._app.exit)
        program.settled.connect(self._on_settled)
        program.begin(self._paths)
        if self._begun is not None:
            self._begun(program)

    def _on_settled(self) -> None:
        from dockdesk.ui.shell.first_input import FirstInput

        if self._loader is not None:
            FirstInput(self._app).came.connect(self._loader.go_on)
            self._loader.finished.connect(self._on_finished)

    def _on_finished(self) -> None:
        if self._program is not None:
            self._program.shell.prime()

    def _on_close_asked(self, _event: object) -> None:
        if self._program is None:
            self._app.exit(0)


def _window_state(places: Places) -> Mapping[str, Any]:
    """What the window needs of the settings before `Settings` reads them properly, and tells what is wrong in them."""
    try:
        found = json.loads(places.settings.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    state = found.get("window_state") if isinstance(found, dict) else None
    return state if isinstance(state, dict) else {}


def _serve(port: int) -> bool:
    """Show the window to VNC viewers of this computer; False where that can't be done, which is said."""
    from dockdesk.core.errors import LocalError
    from dockdesk.ui.shell.vnc import listen_on_loopback

    try:
        listen_on_loopback(port)
    except LocalError as error:
        print(f"{error}. {error.hint}".strip(), file=sys.stderr)
        return False
    print(f"DockDesk is shown at 127.0.0.1:{port} (VNC).", flush=True)
    return True
