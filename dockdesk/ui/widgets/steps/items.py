"""One step as the widgets show it."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class StepItem:
    """``state`` is waiting, running, cached, done, failed or cancelled; ``inputs`` are keys of other steps.

    Times are seconds since 1970, None: not yet; ``spent`` are seconds of earlier stretches of work. ``amount`` is a
    short text such as “12 MB”, ``share`` how much is done, 0 to 1, where that is known. ``note`` stands in the tooltip.
    """

    key: str
    title: str
    group: str = ""
    state: str = "waiting"
    started: float | None = None
    ended: float | None = None
    spent: float = 0.0
    amount: str = ""
    share: float | None = None
    inputs: tuple[str, ...] = ()
    note: str = ""

    def seconds(self, now: float) -> float:
        """How long it has worked."""
        if self.started is None:
            return 0.0
        return self.spent + max(0.0, (now if self.ended is None else self.ended) - self.started)


LOOKS: dict[str, tuple[str, Tone, str]] = {
    "waiting": ("circle-dashed", "muted", "waiting"),
    "running": ("loader-2", "accent", "running"),
    "cached": ("bolt", "info", "cached"),
    "done": ("circle-check", "good", "done"),
    "failed": ("alert-circle", "bad", "failed"),
    "cancelled": ("circle-minus", "muted", "stopped"),
}
"""State → icon, tone, and the word for it."""


def clock_text(seconds: float) -> str:
    """A length of time in a column: 0.4 s, 12.3 s, 2:05, 1:02:03."""
    if seconds < 59.95:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def group_text(items: Sequence[StepItem], now: float) -> str:
    """What became of a group's steps in a few words."""
    count = len(items)
    for state in ("failed", "running"):
        if found := sum(item.state == state for item in items):
            return f"{found} {LOOKS[state][2]}"
    cached = sum(item.state == "cached" for item in items)
    if cached == count:
        return "all cached" if count > 1 else "cached"
    if any(item.state == "waiting" for item in items):
        return f"{sum(item.state in {'done', 'cached'} for item in items)} of {count}"
    spans = [
        (item.started, now if item.ended is None else item.ended)
        for item in items
        if item.started is not None
    ]
    return clock_text(_busy(spans)) if spans else ""


def _busy(spans: Sequence[tuple[float, float]]) -> float:
    """How long at least one was at work: a stage's FROM is often over long before its first RUN may begin."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
