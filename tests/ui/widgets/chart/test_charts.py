"""The chart widgets: what they show, how one looks around in them, and what they save."""

from __future__ import annotations

import csv
import math
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import LocalError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart import (
    Event,
    Part,
    Sparkline,
    StatCard,
    Threshold,
    TimeChart,
    Unit,
    UsageBar,
    paint_sparkline,
)
from dockdesk.ui.widgets.chart.export import Table, write_csv, write_png
from dockdesk.ui.widgets.chart.lines import Frame, dashed, segments, steps, without_flats

START = 1_760_000_000.0
LONG = 20_000


@pytest.fixture
def chart(qtbot: QtBot, theme: Theme) -> TimeChart:
    made = TimeChart(theme, Unit.PERCENT, "CPU")
    qtbot.addWidget(made)
    made.resize(520, 280)
    made.add_series("a", "api")
    made.set_samples(
        "a",
        [START + number for number in range(600)],
        [50 + 30 * math.sin(number / 40) for number in range(600)],
    )
    made.show_range(START, START + 600)
    made.show()
    return made


def ink(image: QImage, colour: QColor, tolerance: int = 40) -> int:
    """How many pixels are close to a colour."""
    found = 0
    for x in range(image.width()):
        for y in range(image.height()):
            seen = image.pixelColor(x, y)
            distance = max(
                abs(seen.red() - colour.red()),
                abs(seen.green() - colour.green()),
                abs(seen.blue() - colour.blue()),
            )
            found += distance <= tolerance
    return found


def drawn(chart: TimeChart) -> QImage:
    """The plot without focus and crosshair."""
    with chart._canvas.printed(1.0):
        return chart._canvas.grab().toImage()


def frame_of(chart: TimeChart) -> Frame:
    chart._canvas.grab()
    assert chart._canvas._frame is not None
    return chart._canvas._frame


def wheel(widget: QWidget, x: float, notches: int, modifiers: Qt.KeyboardModifier) -> QWheelEvent:
    at = QPointF(x, widget.height() / 2)
    event = QWheelEvent(
        at,
        QPointF(widget.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event


# --- What is drawn ---


def test_a_line_is_drawn_in_its_colour(chart: TimeChart, theme: Theme) -> None:
    assert ink(drawn(chart), theme.series(0)) > 400
    chart._model.lines["a"].visible = False
    assert ink(drawn(chart), theme.series(0)) == 0


def test_the_theme_changes_live(chart: TimeChart, theme: Theme) -> None:
    light = theme.series(0)
    theme.set_mode("dark")
    image = drawn(chart)
    assert theme.series(0) != light
    assert ink(image, theme.series(0), 30) > 400


def test_labels_stay_inside(chart: TimeChart) -> None:
    """Nothing is cut off at the edges: the outermost rows and columns of pixels stay empty."""
    chart.show_range(START + 17, START + 617)
    for width, height in ((520, 280), (240, 140), (900, 200)):
        chart.resize(width, height)
        frame = frame_of(chart)
        image = drawn(chart)
        blank = image.pixelColor(image.width() - 1, 0)
        edges = [(x, image.height() - 1) for x in range(image.width())]
        edges += [(0, y) for y in range(image.height())]
        edges += [(image.width() - 1, y) for y in range(image.height())]
        assert [place for place in edges if image.pixelColor(*place) != blank] == []
        assert frame.plot.width() > width * 0.6, "no waste"


def test_marks_are_drawn(chart: TimeChart, theme: Theme) -> None:
    before = drawn(chart)
    chart.set_thresholds([Threshold(90, "alarm", "bad")])
    chart.set_band(20, 80, "target")
    chart.set_events([Event(START + 300, "deployed <b>2.0</b>", "info")])
    image = drawn(chart)
    assert ink(image, theme.tone("bad")) > 60 > ink(before, theme.tone("bad"))
    assert ink(image, theme.tone("info"), 60) > ink(before, theme.tone("info"), 60)
    assert frame_of(chart).high >= 90
    chart.clear_band()
    chart.set_high(200)
    assert frame_of(chart).high == 200


def test_gaps_are_left_open(chart: TimeChart, theme: Theme) -> None:
    values: list[float | None] = [50.0] * 600
    values[200:400] = [None] * 200
    chart.set_samples("a", [START + number for number in range(600)], values)
    frame = frame_of(chart)
    image = drawn(chart)
    y = round(frame.y(50.0))
    column = [image.pixelColor(round(frame.x(START + 300)), each) for each in range(y - 2, y + 3)]
    beside = [image.pixelColor(round(frame.x(START + 100)), each) for each in range(y - 2, y + 3)]
    blue = theme.series(0)
    assert all(abs(colour.red() - blue.red()) > 40 for colour in column)
    assert any(abs(colour.red() - blue.red()) < 40 for colour in beside)


def test_an_empty_chart_says_so(qtbot: QtBot, theme: Theme) -> None:
    chart = TimeChart(theme, Unit.BYTES, "Network")
    qtbot.addWidget(chart)
    chart.show()
    chart.add_series("r", "received")
    before = drawn(chart)
    chart.append("r", START, 100.0)
    chart.append("r", START + 1, 200.0)
    assert drawn(chart) != before
    chart.clear()
    assert chart._value.text == ""


def test_the_picture_is_kept_until_something_changes(chart: TimeChart) -> None:
    chart._canvas.grab()
    kept = chart._canvas._picture
    chart._canvas._set_hover(200.0)
    chart._canvas.grab()
    assert chart._canvas._picture is kept, "the crosshair is drawn over it"
    chart.append("a", START + 600, 1.0)
    assert chart._canvas._picture is None


# --- Series ---


def test_the_legend_names_hides_and_shows(qtbot: QtBot, chart: TimeChart, theme: Theme) -> None:
    assert chart._legend.isHidden(), "one line needs none"
    assert chart._value.text != ""
    chart.add_series("b", "worker\u202e-1\n")
    chart.append("b", START + 600, 12.0)
    assert not chart._legend.isHidden()
    assert chart._model.lines["b"].name == "worker\ufffd-1⏎"
    assert chart._value.text == ""
    entry = chart._legend._entries["b"]
    assert entry.value == "12.0 %"
    qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    assert [line.key for line in chart._model.shown()] == ["a"]
    qtbot.keyClick(entry, Qt.Key.Key_Space)
    assert len(chart._model.shown()) == 2
    chart._legend.grab()
    chart.remove_series("b")
    assert chart._legend.isHidden()
    chart.add_series("c", "another")
    assert chart._model.lines["c"].colour == 1, "colours of lines that went are used again"


def test_the_legend_wraps(qtbot: QtBot, chart: TimeChart) -> None:
    for number in range(6):
        chart.add_series(f"s{number}", f"a rather long container name {number}")
    qtbot.waitUntil(
        lambda: len({entry.y() for entry in chart._legend._entries.values()}) > 1, timeout=LONG
    )
    for entry in chart._legend._entries.values():
        assert entry.geometry().right() <= chart._legend.width()
        assert entry.geometry().bottom() <= chart._legend.height()


# --- Looking around ---


def test_zooming_panning_and_going_back(qtbot: QtBot, chart: TimeChart) -> None:
    canvas, frame = chart._canvas, frame_of(chart)
    middle = frame.plot.center().x()
    ignored = wheel(canvas, middle, 1, Qt.KeyboardModifier.NoModifier)
    assert not ignored.isAccepted() or canvas.hasFocus()
    wheel(canvas, middle, 2, Qt.KeyboardModifier.ControlModifier)
    start, end = chart.shown_range
    assert end - start < 600
    assert chart._back.isVisible()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(300, 100))
    qtbot.mouseMove(canvas, QPoint(250, 100))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(250, 100))
    assert chart.shown_range[0] > start
    qtbot.mouseClick(chart._back, Qt.MouseButton.LeftButton)
    assert chart.shown_range == (START, START + 600)
    assert not chart._back.isVisible()
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    qtbot.keyClick(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert chart.shown_range != (START, START + 600)
    qtbot.keyClick(canvas, Qt.Key.Key_Home)
    assert chart.shown_range == (START, START + 600)
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 80))
    assert chart.shown_range == (START, START + 600)


def test_the_crosshair_reads_all_lines(qtbot: QtBot, chart: TimeChart) -> None:
    chart.add_series("b", "worker")
    chart.set_samples("b", [START + 300], [77.0])
    chart.set_events([Event(START + 300, "deployed")])
    canvas, frame = chart._canvas, frame_of(chart)
    qtbot.mouseMove(canvas, QPoint(round(frame.x(START + 300)), 100))
    canvas._set_hover(frame.x(START + 300))
    assert "worker 77.0 %" in canvas.reading()
    assert "api " in canvas.reading()
    assert canvas.reading().endswith("deployed")
    canvas.grab()
    canvas._set_hover(1e6)
    assert canvas._hover == frame.plot.right()
    assert "no data" in canvas.reading()
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert canvas.reading() == ""
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas.accessibleDescription() == canvas.reading() != ""


def test_live_pausing_and_going_on(qtbot: QtBot, chart: TimeChart) -> None:
    chart.follow(60)
    assert chart.live
    end = chart.shown_range[1]
    assert end >= START + 599
    qtbot.mouseClick(chart._pause, Qt.MouseButton.LeftButton)
    assert chart.paused
    stands = chart.shown_range
    chart.append("a", START + 700, 5.0)
    assert chart.shown_range == stands
    chart.set_paused(False)
    assert chart.shown_range[1] >= START + 700


def test_hidden_charts_do_nothing(qtbot: QtBot, chart: TimeChart) -> None:
    chart.follow(60)
    assert chart._canvas._slide.isActive()
    chart.hide()
    assert not chart._canvas._slide.isActive()
    chart.append("a", START + 700, 5.0)
    assert chart._canvas._picture is None
    chart.show()
    assert chart._value.text == "5.0 %"
    chart._canvas.grab()
    chart._canvas._on_slide()
    assert chart._canvas._picture is not None, "painted a moment ago"
    chart._canvas._painted -= 10
    chart._canvas._on_slide()
    assert chart._canvas._picture is None


# --- Files ---


def test_saving_a_picture_and_the_data(
    qtbot: QtBot, theme: Theme, jobs: Jobs, tmp_path: Path
) -> None:
    chart = TimeChart(theme, Unit.COUNT, "Tasks / web", jobs)
    qtbot.addWidget(chart)
    chart.resize(400, 200)
    chart.add_series("a", "running")
    chart.add_series("b", "=HYPERLINK(1)")
    chart.set_samples("a", [START, START + 1], [1.0, None])
    chart.set_samples("b", [START + 0.5, START + 1], [3.0, 4.5])
    chart.show_range(START, START + 5)
    chart.show()
    saved: list[Path] = []
    chart.saved.connect(saved.append)
    chart.save_picture(tmp_path / "c.png")
    chart.save_csv(tmp_path / "c.csv")
    qtbot.waitUntil(lambda: len(saved) == 2, timeout=LONG)
    picture = QImage(str(tmp_path / "c.png"))
    assert picture.width() == 2 * (400 + 24)
    assert ink(picture, theme.series(0)) > 20
    assert chart._save.isVisible()
    rows = list(csv.reader((tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()))
    assert rows == [
        ["time", "running", "'=HYPERLINK(1)"],
        ["2025-10-09T08:53:20.000+00:00", "1.0", ""],
        ["2025-10-09T08:53:20.500+00:00", "", "3.0"],
        ["2025-10-09T08:53:21.000+00:00", "", "4.5"],
    ]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["c.csv", "c.png"]


def test_a_failed_save_says_why_and_leaves_what_was_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as raised:
        write_csv(Table(["a"], [([START], [1.0])]), tmp_path / "absent" / "c.csv")
    assert raised.value.title == "The chart was not saved"
    kept = tmp_path / "kept.png"
    kept.write_bytes(b"old")
    with pytest.raises(LocalError):
        write_png(QImage(), kept)
    assert kept.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["kept.png"]


def test_a_chart_without_jobs_offers_no_saving(chart: TimeChart, tmp_path: Path) -> None:
    assert not chart._save.isVisible()
    with pytest.raises(RuntimeError):
        chart.save_csv(tmp_path / "c.csv")
    chart.set_tools_visible(False)
    assert not chart._pause.isVisible()


def test_the_save_menu_asks_where(
    qtbot: QtBot, theme: Theme, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = TimeChart(theme, title="CPU", jobs=jobs)
    qtbot.addWidget(chart)
    asked: list[str] = []
    monkeypatch.setattr(chart, "_ask_where", lambda kind, save: asked.append(kind))
    menu = chart._save_menu()
    for action in menu.actions():
        action.trigger()
    assert asked == ["png", "csv"]


# --- Strokes ---


def test_dashes_cover_their_share_wherever_the_line_is_cut() -> None:
    points = [(float(x), 10.0 + x % 3) for x in range(120)]
    strokes = dashed(points, (6.0, 4.0), 3.0)
    covered = sum(stroke.x2() - stroke.x1() for stroke in strokes)
    assert covered == pytest.approx(119 * 0.6, abs=4)
    long = dashed([(0.0, 0.0), (100.0, 50.0)], (6.0, 4.0), 0.0)
    assert len(long) == 10
    assert all(stroke.y1() == pytest.approx(stroke.x1() / 2) for stroke in long)
    upright = dashed([(2.0, 0.0), (2.0, 9.0), (7.0, 9.0)], (6.0, 4.0), 0.0)
    assert upright[0].y2() == 9.0


def test_steps_and_level_stretches() -> None:
    assert steps([(0, 1), (1, 1), (2, 5)]) == [(0, 1), (1, 1), (2, 1), (2, 5)]
    assert without_flats([(0, 1), (1, 1), (2, 1), (3, 2), (4, 2)]) == [
        (0, 1),
        (2, 1),
        (3, 2),
        (4, 2),
    ]
    assert len(segments([(5.0, 5.0)])) == 1, "a lone sample is a dot"


def test_a_frame_maps_both_ways() -> None:
    frame = Frame(QRectF(50, 10, 200, 100), START, START + 100, 50.0)
    assert frame.x(START + 50) == 150
    assert frame.time(150) == START + 50
    assert frame.y(25) == 60
    assert frame.to_pixels([(START + 50, 25.0)]) == [(150, 60)]


# --- Small ones ---


def test_sparklines(qtbot: QtBot, theme: Theme) -> None:
    spark = Sparkline(theme)
    qtbot.addWidget(spark)
    spark.resize(100, 24)
    empty = spark.grab().toImage()
    spark.set_values([1.0, 5.0, math.nan, 2.0, 3.0])
    assert spark.grab().toImage() != empty
    spark.set_tone("bad")
    assert ink(spark.grab().toImage(), theme.tone("bad")) > 5
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    paint_sparkline(painter, QRectF(0, 0, 20, 10), [0.0, 0.0, 0.0], QColor("black"))
    paint_sparkline(painter, QRectF(0, 0, 20, 10), [math.nan] * 3, QColor("red"))
    painter.end()
    assert image.pixelColor(10, 9).lightness() < 200, "zeros are a line at the bottom"


def test_stat_cards(qtbot: QtBot, theme: Theme) -> None:
    card = StatCard(theme, "CPU", clickable=True)
    qtbot.addWidget(card)
    card.resize(card.sizeHint())
    card.set_value("21.4 %", "of 8 cores", "warn")
    plain = card.grab().toImage()
    assert ink(plain, theme.tone("warn")) > 20
    card.set_series([1.0, 2.0, 3.0])
    assert card.grab().toImage() != plain
    assert card.accessibleName() == "CPU, 21.4 %, of 8 cores"
    assert card.sizeHint().height() < 96
    with qtbot.waitSignal(card.clicked, timeout=LONG):
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(card.clicked, timeout=LONG):
        qtbot.keyClick(card, Qt.Key.Key_Return)


def test_usage_bars(qtbot: QtBot, theme: Theme) -> None:
    bar = UsageBar(theme)
    qtbot.addWidget(bar)
    bar.resize(400, 60)
    assert bar._part_rects() == []
    bar.set_parts([Part("Images", 3e9, 1e9), Part("Volumes <b>", 1e9), Part("Cache", 1.0)])
    rects = bar._part_rects()
    assert rects[0].width() == pytest.approx(300, abs=3)
    assert rects[2].width() == pytest.approx(3, abs=1), "a part that is there is seen"
    assert rects[-1].right() <= 400
    image = bar.grab().toImage()
    assert ink(image, theme.series(0)) > 500
    assert ink(image, theme.series(1)) > 300
    assert bar.part_at(QPointF(10, 5)) == 0
    assert bar.part_at(QPointF(10, bar.height() - 6)) is None or bar.heightForWidth(400) > 40
    assert bar.tip(0) == "Images: 3 GB\n1 GB can be freed"
    assert bar.tip(1) == "Volumes <b>: 1 GB"
    assert bar.heightForWidth(120) > bar.heightForWidth(600)
    bar.set_parts([Part("Nothing", 0.0)], total=0.0)
    bar.grab()
    bar.set_parts([Part("Used", 30.0)], total=100.0)
    assert bar._part_rects()[0].width() == pytest.approx(120)


def test_a_part_under_the_pointer_stands_out(qtbot: QtBot, theme: Theme) -> None:
    bar = UsageBar(theme)
    qtbot.addWidget(bar)
    bar.resize(400, 60)
    bar.set_parts([Part("A", 1.0), Part("B", 1.0)])
    before = bar.grab().toImage().pixelColor(300, 5)
    bar._hover(0)
    assert bar.grab().toImage().pixelColor(300, 5) != before
    bar._hover(None)
    assert bar.grab().toImage().pixelColor(300, 5) == before


def test_charts_import_nothing_heavy() -> None:
    code = (
        "import sys, dockdesk.ui.widgets.chart, dockdesk.ui.widgets.terminal;"
        "print([n for n in ('numpy', 'pyqtgraph', 'pyghostty', 'cffi') if n in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert found.stdout.strip() == "[]"


# Marks: bounds, thresholds and events.


def tinted(image: QImage, x: int, y: int, ground: QColor) -> bool:
    """Whether a pixel has a wash of colour over the ground."""
    return image.pixelColor(x, y) != ground


@pytest.fixture
def quiet(qtbot: QtBot, theme: Theme) -> TimeChart:
    """Next to nothing on it but marks."""
    made = TimeChart(theme, Unit.PERCENT, "CPU")
    qtbot.addWidget(made)
    made.resize(520, 280)
    made.add_series("a", "api", filled=False)
    made.set_samples("a", [START, START + 600], [1.0, 1.0])
    made.set_high(100)
    made.show_range(START, START + 600)
    made.show()
    return made


def test_a_band_is_washed_between_its_bounds(quiet: TimeChart) -> None:
    before = drawn(quiet)
    quiet.set_band(40, 60)
    image, frame = drawn(quiet), frame_of(quiet)
    x = round(frame.x(START + 317))
    for value, washed in ((50, True), (43, True), (57, True), (35, False), (66, False)):
        y = round(frame.y(value))
        assert tinted(image, x, y, before.pixelColor(x, y)) is washed, value
    quiet.clear_band()
    assert drawn(quiet) == before


def test_a_band_ends_at_the_axis_and_beyond_it_there_is_none(quiet: TimeChart) -> None:
    before = drawn(quiet)
    quiet.set_band(80, 900, "target")
    quiet.set_high(100)
    image, frame = drawn(quiet), frame_of(quiet)
    x = round(frame.x(START + 317))
    above = round(frame.plot.top()) - 3
    assert not tinted(image, x, above, before.pixelColor(x, above))
    inside = round(frame.y(90))
    assert tinted(image, x, inside, before.pixelColor(x, inside))
    quiet.set_band(300, 900, "target")
    quiet.set_high(100)
    assert drawn(quiet) == before


def test_labels_of_near_thresholds_are_all_read(quiet: TimeChart, theme: Theme) -> None:
    high, low = Threshold(61, "scale out above 61 %", "bad"), Threshold(60, "alarm at 60 %", "warn")
    alone = []
    for each in (high, low):
        quiet.set_thresholds([each])
        alone.append(ink(drawn(quiet), theme.tone(each.tone), 30))
    quiet.set_thresholds([high, low])
    image = drawn(quiet)
    for each, count in zip((high, low), alone, strict=True):
        assert ink(image, theme.tone(each.tone), 30) > 0.85 * count, each.label


def test_a_threshold_beyond_the_axis_is_left_out(quiet: TimeChart) -> None:
    before = drawn(quiet)
    quiet.set_thresholds([Threshold(250, "limit"), Threshold(-5, "below")])
    assert frame_of(quiet).high == 100
    assert drawn(quiet) == before


def test_every_event_is_marked_and_words_give_way(quiet: TimeChart, theme: Theme) -> None:
    """Forty deployments in ten minutes: forty marks, and no words over other words."""
    events = [Event(START + 15 * n, f"web:{n} was deployed by somebody", "info") for n in range(40)]
    quiet.set_events(events[::-1])
    image, frame = drawn(quiet), frame_of(quiet)
    row = round(frame.plot.bottom()) - 30
    colour = theme.tone("info")
    for event in events[1:]:
        x = round(frame.x(event.time))
        near = [image.pixelColor(at, y) for at in (x - 1, x, x + 1) for y in range(row, row + 8)]
        assert any(abs(each.blue() - colour.blue()) < 60 and each.red() < 160 for each in near), x
    assert quiet._model.events == events, "in the order of time"
    quiet.add_event(Event(START + 7, "first\nof <b>all</b>"))
    assert quiet._model.events[1].label == "first⏎of <b>all</b>"
    quiet.clear()
    assert quiet._model.events == []


def test_words_of_an_event_at_the_edge_stay_inside(quiet: TimeChart, theme: Theme) -> None:
    quiet.set_events([Event(START + 592, "web:17 was deployed", "bad")])
    image, frame = drawn(quiet), frame_of(quiet)
    assert ink(image, theme.tone("bad"), 90) > 150, "its words are there, before it"
    right = round(frame.plot.right()) + 12
    blank = image.pixelColor(image.width() - 1, 0)
    assert all(
        image.pixelColor(x, y) == blank
        for x in range(right, image.width())
        for y in range(round(frame.plot.top()))
    )


def test_events_of_another_time_are_not_marked(quiet: TimeChart) -> None:
    """The room for their words stays: the plot must not jump as one scrolls."""
    quiet.set_events([Event(START - 60, "before"), Event(START + 900, "after")])
    away = drawn(quiet)
    quiet.set_events([Event(START - 70, "long before")])
    assert drawn(quiet) == away


def test_what_is_under_the_pointer_is_read_with_its_event(quiet: TimeChart) -> None:
    quiet.set_events([Event(START + 300, "deployed"), Event(START + 500, "rolled back")])
    canvas, frame = quiet._canvas, frame_of(quiet)
    canvas._set_hover(frame.x(START + 500))
    assert canvas.reading().endswith("rolled back")
    canvas._set_hover(frame.x(START + 400))
    assert "deployed" not in canvas.reading()
    assert "rolled" not in canvas.reading()
