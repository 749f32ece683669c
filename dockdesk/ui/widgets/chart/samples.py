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
from dataclasses import dataclass

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
        level = None
        for each in self._levels:
            if count / (each.size // _BLOCK) <= 4 * max(1, buckets):
                break
            level = each
        return self._raw(first, last) if level is None else self._blocks(level, first, last)

    def _raw(self, first: int, last: int) -> list[list[Point]]:
        runs: list[list[Point]] = []
        run: list[Point] = []
        before = -math.inf
        times, values, gap = self._times[first:last], self._values[first:last], self.gap_after
        for time, value in zip(times, values, strict=True):
            if value != value or time - before > gap:
                if run:
                    runs.append(run)
                run = []
            if value == value:
                run.append((time, value))
            before = time
        if run:
            runs.append(run)
        return runs

    def _blocks(self, level: _Level, first: int, last: int) -> list[list[Point]]:
        size, times, values = level.size, self._times, self._values
        runs: list[list[Point]] = []
        run: list[Point] = []
        before = -math.inf
        for block in range(first // size, (last - 1) // size + 1):
            low, high = level.low[block], level.high[block]
            if low == _NONE or times[block * size] - before > self.gap_after:
                if run:
                    runs.append(run)
                run = []
            before = times[min((block + 1) * size, len(times)) - 1]
            if low == high:
                if low != _NONE:
                    run.append((times[low], values[low]))
                continue
            one, other = (low, high) if low < high else (high, low)
            run.append((times[one], values[one]))
            run.append((times[other], values[other]))
        if run:
            runs.append(run)
        return runs

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
