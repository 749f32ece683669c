"""What takes up the disk, and what was done: both panes as a user works them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from dockdesk.core.actions import AuditEntry, Equivalent
from dockdesk.core.errors import RemoteError, UnreachableError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import DiskSlice
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.panes.command_log.pane import CommandLogPane, EntryView
from dockdesk.ui.panes.disk.pane import DiskPane, use_text
from dockdesk.ui.widgets.labels import PlainLabel
from tests.fakes import FakeEngine
from tests.ui.doubles import environment
from tests.ui.panes.hands import Hands, dialog
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")


@pytest.fixture
def disk(rig: Rig) -> Hands:
    return Hands.on(rig, DiskPane)


def act(hands: Hands, id: str) -> None:
    """A button of the header."""
    hands.pane.bound[id].trigger()


# Disk.


def test_the_largest_comes_first_with_cards_and_a_chart(disk: Hands, rig: Rig) -> None:
    pane = disk.pane
    assert isinstance(pane, DiskPane)
    assert disk.names()[:2] == ["old_uploads", "shop_db"]
    assert pane._chart.isVisible()
    assert pane._bar.accessibleName().startswith("Images 3.76 GB")
    assert list(pane.cards._cards) == ["images", "containers", "volumes", "build cache"]
    assert "3.1 GB can be freed" in pane.cards._cards["volumes"].accessibleName()


def test_space_is_freed_as_the_form_says(disk: Hands, rig: Rig) -> None:
    rig.asker.values = {"containers": True, "images": "images", "cache": True, "volumes": False}
    act(disk, "disk.free")
    rig.until(lambda: len(rig.audit.entries) == 3)
    assert disk.logged() == [
        "docker container prune --force",
        "docker image prune --all --force",
        "docker builder prune --all --force",
    ]
    assert disk.calls("prune_volumes") == []
    question = rig.asker.questions[0]
    assert "for good" in question.consequence
    assert "Free space: done" in disk.titles()


def test_it_is_measured_again_after_changes_but_only_while_shown(disk: Hands, rig: Rig) -> None:
    pane = disk.pane
    assert isinstance(pane, DiskPane)
    pane._settle.setInterval(30)

    def measured() -> int:
        """How often, once that has come to rest."""
        rig.until(lambda: not pane._settle.isActive())
        rig.settle()
        return len(disk.calls("disk_usage"))

    heard = events_of(rig)
    rig.engine.prune_volumes(True)
    rig.until(lambda: not disk.has("old_uploads") and heard == ["destroy", "destroy"])
    before = measured()
    rig.engine.emit("container", "exec_start: sh", "a" * 64)
    rig.until(lambda: heard[-1] == "exec_start: sh")
    assert not pane._settle.isActive()
    pane.hide()
    rig.engine.emit("image", "delete", "sha256:1")
    rig.until(lambda: heard[-1] == "delete")
    assert not pane._settle.isActive()
    assert measured() == before
    pane.show()
    rig.until(lambda: measured() == before + 1)


def events_of(rig: Rig) -> list[str]:
    """What is heard of from now on."""
    heard: list[str] = []
    rig.session.event_arrived.connect(lambda event: heard.append(event.action))
    return heard


def test_single_things_are_shown_and_removed(disk: Hands, rig: Rig) -> None:
    disk.double_click("shop_db")
    assert rig.navigator.went == [("open", ResourceRef("volume", "shop_db", "shop_db"))]
    menu = disk.menu("shop_db")
    remove = next(action for action in menu.actions() if action.text() == "Remove…")
    assert not remove.isEnabled()
    menu.close()
    disk.do("old_uploads", "Remove…")
    rig.until(lambda: disk.calls("remove_volume"))
    rig.until(lambda: disk.logged() == ["docker volume rm old_uploads"])
    menu = disk.menu("COPY . /app")
    assert not any(action.isEnabled() for action in menu.actions() if action.text() == "Remove…")
    menu.close()


def test_a_measure_that_fails_says_so(rig: Rig) -> None:
    rig.engine.faults["disk_usage"] = RemoteError("Not measured", "500")
    pane = DiskPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.connect()
    rig.until(lambda: pane.body.message is not None)
    del rig.engine.faults["disk_usage"]
    message = pane.body.message
    assert message is not None
    QTest.mouseClick(message.buttons()[0], Qt.MouseButton.LeftButton)
    rig.until(lambda: pane.model.total > 0)
    rig.engine.faults["disk_usage"] = RemoteError("Not measured", "500")
    pane.reload()
    rig.until(lambda: rig.notices.shown and rig.notices.shown[-1].title == "Not measured")
    assert pane.model.total > 0


# The command log.


def entry(number: int, cli: str, outcome: str = "ok", error: str = "") -> AuditEntry:
    return AuditEntry(
        1_780_000_000.0 + number,
        "workshop",
        "container.stop",
        f"Stop thing {number}",
        f"thing-{number}",
        Equivalent(cli, f"client.stop({number})", f"POST /{number}"),
        outcome,
        error,
        0.25,
    )


@pytest.fixture
def log(rig: Rig) -> Hands:
    for number in range(5):
        rig.audit.record(entry(number, f"docker stop thing-{number}"))
    rig.audit.record(entry(5, "docker rm 'a b'", "failed", "It is in use"))
    pane = CommandLogPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.resize(1100, 700)
    pane.show()
    rig.until(lambda: pane.selected())
    return Hands(rig, pane)


def test_the_newest_line_comes_first_and_new_ones_appear(log: Hands, rig: Rig) -> None:
    assert log.names()[0] == "Stop thing 5"
    rig.audit.record(entry(6, "docker start x"))
    rig.until(lambda: log.names()[0] == "Stop thing 6")
    log.pane.set_filter("failed")
    rig.until(lambda: log.names() == ["Stop thing 5"])


def test_a_line_is_shown_in_all_its_forms_with_its_failure(log: Hands, rig: Rig) -> None:
    log.choose("Stop thing 5")
    view = log.pane.detail.view()
    assert isinstance(view, EntryView)
    assert "It is in use" in view._outcome.text()
    assert view._commands.text.toPlainText() == "docker rm 'a b'"
    view._commands.set_tool("sdk")
    assert view._commands.text.toPlainText() == "client.stop(5)"


def test_chosen_lines_are_copied_in_the_order_they_were_done(log: Hands, rig: Rig) -> None:
    log.choose("Stop thing 3", "Stop thing 1")
    log.do("Stop thing 3", "Copy commands")
    assert QGuiApplication.clipboard().text() == "docker stop thing-1\ndocker stop thing-3"
    log.do("Stop thing 3", "Copy as Python")
    assert QGuiApplication.clipboard().text() == "client.stop(1)\nclient.stop(3)"


def save_as(rig: Rig, path: Path) -> None:
    """Answer the open file dialog."""
    found = dialog(rig, QFileDialog)
    found.fileSelected.emit(str(path))
    found.reject()


def test_it_is_exported_as_a_script_that_a_shell_can_read(
    log: Hands, rig: Rig, tmp_path: Path
) -> None:
    log.pane.set_filter("thing-3")
    act(log, "log.export_script")
    target = tmp_path / "steps.sh"
    save_as(rig, target)
    rig.until(lambda: "Exported" in log.titles())
    text = target.read_text()
    assert "docker stop thing-3" in text
    assert "thing-2" not in text
    assert os.access(target, os.X_OK)
    subprocess.run(["sh", "-n", str(target)], check=True)


def test_it_is_exported_as_markdown(log: Hands, rig: Rig, tmp_path: Path) -> None:
    log.choose("Stop thing 2", "Stop thing 4")
    act(log, "log.export_markdown")
    target = tmp_path / "steps.md"
    save_as(rig, target)
    rig.until(lambda: "Exported" in log.titles())
    text = target.read_text()
    assert text.index("thing-2") < text.index("thing-4")
    assert "thing-3" not in text


def test_an_export_that_can_not_be_written_is_told(log: Hands, rig: Rig, tmp_path: Path) -> None:
    act(log, "log.export_script")
    save_as(rig, tmp_path / "nowhere" / "steps.sh")
    rig.until(lambda: "The log could not be exported" in log.titles())


def test_an_empty_log_has_nothing_to_export(rig: Rig) -> None:
    pane = CommandLogPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    assert pane.body.message is not None or pane.body.loading
    pane.bound["log.export_script"].trigger()
    assert rig.notices.shown[-1].title == "Nothing to export"


def test_lines_of_the_past_come_with_the_archive(rig: Rig) -> None:
    audit = AuditLog(rig.jobs)
    audit.record(entry(1, "docker stop now"))
    pane = CommandLogPane(replace(rig.context, audit=audit))
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.archive.add(entry(-100, "docker pull old"))
    audit.set_archive(rig.archive)
    rig.until(lambda: [row.title for row in pane.model.shown_rows()]
              == ["Stop thing 1", "Stop thing -100"])  # fmt: skip


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (DiskSlice("images", 4, 2, 100, 40), "40 B can be freed"),
        (DiskSlice("containers", 9, 6, 59, 0), "6 of 9 in use"),
        (DiskSlice("volumes", 2, 2, 10, 0), "all of 2 in use"),
        (DiskSlice("build cache", 0, 0, 0, 0), "nothing there"),
    ],
)
def test_a_card_says_what_is_in_use(part: DiskSlice, text: str) -> None:
    assert use_text(part) == text


def test_the_command_log_is_there_without_an_engine(rig: Rig) -> None:
    pane = CommandLogPane(rig.context)
    rig.qtbot.addWidget(pane)
    pane.show()
    rig.session.connect_to(environment(), refuse)
    rig.until(lambda: rig.session.error is not None)
    message = pane.body.message
    assert message is not None
    assert "Nothing done yet" in [label.text() for label in message.findChildren(PlainLabel)]


def refuse(_work: object) -> FakeEngine:
    raise UnreachableError("Nobody answers")
