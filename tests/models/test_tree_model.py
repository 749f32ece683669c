"""The tree of an inspect: lazy, searchable, and calm when the data is read again."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from dockdesk.models.tree_model import JsonTreeModel, Path, TreeRole, found_in

TIMEOUT = 10_000

INSPECT: dict[str, Any] = {
    "Id": "abc",
    "State": {"Running": True, "Pid": 4711, "Error": None},
    "Mounts": [{"Source": "/data", "RW": True}, {"Source": "/logs", "RW": False}],
    "Args": [],
    "Config": {"Env": ["PATH=/bin", "MODE=fast"], "Labels": {}},
}


def make(value: Any) -> tuple[JsonTreeModel, QAbstractItemModelTester]:
    model = JsonTreeModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    tester.setUseFetchMore(False)  # it would build everything
    model.show_value(value)
    return model, tester


def built(model: JsonTreeModel, parent: QModelIndex | None = None) -> Any:
    """What the model shows below an index, everything fetched, as plain data."""
    index = QModelIndex() if parent is None else parent
    while model.canFetchMore(index):
        model.fetchMore(index)
    kind = "object" if not index.isValid() else index.data(TreeRole.KIND)
    if not index.isValid() and isinstance(model.value, list):
        kind = "array"
    if kind not in {"object", "array"}:
        return index.data(TreeRole.VALUE)
    children = [model.index(row, 0, index) for row in range(model.rowCount(index))]
    if kind == "array":
        return [built(model, child) for child in children]
    return {child.data(): built(model, child) for child in children}


def test_it_shows_names_and_values(qtbot: QtBot) -> None:
    model, _tester = make(INSPECT)
    rows = [
        (model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())
    ]
    assert rows == [
        ("Id", "abc"),
        ("State", "{3}"),
        ("Mounts", "[2]"),
        ("Args", "[]"),
        ("Config", "{2}"),
    ]
    state = model.index(1, 0)
    assert model.hasChildren(state)
    assert not model.hasChildren(model.index(3, 0))
    assert model.rowCount(state) == 0, "nothing is built before somebody looks"
    model.fetchMore(state)
    texts = [model.index(row, 1, state).data() for row in range(3)]
    assert texts == ["true", "4711", "null"]
    kinds = [model.index(row, 1, state).data(TreeRole.KIND) for row in range(3)]
    assert kinds == ["boolean", "number", "null"]
    assert model.headerData(1, Qt.Orientation.Horizontal) == "Value"
    spoken = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Id: abc"


def test_paths_lead_to_nodes_and_back(qtbot: QtBot) -> None:
    model, _tester = make(INSPECT)
    path: Path = ("Mounts", 1, "Source")
    index = model.index_of(path, 1)
    assert index.data() == "/logs"
    assert model.path_of(index) == path
    assert index.data(TreeRole.PATH) == path
    assert model.value_of(index.parent()) == {"Source": "/logs", "RW": False}
    assert not model.index_of(("Mounts", 2)).isValid()
    assert not model.index_of(("Nothing",)).isValid()
    assert not model.index_of(("Id", "x")).isValid()
    assert not model.index_of(()).isValid()


def test_long_lists_come_in_pieces(qtbot: QtBot) -> None:
    model, _tester = make({"Layers": list(range(1_000))})
    layers = model.index(0, 0)
    model.fetchMore(layers)
    assert model.rowCount(layers) == 200
    assert model.canFetchMore(layers)
    assert model.index_of(("Layers", 777), 1).data() == "777"
    assert model.rowCount(layers) == 800


def test_long_values_are_cut(qtbot: QtBot) -> None:
    model, _tester = make({"text": "x" * 1_000_000})
    assert len(model.index(0, 1).data()) == 2_000
    assert len(model.index(0, 1).data(TreeRole.VALUE)) == 1_000_000


def search(model: JsonTreeModel, qtbot: QtBot, text: str) -> list[Path]:
    with qtbot.waitSignal(model.search_ended, timeout=TIMEOUT):
        model.search(text)
    return model.matches


def test_search_finds_names_and_values_anywhere(qtbot: QtBot) -> None:
    model, _tester = make(INSPECT)
    assert search(model, qtbot, "SOURCE") == [("Mounts", 0, "Source"), ("Mounts", 1, "Source")]
    assert search(model, qtbot, "fast") == [("Config", "Env", 1)]
    assert search(model, qtbot, "null") == [("State", "Error")]
    found = model.index_of(("State", "Error"))
    assert found.data(TreeRole.MATCH)
    assert not model.index_of(("State", "Pid")).data(TreeRole.MATCH)
    told: list[int] = []
    model.matches_changed.connect(told.append)
    assert search(model, qtbot, "") == []
    assert told == [0]
    assert not found.data(TreeRole.MATCH)


def test_search_of_much_data_does_not_hold_up_the_window(qtbot: QtBot) -> None:
    model, _tester = make({"list": [{"name": f"item {number}"} for number in range(30_000)]})
    told: list[int] = []
    model.matches_changed.connect(told.append)
    model.search("item")
    assert told == []
    qtbot.waitSignal(model.search_ended, timeout=30_000).wait()
    assert len(model.matches) == 10_000
    assert told == sorted(told)
    model.search("item 29999")
    model.search("item 12345")  # the newer one counts
    qtbot.waitUntil(lambda: model.matches == [("list", 12_345, "name")], timeout=30_000)


def test_newer_data_of_the_same_shape_keeps_the_nodes(qtbot: QtBot) -> None:
    model, _tester = make(INSPECT)
    pid = QPersistentModelIndex(model.index_of(("State", "Pid"), 1))
    source = QPersistentModelIndex(model.index_of(("Mounts", 1, "Source"), 1))
    changed: list[Path] = []
    model.dataChanged.connect(lambda a, _b: changed.append(model.path_of(a)))
    newer = {**INSPECT, "State": {"Running": True, "Pid": 12, "Error": None}}
    newer["Mounts"] = [*INSPECT["Mounts"], {"Source": "/new"}]
    newer["Extra"] = 1
    model.show_value(newer)
    assert pid.isValid()
    assert pid.data() == "12"
    assert source.isValid()
    assert ("State", "Pid") in changed
    assert ("Id",) not in changed
    assert built(model) == newer


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
trees = st.dictionaries(st.sampled_from("abcdef"), values, max_size=5)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(trees, min_size=1, max_size=4))
def test_whatever_was_shown_before_the_tree_is_that_of_the_data(
    qapp: Any, shown: list[dict[str, Any]]
) -> None:
    model, _tester = make(shown[0])
    for value in shown[1:]:
        built(model)
        model.show_value(value)
        assert built(model) == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees, trees)
def test_nodes_that_nobody_looked_at_follow_too(
    qapp: Any, first: dict[str, Any], second: dict[str, Any]
) -> None:
    model, _tester = make(first)
    model.show_value(second)
    assert built(model) == second


@given(trees, st.sampled_from(["a", "B", "1", "true", ""]))
def test_search_finds_exactly_what_holds_the_text(value: dict[str, Any], text: str) -> None:
    def expected(path: Path, current: Any) -> list[Path]:
        found: list[Path] = []
        items: Any = ()
        if isinstance(current, dict):
            items = current.items()
        elif isinstance(current, list):
            items = enumerate(current)
        if path:
            words = {True: "true", False: "false", None: "null"}
            scalar = not isinstance(current, (dict, list))
            shown = (
                words[current]
                if scalar and (current is None or isinstance(current, bool))
                else str(current)
            )
            if not scalar and not current:
                shown = "{}" if isinstance(current, dict) else "[]"
            named = isinstance(path[-1], str) and text.casefold() in path[-1].casefold()
            if named or ((scalar or not current) and text.casefold() in shown.casefold()):
                found.append(path)
        for key, item in items:
            found += expected((*path, key), item)
        return found

    assert [path for path in found_in(value, text) if path is not None] == expected((), value)
