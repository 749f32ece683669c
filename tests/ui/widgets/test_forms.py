"""Forms keep what was typed, say what is wrong where it is wrong, and look choices up off the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import InvalidInputError, UnreachableError
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.forms import FormView
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.path_field import PathField

NETWORKS = (Choice("bridge", "Bridge"), Choice("host", "Host"))


def shown_words(view: FormView) -> list[str]:
    return [label.text() for label in view.findChildren(PlainLabel) if label.isVisibleTo(view)]


def view_of(qtbot: QtBot, theme: Theme, *fields: Field, **more: Any) -> FormView:
    jobs, backend = more.pop("jobs", None), more.pop("backend", None)
    view = FormView(theme, Form("A form", fields, **more), jobs, backend)
    qtbot.addWidget(view)
    return view


EVERY_KIND = (
    Field("text", "Name", default="web"),
    Field("lines", "Environment", FieldKind.MULTILINE, default="A=1\nB=2"),
    Field("number", "Memory", FieldKind.NUMBER, default=512, unit="MB"),
    Field("decimal", "CPUs", FieldKind.DECIMAL, default=1.5),
    Field("check", "TTY", FieldKind.CHECK, default=True),
    Field("choice", "Network", FieldKind.CHOICE, default="host", choices=NETWORKS),
    Field("free", "Restart", FieldKind.EDITABLE_CHOICE, default="host", choices=NETWORKS),
    Field("secret", "Password", FieldKind.SECRET, default="hunter2"),
    Field("open", "Env file", FieldKind.OPEN_FILE, default="/etc/env"),
    Field("save", "Archive", FieldKind.SAVE_FILE, default="/tmp/a.tar"),
    Field("folder", "Folder", FieldKind.FOLDER, default="/srv"),
)


def test_every_kind_of_field_holds_its_value(qtbot: QtBot, theme: Theme) -> None:
    assert {field.kind for field in EVERY_KIND} == set(FieldKind)
    view = view_of(qtbot, theme, *EVERY_KIND)
    assert view.values() == {field.id: field.default for field in EVERY_KIND}
    assert not view.modified()
    other = {
        "text": "api",
        "lines": "C=3",
        "number": 7,
        "decimal": 0.25,
        "check": False,
        "choice": "bridge",
        "free": "on-failure:3",
        "secret": "",
        "open": "/etc/other",
        "save": "b.tar",
        "folder": "",
        "unknown": "passed over",
    }
    view.set_values(other)
    other.pop("unknown")
    assert view.values() == other
    assert view.modified()
    view.set_unmodified()
    assert not view.modified()


def test_values_outside_of_the_choices_are_kept(qtbot: QtBot, theme: Theme) -> None:
    view = view_of(
        qtbot, theme, Field("net", "Network", FieldKind.CHOICE, "macvlan-7", choices=NETWORKS)
    )
    assert view.values() == {"net": "macvlan-7"}


def test_a_field_is_checked_when_it_is_left(qtbot: QtBot, theme: Theme) -> None:
    check = lambda value: None if value.isalnum() else "Only letters and digits."  # noqa: E731
    view = view_of(
        qtbot,
        theme,
        Field("name", "Name", required=True, check=check, help="Your choice."),
        Field("other", "Other"),
    )
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow, timeout=10_000)
    name, other = view.editor("name").input(), view.editor("other").input()
    name.setFocus()
    other.setFocus()
    assert "Name is needed." not in shown_words(view), "passing through is no mistake"
    name.setFocus()
    qtbot.keyClicks(name, "a b")
    assert "Only letters and digits." not in shown_words(view), "not while typing"
    other.setFocus()
    assert "Only letters and digits." in shown_words(view)
    assert name.property("invalid") is True
    name.setFocus()
    qtbot.keyClick(name, Qt.Key.Key_Backspace)
    qtbot.keyClick(name, Qt.Key.Key_Backspace)
    assert "Only letters and digits." not in shown_words(view), "mended: said at once"
    assert "Your choice." in shown_words(view)
    assert name.property("invalid") is False


def test_accept_shows_all_and_goes_to_the_first(qtbot: QtBot, theme: Theme) -> None:
    view = view_of(
        qtbot,
        theme,
        Field("fine", "Fine", default="x"),
        Field("image", "Image", required=True),
        Field("cpus", "CPUs", FieldKind.DECIMAL, required=True),
    )
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow, timeout=10_000)
    assert view.accept() is None
    assert {"Image is needed.", "CPUs is needed."} <= set(shown_words(view))
    qtbot.waitUntil(lambda: QApplication.focusWidget() is view.editor("image").input())
    view.set_values({"image": "nginx", "cpus": "2"})
    assert view.accept() == {"fine": "x", "image": "nginx", "cpus": 2.0}
    assert "Image is needed." not in shown_words(view)


@pytest.mark.parametrize(
    ("kind", "typed", "value", "problem"),
    [
        (FieldKind.NUMBER, "12", 12, None),
        (FieldKind.NUMBER, " 10 000 ", 10_000, None),
        (FieldKind.NUMBER, "", "", None),
        (FieldKind.NUMBER, "12x", "12x", "Size must be a whole number."),
        (FieldKind.NUMBER, "1.5", "1.5", "Size must be a whole number."),
        (FieldKind.NUMBER, "5", 5, "Size must be at least 6."),
        (FieldKind.NUMBER, "9" * 30, int("9" * 30), "Size must be at most 1e+06."),
        (FieldKind.DECIMAL, "8,5", 8.5, None),
        (FieldKind.DECIMAL, "1e400", "1e400", "Size must be a number."),
        (FieldKind.DECIMAL, "nan", "nan", "Size must be a number."),
        (FieldKind.DECIMAL, "-1", -1.0, "Size must be at least 6."),
    ],
)
def test_numbers(
    qtbot: QtBot, theme: Theme, kind: FieldKind, typed: str, value: Any, problem: str | None
) -> None:
    view = view_of(qtbot, theme, Field("size", "Size", kind, minimum=6, maximum=1_000_000))
    field = view.editor("size").input()
    assert isinstance(field, QLineEdit)
    field.setText(typed)
    assert view.values() == {"size": value}
    assert view.problems() == ({} if problem is None else {"size": problem})
    view.accept()
    assert field.text() == typed, "what was typed stays as it was typed"


def test_keys_step_numbers_within_their_bounds(qtbot: QtBot, theme: Theme) -> None:
    view = view_of(qtbot, theme, Field("n", "N", FieldKind.NUMBER, 9, minimum=8, maximum=10))
    field = view.editor("n").input()
    for key, expected in ((Qt.Key.Key_Up, 10), (Qt.Key.Key_Up, 10), (Qt.Key.Key_Down, 9)):
        qtbot.keyClick(field, key)
        assert view.values() == {"n": expected}


def test_a_form_checks_its_fields_together(qtbot: QtBot, theme: Theme) -> None:
    def together(values: Any) -> dict[str, str]:
        return {"to": "Must be after the start."} if values["to"] < values["from"] else {}

    view = view_of(
        qtbot, theme, Field("from", "From", default="b"), Field("to", "To", default="a"),
        check=together,
    )  # fmt: skip
    assert view.accept() is None
    assert "Must be after the start." in shown_words(view)
    view.set_values({"to": "c"})
    assert view.accept() == {"from": "b", "to": "c"}


def test_failures_that_name_a_field_are_shown_there(qtbot: QtBot, theme: Theme) -> None:
    view = view_of(qtbot, theme, Field("name", "Name", default="web"))
    taken = InvalidInputError("The name is taken", "by container 4f5e", field="name")
    assert view.show_error(taken)
    assert "The name is taken by container 4f5e" in shown_words(view)
    assert not view.show_error(InvalidInputError("Other", field="elsewhere"))
    assert not view.show_error(UnreachableError("No answer"))
    assert view.values() == {"name": "web"}


def test_choices_are_looked_up_off_the_gui_thread(qtbot: QtBot, theme: Theme, jobs: Jobs) -> None:
    asked: list[tuple[Any, str]] = []
    go = threading.Event()

    def look_up(backend: Any) -> Sequence[Choice]:
        asked.append((backend, threading.current_thread().name))
        assert go.wait(30)
        return [Choice("db", "Database"), Choice("web", "Web")]

    fields = (
        Field("net", "Network", FieldKind.CHOICE, required=True, choices_from=look_up),
        Field("free", "Image", FieldKind.EDITABLE_CHOICE, choices_from=look_up),
    )
    view = view_of(qtbot, theme, *fields, jobs=jobs, backend="the engine")
    free = view.editor("free").input()
    assert isinstance(free, QComboBox)
    assert any("Looking up" in words for words in shown_words(view))
    qtbot.keyClicks(free.lineEdit(), "my own")
    go.set()
    qtbot.waitUntil(lambda: free.count() == 2, timeout=10_000)
    assert view.values()["free"] == "my own", "what was typed meanwhile stays"
    qtbot.waitUntil(lambda: not any("Looking up" in words for words in shown_words(view)))
    assert [backend for backend, _thread in asked] == ["the engine"] * 2
    assert threading.main_thread().name not in {thread for _backend, thread in asked}
    view.set_values({"net": "web", "free": "db"})
    assert view.values() == {"net": "web", "free": "db"}
    assert free.currentText() == "Database"


def test_a_failed_look_up_is_told_and_can_be_tried_again(
    qtbot: QtBot, theme: Theme, jobs: Jobs
) -> None:
    answers: list[Any] = [UnreachableError("The engine is away"), [Choice("a", "A")]]

    def look_up(_backend: Any) -> Sequence[Choice]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    view = view_of(qtbot, theme, Field("x", "X", FieldKind.CHOICE, choices_from=look_up), jobs=jobs)
    said = "The choices could not be looked up: The engine is away"
    qtbot.waitUntil(lambda: said in shown_words(view), timeout=10_000)
    view._rows["x"].again.click()
    combo = view.editor("x").input()
    assert isinstance(combo, QComboBox)
    qtbot.waitUntil(lambda: combo.count() == 1, timeout=10_000)
    assert said not in shown_words(view)
    assert not view.modified(), "choices that arrive are no change of the user's"


def test_secrets_are_not_seen_while_typed(qtbot: QtBot, theme: Theme) -> None:
    view = view_of(qtbot, theme, Field("secret", "Password", FieldKind.SECRET))
    field = view.editor("secret").input()
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "hunter2")
    assert field.displayText() != "hunter2"
    eye = field.actions()[0]
    eye.trigger()
    assert field.displayText() == "hunter2"
    eye.trigger()
    assert field.displayText() != "hunter2"


def test_paths_are_dropped_and_written_out(qtbot: QtBot, theme: Theme, isolated_user: Path) -> None:
    view = view_of(qtbot, theme, Field("file", "File", FieldKind.OPEN_FILE, default="~/a.env"))
    assert view.values() == {"file": str(isolated_user / "a.env")}
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/x"), QUrl.fromLocalFile("/srv/b c.env")])
    target = view.editor("file").input().parentWidget()
    drop = QDropEvent(
        QPoint(4, 4),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    assert isinstance(target, PathField)
    target.dropEvent(drop)
    assert view.values() == {"file": "/srv/b c.env"}


def test_words_are_plain_and_known_to_screen_readers(qtbot: QtBot, theme: Theme) -> None:
    view = view_of(
        qtbot,
        theme,
        Field("a", "<b>Name</b>", help="<i>help</i>"),
        Field("b", "Tick & tie", FieldKind.CHECK),
        Field("c", "Lines", FieldKind.MULTILINE),
        intro="<img src=x>",
    )
    assert {"<b>Name</b>", "<i>help</i>", "<img src=x>"} <= set(shown_words(view))
    assert view.editor("a").input().accessibleName() == "<b>Name</b>"
    assert view.editor("a").input().accessibleDescription() == "<i>help</i>"
    tick = view.editor("b").input()
    assert isinstance(tick, QCheckBox)
    assert tick.text() == "Tick && tie"
    lines = view.editor("c").input()
    assert isinstance(lines, QPlainTextEdit)
    assert lines.tabChangesFocus()
