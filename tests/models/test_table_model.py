"""The table model: against a naive table that sorts, filters and groups everything anew each time."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from dockdesk.core.columns import CellKind, Column, Link
from dockdesk.models.arrangement import Group, Grouping
from dockdesk.models.table_model import KeyedTableModel, Role

TIMEOUT = 10_000


@dataclass(frozen=True)
class Row:
    id: str
    name: str = ""
    size: float | None = None
    project: str = ""


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", "Name", lambda row: row.name, lambda row: row.name, CellKind.STRONG),
    Column(
        "size",
        "Size",
        lambda row: row.size,
        lambda row: "" if row.size is None else f"{row.size:g} MB",
        CellKind.NUMBER,
        tone=lambda row: "bad" if (row.size or 0) > 3 else "good",
        tip=lambda row: f"{row.name} is large",
        series=lambda row: (1.0, row.size or 0.0),
        fraction=lambda row: 0.5,
        links=lambda row: (Link("open", "http://localhost"),),
    ),
    Column("project", "Project", lambda row: row.project, lambda row: row.project),
)

PROJECTS = Grouping[Row](
    lambda row: row.project, lambda rows: f"{len(rows)} of {sum(1 for row in rows if row.size)}"
)


def make(*rows: Row, grouping: Grouping[Row] | None = None) -> KeyedTableModel[Row]:
    model = KeyedTableModel(COLUMNS, lambda row: row.id, grouping=grouping)
    model.reset_to(rows)
    return model


def texts(model: KeyedTableModel[Row], column: int = 0) -> list[Any]:
    return [model.index(line, column).data() for line in range(model.rowCount())]


class Signals:
    """What a view would hear."""

    def __init__(self, model: KeyedTableModel[Any]) -> None:
        self.heard: list[tuple[str, int, int]] = []
        model.rowsInserted.connect(lambda _p, a, b: self.heard.append(("in", a, b)))
        model.rowsRemoved.connect(lambda _p, a, b: self.heard.append(("out", a, b)))
        model.layoutChanged.connect(lambda: self.heard.append(("layout", 0, 0)))
        model.dataChanged.connect(lambda a, b: self.heard.append(("data", a.row(), b.row())))

    def take(self) -> list[tuple[str, int, int]]:
        heard, self.heard = self.heard, []
        return heard


rows_drawn = st.builds(
    Row,
    st.sampled_from([f"k{number}" for number in range(12)]),
    st.sampled_from(["web", "Web", "db", "cache", "worker 1"]),
    st.sampled_from([None, float("nan"), 0.0, 1.0, 2.0, 5.0]),
    st.sampled_from(["", "shop", "Blog"]),
)


class TableMachine(RuleBasedStateMachine):
    """Every change is followed by the lines that a table built anew would have, and selections stay with their rows."""

    @initialize(grouped=st.booleans())
    def begin(self, grouped: bool) -> None:
        self.grouping = PROJECTS if grouped else None
        self.model = KeyedTableModel(COLUMNS, lambda row: row.id, grouping=self.grouping)
        self.tester = QAbstractItemModelTester(
            self.model, QAbstractItemModelTester.FailureReportingMode.Fatal
        )
        self.rows: dict[str, Row] = {}
        self.order: list[str] = []
        self.sort: tuple[str, bool] = ("", False)
        self.words = ""
        self.predicate = False
        self.kept: dict[str, QPersistentModelIndex] = {}

    @rule(
        changed=st.lists(rows_drawn, max_size=6), removed=st.lists(st.integers(0, 13), max_size=4)
    )
    def apply(self, changed: list[Row], removed: list[int]) -> None:
        gone = [f"k{number}" for number in removed]
        self.model.apply(changed, gone)
        moved = self._put(changed)
        for key in gone:
            self.rows.pop(key, None)
        self._settle(moved)

    @rule(rows=st.lists(rows_drawn, max_size=12))
    def reset(self, rows: list[Row]) -> None:
        self.model.reset_to(rows)
        new = {row.id: row for row in rows}
        moved = self._put([row for row in new.values() if row != self.rows.get(row.id)])
        for key in [key for key in self.rows if key not in new]:
            del self.rows[key]
        self._settle(moved)

    def _put(self, rows: list[Row]) -> list[str]:
        """Keys that are new or whose value changed, in the order in which it did."""
        moved: dict[str, None] = {}
        for row in rows:
            if self._value(row) != self._value(self.rows.get(row.id)):
                moved[row.id] = None
            self.rows[row.id] = row
        return list(moved)

    @rule(column=st.sampled_from(["name", "size", "project", ""]), descending=st.booleans())
    def sort_by(self, column: str, descending: bool) -> None:
        self.model.sort_by(column, descending)
        self.sort = (column, descending)
        if not column:
            self.order = list(self.rows)
        self._settle([])

    @rule(words=st.sampled_from(["", "w", "WEB", "mb 5", "shop web", "nothing"]))
    def filter(self, words: str) -> None:
        self.model.set_filter(words)
        self.words = words

    @rule(on=st.booleans())
    def filter_by_predicate(self, on: bool) -> None:
        self.model.set_predicate((lambda row: row.size is not None) if on else None)
        self.predicate = on

    @rule(names=st.sets(st.sampled_from(["", "shop", "Blog"])))
    def collapse(self, names: set[str]) -> None:
        self.model.set_collapsed(names)

    @rule(data=st.data())
    def keep_an_index(self, data: st.DataObject) -> None:
        if self.model.rowCount():
            line = data.draw(st.integers(0, self.model.rowCount() - 1))
            key = self.model.key_at(line)
            if isinstance(key, str):
                self.kept[key] = QPersistentModelIndex(self.model.index(line, 1))

    def _value(self, row: Row | None) -> Any:
        column = next((item for item in COLUMNS if item.id == self.sort[0]), None)
        if row is None:
            return "no row"
        if column is None:
            return "a row"
        value = column.value(row)
        if isinstance(value, str):
            return value.casefold()
        return None if value is None or value != value else value

    def _settle(self, moved: list[str]) -> None:
        """The order a stable sort gives: rows that moved come after their equals, others stay."""
        late = [key for key in moved if key in self.rows]
        order = [key for key in self.order if key in self.rows]
        if self.sort[0]:
            order = [key for key in order if key not in late] + late
            known = [key for key in order if self._value(self.rows[key]) is not None]
            known.sort(key=lambda key: self._value(self.rows[key]), reverse=self.sort[1])
            order = known + [key for key in order if self._value(self.rows[key]) is None]
        else:
            order += [key for key in late if key not in order]
        self.order = order

    def _matches(self, row: Row) -> bool:
        if self.predicate and row.size is None:
            return False
        text = " ".join(column.text(row) for column in COLUMNS).casefold()
        return all(word in text for word in self.words.casefold().split())

    @invariant()
    def shows_what_a_new_table_would(self) -> None:
        if not hasattr(self, "model"):
            return
        if self.model._timer.isActive():
            self.model._timer.stop()
            self.model._arrange()
        matching = [self.rows[key] for key in self.order if self._matches(self.rows[key])]
        expected: list[Any] = []
        names = sorted({row.project for row in matching if row.project}, key=str.casefold)
        if self.grouping is None or not names:
            expected = matching
        else:
            for name in [*names, *([""] if any(not row.project for row in matching) else [])]:
                expected.append(("group", name))
                if name not in self.model.collapsed or self.words:
                    expected += [row for row in matching if row.project == name]
        shown = [self.model.entry_at(line) for line in range(self.model.rowCount())]
        got = [("group", line.name) if isinstance(line, Group) else line for line in shown]
        assert got == expected
        assert (self.model.shown, self.model.total) == (len(matching), len(self.rows))
        for line, entry in enumerate(shown):
            if isinstance(entry, Row):
                assert self.model.line_of(entry.id) == line

    @invariant()
    def an_index_stays_with_its_row(self) -> None:
        for key, index in list(getattr(self, "kept", {}).items()):
            if index.isValid():
                assert self.model.key_at(index.row()) == key
                assert index.column() == 1
            else:
                del self.kept[key]


@pytest.mark.usefixtures("qapp")
class TestTable(TableMachine.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def test_rows_sort_by_native_value_with_none_last(qtbot: QtBot) -> None:
    model = make(
        Row("a", "a", 10.0), Row("b", "b", None), Row("c", "c", 9.0), Row("d", "d", float("nan"))
    )
    model.sort_by("size")
    assert texts(model) == ["c", "a", "b", "d"]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert texts(model) == ["a", "c", "b", "d"]
    assert model.sorted_by == ("size", True)
    model.sort(-1)
    assert texts(model) == ["a", "b", "c", "d"]


def test_sorting_is_stable(qtbot: QtBot) -> None:
    """By name and then by size: equal sizes stay in the order of names, whichever way sizes run."""
    model = make(Row("1", "b", 1.0), Row("2", "a", 2.0), Row("3", "a", 1.0), Row("4", "c", 1.0))
    model.sort_by("name")
    model.sort_by("size", descending=True)
    assert texts(model) == ["a", "a", "b", "c"]
    assert [row.id for row in model.shown_rows()] == ["2", "3", "1", "4"]


def test_values_that_can_not_be_compared_still_sort(qtbot: QtBot) -> None:
    values: dict[str, Any] = {"a": 3, "b": "x", "c": (1, 2), "d": 1}
    column: Column[str] = Column("v", "V", lambda key: values[key], lambda key: str(values[key]))
    model = KeyedTableModel((column,), lambda row: row)
    model.reset_to(values)
    model.sort_by("v")
    assert model.shown_rows() == ["d", "a", "b", "c"]


def test_all_words_must_match_in_any_order_and_case(qtbot: QtBot) -> None:
    model = make(Row("1", "Web", 5.0, "shop"), Row("2", "web", 6.0, "blog"), Row("3", "db", 5.0))
    model.set_filter("5 WEB")
    assert [row.id for row in model.shown_rows()] == ["1"]
    assert (model.shown, model.total) == (1, 3)
    model.set_filter("bshop")  # not across two cells
    assert model.rowCount() == 0
    model.set_filter("  ")
    assert model.rowCount() == 3
    assert not model.filtered


def test_a_filter_may_look_elsewhere(qtbot: QtBot) -> None:
    model = KeyedTableModel(COLUMNS, lambda row: row.id, search=lambda row: f"ID {row.id}")
    model.reset_to([Row("abc", "web"), Row("def", "abc")])
    model.set_filter("id ABC")
    assert texts(model) == ["web"]


def test_signals_are_as_few_as_can_be(qtbot: QtBot) -> None:
    model = make(*(Row(f"{number:02}", f"n{number:02}") for number in range(20)))
    model.sort_by("name")
    signals = Signals(model)
    model._ready_at = 0.0
    model.apply([Row("new", "n05x")])
    assert signals.take() == [("in", 6, 6)]
    model._ready_at = 0.0
    model.apply([], ["00", "01", "07"])
    assert signals.take() == [("out", 8, 8), ("out", 0, 1)]
    model.apply([Row("10", "n10", 4.0), Row("11", "n11", 4.0), Row("15", "n15", 4.0)])
    assert signals.take() == [("data", 8, 9), ("data", 13, 13)]
    model.reset_to(model.rows())
    assert signals.take() == []
    model._ready_at = 0.0
    model.apply([Row("10", "n99")])
    assert signals.take() == [("data", 8, 8), ("layout", 0, 0)]


def test_only_visible_lines_are_signalled(qtbot: QtBot) -> None:
    model = make(*(Row(f"{number:03}", "x") for number in range(100)))
    signals = Signals(model)
    model.set_visible_range(10, 20)
    model.apply([Row(f"{number:03}", "y") for number in range(100)])
    assert signals.take() == [("data", 10, 20)]
    model.apply([Row("005", "z"), Row("099", "z")])
    assert signals.take() == []
    assert model.index(5, 0).data() == "z"
    model.set_visible_range(90, 500)
    model.apply([Row("099", "again"), Row("000", "again")])
    assert signals.take() == [("data", 99, 99)]


def test_a_flood_of_changes_is_put_in_order_now_and_then(qtbot: QtBot) -> None:
    model = make(*(Row(f"{number:03}", "x", float(number)) for number in range(200)))
    model.sort_by("size")
    signals = Signals(model)
    for number in range(200):
        model.apply([Row(f"{number:03}", "x", float(1_000 - number))])
    layouts = [item for item in signals.heard if item[0] == "layout"]
    qtbot.waitUntil(lambda: model.shown_rows()[0].id == "199", timeout=TIMEOUT)
    assert len(layouts) < 20
    assert [row.id for row in model.shown_rows()] == [f"{n:03}" for n in reversed(range(200))]


def test_a_removed_row_can_be_read_until_its_line_is_gone(qtbot: QtBot) -> None:
    model = make(Row("1", "a"), Row("2", "b"))
    model._ready_at = time.monotonic() + 3_600
    model.apply([], ["1"])
    assert texts(model) == ["a", "b"]
    assert model.rows_at([0, 1]) == [Row("1", "a"), Row("2", "b")]
    assert model.row("1") is None
    model._timer.start(1)
    qtbot.waitUntil(lambda: texts(model) == ["b"], timeout=TIMEOUT)
    model._ready_at = 0.0
    model.apply([], ["2"])
    qtbot.waitUntil(lambda: model.rowCount() == 0, timeout=TIMEOUT)
    assert (model.shown, model.total) == (0, 0)


def test_a_row_that_comes_back_at_once_keeps_its_line(qtbot: QtBot) -> None:
    model = make(Row("1", "a"), Row("2", "b"))
    signals = Signals(model)
    model._ready_at = time.monotonic() + 3_600
    model.apply([], ["2"])
    model.apply([Row("2", "c")])
    model._arrange()
    assert texts(model) == ["a", "c"]
    assert [item for item in signals.take() if item[0] != "data"] == []


@pytest.fixture
def selection(qtbot: QtBot) -> tuple[KeyedTableModel[Row], QItemSelectionModel]:
    model = make(*(Row(f"{number:03}", f"{number % 10}", float(number)) for number in range(100)))
    return model, QItemSelectionModel(model)


def select(model: KeyedTableModel[Row], chosen: QItemSelectionModel, *keys: str) -> None:
    ranges = QItemSelection()
    for key in keys:
        line = model.line_of(key)
        ranges.select(model.index(line, 0), model.index(line, 2))
    chosen.select(ranges, QItemSelectionModel.SelectionFlag.ClearAndSelect)


def selected(model: KeyedTableModel[Row], chosen: QItemSelectionModel) -> set[Any]:
    return {model.key_at(index.row()) for index in chosen.selectedRows()}


def test_a_selection_survives_everything(
    selection: tuple[KeyedTableModel[Row], QItemSelectionModel],
) -> None:
    model, chosen = selection
    keys = ["000", "001", "002", "017", "050", "099"]
    select(model, chosen, *keys)
    model.sort_by("name", descending=True)
    assert selected(model, chosen) == set(keys)
    model._ready_at = 0.0
    model.apply([replace(row, name=row.name[::-1] + "x") for row in model.rows()[::3]])
    model._arrange()
    assert selected(model, chosen) == set(keys)
    model._ready_at = 0.0
    model.apply([], ["017", *(f"{number:03}" for number in range(3, 80, 2))])
    model._arrange()
    assert selected(model, chosen) == {"000", "001", "002", "050", "099"}
    model.set_grouping(PROJECTS)
    assert selected(model, chosen) == {"000", "001", "002", "050", "099"}


def test_roles_give_what_is_painted(qtbot: QtBot) -> None:
    row = Row("1", "web", 5.0, "shop")
    model = make(row)
    cell = model.index(0, 1)
    assert cell.data(Role.ROW) is row
    assert cell.data(Role.KEY) == "1"
    assert cell.data(Role.GROUP) is None
    assert cell.data(Role.KIND) is CellKind.NUMBER
    assert cell.data(Role.TONE) == "bad"
    assert cell.data(Role.SERIES) == (1.0, 5.0)
    assert cell.data(Role.FRACTION) == 0.5
    assert cell.data(Role.LINKS) == (Link("open", "http://localhost"),)
    assert cell.data(Role.VALUE) == 5.0
    assert cell.data(Qt.ItemDataRole.ToolTipRole) == "web is large"
    assert cell.data(Qt.ItemDataRole.AccessibleTextRole) == "5 MB"
    assert cell.data(Qt.ItemDataRole.TextAlignmentRole) & Qt.AlignmentFlag.AlignRight
    assert model.index(0, 0).data(Role.TONE) is None
    assert model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole) == "web"
    assert model.headerData(0, Qt.Orientation.Horizontal) == "Name"
    assert model.headerData(0, Qt.Orientation.Vertical) is None
    assert model.data(QModelIndex()) is None


def shop() -> KeyedTableModel[Row]:
    return make(
        Row("1", "web", 1.0, "shop"),
        Row("2", "db", 0.0, "shop"),
        Row("3", "proxy", 2.0),
        Row("4", "site", 3.0, "Blog"),
        grouping=PROJECTS,
    )


def test_rows_stand_under_the_headers_of_their_groups(qtbot: QtBot) -> None:
    model = shop()
    assert texts(model) == ["Blog", "site", "shop", "web", "db", "Others", "proxy"]
    header = model.entry_at(2)
    assert isinstance(header, Group)
    assert model.group_detail(header) == "2 of 1"
    assert model.index(2, 0).data(Role.GROUP) is header
    assert model.index(2, 1).data() is None
    spoken = model.index(2, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Group shop, 2 of 1, expanded"
    model.sort_by("name")
    assert texts(model) == ["Blog", "site", "shop", "db", "web", "Others", "proxy"]


def test_a_chosen_header_stands_for_its_rows(qtbot: QtBot) -> None:
    model = shop()
    assert [row.id for row in model.rows_at([2, 3, 6])] == ["1", "2", "3"]
    model.set_collapsed({"shop"})
    assert texts(model) == ["Blog", "site", "shop", "Others", "proxy"]
    assert [row.id for row in model.rows_at([2])] == ["1", "2"]
    model.set_filter("web")
    assert texts(model) == ["shop", "web"], "what was searched for is not hidden"
    assert [row.id for row in model.rows_at([0])] == ["1"]


def test_groups_are_collapsed_and_expanded(qtbot: QtBot) -> None:
    model = shop()
    told: list[int] = []
    model.groups_changed.connect(lambda: told.append(1))
    group = model.entry_at(0)
    assert isinstance(group, Group)
    model.toggle(group)
    assert texts(model)[:2] == ["Blog", "shop"]
    assert model.collapsed == {"Blog"}
    model.toggle(group)
    assert texts(model)[:2] == ["Blog", "site"]
    assert len(told) == 2


def test_a_header_is_told_when_what_it_says_changes(qtbot: QtBot) -> None:
    model = shop()
    signals = Signals(model)
    model.apply([Row("2", "db", 9.0, "shop")])
    assert signals.take() == [("data", 2, 2), ("data", 4, 4)]
    model.set_collapsed({"shop"})
    signals.take()
    model.apply([Row("2", "db", 10.0, "shop")])
    assert signals.take() == [("data", 2, 2)]
    model._ready_at = 0.0
    model.apply([Row("5", "new", 9.0, "shop")])
    assert any(kind == "data" and first <= 2 <= last for kind, first, last in signals.take())


def test_without_groups_there_are_no_headers(qtbot: QtBot) -> None:
    model = make(Row("1", "a"), Row("2", "b"), grouping=PROJECTS)
    assert texts(model) == ["a", "b"]
    model._ready_at = 0.0
    model.apply([Row("2", "b", None, "shop")])
    assert texts(model) == ["shop", "b", "Others", "a"]


def test_counts_are_told_when_they_change(qtbot: QtBot) -> None:
    model = make()
    told: list[tuple[int, int]] = []
    model.counts_changed.connect(lambda shown, total: told.append((shown, total)))
    model._ready_at = 0.0
    model.reset_to([Row("1", "a"), Row("2", "b")])
    model.set_filter("a")
    model.set_filter("a")
    assert told == [(2, 2), (1, 2)]


def test_search_texts_are_made_ahead(qtbot: QtBot) -> None:
    model = make(*(Row(str(number), f"name {number}") for number in range(3_000)))
    qtbot.waitUntil(lambda: len(model._arrangement._texts) == 3_000, timeout=TIMEOUT)
    model.apply([Row("7", "other")])
    model.set_filter("other")
    assert texts(model) == ["other"]
    model.set_filter("name 2999")
    assert [row.id for row in model.shown_rows()] == ["2999"]


def test_search_texts_of_many_new_rows_are_made_ahead(qtbot: QtBot) -> None:
    model = make()
    model.apply([Row(f"{number:04}", "x") for number in range(1500)])
    assert model._arrangement.unprepared == 1500
    qtbot.waitUntil(lambda: model._arrangement.unprepared == 0, timeout=TIMEOUT)
