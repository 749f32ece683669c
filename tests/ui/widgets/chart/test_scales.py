"""Axes and samples, without Qt."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.ui.widgets.chart.model import ChartModel, Line, Threshold
from dockdesk.ui.widgets.chart.range import TimeRange
from dockdesk.ui.widgets.chart.samples import Samples
from dockdesk.ui.widgets.chart.timescale import moment_text, time_ticks
from dockdesk.ui.widgets.chart.units import Unit, axis_ticks, value_text

START = 1_760_000_000.0


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock with summer time."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# --- Values ---


@pytest.mark.parametrize(
    ("high", "unit", "labels"),
    [
        (87.3, Unit.PERCENT, ["0", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        (0.8, Unit.PERCENT, ["0", "0.2 %", "0.4 %", "0.6 %", "0.8 %"]),
        (5e8, Unit.BYTES_BINARY, ["0", "128 MiB", "256 MiB", "384 MiB", "512 MiB"]),
        (1.3e6, Unit.BYTES_PER_SECOND, ["0", "0.5 MB/s", "1.0 MB/s", "1.5 MB/s"]),
        (2.0, Unit.COUNT, ["0", "1", "2"]),
        (0.0, Unit.COUNT, ["0", "1"]),
        (0.23, Unit.SECONDS, ["0", "50 ms", "100 ms", "150 ms", "200 ms", "250 ms"]),
    ],
)
def test_axis_labels_are_round_and_have_their_unit(
    high: float, unit: Unit, labels: list[str]
) -> None:
    assert [tick.label for tick in axis_ticks(high, unit, 6)] == labels


@given(
    st.floats(0, 1e16, allow_nan=False),
    st.sampled_from(list(Unit)),
    st.integers(2, 12),
)
def test_the_axis_holds_its_data_in_few_ticks(high: float, unit: Unit, most: int) -> None:
    ticks = axis_ticks(high, unit, most)
    assert 2 <= len(ticks) <= most + 1
    assert ticks[0].value == 0
    assert ticks[-1].value >= high * (1 - 1e-9)
    assert len({tick.label for tick in ticks}) == len(ticks), "labels can be told apart"
    assert all(one.value < other.value for one, other in pairwise(ticks))


def test_an_axis_of_nonsense_is_still_an_axis() -> None:
    for high in (math.nan, math.inf, -5.0):
        assert axis_ticks(high, Unit.PERCENT, 5)[-1].value > 0


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (21.44, Unit.PERCENT, "21.4 %"),
        (3.02e9, Unit.BYTES, "3.02 GB"),
        (512 * 1024**2, Unit.BYTES_BINARY, "512 MiB"),
        (12.0, Unit.BYTES, "12 B"),
        (0.0, Unit.BYTES_PER_SECOND, "0 B/s"),
        (7.0, Unit.COUNT, "7"),
        (12_345.0, Unit.COUNT, "12.3 k"),
        (0.0042, Unit.SECONDS, "4.20 ms"),
        (math.nan, Unit.COUNT, "no data"),
    ],
)
def test_values_are_written_with_three_figures(value: float, unit: Unit, text: str) -> None:
    assert value_text(value, unit) == text


# --- Time ---


@given(st.floats(1e6, 4e9), st.floats(5, 3e7), st.integers(1, 20))
def test_moments_are_inside_in_order_and_few(start: float, span: float, most: int) -> None:
    ticks = time_ticks(start, start + span, most)
    assert len(ticks) <= most + 2
    assert all(start <= tick.value <= start + span for tick in ticks)
    assert all(one.value < other.value for one, other in pairwise(ticks))


@pytest.mark.usefixtures("berlin")
def test_labels_are_round_on_the_local_clock() -> None:
    start = datetime(2025, 6, 1, 9, 58, 30).timestamp()
    assert [tick.label for tick in time_ticks(start, start + 600, 6)] == [
        "10:00",
        "10:02",
        "10:04",
        "10:06",
        "10:08",
    ]
    assert time_ticks(start, start + 20, 4)[0].label == "09:58:30"
    day = [tick.label for tick in time_ticks(start, start + 86_400, 8)]
    assert "2 Jun" in day
    assert "12:00" in day


@pytest.mark.usefixtures("berlin")
def test_steps_stay_round_when_the_clocks_change() -> None:
    start = datetime(2025, 3, 30, 0, 30).timestamp()  # 02:00 becomes 03:00
    labels = [tick.label for tick in time_ticks(start, start + 8 * 3600, 10)]
    assert labels == ["01:00", "03:00", "04:00", "05:00", "06:00", "07:00", "08:00", "09:00"]
    autumn = datetime(2025, 10, 26, 0, 30).timestamp()
    ticks = time_ticks(autumn, autumn + 8 * 3600, 10)
    assert all(tick.label.endswith(":00") for tick in ticks)
    assert all(one.value < other.value for one, other in pairwise(ticks))


@pytest.mark.usefixtures("berlin")
def test_a_moment_has_its_day_where_that_is_not_clear() -> None:
    at = datetime(2025, 6, 1, 9, 5, 7).timestamp()
    assert moment_text(at, 600) == "09:05:07"
    assert "01 Jun" in moment_text(at, 86_400)


def test_the_clock_is_put_back() -> None:
    assert os.environ.get("TZ") != "Europe/Berlin"


# --- Samples ---


def filled(count: int, **options: float) -> Samples:
    samples = Samples(**options)  # type: ignore[arg-type]
    for number in range(count):
        samples.append(START + number, math.sin(number / 30) * 10 + 20)
    return samples


def test_no_spike_is_lost_at_any_zoom() -> None:
    samples = Samples()
    for number in range(50_000):
        samples.append(START + number, 1000.0 if number == 31_337 else number % 7)
    for buckets in (1, 10, 300, 5000):
        points = [point for run in samples.outline(START, START + 50_000, buckets) for point in run]
        assert (START + 31_337, 1000.0) in points
        assert len(points) <= 8 * buckets + 8
        assert points == sorted(points, key=lambda point: point[0])
    assert samples.bounds(START, START + 50_000) == (0.0, 1000.0)


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=300),
    st.integers(1, 40),
)
def test_the_outline_is_made_of_samples_and_keeps_their_extremes(
    values: list[float | None], buckets: int
) -> None:
    samples = Samples(gap_after=5)
    for number, value in enumerate(values):
        samples.append(START + number, value)
    points = [point for run in samples.outline(START, START + 1000, buckets) for point in run]
    known = {START + number: value for number, value in enumerate(values) if value is not None}
    assert all(known[moment] == value for moment, value in points)
    if known:
        assert min(v for _, v in points) == min(known.values())
        assert max(v for _, v in points) == max(known.values())
    else:
        assert points == []


def test_lines_break_where_samples_are_missing() -> None:
    samples = Samples(gap_after=5)
    for number in range(10):
        samples.append(START + number, None if number == 4 else 1.0)
    samples.append(START + 100, 2.0)
    runs = samples.outline(START, START + 200, 500)
    assert [len(run) for run in runs] == [4, 5, 1]
    assert samples.nearest(START + 50) is None
    assert samples.nearest(START + 98) == (START + 100, 2.0)
    assert samples.nearest(START + 4) in ((START + 3, 1.0), (START + 5, 1.0))
    samples.append(START + 101, math.nan)
    assert samples.last_value is None
    assert samples.last_time == START + 101


def test_long_gaps_break_decimated_lines_too() -> None:
    samples = Samples(gap_after=5)
    for number in range(20_000):
        samples.append(START + number + (5000 if number >= 10_000 else 0), 1.0)
    assert len(samples.outline(START, START + 30_000, 100)) == 2


def test_old_samples_are_refused_and_old_ones_forgotten() -> None:
    samples = filled(100)
    assert not samples.append(START, 5.0)
    assert samples.append(START + 99, 5.0), "the same moment again is fine"
    small = filled(5000, capacity=1000)
    assert 1000 <= len(small) <= 1250
    assert small.last_time == START + 4999
    bounds = small.bounds(START, START + 5000)
    assert bounds is not None
    assert bounds[1] <= 30.0
    times, values = small.rows()
    assert len(times) == len(values) == len(small)


def test_what_is_just_outside_is_drawn_to() -> None:
    """The line runs to the edge of the plot, not to the last sample inside it."""
    samples = filled(100)
    run = samples.outline(START + 10.5, START + 20.5, 500)[0]
    assert run[0][0] == START + 10
    assert run[-1][0] == START + 21


# --- The model ---


def test_a_distant_threshold_does_not_press_the_data_flat() -> None:
    model = ChartModel()
    model.lines["a"] = Line("a", "a", filled(50), 0)
    high = model.highest(START, START + 50)
    model.thresholds = [Threshold(high * 2)]
    assert model.highest(START, START + 50) == high * 2
    model.thresholds = [Threshold(high * 100)]
    assert model.highest(START, START + 50) == high


def test_lines_differ_in_more_than_colour() -> None:
    looks = {(Line("", "", Samples(), number).dashes) for number in range(4)}
    assert len(looks) == 4


# --- The range ---


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_the_window_slides_with_samples_and_with_silence() -> None:
    clock = Clock()
    time_range = TimeRange(60, clock)
    time_range.saw(START)
    assert time_range.current() == (START - 60, START)
    clock.now += 10
    assert time_range.current() == (START - 50, START + 10)
    time_range.saw(START + 5)
    assert time_range.current()[1] == START + 5
    time_range.saw(START - 100)
    assert time_range.current()[1] == START + 5


def test_zooming_keeps_the_moment_under_the_pointer() -> None:
    time_range = TimeRange()
    time_range.fix(START, START + 100)
    time_range.zoom(0.5, START + 25)
    start, end = time_range.current()
    assert (end - start, (START + 25 - start) / (end - start)) == (50, 0.25)
    assert time_range.zoomed
    time_range.pan(10)
    assert time_range.current() == (start + 10, end + 10)
    for _ in range(100):
        time_range.zoom(0.1, START)
    assert time_range.current()[1] - time_range.current()[0] >= 4.99
    time_range.show(START, START + 20)
    assert time_range.current() == (START, START + 20)
    time_range.reset()
    assert time_range.current() == (START, START + 100)
    assert not time_range.zoomed


def test_pausing_stands_still() -> None:
    clock = Clock()
    time_range = TimeRange(60, clock)
    time_range.saw(START)
    time_range.pause(True)
    clock.now += 30
    time_range.saw(START + 30)
    assert time_range.current()[1] == START
    assert not time_range.live
    time_range.pause(False)
    assert time_range.current()[1] == START + 30
    time_range.follow(600)
    assert time_range.current() == (START + 30 - 600, START + 30)
