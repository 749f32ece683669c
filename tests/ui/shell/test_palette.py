"""The palette finds, explains and runs; it gives the focus back."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from dockdesk.ui.shell.palette.candidates import Candidate
from dockdesk.ui.shell.palette.palette import CommandPalette


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    made = QWidget()
    QVBoxLayout(made).addWidget(QLineEdit(made))
    made.resize(900, 600)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


class Shown:
    def __init__(
        self, qtbot: Any, theme: Any, window: QWidget, candidates: list[Candidate]
    ) -> None:
        self.did: list[str] = []
        self.palette = CommandPalette(theme, lambda: candidates, window)
        self.field = self.palette._field
        self.model = self.palette._model
        self._qtbot = qtbot
        self.palette.open()

    def type(self, text: str) -> list[str]:
        self.field.setText(text)
        self._qtbot.waitUntil(lambda: self.model._search is None, timeout=10_000)
        return [self.model.candidate(row).title for row in range(self.model.rowCount())]

    def key(self, key: Qt.Key) -> None:
        self._qtbot.keyClick(self.field, key)


@pytest.fixture
def shown(qtbot: Any, theme: Any, window: QWidget) -> Shown:
    did: list[str] = []
    candidates = [
        Candidate("Restart", "Container", "refresh", lambda: did.append("restart"), shortcut="R"),
        Candidate("Remove…", "Container", "trash", lambda: did.append("remove"),
                  reason="Nothing is selected."),
        Candidate("Containers", "Go to", "box", lambda: did.append("containers")),
        *(Candidate(f"web-{n}", "Container", "box", lambda n=n: did.append(f"web-{n}"))
          for n in range(3000)),
    ]  # fmt: skip
    made = Shown(qtbot, theme, window, candidates)
    made.did = did
    return made


def test_finds_and_runs(shown: Shown) -> None:
    assert shown.type("resta")[0] == "Restart"
    shown.key(Qt.Key.Key_Return)
    assert shown.did == ["restart"]
    assert not shown.palette.isVisible()


def test_finds_among_thousands(shown: Shown) -> None:
    assert shown.type("web-2987")[0] == "web-2987"


def test_enter_does_what_fits_the_text_also_before_it_is_found(shown: Shown, qtbot: Any) -> None:
    shown.field.setText("web-2999")
    shown.key(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(shown.did), timeout=10_000)
    assert shown.did == ["web-2999"]


def test_section_completes_the_title(shown: Shown) -> None:
    assert "Remove…" in shown.type("container remove")


def test_what_is_said_beside_the_title_counts_only_as_whole_words(shown: Shown) -> None:
    assert shown.type("containers go") == ["Containers"]
    assert "Containers" not in shown.type("containers gt")


def test_what_cannot_be_done_is_listed_with_its_reason_and_not_run(shown: Shown) -> None:
    assert "Remove…" in shown.type("remove")
    text = shown.model.data(shown.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert "Nothing is selected." in text
    shown.key(Qt.Key.Key_Return)
    assert shown.did == []
    assert shown.palette.isVisible()


def test_keys_move_the_choice_and_wrap(shown: Shown) -> None:
    shown.type("web")
    shown.key(Qt.Key.Key_Up)
    last = shown.model.rowCount() - 1
    assert shown.palette._list.currentIndex().row() == last
    shown.key(Qt.Key.Key_Down)
    assert shown.palette._list.currentIndex().row() == 0


def test_escape_gives_the_focus_back(qtbot: Any, theme: Any, window: QWidget) -> None:
    field = window.findChild(QLineEdit)
    field.setFocus()
    made = Shown(qtbot, theme, window, [])
    made.type("nothing like it")
    assert made.palette._nothing.isVisible()
    made.key(Qt.Key.Key_Escape)
    assert not made.palette.isVisible()
    assert window.focusWidget() is field


def test_escape_gives_it_back_though_something_else_comes_next(
    qtbot: Any, theme: Any, window: QWidget
) -> None:
    """Qt moves the focus on from what is hidden, to the next in its order."""
    others = [QLineEdit(window) for _ in range(3)]
    made = Shown(qtbot, theme, window, [])
    made.key(Qt.Key.Key_Escape)
    for other in others:
        other.show()
        other.setFocus()
        made.palette.open()
        assert not other.hasFocus()
        made.key(Qt.Key.Key_Escape)
        assert window.focusWidget() is other


def test_used_ones_come_first_next_time(shown: Shown) -> None:
    shown.type("web-17")
    shown.key(Qt.Key.Key_Return)
    shown.palette.open()
    assert shown.type("")[0] == "web-17"
    shown.palette.shut()


def test_a_click_beside_the_card_shuts_it(shown: Shown, qtbot: Any) -> None:
    qtbot.mouseClick(
        shown.palette, Qt.MouseButton.LeftButton, pos=shown.palette.rect().bottomLeft()
    )
    assert not shown.palette.isVisible()
