"""A list pane is its description: states, filter, choice, tabs and what is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QVBoxLayout

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values
from dockdesk.core.columns import CellKind, Column
from dockdesk.core.errors import RemoteError, UnreachableError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.models.arrangement import Grouping
from dockdesk.ui.context import UiContext
from dockdesk.ui.list_pane import (
    DetailTab,
    EmptyText,
    ListDescription,
    ListPane,
    ListState,
    StatCard,
)
from dockdesk.ui.pane import DetailView
from dockdesk.ui.widgets.buttons import Button
from tests.ui.rig import Rig


class View(DetailView[Container]):
    """Says what it is told, and counts."""

    made = 0

    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        type(self).made += 1
        self.rows: list[Container] = []
        self.visits: list[str] = []
        self.label = QLabel()
        QVBoxLayout(self).addWidget(self.label)

    def set_rows(self, rows: Sequence[Container]) -> None:
        self.rows = list(rows)
        self.label.setText(", ".join(row.name for row in rows))

    def shown(self) -> None:
        self.visits.append("shown")

    def hidden(self) -> None:
        self.visits.append("hidden")

    def save_state(self) -> Mapping[str, Any]:
        return {"seen": len(self.visits)}


def plan(rows: Sequence[Container], values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("container", row.id, row.name),
            lambda engine, work, id=row.id: engine.stop(id),  # type: ignore[misc]
            Equivalent(f"docker stop {row.name}"),
        )
        for row in rows
    ]


ACTIONS: tuple[Action[Container], ...] = (
    Action("container.run", "Run…", "player-play", on_rows=False, primary=True),
    Action("container.prune", "Prune", "trash", plan, Danger.CHANGES, on_rows=False, primary=True),
    Action("container.stop", "Stop", "player-stop", plan, Danger.CHANGES, shortcut="Ctrl+T",
           primary=True, refuse=lambda row: None if row.running else "It does not run."),
)  # fmt: skip

DESCRIPTION: ListDescription[Container] = ListDescription(
    id="containers",
    title="Containers",
    icon="box",
    kind="container",
    noun=("container", "containers"),
    columns=[
        Column("name", "Name", lambda row: row.name, lambda row: row.name, CellKind.STRONG),
        Column("state", "State", lambda row: row.state, lambda row: row.state, CellKind.PILL),
    ],
    key=lambda row: row.id,
    name=lambda row: row.name,
    actions=ACTIONS,
    tabs=[
        DetailTab("logs", "Logs", View, several=True),
        DetailTab("inspect", "Inspect", View),
        DetailTab("terminal", "Terminal", View, per_row=True, applies=lambda row: row.running),
    ],
    empty=EmptyText("No containers", "Run one.", "container.run"),
    sort=("name", False),
)


class ContainersPane(ListPane[Container]):
    """As panes do it: follows the session."""

    def __init__(
        self, context: UiContext, description: ListDescription[Container] = DESCRIPTION
    ) -> None:
        super().__init__(context, description)
        self.ran = 0
        self.reloads = 0
        context.session.containers_changed.connect(self._on_changed)

    def handlers(self) -> Mapping[str, Any]:
        return {"container.run": lambda rows: setattr(self, "ran", self.ran + 1)}

    def reload(self) -> None:
        self.reloads += 1

    def _on_changed(self, changed: set[str], removed: set[str]) -> None:
        rows = self.context.session.containers
        self.apply([rows[id] for id in changed if id in rows], removed)


@pytest.fixture
def pane(rig: Rig) -> ContainersPane:
    made = ContainersPane(rig.context)
    rig.qtbot.addWidget(made)
    made.resize(1000, 800)
    made.show()
    return made


@pytest.fixture
def full(rig: Rig, pane: ContainersPane) -> ContainersPane:
    rig.connect()
    rig.until(lambda: pane.model.rowCount() == 12 and pane.selected())
    return pane


def names(pane: ContainersPane) -> list[str]:
    return [row.name for row in pane.model.shown_rows()]


def choose(pane: ContainersPane, *wanted: str) -> None:
    by_name = {row.name: row.id for row in pane.model.rows()}
    pane.table.select_keys([by_name[name] for name in wanted])


def front(pane: ContainersPane) -> View:
    view = pane.detail.view()
    assert isinstance(view, View)
    return view


def test_loads_then_shows_rows_and_their_number(rig: Rig, pane: ContainersPane) -> None:
    assert pane.body.loading
    rig.connect()
    rig.until(lambda: pane.model.rowCount() == 12)
    assert pane.body.message is None
    assert not pane.body.loading
    assert pane.header.count.text() == "12"
    assert names(pane) == sorted(names(pane))


def test_first_row_is_chosen_so_that_details_are_not_empty(full: ContainersPane) -> None:
    assert [row.name for row in full.selected()] == ["api-gateway"]
    assert front(full).label.text() == "api-gateway"
    assert full.crumbs() == ("api-gateway",)


def test_an_empty_list_says_how_to_begin(rig: Rig, pane: ContainersPane) -> None:
    rig.engine._containers.clear()
    rig.connect()
    pane.set_rows([])
    message = pane.body.message
    assert message is not None
    message.buttons()[0].click()
    assert pane.ran == 1


def test_a_filter_without_matches_can_be_cleared(full: ContainersPane) -> None:
    full.set_filter("worker")
    assert names(full) == ["worker-1", "worker-2"]
    assert full.header.count.text() == "2 of 12"
    full.set_filter("nothing like it")
    message = full.body.message
    assert message is not None
    message.buttons()[0].click()
    assert full.model.shown == 12
    assert full.header.filter.text() == ""


def test_details_stay_while_a_filter_hides_their_row(full: ContainersPane) -> None:
    choose(full, "redis")
    full.set_filter("worker")
    assert full.selected() == []
    assert front(full).label.text() == "redis"
    full.set_filter("")
    assert [row.name for row in full.selected()] == ["redis"]


def test_failing_says_why_and_tries_again(rig: Rig, pane: ContainersPane) -> None:
    rig.engine._containers.clear()
    rig.connect()
    pane.set_state(ListState.ERROR, RemoteError("It broke", "500"))
    message = pane.body.message
    assert message is not None
    message.buttons()[0].click()
    assert pane.reloads == 1


def test_without_an_engine_it_says_so(rig: Rig, pane: ContainersPane) -> None:
    rig.engine.faults["containers"] = UnreachableError("No answer", "nobody there")
    rig.session.connect_to(rig_environment(), lambda _work: rig.engine)
    rig.until(lambda: pane.body.message is not None)
    del rig.engine.faults["containers"]
    rig.until(lambda: pane.model.rowCount() == 12)
    assert pane.body.message is None


def rig_environment() -> Any:
    from tests.ui.doubles import environment

    return environment()


def test_lost_rows_are_still_shown(rig: Rig, full: ContainersPane) -> None:
    rig.engine.faults["containers"] = UnreachableError("No answer")
    rig.engine.drop(UnreachableError("Gone"))
    rig.until(lambda: rig.session.state.value == "lost")
    assert full.body.message is None
    assert full.model.shown == 12


def test_tabs_are_made_when_looked_at_and_follow_the_choice(full: ContainersPane) -> None:
    View.made = 0
    choose(full, "redis")
    full.show_tab("inspect")
    assert View.made == 1
    assert front(full).label.text() == "redis"
    choose(full, "postgres")
    assert front(full).label.text() == "postgres"
    assert View.made == 1
    full.show_tab("logs")
    assert front(full).label.text() == "postgres"


def test_several_rows_reach_only_views_that_can_show_them(full: ContainersPane) -> None:
    choose(full, "redis", "postgres")
    assert sorted(row.name for row in front(full).rows) == ["postgres", "redis"]
    full.show_tab("inspect")
    assert len(front(full).rows) == 1
    assert full.crumbs() == ("2 containers",)


def test_a_view_of_its_own_stays_while_others_are_looked_at(rig: Rig, full: ContainersPane) -> None:
    choose(full, "redis")
    terminal = full.show_tab("terminal")
    choose(full, "postgres")
    assert full.detail.view() is not terminal
    choose(full, "migrate")  # does not run: no terminal
    assert full.detail.tab == "logs"
    choose(full, "redis")
    assert full.detail.view() is terminal
    choose(full, "postgres")
    redis = next(row for row in full.model.rows() if row.name == "redis")
    rig.engine.remove(redis.id, force=True)
    rig.until(lambda: full.model.total == 11)
    assert all(view is not terminal for view in full.detail.views())


def test_what_was_looked_at_stays_when_it_is_removed(rig: Rig, full: ContainersPane) -> None:
    choose(full, "redis")
    redis = full.selected()[0]
    rig.engine.remove(redis.id, force=True)
    rig.until(lambda: full.detail.gone_text)
    assert "redis" in full.detail.gone_text
    assert front(full).label.text() == "redis"
    assert full.selected() == []
    assert not full.bound["container.stop"].isEnabled()
    choose(full, "postgres")
    assert full.detail.gone_text == ""


def test_a_changed_row_reaches_view_and_actions(rig: Rig, full: ContainersPane) -> None:
    choose(full, "redis")
    assert full.bound["container.stop"].isEnabled()
    rig.engine.stop(full.selected()[0].id)
    rig.until(lambda: not full.bound["container.stop"].isEnabled())
    assert front(full).rows[0].state == "exited"


def test_actions_run_on_what_is_chosen(rig: Rig, full: ContainersPane) -> None:
    choose(full, "redis", "worker-1")
    full.bound["container.stop"].trigger()
    rig.settle()
    rig.until(lambda: len(rig.audit.entries) == 2)
    assert {entry.target for entry in rig.audit.entries} == {"redis", "worker-1"}


@pytest.mark.qt_log_ignore("grabbing the keyboard")
def test_context_menu_is_of_the_rows(full: ContainersPane) -> None:
    choose(full, "redis")
    full.table.context_requested.emit(full.table.mapToGlobal(QPoint(40, 60)))
    menu = full.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)[-1]
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["Stop", "Copy as"]
    menu.close()


def test_a_resource_is_opened_by_key_short_id_or_name(full: ContainersPane) -> None:
    by_name = {row.name: row for row in full.model.rows()}
    full.set_filter("worker")
    assert full.open(ResourceRef("container", by_name["redis"].id))
    assert [row.name for row in full.selected()] == ["redis"]
    assert full.open(ResourceRef("container", by_name["postgres"].short_id))
    assert [row.name for row in full.selected()] == ["postgres"]
    assert full.open(ResourceRef("container", "", "worker-1"))
    assert full.place() == ResourceRef(
        "container", by_name["worker-1"].id, "worker-1", "docker:test"
    )
    assert not full.open(ResourceRef("container", "beef", "nobody"))


def test_a_resource_asked_for_too_early_is_opened_once_it_is_here(
    rig: Rig, pane: ContainersPane
) -> None:
    assert pane.open(ResourceRef("container", "", "redis"))
    rig.connect()
    rig.until(lambda: [row.name for row in pane.selected()] == ["redis"])


def test_maximising_gives_the_details_the_pane(full: ContainersPane) -> None:
    full.toggle_maximised()
    assert not full.body.isVisible()
    assert full.detail.isVisible()
    full.toggle_maximised()
    assert full.body.isVisible()
    full.set_detail_hidden(True)
    assert not full.detail.isVisible()
    full.table.activated_row.emit(full.selected()[0])
    assert full.detail.isVisible()


def test_keys_lead_from_filter_to_table_and_back(full: ContainersPane, rig: Rig) -> None:
    full.focus_filter()
    assert full.window().focusWidget() is full.header.filter
    rig.qtbot.keyClick(full.header.filter, Qt.Key.Key_Down)
    assert full.window().focusWidget() is full.table
    full.focus_filter()
    rig.qtbot.keyClick(full.header.filter, Qt.Key.Key_Escape)
    assert full.window().focusWidget() is full.table


def test_cards_leave_where_there_is_no_height(full: ContainersPane, rig: Rig) -> None:
    full.set_cards([StatCard("a", "Running", "9 / 12", "3 stopped")])
    assert full.cards.isVisible()
    full.set_cards([StatCard("a", "Running", "8 / 12")])
    full.resize(1000, 500)
    rig.until(lambda: not full.cards.isVisible())


def test_groups_fold_and_open_for_what_is_searched(rig: Rig) -> None:
    description = replace(DESCRIPTION, grouping=Grouping(lambda row: row.project))
    pane = ContainersPane(rig.context, description)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect()
    rig.until(lambda: pane.model.shown == 12 and pane.selected())
    choose(pane, "redis")
    pane.model.set_collapsed({"shop"})
    assert front(pane).label.text() == "redis"
    assert pane.open(ResourceRef("container", "", "postgres"))
    assert "shop" not in pane.model.collapsed


def test_state_is_kept_and_what_no_longer_fits_is_ignored(rig: Rig, full: ContainersPane) -> None:
    full.show_tab("inspect")
    full.model.sort_by("state", True)
    full.set_detail_hidden(True)
    state = full.save_state()
    other = ContainersPane(rig.context)
    rig.qtbot.addWidget(other)
    other.restore_state(state)
    assert other.model.sorted_by == ("state", True)
    assert other.detail.isHidden()
    other.set_rows(full.model.rows())
    rig.until(lambda: other.model.rowCount() == 12)
    choose(other, "redis")
    assert other.detail.tab == "inspect"
    other.restore_state({"table": 3, "split": ["x"], "detail": {"tab": "gone", "views": []}})
    assert other.model.total == 12


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "nonsense"])
def test_only_pages_are_opened(
    full: ContainersPane, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        "dockdesk.ui.list_pane.QDesktopServices.openUrl", lambda found: opened.append(found.url())
    )
    full.table.link_activated.emit(url)
    assert opened == []
    full.table.link_activated.emit("http://localhost:8080")
    assert opened == ["http://localhost:8080"]


def test_a_narrow_header_keeps_icons_and_gives_up_words(full: ContainersPane) -> None:
    buttons = {button.text(): button for button in full.header.findChildren(Button)}
    assert set(buttons) == {"Run…", "Prune"}
    full.resize(440, 800)
    assert buttons["Prune"].text() == ""
    assert buttons["Prune"].accessibleName() == "Prune"
    inside = full.header.rect()
    assert all(inside.contains(button.geometry()) for button in buttons.values())
    full.resize(1000, 800)
    assert {button.text() for button in buttons.values()} == {"Run…", "Prune"}


def test_ages_are_read_again_while_the_list_is_shown(full: ContainersPane) -> None:
    assert full._ages.isActive()
    full.hide()
    assert not full._ages.isActive()


def test_down_leads_from_the_filter_into_what_it_found(full: ContainersPane) -> None:
    full.set_filter("worker")
    assert full.selected() == []
    QTest.keyClick(full.header.filter, Qt.Key.Key_Down)
    assert [row.name for row in full.selected()] == ["worker-1"]


def focus_in(pane: ContainersPane) -> object:
    return pane.window().focusWidget()


def test_the_focus_stays_in_the_list_as_rows_come_and_go(rig: Rig, pane: ContainersPane) -> None:
    """Qt would hand it to whatever comes next in the window, such as the navigation."""
    rows = rig.engine.containers()
    rig.engine._containers.clear()
    rig.connect()
    pane.set_rows([])
    pane.focus_content()
    assert pane.body.message is not None
    assert focus_in(pane) is pane.body.message.buttons()[0]
    pane.set_rows(rows)
    rig.until(lambda: focus_in(pane) is pane.table)
    pane.set_rows([])
    rig.until(lambda: pane.body.message and focus_in(pane) is pane.body.message.buttons()[0])


def test_the_focus_goes_on_to_the_tab_that_is_chosen(full: ContainersPane) -> None:
    view = front(full)
    field = QLineEdit(view)
    view.setFocusProxy(field)
    field.show()
    field.setFocus()
    bar = full.detail._bar
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(1).center())
    assert full.detail.tab == "inspect"
    assert front(full) is not view
    assert focus_in(full) is bar, "a view with nothing to type into"
    full.detail.show_tab("logs")
    field.setFocus()
    full.choice._detail.set_rows(())
    assert focus_in(full) is full.table, "nothing is left to look at"


@pytest.fixture
def long(rig: Rig, pane: ContainersPane) -> ContainersPane:
    rig.connect()
    rig.until(lambda: pane.selected())
    first = pane.selected()[0]
    pane.set_rows(
        [
            replace(first, id=f"{n:064}", name=f"{'odd' if n % 2 else 'even'}-{n:04}")
            for n in range(600)
        ]
    )
    rig.until(lambda: pane.model.rowCount() == 600)
    return pane


@pytest.mark.parametrize("chosen", ["even-0000", "even-0400", "even-0598"])
def test_a_filter_shows_what_it_finds_from_the_top(
    rig: Rig, long: ContainersPane, chosen: str
) -> None:
    choose(long, chosen)
    long.set_filter("odd")
    rig.until(lambda: long.model.rowCount() == 300)
    assert long.table.verticalScrollBar().value() == 0
    assert front(long).label.text() == chosen, "details stay"
    long.set_filter("")
    rig.until(lambda: [row.name for row in long.selected()] == [chosen])
    line = long.model.line_of(long.selected()[0].id)
    rig.until(
        lambda: long.table.rowAt(0) <= line <= long.table.rowAt(long.table.viewport().height() - 1)
    )


def test_a_view_is_made_in_a_turn_of_its_own(full: ContainersPane, rig: Rig) -> None:
    """Making it and showing it take a frame each."""
    before = front(full)
    bar = full.detail._bar
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(1).center())
    assert list(full.detail.views()) == [before], "not made yet"
    rig.until(lambda: full.detail._stack.currentWidget() is not before)
    assert front(full) in list(full.detail.views())


def test_views_are_made_ahead_and_shown_when_they_are_wanted(
    full: ContainersPane, rig: Rig
) -> None:
    before = front(full)
    for step in full.preparations():
        step()
    made = {view for view in full.detail.views() if view is not before}
    assert len(made) == len([tab for tab in full.description.tabs if not tab.per_row]) - 1
    assert front(full) is before
    assert full.show_tab("inspect") in made
