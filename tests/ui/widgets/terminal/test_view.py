"""The terminal as a user meets it: keys, mouse, clipboard, search and the end of a session."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QInputMethodEvent,
    QInputMethodQueryEvent,
    QKeyEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from dockdesk.core.errors import RemoteError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.terminal import TerminalView
from dockdesk.ui.widgets.terminal.feed import HIGH_WATER, Feed

from .conftest import LONG, show, text_of

K, M = Qt.Key, Qt.KeyboardModifier
LEFT = Qt.MouseButton.LeftButton


def cell(view: TerminalView, column: int, row: int) -> QPoint:
    """The middle of a cell."""
    return view._canvas._cell_rect(column, row, 1).center()


def wheel(view: TerminalView, notches: int, modifiers: Qt.KeyboardModifier = M.NoModifier) -> None:
    canvas = view._canvas
    at = QPointF(cell(view, 3, 4))
    event = QWheelEvent(
        at,
        QPointF(canvas.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


# --- Output ---


def test_output_appears_and_answers_go_back(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    titles: list[str] = []
    bells: list[bool] = []
    view.title_changed.connect(titles.append)
    view.bell.connect(lambda: bells.append(True))
    show(qtbot, view, "hello\r\n\x1b]0;web\x07\x07\x1b[6n")
    assert text_of(view).startswith("hello")
    assert titles == ["web"]
    assert bells == [True]
    assert sent == [b"\x1b[2;1R"]


def test_output_fed_before_the_core_is_there_is_kept(qtbot: QtBot, theme: Theme) -> None:
    view = TerminalView(theme)
    qtbot.addWidget(view)
    view.feed(b"early")
    view.show()
    qtbot.waitUntil(lambda: "early" in text_of(view), timeout=LONG)
    view.close_terminal()


def test_a_flood_from_a_thread_is_bounded_and_complete(qtbot: QtBot, view: TerminalView) -> None:
    block = b"".join(b"\x1b[3%dmline %06d\x1b[0m\r\n" % (n % 8, n) for n in range(10_000))
    most = [0]

    def pour() -> None:
        for number in range(0, len(block), 16_384):
            view.feed(block[number : number + 16_384])
            most[0] = max(most[0], view._emulation.waiting)

    thread = threading.Thread(target=pour)
    thread.start()
    qtbot.waitUntil(lambda: not thread.is_alive() and view._emulation.waiting == 0, timeout=LONG)
    thread.join()
    view._canvas._refresh()
    assert "line 009999" in text_of(view)


def test_the_gui_thread_is_told_to_hold_back_and_never_held_up(
    qtbot: QtBot, view: TerminalView
) -> None:
    assert view.feed(b"x" * (HIGH_WATER // 2))
    assert not view.feed(b"y" * HIGH_WATER), "more than the bound"
    with qtbot.waitSignal(view.drained, timeout=LONG):
        pass
    assert view.feed(b"z")


def test_a_feeder_is_slowed_down_but_never_caught() -> None:
    feed = Feed()
    feed.put(b"x" * HIGH_WATER, wait=False)
    wake, room = feed.put(b"y", wait=True)  # returns although nobody reads
    assert (wake, room) == (False, False)
    assert feed.take() == b"x" * HIGH_WATER
    assert feed.put(b"z", wait=True) == (False, True)
    feed.close()
    assert feed.put(b"w", wait=True) == (False, False)
    assert feed.take() is None


def test_a_stream_can_feed_it(qtbot: QtBot, view: TerminalView) -> None:
    sink = view.sink()
    ends: list[object] = []
    sink.over.connect(ends.append)
    error = RemoteError("gone")

    def stream() -> None:
        sink.put([b"one ", b"two"])
        sink.ended(error)

    thread = threading.Thread(target=stream)
    thread.start()
    qtbot.waitUntil(lambda: bool(ends) and "one two" in text_of(view), timeout=LONG)
    thread.join()
    assert ends == [error]


def test_feeding_after_the_end_is_harmless(qtbot: QtBot, theme: Theme) -> None:
    view = TerminalView(theme)
    sink = view.sink()
    view.close_terminal()
    sink.put([b"late"])
    assert view.selected_text() == ""
    view.deleteLater()
    qtbot.waitUntil(lambda: QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete) is None)
    sink.put([b"later"])


def test_hostile_output_cannot_freeze_it(qtbot: QtBot, view: TerminalView) -> None:
    """The work between two looks at the clock is bounded, whatever the output."""
    show(qtbot, view, b"line\r\n" * 2000)
    for hostile in (b"A\x1b[65535b", b"\x1b[?40h\x1b[?3h\x1b[?3l", b"\x1bc", b"\x1b#8", b"\x1b[2J"):
        view.feed(hostile * 300)
        qtbot.waitUntil(lambda: view._emulation.waiting == 0, timeout=LONG)
    show(qtbot, view, b"\x1bcstill here")
    assert "still here" in text_of(view)
    assert view.emulator is not None
    assert (view.emulator.columns, view.emulator.rows) == view.grid


def test_nothing_is_read_for_painting_while_hidden(qtbot: QtBot, view: TerminalView) -> None:
    refreshed: list[bool] = []
    view.hide()
    view._canvas.refreshed.connect(lambda: refreshed.append(True))
    view.feed(b"unseen")
    qtbot.waitUntil(lambda: view._emulation.waiting == 0, timeout=LONG)
    assert not refreshed
    assert not view._canvas._blink_timer.isActive()
    view.show()
    qtbot.waitUntil(lambda: "unseen" in text_of(view), timeout=LONG)


def test_a_program_may_hold_painting_back_for_a_moment_only(
    qtbot: QtBot, view: TerminalView
) -> None:
    view.feed(b"\x1b[?2026hhalf a frame")
    qtbot.waitUntil(lambda: "half a frame" in text_of(view), timeout=LONG)


# --- Painting ---


def test_only_damaged_rows_are_painted(
    qtbot: QtBot, view: TerminalView, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(qtbot, view, b"\x1b[?25l" + b"row\r\n" * 10)
    qtbot.waitUntil(lambda: not view._canvas._frame_timer.isActive(), timeout=LONG)
    QApplication.processEvents()
    tops: set[int] = set()
    paint = view._canvas._painter.paint

    def record(painter, left, top, row, columns, matches) -> None:
        tops.add(top)
        paint(painter, left, top, row, columns, matches)

    monkeypatch.setattr(view._canvas._painter, "paint", record)
    show(qtbot, view, b"\x1b[6;1Hchanged")
    wanted = view._canvas._cell_rect(0, 5, 1).y()
    qtbot.waitUntil(lambda: wanted in tops, timeout=LONG)
    height = view._canvas._painter.metrics.cell_height
    assert {top for top in tops if abs(top - wanted) > height} <= {
        view._canvas._cell_rect(0, 10, 1).y()  # where the cursor was
    }


def test_every_kind_of_text_leaves_ink(qtbot: QtBot, view: TerminalView) -> None:
    pieces = [
        "plain",
        "\x1b[1mbold",
        "\x1b[9mx",
        "\x1b[4:3mx",
        "┌─┐",
        "▚",
        "漢",
        "e\u0301",
        "\x1b[53m ",
    ]
    show(qtbot, view, "\x1b[?25l" + "".join(f"{piece}\x1b[0m\r\n" for piece in pieces))
    image: QImage = view._canvas.grab().toImage()
    ground = image.pixelColor(1, 1)
    for row, piece in enumerate(pieces):
        rect = view._canvas._cell_rect(0, row, 2)
        inked = sum(
            image.pixelColor(x, y) != ground
            for x in range(rect.left(), rect.right() + 1)
            for y in range(rect.top(), rect.bottom() + 1)
        )
        assert inked > 3, repr(piece)


def test_the_theme_can_change_while_it_runs(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"text")
    before = view._canvas.grab().toImage().pixelColor(2, 2)
    theme = view._canvas._theme
    theme.set_mode("dark")
    after = view._canvas.grab().toImage().pixelColor(2, 2)
    assert before.lightness() > 200
    assert after.lightness() < 60
    assert b"rgb:1616/1a1a/2222" in view.emulator.write(b"\x1b]11;?\x07").answers


def test_zoom_changes_the_grid_and_tells(qtbot: QtBot, view: TerminalView) -> None:
    sizes: list[tuple[int, int]] = []
    view.resized.connect(lambda columns, rows: sizes.append((columns, rows)))
    columns = view.grid[0]
    wheel(view, 3, M.ControlModifier)
    assert view.grid[0] < columns
    qtbot.keyClick(view._canvas, K.Key_0, M.ControlModifier)
    assert view.grid[0] == columns
    assert sizes[-1] == view.grid
    assert (view.emulator.columns, view.emulator.rows) == view.grid


def test_resizing_is_told_once_it_settles(qtbot: QtBot, view: TerminalView) -> None:
    with qtbot.waitSignal(view.resized, timeout=LONG) as told:
        view.resize(500, 300)
    assert told.args == list(view.grid)
    assert view.grid[0] < 62


def test_the_cursor_rests_and_the_idle_terminal_has_no_timer(
    qtbot: QtBot, view: TerminalView, monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = view._canvas
    show(qtbot, view, b"$ ")
    monkeypatch.setattr(canvas, "hasFocus", lambda: True)
    canvas.focus_changed()
    assert canvas._blink_timer.isActive()
    for _ in range(40):
        canvas._on_blink()
    assert not canvas._blink_timer.isActive()
    assert canvas._cursor_lit
    canvas.rest_no_more()
    assert canvas._blink_timer.isActive()
    monkeypatch.setattr(canvas, "hasFocus", lambda: False)
    canvas.focus_changed()
    assert not canvas._blink_timer.isActive()


# --- Keys ---


def test_keys_reach_the_program_as_bytes(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    canvas = view._canvas
    qtbot.keyClicks(canvas, "ls")
    qtbot.keyClick(canvas, K.Key_Return)
    qtbot.keyClick(canvas, K.Key_C, M.ControlModifier)
    qtbot.keyClick(canvas, K.Key_Up)
    show(qtbot, view, b"\x1b[?1h")
    qtbot.keyClick(canvas, K.Key_Up)
    qtbot.keyClick(canvas, K.Key_Tab)
    assert sent == [b"l", b"s", b"\r", b"\x03", b"\x1b[A", b"\x1bOA", b"\t"]


def _override(
    view: TerminalView, key: Qt.Key, modifiers: Qt.KeyboardModifier, text: str = ""
) -> bool:
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key.value, modifiers, text)
    event.ignore()
    QApplication.sendEvent(view._canvas, event)
    return event.isAccepted()


def test_the_terminal_claims_its_keys_before_shortcuts_do(view: TerminalView) -> None:
    assert _override(view, K.Key_F, M.ControlModifier, "\x06")
    assert _override(view, K.Key_Slash, M.NoModifier, "/")
    assert _override(view, K.Key_F1, M.NoModifier)
    assert _override(view, K.Key_C, M.ControlModifier | M.ShiftModifier, "\x03"), "copies"
    assert not _override(view, K.Key_Tab, M.ControlModifier)
    assert not _override(view, K.Key_P, M.ControlModifier | M.ShiftModifier, "\x10")
    assert not _override(view, K.Key_F11, M.NoModifier)


def test_input_methods_and_dead_keys(qtbot: QtBot, view: TerminalView, sent: list[bytes]) -> None:
    composing = QInputMethodEvent("かん", [])
    QApplication.sendEvent(view._canvas, composing)
    assert sent == []
    assert view._canvas.preedit == "かん"
    view._canvas.grab()
    done = QInputMethodEvent("", [])
    done.setCommitString("漢é")
    QApplication.sendEvent(view._canvas, done)
    assert sent == ["漢é".encode()]
    assert view._canvas.preedit == ""
    query = QInputMethodQueryEvent(
        Qt.InputMethodQuery.ImEnabled | Qt.InputMethodQuery.ImCursorRectangle
    )
    QApplication.sendEvent(view._canvas, query)
    assert query.value(Qt.InputMethodQuery.ImEnabled) is True
    assert query.value(Qt.InputMethodQuery.ImCursorRectangle) == view._canvas.cursor_rect()


def test_typing_shows_what_comes_of_it(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"line\r\n" * 200)
    qtbot.keyClick(view._canvas, K.Key_PageUp, M.ShiftModifier)
    view._canvas._refresh()
    assert not view.emulator.scroll().at_end
    qtbot.keyClicks(view._canvas, "x")
    assert view.emulator.scroll().at_end


def test_focus_is_reported_where_it_was_asked_for(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    from PySide6.QtGui import QFocusEvent

    QApplication.sendEvent(view._canvas, QFocusEvent(QEvent.Type.FocusIn))
    assert sent == []
    show(qtbot, view, b"\x1b[?1004h")
    QApplication.sendEvent(view._canvas, QFocusEvent(QEvent.Type.FocusIn))
    QApplication.sendEvent(view._canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert sent == [b"\x1b[I", b"\x1b[O"]


# --- Mouse ---


def test_selecting_with_the_mouse_and_copying(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"one two/three\r\nsecond line\r\n")
    canvas = view._canvas
    qtbot.mousePress(canvas, LEFT, pos=cell(view, 0, 0) - QPoint(3, 0))
    qtbot.mouseMove(canvas, cell(view, 2, 0) + QPoint(3, 0))
    qtbot.mouseRelease(canvas, LEFT, pos=cell(view, 2, 0) + QPoint(3, 0))
    assert view.selected_text() == "one"
    qtbot.keyClick(canvas, K.Key_C, M.ControlModifier | M.ShiftModifier)
    assert QGuiApplication.clipboard().text() == "one"
    canvas._refresh()
    assert view.emulator.row(0).selected == (0, 2)


def test_double_and_triple_clicks(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"one two/three\r\n")
    canvas, at = view._canvas, cell(view, 6, 0)
    for wanted in ("", "two/three", "one two/three", ""):
        qtbot.mousePress(canvas, LEFT, pos=at)
        qtbot.mouseRelease(canvas, LEFT, pos=at)
        view._pointer._last_click = (time.monotonic(), at)  # however slow this machine is
        assert view.selected_text() == wanted


def test_dragging_beyond_the_edge_scrolls(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"".join(b"line %d\r\n" % n for n in range(300)))
    canvas = view._canvas
    qtbot.mousePress(canvas, LEFT, pos=cell(view, 4, 3))
    qtbot.mouseMove(canvas, QPoint(cell(view, 4, 0).x(), -30))
    qtbot.waitUntil(lambda: view.emulator.scroll().offset < 200, timeout=LONG)
    qtbot.mouseRelease(canvas, LEFT, pos=QPoint(10, -30))
    assert not view._pointer._autoscroll.isActive()
    assert view.selected_text().count("\n") > 60


def test_the_mouse_belongs_to_the_program_that_asked_for_it(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    show(qtbot, view, b"words here\x1b[?1002;1006h")
    canvas = view._canvas
    qtbot.mousePress(canvas, LEFT, pos=cell(view, 4, 2))
    qtbot.mouseMove(canvas, cell(view, 6, 2))
    qtbot.mouseMove(canvas, cell(view, 6, 2) + QPoint(1, 1))
    qtbot.mouseRelease(canvas, LEFT, pos=cell(view, 6, 2))
    wheel(view, -2)
    assert sent[0] == b"\x1b[<0;5;3M"
    assert sent[-3:] == [b"\x1b[<0;7;3m", b"\x1b[<65;4;5M", b"\x1b[<65;4;5M"]
    sent.clear()
    qtbot.mousePress(canvas, LEFT, M.ShiftModifier, cell(view, 0, 0) - QPoint(3, 0))
    qtbot.mouseMove(canvas, cell(view, 4, 0))
    qtbot.mouseRelease(canvas, LEFT, M.ShiftModifier, cell(view, 4, 0))
    assert sent == [], "with Shift the user selects"
    assert view.selected_text().startswith("word")


def test_the_wheel_scrolls_back_or_moves_a_pager(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    show(qtbot, view, b"line\r\n" * 200)
    wheel(view, 2)
    view._canvas._refresh()
    state = view.emulator.scroll()
    assert state.total - state.offset - state.shown == 6
    assert sent == []
    show(qtbot, view, b"\x1b[?1049h")
    wheel(view, -1)
    assert sent == [b"\x1b[B" * 3]


def test_the_scroll_bar_shows_where_one_is(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"line\r\n" * 200)
    bar = view._scroll_bar
    assert bar.maximum() > 150
    assert bar.value() == bar.maximum()
    bar.setValue(10)
    assert view.emulator.scroll().offset == 10
    qtbot.keyClick(view._canvas, K.Key_End, M.ControlModifier | M.ShiftModifier)
    assert view.emulator.scroll().at_end
    qtbot.keyClick(view._canvas, K.Key_Home, M.ControlModifier | M.ShiftModifier)
    assert view.emulator.scroll().offset == 0


# --- Pasting ---


def test_one_line_is_pasted_at_once(qtbot: QtBot, view: TerminalView, sent: list[bytes]) -> None:
    QGuiApplication.clipboard().setText("echo é\x1b[0m")
    qtbot.keyClick(view._canvas, K.Key_V, M.ControlModifier | M.ShiftModifier)
    assert sent == ["echo é[0m".encode()]
    assert not view._paste_bar.isVisible()


def test_several_lines_are_asked_about(qtbot: QtBot, view: TerminalView, sent: list[bytes]) -> None:
    view.paste_text("one\ntwo\n")
    assert sent == []
    assert view._paste_bar.isVisible()
    view._paste_bar.dismissed.emit()
    assert not view._paste_bar.isVisible()
    assert sent == []
    view.paste_text("one\n")
    assert "at once" in view._paste_bar.text
    qtbot.mouseClick(view._paste_bar.button, LEFT)
    assert sent == [b"one\r"]


def test_a_program_with_bracketed_paste_gets_lines_unasked(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    show(qtbot, view, b"\x1b[?2004h")
    view.paste_text("one\ntwo")
    assert sent == [b"\x1b[200~one\rtwo\x1b[201~"]


def test_output_cannot_reach_the_clipboard(qtbot: QtBot, view: TerminalView) -> None:
    QGuiApplication.clipboard().setText("mine")
    show(qtbot, view, b"\x1b]52;c;dGhlaXJz\x07\x1b]52;p;dGhlaXJz\x1b\\")
    assert QGuiApplication.clipboard().text() == "mine"


# --- Search ---


def test_searching_marks_and_steps(qtbot: QtBot, view: TerminalView) -> None:
    show(
        qtbot,
        view,
        b"".join(b"line %d %s\r\n" % (n, b"Error" if n % 50 == 0 else b"ok") for n in range(400)),
    )
    qtbot.keyClick(view._canvas, K.Key_F, M.ControlModifier | M.ShiftModifier)
    bar = view._find_bar
    assert bar.isVisible()
    qtbot.keyClicks(bar.field, "error")
    qtbot.waitUntil(lambda: bar._count.text() == "1 of 8", timeout=LONG)
    qtbot.waitUntil(lambda: bool(view._canvas._matches), timeout=LONG)
    qtbot.keyClick(bar.field, K.Key_Return)
    assert bar._count.text() == "2 of 8"
    qtbot.keyClick(bar.field, K.Key_Return, M.ShiftModifier)
    assert bar._count.text() == "1 of 8"
    view.feed(b"a fresh error\r\n")
    qtbot.waitUntil(lambda: bar._count.text().endswith("of 9"), timeout=LONG)
    qtbot.keyClick(bar.field, K.Key_Escape)
    assert not bar.isVisible()
    assert view._canvas._matches == {}


def test_searching_for_nothing_and_for_what_is_not_there(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"text\r\n")
    view.open_search()
    bar = view._find_bar
    bar.field.setText("absent")
    qtbot.waitUntil(lambda: bar._count.text() == "Nothing found", timeout=LONG)
    bar.field.clear()
    qtbot.waitUntil(lambda: bar._count.text() == "", timeout=LONG)
    view.restart()
    bar.closed.emit()


def test_the_selection_is_what_one_searches_for(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"one two\r\ntwo\r\n")
    view.emulator.begin_selection(4, 0, "word")
    view.open_search()
    assert view._find_bar.field.text() == "two"
    qtbot.waitUntil(lambda: view._find_bar._count.text() == "1 of 2", timeout=LONG)


# --- The end ---


def test_an_ended_session_takes_no_keys_and_starts_again(
    qtbot: QtBot, view: TerminalView, sent: list[bytes]
) -> None:
    show(qtbot, view, b"bye\r\n")
    view.set_ended("The shell ended with exit code 0.")
    assert view._end_bar.isVisible()
    qtbot.keyClicks(view._canvas, "abc")
    view.paste_text("x")
    assert sent == []
    with qtbot.waitSignal(view.restart_requested, timeout=LONG):
        qtbot.keyClick(view._canvas, K.Key_Return)
    with qtbot.waitSignal(view.restart_requested, timeout=LONG):
        qtbot.mouseClick(view._end_bar.button, LEFT)
    view.restart()
    assert not view._end_bar.isVisible()
    show(qtbot, view, b"new")
    assert text_of(view).strip() == "new"
    qtbot.keyClicks(view._canvas, "y")
    assert sent == [b"y"]


def test_a_core_that_cannot_be_loaded_is_said_so(
    qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockdesk.core.errors import NotSupportedError
    from dockdesk.ui.widgets.terminal import loading

    monkeypatch.setattr(loading, "_make", None)
    monkeypatch.setattr(loading, "_error", NotSupportedError("No terminal here", "why", "what"))
    view = TerminalView(theme)
    qtbot.addWidget(view)
    view.show()
    assert view._end_bar.text == "No terminal here\nwhy\nwhat"
    assert not view._end_bar.button.isVisible()
    view.feed(b"dropped")
    view.open_search()
    view.select_all()
    view.copy()
    view.clear()
    qtbot.keyClicks(view._canvas, "x")


def test_the_menu_offers_what_can_be_done(qtbot: QtBot, view: TerminalView) -> None:
    show(qtbot, view, b"some text")
    view.select_all()
    menu = view._menu()
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert list(actions) == ["Copy", "Paste", "Select all", "Find…", "Clear"]
    assert actions["Copy"].isEnabled()
    actions["Clear"].trigger()
    view._canvas._refresh()
    assert view.emulator.scroll().total == view.grid[1]


def test_screen_readers_hear_what_is_on_the_screen(
    qtbot: QtBot, view: TerminalView, listener: None
) -> None:
    show(qtbot, view, "one\r\n   two \x1b[31mred\x1b[0m")
    canvas = view._canvas
    qtbot.waitUntil(lambda: "two red" in canvas.accessibleDescription(), timeout=LONG)
    assert canvas.accessibleDescription().splitlines()[:2] == ["one", "   two red"]
