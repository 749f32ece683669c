"""Terminals in containers: opened by intent, kept while others are looked at, ended with what they belong to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTabBar, QWidget

from dockdesk.core.environments import Guard
from dockdesk.core.errors import CancelledError, RemoteError, UnreachableError
from dockdesk.core.preferences import SCROLLBACK, SHELL
from dockdesk.ui.panes.containers.details.launch import Launch, equivalent_of, launch_of
from dockdesk.ui.panes.containers.details.terminal import TerminalsView
from dockdesk.ui.panes.containers.details.terminal_session import TerminalSession
from dockdesk.ui.panes.containers.pane import ContainersPane
from dockdesk.ui.widgets.dialogs import FormDialog
from tests.fakes import FakeEngine
from tests.ui.doubles import environment
from tests.ui.panes.hands import Hands, dialog
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def hands(rig: Rig) -> Hands:
    return Hands.on(rig, ContainersPane)


def terminals_of(hands: Hands, name: str = "redis") -> TerminalsView:
    """The Terminal tab of a container, as a click brings it forward."""
    hands.choose(name)
    hands.tab("Logs")
    view = hands.tab("Terminal")
    assert isinstance(view, TerminalsView)
    return view


def opened(hands: Hands, name: str = "redis") -> tuple[TerminalsView, TerminalSession]:
    view = terminals_of(hands, name)
    hands.rig.until(lambda: view.sessions() and view.sessions()[-1].alive)
    return view, view.sessions()[-1]


def shown(session: TerminalSession) -> str:
    """What its screen says, row by row."""
    screen = session.view.emulator
    if screen is None:
        return ""
    rows = (screen.row(number).runs for number in range(session.view.grid[1]))
    return "\n".join("".join(run.text for run in runs) for runs in rows)


def keys_of(session: TerminalSession) -> QWidget:
    """What takes the keys."""
    proxy = session.view.focusProxy()
    assert proxy is not None
    return proxy


def tab_texts(view: TerminalsView) -> list[str]:
    bar = view.findChild(QTabBar)
    assert isinstance(bar, QTabBar)
    return [bar.tabText(at) for at in range(bar.count())]


def test_a_click_on_the_tab_opens_a_shell_to_type_into(hands: Hands, rig: Rig) -> None:
    view, session = opened(hands)
    rig.until(lambda: "/ #" in shown(session))
    assert tab_texts(view) == ["bash 1"]
    rig.until(lambda: QApplication.focusWidget() is keys_of(session))
    QTest.keyClicks(keys_of(session), "ls")
    rig.until(lambda: rig.engine.execs[-1].written == b"ls")
    rig.until(lambda: "/ # ls" in shown(session))
    assert rig.engine.execs[-1].size == session.view.grid
    assert hands.logged() == ["docker exec -it redis /bin/bash"]


def test_enter_on_a_row_opens_a_shell_to_type_into(hands: Hands, rig: Rig) -> None:
    opened(hands, "postgres")
    hands.choose("redis")
    hands.pane.table.setFocus()
    QTest.keyClick(hands.pane.table, Qt.Key.Key_Return)
    rig.until(lambda: len(rig.engine.execs) == 2)
    view = hands.pane.detail.view()
    assert isinstance(view, TerminalsView)
    rig.until(lambda: view.sessions()[0].alive)
    rig.until(lambda: QApplication.focusWidget() is keys_of(view.sessions()[0]))


def test_going_through_the_list_starts_nothing_and_keeps_the_keys(hands: Hands, rig: Rig) -> None:
    opened(hands, "redis")
    hands.pane.table.setFocus()
    for name in ("postgres", "worker-1", "api-gateway"):
        hands.choose(name)
        rig.settle()
    assert len(rig.engine.execs) == 1
    assert QApplication.focusWidget() is hands.pane.table
    view = hands.pane.detail.view()
    assert isinstance(view, TerminalsView)
    assert view._message.isVisible()
    QTest.mouseClick(view._message.buttons()[0], LEFT)
    rig.until(lambda: len(rig.engine.execs) == 2)


def test_news_of_a_container_leave_the_focus_where_it_is(hands: Hands, rig: Rig) -> None:
    opened(hands, "redis")
    hands.pane.header.filter.setFocus()
    hands.tick_until(lambda: hands.row("redis").cpu is not None)
    rig.engine.put_container(replace(hands.row("redis").container, status="Up 4 hours"))
    rig.until(lambda: hands.row("redis").container.status == "Up 4 hours")
    assert QApplication.focusWidget() is hands.pane.header.filter


def test_terminals_go_on_while_others_are_looked_at(hands: Hands, rig: Rig) -> None:
    view, session = opened(hands, "redis")
    other, _ = opened(hands, "postgres")
    assert other is not view
    rig.engine.execs[0].sink.put([b"still here"])
    hands.pane.hide()
    hands.pane.show()
    hands.choose("redis")
    assert hands.pane.detail.view() is view
    assert session.alive
    rig.until(lambda: "still here" in shown(session))
    assert hands.pane.may_close() == "A terminal is open in redis."


def test_several_in_one_container_each_with_its_tab(hands: Hands, rig: Rig) -> None:
    view, _ = opened(hands)
    QTest.mouseClick(view._add, LEFT)
    rig.until(lambda: len(rig.engine.execs) == 2 and view.sessions()[1].alive)
    assert tab_texts(view) == ["bash 1", "bash 2"]
    assert view.may_close() == "2 terminals are open in redis."
    view._tabs.tabCloseRequested.emit(0)
    rig.until(lambda: rig.engine.execs[0].closed)
    assert not rig.engine.execs[1].closed
    assert tab_texts(view) == ["bash 2"]


def test_the_shortcut_opens_exactly_one(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    hands.press("Ctrl+T")
    rig.until(lambda: len(rig.engine.execs) == 1)
    rig.settle()
    hands.press("Ctrl+T")
    rig.until(lambda: len(rig.engine.execs) == 2)
    rig.settle()
    assert len(rig.engine.execs) == 2


def test_a_shell_that_ends_says_its_code_and_starts_again(hands: Hands, rig: Rig) -> None:
    view, session = opened(hands)
    rig.engine.execs[-1].closed = True
    rig.engine.execs[-1].sink.ended(None)
    rig.until(lambda: session.view.ended)
    assert session.view._end_bar.text == "The program ended with code 0."
    assert tab_texts(view) == ["bash 1 (ended)"]
    assert view.may_close() is None
    QTest.keyClick(keys_of(session), Qt.Key.Key_Return)
    rig.until(lambda: len(rig.engine.execs) == 2 and session.alive)
    assert tab_texts(view) == ["bash 1"]
    assert not session.view.ended


def test_a_connection_that_breaks_is_told(hands: Hands, rig: Rig) -> None:
    _, session = opened(hands)
    rig.engine.execs[-1].sink.ended(UnreachableError("The engine is gone"))
    rig.until(lambda: session.view.ended)
    assert "The engine is gone" in session.view._end_bar.text


def test_a_container_without_a_shell_offers_to_attach(
    hands: Hands, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "shells", lambda _self, _id: [])
    view = terminals_of(hands)
    rig.until(lambda: view.sessions() and view.sessions()[0].message is not None)
    message = view.sessions()[0].message
    assert message is not None
    assert [button.text() for button in message.buttons()] == [
        "Try again",
        "Attach to the main process",
    ]
    assert rig.audit.entries[-1].outcome == "failed"
    QTest.mouseClick(message.buttons()[1], LEFT)
    rig.until(lambda: hands.calls("attach") and view.sessions()[0].alive)
    rig.until(lambda: tab_texts(view) == ["Main process 2"])
    assert hands.logged()[-1] == "docker attach redis"


def test_attaching_shows_output_and_leaves_the_process_running(hands: Hands, rig: Rig) -> None:
    view, _ = opened(hands)
    attach = next(a for a in view._more.menu().actions() if a.text().startswith("Attach"))
    attach.trigger()
    rig.until(lambda: len(rig.engine.execs) == 2 and view.sessions()[1].alive)
    session = view.sessions()[1]
    rig.engine.execs[1].sink.put([b"one\ntwo\n"])
    rig.until(lambda: "two" in shown(session))
    rows = shown(session).split("\n")
    at = next(number for number, row in enumerate(rows) if row.endswith("one"))
    assert rows[at + 1].startswith("two")


def test_command_user_and_folder_can_be_chosen(hands: Hands, rig: Rig) -> None:
    view, _ = opened(hands)
    ask = next(a for a in view._more.menu().actions() if a.text().startswith("Command"))
    ask.trigger()
    form = dialog(rig, FormDialog)
    rig.settle()
    command = form.view.editor("command")
    assert command.value() == ""
    form.view.set_values({"command": "/bin/sh -l", "user": "nobody", "workdir": "/tmp"})
    rig.until(lambda: "docker exec -it -u nobody -w /tmp redis /bin/sh -l"
              in form.equivalents.text.toPlainText())  # fmt: skip
    QTest.mouseClick(form.submit, LEFT)
    rig.until(lambda: len(rig.engine.execs) == 2)
    assert hands.calls("execute")[-1][1] == ("/bin/sh", "-l")
    rig.until(lambda: tab_texts(view) == ["bash 1", "sh 2"])
    assert hands.logged()[-1] == "docker exec -it -u nobody -w /tmp redis /bin/sh -l"


def test_secrets_of_a_command_are_masked_where_it_is_kept(rig: Rig) -> None:
    container = next(iter(rig.engine._containers.values()))
    launch = launch_of({"command": "mysql --password hunter2", "user": " app ", "workdir": ""})
    assert launch == Launch(("mysql", "--password", "hunter2"), "app")
    told = equivalent_of(container, launch)
    assert "hunter2" not in told.cli + told.sdk + told.api
    assert told.cli.startswith("docker exec -it -u app web-frontend mysql")


def test_the_settings_choose_shell_and_scrollback(hands: Hands, rig: Rig) -> None:
    rig.settings.set(SHELL, "/bin/zsh -i")
    rig.settings.set(SCROLLBACK, 0)
    _, session = opened(hands)
    assert hands.calls("execute")[-1][1] == ("/bin/zsh", "-i")
    rig.engine.execs[-1].sink.put([b"line\r\n" * 2000])
    rig.until(lambda: shown(session).count("line") > 3)
    screen = session.view.emulator
    assert screen is not None
    assert screen.scroll().total == screen.scroll().shown


def test_what_can_not_be_opened_says_why_and_tries_again(hands: Hands, rig: Rig) -> None:
    rig.engine.faults["execute"] = RemoteError("No terminal", "OCI runtime failed")
    view = terminals_of(hands)
    rig.until(lambda: view.sessions() and view.sessions()[0].message is not None)
    del rig.engine.faults["execute"]
    message = view.sessions()[0].message
    assert message is not None
    QTest.mouseClick(message.buttons()[0], LEFT)
    rig.until(lambda: view.sessions()[0].alive)


def test_a_stopped_container_has_no_terminal_until_it_runs(hands: Hands, rig: Rig) -> None:
    view = terminals_of(hands, "migrate")
    assert view.sessions() == []
    assert not view._message.buttons()
    rig.engine.start(hands.row("migrate").container.id)
    rig.until(lambda: view._message.buttons())


def test_whoever_went_elsewhere_meanwhile_does_not_type_into_it(hands: Hands, rig: Rig) -> None:
    with rig.engine.pause_on("execute"):
        view = terminals_of(hands)
        rig.until(lambda: hands.calls("execute"))
        hands.pane.header.filter.setFocus()
    rig.until(lambda: view.sessions()[0].alive)
    assert QApplication.focusWidget() is hands.pane.header.filter


def test_closed_while_it_opens_it_is_ended_at_once(hands: Hands, rig: Rig) -> None:
    with rig.engine.pause_on("execute"):
        view = terminals_of(hands)
        rig.until(lambda: hands.calls("execute"))
        view._tabs.tabCloseRequested.emit(0)
    rig.settle()
    rig.until(lambda: all(item.closed for item in rig.engine.execs))


def test_guards_hold_for_terminals_too(hands: Hands, rig: Rig) -> None:
    rig.session.remark(environment(Guard.PROTECTED))
    view = terminals_of(hands)
    rig.settle()
    assert rig.engine.execs == []
    assert view._message.buttons()
    rig.session.remark(environment(Guard.READ_ONLY))
    assert not view._message.buttons()
    assert view.open_terminal() is None
    assert "No terminal can be opened" in hands.titles()


def test_terminals_end_with_their_container_and_environment(hands: Hands, rig: Rig) -> None:
    view, _ = opened(hands, "redis")
    opened(hands, "postgres")
    gone = hands.row("redis").container.id
    rig.engine.remove(gone, force=True)
    rig.until(lambda: view not in list(hands.pane.detail.views()))
    rig.until(lambda: rig.engine.execs[0].closed)
    other = FakeEngine()
    other._containers = {}
    where = replace(environment(), id="docker:other", name="other")
    rig.session.connect_to(where, lambda _work: other)
    rig.until(lambda: rig.engine.execs[1].closed)
    assert hands.pane.may_close() is None


def test_the_view_in_front_of_a_removed_container_goes_when_it_is_left(
    hands: Hands, rig: Rig
) -> None:
    view, session = opened(hands, "redis")
    rig.engine.remove(hands.row("redis").container.id, force=True)
    rig.until(lambda: hands.pane.detail.gone_text)
    assert hands.pane.detail.view() is view
    assert "/ #" in shown(session)
    hands.choose("postgres")
    rig.until(lambda: view not in list(hands.pane.detail.views()))
    rig.until(lambda: rig.engine.execs[0].closed)


def test_a_connection_that_is_given_up_is_called_by_its_name(hands: Hands, rig: Rig) -> None:
    """A stream closed together with its connection only hears that it was cancelled."""
    _view, session = opened(hands)
    rig.engine.execs[-1].sink.ended(CancelledError())
    rig.until(lambda: not session.alive)
    said = [label.text() for label in session.view.findChildren(QLabel)]
    assert "The connection ended." in said
