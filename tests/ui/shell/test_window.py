"""The window as a whole: moving, menus, palette, quitting, faults, and coming back as it was."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListView, QPushButton

from dockdesk.bridge.engine_session import SessionState
from dockdesk.core import preferences
from dockdesk.core.environments import Guard
from dockdesk.core.errors import RemoteError, UnreachableError
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.pane import Unsaved
from dockdesk.ui.shell.environments import FoundEnvironment
from dockdesk.ui.shell.main_window import MainWindow
from dockdesk.ui.shell.settings_dialog import SettingsDialog
from dockdesk.ui.shell.shell import Shell
from dockdesk.ui.shell.shell_actions import MENUS
from dockdesk.ui.shell.shortcut_sheet import ShortcutSheet
from dockdesk.ui.widgets.confirm import ConfirmDialog
from dockdesk.ui.widgets.labels import PlainLabel
from tests.ui.shell.conftest import LOCAL, OPEN, PROD, Bench, PlainPane


def test_shows_containers_and_says_who_answers(bench: Bench) -> None:
    bench.begin()
    bench.until(lambda: "Docker Engine 27.3.1" in bench.shell.presenter.engine_text)
    assert bench.shell.navigation.current_id == "containers"
    assert bench.shell.frame.stack.currentWidget() is bench.pane
    bench.until(lambda: bench.shell.frame.status._containers.text() == "9 of 12 running")
    assert bench.shell.frame.top.environment.text() == "default"


def test_welcomes_where_nothing_answers_and_leaves_once_something_does(bench: Bench) -> None:
    error = UnreachableError("No engine answers", "no socket", "Start it.")
    alive: list[bool] = []

    def open(work: Any) -> Any:
        if not alive:
            raise error
        return bench.rig.engine

    bench.found[:] = [FoundEnvironment(PROD, open, current=True)]
    bench.begin()
    frame = bench.shell.frame
    assert frame.stack.currentWidget() is frame.welcome
    assert "prod · not connected, " in bench.shell.presenter.engine_text
    bench.shell.navigation.show_pane("command_log")  # needs no engine
    assert frame.stack.currentWidget() is not frame.welcome
    bench.shell.navigation.show_pane("containers")
    assert frame.stack.currentWidget() is frame.welcome
    alive.append(True)
    bench.until(lambda: frame.stack.currentWidget() is bench.pane)


def test_a_pane_that_cannot_be_made_does_not_take_the_others_with_it(
    bench: Bench, expect_log: Any
) -> None:
    expect_log("can't be made")
    bench.begin()
    bench.shell.navigation.show_pane("broken")
    assert bench.shell.navigation.current is not None
    bench.shell.navigation.show_pane("containers")
    assert bench.shell.frame.stack.currentWidget() is bench.pane


def test_goes_back_and_forward_through_panes_and_resources(bench: Bench) -> None:
    bench.begin()
    navigation, frame = bench.shell.navigation, bench.shell.frame
    redis, postgres = bench.container("redis"), bench.container("postgres")
    navigation.open(ResourceRef("container", redis.id, "redis"))
    navigation.open(ResourceRef("container", postgres.id, "postgres"))
    navigation.show_pane("command_log")
    assert frame.top.crumbs.parts() == ("Command log",)
    assert frame.top.back.isEnabled()
    frame.top.back.click()
    assert bench.pane.rows == [postgres]
    assert frame.top.crumbs.parts() == ("Containers", "postgres")
    navigation.back()
    assert bench.pane.rows == [redis]
    navigation.forward()
    navigation.forward()
    assert navigation.current_id == "command_log"
    assert not frame.top.forward.isEnabled()


def test_a_resource_that_is_gone_is_told(bench: Bench) -> None:
    bench.begin()
    bench.shell.navigation.open(ResourceRef("container", "beef", "ghost"))
    assert "“ghost” is not here" in bench.notices()


def test_keys_lead_to_panes_and_parts(bench: Bench) -> None:
    bench.begin()
    shell, window, qtbot = bench.shell, bench.window, bench.rig.qtbot
    window.activateWindow()
    qtbot.waitActive(window)
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert shell.navigation.current_id == "command_log"
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert shell.navigation.current_id == "containers"
    seen = []
    for _ in range(4):
        shell.focus_next_part()
        focus = window.focusWidget()
        seen.append(
            next(
                name
                for name in ("stack", "status", "rail", "top")
                if getattr(shell.frame, name).isAncestorOf(focus)
            )
        )
    assert set(seen) == {"stack", "status", "rail", "top"}


def test_question_mark_is_text_in_a_field_and_help_elsewhere(bench: Bench) -> None:
    bench.begin()
    shell, window, qtbot = bench.shell, bench.window, bench.rig.qtbot
    window.activateWindow()
    qtbot.waitActive(window)
    bench.pane.field.setFocus()
    qtbot.keyClick(bench.pane.field, "?")
    assert bench.pane.field.text() == "?"
    shell.frame.rail.focus()
    qtbot.keyClick(window.focusWidget(), "?")
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None
    titles = [group.title for group in sheet._groups]
    assert titles[:3] == ["File", "View", "Go"]
    assert "Containers" in titles
    sheet.close()


def test_every_shell_action_has_its_handler_and_a_key_only_once(bench: Bench) -> None:
    ids = [action.id for _title, actions in MENUS for action in actions]
    assert len(ids) == len(set(ids))
    keys = [key.toString() for id in ids for key in bench.shell.shell[id].shortcuts()]
    keys += [action.shortcut().toString() for action in bench.shell.menus._pane_keys]
    assert len(keys) == len(set(keys))


@pytest.mark.qt_log_ignore("grabbing the keyboard")
def test_menus_are_made_from_the_declarations(bench: Bench) -> None:
    bench.begin()
    bar = bench.window.menuBar()
    menus = {action.text().replace("&", ""): action.menu() for action in bar.actions()}
    assert list(menus)[2:5] == ["Go", "Containers", "Broken"]
    assert list(menus)[-2:] == ["Environment", "Help"]
    bench.pane.choose(bench.container("redis"))
    menu = menus["Containers"]
    menu.aboutToShow.emit()
    assert [a.text() for a in menu.actions() if a.text()][:3] == ["Stop", "Prune", "Look closer"]
    bench.shell.navigation.show_pane("command_log")
    menu.aboutToShow.emit()
    by_text = {a.text(): a for a in menu.actions()}
    assert by_text["Prune"].isEnabled()
    bench.shell.shell["environment.read_only"].trigger()
    menu.aboutToShow.emit()
    by_text = {a.text(): a for a in menu.actions()}
    assert not by_text["Prune"].isEnabled()
    by_text["Look closer"].trigger()
    assert bench.shell.navigation.current_id == "containers"
    assert bench.pane.asked == [("look", [])]


def palette(bench: Bench, text: str) -> list[str]:
    view = bench.shell.palette
    view.open(text)
    bench.until(lambda: view._model._search is None)
    return [view._model.candidate(row).title for row in range(view._model.rowCount())]


def test_palette_finds_actions_panes_resources_environments_and_settings(bench: Bench) -> None:
    bench.begin()
    bench.pane.choose(bench.container("redis"))
    assert palette(bench, "stop")[0] == "Stop redis"
    assert palette(bench, "command log")[0] == "Command log"
    assert palette(bench, "postgres")[0] == "postgres"
    bench.shell.palette.run_current()
    assert [row.name for row in bench.pane.rows] == ["postgres"]
    assert palette(bench, "switch prod")[0] == "Switch to prod"
    assert "Text size" in palette(bench, "text size")
    bench.shell.palette.run_current()
    dialog = bench.window.findChild(SettingsDialog)
    assert dialog is not None
    dialog.close()


def test_palette_says_why_something_cannot_be_done(bench: Bench) -> None:
    bench.begin()
    assert palette(bench, "stop")[0] == "Stop"
    assert bench.shell.palette._model.candidate(0).reason == "Nothing is selected."
    bench.shell.palette.shut()


def test_guard_is_set_shown_and_kept(bench: Bench) -> None:
    bench.begin()
    bench.shell.shell["environment.read_only"].trigger()
    assert "read-only" in bench.shell.frame.banner.text
    bench.pane.choose(bench.container("redis"))
    assert not bench.pane.bound["container.stop"].isEnabled()
    assert bench.environments.environments[0].guard is Guard.READ_ONLY
    bench.shell.shell["environment.normal"].trigger()
    assert bench.shell.frame.banner.text == ""
    assert bench.pane.bound["container.stop"].isEnabled()


def test_a_lost_engine_is_told_until_it_is_back(bench: Bench) -> None:
    bench.begin()
    bench.rig.engine.faults["containers"] = UnreachableError("It is away")
    bench.rig.engine.drop(UnreachableError("It is away"))
    bench.until(lambda: "as it was last seen" in bench.shell.frame.banner.text)
    assert "connection lost" in bench.shell.presenter.engine_text
    assert bench.shell.frame.status._reconnect.isVisible()
    del bench.rig.engine.faults["containers"]
    bench.until(lambda: "Connected again" in bench.notices())
    assert bench.shell.frame.banner.text == ""


def test_another_engine_is_not_the_lost_one_again(bench: Bench) -> None:
    bench.begin()
    bench.rig.engine.faults["containers"] = UnreachableError("It is away")
    bench.rig.engine.drop(UnreachableError("It is away"))
    bench.until(lambda: "connection lost" in bench.shell.presenter.engine_text)
    bench.environments.switch(PROD)
    assert "connection lost" not in bench.shell.presenter.engine_text
    del bench.rig.engine.faults["containers"]
    bench.until(lambda: "prod" in bench.shell.presenter.engine_text)
    bench.until(lambda: bench.rig.session.state is SessionState.CONNECTED)
    assert "Connected again" not in bench.notices()


def test_confirmation_is_asked_and_the_action_runs(bench: Bench) -> None:
    bench.begin()
    bench.pane.choose(bench.container("redis"))
    bench.pane.bound["container.stop"].trigger()
    dialog = bench.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.agree.click()
    bench.until(lambda: any(entry.target == "redis" for entry in bench.rig.audit.entries))
    bench.until(lambda: bench.container("redis").state == "exited")


def test_how_much_is_asked_follows_the_setting(bench: Bench) -> None:
    bench.begin()
    bench.rig.settings.set(preferences.CONFIRM, "destroys")
    bench.pane.choose(bench.container("redis"))
    bench.pane.bound["container.stop"].trigger()
    assert bench.window.findChild(ConfirmDialog) is None
    bench.until(lambda: bench.container("redis").state == "exited")


def test_a_failure_nobody_handles_is_told_with_its_job(bench: Bench) -> None:
    bench.begin()

    def fails(work: Any) -> None:
        work.log("half way")
        raise RemoteError("It broke", "500")

    bench.rig.jobs.submit(None, fails, title="Do a thing")
    bench.until(lambda: "It broke" in bench.notices())
    show = next(
        button
        for button in bench.shell.notices.surface.findChildren(QPushButton)
        if button.text() == "Show"
    )
    show.click()
    drawer = bench.shell.frame.drawer
    assert drawer.isVisible()
    bench.until(lambda: drawer._detail._log.toPlainText() == "half way")


def test_quitting_asks_only_where_something_would_be_lost(bench: Bench) -> None:
    bench.begin()
    agreed: list[bool] = []
    bench.shell.quit_agreed.connect(lambda: agreed.append(True))
    release = threading.Event()
    bench.rig.jobs.submit(None, lambda work: release.wait(30), title="Pull nginx", long=True)
    bench.window.hide()  # also from the tray
    bench.shell.ask_quit()
    assert agreed == []
    assert said(open_dialog()) == "“Pull nginx” still runs and would be cancelled."
    open_dialog().cancel.click()
    assert agreed == []
    release.set()
    bench.until(lambda: not bench.rig.jobs.busy())
    bench.window.show()
    bench.pane.loss = "A shell runs in redis."
    bench.window.close()
    assert agreed == []
    open_dialog().agree.click()
    assert agreed == [True]
    assert bench.rig.settings.get(preferences.LAST_PANE) == "containers"


def said(dialog: ConfirmDialog) -> str:
    return next(
        label.text()
        for label in dialog.findChildren(PlainLabel)
        if "cancelled" in label.text() or "runs" in label.text()
    )


def test_quitting_names_all_jobs_that_would_be_lost(bench: Bench) -> None:
    bench.begin()
    release = threading.Event()
    for name in ("Pull nginx", "Export db"):
        bench.rig.jobs.submit(None, lambda work: release.wait(30), title=name, long=True)
    bench.shell.ask_quit()
    dialog = open_dialog()
    assert said(dialog) == "2 jobs still run and would be cancelled."
    view = dialog.findChild(QListView)
    assert isinstance(view, QListView)
    listed = view.model()
    assert {listed.index(row, 0).data() for row in range(2)} == {"Pull nginx", "Export db"}
    dialog.cancel.click()
    release.set()
    bench.until(lambda: not bench.rig.jobs.busy())


def another(bench: Bench) -> Shell:
    """The next start, with the same settings."""
    window = MainWindow(bench.rig.settings.get(preferences.WINDOW_STATE))
    shell = Shell(window, bench.shell._parts)
    bench.rig.qtbot.addWidget(
        window, before_close_func=lambda _w: setattr(shell, "_quitting", True)
    )
    return shell


def open_dialog() -> ConfirmDialog:
    return next(
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, ConfirmDialog) and widget.isVisible()
    )


def test_nothing_to_lose_ends_at_once(bench: Bench) -> None:
    bench.begin()
    agreed: list[bool] = []
    bench.shell.quit_agreed.connect(lambda: agreed.append(True))
    bench.window.close()
    assert agreed == [True]


def test_narrow_windows_fold_the_rail_unless_told_otherwise(bench: Bench) -> None:
    frame = bench.shell.frame
    assert not frame.rail.narrow
    bench.window.resize(1000, 700)
    bench.until(lambda: frame.rail.narrow)
    bench.shell.fold_rail()
    assert not frame.rail.narrow
    bench.window.resize(1300, 700)
    assert not frame.rail.narrow


def test_comes_back_as_it_was_left(bench: Bench) -> None:
    bench.begin()
    bench.shell.fold_rail()
    bench.shell.show_activity()
    bench.shell.navigation.show_pane("command_log")
    bench.window.resize(800, 600)  # the offscreen screen is no larger
    bench.shell.save_state()
    other = another(bench)
    assert other.frame.rail.narrow
    assert not other.frame.drawer.isHidden()
    assert (other.window.width(), other.window.height()) == (800, 600)
    other.start()
    assert other.navigation.current_id == "command_log"
    assert bench.rig.settings.get(preferences.PANE_STATES)["containers"] == {"asked": 0}


def test_unreadable_state_is_no_failure(bench: Bench) -> None:
    bench.rig.settings.set(preferences.WINDOW_STATE, {"geometry": "☃", "folded": "x"})
    bench.rig.settings.set(preferences.PANE_STATES, {"containers": 7})
    other = another(bench)
    other.start()
    assert isinstance(other.navigation.pane("containers"), PlainPane)


def test_hidden_windows_ask_for_no_figures(bench: Bench) -> None:
    bench.begin()
    redis = bench.container("redis")
    bench.rig.stats.watch([redis.id])
    bench.until(lambda: bench.rig.engine.stats_streams == 1)
    bench.window.hide()
    bench.until(lambda: bench.rig.engine.stats_streams == 0)
    bench.window.show()
    bench.until(lambda: bench.rig.engine.stats_streams == 1)


def test_keys_of_what_needs_no_row_work_on_every_page(bench: Bench) -> None:
    bench.begin()
    menus, navigation, window = bench.shell.menus, bench.shell.navigation, bench.window
    bench.until(lambda: menus._anywhere)
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert bench.pane.asked == [("look", [])], "once, and not by both"
    navigation.show_pane("command_log")
    QTest.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert navigation.current_id == "containers"
    assert bench.pane.asked == [("look", []), ("look", [])]


def test_a_page_that_has_the_same_keys_comes_first(bench: Bench) -> None:
    bench.begin()
    bench.until(lambda: bench.shell.menus._anywhere)
    navigation = bench.shell.navigation
    navigation.show_pane("command_log")
    log = navigation.pane("command_log")
    log.pane_actions = (replace(OPEN, id="log.new"),)
    navigation.show_pane("containers")
    navigation.show_pane("command_log")
    (made,) = bench.shell.menus._anywhere
    assert not made.isEnabled()


def test_welcome_offers_engines_on_other_computers_without_asking_them(bench: Bench) -> None:
    asked: list[str] = []

    def refuse(work: Any) -> Any:
        raise UnreachableError("No engine answers", "no socket", "Start it.")

    def far(work: Any) -> Any:
        asked.append("far")
        return bench.rig.engine

    bench.found[:] = [
        FoundEnvironment(LOCAL, refuse, current=True),
        FoundEnvironment(PROD, far),
    ]
    bench.begin()
    welcome = bench.shell.frame.welcome

    def connect() -> list[QPushButton]:
        """Without those that are about to go."""
        buttons = welcome.findChildren(QPushButton)
        return [b for b in buttons if b.text() == "Connect" and b.isVisibleTo(welcome)]

    bench.until(lambda: [b.accessibleName() for b in connect()] == ["Connect to prod"])
    assert asked == []
    connect()[0].click()
    bench.until(lambda: bench.shell.frame.stack.currentWidget() is bench.pane)


def test_what_may_be_opened_next_is_made_before(bench: Bench, expect_log: Any) -> None:
    expect_log("can't be made")  # one of the panes of the bench
    bench.begin()
    shell = bench.shell
    shell.prime()
    primer = shell._primer
    assert primer is not None
    bench.rig.qtbot.waitUntil(lambda: primer.over, timeout=60_000)
    assert len(shell.navigation.panes) == len(shell.navigation.entries)
    assert shell.navigation.current_id == "containers"
    assert shell._palette is not None
    shell.end()


# Saving before the end.


class Offer:
    """What a pane has to save, and how that goes."""

    def __init__(self, bench: Bench, names: list[str]) -> None:
        self.names = names
        self.fails = False
        bench.pane.unsaved = lambda: Unsaved(self.names, self.save) if self.names else None  # type: ignore[method-assign]

    def save(self, done: Callable[[], None], failed: Callable[[], None]) -> None:
        if self.fails:
            failed()
        else:
            self.names = []
            done()


def quit_buttons() -> dict[str, QPushButton]:
    found = open_dialog().findChildren(QPushButton)
    return {button.text(): button for button in found if button.text()}


def test_quitting_offers_to_save(bench: Bench) -> None:
    bench.begin()
    agreed: list[bool] = []
    bench.shell.quit_agreed.connect(lambda: agreed.append(True))
    offer = Offer(bench, ["Dockerfile", "compose.yaml"])
    bench.window.close()
    buttons = quit_buttons()
    assert list(buttons) == ["Cancel", "Quit without saving", "Save all"]
    assert buttons["Save all"].isDefault()
    view = open_dialog().findChild(QListView)
    assert isinstance(view, QListView)
    assert [view.model().index(n, 0).data() for n in range(2)] == offer.names
    buttons["Cancel"].click()
    assert (agreed, offer.names) == ([], ["Dockerfile", "compose.yaml"])
    bench.window.close()
    quit_buttons()["Save all"].click()
    bench.until(lambda: agreed)
    assert offer.names == []


def test_quitting_without_saving_saves_nothing(bench: Bench) -> None:
    bench.begin()
    agreed: list[bool] = []
    bench.shell.quit_agreed.connect(lambda: agreed.append(True))
    offer = Offer(bench, ["Dockerfile"])
    bench.shell.ask_quit()
    quit_buttons()["Quit without saving"].click()
    assert (agreed, offer.names) == ([True], ["Dockerfile"])


def test_what_can_t_be_saved_keeps_the_program(bench: Bench) -> None:
    bench.begin()
    agreed: list[bool] = []
    bench.shell.quit_agreed.connect(lambda: agreed.append(True))
    offer = Offer(bench, ["Dockerfile"])
    offer.fails = True
    bench.shell.navigation.show_pane("command_log")
    bench.shell.ask_quit()
    quit_buttons()["Save all"].click()
    assert agreed == []
    assert bench.shell.navigation.current_id == "containers", "who has something to say is shown"


def test_paths_given_at_the_start_are_opened_where_they_are_edited(bench: Bench) -> None:
    opened: list[ResourceRef] = []

    def open_it(ref: ResourceRef) -> bool:
        opened.append(ref)
        return True

    bench.pane.open = open_it  # type: ignore[method-assign]
    navigation = bench.shell.navigation
    first = replace(navigation.entries[0], kinds=("dockerfile",))
    navigation.entries = (first, *navigation.entries[1:])
    bench.shell.start(["/a/Dockerfile", "/b"])
    assert [ref.id for ref in opened] == ["/a/Dockerfile", "/b"]
    assert navigation.current_id == "containers"
