"""A build's steps as the list and the chart show them. No Qt in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from dockdesk.core.builds.progress import (
    BuildProgress,
    StepProgress,
    parse_step_name,
)
from dockdesk.core.units import bytes_text
from dockdesk.dockerfile.steps import StepPlace
from dockdesk.ui.widgets.steps.items import StepItem

PREPARATION, RESULT = "Preparation", "Result"
_RESULT = re.compile(
    r"^(?:export|push|writing|naming|unpacking|preparing build cache for export|sending|saving)"
)
_NUMBERED = re.compile(r"^stage-(\d+)$")
# As it is written in a file: without what the builder fills in.
_REFERENCE = re.compile(
    r"^(FROM (?:--\S+ )*)(?:docker\.io/(?:library/)?)?([^\s@]+)(?:@sha256:[0-9a-f]{64})?"
)
_FLAGS = re.compile(r"^RUN (?:--\S+\s+)+")
_LONGEST_NOTE = 400

PlaceOf = Callable[[StepProgress], StepPlace | None]


class StepItems:
    """Keeps the items of one build: those of steps without news stay as they are."""

    def __init__(self, place: PlaceOf) -> None:
        self._place = place
        self._items: dict[str, StepItem] = {}
        self._order: list[str] = []
        self._named: dict[str, str] = {}  # as they were when the order was made

    def update(self, progress: BuildProgress, changed: Collection[str]) -> list[StepItem]:
        """The items in their order: by stage as in the file, and within a stage as they are numbered."""
        renamed = False
        for digest in changed:
            step = progress.steps.get(digest)
            if step is not None and step.step.name:
                self._items[digest] = self._item(step)
                renamed |= self._named.get(digest) != step.step.name
                self._named[digest] = step.step.name
        if renamed:
            self._order = self._sorted(progress)
        return [self._items[digest] for digest in self._order]

    def _item(self, progress: StepProgress) -> StepItem:
        step = progress.step
        amount, share = moved_of(progress)
        return StepItem(
            step.digest,
            title_of(step.name),
            group_of(step.name),
            progress.state,
            step.started,
            step.completed,
            progress.spent,
            amount,
            share,
            step.inputs,
            (step.error or step.name)[:_LONGEST_NOTE],
        )

    def _sorted(self, progress: BuildProgress) -> list[str]:
        firsts: dict[str, tuple[int, int]] = {}
        keys: dict[str, tuple[int, int]] = {}
        for digest, item in self._items.items():
            step = progress.steps[digest]
            place = self._place(step)
            parsed = parse_step_name(step.step.name)
            number = parsed.number if parsed else 0
            keys[digest] = (number, step.order)
            # Stages stand as in the file; one whose steps can't be found there, after those heard of before it.
            rank = (0, place.line) if place is not None else (1, step.order)
            firsts[item.group] = min(firsts.get(item.group, rank), rank)
        ends = {PREPARATION: 0, RESULT: 2}
        return sorted(
            self._items,
            key=lambda digest: (
                ends.get(self._items[digest].group, 1),
                firsts[self._items[digest].group],
                self._items[digest].group,
                keys[digest],
            ),
        )


def title_of(name: str) -> str:
    """What a step does: the instruction without what RUN mounts, or BuildKit's own words."""
    parsed = parse_step_name(name)
    if parsed is not None:
        text = _FLAGS.sub("RUN ", parsed.text)
        return " ".join(_REFERENCE.sub(r"\1\2", text).split())
    return name.removeprefix("[internal] ").removeprefix("[auth] ") or name


def group_of(name: str) -> str:
    """The stage that a step belongs to, or what it is for where it belongs to none."""
    parsed = parse_step_name(name)
    if parsed is None:
        return RESULT if _RESULT.match(name) else PREPARATION
    numbered = _NUMBERED.match(parsed.stage)
    if not parsed.stage:
        title = "Steps"
    else:
        title = f"Stage {numbered[1]}" if numbered else parsed.stage
    return f"{title} · {parsed.platform}" if parsed.platform else title


def moved_of(progress: StepProgress) -> tuple[str, float | None]:
    """How many bytes a step has moved as text, and the share of what is known to be moved."""
    current, total = progress.moved()
    if total and current < total:
        return f"{bytes_text(current)} / {bytes_text(total)}", current / total
    open_ended = sum(status.current for status in progress.statuses.values() if not status.total)
    known = max(current, 0) + open_ended
    return (bytes_text(known) if known else ""), None


def state_words(state: str, counted: tuple[int, int], cached: float | None) -> str:
    """A build in a few words: steps that are over, where not all are, and what came from the cache."""
    over, known = counted
    parts = [f"{over} of {known} steps"] if known and state != "ok" else []
    if cached is not None and (cached or state != "running"):
        parts.append(f"{cached:.0%} cached".replace("%", " %"))
    return " · ".join(parts)


STATES: Mapping[str, tuple[str, str, str]] = {
    "waiting": ("clock", "muted", "Waiting"),
    "running": ("loader-2", "accent", "Building"),
    "ok": ("circle-check", "good", "Built"),
    "failed": ("alert-circle", "bad", "Failed"),
    "cancelled": ("circle-minus", "muted", "Stopped"),
}
"""State of a build → icon, tone and word."""
