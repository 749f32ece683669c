"""Builds of a project over time."""

from __future__ import annotations

from pathlib import Path

from dockdesk.core.builds.records import BuildRecord
from dockdesk.core.builds.trend import durations, trend, usual_seconds
from dockdesk.core.resources.builds import BuildSpec


def _builds(*seconds: float, outcome: str = "ok") -> list[BuildRecord]:
    """Newest first; the oldest took the first of ``seconds``."""
    spec = BuildSpec(Path("/p"))
    made = [
        BuildRecord(float(at), "default", spec, "", outcome, took, size=at * 10, id=at)
        for at, took in enumerate(seconds)
    ]
    return made[::-1]


def test_the_oldest_comes_first_and_unknown_sizes_are_none() -> None:
    points = trend(_builds(5.0, 6.0))
    assert [(point.id, point.seconds, point.size) for point in points] == [
        (0, 5.0, None),
        (1, 6.0, 10),
    ]


def test_durations_end_at_a_moment_and_leave_failures_out() -> None:
    builds = [*_builds(1.0, 2.0, 3.0), *_builds(9.0, outcome="failed")]
    assert durations(builds, until=1.0) == (1.0, 2.0)
    assert durations(builds, until=9.0, limit=2) == (2.0, 3.0)


def test_what_is_usual_needs_a_few_builds() -> None:
    assert usual_seconds(_builds(1.0, 2.0), before=9.0) is None
    assert usual_seconds(_builds(1.0, 90.0, 3.0, 4.0), before=3.0) == 3.0
