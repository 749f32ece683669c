"""A line of the list of builds: one that runs, one of the history, or one that the engine tells of. No Qt in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from dockdesk.core.builds.records import BuildRecord, project_of, was_stopped
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildSpec, PastBuild

if TYPE_CHECKING:
    from dockdesk.bridge.build_run import BuildRun

ELSEWHERE = "Elsewhere, told by the engine"
_SAME = 3.0  # seconds between a build's start as the engine tells it and as it was noted here


@dataclass(frozen=True, slots=True)
class BuildRow:
    """Of ``record``, ``run`` and ``past`` at least one is there. ``project`` is the Dockerfile's path, "" for ``past``.

    ``durations`` are those of the project up to this build, the oldest first.
    """

    key: str
    project: str
    name: str
    at: float
    outcome: str
    seconds: float
    cached: float | None = None
    size: int = 0
    image: str = ""
    digest: str = ""
    tags: tuple[str, ...] = ()
    method: str = ""
    environment: str = ""
    error: str = ""
    durations: tuple[float, ...] = ()
    record: BuildRecord | None = None
    run: BuildRun | None = None
    past: PastBuild | None = None

    @property
    def spec(self) -> BuildSpec | None:
        if self.record is not None:
            return self.record.spec
        return self.run.spec if self.run is not None else None

    @property
    def over(self) -> bool:
        return self.outcome not in {"waiting", "running"}


def project_name(project: str) -> str:
    """A short name for a Dockerfile's path: its folder, and its own name where that isn't the usual one."""
    path = PurePath(project)
    folder = path.parent.name or str(path.parent)
    return folder if path.name == "Dockerfile" else f"{folder}/{path.name}"


def key_of(id: int) -> str:
    return f"b{id}"


def row_of(record: BuildRecord, durations: tuple[float, ...] = ()) -> BuildRow:
    """A build of the history."""
    return BuildRow(
        key_of(record.id),
        record.project,
        project_name(record.project),
        record.at,
        record.outcome,
        record.seconds,
        record.cached_share,
        record.size,
        record.image,
        record.digest,
        record.spec.tags,
        record.method,
        record.environment,
        record.error,
        durations,
        record,
    )


def row_of_run(run: BuildRun, durations: tuple[float, ...] = ()) -> BuildRow:
    """A build of this window; once it is over, as its record has it."""
    key = f"r{run.number}"
    if run.record is not None:
        return replace(row_of(run.record, durations), key=key, run=run)
    project = project_of(run.spec)
    return BuildRow(
        key,
        project,
        project_name(project),
        run.at,
        run.state,
        run.seconds,
        run.progress.cached_share(),
        tags=run.spec.tags,
        method="buildx" if run.spec.builder else "classic" if run.spec.classic else "buildkit",
        environment=run.environment,
        durations=durations,
        run=run,
    )


def row_of_past(past: PastBuild) -> BuildRow:
    """A build of the engine's own history."""
    started = past.started or 0.0
    running = past.completed is None and not past.error
    cancelled = was_stopped(past.error)
    return BuildRow(
        f"e{past.ref}",
        "",
        past.name or past.target or past.ref[:12],
        started,
        "running" if running else "cancelled" if cancelled else "failed" if past.error else "ok",
        max(0.0, (past.completed or started) - started),
        past.cached / past.steps if past.steps else None,
        image=past.image,
        digest=past.image,
        tags=(past.name,) if past.name else (),
        method="buildkit",
        error=past.error,
        past=past,
    )


def from_elsewhere(past: Iterable[PastBuild], known: Sequence[BuildRow]) -> list[BuildRow]:
    """Of what the engine tells, the builds that are not in ``known``: told apart by when they began."""
    own = sorted(row.at for row in known if row.project)
    return [row_of_past(each) for each in past if not _near(own, each.started or 0.0)]


def _near(moments: Sequence[float], moment: float) -> bool:
    from bisect import bisect_left

    at = bisect_left(moments, moment - _SAME)
    return at < len(moments) and moments[at] <= moment + _SAME
