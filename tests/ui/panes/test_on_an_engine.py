"""The containers pane on a real engine: from the run form to the removal, as a user does it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.bridge.engine_session import SessionState
from dockdesk.core.errors import DockDeskError, NotFoundError
from dockdesk.core.reactor import Reactor
from dockdesk.core.work import Work
from dockdesk.ui.panes.containers.details.files import FilesView
from dockdesk.ui.panes.containers.details.logs import LogsView
from dockdesk.ui.panes.containers.details.stats import StatsView
from dockdesk.ui.panes.containers.details.summary import SummaryView
from dockdesk.ui.panes.containers.details.terminal import TerminalsView
from dockdesk.ui.panes.containers.details.terminal_session import TerminalSession
from dockdesk.ui.panes.containers.pane import ContainersPane
from dockdesk.ui.panes.containers.run_dialog import RunDialog
from tests.engines import BUSYBOX, Dockerd, connected
from tests.ui.doubles import environment
from tests.ui.panes.hands import Hands, dialog, drop
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

NAME = "ddpane"
LOUD = "sh -c 'echo hello from the start; while true; do echo tick; sleep 0.2; done'"


@pytest.fixture
def hands(
    theme: Any, jobs: Any, pulse: Any, qtbot: Any, docker_engine: EngineBackend
) -> Iterator[Hands]:
    """The pane on the session's dockerd, with the run form filled in and run."""
    engine: Any = docker_engine
    rig = Rig(theme, jobs, pulse, qtbot, engine=engine)
    pane = ContainersPane(rig.context)
    qtbot.addWidget(pane)
    pane.resize(1200, 860)
    pane.show()
    rig.connect()
    rig.until(lambda: rig.session.loaded("containers"))
    yield Hands(rig, pane)
    for container in docker_engine.containers():
        if container.name == NAME:
            docker_engine.remove(container.id, force=True)
    rig.close()


def run(hands: Hands, image: str) -> None:
    hands.press("Ctrl+N")
    form = dialog(hands.rig, RunDialog)
    form.fill({"image": image, "name": NAME, "command": LOUD, "network": "none",
               "stop_timeout": "0", "env": "TOKEN=hunter2"})  # fmt: skip
    form._submit(True)
    hands.rig.until(lambda: hands.has(NAME) and hands.row(NAME).container.state == "running")


def test_a_container_from_its_run_to_its_removal(
    hands: Hands, busybox_image: str, tmp_path: Path
) -> None:
    rig = hands.rig
    run(hands, busybox_image)
    assert hands.logged()[0].startswith("docker run")
    assert "hunter2" not in hands.logged()[0]
    hands.choose(NAME)

    logs = hands.tab("Logs")
    assert isinstance(logs, LogsView)
    rig.until(lambda: any("tick" in line for _, line in logs.panel.view.lines_drawn()))

    terminal = hands.tab("Terminal")
    assert isinstance(terminal, TerminalsView)
    rig.until(lambda: terminal.sessions() and terminal.sessions()[0].alive)
    session = terminal.sessions()[0]
    keys = keys_of(session)
    QTest.keyClicks(keys, "echo $((6*7)); exit 3")
    QTest.keyClick(keys, Qt.Key.Key_Return)
    rig.until(lambda: session.view.ended)
    assert session.view._end_bar.text == "The program ended with code 3."

    files = hands.tab("Files")
    assert isinstance(files, FilesView)
    rig.until(lambda: files.browser.model.row_of("/bin") >= 0)
    (tmp_path / "brought.txt").write_text("in")
    assert drop(files.browser, tmp_path / "brought.txt")
    rig.until(lambda: files.browser.model.row_of("/brought.txt") >= 0)

    summary = hands.tab("Summary")
    assert isinstance(summary, SummaryView)
    rig.until(lambda: summary.ready)
    assert {"State", "Image", "Command"} <= {fact.label for fact in summary.facts("General")}

    charts = hands.tab("Charts")
    assert isinstance(charts, StatsView)
    id = hands.row(NAME).container.id
    rig.until(lambda: len(charts._charts[0]._model.lines[f"{id}/cpu"].samples) >= 1)

    hands.tab("Logs")
    hands.do(NAME, "Stop")
    rig.until(lambda: hands.row(NAME).container.state == "exited")
    rig.until(lambda: "Exited with code" in logs.panel.status.state.text())
    lines = logs.panel.feed.store.snapshot().last_row
    hands.do(NAME, "Start")
    rig.until(lambda: logs.panel.feed.store.snapshot().last_row > lines)

    rig.asker.values = {"force": True}
    hands.do(NAME, "Remove…")
    rig.until(lambda: hands.pane.detail.gone_text)
    with pytest.raises(NotFoundError):
        rig.engine.container(id)


def test_a_daemon_that_dies_is_told_and_everything_goes_on(
    theme: Any, jobs: Any, pulse: Any, qtbot: Any, own_dockerd: Dockerd, reactor: Reactor
) -> None:
    rig = Rig(theme, jobs, pulse, qtbot)
    pane = ContainersPane(rig.context)
    qtbot.addWidget(pane)
    pane.resize(1200, 860)
    pane.show()
    hands = Hands(rig, pane)
    backends: list[EngineBackend] = []

    def open_engine(_work: Work) -> Any:
        backends.append(connected(own_dockerd, reactor))
        return backends[-1]

    def until(condition: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(condition()), timeout=60_000)

    rig.session.connect_to(environment(), open_engine)
    until(lambda: rig.session.state is SessionState.CONNECTED)
    run(hands, BUSYBOX)
    hands.choose(NAME)
    logs = hands.tab("Logs")
    assert isinstance(logs, LogsView)
    until(lambda: logs.panel.view.lines_drawn())
    terminal = hands.tab("Terminal")
    assert isinstance(terminal, TerminalsView)
    until(lambda: terminal.sessions() and terminal.sessions()[0].alive)
    session = terminal.sessions()[0]

    own_dockerd.kill()
    until(lambda: rig.session.state is SessionState.LOST)
    until(lambda: session.view.ended)
    until(logs.panel.lost_sources)
    assert hands.has(NAME)

    own_dockerd.start()
    until(lambda: rig.session.state is SessionState.CONNECTED)
    engine = backends[-1]
    with contextlib.suppress(DockDeskError):  # it may still end what its predecessor left
        engine.stop(hands.row(NAME).container.id, 1)
    until(lambda: hands.row(NAME).container.state == "exited")
    hands.tab("Logs")
    lines = logs.panel.feed.store.snapshot().last_row
    hands.do(NAME, "Start")
    until(lambda: logs.panel.feed.store.snapshot().last_row > lines)
    hands.tab("Terminal")
    QTest.keyClick(keys_of(session), Qt.Key.Key_Return)
    until(lambda: session.alive)
    rig.close()


def keys_of(session: TerminalSession) -> QWidget:
    proxy = session.view.focusProxy()
    assert proxy is not None
    return proxy
