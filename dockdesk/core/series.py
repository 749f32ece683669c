"""A ring buffer of timed samples: what a chart and a sparkline show."""

from __future__ import annotations

from array import array
from collections.abc import Sequence


class Series:
    """The newest ``capacity`` samples of one quantity; times are seconds since 1970 (UTC) and never go back."""

    __slots__ = ("_times", "_values", "capacity")

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a series holds at least one sample")
        self.capacity = capacity
        self._times = array("d")
        self._values = array("d")

    def __len__(self) -> int:
        return len(self._times)

    def add(self, time: float, value: float) -> None:
        """Add a sample; one older than the newest is dropped, since streams may repeat themselves after a reconnect."""
        if self._times and time < self._times[-1]:
            return
        self._times.append(time)
        self._values.append(value)
        # Cutting a quarter at a time keeps the cost per sample constant.
        if len(self._times) > self.capacity + self.capacity // 4:
            surplus = len(self._times) - self.capacity
            del self._times[:surplus]
            del self._values[:surplus]

    @property
    def times(self) -> Sequence[float]:
        return self._times[-self.capacity :]

    @property
    def values(self) -> Sequence[float]:
        return self._values[-self.capacity :]

    @property
    def last(self) -> float | None:
        return self._values[-1] if self._values else None

    def tail(self, count: int) -> Sequence[float]:
        """The newest ``count`` values, oldest first."""
        return self._values[-count:] if count > 0 else array("d")
