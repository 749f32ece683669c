"""How much there is to do at any time: a day's curve, a week's pattern, noise and spikes, all from the seed.

A pure function of seed, name and time, so that history can be made for any span without having been lived through,
and the same seed always tells the same story.
"""

from __future__ import annotations

import hashlib
import math

from dockdesk.core.records import dataclass

DAY = 86_400.0
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Spike:
    """Extra traffic: ``factor`` times the usual at its height, rising and falling over ``rise`` seconds each."""

    start: float
    length: float
    factor: float
    rise: float = 120.0

    def at(self, time: float) -> float:
        """The factor at a time, 1.0 outside."""
        if time < self.start or time > self.start + self.length:
            return 1.0
        edge = min(time - self.start, self.start + self.length - time, self.rise)
        return 1.0 + (self.factor - 1.0) * (edge / self.rise if self.rise else 1.0)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a second to one service. ``mean`` over a week; ``swing`` 0 to 1 is how much night differs from day.

    ``phase`` shifts the day's peak, in seconds.
    """

    seed: int
    name: str
    mean: float
    swing: float = 0.5
    noise: float = 0.08
    phase: float = 0.0
    spikes: tuple[Spike, ...] = ()

    def rate(self, time: float) -> float:
        """Requests a second at a time (seconds since 1970)."""
        day = (time + self.phase) % DAY / DAY
        # Two harmonics: a broad working day with a dip around noon, lowest before dawn.
        curve = (
            1.0
            - self.swing * math.cos(2 * math.pi * (day - 0.17))
            - 0.15 * self.swing * math.cos(4 * math.pi * day)
        )
        # 1 January 1970 was a Thursday: days 2 and 3 of this count are the weekend.
        weekend = int(time // DAY) % 7 in {2, 3}
        rate = self.mean * curve * (0.65 if weekend else 1.1)
        rate *= 1.0 + self.noise * self._noise(time)
        for spike in self.spikes:
            rate *= spike.at(time)
        return max(rate, 0.0)

    def _noise(self, time: float) -> float:
        """Smooth noise from -1 to 1: values at every 20 s and 5 min, interpolated."""
        return 0.4 * self._lattice(time, 20.0) + 0.6 * self._lattice(time, 300.0)

    def _lattice(self, time: float, step: float) -> float:
        index, inside = divmod(time, step)
        weight = inside / step
        weight = weight * weight * (3 - 2 * weight)
        low, high = (unit(self.seed, self.name, step, int(index) + offset) for offset in (0, 1))
        return (low + (high - low) * weight) * 2 - 1


def unit(*key: object) -> float:
    """A number from 0 to 1 that depends on nothing but ``key``, the same in every process."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
