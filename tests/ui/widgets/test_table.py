"""The table: what keys and the mouse do, what is told, and what is painted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QContextMenuEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QApplication, QMenu, QToolTip
from pytestqt.qtbot import QtBot

from dockdesk.core.columns import CellKind, Column, Link
from dockdesk.models.arrangement import Group, Grouping
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.theme import DARK, LIGHT, Theme
from dockdesk.ui.widgets.table import TableView
from dockdesk.ui.widgets.table_paint import GROUP_TEXT_AT

TIMEOUT = 10_000
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@dataclass(frozen=True)
class Row:
    id: str
    name: str
    state: str = "running"
    cpu: float | None = 10.0
    history: tuple[float, ...] = (1.0, 5.0, 10.0) * 20
    links: tuple[Link, ...] = ()
    project: str = ""
    share: float = 0.5


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "Name", lambda r: r.name, lambda r: r.name, CellKind.STRONG, 160, stretch=True),
    Column(
        "state",
        "State",
        lambda r: r.state,
        lambda r: r.state,
        CellKind.PILL,
        110,
        tone=lambda r: "good" if r.state == "running" else "bad",
        tip=lambda r: f"{r.name} is <b>{r.state}</b>",
    ),
    Column(
        "cpu",
        "CPU",
        lambda r: r.cpu,
        lambda r: "" if r.cpu is None else f"{r.cpu:.1f} %",
        CellKind.SPARK,
        170,
        series=lambda r: r.history,
    ),
    Column("share", "Share", lambda r: r.share, lambda r: f"{r.share:.0%}", CellKind.BAR, 150,
           fraction=lambda r: r.share),
    Column("ports", "Ports", lambda r: len(r.links), lambda r: ", ".join(x.text for x in r.links),
           CellKind.LINKS, 160, links=lambda r: r.links),
    Column("id", "Id", lambda r: r.id, lambda r: r.id, CellKind.MONO, 90, hidden=True),
    Column("size", "Size", lambda r: r.cpu, lambda r: str(r.cpu), CellKind.NUMBER, 80),
)  # fmt: skip

WEB = Link("8080→80", "http://localhost:8080")
TLS = Link("8443→443", "https://localhost:8443")
ROWS = (
    Row("1", "api", links=(WEB, TLS), project="shop"),
    Row("2", "db", "exited", None, (), project="shop"),
    Row("3", "cache", cpu=50.0),
    Row("4", "auth", cpu=2.0),
)
GROUPING = Grouping[Row](lambda row: row.project, lambda rows: f"{len(rows)} rows", "Others")


class Ears:
    """What the table told."""

    def __init__(self, view: TableView[Row]) -> None:
        self.chosen: list[list[str]] = []
        self.activated: list[str] = []
        self.links: list[str] = []
        self.menus: list[QPoint] = []
        self.visible: list[set[str]] = []
        view.selection_changed.connect(lambda rows: self.chosen.append([r.id for r in rows]))
        view.activated_row.connect(lambda row: self.activated.append(row.id))
        view.link_activated.connect(self.links.append)
        view.context_requested.connect(self.menus.append)
        view.visible_keys_changed.connect(self.visible.append)


def show(
    qtbot: QtBot, theme: Theme, *rows: Row, grouping: Grouping[Row] | None = None
) -> TableView[Row]:
    model = KeyedTableModel(COLUMNS, lambda row: row.id, grouping=grouping)
    model.reset_to(rows)
    view = TableView(theme, model, "Containers")
    model.setParent(view)
    qtbot.addWidget(view)
    view.resize(1000, 400)
    view.show()
    QApplication.processEvents()
    return view


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[TableView[Row]]:
    made = show(qtbot, theme, *ROWS)
    yield made
    made.close()


@pytest.fixture
def grouped(qtbot: QtBot, theme: Theme) -> Iterator[TableView[Row]]:
    made = show(qtbot, theme, *ROWS, grouping=GROUPING)
    yield made
    made.close()


def spot(view: TableView[Any], line: int, column: str = "name", x: int = 30) -> QPoint:
    """A position inside a cell, in the viewport."""
    number = [item.id for item in view.rows.columns].index(column)
    rect = view.visualRect(view.rows.index(line, number))
    return QPoint(rect.left() + x, rect.center().y())


def click(qtbot: QtBot, view: TableView[Any], position: QPoint, *flags: Any) -> None:
    qtbot.mouseClick(view.viewport(), LEFT, *flags, pos=position)


def names(view: TableView[Row]) -> list[str]:
    return [
        entry.title if isinstance(entry, Group) else entry.name
        for line in range(view.rows.rowCount())
        if (entry := view.rows.entry_at(line)) is not None
    ]


# Choosing.


def test_clicks_choose_rows(view: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(view)
    click(qtbot, view, spot(view, 1))
    assert ears.chosen[-1] == ["2"]
    assert view.current_row() is ROWS[1]
    click(qtbot, view, spot(view, 3), CTRL)
    assert ears.chosen[-1] == ["4", "2"], "the current one first"
    click(qtbot, view, spot(view, 1))
    click(qtbot, view, spot(view, 3), SHIFT)
    assert ears.chosen[-1] == ["4", "2", "3"]
    assert [row.id for row in view.selected_rows()] == ["4", "2", "3"]


def test_a_choice_stays_with_its_rows(view: TableView[Row], qtbot: QtBot) -> None:
    click(qtbot, view, spot(view, 0))
    click(qtbot, view, spot(view, 2), CTRL)
    view.rows.sort_by("name", True)
    assert {row.name for row in view.selected_rows()} == {"api", "cache"}
    current = view.current_row()
    assert current is not None
    assert current.name == "cache"
    view.rows._ready_at = 0.0
    view.rows.apply([replace(ROWS[0], name="zebra")])
    assert {row.name for row in view.selected_rows()} == {"zebra", "cache"}


def test_a_large_choice_stays_without_a_word(qtbot: QtBot, theme: Theme) -> None:
    rows = [Row(f"{n:04}", f"row {n * 7919 % 2000:04}", cpu=float(n)) for n in range(2_000)]
    view = show(qtbot, theme, *rows)
    keys = {row.id for row in rows[::3]}
    ears = Ears(view)
    view.select_keys(sorted(keys))
    assert {row.id for row in view.selected_rows()} == keys
    told = len(ears.chosen)
    assert told == 1
    view.rows.sort_by("name")
    view.rows.sort_by("cpu", True)
    assert {row.id for row in view.selected_rows()} == keys
    assert len(ears.chosen) == told, "nothing has changed for who listens"
    view.rows._ready_at = 0.0
    view.rows.apply([], [row.id for row in rows[::2]])
    left = {row.id for row in rows[::3]} - {row.id for row in rows[::2]}
    assert {row.id for row in view.selected_rows()} == left
    assert set(ears.chosen[-1]) == left
    view.close()


def test_a_chosen_header_stays_chosen(grouped: TableView[Row], qtbot: QtBot) -> None:
    click(qtbot, grouped, spot(grouped, 0, x=80))
    grouped.rows.sort_by("name", True)
    assert {row.id for row in grouped.selected_rows()} == {"1", "2"}
    assert grouped.selected_lines() == [0]


def test_a_chosen_row_that_goes_is_told(view: TableView[Row], qtbot: QtBot) -> None:
    click(qtbot, view, spot(view, 0))
    ears = Ears(view)
    view.rows._ready_at = 0.0
    view.rows.apply([], ["1"])
    assert ears.chosen[-1] == []


def test_rows_are_chosen_by_key(view: TableView[Row], qtbot: QtBot) -> None:
    assert view.select_keys(["3", "no such key", "1"])
    assert [row.id for row in view.selected_rows()] == ["3", "1"]
    assert not view.select_keys(["no such key"])
    assert [row.id for row in view.selected_rows()] == ["3", "1"]


def test_all_are_chosen_with_a_key(view: TableView[Row], qtbot: QtBot) -> None:
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_A, CTRL)
    assert len(view.selected_rows()) == 4


def test_a_header_stands_for_its_rows(grouped: TableView[Row], qtbot: QtBot) -> None:
    assert names(grouped) == ["shop", "api", "db", "Others", "cache", "auth"]
    ears = Ears(grouped)
    click(qtbot, grouped, spot(grouped, 0, x=80))
    assert ears.chosen[-1] == ["1", "2"]
    assert grouped.current_row() is None


# Keys.


def test_enter_activates_the_current_row(view: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(view)
    view.select_keys(["3"])
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Enter)
    qtbot.mouseDClick(view.viewport(), LEFT, pos=spot(view, 0))
    assert ears.activated == ["3", "3", "1"]


def test_ctrl_enter_opens_the_first_link(view: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(view)
    view.select_keys(["1"])
    qtbot.keyClick(view, Qt.Key.Key_Return, CTRL)
    view.select_keys(["2"])
    qtbot.keyClick(view, Qt.Key.Key_Return, CTRL)
    assert ears.links == [WEB.url]
    assert ears.activated == []


def test_groups_fold_by_key(grouped: TableView[Row], qtbot: QtBot) -> None:
    grouped.select_keys(["2"])
    qtbot.keyClick(grouped, Qt.Key.Key_Left)
    assert grouped.currentIndex().row() == 0, "left goes to the header"
    for key, folded in (
        (Qt.Key.Key_Left, True),
        (Qt.Key.Key_Left, True),
        (Qt.Key.Key_Right, False),
        (Qt.Key.Key_Return, True),
        (Qt.Key.Key_Space, False),
    ):
        qtbot.keyClick(grouped, key)
        assert ("shop" in grouped.rows.collapsed) is folded
    assert names(grouped)[:3] == ["shop", "api", "db"]


def test_groups_fold_by_mouse(grouped: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(grouped)
    click(qtbot, grouped, QPoint(GROUP_TEXT_AT - 10, spot(grouped, 0).y()))
    assert names(grouped) == ["shop", "Others", "cache", "auth"]
    assert ears.chosen == [], "the chevron folds and does not choose"
    qtbot.mouseDClick(grouped.viewport(), LEFT, pos=spot(grouped, 0, x=120))
    assert "api" in names(grouped)


def test_home_and_end_go_to_the_first_and_last_row(view: TableView[Row], qtbot: QtBot) -> None:
    view.select_keys(["2"])
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert [row.id for row in view.selected_rows()] == ["4"]
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert [row.id for row in view.selected_rows()] == ["1"]
    qtbot.keyClick(view, Qt.Key.Key_End, SHIFT)
    assert len(view.selected_rows()) == 4


def test_typing_goes_to_a_name(view: TableView[Row], qtbot: QtBot) -> None:
    view.select_keys(["2"])
    qtbot.keyClicks(view, "au")
    current = view.current_row()
    assert current is not None
    assert current.name == "auth"
    view._on_typing_paused()
    qtbot.keyClicks(view, "a")
    assert view.current_row() is ROWS[0]
    qtbot.keyClicks(view, "a")
    assert view.current_row() is ROWS[3], "the same letter goes on to the next"
    view._on_typing_paused()
    qtbot.keyClicks(view, "xyz")
    assert view.current_row() is ROWS[3]


def test_chosen_rows_are_copied_as_text(view: TableView[Row], qtbot: QtBot) -> None:
    view.select_keys(["4"])
    qtbot.keySequence(view, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QGuiApplication.clipboard().text() == "auth\trunning\t2.0 %\t50%\t\t2.0"
    view.select_keys(["3", "4"])
    assert view.copy_text().splitlines()[0] == "Name\tState\tCPU\tShare\tPorts\tSize"
    assert len(view.copy_text().splitlines()) == 3


def test_escape_is_left_to_the_window(view: TableView[Row]) -> None:
    view.select_keys(["1"])
    event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(view, event)
    assert not event.isAccepted()
    assert len(view.selected_rows()) == 1


def test_menus_are_asked_for_with_key_and_mouse(view: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(view)
    view.select_keys(["2"])
    by_key = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(), QPoint())
    view.contextMenuEvent(by_key)
    inside = view.viewport().mapFromGlobal(ears.menus[0])
    assert inside.y() == view.rowViewportPosition(1) + view.rowHeight(1)
    qtbot.mousePress(view.viewport(), RIGHT, pos=spot(view, 3))
    position = spot(view, 3)
    by_mouse = QContextMenuEvent(
        QContextMenuEvent.Reason.Mouse, position, view.viewport().mapToGlobal(position)
    )
    QApplication.sendEvent(view.viewport(), by_mouse)
    assert [row.id for row in view.selected_rows()] == ["4"]
    assert ears.menus[1] == view.viewport().mapToGlobal(position)


def test_tab_leaves_the_table(view: TableView[Row]) -> None:
    assert not view.tabKeyNavigation()


def test_focus_has_a_place_to_begin_at(view: TableView[Row], qtbot: QtBot) -> None:
    view.setFocus()
    QApplication.setActiveWindow(view) if not view.isActiveWindow() else None
    qtbot.waitUntil(view.hasFocus, timeout=TIMEOUT)
    assert view.currentIndex().row() == 0
    assert view.selected_rows() == []


# Links and tips.


def test_links_open_and_choose_nothing(view: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(view)
    position = spot(view, 0, "ports", x=20)
    assert view.link_at(position) == WEB
    click(qtbot, view, position)
    assert ears.links == [WEB.url]
    assert ears.chosen == []
    click(qtbot, view, spot(view, 2, "ports", x=20))
    assert ears.links == [WEB.url]
    assert ears.chosen[-1] == ["3"]


def test_a_link_that_was_pressed_and_left_does_not_open(view: TableView[Row], qtbot: QtBot) -> None:
    ears = Ears(view)
    qtbot.mousePress(view.viewport(), LEFT, pos=spot(view, 0, "ports", x=20))
    qtbot.mouseRelease(view.viewport(), LEFT, pos=spot(view, 2, "name"))
    assert ears.links == []


def test_the_second_link_is_found_behind_the_first(view: TableView[Row]) -> None:
    found = [view.link_at(spot(view, 0, "ports", x)) for x in range(150)]
    assert [link for link in dict.fromkeys(found) if link is not None] == [WEB, TLS]
    assert found[2] is None, "the space at the edge is no link"


def test_the_mouse_shows_what_can_be_clicked(view: TableView[Row], qtbot: QtBot) -> None:
    qtbot.mouseMove(view.viewport(), spot(view, 0, "ports", x=20))
    view._hover(0, WEB)
    assert view.viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor
    view._hover(0, None)
    assert view.viewport().cursor().shape() == Qt.CursorShape.ArrowCursor


def test_tips_say_what_is_cut_off_or_more(view: TableView[Row]) -> None:
    assert view.tip_at(spot(view, 0, "ports", x=20)) == WEB.url
    assert view.tip_at(spot(view, 0, "state")) == "api is <b>running</b>"
    assert view.tip_at(spot(view, 0, "name")) == ""
    long = replace(ROWS[0], name="a name that is far longer than its column " * 5)
    view.rows.apply([long])
    assert view.tip_at(spot(view, 0, "name")) == long.name


def test_tips_are_plain_text(view: TableView[Row], qtbot: QtBot) -> None:
    position = spot(view, 0, "state")
    event = QHelpEvent(QEvent.Type.ToolTip, position, view.viewport().mapToGlobal(position))
    QApplication.sendEvent(view.viewport(), event)
    assert "&lt;b&gt;running" in QToolTip.text()
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible(), timeout=TIMEOUT)


# Columns.


def shown_columns(view: TableView[Row]) -> list[str]:
    header = view.horizontalHeader()
    return [
        view.rows.columns[number].id
        for place in range(header.count())
        if not header.isSectionHidden(number := header.logicalIndex(place))
    ]


def header_spot(view: TableView[Row], column: str) -> QPoint:
    number = [item.id for item in view.rows.columns].index(column)
    header = view.horizontalHeader()
    return QPoint(header.sectionViewportPosition(number) + 30, header.height() // 2)


def test_a_click_on_a_title_sorts(view: TableView[Row], qtbot: QtBot) -> None:
    header = view.horizontalHeader().viewport()
    qtbot.mouseClick(header, LEFT, pos=header_spot(view, "name"))
    assert names(view) == ["api", "auth", "cache", "db"]
    qtbot.mouseClick(header, LEFT, pos=header_spot(view, "name"))
    assert names(view) == ["db", "cache", "auth", "api"]
    qtbot.mouseClick(header, LEFT, pos=header_spot(view, "cpu"))
    assert names(view) == ["cache", "api", "auth", "db"], "figures sort with the largest first"


def titles(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def test_columns_are_shown_and_hidden_by_menu(view: TableView[Row]) -> None:
    assert "id" not in shown_columns(view)
    menu = view.column_menu()
    assert titles(menu)[:2] == ["Name", "State"]
    actions = {action.text(): action for action in menu.actions()}
    actions["Id"].trigger()
    actions["CPU"].trigger()
    assert "id" in shown_columns(view)
    assert "cpu" not in shown_columns(view)
    for title in ("Name", "State", "Share", "Ports", "Size"):
        actions[title].trigger()
    assert shown_columns(view) == ["id"]
    last = {action.text(): action for action in view.column_menu().actions()}
    assert not last["Id"].isEnabled(), "the last column stays"
    last["Reset columns"].trigger()
    assert shown_columns(view) == ["name", "state", "cpu", "share", "ports", "size"]


def test_rows_are_sorted_by_menu(view: TableView[Row]) -> None:
    def sorting() -> dict[str, Any]:
        menu = next(a.menu() for a in view.column_menu().actions() if a.text() == "Sort by")
        assert isinstance(menu, QMenu)
        return {action.text(): action for action in menu.actions()}

    assert "Reverse order" not in sorting()
    sorting()["Name"].trigger()
    assert view.rows.sorted_by == ("name", False)
    sorting()["Reverse order"].trigger()
    assert view.rows.sorted_by == ("name", True)


def widths(view: TableView[Row]) -> dict[str, int]:
    header = view.horizontalHeader()
    return {
        column.id: header.sectionSize(number)
        for number, column in enumerate(view.rows.columns)
        if not header.isSectionHidden(number)
    }


def test_columns_use_the_room_there_is(view: TableView[Row]) -> None:
    assert sum(widths(view).values()) == view.viewport().width()
    wide = widths(view)
    view.resize(1400, 400)
    QApplication.processEvents()
    assert widths(view)["name"] == wide["name"] + 400
    assert widths(view)["cpu"] == wide["cpu"]
    view.resize(760, 400)
    QApplication.processEvents()
    assert sum(widths(view).values()) <= 760, "before it scrolls, columns give way"
    assert widths(view)["state"] == 110, "a state stays legible"
    view.resize(300, 400)
    QApplication.processEvents()
    assert sum(widths(view).values()) > 300


def drag_edge(view: TableView[Row], qtbot: QtBot, column: str, by: int) -> None:
    header = view.horizontalHeader()
    number = [item.id for item in view.rows.columns].index(column)
    edge = header.sectionViewportPosition(number) + header.sectionSize(number) - 1
    start = QPoint(edge, header.height() // 2)
    qtbot.mousePress(header.viewport(), LEFT, pos=start)
    qtbot.mouseMove(header.viewport(), start + QPoint(by, 0))
    qtbot.mouseRelease(header.viewport(), LEFT, pos=start + QPoint(by, 0))


def test_a_width_given_by_the_user_stays(view: TableView[Row], qtbot: QtBot) -> None:
    before = widths(view)
    drag_edge(view, qtbot, "cpu", 40)
    assert widths(view)["cpu"] == before["cpu"] + 40
    view.resize(1300, 400)
    QApplication.processEvents()
    assert widths(view)["cpu"] == before["cpu"] + 40
    assert view.save_state()["columns"][2] == {
        "id": "cpu",
        "hidden": False,
        "width": before["cpu"] + 40,
    }


def test_state_is_saved_and_restored(view: TableView[Row], qtbot: QtBot, theme: Theme) -> None:
    drag_edge(view, qtbot, "cpu", 40)
    view.horizontalHeader().moveSection(4, 0)
    view.column_menu().actions()[5].trigger()
    view.rows.sort_by("cpu", True)
    view.rows.set_collapsed({"shop"})
    saved = view.save_state()
    other = show(qtbot, theme, *ROWS, grouping=GROUPING)
    other.restore_state(saved)
    assert other.save_state() == saved
    assert shown_columns(other) == shown_columns(view)
    assert shown_columns(other)[0] == "ports"
    assert other.rows.sorted_by == ("cpu", True)
    assert names(other)[:2] == ["shop", "Others"]
    other.close()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["name", "cpu", "id", "hidden", "width"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["id", "hidden", "width", "x"]), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.fixed_dictionaries(
        {}, optional={"columns": json_values, "sort": json_values, "collapsed": json_values}
    )
)
def test_any_old_state_is_survived(view: TableView[Row], state: dict[str, Any]) -> None:
    view.restore_state(state)
    assert shown_columns(view)
    assert len(names(view)) == 4
    view.restore_state(view.save_state())


# What is visible.


def test_visible_rows_are_told(qtbot: QtBot, theme: Theme) -> None:
    view = show(qtbot, theme, *(Row(f"{n:03}", f"row {n}") for n in range(300)))
    ears = Ears(view)
    view.viewport().update()
    qtbot.waitUntil(lambda: "000" in view._visible_keys, timeout=TIMEOUT)
    view.verticalScrollBar().setValue(150 * 34)
    qtbot.waitUntil(lambda: bool(ears.visible) and "150" in ears.visible[-1], timeout=TIMEOUT)
    assert "000" not in ears.visible[-1]
    assert 5 < len(ears.visible[-1]) < 20
    first, last = view.rows._visible or (0, 0)
    assert view.rows.key_at(first) in ears.visible[-1]
    assert last - first < 20
    view.hide()
    qtbot.waitUntil(lambda: ears.visible[-1] == set(), timeout=TIMEOUT)
    view.close()


def test_what_is_looked_at_stays_when_rows_come_and_go_above(qtbot: QtBot, theme: Theme) -> None:
    view = show(qtbot, theme, *(Row(f"{n:03}", f"row {n:03}") for n in range(300)))
    view.rows.sort_by("name")
    bar = view.verticalScrollBar()
    bar.setValue(150 * 34 + 10)
    view.rows._ready_at = 0.0
    view.rows.apply([Row("new", "a new row at the top")])
    QApplication.processEvents()
    assert view.rows.key_at(view.rowAt(0)) == "150"
    assert bar.value() == 151 * 34 + 10
    view.rows._ready_at = 0.0
    view.rows.apply([], ["new", "003"])
    QApplication.processEvents()
    assert view.rows.key_at(view.rowAt(0)) == "150"
    view.rows._ready_at = 0.0
    view.rows.apply([], ["250"])
    QApplication.processEvents()
    assert view.rows.key_at(view.rowAt(0)) == "150"
    view.close()


def test_at_the_top_new_rows_are_seen(qtbot: QtBot, theme: Theme) -> None:
    view = show(qtbot, theme, *(Row(f"{n:03}", f"row {n:03}") for n in range(300)))
    view.rows.sort_by("name")
    view.rows._ready_at = 0.0
    view.rows.apply([Row("new", "a new row at the top")])
    QApplication.processEvents()
    assert view.rows.key_at(view.rowAt(0)) == "new"
    view.close()


# Painting.


def picture(view: TableView[Any]) -> QImage:
    QApplication.processEvents()
    return view.viewport().grab().toImage()


def has_colour(image: QImage, colour: QColor, area: QRect) -> bool:
    area = area.intersected(image.rect())
    return any(
        image.pixelColor(x, y).rgb() == colour.rgb()
        for x in range(area.left(), area.right() + 1)
        for y in range(area.top(), area.bottom() + 1)
    )


def colours_in(image: QImage, area: QRect) -> set[int]:
    area = area.intersected(image.rect())
    return {
        image.pixel(x, y)
        for x in range(area.left(), area.right() + 1)
        for y in range(area.top(), area.bottom() + 1)
    }


def cell(view: TableView[Any], line: int, column: str) -> QRect:
    number = [item.id for item in view.rows.columns].index(column)
    return view.visualRect(view.rows.index(line, number))


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_cells_are_painted_in_their_tones(qtbot: QtBot, tokens: Any) -> None:
    theme = Theme(tokens)
    view = show(qtbot, theme, *ROWS)
    image = picture(view)
    running, exited = cell(view, 0, "state"), cell(view, 1, "state")
    assert has_colour(image, theme.surface("good"), running)
    assert has_colour(image, theme.surface("bad"), exited)
    assert not has_colour(image, theme.surface("good"), exited)
    assert has_colour(image, theme.colour("accent"), cell(view, 0, "share"))
    assert image.pixelColor(2, running.bottom() + 80) == theme.colour("panel")
    blank = cell(view, 1, "cpu").adjusted(0, 0, -60, 0)
    only = {
        image.pixelColor(x, blank.center().y()).rgb() for x in range(blank.left(), blank.right())
    }
    assert only == {theme.colour("panel").rgb()}, "without figures there is no line"
    drawn = cell(view, 0, "cpu").adjusted(12, 4, -90, -4)
    assert len(colours_in(image, drawn)) > 3, "a sparkline is drawn"
    view.close()


def test_choice_and_focus_are_seen(view: TableView[Row], qtbot: QtBot, theme: Theme) -> None:
    before = picture(view)
    view.select_keys(["2"])
    after = picture(view)
    y = cell(view, 1, "name").top() + 5
    assert before.pixelColor(8, y).rgb() == theme.colour("panel").rgb()
    assert after.pixelColor(8, y).rgb() == theme.colour("accent_surface").rgb()
    view._hover(2, None)
    hovered = picture(view)
    assert (
        hovered.pixelColor(8, cell(view, 2, "name").top() + 5).rgb() == theme.colour("hover").rgb()
    )


def test_a_new_theme_is_taken_over(view: TableView[Row], theme: Theme) -> None:
    theme.set_mode("dark")
    assert picture(view).pixelColor(2, 3 * 34 + 4) == QColor(DARK.panel)
    theme.set_sizes(body=18)
    assert view.rowHeight(0) > 34
    theme.set_sizes(body=13)
    assert view.rowHeight(0) == 34


@pytest.mark.parametrize(
    "name",
    [
        "<b>bold</b><img src='http://x/y.png'>",
        "\u202egnp.exe\u202c right to left",
        "שלום עולם",
        "🐳 whale 👩‍👩‍👧‍👦",
        "two\nlines\tand a tab",
        "x" * 4096,
        "\x00\x1b[31mred\x07",
        "",
    ],
)  # fmt: skip
def test_hostile_names_are_painted_as_they_are(
    view: TableView[Row], theme: Theme, name: str
) -> None:
    view.rows.apply([replace(ROWS[0], name=name, state=name[:50] or "?")])
    image = picture(view)
    assert image.pixelColor(2, cell(view, 1, "name").top() + 3) == theme.colour("panel")
    assert view.copy_text() == ""


def test_odd_figures_are_painted(view: TableView[Row]) -> None:
    nan, inf = float("nan"), float("inf")
    for history in ((nan, 1.0), (inf, 1.0, 2.0), (-5.0, 0.0), (0.0,), (1e300, 1e-300), (nan,)):
        for share in (nan, inf, -1.0, 0.0, 2.0):
            view.rows.apply([replace(ROWS[0], history=history, share=share)])
            assert not picture(view).isNull()


def test_an_empty_table_says_why(qtbot: QtBot, theme: Theme) -> None:
    view = show(qtbot, theme)
    view.set_empty("No containers yet", "Run one.")
    empty = picture(view)
    view.rows._ready_at = 0.0
    view.rows.apply(ROWS)
    view.rows.set_filter("nothing has this name")
    unmatched = picture(view)
    middle = QRect(300, 100, 400, 120)
    for image in (empty, unmatched):
        assert has_colour(image, theme.colour("panel"), middle)
        assert len(colours_in(image, middle)) > 10, "there is text"
    assert empty != unmatched
    view.close()


def test_groups_are_painted_with_their_detail(grouped: TableView[Row], theme: Theme) -> None:
    image = picture(grouped)
    header = QRect(0, grouped.rowViewportPosition(0), 300, grouped.rowHeight(0))
    assert image.pixelColor(400, header.center().y()) == theme.colour("raised")
    drawn = {image.pixelColor(x, header.center().y()).rgb() for x in range(40, 140)}
    assert len(drawn) > 3


# For people who can't see it.


def spoken(view: TableView[Any]) -> list[str]:
    found = QAccessible.queryAccessibleInterface(view)
    assert found.text(QAccessible.Text.Name) == "Containers"
    children = [found.child(number) for number in range(found.childCount())]
    return [child.text(QAccessible.Text.Name) for child in children if child is not None]


def test_it_is_accessible(view: TableView[Row]) -> None:
    texts = spoken(view)
    for text in ("Name", "State", "api", "exited", "50.0 %", "8080→80, 8443→443"):
        assert text in texts


def test_a_group_is_spoken(grouped: TableView[Row]) -> None:
    assert "Group shop, 2 rows, expanded" in spoken(grouped)
