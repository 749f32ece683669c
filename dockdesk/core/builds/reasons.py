"""Why a step ran although it had run before."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dockdesk.core.builds.records import BuildRecord, StepRecord
from dockdesk.core.builds.steps import step_text, written
from dockdesk.core.records import dataclass

NAMED = 3  # files named in a reason; the rest are counted
_LONGEST = 80  # of a step's name within a reason
_VARIABLE = re.compile(r"\$\{?(\w+)")


@dataclass(frozen=True, slots=True)
class Change:
    """``root``: it began here. ``cause`` is the digest of the step where it did, this one's own for a root."""

    reason: str
    root: bool
    cause: str


class Reasons:
    """Asked for the steps of ``after`` in their order: what ran before is the reason of what follows.

    ``args`` and ``bases`` are what differs as (name, before, after); ``copied`` gives the changed files that sources
    take.
    """

    def __init__(
        self,
        before: BuildRecord,
        after: BuildRecord,
        args: Sequence[tuple[str, str, str]],
        bases: Sequence[tuple[str, str, str]],
        copied: Callable[[Sequence[str]], list[str]],
    ) -> None:
        self._before, self._after = before, after
        self._args, self._bases, self._copied = args, bases, copied
        self._steps = {step.digest: step for step in after.steps}
        self._ran: dict[str, Change] = {}  # by digest
        self._first: dict[str, StepRecord] = {}  # stage → the first of its steps that ran
        self._other_bases: set[str] = set()  # FROM steps that got another image

    def why(self, old: StepRecord | None, step: StepRecord) -> Change:
        """Why ``step``, which was not cached, ran."""
        change = self._change(old, step)
        if step.keyword != "FROM":
            self._ran[step.digest] = change
            self._first.setdefault(step.stage, step)
        elif change.root:
            self._other_bases.add(step.digest)
        return change

    def _change(self, old: StepRecord | None, step: StepRecord) -> Change:
        spec = self._after.spec
        if spec.no_cache or step.stage in spec.no_cache_stages:
            return self._root(step, "It was built without the cache, as asked.")
        if step.keyword == "FROM":
            return self._of_base(step)
        if (upstream := self._upstream(step)) is not None:
            word = "An earlier step" if upstream.stage == step.stage else f"Stage {upstream.stage}"
            what = "ran again" if upstream.stage == step.stage else "changed"
            cause = self._ran[upstream.digest].cause
            return Change(f"{word} {what}: {shown(upstream)}", False, cause)
        if (base := self._stage_base(step)) is not None:
            return base
        if old is None:
            return self._root(step, "The instruction is new.")
        return self._root(step, self._own(old, step))

    def _own(self, old: StepRecord, step: StepRecord) -> str:
        """Why it ran although nothing before it did."""
        if (edited := self._edited(old, step)) is not None:
            return edited
        if step.keyword == "RUN" and (given := self._arg_of(step)) is not None:
            return given
        if copied := self._copied(step.sources):
            named = ", ".join(copied[:NAMED])
            more = f" and {len(copied) - NAMED} more" if len(copied) > NAMED else ""
            return f"Changed in the build context: {named}{more}."
        if old.error:
            return "It failed the time before, and what fails is not kept."
        if not old.reached:
            return "The build before ended without it."
        if old.keyword == "RUN" and self._before.outcome == "cancelled" and not old.cached:
            return "The build before was cancelled."
        return "Nothing recorded changed: the cache was pruned, or another builder was used."

    def _edited(self, old: StepRecord, step: StepRecord) -> str | None:
        """That its text changed, or the value of a variable in it: steps are named with the values filled in."""
        was, now = written(self._before, old), written(self._after, step)
        if step_text(old.name) == step_text(step.name):
            # A here-document's body is no part of the name.
            return "The instruction has another text." if "<<" in now and was != now else None
        if was and was == now:
            return self._arg_of(step, now) or "A variable in it has another value now."
        return "The instruction has another text."

    def _arg_of(self, step: StepRecord, text: str = "") -> str | None:
        """The build argument that made the difference: one that it names, else one that it sees."""
        named = set(_VARIABLE.findall(text or written(self._after, step)))
        seen = [item for item in self._args if item[0] in step.args]
        found = [item for item in seen if item[0] in named] or (
            seen if step.keyword == "RUN" else []
        )
        if not found:
            return None
        name, was, now = found[0]
        return f"Build argument {name} changed from {_value(was)} to {_value(now)}."

    def _upstream(self, step: StepRecord) -> StepRecord | None:
        """The step before it that ran, by the graph where it is told, else by the order and the stages."""
        known = [self._steps[digest] for digest in step.inputs if digest in self._steps]
        if known:
            return next((each for each in known if each.digest in self._ran), None)
        for stage in (step.stage, step.below, step.taken_from):
            if stage and (first := self._first.get(stage)) is not None:
                return first
        return None

    def _of_base(self, step: StepRecord) -> Change:
        for name, was, now in self._bases:
            if name == step.taken_from or name in step.name:
                text = f"The base image is another one now: {now or 'unknown'}."
                if not was:
                    text = f"The base image is new here: {name}."
                return self._root(step, text)
        return Change("", False, "")

    def _stage_base(self, step: StepRecord) -> Change | None:
        """That the image below the step's stage is another one; FROM is its root where it was seen to run."""
        opening = [
            other
            for other in self._after.steps
            if other.stage in {step.stage, step.below} and other.keyword == "FROM"
        ]
        for name, was, now in self._bases:
            for other in opening:
                if name != other.taken_from and name not in other.name:
                    continue
                text = f"The base image {name} is another one now: {now or 'unknown'}."
                if not was:
                    text = f"It is built on another image now: {name}."
                if other.digest in self._other_bases:
                    return Change(text, False, other.digest)
                return self._root(step, text)
        return None

    @staticmethod
    def _root(step: StepRecord, reason: str) -> Change:
        return Change(reason, True, step.digest)


def shown(step: StepRecord) -> str:
    """A step's instruction on one line, short enough to stand within a sentence."""
    text = " ".join(step_text(step.name).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _value(value: str) -> str:
    return f"“{value}”" if value else "its default"
