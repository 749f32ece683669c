"""The Dockerfiles pane under the hands of a user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.core.resources.builds import BuildWarning
from dockdesk.dockerfile.problems import Edit, Fix, Problem
from dockdesk.dockerfile.syntax import parse
from dockdesk.ui.panes.dockerfiles.actions import ACTIONS
from dockdesk.ui.panes.dockerfiles.checking import carried
from dockdesk.ui.panes.dockerfiles.closing import CloseDialog
from dockdesk.ui.panes.dockerfiles.compare import CompareDialog
from dockdesk.ui.panes.dockerfiles.mending import edits_of_all
from dockdesk.ui.panes.dockerfiles.problems_view import ProblemsView
from dockdesk.ui.panes.dockerfiles.stage_graph import stage_graph
from dockdesk.ui.panes.dockerfiles.stages_view import StagesView
from tests.ui.panes.dockerfiles.conftest import TEXT, Desk
from tests.ui.panes.hands import dialog, drop

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")
CTRL = Qt.KeyboardModifier.ControlModifier


def later(path: Path, text: str) -> None:
    """Another program writes a file, and its time says so however quick the test is."""
    path.write_text(text)
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 5_000_000_000))


# Opening.


def test_a_folder_opens_with_its_dockerfile(desk: Desk) -> None:
    assert desk.pane.start_page.isVisible()
    drop(desk.pane, desk.folder)
    desk.rig.until(lambda: desk.pane.document is not None)
    document = desk.pane.document
    assert document is not None
    assert document.text() == TEXT
    assert document.project == desk.folder
    assert document.context_folder == desk.folder
    tree = desk.pane.files.tree
    desk.rig.until(lambda: tree.topLevelItemCount() == 1)
    top = tree.topLevelItem(0)
    assert top is not None
    names = [top.child(n).text(0) for n in range(top.childCount())]
    assert names == [".dockerignore", "compose.yaml", "Dockerfile"]
    desk.pane.files.tree.itemClicked.emit(top.child(1), 0)
    desk.rig.until(
        lambda: desk.pane.document is not None and desk.pane.document.name == "compose.yaml"
    )
    assert desk.pane.crumbs() == ("compose.yaml",)
    assert desk.pane.workspace.recent()[:1] == [desk.folder / "compose.yaml"]


def test_a_file_that_is_not_there_is_said(desk: Desk) -> None:
    desk.pane.workspace.open(desk.folder / "none")
    desk.rig.until(lambda: desk.rig.notices.shown)
    assert "can't be opened" in desk.rig.notices.shown[0].title
    assert desk.pane.document is None


def test_tabs_are_stepped_through_and_closed_by_keys(desk: Desk) -> None:
    first, second = desk.open(), desk.open("compose.yaml")
    assert desk.pane.document is second
    QTest.keyClick(second.editor, Qt.Key.Key_PageUp, CTRL)
    assert desk.pane.document is first
    QTest.keyClick(first.editor, Qt.Key.Key_W, CTRL)
    assert desk.pane.document is second
    bar = desk.pane.tabs.bar
    QTest.mouseClick(bar, Qt.MouseButton.MiddleButton, pos=bar.tabRect(0).center())
    assert desk.pane.document is None
    assert desk.pane.start_page.isVisible()


# Saving.


def test_what_is_saved_is_on_the_disk_and_can_still_be_undone(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# mine\n")
    assert document.modified
    assert "•" in desk.pane.tabs.bar.tabText(0)
    desk.pane.bound["dockerfile.save"].trigger()
    desk.rig.until(lambda: not document.modified)
    assert (desk.folder / "Dockerfile").read_text() == "# mine\n" + TEXT
    document.editor.undo()
    assert document.text() == TEXT
    assert document.modified


def test_closing_with_changes_asks_first(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "x")
    desk.pane.workspace.close(document)
    dialog(desk.rig, CloseDialog).cancel.click()
    assert desk.pane.document is document
    desk.pane.workspace.close(document)
    dialog(desk.rig, CloseDialog).save.click()
    desk.rig.until(lambda: desk.pane.document is None)
    assert (desk.folder / "Dockerfile").read_text().startswith("x")
    document = desk.open()
    desk.type(document, "y")
    desk.pane.workspace.close(document)
    dialog(desk.rig, CloseDialog).discard.click()
    assert desk.pane.document is None
    desk.rig.settle()
    assert (desk.folder / "Dockerfile").read_text().startswith("xARG")


def test_a_new_file_gets_its_name_when_saved(desk: Desk) -> None:
    document = desk.pane.workspace.new("FROM scratch\n")
    assert document.modified
    target = desk.folder / "Dockerfile.new"
    desk.pane.workspace.save_to(document, target)
    desk.rig.until(lambda: document.path == target)
    assert target.read_text() == "FROM scratch\n"
    assert not document.modified


def test_save_all_saves_all(desk: Desk) -> None:
    for name in ("Dockerfile", "compose.yaml"):
        desk.type(desk.open(name), "# x\n")
    desk.pane.bound["dockerfile.save_all"].trigger()
    desk.rig.until(lambda: not desk.pane.workspace.unsaved())
    assert (desk.folder / "compose.yaml").read_text().startswith("# x\n")


def test_a_failure_to_save_keeps_what_was_typed(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "x")
    (desk.folder / "Dockerfile").unlink()
    (desk.folder / "Dockerfile").mkdir()
    desk.pane.workspace.keeper.save(document, anyway=True)
    desk.rig.until(lambda: desk.rig.notices.shown)
    assert desk.rig.notices.shown[0].title == "“Dockerfile” could not be saved"
    assert document.modified
    assert document.text().startswith("x")


# Other programs.


def test_a_file_changed_outside_is_read_again(desk: Desk) -> None:
    document = desk.open()
    document.editor.go_to(2, 3)
    later(desk.folder / "Dockerfile", TEXT + "# more\n")
    desk.pane.workspace.keeper.look()
    desk.rig.until(lambda: document.text().endswith("# more\n"))
    assert not document.modified
    assert document.editor.cursor_place() == (2, 3)
    document.editor.undo()
    assert document.text() == TEXT


def test_a_conflict_is_the_users_to_decide(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# mine\n")
    later(desk.folder / "Dockerfile", "# theirs\n")
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: desk.pane.workspace.messages.bar(document) is not None)
    assert (desk.folder / "Dockerfile").read_text() == "# theirs\n", "it was overwritten"
    bar = desk.pane.workspace.messages.bar(document)
    assert bar is not None
    compare, keep, _take = bar.buttons
    compare.click()
    shown = dialog(desk.rig, CompareDialog)
    assert "+# theirs" in shown.text.text()
    shown.reject()
    keep.click()
    assert document.text().startswith("# mine")
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: not document.modified)
    assert (desk.folder / "Dockerfile").read_text().startswith("# mine")
    desk.type(document, "more")
    later(desk.folder / "Dockerfile", "# again\n")
    desk.pane.workspace.keeper.look()
    desk.rig.until(lambda: desk.pane.workspace.messages.bar(document) is not None)
    bar = desk.pane.workspace.messages.bar(document)
    assert bar is not None
    bar.buttons[2].click()
    assert document.text() == "# again\n"
    assert not document.modified


def test_a_file_deleted_outside_can_be_saved_again(desk: Desk) -> None:
    document = desk.open()
    (desk.folder / "Dockerfile").unlink()
    desk.pane.workspace.keeper.look()
    desk.rig.until(lambda: desk.pane.workspace.messages.bar(document) is not None)
    bar = desk.pane.workspace.messages.bar(document)
    assert bar is not None
    bar.buttons[0].click()
    desk.rig.until(lambda: (desk.folder / "Dockerfile").exists())
    assert (desk.folder / "Dockerfile").read_text() == TEXT


def test_bytes_that_are_no_utf8_survive_an_edit(desk: Desk) -> None:
    path = desk.folder / "Dockerfile"
    path.write_bytes(b"LABEL a=\xff\r\n")
    document = desk.open()
    assert desk.pane.workspace.messages.bar(document) is not None
    document.editor.go_to(1)
    desk.type(document, "# x\n")
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: not document.modified)
    assert path.read_bytes() == b"LABEL a=\xff\r\n# x\r\n"


# A crash.


def test_what_was_typed_is_offered_after_a_crash(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# typed\n")
    desk.rig.until(lambda: list((desk.data / "unsaved").glob("*.json")))
    assert "offered when DockDesk starts again" in (desk.pane.may_close() or "")
    desk.rig.settle()
    desk.crash()
    again = desk.another()
    desk.rig.until(lambda: desk.rig.notices.shown)
    restore = desk.rig.notices.shown[0].actions[0]
    assert restore.title == "Restore"
    restore.run()
    desk.rig.until(lambda: again.document is not None and again.document.modified)
    restored = again.document
    assert restored is not None
    assert restored.text() == "# typed\n" + TEXT
    restored.editor.undo()
    assert restored.text() == TEXT
    again.hide()
    desk.rig.settle()


def test_saving_ends_what_was_kept(desk: Desk) -> None:
    document = desk.open()
    desk.type(document, "# typed\n")
    desk.pane.workspace.keeper.keep_now()
    desk.rig.until(lambda: list((desk.data / "unsaved").glob("*.json")))
    desk.pane.workspace.save(document)
    desk.rig.until(lambda: not list((desk.data / "unsaved").glob("*.json")))
    assert desk.pane.may_close() is None


def test_the_pane_comes_back_as_it_was_left(desk: Desk) -> None:
    desk.pane.open_folder(desk.folder)
    desk.rig.until(lambda: desk.pane.document is not None)
    document = desk.pane.document
    assert document is not None
    document.editor.go_to(3, 2)
    desk.open("compose.yaml")
    desk.pane.tabs.show_document(document)
    state = desk.pane.save_state()
    again = desk.another()
    again.restore_state(state)
    desk.rig.until(lambda: len(again.tabs) == 2)
    desk.rig.until(lambda: again.document is not None and again.document.name == "Dockerfile")
    front = again.document
    assert front is not None
    assert front.editor.cursor_place() == (3, 2)
    assert list(again.workspace.projects) == [desk.folder]
    again.hide()
    desk.rig.settle()


# Checks.


def test_problems_are_found_while_typing_and_mended(desk: Desk) -> None:
    document = desk.open()
    desk.checked(document)
    desk.rig.until(lambda: document.problems())
    view = desk.pane.show_view("problems")
    assert isinstance(view, ProblemsView)
    desk.rig.until(lambda: view.model.rowCount() == len(document.problems()))
    document.editor.go_to(2)
    desk.type(document, "RUNN echo\n")
    desk.rig.until(lambda: any(p.line == 2 and p.tone == "bad" for p in document.problems()))
    desk.rig.settle()  # hadolint may have something to say too, in other rows
    desk.rig.until(lambda: any(row.problem.tone == "bad" for row in view.model.rows()))
    desk.rig.until(lambda: view.model.rowCount() == len(document.problems()))
    row = next(row for row in view.model.rows() if row.problem.tone == "bad")
    view.table.activated_row.emit(row)
    assert document.line == 2
    view.table.select_keys([row.key])
    menu = view.menu()
    assert menu is not None
    fix = next(a for a in menu.actions() if "RUN" in a.text())
    fix.trigger()
    menu.close()
    desk.rig.until(lambda: not any(p.tone == "bad" for p in document.problems()))
    document.editor.undo()
    assert "RUNN" in document.text()


def test_ignore_files_are_checked_too(desk: Desk) -> None:
    document = desk.open(".dockerignore")
    desk.rig.until(lambda: document.problems())
    assert document.problems()[0].line == 1


def problem(line: int, code: str = "X") -> Problem:
    fix = Fix("Mend", (Edit(line, 0, line, 1, "y"),))
    return Problem(line, 0, line, 1, code, "warn", "m", fixes=(fix,))


def test_findings_of_an_older_text_are_carried_over() -> None:
    found = carried([problem(0), problem(1), problem(2)], "a\nb\nc", "a\nB\nB\nc")
    assert [p.line for p in found] == [0, 3]
    assert found[1].fixes[0].edits[0].line == 3


def test_all_of_a_kind_are_mended_at_once() -> None:
    silence = Fix("Ignore X here", (Edit(5, 0, 5, 0, "#"),))
    only = Problem(5, 0, 5, 1, "X", "warn", "m", fixes=(silence,))
    edits = edits_of_all([problem(0), problem(0), problem(1), problem(2, "Y"), only], "X")
    assert [edit.line for edit in edits] == [0, 1]


def test_the_engines_checks_are_asked_where_it_has_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def check(spec: object, _work: object) -> list[BuildWarning]:
        asked.append(getattr(spec, "text", ""))
        return [BuildWarning("s", "StageNameCasing: names are lower case", lines=((2, 2),))]

    monkeypatch.setattr(desk.rig.engine, "check", check, raising=False)
    monkeypatch.setattr("dockdesk.ui.panes.dockerfiles.checking._ENGINE_MS", 1)
    desk.rig.engine.capabilities = frozenset({*desk.rig.engine.capabilities, "buildkit"})
    desk.rig.connect()
    document = desk.open()
    desk.rig.until(lambda: any(p.code == "StageNameCasing" for p in document.problems()))
    assert asked[-1] == TEXT


# Stages.


def test_the_stage_graph_knows_who_takes_what() -> None:
    graph = stage_graph(parse(TEXT + "\nFROM alpine AS last\nCOPY --from=busybox:1 /a /b\n"))
    titles = {node.id: node.title for node in graph.nodes}
    edges = {(titles[e.source], titles[e.target], e.kind) for e in graph.edges}
    assert ("alpine", "base", "from") in edges
    assert ("base", "build", "from") in edges
    assert ("build", "stage 2", "copy") in edges
    assert ("busybox:1", "last", "copy") in edges
    rows = {node.title: node.row for node in graph.nodes}
    assert rows["base"] < rows["build"] < rows["stage 2"]
    unused = {node.title for node in graph.nodes if not node.used}
    assert unused == {"base", "build", "stage 2", "scratch"}
    assert stage_graph(parse("")).nodes == ()


def test_a_click_on_a_stage_goes_to_its_line(desk: Desk) -> None:
    document = desk.open()
    desk.checked(document)
    view = desk.pane.show_view("stages")
    assert isinstance(view, StagesView)
    desk.rig.until(lambda: view.canvas.graph.nodes)
    node = next(node for node in view.canvas.graph.nodes if node.title == "build")
    spot = view.canvas.boxes[node.id].center().toPoint()
    QTest.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=spot)
    assert document.line == 5
    assert view.canvas.current == node.id


# Language.


def test_completion_knows_stages_images_and_files(desk: Desk) -> None:
    desk.rig.connect()
    document = desk.open()
    language = document.editor.language
    desk.pane.workspace._refresh_sources(document)
    desk.rig.settle()
    desk.rig.until(lambda: desk.pane.workspace.sources._tags)

    def labels(line: str) -> list[str]:
        text = document.text() + line
        row = text.count("\n")
        return [item.label for item in language.complete(text, row, len(line)).items]

    assert "build" in labels("COPY --from=")
    desk.rig.until(lambda: "app.py" in labels("COPY "))
    image = next(iter(desk.pane.workspace.sources._tags))
    assert any(image in label for label in labels("FROM " + image[:2]))
    assert "ENTRYPOINT" in labels("EN")
    card = language.explain(document.text(), 3, 1)
    assert card is not None
    assert "RUN" in card.title


def test_stages_are_gone_to_by_name(desk: Desk) -> None:
    document = desk.open()
    QTest.keyClick(document.editor, Qt.Key.Key_O, CTRL | Qt.KeyboardModifier.ShiftModifier)
    box = document.view.go_to_box
    desk.rig.until(box.isVisible)
    QTest.keyClicks(box._field, "build")
    QTest.keyClick(box._field, Qt.Key.Key_Return)
    assert document.line == 5


def test_every_action_has_a_handler(desk: Desk) -> None:
    handlers = desk.pane.handlers()
    assert {action.id for action in ACTIONS} == set(handlers)
    shortcuts = [action.shortcut for action in ACTIONS if action.shortcut]
    assert len(shortcuts) == len(set(shortcuts))
