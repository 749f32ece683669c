"""From a folder without a Dockerfile to one with it, under the hands of a user."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.refs import ResourceRef
from dockdesk.dockerfile.lint.rules import check
from dockdesk.dockerfile.syntax import parse
from dockdesk.ui.panes.dockerfiles import wizard_files
from dockdesk.ui.panes.dockerfiles.bars import FileBar
from dockdesk.ui.panes.dockerfiles.compare import CompareDialog
from dockdesk.ui.panes.dockerfiles.wizard import ProjectWizard
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import FormDialog
from dockdesk.ui.widgets.notice import MessageCard
from tests.ui.panes.dockerfiles.conftest import Desk
from tests.ui.panes.hands import dialog, drop, open_dialogs

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "flask-shop"
    folder.mkdir()
    (folder / "requirements.txt").write_text("flask\ngunicorn\n")
    (folder / "app.py").write_text("from flask import Flask\napp = Flask(__name__)\n")
    (folder / "index.html").write_text("<p>")
    return folder


def opened(desk: Desk, folder: Path | None = None) -> ProjectWizard:
    desk.pane.starting.new_from_project(folder)
    return dialog(desk.rig, ProjectWizard)


def ready(desk: Desk, wizard: ProjectWizard) -> None:
    desk.rig.until(wizard.write_button.isEnabled)


def card(wizard: ProjectWizard) -> MessageCard:
    item = wizard.messages.itemAt(0)
    assert item is not None
    found = item.widget()
    assert isinstance(found, MessageCard)
    return found


def press(card: MessageCard, word: str) -> None:
    button = next(b for b in card.findChildren(Button) if b.text() == word)
    QTest.mouseClick(button, LEFT)


def test_a_dropped_folder_is_recognised_and_its_files_are_shown(desk: Desk, project: Path) -> None:
    wizard = opened(desk)
    assert not wizard.write_button.isEnabled()
    assert drop(wizard, project)
    ready(desk, wizard)
    assert wizard.kinds.titles() == ["Python (Flask, pip)", "Static site"]
    text = wizard.previews["Dockerfile"].text()
    assert text.startswith("# syntax=docker/dockerfile:1\n")
    assert '"gunicorn", "--bind", "0.0.0.0:8000"' in text
    assert "# Not root: who breaks out" in text
    assert "**/.env" in wizard.previews[".dockerignore"].text()
    assert wizard.previews["Dockerfile"].isReadOnly()
    wizard.reject()


def test_choices_change_the_draft_and_wrong_ones_stop_it(desk: Desk, project: Path) -> None:
    wizard = opened(desk, project)
    ready(desk, wizard)
    form = wizard._form
    assert form is not None
    form.editor("port").set_value("9000")
    form.editor("comments").set_value(False)
    form.editor("newest").set_value(False)
    desk.rig.until(lambda: "EXPOSE 9000" in wizard.previews["Dockerfile"].text())
    desk.rig.until(lambda: wizard.previews["Dockerfile"].text().startswith("FROM python:"))
    assert "#" not in wizard.previews["Dockerfile"].text()
    form.editor("port").set_value("no port")
    desk.rig.until(lambda: not wizard.write_button.isEnabled())
    form.editor("port").set_value("")
    ready(desk, wizard)
    desk.rig.until(lambda: "EXPOSE" not in wizard.previews["Dockerfile"].text())
    wizard.kinds.choose(1)
    desk.rig.until(lambda: "nginx" in wizard.previews["Dockerfile"].text())
    # How files are written outlasts the kind; what was chosen is not thrown away without a question.
    assert wizard._form is not None
    assert wizard._form.values()["newest"] is False
    wizard.reject()
    assert wizard.isVisible()
    press(card(wizard), "Discard")
    desk.rig.until(lambda: not open_dialogs())


def test_what_was_written_is_opened_and_can_be_run(desk: Desk, project: Path) -> None:
    desk.rig.connect()
    wizard = opened(desk, project)
    ready(desk, wizard)
    QTest.mouseClick(wizard.write_button, LEFT)
    desk.rig.until(lambda: desk.pane.document is not None and desk.pane.document.project == project)
    document = desk.pane.document
    assert document is not None
    assert document.path == project / "Dockerfile"
    assert (project / ".dockerignore").exists()
    assert not [p for p in check(parse(document.text())) if p.tone in {"bad", "warn"}]
    bar = document.view.bars.itemAt(0).widget()
    assert isinstance(bar, FileBar)
    QTest.mouseClick(bar.buttons[0], LEFT)
    desk.rig.until(lambda: desk.rig.navigator.went)
    (_word, ref) = desk.rig.navigator.went[-1]
    assert isinstance(ref, ResourceRef)
    assert ref.name == "flask-shop"


def test_write_build_and_run_is_one_click(desk: Desk, project: Path) -> None:
    desk.rig.connect()
    wizard = opened(desk, project)
    ready(desk, wizard)
    QTest.mouseClick(wizard.run_button, LEFT)
    desk.rig.until(lambda: any("is running" in n.title for n in desk.rig.notices.shown))
    spec = next(call[1] for call in desk.rig.engine.calls if call[0] == "build")
    assert spec.context == project
    assert spec.tags == ("flask-shop:latest",)
    assert any(c.name == "flask-shop" for c in desk.rig.engine.containers())


@pytest.mark.parametrize(
    ("word", "dockerfile", "ignore"),
    [("Keep it", "FROM mine\n", True), ("Replace it", None, True)],
)
def test_nothing_is_written_over_without_a_question(
    desk: Desk, project: Path, word: str, dockerfile: str | None, ignore: bool
) -> None:
    (project / "Dockerfile").write_text("FROM mine\n")
    wizard = opened(desk, project)
    ready(desk, wizard)
    QTest.mouseClick(wizard.write_button, LEFT)
    desk.rig.until(lambda: wizard.messages.count() == 1)
    asked = card(wizard)
    assert asked.title.text() == "There is Dockerfile already"
    assert (project / "Dockerfile").read_text() == "FROM mine\n"
    press(asked, "Compare")
    compared = dialog(desk.rig, CompareDialog)
    assert "+FROM mine" in compared.text.toPlainText()
    compared.reject()
    press(asked, word)
    desk.rig.until(lambda: not open_dialogs())
    desk.rig.until(lambda: desk.pane.document is not None)
    written = (project / "Dockerfile").read_text()
    assert written == dockerfile if dockerfile else written.startswith("# syntax=")
    assert (project / ".dockerignore").exists() is ignore


def test_the_same_once_more_asks_nothing(desk: Desk, project: Path) -> None:
    for _ in range(2):
        wizard = opened(desk, project)
        ready(desk, wizard)
        QTest.mouseClick(wizard.write_button, LEFT)
        desk.rig.until(lambda: not open_dialogs())
    desk.rig.until(lambda: desk.pane.document is not None)


def test_an_unknown_project_has_its_kind_chosen(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    wizard = opened(desk, tmp_path / "nothing")
    desk.rig.until(lambda: len(wizard.kinds.titles()) == 9)
    assert not wizard.write_button.isEnabled()
    wizard.kinds.choose(wizard.kinds.titles().index("Go"))
    ready(desk, wizard)
    assert "FROM --platform=$BUILDPLATFORM golang" in wizard.previews["Dockerfile"].text()
    wizard.folder.set_path(str(tmp_path / "gone"))
    assert not wizard.write_button.isEnabled()
    desk.rig.until(lambda: "no such folder" in wizard._empty._title.text())
    assert wizard.kinds.titles() == []
    wizard.reject()


def test_a_folder_that_can_not_be_written_says_so(
    desk: Desk, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> Path:
        raise InvalidInputError("The disk is full", "Nothing was written.")

    monkeypatch.setattr(wizard_files, "write", full)
    wizard = opened(desk, project)
    ready(desk, wizard)
    QTest.mouseClick(wizard.write_button, LEFT)
    desk.rig.until(lambda: wizard.messages.count() == 1)
    assert card(wizard).title.text() == "The disk is full"
    assert wizard.write_button.isEnabled()
    wizard.reject()


def test_opening_a_folder_without_a_dockerfile_offers_one(desk: Desk, project: Path) -> None:
    desk.pane.open_folder(project)
    page = desk.pane.start_page
    desk.rig.until(lambda: page.empty._title.text() == "flask-shop has no Dockerfile yet")
    QTest.mouseClick(page.empty.buttons()[0], LEFT)
    wizard = dialog(desk.rig, ProjectWizard)
    ready(desk, wizard)
    assert wizard.folder.path() == str(project)
    wizard.reject()
    desk.open()
    desk.pane.open_folder(project)
    desk.rig.until(lambda: desk.rig.notices.shown)
    notice = desk.rig.notices.shown[-1]
    assert notice.title == "flask-shop has no Dockerfile yet"
    notice.actions[0].run()
    again = dialog(desk.rig, ProjectWizard)
    ready(desk, again)
    again.reject()


def test_the_sample_builds_and_gives_the_editor_something_to_say(
    desk: Desk, tmp_path: Path
) -> None:
    target = tmp_path / "samples" / "hello-web"
    desk.pane.starting.try_sample()
    form = dialog(desk.rig, FormDialog)
    assert form.view.values()["folder"].endswith("dockdesk-samples/hello-web")
    form.view.set_values({"folder": str(desk.folder)})
    QTest.mouseClick(form.submit, LEFT)
    desk.rig.until(lambda: "can't be copied" in form.view._rows["folder"]._words.text())
    form.view.set_values({"folder": str(target)})
    QTest.mouseClick(form.submit, LEFT)
    desk.rig.until(lambda: desk.pane.document is not None)
    document = desk.pane.document
    assert document is not None
    assert document.path == target / "Dockerfile"
    found = check(parse(document.text()))
    assert not parse(document.text()).problems
    assert len(found) >= 4
    assert any(problem.fixes for problem in found)
    assert (target / "static" / "index.html").exists()
    with pytest.raises(InvalidInputError, match="not empty"):
        wizard_files.copy_sample(target)
    assert wizard_files.free_sample_folder().name == "hello-web"
    compile((target / "app.py").read_text(), "app.py", "exec")
