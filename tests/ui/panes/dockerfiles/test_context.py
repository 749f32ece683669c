"""The build context under the hands of a user: what is sent, and the rules that are typed beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtTest import QTest

from dockdesk.dockerfile.context_warnings import ContextWarning
from dockdesk.ui.panes.dockerfiles import context_alerts
from dockdesk.ui.panes.dockerfiles.build_dialog import BuildDialog
from dockdesk.ui.panes.dockerfiles.context_alerts import detail_of, title_of
from dockdesk.ui.panes.dockerfiles.context_model import NAME, RULE, SIZE, ContextRole
from dockdesk.ui.panes.dockerfiles.context_view import ContextView
from dockdesk.ui.panes.dockerfiles.ignore_editor import ignore_file
from dockdesk.ui.panes.dockerfiles.ignore_language import IgnoreLanguage
from dockdesk.ui.panes.dockerfiles.treemap import Tile, squarified, together
from tests.ui.panes.dockerfiles.conftest import Desk
from tests.ui.panes.hands import dialog

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")
CTRL = Qt.KeyboardModifier.ControlModifier
RULES = "# rules\nnode_modules\n*.log\n"


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture
def view(desk: Desk) -> ContextView:
    put(
        desk.folder,
        {
            ".dockerignore": RULES,
            "node_modules/a/index.js": "x" * 900,
            "static/logo.svg": "x" * 500,
            "a.log": "x" * 40,
            ".env": "PASSWORD=1",
        },
    )
    desk.open()
    return shown(desk)


def shown(desk: Desk) -> ContextView:
    made = desk.pane.show_view("context")
    assert isinstance(made, ContextView)
    desk.rig.until(lambda: made.look.verdict is not None and not made.look.busy)
    return made


def settled(desk: Desk, view: ContextView) -> None:
    """Wait until the tree says what the rules say that stand there now."""
    desk.rig.until(lambda: view.look.text == view.rules_text() and not view.look.busy)


def number(view: ContextView, path: str) -> int:
    inventory = view.model.inventory
    assert inventory is not None
    found = inventory.find(path)
    assert found is not None, path
    return found


def choose(view: ContextView, path: str) -> None:
    view.tree.show_entry(number(view, path))


def state(view: ContextView, path: str) -> str:
    return view.model.state(number(view, path))


def test_the_tree_says_what_is_sent_and_which_rule_decided(desk: Desk, view: ContextView) -> None:
    model = view.model
    names = [model.index(row, NAME).data() for row in range(model.rowCount())]
    assert names[:2] == ["node_modules", "static"]
    modules = model.index_of(number(view, "node_modules"))
    assert modules.siblingAtColumn(RULE).data() == "node_modules  line 2"
    assert modules.siblingAtColumn(SIZE).data() == "− 900 B"
    assert modules.data(ContextRole.STATE) == "none"
    assert modules.data(Qt.ItemDataRole.AccessibleTextRole) == "node_modules, left out, − 900 B"
    inner = model.index_of(number(view, "node_modules/a/index.js"))
    assert inner.siblingAtColumn(RULE).data() == "node_modules  with its folder"
    assert model.parent(model.parent(inner)) == modules
    assert view.summary.text() == "700 B in 6 files sent"
    assert view.left.text() == "940 B in 2 left out"
    assert [tile.name for tile, _place in view.map.tiles()][:2] == ["node_modules/", "static/"]


def test_rules_are_judged_while_they_are_typed_and_nothing_is_read_again(
    desk: Desk, view: ContextView
) -> None:
    inventory = view.look.inventory
    (desk.folder / "late").write_text("1")
    editor = view.ignore.document
    assert editor is not None
    editor.editor.moveCursor(editor.editor.textCursor().MoveOperation.End)
    QTest.keyClicks(editor.editor, "static")
    settled(desk, view)
    assert state(view, "static/logo.svg") == "none"
    assert view.look.inventory is inventory
    assert (desk.folder / ".dockerignore").read_text() == RULES
    assert not view.tree.currentIndex().isValid()
    QTest.keyClick(editor.editor, Qt.Key.Key_Z, CTRL)
    settled(desk, view)
    assert state(view, "static/logo.svg") == "all"
    view.refresh()
    desk.rig.until(lambda: view.look.inventory is not inventory)
    assert view.look.inventory is not None
    assert view.look.inventory.find("late") is not None


def test_leaving_out_and_sending_after_all(desk: Desk, view: ContextView) -> None:
    choose(view, "static/logo.svg")
    assert view.foot.words.text() == "Sent"
    QTest.mouseClick(view.foot.leave, Qt.MouseButton.LeftButton)
    settled(desk, view)
    assert view.rules_text() == RULES + "static/logo.svg\n"
    assert state(view, "static") == "none"
    assert view.tree.current() == number(view, "static/logo.svg")
    assert view.foot.words.text() == "Left out: line 4, static/logo.svg"
    QTest.mouseClick(view.foot.send, Qt.MouseButton.LeftButton)
    settled(desk, view)
    assert view.rules_text() == RULES
    choose(view, "node_modules/a/index.js")
    menu = view.menu()
    assert menu is not None
    next(a for a in menu.actions() if a.text() == "Send after all").trigger()
    settled(desk, view)
    assert view.rules_text() == RULES + "!node_modules/a/index.js\n"
    assert state(view, "node_modules/a/index.js") == "all"
    menu.close()


def test_secrets_are_named_with_the_line_that_helps(desk: Desk, view: ContextView) -> None:
    assert view.secrets.isVisible()
    assert view.secrets.title.text() == "A secret is about to be sent"
    assert ".env holds" in view.secrets.detail.text()
    assert [warning.line for warning in view.warnings()] == ["**/.env"]
    QTest.mouseClick(view.secrets.show_button, Qt.MouseButton.LeftButton)
    assert view.tree.current() == number(view, ".env")
    told: list[object] = []
    view.warned.connect(told.append)
    QTest.mouseClick(view.secrets.leave, Qt.MouseButton.LeftButton)
    settled(desk, view)
    assert view.rules_text() == RULES + "**/.env\n"
    assert not view.secrets.isVisible()
    assert told[-1] == ()


def test_advice_is_one_click(desk: Desk, view: ContextView) -> None:
    (desk.folder / "tests/__pycache__").mkdir(parents=True)
    (desk.folder / "tests/__pycache__/a.pyc").write_text("x")
    os.mkfifo(desk.folder / "pipe")
    view.refresh()
    desk.rig.until(lambda: view.parts.button("advice").text() == "Advice 3")
    view.parts.set_current("advice")
    advice = view.lists["advice"]
    titles = {row.title for row in advice.model.rows()}
    assert titles == {"**/.env", "**/__pycache__", "pipe"}
    desk.rig.until(lambda: advice.table.select_keys(["**/__pycache__"]))
    QTest.mouseClick(advice._do, Qt.MouseButton.LeftButton)
    settled(desk, view)
    assert view.rules_text().endswith("**/__pycache__\n")
    assert advice.table.select_keys(["special pipe"])
    QTest.mouseClick(advice._do, Qt.MouseButton.LeftButton)
    assert view.parts.current() == "tree"
    assert view.tree.current() == number(view, "pipe")
    view.parts.set_current("biggest")
    assert [row.title for row in view.lists["biggest"].model.rows()][:1] == ["static/logo.svg"]


def test_saving_makes_the_file_and_keeps_undo(desk: Desk, view: ContextView) -> None:
    (desk.folder / ".dockerignore").unlink()
    (desk.folder / "other").mkdir()
    other = desk.folder / "other" / "Dockerfile"
    other.write_text("FROM scratch\n")
    desk.open("other/Dockerfile")
    desk.rig.until(lambda: view.ignore.path == other.with_name(".dockerignore"))
    document = view.ignore.document
    assert document is not None
    assert not view.ignore.save_button.isEnabled()
    QTest.keyClicks(document.editor, "big")
    QTest.keyClick(document.editor, Qt.Key.Key_S, CTRL)
    desk.rig.until(lambda: other.with_name(".dockerignore").exists())
    desk.rig.until(lambda: not document.modified)
    assert other.with_name(".dockerignore").read_text() == "big"
    front = desk.pane.document
    assert front is not None
    assert front.text() == "FROM scratch\n"
    QTest.keyClick(document.editor, Qt.Key.Key_Z, CTRL)
    assert document.text() == ""
    assert document.modified


def test_what_was_typed_for_one_build_waits_while_another_is_looked_at(
    desk: Desk, view: ContextView
) -> None:
    mine = view.ignore.document
    assert mine is not None
    mine.set_text("mine\n")
    (desk.folder / "other").mkdir()
    (desk.folder / "other" / "Dockerfile").write_text("FROM scratch\n")
    desk.open("other/Dockerfile")
    desk.rig.until(lambda: view.ignore.document is not mine and view.ignore.document is not None)
    assert "not saved" in (view.may_close() or "")
    desk.open()
    desk.rig.until(lambda: view.ignore.document is mine)
    assert view.rules_text() == "mine\n"


def test_a_file_made_meanwhile_is_not_written_over(desk: Desk, view: ContextView) -> None:
    document = view.ignore.document
    assert document is not None
    document.stamp = None
    document.set_text("mine\n")
    view.ignore.save()
    desk.rig.until(lambda: document.view.bars.count() == 1)
    assert (desk.folder / ".dockerignore").read_text() == RULES
    item = document.view.bars.itemAt(0)
    assert item is not None
    bar = item.widget()
    keep = next(b for b in bar.buttons if b.text() == "Keep mine")
    QTest.mouseClick(keep, Qt.MouseButton.LeftButton)
    view.ignore.save()
    desk.rig.until(lambda: (desk.folder / ".dockerignore").read_text() == "mine\n")


def test_the_dockerfiles_own_rules_come_first(desk: Desk, tmp_path: Path) -> None:
    (desk.folder / "Dockerfile.dockerignore").write_text("app.py\n")
    desk.open()
    view = shown(desk)
    desk.rig.until(lambda: view.ignore.path is not None)
    assert view.ignore.path == desk.folder / "Dockerfile.dockerignore"
    assert state(view, "app.py") == "none"
    (desk.folder / "Dockerfile.dockerignore").unlink()
    assert ignore_file(desk.folder, desk.folder / "Dockerfile")[0].name == ".dockerignore"


def test_the_file_in_front_may_be_the_rules_themselves(desk: Desk) -> None:
    put(desk.folder, {".dockerignore": RULES, "a.log": "1"})
    document = desk.open(".dockerignore")
    view = shown(desk)
    assert not view.ignore.isVisible()
    assert state(view, "a.log") == "none"
    document.set_text("")
    settled(desk, view)
    assert state(view, "a.log") == "all"
    choose(view, "a.log")
    view.foot.leave_asked.emit()
    assert document.text() == "a.log\n"


def test_what_can_not_be_read_is_said_and_can_be_tried_again(desk: Desk) -> None:
    document = desk.open()
    document.set_context_folder(desk.folder / "gone")
    view = desk.pane.show_view("context")
    assert isinstance(view, ContextView)
    desk.rig.until(lambda: view.empty.isVisible() and view.empty.buttons())
    assert "no folder" in view.empty._title.text()
    (desk.folder / "gone").mkdir()
    QTest.mouseClick(view.empty.buttons()[0], Qt.MouseButton.LeftButton)
    desk.rig.until(lambda: view.look.verdict is not None)
    assert view.summary.text() == "0 B in 0 files sent"


def test_paths_complete_and_signs_are_explained(desk: Desk, view: ContextView) -> None:
    language = IgnoreLanguage(view._paths)
    found = language.complete("a\n!stat", 1, 5)
    assert [item.text for item in found.items] == ["static/"]
    assert (found.start, found.end) == (1, 5)
    assert [i.text for i in language.complete("static/", 0, 7).items] == ["static/logo.svg"]
    assert not language.complete("# sta", 0, 5).items
    card = language.explain("**/*.md", 0, 1)
    assert card is not None
    assert card.title == "**"
    assert language.explain("# a", 0, 1) is None
    kinds = [span.kind for span in language.scan_line("!a/*.md", None)[0]]
    assert kinds == ["keyword", "variable"]
    assert [s.kind for s in language.scan_line("# a", None)[0]] == ["comment"]
    assert list(language.scan_line(" # a", None)[0]) == []


def test_tiles_fill_the_area_and_hold_their_shares() -> None:
    sizes = [60.0, 30.0, 6.0, 4.0]
    area = QRectF(0, 0, 200, 100)
    places = list(squarified(sizes, area))
    assert [round(p.width() * p.height()) for p in places] == [12000, 6000, 1200, 800]
    for place in places:
        assert area.adjusted(-0.01, -0.01, 0.01, 0.01).contains(place)
    for one, place in enumerate(places):
        for other in places[one + 1 :]:
            both = place.intersected(other)
            assert both.width() * both.height() < 0.01
    many = together([Tile(1, "a", "", 1000, 0), *(Tile(n, "x", "", 1, 0) for n in range(2, 5))])
    assert [tile.name for tile in many] == ["a", "3 more"]
    assert not together([Tile(1, "a", "", 0, 0)])


def test_nothing_open_says_so(desk: Desk) -> None:
    document = desk.pane.workspace.new()
    view = desk.pane.show_view("context")
    assert isinstance(view, ContextView)
    assert view.empty.isVisible()
    assert document.context_folder is None
    assert not view.warnings()


# What is said of it elsewhere.


def test_secrets_are_told_on_the_tab_before_it_is_opened_and_in_the_build_form(desk: Desk) -> None:
    put(desk.folder, {".env": "PASSWORD=1", "id_rsa": "x", ".dockerignore": ""})
    document = desk.open()
    desk.rig.until(lambda: len(desk.pane.alerts.warnings) == 2)
    bar = desk.pane.beside._bar
    assert "Context  2 !" in [bar.tabText(at) for at in range(bar.count())]
    assert title_of(desk.pane.alerts.warnings) == "2 secrets would be sent"
    desk.rig.connect()
    desk.pane.builds.open_form(document)
    form = dialog(desk.rig, BuildDialog)
    item = form.messages.itemAt(0)
    assert item is not None
    assert "2 secrets would be sent" in item.widget().text()
    form.reject()
    desk.pane.launcher.build_and_run(document)
    desk.rig.until(lambda: any("secrets" in n.title for n in desk.rig.notices.shown))
    desk.rig.settle()
    # What the view finds out while rules are typed counts at once.
    view = shown(desk)
    view.secrets._on_leave()
    desk.rig.until(lambda: not desk.pane.alerts.warnings)
    desk.rig.until(lambda: "Context" in [bar.tabText(at) for at in range(bar.count())])


def test_a_large_context_is_looked_at_in_two_steps(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_alerts, "_AT_ONCE", 2)
    put(desk.folder, {"z/.env": "PASSWORD=1"})
    desk.open()
    desk.rig.until(lambda: [w.path for w in desk.pane.alerts.warnings] == ["z/.env"])
    many = tuple(ContextWarning(f"f{n}", f"f{n} is.", "bad") for n in range(9))
    assert title_of(many) == "The build context needs a look"
    assert detail_of(many).splitlines()[-1] == "and 5 more"
    assert title_of(()) == ""
