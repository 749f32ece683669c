"""The builds of a project over time: how long they took, what came from the cache, how large the image is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from dockdesk.core.builds.records import BuildRecord
from dockdesk.core.records import dataclass

USUAL = 10  # builds before one that say what is usual


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One build. ``cached`` is a share, 0 to 1, None where there were no steps; ``size`` in bytes, None: unknown."""

    id: int
    at: float
    outcome: str
    seconds: float
    cached: float | None
    size: int | None


def trend(records: Iterable[BuildRecord]) -> tuple[TrendPoint, ...]:
    """The oldest first."""
    ordered = sorted(records, key=lambda record: (record.at, record.id))
    return tuple(
        TrendPoint(
            record.id,
            record.at,
            record.outcome,
            record.seconds,
            record.cached_share,
            record.size or None,
        )
        for record in ordered
    )


def durations(records: Sequence[BuildRecord], until: float, limit: int = 30) -> tuple[float, ...]:
    """Seconds of the last builds up to the moment ``until``, the oldest first. ``records`` come newest first."""
    found: list[float] = []
    for record in records:
        if record.at <= until and record.outcome == "ok":
            found.append(record.seconds)
            if len(found) == limit:
                break
    return tuple(reversed(found))


def usual_seconds(records: Sequence[BuildRecord], before: float) -> float | None:
    """The median of the builds that went well before a moment; None for fewer than three."""
    seconds = [
        record.seconds for record in records if record.at < before and record.outcome == "ok"
    ][:USUAL]
    return median(seconds) if len(seconds) >= 3 else None
