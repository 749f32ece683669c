"""Inspecting a value: as a tree, as JSON, searched, and with its secrets masked until they are asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.masking import MASK
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.inspect import InspectTree
from dockdesk.ui.widgets.inspect.items import (
    Item,
    count_matches,
    json_text,
    make_items,
    prune,
)
from dockdesk.ui.widgets.inspect.model import KEY, VALUE
from dockdesk.ui.widgets.text_view import TextView, chunks

VALUE_OF_WEB: dict[str, Any] = {
    "Id": "4f5e",
    "State": {"Pid": 42, "Running": True, "Health": None, "Log": [{"Output": "<b>ok</b>\n"}]},
    "Config": {
        "Env": ["PATH=/usr/bin", "DB_PASSWORD=hunter2", "URL=https://u:pw@host/x", "odd"],
        "Labels": {"com.example/token": "s3cret", "tier": "front"},
    },
    "Mounts": [],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=20,
)


def by_path(root: Item) -> dict[str, Item]:
    return {item.path: item for item in root.walk()}


def test_paths_are_those_of_jq() -> None:
    found = by_path(make_items(VALUE_OF_WEB))
    assert found[".State.Log[0].Output"].text == "<b>ok</b>\n"
    assert found['.Config.Labels["com.example/token"]'].text == "s3cret"
    assert found[".State.Running"].shown(False) == "true"
    assert found[".State.Health"].shown(False) == "null"
    assert found[".State"].shown(False) == "{4}"
    assert found[".Mounts"].shown(False) == "[]"
    assert by_path(make_items([1]))[".[0]"].value == 1


def test_secrets_are_masked_wherever_they_stand() -> None:
    root = make_items(VALUE_OF_WEB)
    text = json_text(root, reveal=False)
    for secret in ("hunter2", "s3cret", ":pw@"):
        assert secret not in text
        assert not any(secret in item.shown(False) for item in root.walk())
    assert f"DB_PASSWORD={MASK}" in text
    assert "PATH=/usr/bin" in text
    assert json.loads(json_text(root, reveal=True)) == VALUE_OF_WEB


@given(JSON)
def test_any_value_survives_its_way_through_the_tree(value: Any) -> None:
    assert json.loads(json_text(make_items(value), reveal=True)) == value


@given(JSON, st.text(min_size=1, max_size=3))
def test_what_is_kept_matches_and_nothing_that_matches_is_lost(value: Any, needle: str) -> None:
    root = make_items(value)
    kept = prune(root, needle, reveal=True)
    matches = count_matches(root, needle, reveal=True)
    assert (kept is None) == (matches == 0)
    if kept is not None:
        assert count_matches(kept, needle, reveal=True) == matches


def test_a_masked_secret_cannot_be_found_by_guessing() -> None:
    root = make_items(VALUE_OF_WEB)
    assert prune(root, "hunter", reveal=False) is None
    assert count_matches(root, "hunter", reveal=False) == 0
    assert count_matches(root, "hunter", reveal=True) == 1


@pytest.fixture
def inspect(qtbot: QtBot, theme: Theme, jobs: Jobs) -> InspectTree:
    made = InspectTree(theme, jobs)
    qtbot.addWidget(made)
    made.resize(800, 500)
    made.show()
    return made


def rows(inspect: InspectTree, parent: QModelIndex | None = None) -> list[tuple[str, str]]:
    """Keys and values of all unfolded rows."""
    found: list[tuple[str, str]] = []
    top = parent or QModelIndex()
    for row in range(inspect.model.rowCount(top)):
        index = inspect.model.index(row, KEY, top)
        found.append((index.data(), inspect.model.index(row, VALUE, top).data()))
        if inspect.tree.isExpanded(index):
            found += rows(inspect, index)
    return found


def find(inspect: InspectTree, *keys: str) -> QModelIndex:
    index = QModelIndex()
    for key in keys:
        index = next(
            inspect.model.index(row, KEY, index)
            for row in range(inspect.model.rowCount(index))
            if inspect.model.index(row, KEY, index).data() == key
        )
    return index


TOP = [("Id", "4f5e"), ("State", "{4}"), ("Config", "{2}"), ("Mounts", "[]")]


def test_the_tree_keeps_its_shape_when_values_change(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.tree.expand(find(inspect, "State"))
    inspect.tree.setCurrentIndex(find(inspect, "State", "Pid"))
    changed = {**VALUE_OF_WEB, "State": {**VALUE_OF_WEB["State"], "Pid": 43}}
    inspect.set_value(changed, "web")
    qtbot.waitUntil(lambda: ("Pid", "43") in rows(inspect), timeout=10_000)
    assert inspect.tree.currentIndex().data() == "Pid"
    inspect.set_value({"Id": "other"}, "db")
    qtbot.waitUntil(lambda: rows(inspect) == [("Id", "other")], timeout=10_000)
    inspect.set_value(changed, "web")
    qtbot.waitUntil(lambda: ("Pid", "43") in rows(inspect), timeout=10_000)


def test_searching_shows_what_matches_and_then_all_again(
    qtbot: QtBot, inspect: InspectTree
) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.search.setText("output")
    expected = [("State", "{4}"), ("Log", "[1]"), ("0", "{1}"), ("Output", "<b>ok</b>⏎")]
    qtbot.waitUntil(lambda: rows(inspect) == expected, timeout=10_000)
    assert inspect.matches.text() == "1 match"
    inspect.search.setText("no such word")
    qtbot.waitUntil(lambda: inspect.state.isVisibleTo(inspect), timeout=10_000)
    inspect.search.clear()
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    assert inspect.matches.text() == ""


def test_json_follows_the_search_and_the_mask(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    inspect.mode.set_current("json")
    qtbot.waitUntil(lambda: "DB_PASSWORD" in inspect.text.toPlainText(), timeout=10_000)
    assert "hunter2" not in inspect.text.toPlainText()
    inspect.eye.click()
    qtbot.waitUntil(lambda: "hunter2" in inspect.text.toPlainText(), timeout=10_000)
    inspect.search.setText("tier")
    qtbot.waitUntil(
        lambda: inspect.text.toPlainText().split() == json.dumps(
            {"Config": {"Labels": {"tier": "front"}}}, indent=2
        ).split(),
        timeout=10_000,
    )  # fmt: skip
    inspect.set_value({"Password": "hunter3"}, "another")
    inspect.search.clear()
    qtbot.waitUntil(lambda: MASK in inspect.text.toPlainText(), timeout=10_000)
    assert not inspect.eye.isChecked(), "another resource begins masked"


def test_one_secret_is_shown_alone(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.tree.expandAll()
    assert ("1", f"DB_PASSWORD={MASK}") in rows(inspect)
    inspect.model.reveal(QPersistentModelIndex(find(inspect, "Config", "Env", "1")))
    assert ("1", "DB_PASSWORD=hunter2") in rows(inspect)
    assert ("com.example/token", MASK) in rows(inspect)
    gone = QPersistentModelIndex(find(inspect, "Config", "Env", "0"))
    inspect.set_value({"Id": "x"}, "other")
    inspect.model.reveal(gone)


def test_values_paths_and_parts_are_copied(qtbot: QtBot, inspect: InspectTree) -> None:
    clipboard = QGuiApplication.clipboard()
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.tree.setCurrentIndex(find(inspect, "Config", "Env", "1"))
    inspect._on_copy_asked()
    assert clipboard.text() == "DB_PASSWORD=hunter2", "copying is asking"
    with qtbot.waitSignal(inspect.copied, timeout=10_000):
        inspect.tree.setCurrentIndex(find(inspect, "State"))
        inspect._on_copy_asked()
    assert json.loads(clipboard.text()) == VALUE_OF_WEB["State"]
    with qtbot.waitSignal(inspect.copied, timeout=10_000):
        inspect.copy.click()
    assert "hunter2" not in clipboard.text(), "the whole is copied as it is shown"


def test_a_large_value_is_shown(qtbot: QtBot, inspect: InspectTree) -> None:
    large = {f"key{number}": {"value": "x" * 50, "n": number} for number in range(5000)}
    inspect.set_value(large, "large")
    qtbot.waitUntil(lambda: inspect.model.rowCount() == 5000, timeout=10_000)
    inspect.mode.set_current("json")
    with qtbot.waitSignal(inspect.text.shown, timeout=30_000):
        pass
    assert json.loads(inspect.text.toPlainText()) == large


def test_hostile_text_stays_plain(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value({"<b>k</b>": "a\u202eb\x1b[31m", "Id": "x"}, "web")
    qtbot.waitUntil(lambda: len(rows(inspect)) == 2, timeout=10_000)
    assert rows(inspect)[0] == ("<b>k</b>", "a\ufffdb\ufffd[31m")
    tip = inspect.model.data(inspect.model.index(0, VALUE), Qt.ItemDataRole.ToolTipRole)
    assert "\u202e" not in tip


@given(st.text(alphabet="ab\n", max_size=2000))
def test_chunks_are_the_text(text: str) -> None:
    pieces = list(chunks(text))
    assert "".join(pieces) == text
    assert all(piece.count("\n") <= 300 for piece in pieces)


def test_a_text_that_is_replaced_while_it_comes_in(qtbot: QtBot, theme: Theme) -> None:
    view = TextView(theme)
    qtbot.addWidget(view)
    view.set_text("old line\n" * 5000)
    with qtbot.waitSignal(view.shown, timeout=10_000):
        view.set_text("new line\n" * 2000)
    assert view.toPlainText() == "new line\n" * 2000
    view.set_text("")
    assert view.toPlainText() == ""
    qtbot.waitUntil(lambda: view.text() == "", timeout=10_000)
