"""The world's time: as fast as asked, never backwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

SLOWEST, FASTEST = 1.0, 60.0


class Clock:
    """Simulated seconds since 1970 (UTC). It starts at the real time; ``speed`` is simulated seconds a real second."""

    def __init__(
        self,
        speed: float = 1.0,
        real: Callable[[], float] = time.monotonic,
        start: float | None = None,
    ) -> None:
        self._real = real
        self._origin_real = real()
        self._origin = time.time() if start is None else start
        self._speed = _bounded(speed)

    @property
    def speed(self) -> float:
        return self._speed

    def now(self) -> float:
        return self._origin + (self._real() - self._origin_real) * self._speed

    def set_speed(self, speed: float) -> None:
        """Run faster or slower from now on, without a jump."""
        self._origin, self._origin_real = self.now(), self._real()
        self._speed = _bounded(speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of the world's time, also when the speed changes meanwhile."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            await asyncio.sleep(min(left / self._speed, 1.0))


def _bounded(speed: float) -> float:
    return min(max(speed, SLOWEST), FASTEST)
