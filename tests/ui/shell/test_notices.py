from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QPushButton, QWidget

from dockdesk.core.errors import CancelledError, ConflictError
from dockdesk.ui.context import NoticeAction
from dockdesk.ui.shell.notices import BOUND, NoticeStack
from dockdesk.ui.widgets.notice import Notice


@pytest.fixture
def window(qtbot: Any) -> QWidget:
    made = QWidget()
    made.resize(900, 600)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def stack(theme: Any, window: QWidget) -> NoticeStack:
    return NoticeStack(theme, window, bottom=30)


def test_sits_in_the_lower_right_corner(stack: NoticeStack, window: QWidget) -> None:
    stack.show("Pulled", tone="good")
    box = stack.surface.geometry()
    assert box.right() < window.width()
    assert box.bottom() < window.height() - 30
    window.resize(700, 400)
    assert stack.surface.geometry().right() < 700


def test_is_as_high_as_its_texts(stack: NoticeStack, qtbot: Any) -> None:
    stack.show("One", "short")
    stack.show("Two", "a longer detail " * 8, "and what to do about it " * 6, tone="bad")

    def fits() -> bool:
        cards = [notice for notice, _key in stack._notices]
        return all(card.height() >= card.heightForWidth(card.width()) for card in cards)

    qtbot.waitUntil(fits, timeout=10_000)


def test_a_failure_says_all_and_cancelling_says_nothing(stack: NoticeStack) -> None:
    stack.failure(CancelledError())
    assert stack.texts() == []
    stack.failure(ConflictError("It failed", "because", "Do this."))
    assert stack.texts() == ["It failed\nbecause\nDo this."]


def test_the_same_is_not_shown_twice(stack: NoticeStack) -> None:
    stack.show("Lost", "the engine", tone="warn")
    stack.show("Other")
    stack.show("Lost", "the engine", tone="warn")
    assert stack.texts() == ["Other", "Lost\nthe engine"]


def test_passing_ones_make_room_for_failures(stack: NoticeStack) -> None:
    for number in range(3):
        stack.show(f"fine {number}", tone="good")
    for number in range(BOUND):
        stack.show(f"bad {number}", tone="bad")
    assert stack.texts() == [f"bad {number}" for number in range(BOUND)]


def test_its_button_acts_and_closes_it(stack: NoticeStack) -> None:
    did: list[int] = []
    stack.show("Failed", tone="bad", actions=[NoticeAction("Try again", lambda: did.append(1))])
    notice = stack.surface.findChild(Notice)
    again = next(b for b in notice.findChildren(QPushButton) if b.text() == "Try again")
    again.click()
    assert did == [1]
    assert stack.texts() == []
    assert not stack.surface.isVisible()


def test_buttons_keep_their_words_however_many_there_are(
    stack: NoticeStack, window: QWidget, qtbot: Any
) -> None:
    actions = [NoticeAction("Try again", print), NoticeAction("Change…", print)]
    stack.failure(ConflictError("It could not be pulled", "a long reason " * 20), actions)
    buttons = [b for b in stack.surface.findChildren(QPushButton) if b.isVisible() and b.text()]
    assert {b.text() for b in buttons} == {"Try again", "Change…", "Details", "Copy"}

    def whole() -> bool:
        inside = stack.surface.rect()
        return all(
            b.width() >= b.sizeHint().width()
            and inside.contains(b.mapTo(stack.surface, b.rect().bottomRight()))
            for b in buttons
        )

    qtbot.waitUntil(whole, timeout=10_000)
