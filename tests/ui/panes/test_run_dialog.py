"""The run form: filled by hand, from a command, a Compose file, a preset or a container, and never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget

from dockdesk.core.environments import Guard
from dockdesk.core.errors import RemoteError
from dockdesk.core.settings import Settings
from dockdesk.ui.panes.containers.pane import ContainersPane
from dockdesk.ui.panes.containers.run_dialog import RunDialog
from dockdesk.ui.panes.containers.run_sources import free_name
from dockdesk.ui.widgets.dialogs import FormDialog
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.notice import MessageCard
from tests.ui.doubles import environment
from tests.ui.panes.hands import Hands, dialog, drop, open_dialogs, pick, popup, texts
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

LEFT = Qt.MouseButton.LeftButton

COMPOSE = """
name: shop
services:
  web:
    image: nginx:${TAG:-1}
    ports: ["8080:80"]
    environment:
      LEVEL: ${LEVEL}
  db:
    image: postgres:16
    volumes: ["data:/var/lib/postgresql/data"]
volumes:
  data:
"""


@pytest.fixture
def hands(rig: Rig, tmp_path: Path) -> Iterator[Hands]:
    rig.settings._path = tmp_path / "settings.json"
    yield Hands.on(rig, ContainersPane)
    for left in open_dialogs():
        left.hide()
        left.deleteLater()


@pytest.fixture
def form(hands: Hands, rig: Rig) -> RunDialog:
    hands.press("Ctrl+N")
    return dialog(rig, RunDialog)


def editor(form: RunDialog, name: str) -> QWidget:
    return form.sections.editor(name).input()


def fill(form: RunDialog, **values: Any) -> None:
    """As if typed: fields tell that they changed."""
    for name, value in values.items():
        form.sections.editor(name).set_value(value)
    form.sections.changed.emit()


def click(form: QWidget, title: str) -> None:
    """A button of the dialog."""
    button = next(b for b in form.findChildren(QPushButton) if b.text() == title)
    QTest.mouseClick(button, LEFT)


def said(form: RunDialog) -> str:
    """The message above the buttons."""
    QApplication.processEvents()  # a widget that joins a layout is shown a moment later
    cards = [card for card in form.findChildren(MessageCard) if not card.isHidden()]
    return cards[-1].text() if cards else ""


def command(form: RunDialog) -> str:
    return form.preview.text.toPlainText()


def test_the_command_grows_as_the_form_is_filled(form: RunDialog, rig: Rig) -> None:
    assert command(form) == ""
    assert form.preview.text.placeholderText() == "Image is needed."
    field = editor(form, "image").findChild(QLineEdit)
    assert isinstance(field, QLineEdit)
    field.setFocus()
    QTest.keyClicks(field, "nginx:1.27")
    rig.until(lambda: command(form).endswith("nginx:1.27"))
    fill(form, name="web", ports="8080:80\n8443:443", env="A=b c", memory="512m")
    rig.until(lambda: "--memory" in command(form))
    assert "-p 8080:80" in command(form) or "--publish 8080:80" in command(form)
    assert "'A=b c'" in command(form)
    form.preview.set_tool("api")
    assert "POST /containers/create" in command(form)


def test_run_makes_the_container_and_says_so(form: RunDialog, hands: Hands, rig: Rig) -> None:
    fill(form, image="nginx:1.27", name="fresh", ports="8081:80")
    click(form, "Run")
    rig.until(lambda: hands.has("fresh"))
    spec = hands.calls("run_container")[0][0]
    assert (spec.image, spec.name, spec.ports) == ("nginx:1.27", "fresh", ("8081:80",))
    rig.until(lambda: "fresh: running" in hands.titles())
    rig.notices.shown[-1].actions[0].run()
    assert rig.navigator.went[-1][1].name == "fresh"
    assert hands.logged()[0].startswith("docker run")
    rig.until(lambda: not open_dialogs())


def test_create_only_does_not_start(form: RunDialog, hands: Hands, rig: Rig) -> None:
    fill(form, image="nginx:1.27", name="idle")
    click(form, "Create only")
    rig.until(lambda: hands.has("idle"))
    assert hands.calls("run_container") == []
    assert hands.row("idle").container.state == "created"
    rig.until(lambda: hands.logged()[0].startswith("docker create"))


def test_problems_are_shown_at_their_fields_and_sections(form: RunDialog, rig: Rig) -> None:
    fill(form, image="Not An Image", ports="abc", memory="1k")
    rig.until(lambda: not form._timer.isActive())
    click(form, "Run")
    assert said(form).startswith("3 fields need a look")
    assert form.sections.list.currentRow() == 0
    assert _wrong(form, "ports")
    marked = [
        form.sections.list.item(row).text()
        for row in range(form.sections.list.count())
        if form.sections.list.item(row).data(Qt.ItemDataRole.AccessibleDescriptionRole)
    ]
    assert marked == ["General", "Ports and network", "Limits and restart"]
    fill(form, image="nginx", ports="80:80", memory="")
    rig.until(lambda: command(form))
    click(form, "Run")
    rig.until(lambda: not open_dialogs())


def _wrong(form: RunDialog, name: str) -> bool:
    return form.sections.form_of(name)._rows[name].wrong


def test_a_name_that_is_taken_is_told_before_it_fails(form: RunDialog, rig: Rig) -> None:
    fill(form, image="redis:7", name="redis")
    rig.until(lambda: "already" in form.preview.text.placeholderText())
    click(form, "Run")
    assert open_dialogs() == [form]
    assert _wrong(form, "name")


def test_images_and_networks_are_offered(form: RunDialog, rig: Rig) -> None:
    rig.until(lambda: rig.session.loaded("images") and rig.session.loaded("networks"))
    image, network = editor(form, "image"), editor(form, "network")
    rig.until(lambda: image.findText("postgres:16") >= 0)  # type: ignore[attr-defined]
    rig.until(lambda: network.findText("shop_default") >= 0)  # type: ignore[attr-defined]
    fill(form, image="half/typed")
    rig.engine.tag("node:20", "new:1")
    rig.until(lambda: image.findText("new:1") >= 0)  # type: ignore[attr-defined]
    assert form.values()["image"] == "half/typed"


def test_a_pasted_command_fills_the_form(form: RunDialog, rig: Rig) -> None:
    QGuiApplication.clipboard().setText(
        "docker run -d --name web \\\n  -p 8080:80 -e KEY=value -v data:/srv --restart=always \\\n"
        "  --mount type=npipe,source=x,target=y nginx:1.27 nginx -g 'daemon off;'"
    )
    form.head.paste.setFocus()
    form.head.paste.paste()
    QTest.keyClick(form.head.paste, Qt.Key.Key_Return)
    rig.until(lambda: form.values()["image"] == "nginx:1.27")
    values = form.values()
    assert (values["name"], values["ports"], values["env"]) == ("web", "8080:80", "KEY=value")
    assert (values["volumes"], values["restart"]) == ("data:/srv", "always")
    assert values["command"] == "nginx -g 'daemon off;'"
    assert form.head.paste.text() == ""
    assert "Filled in from the command." in said(form)
    assert "npipe" in said(form)


def test_what_can_not_be_read_stays_and_says_why(form: RunDialog, rig: Rig) -> None:
    fill(form, image="kept:1")
    form.head.paste.setText("docker run -e 'A nginx")
    QTest.keyClick(form.head.paste, Qt.Key.Key_Return)
    rig.until(lambda: "can't be read" in said(form))
    assert form.head.paste.text() == "docker run -e 'A nginx"
    assert form.values()["image"] == "kept:1"


def test_a_dropped_compose_file_asks_for_its_service(
    form: RunDialog, rig: Rig, tmp_path: Path
) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(COMPOSE)
    (tmp_path / ".env").write_text("TAG=1.27\nLEVEL=debug\n")
    assert not drop(form, tmp_path / ".env")
    assert drop(form, path)
    menu = popup(rig)
    assert texts(menu) == ["web  (nginx:1.27)", "db  (postgres:16)"]
    pick(menu, "web  (nginx:1.27)")
    rig.until(lambda: form.values()["image"] == "nginx:1.27")
    assert form.values()["env"] == "LEVEL=debug"
    assert form.values()["ports"] == "8080:80"


def test_a_compose_file_on_the_list_opens_the_form(hands: Hands, rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "one.yml"
    path.write_text("services:\n  only:\n    image: redis:7\n")
    assert drop(hands.pane, path)
    form = dialog(rig, RunDialog)
    rig.until(lambda: form.values()["image"] == "redis:7")
    assert "“only”" in said(form)


def test_a_compose_file_that_is_none_says_why(form: RunDialog, rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    path.write_text("services: [")
    drop(form, path)
    rig.until(lambda: said(form))
    form.head.read_compose(tmp_path / "gone.yml")
    rig.until(lambda: "can't be read" in said(form))


def test_presets_are_kept_without_secrets_and_removed(form: RunDialog, rig: Rig) -> None:
    fill(form, image="nginx:1.27", name="web-kept", env="TOKEN=hunter2\nLEVEL=info")
    menu = form.head.presets
    menu.aboutToShow.emit()
    rig.settle()
    next(action for action in menu.actions() if action.text().startswith("Keep")).trigger()
    ask = dialog(rig, FormDialog)
    assert ask.view.values() == {"name": "web-kept"}
    QTest.mouseClick(ask.submit, LEFT)
    rig.until(lambda: "Kept as “web-kept”." in said(form))
    assert "TOKEN" in said(form)
    assert rig.settings.path is not None
    kept = rig.settings.path.with_name("run-presets.json").read_text()
    assert "hunter2" not in kept
    assert json.loads(kept)["web-kept"]["image"] == "nginx:1.27"
    fill(form, image="other:1", name="", env="")
    menu.aboutToShow.emit()
    rig.until(lambda: menu.actions()[0].text() == "web-kept")
    menu.actions()[0].trigger()
    assert form.values()["image"] == "nginx:1.27"
    assert form.values()["env"] == "TOKEN=\nLEVEL=info"
    remove = next(action.menu() for action in menu.actions() if action.text() == "Remove")
    remove.actions()[0].trigger()  # type: ignore[attr-defined]
    rig.until(lambda: menu.actions()[0].text() == "No presets kept yet")


def test_presets_that_can_not_be_read_are_told(form: RunDialog, rig: Rig) -> None:
    assert rig.settings.path is not None
    rig.settings.path.with_name("run-presets.json").write_text("{")
    form.head.presets.aboutToShow.emit()
    rig.until(lambda: "The run presets can't be read" in [n.title for n in rig.notices.shown])


def test_a_run_that_fails_opens_again_with_everything_typed(
    form: RunDialog, hands: Hands, rig: Rig
) -> None:
    rig.engine.faults["run_container"] = RemoteError("It did not start", "port is taken")
    fill(form, image="nginx:1.27", name="fresh", ports="80:80", env="A=1", user="nobody")
    values = form.values()
    click(form, "Run")
    rig.until(lambda: "It did not start" in hands.titles())
    rig.until(lambda: not open_dialogs())
    change = next(a for a in rig.notices.shown[-1].actions if a.title == "Change…")
    change.run()
    again = dialog(rig, RunDialog)
    assert again.values() == values
    click(again, "Cancel")
    assert "Discard" in said(again)


def test_what_was_typed_is_only_thrown_away_on_purpose(form: RunDialog, rig: Rig) -> None:
    fill(form, image="nginx:1.27")
    QTest.keyClick(form, Qt.Key.Key_Escape)
    assert "Discard what you filled in?" in said(form)
    click(form, "Keep editing")
    assert said(form) == ""
    form.close()
    assert form.isVisible()
    click(form, "Discard")
    rig.until(lambda: not open_dialogs())


def test_an_untouched_form_closes_at_once(form: RunDialog, rig: Rig) -> None:
    QTest.keyClick(form, Qt.Key.Key_Escape)
    rig.until(lambda: not open_dialogs())


def test_a_guard_refuses_in_the_form_and_nothing_is_lost(
    form: RunDialog, hands: Hands, rig: Rig
) -> None:
    rig.session.remark(environment(Guard.READ_ONLY))
    fill(form, image="nginx:1.27")
    click(form, "Run")
    assert "read-only" in said(form)
    assert form.isVisible()
    rig.session.remark(environment(Guard.PROTECTED))
    rig.asker.agree = False
    click(form, "Run")
    assert rig.asker.questions
    assert form.isVisible()
    assert form.values()["image"] == "nginx:1.27"
    rig.asker.agree = True
    click(form, "Run")
    rig.until(lambda: hands.calls("run_container"))


def test_run_again_begins_with_what_the_container_has(hands: Hands, rig: Rig) -> None:
    hands.do("redis", "Run again with changes…")
    form = dialog(rig, RunDialog)
    values = form.values()
    assert (values["image"], values["command"]) == ("redis:7-alpine", "redis-server")
    assert values["name"] == "redis-2"
    assert "redis still exists" in said(form)
    heading = form.findChild(PlainLabel)
    assert heading is not None
    assert heading.text() == "Run redis again"
    QTest.keyClick(form, Qt.Key.Key_Escape)
    rig.until(lambda: not open_dialogs())


@pytest.mark.parametrize(
    ("name", "taken", "free"),
    [
        ("", {"a"}, ""),
        ("web", {"a"}, "web"),
        ("web", {"web"}, "web-2"),
        ("web", {"web", "web-2", "web-3"}, "web-4"),
        ("worker-1", {"worker-1", "worker-2"}, "worker-3"),
        ("-1", {"-1"}, "-1-2"),
    ],
)
def test_a_free_name(name: str, taken: set[str], free: str) -> None:
    assert free_name(name, taken) == free


def test_settings_without_a_file_keep_no_presets(rig: Rig) -> None:
    assert Settings().path is None
    rig.connect()
    parent = QWidget()
    rig.qtbot.addWidget(parent)
    form = RunDialog(rig.context, parent=parent)
    keep = next(a for a in form.head.presets.actions() if a.text().startswith("Keep"))
    assert not keep.isEnabled()


COMMAND = "docker run -d \\\n  --name pasted \\\n  nginx:1.27"


@pytest.mark.parametrize("where", ["paste", "image"])
def test_a_pasted_command_needs_no_enter(form: RunDialog, rig: Rig, where: str) -> None:
    field = form.head.paste
    if where == "image":
        inside = editor(form, "image")
        field = inside if isinstance(inside, QLineEdit) else inside.findChildren(QLineEdit)[0]
    QGuiApplication.clipboard().setText(COMMAND)
    field.paste()
    rig.until(lambda: form.values()["name"] == "pasted")
    assert form.values()["image"] == "nginx:1.27"
    assert form.head.paste.text() == ""


def test_a_pasted_command_that_cannot_be_read_is_kept_to_be_mended(
    form: RunDialog, rig: Rig
) -> None:
    QGuiApplication.clipboard().setText("docker run --nonsense nginx")
    inside = editor(form, "image")
    field = inside if isinstance(inside, QLineEdit) else inside.findChildren(QLineEdit)[0]
    field.paste()
    rig.until(lambda: form.findChildren(MessageCard))
    assert form.head.paste.text() == "docker run --nonsense nginx"
    assert form.values()["image"] == ""


def test_a_command_that_is_typed_waits_for_enter(form: RunDialog) -> None:
    QTest.keyClicks(form.head.paste, "docker run nginx")
    assert form.head.paste.text() == "docker run nginx"
    assert form.values()["image"] == ""
