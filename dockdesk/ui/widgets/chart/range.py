"""Which part of the time a chart shows: sliding with the newest sample, or where the user went."""

from __future__ import annotations

import time
from collections.abc import Callable

_LEAST_SPAN = 5.0
_MOST_SPAN = 400 * 86_400.0


class TimeRange:
    """A live window of ``window`` seconds, or a fixed range; both zoom and pan. Times are seconds since 1970.

    The live window's end is the newest sample's time plus what has gone by since it came: neither a remote clock that
    is wrong nor a stream that fell silent stops it.
    """

    def __init__(self, window: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._window = window
        self._home: tuple[float, float] | None = None
        self._away: tuple[float, float] | None = None
        self._paused_at: float | None = None
        self._newest: float | None = None
        self._came = 0.0

    @property
    def live(self) -> bool:
        """Whether it slides."""
        return self._home is None and self._away is None and self._paused_at is None

    @property
    def zoomed(self) -> bool:
        return self._away is not None

    @property
    def paused(self) -> bool:
        return self._paused_at is not None

    @property
    def window(self) -> float:
        return self._window

    def saw(self, moment: float) -> None:
        """A sample of this moment came."""
        if self._newest is None or moment > self._newest:
            self._newest, self._came = moment, self._clock()

    def current(self) -> tuple[float, float]:
        if self._away is not None:
            return self._away
        if self._home is not None:
            return self._home
        end = self._paused_at if self._paused_at is not None else self._live_end()
        return end - self._window, end

    def _live_end(self) -> float:
        if self._newest is None:
            return time.time()
        return self._newest + max(0.0, self._clock() - self._came)

    def follow(self, window: float) -> None:
        """Show the last ``window`` seconds, sliding."""
        self._window, self._home, self._away = window, None, None

    def fix(self, start: float, end: float) -> None:
        """Show a range of the past."""
        if end > start:
            self._home, self._away = (start, end), None

    def reset(self) -> None:
        """Undo zooming and panning."""
        self._away = None

    def pause(self, paused: bool) -> None:
        """Stand still, though samples go on coming."""
        self._paused_at = self.current()[1] if paused else None

    def zoom(self, factor: float, around: float) -> None:
        """Show ``factor`` times the span, keeping one moment where it is."""
        start, end = self.current()
        span = min(_MOST_SPAN, max(_LEAST_SPAN, (end - start) * factor))
        share = (around - start) / (end - start)
        self._away = (around - span * share, around + span * (1 - share))

    def pan(self, seconds: float) -> None:
        start, end = self.current()
        self._away = (start + seconds, end + seconds)

    def show(self, start: float, end: float) -> None:
        """Zoom to a range."""
        if end - start >= _LEAST_SPAN:
            self._away = (start, end)
