"""Questions are asked in proportion to the harm, and forms never lose what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QListView, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from dockdesk.core.actions import Action, Danger, Equivalent
from dockdesk.core.environments import Confirmation, Environment, Guard
from dockdesk.core.errors import ConflictError, InvalidInputError
from dockdesk.core.forms import Field, Form
from dockdesk.ui.actions.questions import Question
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.confirm import ConfirmDialog
from dockdesk.ui.widgets.dialogs import FormDialog
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.labels import PlainLabel

RM = Equivalent("docker rm web", "client.remove_container('web')", "DELETE /containers/web")


def words_of(widget: QWidget) -> str:
    labels = widget.findChildren(PlainLabel)
    return "\n".join(label.text() for label in labels if label.isVisibleTo(widget))


def button_of(widget: QWidget, text: str) -> QPushButton:
    return next(
        item
        for item in widget.findChildren(QPushButton)
        if item.text() == text and item.isVisibleTo(widget)
    )


def question(targets: int, danger: Danger, guard: Guard = Guard.NORMAL) -> Question:
    environment = Environment("docker:x", "docker", "prod", "unix://", guard=guard)
    action: Action[Any] = Action("container.remove", "Remove…", "trash", danger=danger)
    return Question(
        action,
        tuple(f"web-{number}" for number in range(targets)),
        skipped=2,
        consequence="Gone for good.",
        environment=environment,
        kind=environment.confirmation(danger),
        equivalents=(RM,),
    )


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    window = QWidget()
    window.resize(900, 700)
    qtbot.addWidget(window)
    return window


def asked(
    qtbot: QtBot, theme: Theme, parent: QWidget, what: Question
) -> tuple[ConfirmDialog, list[str]]:
    dialog = ConfirmDialog.for_question(theme, what, parent)
    said: list[str] = []
    dialog.confirmed.connect(lambda: said.append("yes"))
    dialog.rejected.connect(lambda: said.append("no"))
    dialog.open()
    qtbot.waitExposed(dialog)
    return dialog, said


def test_enter_does_no_harm_where_something_is_destroyed(
    qtbot: QtBot, theme: Theme, parent: QWidget
) -> None:
    dialog, said = asked(qtbot, theme, parent, question(3, Danger.DESTROYS))
    words = words_of(dialog)
    assert "Remove: 3 selected?" in words
    assert "Gone for good." in words
    assert "2 chosen rows are left out" in words
    assert dialog.agree.property("look") == "danger"
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert said == ["no"]


def test_enter_agrees_to_what_can_be_undone(qtbot: QtBot, theme: Theme, parent: QWidget) -> None:
    dialog, said = asked(qtbot, theme, parent, question(1, Danger.DISRUPTS))
    assert "Remove: web-0?" in words_of(dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert said == ["yes"]


def test_escape_is_no(qtbot: QtBot, theme: Theme, parent: QWidget) -> None:
    dialog, said = asked(qtbot, theme, parent, question(1, Danger.DISRUPTS))
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert said == ["no"]


def test_the_name_has_to_be_typed_where_it_is_protected(
    qtbot: QtBot, theme: Theme, parent: QWidget
) -> None:
    what = question(1, Danger.DESTROYS, Guard.PROTECTED)
    assert what.kind is Confirmation.TYPE_NAME
    dialog, said = asked(qtbot, theme, parent, what)
    assert "prod (protected)" in words_of(dialog)
    assert not dialog.agree.isEnabled()
    qtbot.keyClicks(dialog.field, "web-")
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert not said
    qtbot.keyClicks(dialog.field, "0")
    assert dialog.agree.isEnabled()
    dialog.agree.click()
    assert said == ["yes"]


def test_all_names_are_listed_however_many(qtbot: QtBot, theme: Theme, parent: QWidget) -> None:
    dialog, _said = asked(qtbot, theme, parent, question(5000, Danger.DESTROYS))
    names = dialog.findChild(QListView)
    assert names is not None
    assert names.model().rowCount() == 5000
    assert names.height() < 300
    button_of(dialog, "Show as commands").click()
    view = dialog.findChild(EquivalentView)
    assert view is not None
    assert view.isVisibleTo(dialog)
    assert view.text.toPlainText() == RM.cli
    dialog.reject()


def test_equivalents_of_each_tool_are_copied(qtbot: QtBot, theme: Theme) -> None:
    view = EquivalentView(theme)
    qtbot.addWidget(view)
    view.set_equivalents([], "Fill in the form.")
    assert not button_of(view, "Copy").isEnabled()
    view.set_equivalents([RM, Equivalent("docker volume rm data")])
    button_of(view, "Copy").click()
    assert QGuiApplication.clipboard().text() == "docker rm web\ndocker volume rm data"
    view.set_tool("api")
    assert view.text.toPlainText() == "DELETE /containers/web"
    view.set_equivalents([Equivalent("docker volume rm data")])
    assert "no API request" in view.text.toPlainText()


FORM = Form(
    "Rename", [Field("name", "Name", required=True), Field("note", "Note")], submit="Rename"
)


def form_dialog(
    qtbot: QtBot, theme: Theme, parent: QWidget, **more: Any
) -> tuple[FormDialog, list[Mapping[str, Any]]]:
    dialog = FormDialog(theme, FORM, parent=parent, **more)
    submitted: list[Mapping[str, Any]] = []
    dialog.submitted.connect(submitted.append)
    dialog.open()
    qtbot.waitExposed(dialog)
    return dialog, submitted


def test_a_form_is_submitted_once_nothing_is_wrong(
    qtbot: QtBot, theme: Theme, parent: QWidget
) -> None:
    dialog, submitted = form_dialog(qtbot, theme, parent)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert not submitted
    assert "Name is needed." in words_of(dialog)
    qtbot.keyClicks(dialog.view.editor("name").input(), "api")
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert submitted == [{"name": "api", "note": ""}]
    assert not dialog.isVisible()


def test_the_preview_follows_what_is_typed(qtbot: QtBot, theme: Theme, parent: QWidget) -> None:
    dialog, _submitted = form_dialog(
        qtbot,
        theme,
        parent,
        preview=lambda values: [Equivalent(f"docker rename web {values['name']}")],
    )
    text = dialog.equivalents.text
    assert text.toPlainText() == ""
    qtbot.keyClicks(dialog.view.editor("name").input(), "api")
    qtbot.waitUntil(lambda: text.toPlainText() == "docker rename web api", timeout=10_000)
    dialog.view.set_values({"name": ""})
    qtbot.waitUntil(lambda: text.toPlainText() == "", timeout=10_000)
    dialog.reject()


def test_escape_asks_before_what_was_typed_is_lost(
    qtbot: QtBot, theme: Theme, parent: QWidget
) -> None:
    dialog, _submitted = form_dialog(qtbot, theme, parent)
    qtbot.keyClicks(dialog.view.editor("note").input(), "hours of work")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: "Discard what you typed?" in words_of(dialog), timeout=10_000)
    button_of(dialog, "Keep editing").click()
    assert "Discard what you typed?" not in words_of(dialog)
    assert dialog.view.values()["note"] == "hours of work"
    dialog.close()
    assert dialog.isVisible(), "the window's close button asks too"
    qtbot.waitUntil(lambda: "Discard what you typed?" in words_of(dialog), timeout=10_000)
    button_of(dialog, "Discard").click()
    assert not dialog.isVisible()


def test_an_untouched_form_closes_at_once(qtbot: QtBot, theme: Theme, parent: QWidget) -> None:
    dialog, _submitted = form_dialog(qtbot, theme, parent)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_failure_comes_back_to_what_was_typed(
    qtbot: QtBot, theme: Theme, parent: QWidget
) -> None:
    dialog, submitted = form_dialog(qtbot, theme, parent, stays=True)
    qtbot.keyClicks(dialog.view.editor("name").input(), "api")
    dialog.submit.click()
    assert submitted
    assert not dialog.submit.isEnabled()
    dialog.show_error(ConflictError("The container is gone", "404", "Reload the list."))
    assert dialog.submit.isEnabled()
    qtbot.waitUntil(lambda: "Reload the list." in words_of(dialog), timeout=10_000)
    dialog.show_error(InvalidInputError("The name is taken", field="name"))
    assert "The name is taken" in words_of(dialog)
    assert "Reload the list." not in words_of(dialog)
    assert dialog.view.values()["name"] == "api"
    dialog.close_done()
    assert not dialog.isVisible()
