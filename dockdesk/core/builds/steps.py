"""Steps of two builds that stand for one instruction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from dockdesk.core.builds.progress import parse_step_name
from dockdesk.core.builds.records import BuildRecord, StepRecord

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")
_MASSES = 2_000  # steps; beyond it, only those with the same text are paired


def step_text(name: str) -> str:
    """A step's name without its number, and without the digest that FROM has where the image was looked up."""
    parsed = parse_step_name(name)
    return _DIGEST.sub("", parsed.text if parsed else name)


def written(record: BuildRecord, step: StepRecord) -> str:
    """The instruction as it stands in the Dockerfile, here-documents included; "" where that isn't known."""
    if not 0 <= step.line <= step.last:
        return ""
    return "\n".join(record.text.split("\n")[step.line : step.last + 1])


class Pairing:
    """Pairs the steps of two builds stage by stage, as a diff pairs lines: what was inserted shifts nothing.

    An instruction that was edited is paired with the one whose place it took.
    """

    def __init__(self, before: BuildRecord, after: BuildRecord) -> None:
        self._pairs: dict[str, StepRecord] = {}
        self._unpaired = {step.digest: step for step in before.steps}
        self._internal(before, after)
        for stage in dict.fromkeys(step.stage for step in after.steps if step.line >= 0):
            self._align(_of(before, stage), _of(after, stage))
        self._by_text(after)

    def before(self, step: StepRecord) -> StepRecord | None:
        """The step of the build before that stands for the same."""
        return self._pairs.get(step.digest)

    def left(self) -> list[StepRecord]:
        """Steps of the build before that are no more."""
        return list(self._unpaired.values())

    def _pair(self, old: StepRecord, step: StepRecord) -> None:
        self._pairs[step.digest] = old
        self._unpaired.pop(old.digest, None)

    def _internal(self, before: BuildRecord, after: BuildRecord) -> None:
        known = {step.name: step for step in before.steps if step.line < 0}
        for step in after.steps:
            if step.line < 0 and (old := known.pop(step.name, None)) is not None:
                self._pair(old, step)

    def _align(self, old: Sequence[StepRecord], new: Sequence[StepRecord]) -> None:
        if len(old) + len(new) > _MASSES:
            return
        matcher = SequenceMatcher(
            None, [step_text(s.name) for s in old], [step_text(s.name) for s in new], autojunk=False
        )
        for tag, start, end, begin, stop in matcher.get_opcodes():
            if tag == "equal":
                for one, other in zip(old[start:end], new[begin:stop], strict=True):
                    self._pair(one, other)
            elif tag == "replace":
                waiting = list(old[start:end])
                for step in new[begin:stop]:
                    taken = next((each for each in waiting if each.keyword == step.keyword), None)
                    if taken is not None:
                        waiting.remove(taken)
                        self._pair(taken, step)

    def _by_text(self, after: BuildRecord) -> None:
        """What moved, or whose stage has another name now."""
        left: dict[str, list[StepRecord]] = {}
        for step in self._unpaired.values():
            left.setdefault(step_text(step.name), []).append(step)
        for step in after.steps:
            if step.digest not in self._pairs and (same := left.get(step_text(step.name))):
                self._pair(same.pop(0), step)


def _of(record: BuildRecord, stage: str) -> list[StepRecord]:
    """A stage's steps in the order of the Dockerfile: they are told in the order in which they were begun."""
    found = [step for step in record.steps if step.line >= 0 and step.stage == stage]
    return sorted(found, key=lambda step: step.line)
