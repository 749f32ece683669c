"""Buttons, segments, search, breadcrumb, facts and splitter."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from dockdesk.core.masking import MASK
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.breadcrumb import Breadcrumb
from dockdesk.ui.widgets.buttons import (
    Button,
    IconButton,
    PrimaryButton,
    Segment,
    SegmentedControl,
)
from dockdesk.ui.widgets.cards import Card
from dockdesk.ui.widgets.key_values import Fact, KeyValueGrid
from dockdesk.ui.widgets.scroll import ContentScroll
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.splitter import Splitter


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def test_buttons_have_words_and_looks(qtbot: QtBot, theme: Theme) -> None:
    run, remove = PrimaryButton(theme, "Run & watch", "player-play"), Button(theme, "Remove")
    icon = IconButton(theme, "refresh", "Reload", "F5")
    card = Card(theme, "Facts")
    for widget in (run, remove, icon, card):
        qtbot.addWidget(widget)
    assert run.text() == "Run && watch", "no letter becomes a shortcut by accident"
    assert run.property("look") == "primary"
    remove.set_look("danger")
    assert remove.property("look") == "danger"
    assert icon.accessibleName() == "Reload"
    assert "F5" in icon.toolTip()
    assert card.title.text() == "Facts"


def test_segments_are_chosen_by_mouse_and_keys(qtbot: QtBot, theme: Theme) -> None:
    control = SegmentedControl(theme, [Segment("tree", "Tree"), Segment("json", "JSON")])
    qtbot.addWidget(control)
    chosen: list[str] = []
    control.changed.connect(chosen.append)
    assert control.current() == "tree"
    qtbot.mouseClick(control.button("json"), Qt.MouseButton.LeftButton)
    qtbot.keyClick(control.button("json"), Qt.Key.Key_Right)
    qtbot.keyClick(control.button("json"), Qt.Key.Key_Left)
    control.set_current("tree")
    assert chosen == ["json", "tree"]


def test_search_waits_for_a_pause(qtbot: QtBot, theme: Theme) -> None:
    field = SearchField(theme, delay_ms=30)
    qtbot.addWidget(field)
    said: list[str] = []
    field.searched.connect(said.append)
    qtbot.keyClicks(field, "web")
    qtbot.waitUntil(lambda: said == ["web"], timeout=10_000)
    qtbot.keyClicks(field, "-1")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert said == ["web", "web-1"], "Enter does not wait"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert said[-1] == ""
    with qtbot.waitSignal(field.left, timeout=10_000):
        qtbot.keyClick(field, Qt.Key.Key_Escape)


def crumbs_of(widget: Breadcrumb) -> list[QToolButton]:
    return [item for item in widget.findChildren(QToolButton) if item.text() != "…"]


def test_breadcrumb_leads_back(qtbot: QtBot, theme: Theme) -> None:
    crumbs = Breadcrumb(theme)
    qtbot.addWidget(crumbs)
    crumbs.resize(800, 30)
    crumbs.set_parts(["/", "var", "a&b"])
    assert [button.text() for button in crumbs_of(crumbs)] == ["/", "var", "a&&b"]
    with qtbot.waitSignal(crumbs.clicked, timeout=10_000) as told:
        crumbs_of(crumbs)[1].click()
    assert told.args == [1]


def test_breadcrumb_gathers_what_does_not_fit(qtbot: QtBot, theme: Theme) -> None:
    crumbs = Breadcrumb(theme)
    qtbot.addWidget(crumbs)
    crumbs.set_parts([f"folder-{number}" for number in range(12)])
    crumbs.resize(260, 30)
    crumbs.show()
    qtbot.waitExposed(crumbs)
    seen = [button.text() for button in crumbs_of(crumbs) if button.isVisibleTo(crumbs)]
    assert seen[-1] == "folder-11"
    assert len(seen) < 12
    more = next(item for item in crumbs.findChildren(QToolButton) if item.text() == "…")
    hidden = more.menu().actions()
    assert len(hidden) + len(seen) == 12
    with qtbot.waitSignal(crumbs.clicked, timeout=10_000) as told:
        hidden[0].trigger()
    assert told.args == [0]


@pytest.fixture
def grid(qtbot: QtBot, theme: Theme) -> KeyValueGrid:
    made = KeyValueGrid(theme)
    qtbot.addWidget(made)
    made.resize(500, 400)
    return made


def on_value(grid: KeyValueGrid, row: int) -> QPoint:
    return grid.row_rect(row).center().toPoint() + QPoint(40, 0)


def on_eye(grid: KeyValueGrid, row: int) -> QPoint:
    box = grid.row_rect(row)
    return QPoint(round(box.right()) - 12, round(box.top()) + 12)


def test_facts_are_copied_whole(qtbot: QtBot, grid: KeyValueGrid) -> None:
    digest, label = "sha256:" + "ab" * 32, "x" * 4096
    grid.set_facts([Fact("Id", digest, mono=True), Fact("A label", label), Fact("Empty", "")])
    with qtbot.waitSignal(grid.copied, timeout=10_000) as told:
        qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=on_value(grid, 1))
    assert told.args == [label]
    qtbot.keyClick(grid, Qt.Key.Key_Up)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert clipboard() == digest
    told_none: list[str] = []
    grid.copied.connect(told_none.append)
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=QPoint(5, on_value(grid, 0).y()))
    assert not told_none, "a name is no button"


def test_secrets_are_masked_until_asked(qtbot: QtBot, grid: KeyValueGrid) -> None:
    grid.set_facts([Fact("PASSWORD", "hunter2", secret=True), Fact("HOME", "/root")])
    assert [grid.shown_value(row) for row in (0, 1)] == [MASK, "/root"]
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=on_eye(grid, 0))
    assert grid.shown_value(0) == "hunter2"
    grid.set_facts([Fact("PASSWORD", "hunter3", secret=True), Fact("HOME", "/root")])
    assert grid.shown_value(0) == "hunter3", "what was revealed stays so when values change"
    qtbot.keyClick(grid, Qt.Key.Key_Space)
    assert grid.shown_value(0) == MASK
    qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=on_value(grid, 0))
    assert clipboard() == "hunter3", "copying needs no showing"
    grid.toggle(0)
    grid.set_facts([Fact("HOME", "/root")])
    grid.set_facts([Fact("PASSWORD", "hunter4", secret=True)])
    assert grid.shown_value(0) == MASK, "what left and came back is masked"


def test_facts_take_the_height_they_need(grid: KeyValueGrid, theme: Theme) -> None:
    assert grid.heightForWidth(500) == 0
    grid.set_facts([Fact("Name", "web")])
    one = grid.heightForWidth(500)
    grid.set_facts([Fact("Name", "web"), Fact("Labels", "word " * 200)])
    assert grid.heightForWidth(500) > 4 * one
    assert grid.heightForWidth(300) > grid.heightForWidth(900)
    before = grid.heightForWidth(500)
    theme.set_sizes(body=18)
    assert grid.heightForWidth(500) > before


def test_facts_are_painted_in_their_tones(grid: KeyValueGrid, theme: Theme) -> None:
    grid.set_facts([Fact("State", "█" * 10, tone="good"), Fact("<b>x</b>", "<img src=x>")])
    image = grid.grab().toImage()
    box = grid.row_rect(0)
    colours = {
        image.pixelColor(x, round(box.center().y())).name()
        for x in range(round(box.width() / 3), round(box.width() / 2))
    }
    assert theme.tone("good").name() in colours


def test_keys_walk_facts_and_scroll_to_them(qtbot: QtBot, theme: Theme) -> None:
    grid = KeyValueGrid(theme)
    area = ContentScroll(grid)
    qtbot.addWidget(area)
    area.resize(400, 120)
    grid.set_facts([Fact(f"NAME{number}", "value") for number in range(100)])
    area.show()
    qtbot.waitExposed(area)
    for _ in range(60):
        qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert "NAME60" in grid.accessibleDescription()
    row = grid.row_rect(60)
    top = area.verticalScrollBar().value()
    assert top <= row.top()
    assert row.bottom() <= top + area.viewport().height() + 1


def test_splitter_handle_moves_by_keys_and_goes_back(qtbot: QtBot, theme: Theme) -> None:
    splitter = Splitter(Qt.Orientation.Horizontal, (3, 1))
    qtbot.addWidget(splitter)
    moved: list[Any] = []
    splitter.moved.connect(lambda: moved.append(splitter.sizes()))
    for _ in range(2):
        part = QWidget()
        QVBoxLayout(part)
        splitter.addWidget(part)
    splitter.resize(809, 200)
    splitter.show()
    qtbot.waitExposed(splitter)
    before = splitter.sizes()
    qtbot.keyClick(splitter.handle(1), Qt.Key.Key_Left)
    assert splitter.sizes()[0] < before[0]
    qtbot.mouseDClick(splitter.handle(1), Qt.MouseButton.LeftButton)
    left, right = splitter.sizes()
    assert abs(left - 3 * right) <= 3
    assert len(moved) >= 2
