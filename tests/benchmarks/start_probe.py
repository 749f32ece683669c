"""Runs a Qt program until its window is painted and its list is usable, and prints when that was, as JSON.

``start_probe.py TARGET ROWS T0``: TARGET is bare, dockdesk or anchorage; usable is the moment when a visible list has
at least ROWS rows and has been painted with them; T0 is when the process was started, in seconds since 1970. The same
probe measures all programs: it looks at Qt's events only. With the target loaded, DockDesk's panes, tabs and dialogs
are opened after that, one by one, before its memory is read.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TARGET, _ROWS, _T0 = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
_LIMIT_MS = 30_000
_started: list[Any] = []


def _rows(model: Any) -> int:
    """Rows of a list, and of the groups in it."""
    top = model.rowCount()
    return top + sum(model.rowCount(model.index(row, 0)) for row in range(min(top, 50)))


def _install() -> None:
    import shiboken6
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QAbstractItemView, QApplication, QMainWindow

    original = QApplication.exec

    class Watch(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.said: dict[str, float] = {}
            self.timer = QTimer()
            self.timer.setInterval(10)  # looking costs some tenths of a millisecond
            self.timer.timeout.connect(self.look)
            self.timer.start()

        def now(self) -> float:
            return (time.time() - _T0) * 1000

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and isinstance(watched, QMainWindow):
                self.said.setdefault("first_paint_ms", self.now())
                self.said.setdefault("first_paint_cpu_ms", time.process_time() * 1000)
                app = QApplication.instance()
                assert app is not None
                app.removeEventFilter(self)  # it would cost whoever has more widgets more
            return False

        def look(self) -> None:
            if _ROWS == 0:
                if "first_paint_ms" in self.said:
                    self.finish()
                return
            # Not QApplication.allWidgets(): Qt's own widgets would get wrappers, and the first of them makes PySide set
            # up every class of widget there is, which would be charged to the program.
            for widget in shiboken6.getAllValidWrappers():
                if isinstance(widget, QAbstractItemView) and widget.isVisible():
                    model = widget.model()
                    if model is not None and _rows(model) >= _ROWS:
                        widget.repaint()
                        self.said["usable_ms"] = self.now()
                        self.said["usable_cpu_ms"] = time.process_time() * 1000
                        self.timer.stop()
                        if _TARGET == "loaded":
                            _open_everything(self.finish)
                            return
                        # A moment later all that starts with the window is there: that is what it weighs.
                        QTimer.singleShot(1500, self.finish)
                        return
            if self.now() > _LIMIT_MS:
                self.finish()

        def finish(self) -> None:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            self.said["rss_mib"] = pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
            self.said["cpu_ms"] = time.process_time() * 1000
            print(json.dumps(self.said), flush=True)
            os._exit(0)

    def patched(*_args: Any) -> int:
        app = QApplication.instance()
        watch = Watch()
        assert app is not None
        app.installEventFilter(watch)
        return original()

    QApplication.exec = patched  # type: ignore[method-assign,assignment]


def _keep_start() -> None:
    """Remember what starts DockDesk: all else hangs from it."""
    from dockdesk.start import Start

    original = Start.run

    def run(self: Start, *arguments: Any, **named: Any) -> int:
        _started.append(self)
        return original(self, *arguments, **named)

    Start.run = run  # type: ignore[method-assign]


def _open_everything(then: Callable[[], None]) -> None:
    """Open every pane, every tab of a container, a terminal, the palette and the settings; then call ``then``."""
    from PySide6.QtCore import QTimer

    program = _started[0]._program
    shell = program.shell
    containers = shell.navigation.pane("containers")
    steps: list[Callable[[], Any]] = [
        shell.show_palette,
        lambda: shell.palette.hide(),
        shell.show_settings,
        shell.show_shortcuts,
        shell.show_activity,
        *(lambda id=entry.id: shell.navigation.show_pane(id) for entry in shell.navigation.entries),
        lambda: shell.navigation.show_pane("containers"),
        *(lambda id=tab.id: containers.show_tab(id) for tab in containers.description.tabs),
        lambda: shell.navigation.trigger("container.terminal", containers.selected()),
        lambda: shell.navigation.trigger("container.run"),
    ]

    def step() -> None:
        if steps:
            steps.pop(0)()
            QTimer.singleShot(400, step)
        else:
            QTimer.singleShot(1500, then)

    step()


def _bare() -> None:
    from PySide6.QtWidgets import QApplication, QMainWindow

    app = QApplication([])
    window = QMainWindow()
    window.resize(1200, 800)
    window.show()
    app.exec()


def main() -> None:
    # Each program imports Qt in its own order first: what it does before that counts.
    sys.argv = [_TARGET]
    if _TARGET == "bare":
        run = _bare
    else:
        main_module, first = {
            "dockdesk": ("dockdesk.__main__", "dockdesk.start"),
            "loaded": ("dockdesk.__main__", "dockdesk.start"),
            "anchorage": ("anchorage.__main__", "anchorage.app"),
        }[_TARGET]
        importlib.import_module(first)
        run = importlib.import_module(main_module).main
    if _TARGET == "loaded":
        _keep_start()
    _install()
    run()


main()
