"""Finding, replacing, and going to places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.work import SilentWork
from dockdesk.ui.widgets.editor import EditorView, PlainLanguage
from dockdesk.ui.widgets.editor.brackets import matching
from dockdesk.ui.widgets.editor.finder import Search, find_all, replace_all
from dockdesk.ui.widgets.editor.snippets import indented
from dockdesk.ui.widgets.editor.units import UnitMap, to_points, to_units, units

CTRL = Qt.KeyboardModifier.ControlModifier


def found(text: str, search: Search) -> list[str]:
    raw = text.encode("utf-16-le")
    spans = find_all(text, search, SilentWork()).spans
    return [raw[2 * start : 2 * end].decode("utf-16-le") for start, end in spans]


def test_hits_are_in_the_units_of_the_text_area() -> None:
    assert found("🐋 a 🐋 A", Search("a")) == ["a", "A"]
    assert found("🐋 a 🐋 A", Search("a", case=True)) == ["a"]
    assert found("cat concat cat", Search("cat", word=True)) == ["cat", "cat"]
    assert found("a.b axb", Search("a.b")) == ["a.b"]
    assert found("a.b axb", Search("a.b", expression=True)) == ["a.b", "axb"]
    assert found("x\ny", Search("^", expression=True)) == []


def test_what_is_no_expression_or_never_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError):
        find_all("a", Search("(", expression=True), SilentWork())
    monkeypatch.setattr("dockdesk.ui.widgets.editor.finder.SECONDS", 0.05)
    with pytest.raises(InvalidInputError):
        find_all("a" * 4000 + "b", Search("(a|aa)+$", expression=True), SilentWork())


def test_replacing_uses_groups_only_in_expressions() -> None:
    assert replace_all("ab ab", Search("(a)(b)", expression=True), r"\2\1").text == "ba ba"
    assert replace_all("ab", Search("ab"), r"\1").text == r"\1"
    one = replace_all("🐋ab ab", Search("ab"), "x", (2, 4))
    assert (one.text, one.count) == ("🐋x ab", 1)
    with pytest.raises(InvalidInputError) as caught:
        replace_all("ab", Search("a", expression=True), r"\7")
    assert caught.value.field == "replace"


def test_units_and_points() -> None:
    assert units("a🐋") == 3
    assert [to_units("a🐋b", n) for n in range(5)] == [0, 1, 3, 4, 4]
    assert [to_points("a🐋b", n) for n in range(5)] == [0, 1, 1, 2, 3]
    mapped = UnitMap("🐋a🐋")
    assert [mapped.units(n) for n in range(4)] == [0, 2, 3, 5]


def test_snippets_have_their_stops() -> None:
    text, stops = indented("FROM image\nAS name\n", ((5, 10), (14, 18)), "  ")
    assert text == "FROM image\n  AS name\n  "
    assert [text[start:end] for start, end in stops] == ["image", "name", ""]


def test_brackets_match_by_nesting() -> None:
    assert matching("a(b(c)d)", 1) == 7
    assert matching("a(b(c)d)", 5) == 3
    assert matching("a(b", 1) is None
    assert matching("ab", 0) is None


@pytest.fixture
def view(theme: Any, jobs: Any, qtbot: Any) -> EditorView:
    made = EditorView(theme, jobs, PlainLanguage("#"))
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    made.editor.setFocus()
    qtbot.waitUntil(lambda: made.editor.hasFocus(), timeout=10_000)
    return made


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    return lambda condition: qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)


def test_the_bar_finds_counts_and_replaces(
    view: EditorView, until: Callable[[Callable[[], object]], None]
) -> None:
    editor, bar = view.editor, view.find_bar
    editor.set_text("one two\n🐋 one\nONE")
    QTest.keyClick(editor, Qt.Key.Key_H, CTRL)
    assert bar.isVisible()
    QTest.keyClicks(bar.field, "one")
    until(lambda: bar.count.text() == "1 of 3")
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert editor.textCursor().selectedText() == "one"
    assert editor.cursor_place()[0] == 1
    QTest.keyClick(bar.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert editor.cursor_place()[0] == 0
    bar.case.click()
    until(lambda: bar.count.text() == "1 of 2")
    bar.replacement.setText("1")
    bar.replace_every.click()
    until(lambda: editor.text() == "1 two\n🐋 1\nONE")
    editor.undo()
    assert editor.text() == "one two\n🐋 one\nONE"
    bar.expression.click()
    bar.field.setText("(")
    until(lambda: bar.field.property("invalid"))
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert editor.hasFocus()


def test_one_hit_after_the_other_is_replaced(
    view: EditorView, until: Callable[[Callable[[], object]], None]
) -> None:
    editor, bar = view.editor, view.find_bar
    editor.set_text("a b a b a")
    view.do("replace")
    bar.field.setText("a")
    until(lambda: bar.count.text() == "1 of 3")
    bar.replacement.setText("xa")
    for text in ("xa b a b a", "xa b xa b a", "xa b xa b xa"):
        bar.replace_one.click()
        until(lambda text=text: editor.text() == text)
        until(lambda: not editor.jobs.busy())


def test_lines_are_gone_to_by_number(view: EditorView) -> None:
    editor = view.editor
    editor.set_text("\n".join(f"line {n}" for n in range(1, 101)))
    QTest.keyClick(editor, Qt.Key.Key_G, CTRL)
    field = view.go_to_box._field
    assert field.isVisible()
    QTest.keyClicks(field, "42:3")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert editor.cursor_place() == (41, 2)
    assert not view.go_to_box.isVisible()
