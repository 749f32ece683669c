"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Waits that double from ``first`` to ``longest`` seconds, each drawn from its upper half.

    The randomness keeps many clients of a remote that comes back from calling it all at once ("equal jitter": Amazon
    Builders' Library, Timeouts, retries and backoff with jitter).
    """

    def __init__(
        self, first: float, longest: float, rand: Callable[[], float] = random.random
    ) -> None:
        self._first = first
        self._longest = longest
        self._rand = rand
        self.tries = 0

    def next(self) -> float:
        """Seconds until the next try."""
        whole: float = min(self._longest, self._first * 2.0 ** min(self.tries, 30))
        self.tries += 1
        return whole / 2 + self._rand() * whole / 2

    def reset(self) -> None:
        """It worked: begin with short waits again."""
        self.tries = 0
