"""The log view in the hand of a user: what is on screen after keys, clicks, drags and turns of the wheel."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from dockdesk.core.logs.blocks import ROW_BYTES
from dockdesk.ui.widgets.log.panel import LogPanel

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


def numbered(count: int, first: int = 0) -> str:
    return "".join(f"line {number}\n" for number in range(first, first + count))


def filled(fed: Any, count: int = 500) -> Any:
    fed.put(numbered(count))
    fed.until_shown(f"line {count - 1}")
    return fed.panel.view


def point(view: Any, line: int, cell: float) -> QPoint:
    """The middle of a cell of a line on screen."""
    width, height = view.cell_size
    return QPoint(round(view.text_left + cell * width), 4 + line * height + height // 2)


def wheel(
    view: Any, steps: float, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    at = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        at,
        QPointF(view.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, round(120 * steps)),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def drag(qtbot: Any, view: Any, start: QPoint, end: QPoint) -> None:
    port = view.viewport()
    qtbot.mousePress(port, LEFT, pos=start)
    qtbot.mouseMove(port, (start + end) / 2)
    qtbot.mouseMove(port, end)
    qtbot.mouseRelease(port, LEFT, pos=end)


def copied(qtbot: Any, view: Any) -> str:
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("nothing was copied")
    qtbot.keyClick(view, Key.Key_C, CONTROL)
    return clipboard.text()


def numbers(fed: Any) -> list[int]:
    return [int(text.split()[1]) for text in fed.texts()]


# --- Following ---


def test_it_sticks_to_the_newest_line(fed: Any) -> None:
    filled(fed)
    fed.put(numbered(300, 500))
    fed.until_shown("line 799")
    assert numbers(fed)[-1] == 799


def test_scrolling_up_ends_following_and_a_button_leads_back(fed: Any, qtbot: Any) -> None:
    view = filled(fed)
    assert not view.jump.isVisible()
    wheel(view, 3)
    top = numbers(fed)[0]
    assert not view.following
    assert not fed.panel.toolbar.follow.isChecked()
    assert view.jump.isVisible()
    fed.put(numbered(300, 500))
    fed.until(lambda: "800 lines" in fed.panel.status.amount.text())
    assert numbers(fed)[0] == top
    qtbot.mouseClick(view.jump, LEFT)
    assert view.following
    assert not view.jump.isVisible()
    assert numbers(fed)[-1] == 799


@pytest.mark.parametrize("way", ["wheel", "end", "bar", "button"])
def test_reaching_the_end_follows_again(fed: Any, qtbot: Any, way: str) -> None:
    view = filled(fed)
    qtbot.keyClick(view, Key.Key_Home)
    assert numbers(fed)[0] == 0
    if way == "wheel":
        for _ in range(200):
            wheel(view, -1)
    elif way == "end":
        qtbot.keyClick(view, Key.Key_End)
    elif way == "bar":
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    else:
        qtbot.mouseClick(fed.panel.toolbar.follow, LEFT)
    assert view.following
    fed.put("line 500\n")
    fed.until_shown("line 500")


def test_keys_scroll(fed: Any, qtbot: Any) -> None:
    view = filled(fed)
    qtbot.keyClick(view, Key.Key_Home)
    page = view.page
    for key, top in [
        (Key.Key_Down, 1),
        (Key.Key_PageDown, 1 + page),
        (Key.Key_Up, page),
        (Key.Key_PageUp, 0),
        (Key.Key_Space, page),
    ]:
        qtbot.keyClick(view, key)
        assert numbers(fed)[0] == top


def test_dropped_lines_are_told_and_the_rest_stays_in_place(
    qtbot: Any, theme: Any, jobs: Any, pulse: Any
) -> None:
    from tests.ui.widgets.log.conftest import Fed

    panel = LogPanel(theme, jobs, pulse, max_bytes=600_000)
    qtbot.addWidget(panel)
    panel.show()
    fed = Fed(panel, qtbot)
    fed.open("web")
    view = filled(fed, 30_000)
    wheel(view, 1)
    before = numbers(fed)[0]
    fed.put(numbered(40_000, 30_000))
    fed.until(lambda: "dropped" in panel.status.amount.text())
    assert numbers(fed)[0] == before
    fed.put(numbered(100_000, 70_000))
    fed.until(lambda: numbers(fed)[0] > before)
    assert panel.status.amount.text().endswith("older lines dropped to save memory")
    panel.search.close()
    panel.feed.close()


# --- Selecting and copying ---


def test_dragging_selects_by_characters(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5)
    drag(qtbot, view, point(view, 1, 5), point(view, 3, 4))
    assert copied(qtbot, view) == "1\nline 2\nline"


def test_dragging_backwards_selects_the_same(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5)
    drag(qtbot, view, point(view, 3, 4), point(view, 1, 5))
    assert copied(qtbot, view) == "1\nline 2\nline"


def test_a_click_selects_nothing(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5)
    qtbot.mouseClick(view.viewport(), LEFT, pos=point(view, 1, 2))
    assert copied(qtbot, view) == "nothing was copied"
    assert fed.panel.status.amount.text() == "Nothing is selected."


def test_double_click_selects_a_word_and_a_third_the_line(fed: Any, qtbot: Any) -> None:
    fed.put("GET /api/v1/items 200\nnext\n")
    fed.until_shown("next")
    view, port = fed.panel.view, fed.panel.view.viewport()
    at = point(view, 0, 8)
    qtbot.mouseClick(port, LEFT, pos=at)
    qtbot.mouseDClick(port, LEFT, pos=at)
    assert copied(qtbot, view) == "/api/v1/items"
    qtbot.mouseClick(port, LEFT, pos=at)
    assert copied(qtbot, view) == "GET /api/v1/items 200\n"


def test_shift_click_extends(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5)
    qtbot.mouseClick(view.viewport(), LEFT, pos=point(view, 0, 0))
    qtbot.mouseClick(view.viewport(), LEFT, SHIFT, pos=point(view, 1, 4))
    assert copied(qtbot, view) == "line 0\nline"


def test_control_a_selects_everything(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 50)
    qtbot.keyClick(view, Key.Key_A, CONTROL)
    assert copied(qtbot, view) == numbered(50)
    qtbot.keyClick(view, Key.Key_Escape)
    assert copied(qtbot, view) == "nothing was copied"


def test_shift_and_keys_select(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5)
    qtbot.mouseClick(view.viewport(), LEFT, pos=point(view, 1, 0))
    for _ in range(4):
        qtbot.keyClick(view, Key.Key_Right, SHIFT)
    assert copied(qtbot, view) == "line"
    qtbot.keyClick(view, Key.Key_End, SHIFT)
    assert copied(qtbot, view) == "line 1"
    qtbot.keyClick(view, Key.Key_Down, SHIFT)
    assert copied(qtbot, view) == "line 1\nline 2"
    qtbot.keyClick(view, Key.Key_Left, SHIFT | CONTROL)
    assert copied(qtbot, view) == "line 1\nline "
    qtbot.keyClick(view, Key.Key_Home, SHIFT | CONTROL)
    assert copied(qtbot, view) == "line 0\n"
    qtbot.keyClick(view, Key.Key_End, SHIFT | CONTROL)
    assert copied(qtbot, view) == "line 1\nline 2\nline 3\nline 4"


def test_keys_that_select_take_the_view_along(fed: Any, qtbot: Any) -> None:
    view = filled(fed)
    qtbot.keyClick(view, Key.Key_Home)
    qtbot.mouseClick(view.viewport(), LEFT, pos=point(view, 0, 0))
    for _ in range(view.page + 5):
        qtbot.keyClick(view, Key.Key_Down, SHIFT)
    assert numbers(fed)[-2] >= view.page + 5


def test_dragging_beyond_the_edge_scrolls(fed: Any, qtbot: Any) -> None:
    view = filled(fed)
    qtbot.keyClick(view, Key.Key_Home)
    port = view.viewport()
    qtbot.mousePress(port, LEFT, pos=point(view, 2, 0))
    qtbot.mouseMove(port, QPoint(50, port.height() // 2))
    qtbot.mouseMove(port, QPoint(50, port.height() + 30))
    fed.until(lambda: numbers(fed)[0] > 10)
    qtbot.mouseRelease(port, LEFT, pos=QPoint(50, port.height() + 30))
    copied(qtbot, view)
    fed.until(lambda: QGuiApplication.clipboard().text().startswith("line 2\nline 3\n"))


def test_the_selection_stays_on_its_text_while_lines_arrive(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5)
    drag(qtbot, view, point(view, 1, 0), point(view, 1, 6))
    fed.put(numbered(300, 5))
    fed.until(lambda: "305 lines" in fed.panel.status.amount.text())
    assert copied(qtbot, view) == "line 1"
    assert "line 1" in fed.texts()


def test_text_does_not_run_away_under_the_mouse(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 100)
    before = numbers(fed)[0]
    port = view.viewport()
    qtbot.mousePress(port, LEFT, pos=point(view, 1, 0))
    fed.put(numbered(50, 100))
    fed.until(lambda: "150 lines" in fed.panel.status.amount.text())
    assert numbers(fed)[0] == before
    qtbot.mouseRelease(port, LEFT, pos=point(view, 1, 0))
    fed.put("line 150\n")
    fed.until_shown("line 150")


def test_a_large_selection_is_copied_off_the_gui_thread(fed: Any, qtbot: Any) -> None:
    view = filled(fed, 5000)
    qtbot.keyClick(view, Key.Key_A, CONTROL)
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("")
    qtbot.keyClick(view, Key.Key_C, CONTROL)
    fed.until(lambda: clipboard.text() == numbered(5000))
    assert fed.panel.status.amount.text() == "Copied 5,000 lines."


def test_too_much_for_the_clipboard_is_refused(fed: Any, qtbot: Any, jobs: Any) -> None:
    from dockdesk.core.logs.export import COPY_LIMIT

    fed.put(b"x" * 4000 + b"\n")
    for _ in range(COPY_LIMIT // 400_000 + 1):
        fed.put((b"x" * 4000 + b"\n") * 100)
    fed.until_shown("xxx")
    fed.panel.view.select_all()
    with qtbot.waitSignal(jobs.job_failed, timeout=10_000) as failed:
        qtbot.keyClick(fed.panel.view, Key.Key_C, CONTROL)
    assert failed.args[0].error.title == "That is too much to copy"


def test_copied_text_holds_no_escapes(fed: Any, qtbot: Any) -> None:
    fed.put(b"\x1b[31mred\x1b[0m \x1b]52;c;ZXZpbA==\x07\x00\x07 \x1b]0;title\x07end\n")
    fed.until_shown("end")
    fed.panel.view.select_all()
    assert copied(qtbot, fed.panel.view) == "red \u2400\u2407 end\n"
    assert fed.panel.window().windowTitle() == ""


def test_a_long_line_is_copied_whole(fed: Any, qtbot: Any) -> None:
    line = "x" * (2 * ROW_BYTES + 100)
    fed.put(line + "\n")
    fed.until(lambda: len(fed.texts()) == 3)
    fed.panel.view.select_all()
    assert copied(qtbot, fed.panel.view) == line + "\n"


# --- Wrapping, sideways, zoom ---


def test_long_lines_scroll_sideways_or_wrap(fed: Any, qtbot: Any) -> None:
    line = "".join(f"{number:04}-" for number in range(100))
    fed.put(line + "\n")
    fed.until_shown("0000-")
    view, bar = fed.panel.view, fed.panel.view.horizontalScrollBar()
    fed.until(lambda: bar.maximum() > 0)
    qtbot.keyClick(view, Key.Key_Right)
    assert bar.value() > 0
    qtbot.mouseClick(fed.panel.toolbar.wrap, LEFT)
    assert bar.maximum() == 0
    assert len(fed.texts()) > 3
    assert "".join(fed.texts()) == line
    view.select_all()
    assert copied(qtbot, view) == line + "\n"


def test_wrapped_lines_are_selected_where_they_are_seen(fed: Any, qtbot: Any) -> None:
    fed.put("".join(f"{number:04}-" for number in range(100)) + "\n")
    fed.until_shown("0000-")
    view = fed.panel.view
    view.set_wrapped(True)
    fed.until(lambda: len(fed.texts()) > 3)
    view.viewport().repaint()
    second = fed.texts()[1]
    drag(qtbot, view, point(view, 1, 0), point(view, 1, 10))
    assert copied(qtbot, view) == second[:10]


def test_wrapping_follows_the_width_and_the_end(fed: Any, qtbot: Any) -> None:
    view = filled(fed)
    view.set_wrapped(True)
    fed.put("w" * 600 + " end\n")
    fed.until_shown(" end")
    lines = len(fed.texts()[-12:])
    fed.panel.resize(500, 400)
    fed.until(lambda: sum("w" in text for text in fed.texts()) > 8)
    assert fed.texts()[-1].endswith("end")
    assert lines


def test_control_and_the_wheel_zoom(fed: Any, qtbot: Any) -> None:
    view = filled(fed)
    before = view.cell_size
    wheel(view, 1, CONTROL)
    assert view.cell_size > before
    assert view.following
    wheel(view, -1, CONTROL)
    assert view.cell_size == before
    qtbot.keyClick(view, Key.Key_Plus, CONTROL)
    qtbot.keyClick(view, Key.Key_Plus, CONTROL)
    assert view.zoom == 2
    qtbot.keyClick(view, Key.Key_0, CONTROL)
    assert view.zoom == 0
    for _ in range(60):
        wheel(view, -1, CONTROL)
    assert view.cell_size[0] > 2


# --- Painting ---


def colours_on(view: Any) -> set[str]:
    image = view.viewport().grab().toImage()
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(0, image.height(), 2)
    }


def test_errors_are_marked_and_colours_are_drawn(fed: Any, theme: Any) -> None:
    fed.put("out\n")
    fed.until_shown("out")
    mark = theme.tone("bad").name()
    assert mark not in colours_on(fed.panel.view)
    fed.put("err\n", stream=2)
    fed.put(b"\x1b[48;2;1;200;3m ground \x1b[0m\n")
    fed.until_shown("ground")
    assert {mark, "#01c803"} <= colours_on(fed.panel.view)


def test_a_change_of_theme_repaints(fed: Any, theme: Any) -> None:
    filled(fed, 5)
    theme.set_mode("dark")
    assert theme.colour("panel").name() in colours_on(fed.panel.view)


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    "data",
    [
        b"y" * (10 * 1024 * 1024) + b"\n",
        bytes(range(256)) * 64 + b"\n",
        b"\x1b[31m\x1b[1m" * 50_000 + b"\n",
        b"".join(b"\x1b[38;2;%d;9;9m#" % (n % 256) for n in range(20_000)) + b"\n",
        ("日本語 é e\u0301 👩‍💻 مرحبا \u202egpj.exe\t" * 2000).encode() + b"\n",
        b"\x1b[999999999;999999999H\x1b[9999999999999999999m\x1b]0;" + b"A" * 100_000 + b"\n",
        b"\r\r\r\x08\x08\x0c\x0b" * 5000 + b"\n",
        b"\xff\xfe\xc3\x28\xe2\x82" * 5000 + b"\n",
    ],
    ids=[
        "10 MiB",
        "binary",
        "SGR flood",
        "rainbow",
        "unicode",
        "CSI and OSC",
        "controls",
        "broken UTF-8",
    ],
)
def test_hostile_lines_are_painted(fed: Any, qtbot: Any, data: bytes, wrapped: bool) -> None:
    view = fed.panel.view
    view.set_wrapped(wrapped)
    for start in range(0, len(data), 50_000):
        fed.put(data[start : start + 50_000])
    fed.put("all is well\n")
    fed.until_shown("all is well")
    for key in (Key.Key_Home, Key.Key_PageDown, Key.Key_End):
        qtbot.keyClick(view, key)
        view.viewport().repaint()
    wheel(view, 40)
    view.viewport().repaint()
    shown = "".join(fed.texts())
    assert not any(ord(char) < 32 and char != "\t" for char in shown)


def test_a_costly_line_is_complete_after_a_few_frames(fed: Any) -> None:
    row = b"".join(b"\x1b[38;2;%d;9;200m#" % (n % 256) for n in range(100)) + b"\n"
    fed.put(row * 60)
    fed.until_shown("###")
    view = fed.panel.view
    view.viewport().repaint()
    fed.until(lambda: view.painted_completely)


def test_tips_say_whose_line_it_is(fed: Any, qtbot: Any) -> None:
    from PySide6.QtGui import QHelpEvent
    from PySide6.QtWidgets import QToolTip

    fed.put("<b>err</b>\n", stream=2)
    fed.until_shown("err")
    view = fed.panel.view
    view.viewport().repaint()
    at = point(view, 0, 0)
    at.setX(2)
    QApplication.sendEvent(
        view.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, view.viewport().mapToGlobal(at))
    )
    assert "standard error" in QToolTip.text()
    QToolTip.hideText()
    fed.until(lambda: not QToolTip.isVisible())


def test_keys_of_the_view_come_before_the_window_s(fed: Any) -> None:
    view = filled(fed, 5)
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Key.Key_C, CONTROL, "c")
    event.ignore()
    QApplication.sendEvent(view, event)
    assert event.isAccepted()


def test_it_has_a_name_for_those_who_cannot_see_it(fed: Any) -> None:
    assert fed.panel.view.accessibleName()
    assert "follow" in fed.panel.view.accessibleDescription()


def test_screen_readers_hear_the_lines_in_sight(fed: Any, listener: None) -> None:
    view = filled(fed)
    fed.until(lambda: "line 499" in view.accessibleDescription().splitlines())
    assert view.accessibleDescription().startswith("Arrow keys scroll")
    view.go_to_top()
    fed.until(lambda: "line 0" in view.accessibleDescription().splitlines())
    assert "line 499" not in view.accessibleDescription()


def test_nothing_is_read_while_nobody_listens(fed: Any) -> None:
    view = filled(fed)
    fed.put("x" * 10_000_000 + "\n")
    fed.until_shown("xxx")
    assert "line" not in view.accessibleDescription().replace("newest line", "")
    assert not view._aloud._timer.isActive()
