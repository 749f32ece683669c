"""What stands where content would, and messages."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from dockdesk.core.errors import UnreachableError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.notice import ErrorCard, Notice
from dockdesk.ui.widgets.spinner import Spinner

ERROR = UnreachableError("No answer", "dial unix: <b>no such file</b>", "Start the engine.")


def words_of(widget: QWidget) -> str:
    labels = widget.findChildren(PlainLabel)
    return "\n".join(label.text() for label in labels if label.isVisibleTo(widget))


def button_of(widget: QWidget, text: str) -> QPushButton:
    found = [
        item
        for item in widget.findChildren(QPushButton)
        if item.text() == text and item.isVisibleTo(widget)
    ]
    assert len(found) == 1, f"{text}: {len(found)}"
    return found[0]


def test_an_empty_state_says_what_to_do(qtbot: QtBot, theme: Theme) -> None:
    done: list[str] = []
    state = EmptyState(
        theme,
        "box",
        "No containers yet",
        "Run an image.",
        [StateButton("Run image", lambda: done.append("run"), "primary")],
    )
    qtbot.addWidget(state)
    assert words_of(state) == "No containers yet\nRun an image."
    state.buttons()[0].click()
    assert done == ["run"]
    state.show_error(ERROR, [StateButton("Try again", lambda: done.append("again"))])
    assert words_of(state) == f"No answer\n{ERROR.detail}\nStart the engine."
    assert [button.text() for button in state.buttons()] == ["Try again"]
    state.show_message("box", "Nothing")
    assert words_of(state) == "Nothing"
    assert not state.buttons()


def test_loading_shows_late_and_stops_when_hidden(qtbot: QtBot, theme: Theme) -> None:
    state = LoadingState(theme, "Reading…")
    qtbot.addWidget(state)
    state.show()
    qtbot.waitExposed(state)
    assert words_of(state) == ""
    qtbot.waitUntil(lambda: words_of(state) == "Reading…", timeout=10_000)
    spinner = state.findChild(Spinner)
    assert spinner is not None
    timer = spinner.findChild(QTimer)
    assert timer is not None
    assert timer.isActive()
    theme.set_motion("off")
    assert not timer.isActive(), "nothing moves where reduced motion is asked for"
    theme.set_motion("on")
    assert timer.isActive()
    state.hide()
    assert not timer.isActive()


def test_a_failure_card_can_be_copied_and_retried(qtbot: QtBot, theme: Theme) -> None:
    tried: list[None] = []
    card = ErrorCard(theme, ERROR, [StateButton("Try again", lambda: tried.append(None))])
    qtbot.addWidget(card)
    button_of(card, "Try again").click()
    button_of(card, "Copy").click()
    assert tried == [None]
    expected = f"No answer\n{ERROR.detail}\nStart the engine."
    assert QGuiApplication.clipboard().text() == expected


def test_a_long_detail_is_folded_until_asked(qtbot: QtBot, theme: Theme) -> None:
    detail = "first line\n" + "\n".join(f"line {number}" for number in range(40))
    card = ErrorCard(theme, UnreachableError("No answer", detail))
    qtbot.addWidget(card)
    assert card.detail.text() == "first line"
    assert card.text() == f"No answer\n{detail}"
    button_of(card, "Details").click()
    assert card.detail.text() == detail
    blank = ErrorCard(theme, UnreachableError("No answer", "\n" * 300))
    qtbot.addWidget(blank)
    assert blank.title.text() == "No answer"


def test_only_harmless_notices_leave_by_themselves(qtbot: QtBot, theme: Theme) -> None:
    good, bad = Notice(theme, "Pulled", tone="good"), Notice(theme, "Failed", "why", tone="bad")
    for notice in (good, bad):
        qtbot.addWidget(notice)
        timer = notice.findChild(QTimer)
        assert timer is not None
        timer.setInterval(10)
    left: list[str] = []
    good.closed.connect(lambda: left.append("good"))
    bad.closed.connect(lambda: left.append("bad"))
    for notice in (bad, good):
        notice.move(400, 400)  # away from the pointer, which keeps a notice
        notice.show()
    qtbot.waitUntil(lambda: left == ["good"], timeout=10_000)
    assert not [
        item for item in good.findChildren(Button) if item.text() == "Copy" and item.isVisible()
    ]
    good.hide()
    bad.hide()


def test_long_words_of_an_empty_state_are_all_seen(qtbot: QtBot, theme: Theme) -> None:
    state = EmptyState(theme, "box", "Nothing here", "It can't be done for this reason. " * 6)
    qtbot.addWidget(state)
    state.resize(1200, 600)
    state.show()
    label = next(item for item in state.findChildren(PlainLabel) if item.text().startswith("It"))
    assert label.height() >= label.heightForWidth(label.width()) > 2 * label.fontMetrics().height()


def test_an_empty_state_stays_inside_a_narrow_place(qtbot: QtBot, theme: Theme) -> None:
    place = QWidget()
    qtbot.addWidget(place)
    text = "It appears once something is made."
    state = EmptyState(theme, "box", "Nothing is here yet", text, parent=place)
    place.resize(900, 400)
    state.resize(260, 400)
    place.show()
    label = next(label for label in state.findChildren(PlainLabel) if label.text() == text)

    def centred() -> bool:
        left = label.mapTo(state, label.rect().topLeft()).x()
        return left >= 0 and abs(left + label.width() / 2 - state.width() / 2) <= 1

    # It is laid out in turns.
    qtbot.waitUntil(lambda: label.width() < 260 and centred(), timeout=10_000)
    state.resize(900, 400)
    qtbot.waitUntil(lambda: label.width() > 260, timeout=10_000)


def test_words_in_a_tone_follow_the_theme(qtbot: QtBot, theme: Theme) -> None:
    label = PlainLabel(theme, "3", tone="warn")
    qtbot.addWidget(label)
    label.show()
    before = theme.tone("warn").name()
    theme.set_mode("light" if theme.is_dark else "dark")
    theme.settle()
    assert theme.tone("warn").name() != before
    assert label.palette().color(label.foregroundRole()) == theme.tone("warn")
