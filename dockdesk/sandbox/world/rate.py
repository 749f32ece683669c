"""How often somebody may ask, in real time: clients wait as long as they are told, whatever the world's clock says."""

from __future__ import annotations

import time
from collections.abc import Callable


class Allowance:
    """A token bucket. ``rate`` is how many a second get through, as many may come at once; 0 for no limit."""

    def __init__(self, rate: float = 0.0, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._rate = rate
        self._left = 0.0
        self._filled = real()

    def set_rate(self, rate: float) -> None:
        """Another limit from now on; nothing is left of what was saved up."""
        self._rate, self._left, self._filled = rate, 0.0, self._real()

    def take(self) -> float:
        """0 where it may pass, else the seconds to wait."""
        if not self._rate:
            return 0.0
        now = self._real()
        self._left = min(self._left + (now - self._filled) * self._rate, max(self._rate, 1.0))
        self._filled = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0
