"""The smaller parts of the window."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from dockdesk.core.environments import Environment, Guard
from dockdesk.core.errors import (
    ConflictError,
    LocalError,
    PermissionDeniedError,
    UnreachableError,
)
from dockdesk.core.preferences import START_PAGE
from dockdesk.ui.pane import Pane
from dockdesk.ui.panes.registry import PANES, PaneEntry
from dockdesk.ui.shell.crash import CrashGuard, start_log
from dockdesk.ui.shell.environment_menu import EnvironmentMenu
from dockdesk.ui.shell.environments import Attempt
from dockdesk.ui.shell.keys import KeyGroup, Keys
from dockdesk.ui.shell.nav_rail import NARROW, NavRail
from dockdesk.ui.shell.shortcut_sheet import ShortcutSheet, filtered
from dockdesk.ui.shell.status_bar import StatusBar
from dockdesk.ui.shell.top_bar import TopBar
from dockdesk.ui.shell.tray import Tray
from dockdesk.ui.shell.vnc import listen_on_loopback
from dockdesk.ui.shell.welcome import WelcomePage
from dockdesk.ui.widgets.labels import PlainLabel

LOCAL = Environment("docker:default", "docker", "default", "unix:///run/docker.sock", "context")
PROD = Environment("docker:prod", "docker", "<b>prod</b>", "tcp://10.0.0.1:2376", colour="red",
                   guard=Guard.PROTECTED)  # fmt: skip


def entries() -> list[PaneEntry]:
    def never(context: Any) -> Pane:
        raise AssertionError

    return [
        PaneEntry(id, title, "box", section, (), never, lambda: ())
        for id, title, section in [
            ("overview", "Overview", ""),
            ("containers", "Containers", "Engine"),
            ("images", "Images", "Engine"),
        ]
    ]


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(PlainLabel))


def test_rail_tells_what_was_chosen_by_click_and_key(qtbot: Any, theme: Any) -> None:
    rail = NavRail(theme, entries())
    qtbot.addWidget(rail)
    rail.resize(208, 500)
    rail.show()
    chosen: list[str] = []
    rail.chosen.connect(chosen.append)
    first = rail._buttons["overview"]
    first.setFocus()
    qtbot.keyClick(first, Qt.Key.Key_Down)
    assert rail.focusWidget() is rail._buttons["containers"]
    qtbot.keyClick(rail._buttons["containers"], Qt.Key.Key_Space)
    rail._buttons["images"].click()
    assert chosen == ["containers", "images"]
    rail.set_narrow(True)
    assert rail.width() == NARROW
    assert not any(heading.isVisible() for heading in rail._headings)
    assert first.accessibleName() == "Overview"


def test_environment_menu_switches_and_marks(qtbot: Any, theme: Any) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    menu = EnvironmentMenu(theme, owner)
    switched: list[Environment] = []
    marked: list[Environment] = []
    menu.switched.connect(switched.append)
    menu.marked.connect(marked.append)
    menu.fill([LOCAL, PROD], LOCAL)
    by_text = {action.text(): action for action in menu.actions()}
    assert by_text["default\tconnected"].isChecked()
    by_text["<b>prod</b> · protected"].trigger()
    assert switched == [PROD]
    guards = {action.text(): action for action in by_text["Guard: normal"].menu().actions()}
    guards["Read-only"].trigger()
    colours = {action.text(): action for action in by_text["Colour"].menu().actions()}
    colours["Violet"].trigger()
    assert marked[0].guard is Guard.READ_ONLY
    assert marked[1].colour == "violet"
    menu.fill([], None)
    assert next(a.text() for a in menu.actions() if a.text()) == "No environment was found"


def test_top_bar_says_the_guard_in_words(qtbot: Any, theme: Any) -> None:
    bar = TopBar(theme)
    qtbot.addWidget(bar)
    bar.environment.set_environment(PROD)
    assert bar.environment.accessibleName() == "Environment: <b>prod</b> · protected"
    assert "<b>prod" not in bar.environment.toolTip()
    bar.set_running(2)
    assert bar.activity.text() == "2 running"
    bar.resize(900, 50)
    assert not bar.grab().isNull()


def test_status_bar_says_who_answers(qtbot: Any, theme: Any) -> None:
    bar = StatusBar(theme)
    qtbot.addWidget(bar)
    bar.show()
    assert not bar._reconnect.isVisible()
    assert not bar._containers.isVisible()
    bar.set_engine("Docker Engine 27.3 · connection lost", "bad", can_reconnect=True)
    bar.set_containers(9, 12)
    bar.set_jobs(1)
    assert bar._reconnect.isVisible()
    assert bar._containers.text() == "9 of 12 running"
    assert bar._jobs.text() == "1 job"


def test_welcome_says_for_each_place_why_and_what_to_do(qtbot: Any, theme: Any) -> None:
    page = WelcomePage(theme)
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    page.show_attempts(
        [
            Attempt(
                LOCAL, PermissionDeniedError("Not allowed", "socket is root's", "Join docker.")
            ),
            Attempt(PROD, UnreachableError("No answer", "timed out")),
        ]
    )
    said = texts(page)
    for part in ("No container engine answers", "Not allowed", "socket is root's", "Join docker.",
                 "<b>prod</b>", "No answer"):  # fmt: skip
        assert part in said
    tried: list[Environment] = []
    page.connect_asked.connect(tried.append)
    buttons = [b for b in page.findChildren(QPushButton) if b.text() == "Try this one"]
    buttons[1].click()
    assert tried == [PROD]
    with qtbot.waitSignal(page.retry_asked, timeout=10_000):
        page._retry.click()
    page.show_attempts([])
    assert "No container engine was found" in texts(page)
    page.show_searching("default")
    assert not page._retry.isEnabled()


def test_tray_says_the_state_in_words(qtbot: Any, theme: Any) -> None:
    tray = Tray(theme)
    tray.set_status("default · connected", "good")
    tray.set_containers(9, 12)
    tray.set_jobs(2)
    shown = [action.text() for action in tray.menu.actions() if action.isVisible()]
    assert shown[:3] == ["default · connected", "9 of 12 containers run", "2 jobs run"]
    asked: list[str] = []
    tray.quit_asked.connect(lambda: asked.append("quit"))
    next(a for a in tray.menu.actions() if a.text() == "Quit").trigger()
    assert asked == ["quit"]
    tray.menu.deleteLater()


def test_shortcut_sheet_narrows_down(qtbot: Any, theme: Any) -> None:
    groups = [
        KeyGroup("Go", (Keys("Back", ("Alt+Left",)),)),
        KeyGroup("Containers", (Keys("Restart", ("R",)), Keys("Stop", ("S",)))),
    ]
    assert [g.title for g in filtered(groups, "alt")] == ["Go"]
    assert len(filtered(groups, "containers")[0].lines) == 2
    assert filtered(groups, "nothing") == []
    owner = QWidget()
    qtbot.addWidget(owner)
    sheet = ShortcutSheet(theme, groups, owner)
    sheet._field.setText("stop")
    assert [g.title for g in sheet._sheet._groups] == ["Containers"]
    assert not sheet.grab().isNull()


@pytest.fixture
def guard(tmp_path: Path, qapp: Any) -> Any:
    made = CrashGuard(tmp_path / "dockdesk.log")
    made.install()
    yield made
    made.remove()


def test_an_uncaught_exception_is_logged_and_told_once(
    qtbot: Any, guard: CrashGuard, tmp_path: Path, expect_log: Any
) -> None:
    expect_log("uncaught")
    handler = start_log(tmp_path / "logs" / "dockdesk.log")
    assert handler is not None
    told: list[Any] = []
    guard.caught.connect(told.append)

    for _ in range(2):
        sys.excepthook(KeyError, KeyError("oops"), None)
    qtbot.waitUntil(lambda: bool(told), timeout=10_000)
    thread = threading.Thread(target=lambda: (_ for _ in ()).throw(ConflictError("In use")))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: len(told) == 2, timeout=10_000)
    assert told[0].title == "Something in DockDesk went wrong"
    assert "dockdesk.log" in told[0].hint
    assert told[1].title == "In use"
    handler.close()
    logging.getLogger("dockdesk").removeHandler(handler)
    assert "KeyError" in (tmp_path / "logs" / "dockdesk.log").read_text()


def test_hooks_are_given_back(qapp: Any, tmp_path: Path) -> None:
    before = sys.excepthook
    made = CrashGuard(tmp_path / "x.log")
    made.install()
    assert sys.excepthook != before
    made.remove()
    assert sys.excepthook == before


def test_log_that_cannot_be_written_is_no_failure(tmp_path: Path, expect_log: Any) -> None:
    expect_log("no log file")
    (tmp_path / "file").write_text("")
    assert start_log(tmp_path / "file" / "x" / "dockdesk.log") is None


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_vnc_listens_on_this_computer_only(qapp: Any) -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        old = listener.getsockname()[1]
        port = free_port()
        listen_on_loopback(port)
        assert listener.getsockname() == ("127.0.0.1", port)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", old), timeout=10)
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            listener.settimeout(10)
            taken, _address = listener.accept()
            taken.close()


def test_vnc_says_that_a_port_is_taken(qapp: Any) -> None:
    with socket.socket() as listener, socket.socket() as other:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(LocalError) as caught:
            listen_on_loopback(other.getsockname()[1])
        assert "--vnc" in caught.value.hint


def test_vnc_does_not_go_on_unprotected(qapp: Any) -> None:
    with pytest.raises(LocalError, match="made safe"):
        listen_on_loopback(free_port())


def test_every_page_to_start_with_is_a_pane() -> None:
    pages = {choice.value for choice in START_PAGE.choices} - {"last"}
    assert pages == {entry.id for entry in PANES}
