"""Inspecting a value: as a tree, as JSON, searched, and with its secrets masked until they are asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.masking import MASK
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.inspect import InspectTree
from dockdesk.ui.widgets.inspect.masked import json_text, masked, path_text, value_at
from dockdesk.ui.widgets.text_view import TextView, chunks, find_all

KEY, VALUE = 0, 1

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


def test_paths_are_those_of_jq() -> None:
    assert path_text(("State", "Log", 0, "Output")) == ".State.Log[0].Output"
    assert path_text(("Labels", "com.example/a")) == '.Labels["com.example/a"]'
    assert path_text((0, "x")) == ".[0].x"
    assert path_text(("a b",)) == '.["a b"]'
    assert path_text(()) == "."


def test_secrets_are_masked_wherever_they_stand() -> None:
    text = json_text(masked(VALUE_OF_WEB))
    for secret in ("hunter2", "s3cret", ":pw@"):
        assert secret not in text
    assert f"DB_PASSWORD={MASK}" in text
    for plain in ("PATH=/usr/bin", "front", '"odd"', "4f5e"):
        assert plain in text
    one = masked(VALUE_OF_WEB, {("Config", "Env", 1)})
    assert one["Config"]["Env"][1] == "DB_PASSWORD=hunter2"
    assert "s3cret" not in json_text(one)


@given(JSON)
def test_masking_changes_only_secrets(value: Any) -> None:
    seen = masked(value)
    assert MASK in json_text(seen) or seen == value


def test_what_stands_at_a_path() -> None:
    assert value_at(VALUE_OF_WEB, ("State", "Log", 0, "Output")) == "<b>ok</b>\n"
    assert value_at(VALUE_OF_WEB, ("State", "gone", "deeper")) is None
    assert value_at(VALUE_OF_WEB, ("Mounts", 4)) is None
    assert value_at(VALUE_OF_WEB, ("Id", "x")) is None


@given(st.text(alphabet="aA😀\n", max_size=60), st.text(alphabet="aA😀", min_size=1, max_size=2))
def test_places_are_counted_as_documents_count(text: str, needle: str) -> None:
    wide = text.encode("utf-16-le")
    for start, end in find_all(text, needle):
        assert wide[2 * start : 2 * end].decode("utf-16-le").casefold() == needle.casefold()
    assert bool(find_all(text, needle)) == (needle.casefold() in text.casefold())


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


def find(inspect: InspectTree, *path: str | int) -> QModelIndex:
    index = inspect.model.index_of(path)
    assert index.isValid()
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


def test_searching_leads_from_place_to_place(qtbot: QtBot, inspect: InspectTree) -> None:
    def here() -> str:
        return path_text(inspect.model.path_of(inspect.tree.currentIndex()))

    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    assert not inspect.matches.isVisibleTo(inspect)
    inspect.search.setText("ou")
    qtbot.waitUntil(lambda: inspect.matches.text() == "1 of 2", timeout=10_000)
    assert here() == ".State.Log[0].Output"
    qtbot.keyClick(inspect.search, Qt.Key.Key_Return)
    assert here() == ".Mounts"
    assert inspect.matches.text() == "2 of 2"
    inspect.next.click()
    assert here() == ".State.Log[0].Output", "around the end"
    inspect.previous.click()
    assert here() == ".Mounts"
    found = inspect.model.data(find(inspect, "Mounts"), Qt.ItemDataRole.BackgroundRole)
    assert found is not None
    inspect.search.setText("no such word")
    qtbot.waitUntil(lambda: inspect.matches.text() == "no match", timeout=10_000)
    inspect.search.clear()
    qtbot.waitUntil(lambda: not inspect.matches.isVisibleTo(inspect), timeout=10_000)


def test_a_masked_secret_cannot_be_found_by_guessing(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.search.setText("hunter")
    qtbot.waitUntil(lambda: inspect.matches.text() == "no match", timeout=10_000)
    inspect.eye.click()
    qtbot.waitUntil(lambda: inspect.matches.text() == "1 of 1", timeout=10_000)


def test_json_is_searched_and_masked_too(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    inspect.mode.set_current("json")
    qtbot.waitUntil(lambda: "DB_PASSWORD" in inspect.text.toPlainText(), timeout=10_000)
    assert "hunter2" not in inspect.text.toPlainText()
    inspect.search.setText("TIER")
    qtbot.waitUntil(lambda: inspect.text.textCursor().selectedText() == "tier", timeout=10_000)
    assert inspect.matches.text() == "1 of 1"
    inspect.eye.click()
    qtbot.waitUntil(lambda: "hunter2" in inspect.text.toPlainText(), timeout=10_000)
    inspect.set_value({"Password": "hunter3"}, "another")
    qtbot.waitUntil(lambda: MASK in inspect.text.toPlainText(), timeout=10_000)
    assert not inspect.eye.isChecked(), "another resource begins masked"


def test_one_secret_is_shown_alone(qtbot: QtBot, inspect: InspectTree) -> None:
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.unfold.click()
    assert ("1", f"DB_PASSWORD={MASK}") in rows(inspect)
    inspect.reveal(("Config", "Env", 1))
    qtbot.waitUntil(lambda: ("1", "DB_PASSWORD=hunter2") in rows(inspect), timeout=10_000)
    assert ("com.example/token", MASK) in rows(inspect)
    changed = {**VALUE_OF_WEB, "Id": "newer"}
    inspect.set_value(changed, "web")
    qtbot.waitUntil(lambda: ("Id", "newer") in rows(inspect), timeout=10_000)
    assert ("1", "DB_PASSWORD=hunter2") in rows(inspect), "newer data masks nothing again"
    inspect.eye.click()
    inspect.eye.click()
    qtbot.waitUntil(lambda: ("1", f"DB_PASSWORD={MASK}") in rows(inspect), timeout=10_000)


def test_values_paths_and_parts_are_copied(qtbot: QtBot, inspect: InspectTree) -> None:
    clipboard = QGuiApplication.clipboard()
    inspect.set_value(VALUE_OF_WEB, "web")
    qtbot.waitUntil(lambda: rows(inspect) == TOP, timeout=10_000)
    inspect.tree.setCurrentIndex(find(inspect, "Config", "Env", 1))
    inspect._on_copy_asked()
    assert clipboard.text() == "DB_PASSWORD=hunter2", "copying is asking"
    with qtbot.waitSignal(inspect.copied, timeout=10_000):
        inspect.tree.setCurrentIndex(find(inspect, "State"))
        inspect._on_copy_asked()
    assert json.loads(clipboard.text()) == VALUE_OF_WEB["State"]
    with qtbot.waitSignal(inspect.copied, timeout=10_000):
        inspect.copy.click()
    assert "hunter2" not in clipboard.text(), "the whole is copied as it is shown"
    assert json.loads(clipboard.text()) == masked(VALUE_OF_WEB)


def test_a_large_value_is_shown(qtbot: QtBot, inspect: InspectTree) -> None:
    large = {f"key{number}": {"value": "x" * 50, "n": number} for number in range(5000)}
    inspect.set_value(large, "large")
    qtbot.waitUntil(lambda: inspect.model.value == large, timeout=10_000)
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


def test_passwords_in_commands_are_masked() -> None:
    value = {
        "Config": {"Cmd": ["redis-server", "--requirepass", "hunter2"], "Names": ["pass", "x"]}
    }
    shown = masked(value)
    assert shown["Config"]["Cmd"] == ["redis-server", "--requirepass", MASK]
    assert shown["Config"]["Names"] == ["pass", "x"]
    assert masked(value, {("Config", "Cmd", 2)}) == value
