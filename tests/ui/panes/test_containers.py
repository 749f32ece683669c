"""The container list as a user works it: current by events, grouped, and acted on from menu, toolbar and keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from dockdesk.core.environments import Guard
from dockdesk.core.errors import ConflictError, RemoteError, UnreachableError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import COMPOSE_PROJECT, Container, Port
from dockdesk.ui.panes.containers.columns import uptime_text
from dockdesk.ui.panes.containers.pane import ContainersPane, host_of
from dockdesk.ui.widgets.buttons import IconButton
from tests.fakes import FakeEngine
from tests.ui.doubles import environment
from tests.ui.panes.hands import Hands, pick, texts
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")


@pytest.fixture
def hands(rig: Rig) -> Hands:
    return Hands.on(rig, ContainersPane)


# The list.


def test_lists_containers_by_project_with_the_first_one_chosen(hands: Hands) -> None:
    assert len(hands.names()) == 12
    assert hands.pane.model.shown == 12
    assert hands.line("edge") == 0
    assert hands.line("shop") < hands.line("watch") < hands.line("Without a project")
    assert hands.chosen() == ["traefik"]
    assert hands.pane.crumbs() == ("traefik",)


def test_nothing_to_list_says_how_to_begin(rig: Rig) -> None:
    rig.engine._containers.clear()
    pane = ContainersPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect()
    rig.until(lambda: pane.body.message is not None)
    message = pane.body.message
    assert message is not None
    assert [button.text() for button in message.buttons()] == ["Run image…"]


def test_reloading_an_empty_list_does_not_wait_for_ever(rig: Rig) -> None:
    rig.engine._containers.clear()
    pane = ContainersPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect()
    rig.until(lambda: pane.body.message is not None)
    pane.reload()
    rig.settle()
    assert not pane.body.loading
    assert pane.body.message is not None


def test_follows_what_happens_elsewhere(hands: Hands, rig: Rig) -> None:
    redis = hands.row("redis").container
    rig.engine.stop(redis.id)
    rig.until(lambda: hands.row("redis").container.state == "exited")
    rig.engine.rename(redis.id, "cache")
    rig.until(lambda: hands.has("cache"))
    rig.engine.remove(redis.id)
    rig.until(lambda: not hands.has("cache"))
    new = replace(redis, id="f" * 64, name="newcomer", state="running")
    rig.engine.put_container(new, "start")
    rig.until(lambda: hands.has("newcomer"))
    assert hands.pane.model.total == 12


def test_figures_come_for_what_is_visible_and_end_when_hidden(hands: Hands, rig: Rig) -> None:
    hands.tick_until(lambda: hands.row("redis").cpu is not None)
    assert len(hands.row("redis").cpu_history) >= 1
    assert hands.row("migrate").cpu is None
    hands.pane.hide()
    rig.until(lambda: rig.engine.stats_streams == 0)


def test_filter_finds_by_name_image_and_port(hands: Hands, rig: Rig) -> None:
    field = hands.pane.header.filter
    field.setFocus()
    QTest.keyClicks(field, "acme worker")
    rig.until(lambda: hands.names() == ["worker-1", "worker-2"])
    assert hands.pane.header.count.text() == "2 of 12"
    field.clear()
    QTest.keyClicks(field, "9090")
    rig.until(lambda: hands.names() == ["prometheus"])
    QTest.keyClick(field, Qt.Key.Key_Escape)
    rig.until(lambda: len(hands.names()) == 12)


def test_a_port_opens_the_browser(hands: Hands, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        "dockdesk.ui.list_pane.QDesktopServices.openUrl", lambda url: opened.append(url.toString())
    )
    table = hands.pane.table
    numbers = [column.id for column in hands.pane.description.columns]
    at = hands.spot("web-frontend")
    x = table.columnViewportPosition(numbers.index("ports"))
    spots = (at.__class__(x + step, at.y()) for step in range(4, 120, 4))
    spot = next(spot for spot in spots if table.link_at(spot) is not None)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert opened == ["http://localhost:8080"]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("unix:///run/docker.sock", "localhost"),
        ("tcp://10.0.0.7:2376", "10.0.0.7"),
        ("ssh://ops@build.example.com", "build.example.com"),
        ("npipe:////./pipe/docker_engine", "localhost"),
        ("", "localhost"),
    ],
)
def test_ports_are_reached_where_the_engine_is(address: str, host: str) -> None:
    assert host_of(address) == host


def test_cards_count_what_runs(hands: Hands, rig: Rig) -> None:
    rig.until(lambda: len(hands.pane.cards._cards) == 4)
    cards = hands.pane.cards._cards
    assert cards["running"].accessibleName() == "Running: 9 / 12 1 unhealthy"
    rig.engine.stop(hands.row("worker-2").container.id)
    rig.until(lambda: "8 / 12 4 stopped" in cards["running"].accessibleName())


def test_a_failing_list_says_so_and_keeps_what_it_had(hands: Hands, rig: Rig) -> None:
    rig.engine.faults["containers"] = RemoteError("Listing failed", "500 from the engine")
    for _ in range(3):
        hands.pane.reload()
        rig.settle()
    rig.until(lambda: "Listing failed" in hands.titles())
    assert len(hands.names()) == 12
    del rig.engine.faults["containers"]
    rig.notices.shown[-1].actions[0].run()
    rig.settle()
    assert hands.pane.body.message is None


def test_another_environment_shows_its_own_containers_only(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    other = FakeEngine()
    only = next(iter(other._containers.values()))
    other._containers = {"e" * 64: replace(only, id="e" * 64, name="lonely")}
    where = replace(environment(), id="docker:other", name="other")
    rig.session.connect_to(where, lambda _work: other)
    rig.until(lambda: hands.names() == ["lonely"])
    assert hands.pane.detail.gone_text == ""
    rig.until(lambda: hands.chosen() == ["lonely"])


# Strange and many.


def test_names_from_outside_are_plain_text(hands: Hands, rig: Rig) -> None:
    first = hands.row("redis").container
    names = ["<b>bold</b><img src=x>", "\u202egnp.exe", "👩‍👩‍👧 family", "a&b"]
    for number, name in enumerate(names):
        labels = {"note": "x" * 4096, COMPOSE_PROJECT: f"<i>{number}</i>"}
        rig.engine.put_container(
            replace(first, id=f"{number}" * 64, name=name, labels=labels), "start"
        )
    rig.until(lambda: hands.has(names[-1]))
    for name in names:
        hands.choose(name)
        assert hands.pane.crumbs() == (name,)
        menu = hands.menu(name)
        assert "Stop" in texts(menu)
        menu.close()
    assert hands.pane.grab().width() > 0
    view = hands.tab("Environment")
    rig.until(lambda: view.ready)  # type: ignore[attr-defined]
    facts = view.facts("Labels")  # type: ignore[attr-defined]
    assert ("note", "x" * 4096) in [(fact.label, fact.value) for fact in facts]


def test_five_thousand_containers_list_filter_and_act(rig: Rig) -> None:
    first = next(iter(rig.engine._containers.values()))
    rig.engine._containers = {
        f"{number:064x}": replace(
            first, id=f"{number:064x}", name=f"box-{number:04}", labels={}, ports=(), networks=()
        )
        for number in range(5000)
    }
    hands = Hands.on(rig, ContainersPane)
    rig.until(lambda: hands.pane.model.shown == 5000)
    assert rig.engine.stats_streams < 60
    hands.pane.set_filter("box-42")
    rig.until(lambda: hands.pane.model.shown == 100)
    hands.pane.table.selectAll()
    assert len(hands.pane.selected()) == 100
    hands.pane.set_filter("box-4242")
    rig.until(lambda: hands.names() == ["box-4242"])
    hands.do("box-4242", "Stop")
    rig.until(lambda: hands.row("box-4242").container.state == "exited")


# Actions.


@pytest.mark.parametrize(
    ("name", "entry", "call", "command"),
    [
        ("migrate", "Start", "start", "docker start migrate"),
        ("redis", "Stop", "stop", "docker stop redis"),
        ("redis", "Restart", "restart", "docker restart redis"),
        ("redis", "Pause", "pause", "docker pause redis"),
        ("mail-dev", "Resume", "unpause", "docker unpause mail-dev"),
    ],
)
def test_states_are_changed_from_the_menu_and_logged(
    hands: Hands, rig: Rig, name: str, entry: str, call: str, command: str
) -> None:
    id = hands.row(name).container.id
    hands.do(name, entry)
    rig.until(lambda: hands.logged() == [command])
    assert hands.calls(call)[0][0] == id
    assert rig.audit.entries[-1].outcome == "ok"
    assert rig.asker.questions == []


@pytest.mark.parametrize(
    ("entry", "values", "call", "command"),
    [
        ("Send signal…", {"signal": "SIGHUP"}, ("kill", "SIGHUP"),
         "docker kill --signal SIGHUP redis"),
        ("Rename…", {"name": "cache"}, ("rename", "cache"), "docker rename redis cache"),
        ("Make an image…", {"reference": "me/redis:1"}, ("commit", "me/redis", "1"),
         "docker commit redis me/redis:1"),
        ("Remove…", {"force": True, "volumes": True}, ("remove", True, True),
         "docker rm --force --volumes redis"),
    ],
)  # fmt: skip
def test_forms_fill_in_what_actions_need(
    hands: Hands,
    rig: Rig,
    entry: str,
    values: dict[str, object],
    call: tuple[str, ...],
    command: str,
) -> None:
    id = hands.row("redis").container.id
    rig.asker.values = values
    hands.do("redis", entry)
    rig.until(lambda: hands.logged() == [command])
    assert hands.calls(call[0]) == [(id, *call[1:])]
    assert rig.asker.filled[0].closed
    assert rig.asker.previews[0][0].cli == command


def test_limits_and_export(hands: Hands, rig: Rig, tmp_path: Path) -> None:
    rig.asker.values = {"memory": "512m", "restart": "always"}
    hands.do("redis", "Limits and restart policy…")
    rig.until(lambda: hands.calls("update"))
    spec = hands.calls("update")[0][1]
    assert (spec.memory, spec.restart, spec.cpus) == (512 << 20, "always", None)
    target = tmp_path / "redis files.tar"
    rig.asker.values = {"path": str(target)}
    hands.do("redis", "Export file system…")
    rig.until(target.exists)
    rig.settle()
    assert hands.logged()[-1] == f"docker export -o '{target}' redis"


def test_what_destroys_is_asked_about_and_can_be_left(hands: Hands, rig: Rig) -> None:
    rig.asker.values = {"force": True}
    rig.asker.agree = False
    hands.do("redis", "Remove…")
    rig.settle()
    question = rig.asker.questions[0]
    assert question.targets == ("redis",)
    assert question.consequence.endswith("is lost.")
    assert hands.has("redis")
    assert hands.logged() == []


def test_several_at_once_skip_those_it_does_not_fit(hands: Hands, rig: Rig) -> None:
    hands.choose("redis", "worker-1", "migrate")
    assert set(hands.chosen()) == {"redis", "worker-1", "migrate"}
    hands.do("redis", "Stop")
    rig.until(lambda: len(hands.logged()) == 2)
    assert sorted(hands.logged()) == ["docker stop redis", "docker stop worker-1"]
    assert "Stop: done" in hands.titles()


def test_a_group_is_acted_on_as_a_whole(hands: Hands, rig: Rig) -> None:
    menu = hands.menu("watch")
    assert set(hands.chosen()) == {"prometheus", "loki"}
    assert "Rename…" in texts(menu)
    rename = next(action for action in menu.actions() if action.text() == "Rename…")
    assert not rename.isEnabled()
    pick(menu, "Restart")
    rig.until(lambda: len(hands.logged()) == 2)
    assert sorted(hands.logged()) == ["docker restart loki", "docker restart prometheus"]
    hands.choose("watch")
    assert set(hands.chosen()) == {"prometheus", "loki"}
    assert hands.pane.bound["container.stop"].isEnabled()


def test_refusals_are_shown_before_and_after(hands: Hands, rig: Rig) -> None:
    menu = hands.menu("migrate")
    stop = next(action for action in menu.actions() if action.text() == "Stop")
    assert not stop.isEnabled()
    assert "does not run" in stop.toolTip()
    menu.close()
    rig.engine.faults["stop"] = ConflictError("It can't be stopped", "The engine says no.")
    hands.do("redis", "Stop")
    rig.until(lambda: "It can't be stopped" in hands.titles())
    entry = rig.audit.entries[-1]
    assert (entry.outcome, "says no" in entry.error) == ("failed", True)
    del rig.engine.faults["stop"]
    retry = next(a for a in rig.notices.shown[-1].actions if a.title == "Try again")
    retry.run()
    rig.until(lambda: hands.row("redis").container.state == "exited")


def test_a_read_only_environment_refuses_every_change(rig: Rig) -> None:
    pane = ContainersPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect(environment(Guard.READ_ONLY))
    rig.until(lambda: pane.selected())
    hands = Hands(rig, pane)
    menu = hands.menu("redis")
    enabled = {a.text() for a in menu.actions() if a.isEnabled() and a.text()}
    assert {"Stop", "Remove…", "Rename…", "Open terminal"}.isdisjoint(enabled)
    assert {"Show logs", "Copy id", "Export file system…"} <= enabled
    menu.close()


def test_the_toolbar_prunes_after_a_question(hands: Hands, rig: Rig) -> None:
    rig.engine.stop(hands.row("redis").container.id)
    rig.until(lambda: hands.row("redis").container.state == "exited")
    hands.pane.trigger(next(a for a in hands.pane.pane_actions if a.id == "container.prune"))
    rig.until(lambda: not hands.has("redis"))
    assert rig.asker.questions[0].action.id == "container.prune"
    assert "Prune: done" in hands.titles()
    rig.until(lambda: hands.logged() == ["docker container prune --force"])


def test_every_action_can_be_copied_as_a_command(hands: Hands, rig: Rig) -> None:
    menu = hands.menu("redis")
    copy = next(action.menu() for action in menu.actions() if action.text() == "Copy as")
    assert isinstance(copy, QMenu)
    cli = next(action.menu() for action in copy.actions() if action.text() == "CLI command")
    assert isinstance(cli, QMenu)
    cli.aboutToShow.emit()
    next(action for action in cli.actions() if action.text() == "Stop").trigger()
    assert QGuiApplication.clipboard().text() == "docker stop redis"
    menu.close()
    hands.do("redis", "Copy id")
    assert QGuiApplication.clipboard().text() == hands.row("redis").container.id


def test_removed_while_shown_it_stays_as_it_was_last_seen(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    for title in ("Summary", "Logs", "Charts", "Files", "Environment", "Processes", "Inspect"):
        hands.tab(title)
    view = hands.tab("Summary")
    rig.until(lambda: view.ready)  # type: ignore[attr-defined]
    rig.engine.remove(hands.row("redis").container.id, force=True)
    rig.until(lambda: hands.pane.detail.gone_text)
    assert view.facts("General")[0].label == "State"  # type: ignore[attr-defined]
    assert hands.chosen() == []
    for title in ("Logs", "Charts", "Files", "Environment", "Processes", "Inspect"):
        hands.tab(title)
    rig.settle()
    hands.choose("postgres")
    assert hands.pane.detail.gone_text == ""


def test_a_lost_engine_keeps_the_list_and_comes_back(hands: Hands, rig: Rig) -> None:
    rig.engine.faults["containers"] = UnreachableError("No answer")
    rig.engine.drop(UnreachableError("Gone"))
    rig.until(lambda: rig.session.state.value == "lost")
    assert len(hands.names()) == 12
    assert not hands.pane.bound["container.stop"].isEnabled() or rig.session.environment
    del rig.engine.faults["containers"]
    rig.until(lambda: rig.session.state.value == "connected")
    assert len(hands.names()) == 12


def test_opens_what_another_pane_asks_for(hands: Hands, rig: Rig) -> None:
    assert hands.pane.open(ResourceRef("container", hands.row("loki").container.id))
    rig.until(lambda: hands.chosen() == ["loki"])
    assert hands.pane.open(ResourceRef("container", "", "redis"))
    rig.until(lambda: hands.chosen() == ["redis"])


def test_open_in_browser_takes_the_first_port(
    hands: Hands, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        "dockdesk.ui.panes.containers.pane.QDesktopServices.openUrl",
        lambda url: opened.append(url.toString()),
    )
    secure = replace(hands.row("traefik").container, ports=(Port(8443, "tcp", 443, "0.0.0.0"),))
    rig.engine.put_container(secure)
    rig.until(lambda: len(hands.row("traefik").container.ports) == 1)
    hands.do("traefik", "Open in browser")
    assert opened == ["https://localhost:443"]


def test_state_is_remembered(hands: Hands, rig: Rig) -> None:
    hands.tab("Summary")
    hands.pane.model.sort_by("cpu", True)
    hands.pane.model.set_collapsed({"shop"})
    again = ContainersPane(rig.context)
    rig.qtbot.addWidget(again)
    again.restore_state(hands.pane.save_state())
    again.show()
    rig.until(lambda: again.selected())
    assert again.detail.tab == "summary"
    assert again.model.sorted_by == ("cpu", True)
    assert "shop" in again.model.collapsed


def test_buttons_of_the_header_are_named(hands: Hands) -> None:
    for button in hands.pane.header.findChildren(IconButton):
        assert button.accessibleName()


def test_uptime_goes_on_without_the_engine_saying_so() -> None:
    ran = Container("1", "web", "nginx", "i", "running", "Up 3 seconds (healthy)", 100.0, since=100)
    assert uptime_text(ran, 103) == "3 s"
    assert uptime_text(ran, 100 + 7_300) == "2 h"
    ended = replace(ran, state="exited", status="Exited (0) 1 second ago", since=200.0)
    assert uptime_text(ended, 500) == "ended 5 min ago"
    made = replace(ran, state="created", status="Created", since=0.0)
    assert uptime_text(made, 500) == "Created"


def test_looking_at_another_tab_leaves_the_list_its_room(rig: Rig) -> None:
    hands = Hands.on(rig, ContainersPane, (1000, 560))
    split = hands.pane._split
    rig.until(lambda: split.sizes()[0] > split.sizes()[1] > 0)  # its proportions are restored
    sizes = split.sizes()
    for title in hands.tabs():
        hands.tab(title)
        rig.settle()
        assert hands.pane._split.sizes() == sizes, title


def test_showing_logs_leads_the_keyboard_into_them(hands: Hands, rig: Rig) -> None:
    hands.pane.trigger(next(a for a in hands.pane.pane_actions if a.id == "container.logs"))
    view = hands.pane.detail.view()
    assert view is not None
    rig.until(lambda: view.isAncestorOf(hands.pane.window().focusWidget()))
    hands.pane.focus_filter()
    assert view.isAncestorOf(hands.pane.window().focusWidget())


def test_delete_means_a_container_only_in_the_list(hands: Hands, rig: Rig) -> None:
    rig.asker.values = {"force": True}
    hands.choose("redis")
    view = hands.tab("Files")
    hands.pane.window().activateWindow()
    rig.until(lambda: view.browser.model.total() == 5)  # type: ignore[attr-defined]
    browser = view.browser  # type: ignore[attr-defined]
    browser.view.setFocus()
    browser.view.choose("/start.sh")
    QTest.keyClick(browser.view, Qt.Key.Key_Delete)
    rig.settle()
    assert rig.asker.forms == []
    hands.pane.table.setFocus()
    QTest.keyClick(hands.pane.table, Qt.Key.Key_Delete)
    rig.until(lambda: not hands.has("redis"))
    assert rig.asker.forms[0].action.id == "container.remove"


def test_the_path_of_the_files_can_be_typed_by_shortcut(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Files")
    hands.pane.window().activateWindow()
    browser = view.browser  # type: ignore[attr-defined]
    rig.until(lambda: browser.model.total() == 5)
    browser.view.setFocus()
    QTest.keyClick(browser.view, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert browser.path_field.isVisible()
