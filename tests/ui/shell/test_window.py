"""The window as a whole: moving, menus, palette, quitting, faults, and coming back as it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from dockdesk.core import preferences
from dockdesk.core.environments import Guard
from dockdesk.core.errors import RemoteError, UnreachableError
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.shell.environments import FoundEnvironment
from dockdesk.ui.shell.settings_dialog import SettingsDialog
from dockdesk.ui.shell.shell_actions import MENUS
from dockdesk.ui.shell.shortcut_sheet import ShortcutSheet
from dockdesk.ui.widgets.confirm import ConfirmDialog
from tests.ui.shell.conftest import PROD, PlainPane, Shell


def test_shows_containers_and_says_who_answers(shell: Shell) -> None:
    shell.begin()
    shell.until(lambda: "Docker Engine 27.3.1" in shell.window.presenter.engine_text)
    assert shell.window.navigation.current_id == "containers"
    assert shell.window.frame.stack.currentWidget() is shell.pane
    shell.until(lambda: shell.window.frame.status._containers.text() == "9 of 12 running")
    assert shell.window.frame.top.environment.text() == "default"


def test_welcomes_where_nothing_answers_and_leaves_once_something_does(shell: Shell) -> None:
    error = UnreachableError("No engine answers", "no socket", "Start it.")
    alive: list[bool] = []

    def open(work: Any) -> Any:
        if not alive:
            raise error
        return shell.rig.engine

    shell.found[:] = [FoundEnvironment(PROD, open, current=True)]
    shell.begin()
    frame = shell.window.frame
    assert frame.stack.currentWidget() is frame.welcome
    shell.window.navigation.show_pane("command_log")  # needs no engine
    assert frame.stack.currentWidget() is not frame.welcome
    shell.window.navigation.show_pane("containers")
    assert frame.stack.currentWidget() is frame.welcome
    alive.append(True)
    shell.until(lambda: frame.stack.currentWidget() is shell.pane)


def test_a_pane_that_cannot_be_made_does_not_take_the_others_with_it(
    shell: Shell, expect_log: Any
) -> None:
    expect_log("can't be made")
    shell.begin()
    shell.window.navigation.show_pane("broken")
    assert shell.window.navigation.current is not None
    shell.window.navigation.show_pane("containers")
    assert shell.window.frame.stack.currentWidget() is shell.pane


def test_goes_back_and_forward_through_panes_and_resources(shell: Shell) -> None:
    shell.begin()
    navigation, frame = shell.window.navigation, shell.window.frame
    redis, postgres = shell.container("redis"), shell.container("postgres")
    navigation.open(ResourceRef("container", redis.id, "redis"))
    navigation.open(ResourceRef("container", postgres.id, "postgres"))
    navigation.show_pane("command_log")
    assert frame.top.crumbs.parts() == ("Command log",)
    assert frame.top.back.isEnabled()
    frame.top.back.click()
    assert shell.pane.rows == [postgres]
    assert frame.top.crumbs.parts() == ("Containers", "postgres")
    navigation.back()
    assert shell.pane.rows == [redis]
    navigation.forward()
    navigation.forward()
    assert navigation.current_id == "command_log"
    assert not frame.top.forward.isEnabled()


def test_a_resource_that_is_gone_is_told(shell: Shell) -> None:
    shell.begin()
    shell.window.navigation.open(ResourceRef("container", "beef", "ghost"))
    assert "“ghost” is not here" in shell.notices()


def test_keys_lead_to_panes_and_parts(shell: Shell) -> None:
    shell.begin()
    window, qtbot = shell.window, shell.rig.qtbot
    window.activateWindow()
    qtbot.waitActive(window)
    qtbot.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert window.navigation.current_id == "command_log"
    qtbot.keyClick(window, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert window.navigation.current_id == "containers"
    seen = []
    for _ in range(4):
        window.focus_next_part()
        focus = window.focusWidget()
        seen.append(
            next(
                name
                for name in ("stack", "status", "rail", "top")
                if getattr(window.frame, name).isAncestorOf(focus)
            )
        )
    assert set(seen) == {"stack", "status", "rail", "top"}


def test_question_mark_is_text_in_a_field_and_help_elsewhere(shell: Shell) -> None:
    shell.begin()
    window, qtbot = shell.window, shell.rig.qtbot
    window.activateWindow()
    qtbot.waitActive(window)
    shell.pane.field.setFocus()
    qtbot.keyClick(shell.pane.field, "?")
    assert shell.pane.field.text() == "?"
    window.frame.rail.focus()
    qtbot.keyClick(window.focusWidget(), "?")
    sheet = window.findChild(ShortcutSheet)
    assert sheet is not None
    titles = [group.title for group in sheet._groups]
    assert titles[:3] == ["File", "View", "Go"]
    assert "Containers" in titles
    sheet.close()


def test_every_shell_action_has_its_handler_and_a_key_only_once(shell: Shell) -> None:
    ids = [action.id for _title, actions in MENUS for action in actions]
    assert len(ids) == len(set(ids))
    keys = [key.toString() for id in ids for key in shell.window.shell[id].shortcuts()]
    keys += [action.shortcut().toString() for action in shell.window.menus._pane_keys]
    assert len(keys) == len(set(keys))


@pytest.mark.qt_log_ignore("grabbing the keyboard")
def test_menus_are_made_from_the_declarations(shell: Shell) -> None:
    shell.begin()
    bar = shell.window.menuBar()
    menus = {action.text().replace("&", ""): action.menu() for action in bar.actions()}
    assert list(menus) == ["File", "View", "Go", "Containers", "Environment", "Help"]
    shell.pane.choose(shell.container("redis"))
    menu = menus["Containers"]
    menu.aboutToShow.emit()
    assert [a.text() for a in menu.actions() if a.text()][:3] == ["Stop", "Prune", "Look closer"]
    shell.window.navigation.show_pane("command_log")
    menu.aboutToShow.emit()
    by_text = {a.text(): a for a in menu.actions()}
    by_text["Look closer"].trigger()
    assert shell.window.navigation.current_id == "containers"
    assert shell.pane.asked == [("look", [])]


def palette(shell: Shell, text: str) -> list[str]:
    view = shell.window.palette_view
    view.open(text)
    shell.until(lambda: view._model._search is None)
    return [view._model.candidate(row).title for row in range(view._model.rowCount())]


def test_palette_finds_actions_panes_resources_environments_and_settings(shell: Shell) -> None:
    shell.begin()
    shell.pane.choose(shell.container("redis"))
    assert palette(shell, "stop")[0] == "Stop redis"
    assert palette(shell, "command log")[0] == "Command log"
    assert palette(shell, "postgres")[0] == "postgres"
    shell.window.palette_view.run_current()
    assert [row.name for row in shell.pane.rows] == ["postgres"]
    assert palette(shell, "switch prod")[0] == "Switch to prod"
    assert "Text size" in palette(shell, "text size")
    shell.window.palette_view.run_current()
    dialog = shell.window.findChild(SettingsDialog)
    assert dialog is not None
    dialog.close()


def test_palette_says_why_something_cannot_be_done(shell: Shell) -> None:
    shell.begin()
    assert palette(shell, "stop")[0] == "Stop"
    assert shell.window.palette_view._model.candidate(0).reason == "Nothing is selected."
    shell.window.palette_view.shut()


def test_guard_is_set_shown_and_kept(shell: Shell) -> None:
    shell.begin()
    shell.window.shell["environment.read_only"].trigger()
    assert "read-only" in shell.window.frame.banner.text
    shell.pane.choose(shell.container("redis"))
    assert not shell.pane.bound["container.stop"].isEnabled()
    assert shell.environments.environments[0].guard is Guard.READ_ONLY
    shell.window.shell["environment.normal"].trigger()
    assert shell.window.frame.banner.text == ""
    assert shell.pane.bound["container.stop"].isEnabled()


def test_a_lost_engine_is_told_until_it_is_back(shell: Shell) -> None:
    shell.begin()
    shell.rig.engine.faults["containers"] = UnreachableError("It is away")
    shell.rig.engine.drop(UnreachableError("It is away"))
    shell.until(lambda: "as it was last seen" in shell.window.frame.banner.text)
    assert "connection lost" in shell.window.presenter.engine_text
    assert shell.window.frame.status._reconnect.isVisible()
    del shell.rig.engine.faults["containers"]
    shell.until(lambda: "Connected again" in shell.notices())
    assert shell.window.frame.banner.text == ""


def test_confirmation_is_asked_and_the_action_runs(shell: Shell) -> None:
    shell.begin()
    shell.pane.choose(shell.container("redis"))
    shell.pane.bound["container.stop"].trigger()
    dialog = shell.window.findChild(ConfirmDialog)
    assert dialog is not None
    dialog.agree.click()
    shell.until(lambda: any(entry.target == "redis" for entry in shell.rig.audit.entries))
    shell.until(lambda: shell.container("redis").state == "exited")


def test_how_much_is_asked_follows_the_setting(shell: Shell) -> None:
    shell.begin()
    shell.rig.settings.set(preferences.CONFIRM, "destroys")
    shell.pane.choose(shell.container("redis"))
    shell.pane.bound["container.stop"].trigger()
    assert shell.window.findChild(ConfirmDialog) is None
    shell.until(lambda: shell.container("redis").state == "exited")


def test_a_failure_nobody_handles_is_told_with_its_job(shell: Shell) -> None:
    shell.begin()

    def fails(work: Any) -> None:
        work.log("half way")
        raise RemoteError("It broke", "500")

    shell.rig.jobs.submit(None, fails, title="Do a thing")
    shell.until(lambda: "It broke" in shell.notices())
    show = next(
        button
        for button in shell.window.notices.surface.findChildren(QPushButton)
        if button.text() == "Show"
    )
    show.click()
    drawer = shell.window.frame.drawer
    assert drawer.isVisible()
    shell.until(lambda: drawer._detail._log.toPlainText() == "half way")


def test_quitting_asks_only_where_something_would_be_lost(shell: Shell) -> None:
    shell.begin()
    agreed: list[bool] = []
    shell.window.quit_agreed.connect(lambda: agreed.append(True))
    release = threading.Event()
    shell.rig.jobs.submit(None, lambda work: release.wait(30), title="Pull nginx", long=True)
    shell.window.hide()  # also from the tray
    shell.window.ask_quit()
    assert agreed == []
    open_dialog().cancel.click()
    assert agreed == []
    release.set()
    shell.until(lambda: not shell.rig.jobs.busy())
    shell.window.show()
    shell.pane.loss = "A shell runs in redis."
    shell.window.close()
    assert agreed == []
    open_dialog().agree.click()
    assert agreed == [True]
    assert shell.rig.settings.get(preferences.LAST_PANE) == "containers"


def open_dialog() -> ConfirmDialog:
    return next(
        widget
        for widget in QApplication.topLevelWidgets()
        if isinstance(widget, ConfirmDialog) and widget.isVisible()
    )


def test_nothing_to_lose_ends_at_once(shell: Shell) -> None:
    shell.begin()
    agreed: list[bool] = []
    shell.window.quit_agreed.connect(lambda: agreed.append(True))
    shell.window.close()
    assert agreed == [True]


def test_narrow_windows_fold_the_rail_unless_told_otherwise(shell: Shell) -> None:
    frame = shell.window.frame
    assert not frame.rail.narrow
    shell.window.resize(1000, 700)
    shell.until(lambda: frame.rail.narrow)
    shell.window.fold_rail()
    assert not frame.rail.narrow
    shell.window.resize(1300, 700)
    assert not frame.rail.narrow


def test_comes_back_as_it_was_left(shell: Shell) -> None:
    shell.begin()
    shell.window.fold_rail()
    shell.window.show_activity()
    shell.window.navigation.show_pane("command_log")
    shell.window.resize(800, 600)  # the offscreen screen is no larger
    shell.window.save_state()
    other = type(shell.window)(shell.window._parts)
    shell.rig.qtbot.addWidget(other, before_close_func=lambda w: setattr(w, "_quitting", True))
    assert other.frame.rail.narrow
    assert not other.frame.drawer.isHidden()
    assert (other.width(), other.height()) == (800, 600)
    other.start()
    assert other.navigation.current_id == "command_log"
    assert shell.rig.settings.get(preferences.PANE_STATES)["containers"] == {"asked": 0}


def test_unreadable_state_is_no_failure(shell: Shell) -> None:
    shell.rig.settings.set(preferences.WINDOW_STATE, {"geometry": "☃", "folded": "x"})
    shell.rig.settings.set(preferences.PANE_STATES, {"containers": 7})
    other = type(shell.window)(shell.window._parts)
    shell.rig.qtbot.addWidget(other, before_close_func=lambda w: setattr(w, "_quitting", True))
    other.start()
    assert isinstance(other.navigation.pane("containers"), PlainPane)


def test_hidden_windows_ask_for_no_figures(shell: Shell) -> None:
    shell.begin()
    redis = shell.container("redis")
    shell.rig.stats.watch([redis.id])
    shell.until(lambda: shell.rig.engine.stats_streams == 1)
    shell.window.hide()
    shell.until(lambda: shell.rig.engine.stats_streams == 0)
    shell.window.show()
    shell.until(lambda: shell.rig.engine.stats_streams == 1)
