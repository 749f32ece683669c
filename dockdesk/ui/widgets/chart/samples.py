"""Samples in time, and their outline at any zoom.

Beside the samples it is kept which are the smallest and largest of every 4, 16, 64 … of them, as they come. What a
chart shows is then read from the level that has about two values a pixel: the work depends on the width of the chart
and not on the length of the history, and no spike is lost. (Jugel et al., "M4", VLDB 2014, on why that suffices.)
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from dockdesk.core.records import dataclass

_BLOCK = 4
_NAN = math.nan
_NONE = -1
Point = tuple[float, float]


@dataclass(slots=True)
class _Level:
    """For every ``size`` samples the numbers of the smallest and the largest; _NONE where all are missing."""

    size: int
    low: array[int]
    high: array[int]


class _Runs:
    """Joins points to lines, and breaks them where nothing was for too long."""

    __slots__ = ("_before", "_gap_after", "_open", "all")

    def __init__(self, gap_after: float) -> None:
        self.all: list[list[Point]] = []
        self._gap_after = gap_after
        self._before = -math.inf
        self._open = False

    def add(self, begin: float, end: float, points: tuple[Point, ...]) -> None:
        """Points of a stretch of time; none where all its samples are missing."""
        if not points or begin - self._before > self._gap_after:
            self._open = False
        self._before = end
        if points:
            if not self._open:
                self.all.append([])
                self._open = True
            self.all[-1] += points


class Samples:
    """The newest ``capacity`` samples of one quantity; times in seconds since 1970, never going back.

    A value of None is a sample that is missing: the line has a gap there, as where nothing came for ``gap_after``
    seconds.
    """

    def __init__(self, capacity: int = 100_000, gap_after: float = 15.0) -> None:
        self.capacity = max(_BLOCK, capacity)
        self.gap_after = gap_after
        self._times = array("d")
        self._values = array("d")
        self._levels: list[_Level] = []

    def __len__(self) -> int:
        return len(self._times)

    def append(self, time: float, value: float | None) -> bool:
        """Add a sample. One older than the newest is dropped (False): streams repeat themselves after a reconnect."""
        if (self._times and time < self._times[-1]) or not math.isfinite(time):
            return False
        self._times.append(time)
        self._values.append(_NAN if value is None or not math.isfinite(value) else value)
        self._extend_levels()
        if len(self._times) > self.capacity + self.capacity // 4:
            self._trim()
        return True

    def replace(self, times: Sequence[float], values: Sequence[float | None]) -> None:
        """Take a whole history instead."""
        self._times, self._values, self._levels = array("d"), array("d"), []
        for time, value in zip(times[-self.capacity :], values[-self.capacity :], strict=True):
            self.append(time, value)

    @property
    def first_time(self) -> float | None:
        return self._times[0] if self._times else None

    @property
    def last_time(self) -> float | None:
        return self._times[-1] if self._times else None

    @property
    def last_value(self) -> float | None:
        """The newest value; None if there is none or it is missing."""
        value = self._values[-1] if self._values else _NAN
        return None if math.isnan(value) else value

    def rows(self) -> tuple[array[float], array[float]]:
        """A copy of all times and values (NaN where missing): for another thread."""
        return self._times[:], self._values[:]

    def nearest(self, time: float) -> Point | None:
        """The sample closest to a moment, if it is within ``gap_after`` of it."""
        index = bisect_left(self._times, time)
        near = [each for each in (index - 1, index) if 0 <= each < len(self._times)]
        near = [each for each in near if not math.isnan(self._values[each])]
        if not near:
            return None
        best = min(near, key=lambda each: abs(self._times[each] - time))
        if abs(self._times[best] - time) > self.gap_after:
            return None
        return self._times[best], self._values[best]

    def bounds(self, start: float, end: float) -> tuple[float, float] | None:
        """The smallest and largest value between two moments."""
        values = [value for run in self.outline(start, end, 256) for _, value in run]
        return (min(values), max(values)) if values else None

    def outline(self, start: float, end: float, buckets: int) -> list[list[Point]]:
        """The line between two moments, and to one sample beyond each: runs without gaps, oldest first.

        Up to about eight points a bucket, whatever the number of samples.
        """
        first = max(0, bisect_left(self._times, start) - 1)
        last = min(len(self._times), bisect_right(self._times, end) + 1)
        count = last - first
        if count <= 0:
            return []
        depth = -1
        for each in self._levels:
            if count / (each.size // _BLOCK) <= 4 * max(1, buckets):
                break
            depth += 1
        runs = _Runs(self.gap_after)
        if depth < 0:
            for index in range(first, last):
                self._add_sample(runs, index)
            return runs.all
        size = self._levels[depth].size
        blocks = range(first // size, (last - 1) // size + 1)
        usual = (self._times[last - 1] - self._times[first]) / len(blocks)
        for block in blocks:
            self._add_block(runs, depth, block, max(self.gap_after, 2 * usual))
        return runs.all

    def _add_sample(self, runs: _Runs, index: int) -> None:
        time, value = self._times[index], self._values[index]
        runs.add(time, time, ((time, value),) if value == value else ())

    def _add_block(self, runs: _Runs, depth: int, block: int, longest: float) -> None:
        """Add a block's extremes; one that takes ``longest`` seconds has a gap inside, and its parts are looked at."""
        level, times, values = self._levels[depth], self._times, self._values
        begin, stop = block * level.size, min((block + 1) * level.size, len(times)) - 1
        if times[stop] - times[begin] > longest:
            if depth == 0:
                for index in range(begin, stop + 1):
                    self._add_sample(runs, index)
                return
            for part in range(
                block * _BLOCK, min((block + 1) * _BLOCK, len(self._levels[depth - 1].low))
            ):
                self._add_block(runs, depth - 1, part, longest)
            return
        low, high = level.low[block], level.high[block]
        if low == _NONE:
            runs.add(times[begin], times[stop], ())
        elif low == high:
            runs.add(times[begin], times[stop], ((times[low], values[low]),))
        else:
            one, other = (low, high) if low < high else (high, low)
            points = ((times[one], values[one]), (times[other], values[other]))
            runs.add(times[begin], times[stop], points)

    def _extend_levels(self) -> None:
        """Take the newest sample into the block it belongs to, on every level."""
        index = len(self._times) - 1
        size, depth = _BLOCK, 0
        while size <= len(self._times):
            if depth == len(self._levels):
                self._levels.append(self._built(depth, size))
            else:
                self._widen(self._levels[depth], index)
            size, depth = size * _BLOCK, depth + 1

    def _widen(self, level: _Level, index: int) -> None:
        block, value = index // level.size, self._values[index]
        newest = index if value == value else _NONE
        if block == len(level.low):
            level.low.append(newest)
            level.high.append(newest)
        elif newest != _NONE:
            if level.low[block] == _NONE:
                level.low[block] = level.high[block] = newest
            elif value < self._values[level.low[block]]:
                level.low[block] = newest
            elif value > self._values[level.high[block]]:
                level.high[block] = newest

    def _built(self, depth: int, size: int) -> _Level:
        """A new level, from the one below."""
        values = self._values
        if depth:
            below_low, below_high = self._levels[depth - 1].low, self._levels[depth - 1].high
        else:
            below_low = below_high = array(
                "q", [at if value == value else _NONE for at, value in enumerate(values)]
            )
        level = _Level(size, array("q"), array("q"))
        for begin in range(0, len(below_low), _BLOCK):
            lows = [at for at in below_low[begin : begin + _BLOCK] if at != _NONE]
            highs = [at for at in below_high[begin : begin + _BLOCK] if at != _NONE]
            level.low.append(min(lows, key=values.__getitem__, default=_NONE))
            level.high.append(max(highs, key=values.__getitem__, default=_NONE))
        return level

    def _trim(self) -> None:
        """Forget the oldest; a quarter at a time, which keeps the cost a sample constant."""
        surplus = len(self._times) - self.capacity
        del self._times[:surplus]
        del self._values[:surplus]
        self._levels = []
        size, depth = _BLOCK, 0
        while size <= len(self._times):
            self._levels.append(self._built(depth, size))
            size, depth = size * _BLOCK, depth + 1
