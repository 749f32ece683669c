"""Everything that can be opened is imported before it is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from dockdesk.ui.shell import loader
from dockdesk.ui.shell.first_input import FirstInput
from dockdesk.ui.shell.loader import Loader


def test_imports_every_pane_off_the_gui_thread() -> None:
    code = """
import sys, threading
from dockdesk import start
from dockdesk.ui.shell import loader
app = start.make_application()
made = loader.Loader()
made.start()
made.go_on()
made._thread.join(60)
print("dockdesk.ui.panes.containers.pane" in sys.modules,
      "dockdesk.ui.panes.containers.details.terminal" in sys.modules,
      "dockdesk.ui.shell.settings_dialog" in sys.modules,
      "pyghostty" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.split() == ["True"] * 4, done.stderr


def test_stops_at_once(qtbot: Any) -> None:
    made = Loader()
    with qtbot.waitSignal(made.loaded, timeout=60_000):
        made.start()
    made.stop()
    assert not made._thread.is_alive()


def test_a_module_that_fails_does_not_end_the_rest(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, expect_log: Any
) -> None:
    expect_log("can't be imported")
    monkeypatch.setattr(loader, "PROGRAM", "dockdesk.nothing_like_it")
    made = Loader()
    with qtbot.waitSignal(made.loaded, timeout=60_000):
        made.start()
    made.stop()


def test_the_first_input_is_told_once(qtbot: Any) -> None:
    app = QApplication.instance()
    assert app is not None
    first = FirstInput(app)
    told: list[int] = []
    first.came.connect(lambda: told.append(1))
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    widget.resize(300, 200)
    qtbot.wait(1)
    assert not told
    qtbot.keyClick(widget, Qt.Key.Key_A)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
    assert told == [1]
    first.deleteLater()
