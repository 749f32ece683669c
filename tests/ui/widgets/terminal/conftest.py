"""A terminal that is loaded, shown and freed again, and a program on a real pty to put into it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.terminal import TerminalView, preload
from dockdesk.ui.widgets.terminal.screen import Screen

# In the child, not in a fork of this process, which has threads.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
LONG = 20_000  # ms: how long a loaded machine may take


@pytest.fixture(scope="session", autouse=True)
def loaded() -> None:
    """The core, once: its first load takes a while."""
    preload()


@pytest.fixture
def make_screen() -> Iterator[Callable[..., Screen]]:
    from dockdesk.ui.widgets.terminal.ghostty import GhosttyScreen

    made: list[GhosttyScreen] = []

    def make(columns: int = 40, rows: int = 6) -> Screen:
        made.append(GhosttyScreen(columns, rows))
        return made[-1]

    yield make
    for screen in made:
        screen.close()


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[TerminalView]:
    """A shown terminal of about 80 × 24."""
    made = TerminalView(theme)
    qtbot.addWidget(made)
    made.resize(680, 470)
    made.show()
    qtbot.waitUntil(lambda: made.emulator is not None and made.emulator.columns > 60, timeout=LONG)
    yield made
    made.close_terminal()


def text_of(view: TerminalView) -> str:
    """What the terminal shows, row by row."""
    screen = view.emulator
    assert screen is not None
    screen_rows = []
    for number in range(view.grid[1]):
        line = ""
        for run in screen.row(number).runs:
            line = line.ljust(run.column) + run.text
        screen_rows.append(line.rstrip())
    return "\n".join(screen_rows)


def show(qtbot: QtBot, view: TerminalView, output: bytes | str) -> None:
    """Feed output and wait until it is on the screen."""
    view.feed(output.encode() if isinstance(output, str) else output)
    qtbot.waitUntil(lambda: view._emulation.waiting == 0, timeout=LONG)
    view._canvas._refresh()


class Program:
    """A program on a pty, wired to a terminal."""

    def __init__(self, view: TerminalView, command: list[str]) -> None:
        master, slave = pty.openpty()
        self._master = master
        self._view = view
        self._stop = threading.Event()
        self.resize(*view.grid)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"TERM": "xterm-256color", "PATH": os.environ["PATH"], "HOME": "/", "PS1": "$ "},
            start_new_session=True,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, name="pty reader")
        self._reader.start()
        view.input_ready.connect(self._write)
        view.resized.connect(self.resize)

    def _read(self) -> None:
        while not self._stop.is_set():
            readable, _, _ = select.select([self._master], [], [], 0.1)
            if not readable:
                continue
            try:
                data = os.read(self._master, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                return
            if not data:
                return
            self._view.feed(data)

    def _write(self, data: bytes) -> None:
        os.write(self._master, data)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self._stop.set()
        self._reader.join(20)
        os.close(self._master)


@pytest.fixture
def run(view: TerminalView) -> Iterator[Callable[..., Program]]:
    """``run("busybox", "sh")`` starts a program in the terminal of ``view``."""
    programs: list[Program] = []

    def start(*command: str) -> Program:
        programs.append(Program(view, list(command)))
        return programs[-1]

    yield start
    for program in programs:
        view.input_ready.disconnect(program._write)
        view.resized.disconnect(program.resize)
        program.close()


@pytest.fixture
def sent(view: TerminalView) -> list[bytes]:
    """What the terminal sent."""
    heard: list[Any] = []
    view.input_ready.connect(heard.append)
    return heard
