"""Which part of a log a panel wants to show. No Qt in it."""

from __future__ import annotations

import time

from dockdesk.core.ports import LogQuery
from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class LogRange:
    """The newest ``tail`` lines (None: all), those of the last ``back`` seconds, or those between two moments.

    ``since`` and ``until`` are seconds since 1970. ``title`` is what a button shows.
    """

    title: str
    tail: int | None = None
    back: float | None = None
    since: float | None = None
    until: float | None = None


RANGES: tuple[LogRange, ...] = (
    LogRange("Last 100 lines", tail=100),
    LogRange("Last 1,000 lines", tail=1_000),
    LogRange("Last 10,000 lines", tail=10_000),
    LogRange("Last 100,000 lines", tail=100_000),
    LogRange("All lines"),
    LogRange("Last 5 minutes", back=300),
    LogRange("Last 15 minutes", back=900),
    LogRange("Last hour", back=3_600),
    LogRange("Last 24 hours", back=86_400),
)
DEFAULT_RANGE = RANGES[1]


@dataclass(frozen=True, slots=True)
class LogPanelQuery:
    """What the owner of a panel should stream to it.

    With ``timestamps`` each line must begin with an RFC 3339 stamp and a space: the panel keeps stamps apart from text.
    """

    range: LogRange = DEFAULT_RANGE
    timestamps: bool = False
    stdout: bool = True
    stderr: bool = True

    def log_query(self, since: float | None = None) -> LogQuery:
        """As ports take it, reckoned from now. ``since`` goes on from a moment instead, after a stream was lost."""
        chosen = self.range
        begin = since
        if begin is None:
            begin = chosen.since if chosen.back is None else time.time() - chosen.back
        return LogQuery(
            tail=chosen.tail if since is None else None,
            follow=chosen.until is None,
            since=begin,
            until=chosen.until,
            timestamps=self.timestamps,
            stdout=self.stdout,
            stderr=self.stderr,
        )
