"""The whole program on a real dockerd: what the user does in the window happens there, and comes back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from dockdesk.app import Program
from dockdesk.backends.engine.backend import connect
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.core import preferences
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.reactor import Reactor
from dockdesk.core.work import SilentWork
from dockdesk.places import Places
from dockdesk.services import Services
from dockdesk.ui.panes.registry import PANES
from dockdesk.ui.shell.environments import FoundEnvironment
from dockdesk.ui.shell.main_window import MainWindow
from tests.engines import BUSYBOX, Dockerd, connected

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

TIMEOUT = 60_000


class Live:
    """The program, begun."""

    def __init__(self, program: Program, qtbot: Any) -> None:
        self.program = program
        self.shell = program.shell
        self.pane: Any = None
        self._qtbot = qtbot

    def until(self, condition: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(condition()), timeout=TIMEOUT)

    def state(self, name: str) -> str:
        rows = self.program.session.containers.values()
        return next((row.state for row in rows if row.name == name), "")

    def choose(self, name: str) -> None:
        self.until(lambda: self.state(name))
        row = next(c for c in self.program.session.containers.values() if c.name == name)
        self.until(lambda: self.pane.table.select_keys([row.id]))


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "settings.json", tmp_path / "archive.sqlite", tmp_path / "log")


@pytest.fixture
def make(qtbot: Any, qapp: QApplication) -> Iterator[Callable[..., Live]]:
    """Begins programs on an engine; ends the last one, and gives the application its own look back."""
    look = (qapp.style().objectName(), QPalette(qapp.palette()), qapp.font(), qapp.styleSheet())
    begun: list[Program] = []

    def begin(engine: Dockerd, places: Places) -> Live:
        found = endpoint("test", engine.host, "a test")

        def discover(reactor: Reactor) -> list[FoundEnvironment]:
            return [FoundEnvironment(found.environment, lambda w: connect(found, reactor, w), True)]

        window = MainWindow()
        qtbot.addWidget(window, before_close_func=lambda _w: None)
        window.show()
        program = Program(qapp, window, places, Services(places, discover), PANES)
        begun.append(program)
        program.begin()
        live = Live(program, qtbot)
        program.shell.navigation.show_pane("containers")
        live.pane = program.shell.navigation.pane("containers")
        live.until(lambda: program.session.state.value == "connected")
        return live

    yield begin
    for program in begun:
        program.shell.notices.close_all()
        program.end()
    qapp.setStyleSheet(look[3])
    qapp.setStyle(look[0])
    qapp.setPalette(look[1])
    qapp.setFont(look[2])


def run(engine: Dockerd, reactor: Reactor, name: str, *command: str) -> None:
    backend = connected(engine, reactor)
    spec = ContainerSpec(BUSYBOX, name=name, command=command or ("sleep", "1000"), network="none",
                         stop_timeout=0)  # fmt: skip
    backend.run_container(spec, SilentWork())
    backend.close()


def test_what_is_done_in_the_window_is_done_and_kept(
    own_dockerd: Dockerd, reactor: Reactor, places: Places, make: Callable[..., Live]
) -> None:
    run(own_dockerd, reactor, "one")
    live = make(own_dockerd, places)
    live.program.settings.set(preferences.CONFIRM, "destroys")
    live.until(lambda: "Docker Engine" in live.shell.presenter.engine_text)
    live.choose("one")
    live.pane.bound["container.stop"].trigger()
    live.until(lambda: live.state("one") == "exited")
    live.pane.bound["container.start"].trigger()
    live.until(lambda: live.state("one") == "running")
    live.until(lambda: len(live.program.audit.entries) == 2)
    live.program.end()
    kept = sqlite3.connect(places.archive).execute("SELECT cli, outcome FROM audit").fetchall()
    assert kept == [("docker stop one", "ok"), ("docker start one", "ok")]


def test_a_lost_engine_is_found_again(
    own_dockerd: Dockerd, reactor: Reactor, places: Places, make: Callable[..., Live]
) -> None:
    run(own_dockerd, reactor, "two")
    live = make(own_dockerd, places)
    live.choose("two")
    own_dockerd.kill()
    live.until(lambda: "as it was last seen" in live.shell.frame.banner.text)
    assert live.pane.model.total == 1
    own_dockerd.start()
    live.until(lambda: "Connected again" in "\n".join(live.shell.notices.texts()))
    live.until(lambda: live.program.session.state.value == "connected")
    assert live.shell.frame.banner.text == ""
