"""The log panel as its owner and its user know it: streams, states, queries, search, filter and saving."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from dockdesk.bridge.jobs import JobState
from dockdesk.core.errors import LocalError, UnreachableError
from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import LogChunk
from dockdesk.ui.widgets.log.feed import FeedState
from dockdesk.ui.widgets.log.query import RANGES, LogPanelQuery, LogRange

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton


def words_on(panel: Any) -> str:
    """All words a user can read but the log's."""
    from PySide6.QtWidgets import QAbstractButton, QLabel

    parts = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    parts += [button.text() for button in panel.findChildren(QAbstractButton) if button.isVisible()]
    return "\n".join(parts)


def button(panel: Any, text: str) -> Any:
    from PySide6.QtWidgets import QPushButton

    return next(b for b in panel.findChildren(QPushButton) if b.isVisible() and b.text() == text)


# --- Streams ---


def test_a_stream_s_thread_fills_the_panel(fed: Any) -> None:
    def run() -> None:
        for number in range(2000):
            fed.put(f"line {number}\n")
        fed.sinks["web"].ended(None)

    thread = threading.Thread(target=run)
    thread.start()
    fed.until_shown("line 1999")
    thread.join()
    fed.until(lambda: fed.panel.feed.state is FeedState.ENDED)


def test_several_chunks_at_once_keep_their_outputs_apart(fed: Any) -> None:
    fed.sinks["web"].put(
        [
            LogChunk(1, b"ou"),
            LogChunk(2, b"er"),
            LogChunk(1, b"t\n"),
            LogChunk(1, b"more\n"),
            LogChunk(2, b"r\n"),
        ]
    )
    fed.until_shown("err")
    assert fed.texts() == ["out", "more", "err"]


def test_a_prompt_without_a_newline_is_seen(fed: Any) -> None:
    fed.put("login: ")
    fed.until_shown("login: ")
    fed.sinks["web"].ended(None)
    fed.until(lambda: fed.panel.status.amount.text().startswith("1 line "))


def test_sources_are_merged_in_order_and_labelled(fed: Any, qtbot: Any) -> None:
    fed.open("web", "db")
    assert fed.panel.query.timestamps
    fed.put("2024-05-01T00:00:02Z second\n2024-05-01T00:00:04Z fourth\n", label="web")
    fed.put("2024-05-01T00:00:01Z first\n2024-05-01T00:00:03Z third\n", label="db")
    fed.until_shown("fourth")
    assert fed.texts() == ["first", "second", "third", "fourth"]
    fed.put("2024-05-01T00:00:05Z live\n", label="db")
    fed.until_shown("live")
    fed.panel.view.select_all()
    qtbot.keyClick(fed.panel.view, Key.Key_C, CONTROL)
    assert (
        QGuiApplication.clipboard().text()
        == "db first\nweb second\ndb third\nweb fourth\ndb live\n"
    )


def test_sinks_of_an_older_query_are_deaf(fed: Any) -> None:
    old = fed.sinks["web"]
    fed.open("web")
    old.put([LogChunk(1, b"old\n")])
    old.ended(UnreachableError("gone"))
    fed.put("new\n")
    fed.until_shown("new")
    assert fed.texts() == ["new"]
    assert fed.panel.feed.state is FeedState.LIVE


def test_an_unknown_source_is_an_error(fed: Any) -> None:
    with pytest.raises(KeyError):
        fed.panel.sink_for("nobody")


def test_a_hidden_panel_looks_when_it_is_shown(fed: Any) -> None:
    fed.put("before\n")
    fed.until_shown("before")
    fed.panel.hide()
    seen: list[object] = []
    fed.panel.feed.changed.connect(lambda: seen.append(None))
    for number in range(20):
        fed.put(f"hidden {number}\n")
        fed.qtbot.wait(20)
    # One wake-up, then nothing until somebody looks.
    assert len(seen) <= 1
    fed.panel.show()
    fed.until_shown("hidden 19")


def test_a_panel_goes_while_its_stream_runs(qtbot: Any, theme: Any, jobs: Any, pulse: Any) -> None:
    import gc
    import weakref

    from dockdesk.ui.widgets.log.panel import LogPanel

    panel = LogPanel(theme, jobs, pulse)
    panel.set_sources([LogSource("a")])
    sink = panel.sink_for("a")
    panel.show()
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            sink.put([LogChunk(1, b"line\n" * 100)])
            time.sleep(0.001)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        view = weakref.proxy(panel.view)
        qtbot.waitUntil(lambda: view.last_painted > 1000, timeout=10_000)
        feed = weakref.ref(panel.feed)
        panel.close()
        panel.deleteLater()
        del panel
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        # The running stream keeps its store, not the widgets.
        left = feed()
        assert left is None or not shiboken6.isValid(left)
    finally:
        stop.set()
        thread.join()


# --- States ---


def test_it_says_loading_then_that_there_is_nothing_then_shows_what_comes(fed: Any) -> None:
    fed.until(lambda: "Loading the log…" in words_on(fed.panel))
    fed.panel.connected()
    assert "No output yet" in words_on(fed.panel)
    fed.put("something\n")
    fed.until_shown("something")
    assert "No output yet" not in words_on(fed.panel)
    assert "Live" in words_on(fed.panel)


def test_the_end_is_told_in_the_owner_s_words(fed: Any) -> None:
    fed.panel.set_words("Container exited with code 3", "Nothing was printed")
    fed.put("bye\n")
    fed.sinks["web"].ended(None)
    fed.until(lambda: "Container exited with code 3" in words_on(fed.panel))
    fed.open("web")
    fed.sinks["web"].ended(None)
    fed.until(lambda: "No output" in words_on(fed.panel))


@pytest.mark.parametrize("some_output", [True, False])
def test_a_lost_stream_is_resumed_on_demand(fed: Any, qtbot: Any, some_output: bool) -> None:
    if some_output:
        fed.put("before\n")
        fed.until_shown("before")
    lost_at = time.time()
    fed.sinks["web"].ended(
        UnreachableError("The engine does not answer", "Connection refused", "Start it.")
    )
    fed.until(lambda: "The engine does not answer" in words_on(fed.panel))
    assert fed.panel.lost_sources() == ["web"]
    with qtbot.waitSignal(fed.panel.retry_requested, timeout=1000):
        qtbot.mouseClick(button(fed.panel, "Retry"), LEFT)
    query = fed.panel.resume_query("web")
    if some_output:
        assert query.tail is None
        assert abs((query.since or 0) - lost_at) < 60
    else:
        assert query.tail == 1000
        assert query.since is None
    fed.sinks["web"] = fed.panel.sink_for("web")
    fed.put("after\n")
    fed.until_shown("after")
    assert fed.texts() == (["before", "after"] if some_output else ["after"])
    assert "does not answer" not in words_on(fed.panel)


def test_only_the_lost_one_of_several_is_resumed_from_its_own_last_line(fed: Any) -> None:
    fed.open("web", "db")
    fed.put("2024-05-01T00:00:01.5Z one\n", label="web")
    fed.put("2024-05-01T00:00:09Z nine\n", label="db")
    fed.until_shown("nine")
    fed.sinks["web"].ended(UnreachableError("gone"))
    fed.until(lambda: fed.panel.lost_sources() == ["web"])
    resumed = fed.panel.resume_query("web")
    assert resumed.timestamps
    assert 0 < (resumed.since or 0) - 1714521601.5 < 0.001
    fed.sinks["web"] = fed.panel.sink_for("web")
    fed.put("2024-05-01T00:00:10Z ten\n", label="web")
    fed.until_shown("ten")
    assert fed.panel.feed.state is FeedState.LIVE


def test_words_from_outside_are_plain_text(fed: Any) -> None:
    fed.sinks["web"].ended(UnreachableError("<b>bold</b>", "<img src=x>\u202e", ""))
    fed.until(lambda: "<b>bold</b>" in words_on(fed.panel))
    assert "\u202e" not in words_on(fed.panel)


def test_clearing_empties_the_view_and_goes_on(fed: Any, qtbot: Any) -> None:
    fed.put("old\n")
    fed.until_shown("old")
    qtbot.mouseClick(fed.panel.toolbar.clear, LEFT)
    assert fed.texts() == []
    fed.put("new\n")
    fed.until_shown("new")
    assert fed.texts() == ["new"]


# --- Queries ---


def test_a_range_is_asked_for(fed: Any, qtbot: Any) -> None:
    fed.put("old\n")
    fed.until_shown("old")
    chosen = next(
        action
        for action in fed.panel.toolbar.range.menu().actions()
        if action.text() == "Last hour"
    )
    with qtbot.waitSignal(fed.panel.query_changed, timeout=1000) as changed:
        chosen.trigger()
    query = changed.args[0]
    assert isinstance(query, LogPanelQuery)
    asked = query.log_query()
    assert asked.tail is None
    assert abs((asked.since or 0) - (time.time() - 3600)) < 60
    assert asked.follow
    assert "Last hour" in fed.panel.toolbar.range.text()
    assert fed.panel.feed.state is FeedState.LOADING
    assert fed.texts() == []


def test_a_time_range_ends_without_following() -> None:
    asked = LogPanelQuery(LogRange("", since=10, until=20)).log_query()
    assert (asked.since, asked.until, asked.follow, asked.tail) == (10, 20, False, None)
    assert LogPanelQuery(RANGES[0]).log_query().tail == 100


def test_between_two_moments(fed: Any, qtbot: Any) -> None:
    from dockdesk.ui.widgets.log.range_button import RangeDialog

    actions = fed.panel.toolbar.range.menu().actions()
    actions[-1].trigger()
    dialog = fed.panel.findChild(RangeDialog)
    qtbot.waitUntil(dialog.isVisible, timeout=10_000)
    dialog.open_end.setChecked(False)
    dialog.until.setDateTime(dialog.since.dateTime())
    dialog._on_accepted()
    assert dialog.problem.isVisible()
    dialog.until.setDateTime(dialog.since.dateTime().addSecs(60))
    with qtbot.waitSignal(fed.panel.query_changed, timeout=1000) as changed:
        dialog._on_accepted()
    asked = changed.args[0].log_query()
    assert (asked.until or 0) - (asked.since or 0) == 60
    assert not asked.follow


def test_outputs_are_asked_for_and_one_is_always_on(fed: Any, qtbot: Any) -> None:
    outputs = fed.panel.toolbar.outputs
    with qtbot.waitSignal(fed.panel.query_changed, timeout=1000) as changed:
        outputs.stdout.trigger()
    assert (changed.args[0].stdout, changed.args[0].stderr) == (False, True)
    with qtbot.waitSignal(fed.panel.query_changed, timeout=1000) as changed:
        outputs.stderr.trigger()
    assert (changed.args[0].stdout, changed.args[0].stderr) == (True, False)


def test_timestamps_are_loaded_once_and_then_only_shown_or_not(fed: Any, qtbot: Any) -> None:
    with qtbot.waitSignal(fed.panel.query_changed, timeout=1000) as changed:
        qtbot.mouseClick(fed.panel.toolbar.stamps, LEFT)
    assert changed.args[0].timestamps
    fed.sinks["web"] = fed.panel.sink_for("web")
    fed.put("2024-05-01T14:04:48.123456789Z text\n")
    fed.until_shown("text")
    assert fed.texts() == ["text"]
    wide = fed.panel.view.text_left
    with qtbot.assertNotEmitted(fed.panel.query_changed):
        qtbot.mouseClick(fed.panel.toolbar.stamps, LEFT)
        assert fed.panel.view.text_left < wide
        qtbot.mouseClick(fed.panel.toolbar.stamps, LEFT)
    fed.panel.view.select_all()
    qtbot.keyClick(fed.panel.view, Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == "2024-05-01T14:04:48.123456789Z text\n"


# --- Search ---


def lines(count: int) -> str:
    return "".join(
        f"{'error' if number % 10 == 0 else 'info'} {number}\n" for number in range(count)
    )


def test_hits_are_counted_and_visited_both_ways(fed: Any, qtbot: Any) -> None:
    fed.put(lines(1000))
    fed.until_shown("info 999")
    field = fed.panel.toolbar.search.field
    fed.search("ERROR")
    fed.until(lambda: fed.count() == "100 hits")
    qtbot.keyClick(field, Key.Key_Return)
    # It followed the newest line, so it begins with the newest hit.
    fed.until(lambda: fed.count() == "100 of 100")
    qtbot.keyClick(field, Key.Key_Return, SHIFT)
    fed.until(lambda: fed.count() == "99 of 100")
    assert "error 980" in fed.texts()
    qtbot.keyClick(fed.panel.view, Key.Key_F3)
    fed.until(lambda: fed.count() == "100 of 100")
    qtbot.keyClick(fed.panel.view, Key.Key_F3)
    fed.until(lambda: fed.count() == "1 of 100")
    assert "error 0" in fed.texts()
    qtbot.keyClick(fed.panel.view, Key.Key_F3, SHIFT)
    fed.until(lambda: fed.count() == "100 of 100")
    assert not fed.panel.view.following


def test_enter_right_after_typing_goes_to_a_hit(fed: Any, qtbot: Any) -> None:
    fed.put(lines(100))
    fed.until_shown("info 99")
    fed.panel.toolbar.search.expression.setChecked(True)
    field = fed.panel.toolbar.search.field
    qtbot.keyClicks(field, "err.r 5")
    qtbot.keyClick(field, Key.Key_Return)
    fed.until(lambda: fed.count() == "1 of 1")


def test_hits_are_drawn_and_marked(fed: Any, theme: Any) -> None:
    fed.put(lines(1000))
    fed.until_shown("info 999")
    fed.search("info 99")
    fed.until(lambda: fed.count() == "10 hits")
    fed.panel.find_next()
    fed.until(lambda: fed.count() == "10 of 10")
    view = fed.panel.view
    accent = theme.colour("accent").name()

    def colours(widget: Any) -> set[str]:
        image = widget.grab().toImage()
        return {
            image.pixelColor(x, y).name()
            for x in range(image.width())
            for y in range(image.height())
        }

    view.clearFocus()
    fed.until(lambda: accent in colours(view.viewport()))
    assert theme.tone("warn").name() in colours(view.verticalScrollBar())


def test_expressions_find_and_highlight(fed: Any) -> None:
    fed.put(lines(200))
    fed.until_shown("info 199")
    fed.panel.toolbar.search.expression.setChecked(True)
    fed.search(r"info \d*7$")
    fed.until(lambda: fed.count() == "20 hits")
    fed.panel.view.viewport().repaint()
    fed.until(lambda: list(fed.panel.search.spans("info 197")) == [(0, 8)])


def test_capitals_matter_when_asked(fed: Any, qtbot: Any) -> None:
    fed.put("Error\nerror\nÉrror\n")
    fed.until_shown("error")
    fed.search("error")
    fed.until(lambda: fed.count() == "2 hits")
    qtbot.mouseClick(fed.panel.toolbar.search.case, LEFT)
    fed.until(lambda: fed.count() == "1 hit")
    qtbot.mouseClick(fed.panel.toolbar.search.case, LEFT)
    fed.search("érr")
    fed.until(lambda: fed.count() == "1 hit")


def test_a_wrong_expression_is_told_at_the_field_and_goes(fed: Any) -> None:
    fed.put("some (text\n")
    fed.until_shown("some")
    fed.panel.toolbar.search.expression.setChecked(True)
    fed.search("(te")
    fed.until(lambda: "Not a regular expression" in fed.count())
    field = fed.panel.toolbar.search.field
    assert field.property("invalid") == "true"
    assert "missing )" in field.accessibleDescription()
    fed.search("te")
    fed.until(lambda: fed.count() == "1 hit")
    assert field.property("invalid") == "false"
    fed.search("(te")
    fed.until(lambda: fed.panel.toolbar.search.problem)
    field.clear()
    fed.until(lambda: not fed.panel.toolbar.search.problem and fed.count() == "")


def test_a_catastrophic_expression_freezes_nothing(
    fed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockdesk.ui.widgets.log import matcher

    monkeypatch.setattr(matcher, "BLOCK_SECONDS", 0.3)
    fed.put("a" * 5000 + "b\n")
    fed.until_shown("aaa")
    fed.panel.toolbar.search.expression.setChecked(True)
    field = fed.panel.toolbar.search.field
    fed.qtbot.keyClicks(field, "(a|aa)+$")
    fed.until(lambda: "takes too long" in fed.count())
    fed.search("b$")
    fed.until(lambda: fed.count() == "1 hit")


def test_the_count_grows_with_the_log(fed: Any) -> None:
    fed.put(lines(100))
    fed.until_shown("info 99")
    fed.search("error")
    fed.until(lambda: fed.count() == "10 hits")
    fed.put(lines(100))
    fed.until(lambda: fed.count() == "20 hits")
    fed.open("web")
    fed.until(lambda: fed.count() == "No hits")
    fed.put(lines(50))
    fed.until(lambda: fed.count() == "5 hits")


def test_nothing_found(fed: Any, qtbot: Any) -> None:
    fed.put(lines(10))
    fed.until_shown("info 9")
    fed.search("nowhere")
    fed.until(lambda: fed.count() == "No hits")
    assert not fed.panel.toolbar.search.next.isEnabled()
    qtbot.keyClick(fed.panel.view, Key.Key_F3)
    fed.until(lambda: not fed.panel._taker._jobs.busy())
    assert fed.panel.search.current is None


# --- Filter ---


def test_only_matching_lines_are_shown_also_those_that_come(fed: Any, qtbot: Any) -> None:
    fed.put(lines(1000))
    fed.until_shown("info 999")
    fed.search("error 9")
    qtbot.mouseClick(fed.panel.toolbar.search.filter, LEFT)
    fed.until(lambda: len(fed.texts()) == 11)
    assert fed.texts()[0] == "error 90"
    fed.until(lambda: fed.panel.status.amount.text().startswith("11 of 1,000 lines shown"))
    fed.put("info again\nerror 9 again\n")
    fed.until(lambda: len(fed.texts()) == 12)
    fed.panel.view.select_all()
    qtbot.keyClick(fed.panel.view, Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text().count("\n") == 12
    qtbot.mouseClick(fed.panel.toolbar.search.filter, LEFT)
    qtbot.keyClick(fed.panel.view, Key.Key_End)
    fed.until(lambda: "info again" in fed.texts())


def test_the_filter_keeps_the_place(fed: Any, qtbot: Any) -> None:
    fed.put(lines(3000))
    fed.until_shown("info 2999")
    fed.search("error 1500")
    fed.panel.find_next()
    fed.until_shown("error 1500")
    fed.search("error")
    fed.until(lambda: fed.count() == "300 hits")
    top = fed.panel.view.first_shown().row
    fed.panel.toolbar.search.filter.setChecked(True)
    fed.until(lambda: all(text.startswith("error") for text in fed.texts()) and fed.texts())
    assert int(fed.texts()[0].split()[1]) == -(-top // 10) * 10
    fed.panel.toolbar.search.filter.setChecked(False)
    assert abs(fed.panel.view.first_shown().row - top) <= 10


def test_a_filter_that_nothing_matches_says_so(fed: Any, qtbot: Any) -> None:
    fed.put(lines(10))
    fed.until_shown("info 9")
    fed.panel.toolbar.search.filter.setChecked(True)
    fed.search("nowhere")
    fed.until(lambda: "No line matches" in words_on(fed.panel))
    qtbot.mouseClick(button(fed.panel, "Show all lines"), LEFT)
    fed.until_shown("info 9")


# --- Saving ---


def test_what_is_shown_is_saved(fed: Any, qtbot: Any, tmp_path: Path, jobs: Any) -> None:
    fed.put(b"\x1b[31merror 1\x1b[0m\ninfo 2\nerror 3\n")
    fed.until_shown("error 3")
    target = tmp_path / "web.log"
    fed.panel._taker.save(target)
    fed.until(lambda: "Saved" in fed.panel.status.amount.text())
    assert target.read_text() == "error 1\ninfo 2\nerror 3\n"
    (job,) = jobs.visible()
    assert job.title == "Save log to web.log"
    fed.panel._taker.save(target, raw=True)
    fed.until(lambda: target.read_bytes() == b"\x1b[31merror 1\x1b[0m\ninfo 2\nerror 3\n")
    fed.search("error")
    fed.panel.toolbar.search.filter.setChecked(True)
    fed.until(lambda: len(fed.texts()) == 2)
    fed.panel._taker.save(target)
    fed.until(lambda: target.read_text() == "error 1\nerror 3\n")
    assert [file.name for file in tmp_path.iterdir()] == ["web.log"]


def test_a_failed_save_leaves_what_was_there(
    fed: Any, qtbot: Any, tmp_path: Path, jobs: Any
) -> None:
    fed.put("text\n")
    fed.until_shown("text")
    with qtbot.waitSignal(jobs.job_failed, timeout=10_000) as failed:
        fed.panel._taker.save(tmp_path / "missing" / "web.log")
    assert isinstance(failed.args[0].error, LocalError)
    assert "missing" in failed.args[0].error.detail


def test_a_full_disk_is_told(
    fed: Any, qtbot: Any, jobs: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    import errno

    fed.put("text\n" * 1000)
    fed.until_shown("text")
    target = tmp_path / "web.log"
    target.write_text("kept")

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dockdesk.core.wholefile.os.fsync", full)
    with qtbot.waitSignal(jobs.job_failed, timeout=10_000) as failed:
        fed.panel._taker.save(target)
    assert "No space left" in failed.args[0].error.detail
    assert failed.args[0].error.hint
    assert target.read_text() == "kept"
    assert [file.name for file in tmp_path.iterdir()] == ["web.log"]


def test_saving_can_be_cancelled(fed: Any, tmp_path: Path, jobs: Any, qtbot: Any) -> None:
    for _ in range(30):
        fed.put("a line of some length that is saved\n" * 2000)
    fed.until(lambda: "60,000 lines" in fed.panel.status.amount.text())
    job = fed.panel._taker.save(tmp_path / "web.log")
    job.cancel()
    fed.until(lambda: job.state.over)
    assert job.state in {JobState.CANCELLED, JobState.DONE}
    assert not list(tmp_path.glob(".*"))


def test_the_file_is_asked_for(fed: Any, qtbot: Any, tmp_path: Path) -> None:
    fed.put("text\n")
    fed.until_shown("text")
    qtbot.keyClick(fed.panel.view, Key.Key_S, CONTROL)
    dialog = fed.panel.findChild(QFileDialog)
    assert dialog is not None
    fed.until(dialog.isVisible)
    assert dialog.selectedFiles()[0].endswith("web.log")
    dialog.setDirectory(str(tmp_path))
    dialog.selectFile("chosen.log")
    dialog.accept()
    fed.until(lambda: (tmp_path / "chosen.log").exists())


def test_there_is_nothing_to_save_or_copy(fed: Any, qtbot: Any) -> None:
    fed.panel.connected()
    qtbot.mouseClick(fed.panel.toolbar.copy, LEFT)
    assert fed.panel.status.amount.text() == "Nothing is selected."
    assert fed.panel._taker.save(Path("/nowhere/at/all")) is None


def test_the_copy_button_takes_all_lines(fed: Any, qtbot: Any) -> None:
    fed.put(lines(30))
    fed.until_shown("info 29")
    qtbot.mouseClick(fed.panel.toolbar.copy, LEFT)
    assert QGuiApplication.clipboard().text() == lines(30)


# --- Keyboard and room ---


@pytest.mark.parametrize(
    ("key", "modifiers"), [(Key.Key_F, CONTROL), (Key.Key_Slash, Qt.KeyboardModifier.NoModifier)]
)
def test_a_key_leads_to_the_search_and_escape_back(
    fed: Any, qtbot: Any, key: Any, modifiers: Any
) -> None:
    fed.put("text\n")
    fed.until_shown("text")
    panel = fed.panel
    panel.activateWindow()
    panel.view.setFocus()
    fed.until(panel.view.hasFocus)
    qtbot.keyClick(panel.view, key, modifiers)
    field = panel.toolbar.search.field
    fed.until(field.hasFocus)
    qtbot.keyClicks(field, "te/xt")
    qtbot.keyClick(field, Key.Key_Escape)
    assert field.text() == ""
    qtbot.keyClick(field, Key.Key_Escape)
    fed.until(panel.view.hasFocus)


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [(Key.Key_F, CONTROL), (Key.Key_F3, SHIFT), (Key.Key_F3, Qt.KeyboardModifier.NoModifier)],
)
def test_keys_of_the_panel_come_before_the_window_s(fed: Any, key: Any, modifiers: Any) -> None:
    event = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
    event.ignore()
    QApplication.sendEvent(fed.panel.toolbar.wrap, event)
    assert event.isAccepted()


def test_everything_is_reached_with_tab(fed: Any, qtbot: Any) -> None:
    from PySide6.QtWidgets import QAbstractButton, QLineEdit

    fed.put("text\n")
    fed.until_shown("text")
    panel = fed.panel
    tools = panel.toolbar
    tools.search.show_count("1 hit", True)
    panel.activateWindow()
    tools.follow.setFocus(Qt.FocusReason.TabFocusReason)
    reached = []
    for _ in range(40):
        widget = QApplication.focusWidget()
        if widget in reached:
            break
        reached.append(widget)
        qtbot.keyClick(widget, Key.Key_Tab)
    wanted = {
        item
        for kind in (QAbstractButton, QLineEdit)
        for item in tools.findChildren(kind)
        if item.isVisible() and item.parent() is not tools.search.field
    }
    assert wanted <= set(reached)
    assert panel.view in reached


def test_every_tool_has_words(fed: Any) -> None:
    from PySide6.QtWidgets import QToolButton

    for tool in fed.panel.toolbar.findChildren(QToolButton):
        if tool.parent() is not fed.panel.toolbar.search.field:
            assert tool.accessibleName() or tool.text()
            assert tool.toolTip()


def test_it_fits_a_narrow_pane(fed: Any) -> None:
    fed.panel.resize(420, 300)
    fed.until(lambda: fed.panel.width() <= 440)
    toolbar = fed.panel.toolbar
    fed.until(lambda: toolbar.search.y() > toolbar.follow.parentWidget().y())
    fed.panel.resize(1100, 300)
    fed.until(lambda: toolbar.search.y() <= toolbar.follow.parentWidget().y() + 12)


def test_the_menu_offers_copy_and_save(fed: Any) -> None:
    fed.put("text\n")
    fed.until_shown("text")
    menu = fed.panel.make_menu()
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert list(actions) == ["Copy", "Select all", "Save…", "Clear"]
    assert not actions["Copy"].isEnabled()
    actions["Select all"].trigger()
    menu = fed.panel.make_menu()
    next(action for action in menu.actions() if action.text() == "Copy").trigger()
    assert QGuiApplication.clipboard().text() == "text\n"
