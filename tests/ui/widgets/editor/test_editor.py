"""The editor under the hands of a user: typing, keys, findings, completion, undo."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from dockdesk.ui.widgets.editor import (
    Candidate,
    Candidates,
    Card,
    CodeEditor,
    EditorView,
    MarginCell,
    Place,
    PlainLanguage,
)
from dockdesk.ui.widgets.editor.changes import change_between
from dockdesk.ui.widgets.editor.go_to import GoTo
from dockdesk.ui.widgets.editor.language import Stretch, TextChange
from dockdesk.ui.widgets.editor.popup import CompletionPopup
from dockdesk.ui.widgets.editor.remedies import fill_menu

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@dataclass
class Finding:
    line: int
    column: int
    end_line: int
    end_column: int
    code: str = "X1"
    tone: Any = "warn"
    message: str = "<b>Not</b> good"
    why: str = "Because."
    source: str = "test"
    url: str = ""
    fixes: Sequence[Any] = ()


@dataclass
class Mend:
    title: str
    edits: Sequence[TextChange]


class Letters(PlainLanguage):
    """Quotes open a string that goes on over lines; words can be completed and explained."""

    triggers = " ="

    def __init__(self) -> None:
        super().__init__("#")
        self.scanned = 0

    def scan_line(self, line: str, state: Hashable) -> tuple[Sequence[Stretch], Hashable]:
        self.scanned += 1
        odd = line.count('"') % 2 == 1
        inside = bool(state)
        ends = inside != odd
        kind = "string" if inside or odd else "keyword"
        return (Stretch(0, len(line), kind),), ends

    def complete(self, text: str, line: int, column: int) -> Candidates:
        row = text.split("\n")[line]
        start = column
        while start and not row[start - 1].isspace():
            start -= 1
        items = (
            Candidate("COPY", "COPY from to", "instruction", stops=((5, 9), (10, 12))),
            Candidate("COMMAND", "COMMAND", "instruction", "does things", "All about it."),
            Candidate("🐋", "🐋"),
        )
        return Candidates(items, start, column)

    def explain(self, text: str, line: int, column: int) -> Card | None:
        return Card(f"Line {line}", "A = B", "What it <i>is</i>", (("Cache", "None."),))

    def format(self, text: str) -> str:
        return "\n".join(line.rstrip() for line in text.split("\n"))


@pytest.fixture
def view(theme: Any, jobs: Any, qtbot: Any) -> Iterator[EditorView]:
    made = EditorView(theme, jobs, Letters())
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    made.editor.setFocus()
    qtbot.waitUntil(lambda: made.editor.hasFocus(), timeout=10_000)
    yield made
    made.editor.hover.hide()
    made.editor.completer.close()


@pytest.fixture
def editor(view: EditorView) -> CodeEditor:
    return view.editor


@pytest.fixture
def until(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    return lambda condition: qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)


def press(editor: CodeEditor, key: Qt.Key, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(editor, key, modifiers)


def kinds(editor: CodeEditor, line: int) -> list[int]:
    layout = editor.document().findBlockByNumber(line).layout()
    return [item.format.foreground().color().rgb() for item in layout.formats()]


# Text in and out.


@pytest.mark.parametrize(
    "text", ["", "a", "a\n", "\n\n", "a\u00a0b", "\u2028x", "🐋 = 🐳\n", "tab\there"]
)
def test_text_comes_out_as_it_went_in(editor: CodeEditor, text: str) -> None:
    editor.set_text(text)
    assert editor.text() == text
    assert not editor.document().isModified()


def test_a_text_goes_in_piece_by_piece(editor: CodeEditor, qtbot: Any) -> None:
    text = "".join(f"RUN echo {number} 🐋\u00a0x\n" for number in range(3000)) + "end"
    done: list[bool] = []
    editor.fill(text, lambda: done.append(True))
    assert editor.text() == ""
    qtbot.waitUntil(lambda: bool(done), timeout=10_000)
    assert editor.text() == text
    assert editor.cursor_place() == (0, 0)
    assert not editor.document().isModified()
    assert not editor.document().isUndoAvailable()
    editor.insertPlainText("#")
    assert editor.document().isModified()
    editor.undo()
    assert editor.text() == text
    qtbot.waitUntil(lambda: not editor.highlighter.busy, timeout=10_000)


def test_places_are_code_points(editor: CodeEditor) -> None:
    editor.set_text("🐋🐋x\ny")
    editor.go_to(0, 2)
    assert editor.textCursor().position() == 4
    assert editor.cursor_place() == (0, 2)
    editor.apply((TextChange(0, 1, 0, 2, "-"), TextChange(1, 0, 1, 1, "🐳")))
    assert editor.text() == "🐋-x\n🐳"
    editor.undo()
    assert editor.text() == "🐋🐋x\ny"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc", "a\nB\nc"),
        ("a\nb", "a\nb\nc"),
        ("a\nb\nc", "a\nb"),
        ("a\nb\nc", "a\nc"),
        ("a\nc", "a\nb\nc"),
        ("b", "a\nb"),
        ("a\nb", "b"),
        ("", "a\nb"),
        ("a\nb", ""),
        ("a\na\na", "a\na"),
        ("🐋\nb", "🐋x\nb"),
    ],
)
def test_a_changed_text_is_one_step_of_undo(editor: CodeEditor, before: str, after: str) -> None:
    editor.set_text(before)
    editor.replace_text(after)
    assert editor.text() == after
    editor.undo()
    assert editor.text() == before
    assert not editor.document().isUndoAvailable()


def test_the_same_text_is_no_change() -> None:
    assert change_between("a\nb", "a\nb") is None


# Colours.


def test_a_change_recolours_as_far_as_it_reaches(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    language = editor.language
    assert isinstance(language, Letters)
    editor.set_text("\n".join(["word"] * 300))
    until(lambda: not editor.highlighter.busy)
    plain = kinds(editor, 299)
    language.scanned = 0
    editor.go_to(10)
    QTest.keyClicks(editor, "x")
    until(lambda: not editor.highlighter.busy)
    assert language.scanned < 5
    editor.go_to(10)
    QTest.keyClicks(editor, '"')
    until(lambda: not editor.highlighter.busy)
    assert kinds(editor, 299) != plain
    editor.undo()
    until(lambda: not editor.highlighter.busy and kinds(editor, 299) == plain)


def test_another_theme_recolours(
    editor: CodeEditor, theme: Any, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("word")
    until(lambda: not editor.highlighter.busy)
    light = kinds(editor, 0)
    theme.set_mode("dark")
    until(lambda: kinds(editor, 0) not in ([], light))


# Lines.


def test_lines_are_duplicated_moved_and_deleted(editor: CodeEditor) -> None:
    editor.set_text("one\ntwo 🐋\nthree")
    editor.go_to(1, 2)
    press(editor, Qt.Key.Key_D, CTRL)
    assert editor.text() == "one\ntwo 🐋\ntwo 🐋\nthree"
    press(editor, Qt.Key.Key_Down, ALT)
    assert editor.text() == "one\ntwo 🐋\nthree\ntwo 🐋"
    assert editor.cursor_place() == (3, 2)
    press(editor, Qt.Key.Key_Up, ALT)
    press(editor, Qt.Key.Key_Up, ALT)
    assert editor.text() == "one\ntwo 🐋\ntwo 🐋\nthree"
    assert editor.cursor_place() == (1, 2)
    press(editor, Qt.Key.Key_K, CTRL | SHIFT)
    assert editor.text() == "one\ntwo 🐋\nthree"
    editor.go_to(2)
    press(editor, Qt.Key.Key_K, CTRL | SHIFT)
    assert editor.text() == "one\ntwo 🐋"
    for _ in range(6):
        editor.undo()
    assert editor.text() == "one\ntwo 🐋\nthree"


def test_indentation_is_kept_and_changed_by_keys(editor: CodeEditor) -> None:
    editor.set_text("RUN a \\")
    editor.go_to(0, 7)
    press(editor, Qt.Key.Key_Return)
    QTest.keyClicks(editor, "b")
    press(editor, Qt.Key.Key_Return)
    assert editor.text() == "RUN a \\\n    b\n    "
    press(editor, Qt.Key.Key_Backspace)
    assert editor.text() == "RUN a \\\n    b\n"
    editor.go_to(0, 0, (1, 5))
    press(editor, Qt.Key.Key_Tab)
    assert editor.text() == "    RUN a \\\n        b\n"
    press(editor, Qt.Key.Key_Backtab, SHIFT)
    assert editor.text() == "RUN a \\\n    b\n"


def test_comments_are_toggled(editor: CodeEditor) -> None:
    editor.set_text("a\n\n  b\nc")
    editor.go_to(0, 0, (3, 0))
    press(editor, Qt.Key.Key_Slash, CTRL)
    assert editor.text() == "# a\n\n#   b\nc"
    press(editor, Qt.Key.Key_Slash, CTRL)
    assert editor.text() == "a\n\n  b\nc"


def test_formatting_keeps_the_place(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("a   \nb \nc")
    editor.go_to(2, 1)
    press(editor, Qt.Key.Key_F, ALT | SHIFT)
    until(lambda: editor.text() == "a\nb\nc")
    assert editor.cursor_place() == (2, 1)


def test_home_goes_to_the_first_word_first(editor: CodeEditor) -> None:
    editor.set_text("  ab")
    editor.go_to(0, 4)
    press(editor, Qt.Key.Key_Home)
    assert editor.cursor_place() == (0, 2)
    press(editor, Qt.Key.Key_Home)
    assert editor.cursor_place() == (0, 0)


def test_matching_brackets_are_shown(editor: CodeEditor) -> None:
    editor.set_text("🐋 ([x])")
    before = len(editor.extraSelections())
    editor.go_to(0, 2)
    shown = editor.extraSelections()
    assert len(shown) == before + 2
    assert [item.cursor.selectedText() for item in shown[-2:]] == ["(", ")"]
    editor.go_to(0, 0)
    assert len(editor.extraSelections()) == before


# Findings.


def test_findings_move_with_the_text_and_are_mended(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("one\nbad word\nthree")
    mend = Mend("Say good", (TextChange(1, 0, 1, 3, "good"),))
    editor.set_marks([Finding(1, 0, 1, 3, fixes=(mend,))])
    editor.go_to(0, 0)
    press(editor, Qt.Key.Key_F8)
    assert editor.cursor_place() == (1, 0)
    assert editor.gutter.bulb == 1
    editor.go_to(0, 0)
    press(editor, Qt.Key.Key_Return)
    assert [mark.code for mark in editor.marks.on_line(2)] == ["X1"]
    editor.undo()
    editor.go_to(1, 1)
    press(editor, Qt.Key.Key_Return, ALT)
    until(lambda: editor.findChildren(QMenu) and editor.findChildren(QMenu)[-1].isVisible())
    menu = editor.findChildren(QMenu)[-1]
    titles = [action.text() for action in menu.actions()]
    assert titles == ["Say good"]
    menu.actions()[0].trigger()
    menu.close()
    assert editor.text() == "one\ngood word\nthree"


def test_whole_lines_move_to_the_very_end(editor: CodeEditor) -> None:
    editor.set_text("a\nb")
    editor.go_to(0, 0, (1, 0))
    press(editor, Qt.Key.Key_Down, ALT)
    assert editor.text() == "b\na"
    assert editor.textCursor().selectedText() == "a"


def test_all_of_a_kind_are_offered_where_there_are_more(editor: CodeEditor) -> None:
    editor.set_text("bad\nbad")
    mends = [Mend("Say good", (TextChange(n, 0, n, 3, "good"),)) for n in range(2)]
    editor.set_marks([Finding(n, 0, n, 3, fixes=(mends[n],)) for n in range(2)])
    menu = QMenu(editor)
    assert fill_menu(menu, editor, editor.marks.on_line(0))
    assert [action.text() for action in menu.actions()] == ["Say good", "Fix all 2 of X1"]


def test_tab_leaves_the_text_only_when_asked_and_never_an_open_list(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("")
    press(editor, Qt.Key.Key_M, CTRL)
    assert editor.tabChangesFocus()
    press(editor, Qt.Key.Key_Space, CTRL)
    until(lambda: editor.completer.open)
    chosen = editor.completer.popup.current()
    assert chosen is not None
    press(editor, Qt.Key.Key_Tab)
    assert not editor.completer.open
    assert editor.text() == chosen.text
    press(editor, Qt.Key.Key_M, CTRL)
    assert not editor.tabChangesFocus()


def test_the_popup_cuts_nothing_that_has_room(editor: CodeEditor, theme: Any) -> None:
    popup = CompletionPopup(theme, editor)
    items = [
        Candidate("--mount", "--mount=", "flag", "Dockerfile 1.2", "Gives files."),
        Candidate("RUN", "RUN ", "instruction", "RUN <command>", "Runs."),
    ]
    popup.show_items(items, editor.mapToGlobal(editor.rect().center()), 16)
    assert popup._title.text() == "--mount", "not its version"
    assert popup._detail.text() == "Dockerfile 1.2"
    popup.step(1)
    assert popup._title.text() == "RUN <command>"
    assert popup._detail.isHidden()
    screen = popup.screen().availableGeometry()
    for corner in (screen.topLeft(), screen.bottomRight(), screen.topRight()):
        popup.show_items(items, corner, 16)
        assert screen.contains(popup.geometry())
    popup.hide()


def test_places_are_all_seen_where_there_are_few(theme: Any, editor: CodeEditor) -> None:
    box = GoTo(theme, editor)
    box.ask_place([Place(f"stage {n}", "from x", n) for n in range(4)])
    assert box._list.count() == 4
    assert not box._list.verticalScrollBar().maximum()
    box.hide()


def test_findings_of_nothing_can_be_seen(editor: CodeEditor) -> None:
    editor.set_text("ab\n")
    editor.set_marks([Finding(0, 2, 0, 2), Finding(99, 0, 99, 1)])
    lengths = [len(item.cursor.selectedText()) for item in editor.marks.selections()]
    assert 1 in lengths


def test_the_card_says_findings_and_explanation_as_plain_text(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    from dockdesk.ui.widgets.labels import PlainLabel

    editor.set_text("bad")
    editor.set_marks([Finding(0, 0, 0, 3)])
    press(editor, Qt.Key.Key_I, CTRL)
    until(lambda: editor.hover.card is not None)
    card = editor.hover.card
    assert card is not None
    texts = [label.text() for label in card.findChildren(PlainLabel)]
    assert "<b>Not</b> good" in texts
    assert "What it <i>is</i>" in texts
    assert all(
        label.textFormat() is Qt.TextFormat.PlainText for label in card.findChildren(PlainLabel)
    )
    press(editor, Qt.Key.Key_Right)
    assert editor.hover.card is None


# The margin.


def test_cells_move_with_their_lines(editor: CodeEditor) -> None:
    editor.set_text("a\nb\nc")
    narrow = editor.gutter.width()
    editor.set_margin({0: [MarginCell("1.2 s"), MarginCell("34 MB")], 2: [MarginCell("0.1 s")]})
    assert editor.gutter.width() > narrow
    editor.go_to(1, 0)
    press(editor, Qt.Key.Key_Return)
    assert editor.gutter.cells(0)[0].text == "1.2 s"
    assert editor.gutter.cells(3)[0].text == "0.1 s"
    assert editor.gutter.cells(2) == ()


# Completion.


def test_completion_is_offered_filtered_and_taken(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("")
    QTest.keyClicks(editor, "co")
    until(lambda: editor.completer.open)
    assert [item.label for item in editor.completer.popup.items()] == ["COPY", "COMMAND"]
    QTest.keyClicks(editor, "m")
    assert [item.label for item in editor.completer.popup.items()] == ["COMMAND"]
    press(editor, Qt.Key.Key_Tab)
    assert editor.text() == "COMMAND"
    assert not editor.completer.open


def test_places_of_a_snippet_are_filled_in_by_tab(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("🐋 ")
    editor.go_to(0, 2)
    press(editor, Qt.Key.Key_Space, CTRL)
    until(lambda: editor.completer.open)
    press(editor, Qt.Key.Key_Return)
    assert editor.text() == "🐋 COPY from to"
    assert editor.textCursor().selectedText() == "from"
    QTest.keyClicks(editor, "a")
    press(editor, Qt.Key.Key_Escape) if editor.completer.open else None
    until(lambda: not editor.jobs.busy())
    editor.completer.close()
    press(editor, Qt.Key.Key_Tab)
    assert editor.textCursor().selectedText() == "to"


def test_enter_begins_a_line_unless_the_list_was_asked_for(
    editor: CodeEditor, until: Callable[[Callable[[], object]], None]
) -> None:
    editor.set_text("")
    QTest.keyClicks(editor, "co")
    until(lambda: editor.completer.open)
    press(editor, Qt.Key.Key_Return)
    assert editor.text() == "co\n"
    assert not editor.completer.open


def test_a_read_only_text_is_left_alone(editor: CodeEditor) -> None:
    editor.set_text("a  \nb")
    editor.setReadOnly(True)
    QTest.keyClicks(editor, "x")
    for key, modifiers in (
        (Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Tab, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Backspace, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_D, CTRL),
        (Qt.Key.Key_Slash, CTRL),
        (Qt.Key.Key_Down, ALT),
    ):
        press(editor, key, modifiers)
    assert editor.text() == "a  \nb"
