"""QActions made from declarations: enabled states, reasons, menus and what can be copied."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from dockdesk.ui.actions.bound import BoundActions, tip
from tests.ui.actions.conftest import Bench
from tests.ui.actions.test_runner import PRUNE, STOP, named


@pytest.fixture
def owner(qtbot: Any) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def bind(
    bench: Bench, theme: Any, owner: QWidget, rows: list[Any]
) -> tuple[BoundActions, list[Any]]:
    did: list[Any] = []
    made = BoundActions(
        theme, [STOP, PRUNE], bench.runner.refusal, lambda: rows,
        lambda action, chosen: did.append((action.id, list(chosen))), owner,
    )  # fmt: skip
    return made, did


def test_disabled_ones_say_why(bench: Bench, theme: Any, owner: QWidget) -> None:
    rows = named(bench, "migrate")
    bound, did = bind(bench, theme, owner, rows)
    assert not bound["container.stop"].isEnabled()
    assert "migrate is not running." in bound["container.stop"].toolTip()
    rows[:] = named(bench, "redis")
    bound.refresh()
    assert bound["container.stop"].isEnabled()
    bound["container.stop"].trigger()
    bound["container.prune"].trigger()
    assert did == [("container.stop", rows), ("container.prune", [])]


def test_copies_what_an_action_would_run(bench: Bench, theme: Any, owner: QWidget) -> None:
    bound, _did = bind(bench, theme, owner, named(bench, "redis"))
    menu = QMenu(owner)
    bound.fill_menu(menu)
    copy = next(a.menu() for a in menu.actions() if a.text() == "Copy as")
    cli = next(a.menu() for a in copy.actions() if a.text() == "CLI command")
    cli.aboutToShow.emit()
    cli.actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == "docker stop redis"
    api = next(a.menu() for a in copy.actions() if a.text() == "API request")
    api.aboutToShow.emit()
    assert [a.text() for a in api.actions()] == ["Nothing to copy"]
    menu.clear()


def test_tooltips_take_outside_text_as_plain() -> None:
    assert "<script>" not in tip("<script>", "a<b>")
    assert "a&lt;b&gt;" in tip("x", "a<b>")
