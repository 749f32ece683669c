"""Everything that can be opened is imported before it is."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from dockdesk.ui.shell import loader
from dockdesk.ui.shell.loader import Loader


def test_imports_every_pane_off_the_gui_thread() -> None:
    code = """
import sys, threading
from dockdesk import start
from dockdesk.ui.shell import loader
loader._LATER_S = 0.0
app = start.make_application()
made = loader.Loader()
made.start()
made._thread.join(60)
print("dockdesk.ui.panes.containers.pane" in sys.modules,
      "dockdesk.ui.panes.containers.details.terminal" in sys.modules,
      "dockdesk.ui.shell.settings_dialog" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert done.stdout.split() == ["True", "True", "True"], done.stderr


def test_stops_at_once(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_LATER_S", 60.0)
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
