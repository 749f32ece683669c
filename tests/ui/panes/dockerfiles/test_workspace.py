"""Documents opened, saved, closed and brought back: what is asked, in which order, and that nothing is lost."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QPainterPathStroker
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QWidget

from dockdesk.core.refs import ResourceRef
from dockdesk.ui.panes.dockerfiles.actions import ACTIONS
from dockdesk.ui.panes.dockerfiles.closing import CloseDialog
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.mending import mend_all, mend_of
from dockdesk.ui.panes.dockerfiles.problems_view import ProblemsView
from dockdesk.ui.panes.dockerfiles.stages_view import StagesView
from dockdesk.ui.panes.dockerfiles.views import VIEWS
from dockdesk.ui.widgets.editor import CodeEditor
from tests.ui.panes.dockerfiles.conftest import TEXT, Desk
from tests.ui.panes.hands import dialog, drop, open_dialogs

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")


def names(desk: Desk) -> list[str]:
    return [document.name for document in desk.pane.tabs.documents()]


def test_a_file_dropped_on_the_text_is_opened_not_written_into_it(desk: Desk) -> None:
    document = desk.open()
    drop(document.editor.viewport(), desk.folder / "compose.yaml")
    desk.rig.until(lambda: names(desk) == ["Dockerfile", "compose.yaml"])
    assert document.text() == TEXT


def test_closing_others_asks_once_about_all(desk: Desk) -> None:
    first = desk.open()
    for name in ("compose.yaml", ".dockerignore", "app.py"):
        desk.open(name)
    for name in ("compose.yaml", ".dockerignore"):
        desk.type(desk.open(name), "# mine\n")
    others = [item for item in desk.pane.workspace.documents() if item is not first]
    desk.pane.tabs.close_asked.emit(others)
    asked = dialog(desk.rig, CloseDialog)
    assert len(open_dialogs()) == 1
    assert names(desk) == ["Dockerfile", "compose.yaml", ".dockerignore"]
    asked.save.click()
    desk.rig.until(lambda: names(desk) == ["Dockerfile"])
    for name in ("compose.yaml", ".dockerignore"):
        assert (desk.folder / name).read_text().startswith("# mine\n")


def test_closing_a_file_that_is_gone_from_the_disk_asks_first(desk: Desk) -> None:
    document = desk.open()
    (desk.folder / "Dockerfile").unlink()
    desk.pane.workspace.keeper.look()
    desk.rig.until(lambda: desk.pane.workspace.messages.bar(document) is not None)
    bar = desk.pane.workspace.messages.bar(document)
    assert bar is not None
    bar.buttons[1].click()
    dialog(desk.rig, CloseDialog).cancel.click()
    assert desk.pane.document is document, "its only copy was thrown away"


def test_the_bar_leaves_when_the_file_is_back(desk: Desk) -> None:
    document = desk.open()
    path = desk.folder / "Dockerfile"
    path.unlink()
    keeper, messages = desk.pane.workspace.keeper, desk.pane.workspace.messages
    keeper.look()
    desk.rig.until(lambda: messages.bar(document) is not None)
    path.write_text(TEXT)
    desk.rig.settle()
    keeper.look()
    desk.rig.until(lambda: messages.bar(document) is None)
    assert not document.modified


def test_saving_over_an_open_file_leaves_one_tab_of_it(desk: Desk) -> None:
    desk.open("compose.yaml")
    document = desk.pane.workspace.new("services: {a: {}}\n", "new.yaml")
    desk.pane.workspace.save_to(document, desk.folder / "compose.yaml")
    desk.rig.until(lambda: names(desk) == ["compose.yaml"])
    assert desk.pane.document is document


def test_save_all_stops_where_the_user_gives_up(desk: Desk) -> None:
    desk.type(desk.open(), "# mine\n")
    new = desk.pane.workspace.new("FROM scratch\n")
    ended: list[str] = []
    desk.pane.workspace.save_all(lambda: ended.append("saved"), lambda: ended.append("given up"))
    asked = dialog(desk.rig, QFileDialog)
    asked.reject()
    desk.rig.until(lambda: ended)
    assert ended == ["given up"]
    assert (desk.folder / "Dockerfile").read_text().startswith("# mine\n")
    assert new.text() == "FROM scratch\n"
    assert new.modified


def test_what_quitting_offers_to_save_is_saved(desk: Desk) -> None:
    assert desk.pane.unsaved() is None
    desk.type(desk.open(), "# mine\n")
    desk.type(desk.open("compose.yaml"), "# mine\n")
    offer = desk.pane.unsaved()
    assert offer is not None
    assert offer.names == [str(desk.folder / "Dockerfile"), str(desk.folder / "compose.yaml")]
    ended: list[str] = []
    offer.save(lambda: ended.append("saved"), lambda: ended.append("failed"))
    desk.rig.until(lambda: ended)
    assert ended == ["saved"]
    assert desk.pane.unsaved() is None
    assert (desk.folder / "compose.yaml").read_text().startswith("# mine\n")


def test_a_conflict_stops_what_quitting_saves(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# mine\n")
    path = desk.folder / "Dockerfile"
    path.write_text("# theirs\n")
    os.utime(path, ns=(1, 5_000_000_000))
    offer = desk.pane.unsaved()
    assert offer is not None
    ended: list[str] = []
    offer.save(lambda: ended.append("saved"), lambda: ended.append("failed"))
    desk.rig.until(lambda: ended)
    assert ended == ["failed"]
    desk.rig.until(lambda: desk.pane.workspace.messages.bar(document) is not None)
    assert path.read_text() == "# theirs\n"
    assert document.text().startswith("# mine\n")


# Coming back.


def test_tabs_come_back_in_their_order_and_behind_what_was_asked_for(
    desk: Desk, tmp_path: Path
) -> None:
    order = [".dockerignore", "Dockerfile", "app.py", "compose.yaml"]
    for name in order:
        desk.open(name)
    state = desk.pane.save_state()
    again = desk.another()
    other = tmp_path / "other" / "Dockerfile"
    other.parent.mkdir()
    other.write_text("FROM scratch\n")
    again.restore_state(state)
    assert again.open(ResourceRef("dockerfile", str(other), "Dockerfile"))
    desk.rig.until(lambda: len(again.tabs) == 5)
    desk.rig.settle()
    came = [item.path for item in again.tabs.documents() if item.path != other]
    assert came == [desk.folder / name for name in order]
    assert again.document is not None
    assert again.document.path == other
    again.hide()
    desk.rig.settle()


def test_coming_back_changes_nothing_among_the_recent(desk: Desk) -> None:
    desk.pane.open_folder(desk.folder)
    desk.rig.until(lambda: desk.pane.document is not None)
    desk.open("app.py")
    desk.pane.workspace.remember(desk.folder / "compose.yaml")
    desk.pane.reload()
    desk.rig.settle()
    before = desk.pane.workspace.recent()
    assert before[0] == desk.folder / "compose.yaml"
    again = desk.another()
    again.restore_state(desk.pane.save_state())
    desk.rig.until(lambda: len(again.tabs) == 2 and again.workspace.projects)
    desk.rig.settle()
    assert again.workspace.recent() == before
    again.hide()
    desk.rig.settle()


def test_a_folder_that_is_gone_does_not_come_back(desk: Desk, tmp_path: Path) -> None:
    desk.pane.open_folder(desk.folder)
    desk.rig.until(lambda: desk.pane.workspace.projects)
    desk.rig.settle()
    state = desk.pane.save_state()
    shutil.rmtree(desk.folder)
    again = desk.another()
    again.restore_state(state)
    desk.rig.settle()
    assert not again.workspace.projects
    again.open_path(tmp_path / "nowhere")
    desk.rig.until(lambda: desk.rig.notices.shown)
    assert "can't be opened" in desk.rig.notices.shown[0].title
    again.hide()
    desk.rig.settle()


def test_ending_without_a_question_keeps_what_was_typed(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# typed a moment ago\n")
    desk.pane.save_state()  # as at the end of the session
    desk.rig.settle()
    (kept,) = (desk.data / "unsaved").glob("*.json")
    assert "typed a moment ago" in kept.read_text()


def test_the_window_of_a_new_file_saves_it_by_key(desk: Desk) -> None:
    document = desk.pane.workspace.new("FROM scratch\n")
    QTest.keyClick(document.editor, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    asked = dialog(desk.rig, QFileDialog)
    asked.selectFile(str(desk.folder / "Dockerfile.key"))
    asked.accept()
    desk.rig.until(lambda: (desk.folder / "Dockerfile.key").exists())
    assert (desk.folder / "Dockerfile.key").read_text() == "FROM scratch\n"


# Other kinds of files.


def test_a_compose_file_is_coloured_and_what_is_no_yaml_is_told(desk: Desk) -> None:
    document = desk.open("compose.yaml")
    desk.checked(document)
    assert document.problems() == []
    formats = document.editor.document().firstBlock().layout().formats()
    assert (formats[0].start, formats[0].length) == (0, len("services"))
    document.editor.go_to(1)
    desk.type(document, "a: [1\n")
    desk.rig.until(lambda: [p.line for p in document.problems()] == [1])
    view = desk.pane.show_view("problems")
    assert isinstance(view, ProblemsView)
    desk.rig.until(lambda: view.model.rowCount() == 1)
    document.editor.undo()
    desk.type(document, "x: 1\nx: 2\n")
    desk.rig.until(lambda: [p.code for p in document.problems()] == ["yaml-twice"])
    filler = "".join(f"k{n}: v\n" for n in range(8000))  # long enough for another process
    desk.type(document, filler)
    desk.checked(document)
    assert [p.code for p in document.problems()] == ["yaml-twice"]


# The stage graph.


def test_lines_pass_the_stages_between_and_images_have_their_arguments_filled_in(
    desk: Desk,
) -> None:
    text = (
        "ARG TAG=3\nFROM alpine:${TAG} AS base\nFROM base AS test\nFROM base\n"
        "COPY --from=test /a /a\nCOPY --from=base /b /b\n"
    )
    (desk.folder / "Dockerfile").write_text(text)
    document = desk.open()
    desk.checked(document)
    view = desk.pane.show_view("stages")
    assert isinstance(view, StagesView)
    canvas = view.canvas
    desk.rig.until(lambda: canvas.graph.nodes)
    assert canvas.graph.nodes[0].title == "alpine:3"
    assert len(canvas.paths) == len(canvas.graph.edges) == 5
    ends = set()
    stroker = QPainterPathStroker()
    for edge, path in canvas.paths.items():
        ends.add((path.currentPosition().x(), path.currentPosition().y()))
        for id, box in canvas.boxes.items():
            if id not in {edge.source, edge.target}:
                assert not stroker.createStroke(path).intersects(box), (edge, id)
    assert len(ends) == 5, "each line has an arrow head of its own"


def test_files_dropped_together_open_in_their_order(desk: Desk) -> None:
    order = ["compose.yaml", "Dockerfile", ".dockerignore", "app.py"]
    drop(desk.pane, *(desk.folder / name for name in order), desk.folder / "none")
    desk.rig.until(lambda: names(desk) == order)
    desk.rig.until(lambda: desk.rig.notices.shown)
    assert desk.pane.document is not None
    assert desk.pane.document.name == "app.py"


# Without a mouse.


def test_tab_can_leave_the_text_in_every_tab_and_says_so(desk: Desk) -> None:
    document, other = desk.open(), desk.open("compose.yaml")
    desk.pane.tabs.show_document(document)
    editor = document.editor
    editor.setFocus()
    desk.rig.until(editor.hasFocus)
    QTest.keyClick(editor, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert "Ctrl+M" in desk.rig.notices.shown[-1].detail
    assert other.editor.tabChangesFocus()
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert not editor.hasFocus()
    assert document.text() == TEXT
    QTest.keyClick(
        desk.pane.focusWidget() or desk.pane, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier
    )
    desk.rig.until(editor.hasFocus)
    QTest.keyClick(editor, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert document.text() == "    " + TEXT
    action = next(action for action in ACTIONS if action.id == "dockerfile.tab_moves")
    assert action.shortcut == "Ctrl+M", "the shortcut sheet is made from it"


def test_everything_that_takes_the_focus_has_a_name(desk: Desk) -> None:
    desk.pane.open_folder(desk.folder)
    desk.rig.until(lambda: desk.pane.document is not None)
    document = desk.pane.document
    assert document is not None
    desk.checked(document)
    desk.rig.until(lambda: document.problems())
    for entry in VIEWS:
        desk.pane.show_view(entry.id)
    desk.rig.settle()
    document.view.do("replace")
    document.view.do("go_to_line")
    nameless = []
    for widget in desk.pane.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            interface = QAccessible.queryAccessibleInterface(widget)
            if not interface.text(QAccessible.Text.Name):
                nameless.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    assert nameless == []
    assert document.editor.accessibleName() == "Text of Dockerfile"


# What files are like.


def test_fixes_and_typing_keep_a_files_line_ends(desk: Desk) -> None:
    path = desk.folder / "Dockerfile"
    path.write_bytes(TEXT.replace("RUN apk add curl", "RUN apt-get update && apt-get install -y curl")
                     .replace("\n", "\r\n").encode())  # fmt: skip
    document = desk.open()
    desk.checked(document)
    desk.rig.until(lambda: mendable(document))
    before = document.text().count("\n")
    for code in mendable(document):
        mend_all(document, code)
    document.editor.go_to(0)
    QTest.keyClicks(document.editor, "# typed")
    QTest.keyClick(document.editor, Qt.Key.Key_Escape)
    QTest.keyClick(document.editor, Qt.Key.Key_Return)
    document.editor.format()
    desk.rig.settle()
    assert document.text().count("\n") > before + 1, "nothing that was mended has a new line"
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: not document.modified)
    data = path.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") == document.text().count("\n")
    assert b"\r" not in data.replace(b"\r\n", b"")


def mendable(document: OpenDocument) -> list[str]:
    problems = document.problems()
    return list(dict.fromkeys(p.code for p in problems if mend_of(p) is not None))


def test_a_file_that_can_only_be_read_says_so_and_is_not_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dockdesk.ui.panes.dockerfiles.files.os.access", lambda _path, mode: mode != os.W_OK
    )
    document = desk.open()
    bar = desk.pane.workspace.messages.bar(document)
    assert bar is not None
    assert "can only be read" in bar.label.text()
    desk.checked(document)
    for keys in ("x", "\b", "\t", "\r"):
        QTest.keyClicks(document.editor, keys)
    QTest.keyClick(document.editor, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(document.editor, Qt.Key.Key_Slash, Qt.KeyboardModifier.ControlModifier)
    desk.pane.bound["dockerfile.format"].trigger()
    for problem in document.problems():
        for fix in problem.fixes:
            document.apply(fix.edits)
    desk.rig.settle()
    assert document.text() == TEXT
    assert not document.modified
    monkeypatch.undo()
    desk.pane.workspace.save_to(document, desk.folder / "Dockerfile.mine")
    desk.rig.until(lambda: document.name == "Dockerfile.mine")
    assert not document.read_only


def test_undo_back_to_what_is_saved_leaves_no_mark(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# one\n")
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: not document.modified)
    desk.type(document, "# two\n")
    assert document.modified
    document.editor.undo()
    assert not document.modified
    assert "•" not in desk.pane.tabs.bar.tabText(0)
    document.editor.undo()
    assert document.modified, "what is on the disk is another text"
    document.editor.redo()
    assert not document.modified


def test_tab_goes_through_the_pane_as_it_is_read(desk: Desk) -> None:
    pane = desk.pane
    pane.open_folder(desk.folder)
    desk.rig.until(lambda: pane.document is not None)
    document = desk.open()
    desk.checked(document)
    for entry in VIEWS:
        pane.show_view(entry.id)
        desk.rig.settle()
    for id in ("context", "problems"):
        pane.show_view(id)
    for editor in pane.findChildren(CodeEditor):
        editor.set_tab_moves(True)
    parts = [pane.header, pane.files, pane.tabs, pane.below, pane.beside]
    went: list[QWidget] = []
    pane._toggles["files"].setFocus()
    while (focus := pane.focusWidget()) is not None and focus not in went:
        went.append(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    at = [n for w in went for n, part in enumerate(parts) if part.isAncestorOf(w)]
    assert at == sorted(at)
    assert set(at) == set(range(len(parts)))
    assert document.editor in went
    assert focus is went[0], "it ends where it began"
