"""Steps as a list and over time: painted where they are seen, chosen with mouse and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from dockdesk.ui.widgets.steps.gantt import GanttChart
from dockdesk.ui.widgets.steps.items import StepItem, clock_text, group_text
from dockdesk.ui.widgets.steps.rows import StepRows
from dockdesk.ui.widgets.steps.step_list import StepList

NOW = 100.0
STEPS: Sequence[StepItem] = (
    StepItem("p", "load build definition", "Preparation", "done", 10.0, 11.0),
    StepItem("a", "FROM base", "base", "cached", 11.0, 11.0, inputs=("p",)),
    StepItem("b", "RUN make", "app", "done", 11.0, 21.0, inputs=("a",)),
    StepItem("c", "RUN other", "app", "running", 21.0, None, 0.0, "1 / 4 MB", 0.25, ("b", "a")),
    StepItem("d", "COPY . .", "app"),
)


def many(count: int) -> list[StepItem]:
    return [
        StepItem(f"s{n}", f"RUN step {n}", f"stage {n // 20}", "done", n * 1.0, n + 1.0)
        for n in range(count)
    ]


@pytest.fixture(params=[StepList, GanttChart])
def rows(request: pytest.FixtureRequest, theme: Any, qtbot: Any) -> StepRows:
    made: StepRows = request.param(theme, lambda: NOW)
    qtbot.addWidget(made)
    made.resize(480, 240)
    made.show()
    return made


def press(rows: StepRows, key: Qt.Key) -> None:
    QTest.keyClick(rows, key)


def show(rows: StepRows, items: Sequence[StepItem]) -> None:
    if isinstance(rows, GanttChart):
        rows.set_steps(items)
    else:
        rows.set_items(items)


def test_keys_choose(rows: StepRows) -> None:
    show(rows, many(300))
    chosen: list[str] = []
    rows.chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_PageUp):
        press(rows, key)
    assert chosen[:4] == ["s0", "s1", "s299", "s298"]
    assert int(chosen[4][1:]) < 298
    line = rows.line_of(rows.key)
    assert line is not None
    assert rows.viewport().rect().contains(rows.rect_of(line))
    activated: list[str] = []
    rows.activated.connect(activated.append)
    press(rows, Qt.Key.Key_Return)
    assert activated == [rows.key]


def test_a_click_chooses_and_a_call_does_so_silently(rows: StepRows) -> None:
    show(rows, STEPS)
    chosen: list[str] = []
    rows.chosen.connect(chosen.append)
    line = rows.line_of("b")
    assert line is not None
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=rows.rect_of(line).center())
    rows.choose("a")
    assert (chosen, rows.key) == (["b"], "a")


def test_only_what_is_seen_is_painted(rows: StepRows, monkeypatch: pytest.MonkeyPatch) -> None:
    show(rows, many(300))
    painted: list[int] = []
    kind = type(rows)
    before = kind.paint_line

    def paint(self: Any, painter: Any, line: int, rect: QRect) -> None:
        painted.append(line)
        before(self, painter, line, rect)

    monkeypatch.setattr(kind, "paint_line", paint)
    rows.grab()
    assert 0 < len(set(painted)) < 20


def test_a_step_without_news_keeps_its_place(theme: Any, qtbot: Any) -> None:
    made = StepList(theme, lambda: NOW)
    qtbot.addWidget(made)
    made.resize(400, 120)
    made.show()
    items = many(100)
    made.set_items(items)
    made.choose("s70")
    at = made.verticalScrollBar().value()
    items[70] = replace(items[70], state="failed")
    made.set_items(items)
    assert made.verticalScrollBar().value() == at
    assert made.items[70].state == "failed"
    made.set_items([*items, StepItem("new", "RUN more", "stage 9")])
    assert made.line_of("new") is not None
    assert made.key == "s70"


def test_time_goes_on_only_while_something_runs_and_is_seen(rows: StepRows) -> None:
    show(rows, STEPS)
    assert rows._timer.isActive()
    rows.hide()
    assert not rows._timer.isActive()
    rows.show()
    assert rows._timer.isActive()
    show(
        rows,
        [replace(item, state="done", started=item.started or 1.0, ended=50.0) for item in STEPS],
    )
    assert not rows._timer.isActive()


def test_states_are_told_in_words_too(rows: StepRows) -> None:
    show(rows, STEPS)
    assert "From the cache" in rows.tip(STEPS[1])
    assert "Running for" in rows.tip(STEPS[3])
    assert "After: RUN make" in rows.tip(STEPS[3])


def test_the_list_and_the_chart_paint_something(rows: StepRows) -> None:
    blank = rows.grab().toImage()
    show(rows, STEPS)
    rows.choose("c")
    if isinstance(rows, GanttChart):
        rows.set_steps(STEPS, ("p", "b", "c"))
    drawn = rows.grab().toImage()
    assert isinstance(drawn, QImage)
    assert drawn != blank


def test_what_has_not_begun_is_not_in_the_chart(theme: Any, qtbot: Any) -> None:
    chart = GanttChart(theme, lambda: NOW)
    qtbot.addWidget(chart)
    chart.resize(600, 300)
    chart.set_steps(STEPS, ("b",))
    assert [item.key for item in chart.items] == ["p", "a", "b", "c"]
    assert chart.span() == (10.0, 90.0)
    long, short = chart.items[2], chart.items[0]
    assert (
        chart.bar_of(long, QRect(0, 0, 600, 24)).width()
        > chart.bar_of(short, QRect(0, 0, 600, 24)).width()
    )
    assert "critical path" in chart.tip(long)
    assert "critical path" not in chart.tip(short)


def test_times_and_groups_in_words() -> None:
    assert [clock_text(t) for t in (0.04, 12.34, 59.96, 125, 3723)] == [
        "0.0 s", "12.3 s", "1:00", "2:05", "1:02:03",
    ]  # fmt: skip
    assert group_text(STEPS[2:], NOW) == "1 running"
    assert group_text([STEPS[1], STEPS[1]], NOW) == "all cached"
    assert group_text([STEPS[2]], NOW) == "10.0 s"
    assert group_text([replace(STEPS[2], state="failed"), STEPS[2]], NOW) == "1 failed"
    assert group_text([STEPS[2], STEPS[4]], NOW) == "1 of 2"


def test_the_time_of_a_group_is_that_in_which_it_worked() -> None:
    early = StepItem("a", "FROM base", state="done", started=NOW - 60, ended=NOW - 59)
    steps = [
        replace(early, key="b", started=NOW - 4, ended=NOW - 1),
        replace(early, key="c", started=NOW - 3, ended=NOW - 2),
        early,
    ]
    assert group_text(steps, NOW) == "4.0 s"
