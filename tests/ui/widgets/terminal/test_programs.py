"""Real programs on a real pty: a shell, top and vi."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from dockdesk.ui.widgets.terminal import TerminalView

from .conftest import LONG, Program, text_of

Run = Callable[..., Program]

pytestmark = pytest.mark.skipif(shutil.which("busybox") is None, reason="needs busybox")


def until(qtbot: QtBot, view: TerminalView, wanted: str) -> None:
    qtbot.waitUntil(lambda: wanted in text_of(view), timeout=LONG)


def test_a_shell_echoes_runs_and_ends(qtbot: QtBot, view: TerminalView, run: Run) -> None:
    program = run("busybox", "sh")
    until(qtbot, view, "$")
    qtbot.keyClicks(view._canvas, "echo $((6*7))-")
    view.paste_text("é")
    qtbot.keyClick(view._canvas, Qt.Key.Key_Return)
    until(qtbot, view, "\n42-é")
    qtbot.keyClicks(view._canvas, "sleep 600")
    qtbot.keyClick(view._canvas, Qt.Key.Key_Return)
    until(qtbot, view, "sleep 600")
    qtbot.keyClick(view._canvas, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(view._canvas, "exit 3")
    qtbot.keyClick(view._canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: program.process.poll() is not None, timeout=LONG)
    assert program.process.returncode == 3


def test_the_shell_learns_the_size(qtbot: QtBot, view: TerminalView, run: Run) -> None:
    run("busybox", "sh")
    until(qtbot, view, "$")
    with qtbot.waitSignal(view.resized, timeout=LONG):
        view.resize(500, 300)
    columns, rows = view.grid
    qtbot.keyClicks(view._canvas, "stty size")
    qtbot.keyClick(view._canvas, Qt.Key.Key_Return)
    until(qtbot, view, f"{rows} {columns}")


def test_vi_edits_and_gives_the_screen_back(
    qtbot: QtBot, view: TerminalView, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "note.txt"
    file.write_text("first line\nsecond line\n", encoding="utf-8")
    # A short name: vi asks to be confirmed what doesn't fit on its last line.
    run("busybox", "sh", "-c", f"cd '{tmp_path}'; busybox vi note.txt; echo after")
    until(qtbot, view, "second line")
    canvas = view._canvas
    until(qtbot, view, "~")

    def cursor_at(column: int, row: int) -> None:
        # Step by step: vi tells keys of several bytes from single ones by the time between them.
        qtbot.waitUntil(
            lambda: (view.emulator.cursor().column, view.emulator.cursor().row) == (column, row),
            timeout=LONG,
        )

    cursor_at(0, 0)
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    cursor_at(0, 1)
    qtbot.keyClick(canvas, Qt.Key.Key_End)
    cursor_at(len("second line") - 1, 1)
    qtbot.keyClicks(canvas, "a and more")
    until(qtbot, view, "second line and more")
    cursor_at(len("second line and more"), 1)
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    cursor_at(len("second line and more") - 1, 1)
    qtbot.keyClicks(canvas, ":wq")
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    until(qtbot, view, "after")
    assert file.read_text(encoding="utf-8") == "first line\nsecond line and more\n"


def test_top_fills_the_screen_and_quits(qtbot: QtBot, view: TerminalView, run: Run) -> None:
    program = run("busybox", "top", "-d", "1")
    until(qtbot, view, "PID")
    until(qtbot, view, "busybox top")
    assert text_of(view).startswith("Mem:")
    qtbot.keyClicks(view._canvas, "q")
    qtbot.waitUntil(lambda: program.process.poll() is not None, timeout=LONG)


def test_a_long_output_arrives_whole(qtbot: QtBot, view: TerminalView, run: Run) -> None:
    run("busybox", "seq", "1", "20000")
    until(qtbot, view, "20000")
    view._canvas._refresh()
    assert view.emulator.scroll().total > 10_000
