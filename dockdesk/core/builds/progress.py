"""A build as it stands: what the builder told so far, folded into steps, their progress and their logs.

BuildKit tells of a step again whenever something about it changes, in any order and sometimes after it ended; what is
known is only ever added to. Source: moby/buildkit, client/graph.go and util/progress/progressui.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import field, replace

from dockdesk.core.builds.records import was_stopped
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildStatus,
    BuildStep,
    BuildWarning,
)

LOG_BYTES = 4 * 1024 * 1024  # kept of one step's log; BuildKit itself clips at 2 MiB by default

_AT_ONCE = 0.001  # seconds between an end and a beginning that follows from it, at the least

# “[app 2/5] RUN make”, “[2/5] RUN make”, “[linux/arm64 app 2/5] RUN make”
_STEP_NAME = re.compile(
    r"^\[(?P<where>[^\]]*?)\s*(?P<number>\d+)/(?P<total>\d+)\]\s+(?P<text>.*)$", re.S
)


@dataclass(frozen=True, slots=True)
class StepName:
    """A step's name taken apart. ``stage`` is "" for the only stage; ``number`` counts from 1 within it."""

    stage: str
    number: int
    total: int
    text: str
    platform: str = ""


def parse_step_name(name: str) -> StepName | None:
    """The parts of a Dockerfile step's name; None for BuildKit's own steps, such as “[internal] load …”."""
    match = _STEP_NAME.match(name)
    if match is None:
        return None
    words = match["where"].split()
    platform = words[0] if words and "/" in words[0] else ""
    stage = words[-1] if words and words[-1] != platform else ""
    return StepName(stage, int(match["number"]), int(match["total"]), match["text"], platform)


@dataclass(slots=True)
class StepProgress:
    """One step as it stands. ``order`` is when it was first heard of; ``spent`` adds up pauses and resumptions."""

    step: BuildStep
    order: int
    statuses: dict[str, BuildStatus] = field(default_factory=dict)
    log: bytearray = field(default_factory=bytearray)
    log_dropped: int = 0
    spent: float = 0.0

    @property
    def state(self) -> str:
        """One word: waiting, running, cached, failed, cancelled or done."""
        step = self.step
        if step.error:
            return "cancelled" if was_stopped(step.error) else "failed"
        if step.cached:
            return "cached"
        if step.completed is not None:
            return "done"
        return "running" if step.started is not None else "waiting"

    @property
    def internal(self) -> bool:
        """Whether it is BuildKit's own: loading the Dockerfile, exporting the image."""
        return parse_step_name(self.step.name) is None

    def seconds(self, now: float) -> float:
        """How long it has worked, in seconds."""
        if self.step.started is None:
            return 0.0
        end = now if self.step.completed is None else self.step.completed
        return self.spent + max(0.0, end - self.step.started)

    def moved(self) -> tuple[int, int]:
        """Bytes so far and in all, over what has a known size; (0, 0) where nothing has."""
        known = [status for status in self.statuses.values() if status.total > 0]
        return sum(min(s.current, s.total) for s in known), sum(s.total for s in known)


class BuildProgress:
    """All steps of a build, by digest. Not thread-safe: it belongs to whoever applies items to it."""

    def __init__(self) -> None:
        self.steps: dict[str, StepProgress] = {}
        self.warnings: list[BuildWarning] = []
        self.started: float | None = None
        self.ended: float | None = None

    def apply(self, items: Iterable[BuildItem]) -> set[str]:
        """Take what the builder told; returns the digests of the steps that changed."""
        changed: set[str] = set()
        for item in items:
            if isinstance(item, BuildStep):
                self._apply_step(item)
                changed.add(item.digest)
            elif isinstance(item, BuildStatus):
                self._of(item.step).statuses[item.id] = item
                changed.add(item.step)
            elif isinstance(item, BuildLog):
                self._apply_log(item)
                changed.add(item.step)
            elif item not in self.warnings:
                self.warnings.append(item)
                changed.add(item.step)
        return changed

    def in_order(self) -> list[StepProgress]:
        """Steps as they were first heard of."""
        return sorted(self.steps.values(), key=lambda progress: progress.order)

    def counted(self) -> tuple[int, int]:
        """Steps that are over, and all that are known; what is cached is over."""
        over = sum(p.state in {"done", "cached"} for p in self.steps.values())
        return over, len(self.steps)

    def fraction(self) -> float | None:
        """How much of the build is done, 0 to 1, with what runs counted by its bytes; None before anything is known."""
        if not self.steps:
            return None
        done = 0.0
        for progress in self.steps.values():
            if progress.state in {"done", "cached"}:
                done += 1.0
            elif progress.state == "running":
                current, total = progress.moved()
                done += 0.9 * current / total if total else 0.0
        return done / len(self.steps)

    def cached_share(self) -> float | None:
        """The share of the Dockerfile's own steps that came from the cache, 0 to 1; None where there are none.

        FROM is left out: a base image is fetched, not run.
        """
        own = [
            progress
            for progress in self.steps.values()
            if (name := parse_step_name(progress.step.name)) and not name.text.startswith("FROM ")
        ]
        return sum(p.step.cached for p in own) / len(own) if own else None

    def failed(self) -> StepProgress | None:
        """The step that ended the build: the first that failed, not those that were cancelled with it."""
        failed = [p for p in self.in_order() if p.state == "failed"]
        return min(failed, key=lambda p: p.step.completed or float("inf")) if failed else None

    def critical_path(self) -> list[str]:
        """Digests of the steps that decided how long it took, first to last.

        From the step that ended last, back through whichever input it waited for longest. One without inputs, such as
        the export that older builders tell of, waited for what ended last before it began.
        """
        over = [p for p in self.steps.values() if p.step.completed is not None]
        if not over:
            return []
        here: StepProgress | None = max(over, key=lambda p: p.step.completed or 0.0)
        path: list[str] = []
        while here is not None and here.step.digest not in path:
            path.append(here.step.digest)
            inputs = [
                known
                for digest in here.step.inputs
                if (known := self.steps.get(digest)) and known.step.completed is not None
            ]
            if not inputs:
                begun = (here.step.started or 0.0) + _AT_ONCE
                inputs = [
                    p
                    for p in over
                    if (p.step.completed or 0.0) <= begun and p.step.digest not in path
                ]
            here = max(inputs, key=lambda p: p.step.completed or 0.0) if inputs else None
        return path[::-1]

    def _of(self, digest: str) -> StepProgress:
        known = self.steps.get(digest)
        if known is None:
            known = self.steps[digest] = StepProgress(BuildStep(digest), len(self.steps))
        return known

    def _apply_step(self, told: BuildStep) -> None:
        progress = self._of(told.digest)
        known = progress.step
        resumed = (
            known.completed is not None
            and told.started is not None
            and told.completed is None
            and told.started >= known.completed
        )
        if resumed and known.started is not None and known.completed is not None:
            progress.spent += known.completed - known.started
        progress.step = replace(
            told,
            name=told.name or known.name,
            inputs=told.inputs or known.inputs,
            cached=told.cached or known.cached,
            started=told.started if told.started is not None else known.started,
            completed=None if resumed else told.completed or known.completed,
            error=told.error or known.error,
            group=told.group or known.group,
        )
        for moment in (told.started, told.completed):
            if moment is not None:
                self.started = moment if self.started is None else min(self.started, moment)
                self.ended = moment if self.ended is None else max(self.ended, moment)

    def _apply_log(self, item: BuildLog) -> None:
        progress = self._of(item.step)
        progress.log += item.data
        if len(progress.log) > LOG_BYTES:
            # Cut at a line and by a quarter, so that a flood costs little; the end is what explains a failure.
            cut = progress.log.find(b"\n", len(progress.log) - LOG_BYTES * 3 // 4) + 1
            cut = cut or len(progress.log) - LOG_BYTES
            progress.log_dropped += cut
            del progress.log[:cut]


def last_lines(log: bytes | bytearray, count: int) -> Sequence[str]:
    """The last ``count`` lines of a log that hold anything, as text."""
    tail = bytes(log[-64 * 1024 :]).decode("utf-8", "replace")
    return [line.rstrip() for line in tail.splitlines() if line.strip()][-count:]
