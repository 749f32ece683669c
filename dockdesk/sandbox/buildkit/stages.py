"""Stages: which there are, which of them a build needs, and what their steps are called.

Source: moby/buildkit, frontend/dockerfile/dockerfile2llb and instructions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockdesk.sandbox.buildkit.bench import StepError
from dockdesk.sandbox.buildkit.dockerfile import Dockerfile, DockerfileError, Instruction
from dockdesk.sandbox.buildkit.expand import Expander

LAYERED = {"ADD", "COPY", "RUN", "WORKDIR"}
_STARTS = {"FROM", "ARG"}


@dataclass(slots=True)
class Stage:
    """``base`` is the name after FROM, variables filled in; ``above`` the stage that this is, if one."""

    index: int
    name: str
    base: str
    platform: str
    origin: Instruction
    steps: list[Instruction] = field(default_factory=list)
    above: Stage | None = None
    label: str = ""
    total: int = 0
    done: int = 0

    def prefix(self, text: str) -> str:
        """The name of the stage's next step."""
        self.done += 1
        width = 1 + int(math.log10(self.total)) if self.total else 1
        label = f"{self.label} " if self.label else ""
        return f"[{label}{self.done:{width}d}/{self.total}] {text}"


def lines_of(instruction: Instruction) -> tuple[tuple[int, int], ...]:
    return ((instruction.first, instruction.last),)


def global_arguments(
    parsed: Dockerfile, arguments: Mapping[str, str], platform: Mapping[str, str]
) -> dict[str, str]:
    """What ARGs before the first FROM give, for FROM lines. Raises DockerfileError."""
    known = dict(platform)
    for instruction in parsed.instructions:
        if instruction.keyword != "ARG":
            break
        for word in _argument_words(instruction, known, parsed.escape):
            name, equals, value = word.partition("=")
            if name in arguments:
                known[name] = arguments[name]
            elif equals:
                known[name] = value
    return known


def _argument_words(instruction: Instruction, known: Mapping[str, str], escape: str) -> list[str]:
    return Expander(known, escape).words(instruction.rest)


def stages_of(parsed: Dockerfile, known: Mapping[str, str]) -> list[Stage]:
    """All stages. Raises StepError."""
    stages: list[Stage] = []
    for instruction in parsed.instructions:
        if instruction.keyword == "FROM":
            stages.append(_stage(instruction, stages, known, parsed.escape))
        elif stages:
            stages[-1].steps.append(instruction)
        elif instruction.keyword not in _STARTS:
            raise StepError("no build stage in current context", lines_of(instruction))
    if not stages:
        raise StepError("no build stage in current context")
    for stage in stages:
        stage.label = stage.name or (f"stage-{stage.index}" if len(stages) > 1 else "")
        stage.total = sum(step.keyword in LAYERED for step in stage.steps)
        stage.total += stage.base != "scratch" and stage.above is None
    return stages


def _stage(
    instruction: Instruction, stages: list[Stage], known: Mapping[str, str], escape: str
) -> Stage:
    where = lines_of(instruction)
    expander = Expander(known, escape)
    try:
        words = expander.words(instruction.rest)
        platform = expander.word(instruction.flag("platform"))
    except DockerfileError as error:
        raise StepError(error.message, where) from None
    if len(words) not in {1, 3} or (len(words) == 3 and words[1].lower() != "as"):
        first = f"dockerfile parse error on line {instruction.first}: "
        if not words and instruction.rest:
            raise StepError(f"base name ({instruction.rest}) should not be blank", where)
        raise StepError(f"{first}FROM requires either one or three arguments", where)
    name = words[2].lower() if len(words) == 3 else ""
    if name and not all(c.isalnum() or c in "-_." for c in name):
        raise StepError(
            f'invalid name for build stage: "{words[2]}", name can\'t start with a number or contain symbols',
            where,
        )
    above = find(stages, words[0])
    return Stage(len(stages), name, words[0], platform, instruction, above=above)


def find(stages: list[Stage], name: str) -> Stage | None:
    """The last stage of a name, or the one of a number."""
    for stage in reversed(stages):
        if stage.name and stage.name == name.lower():
            return stage
    return stages[int(name)] if name.isdigit() and int(name) < len(stages) else None


def chosen(stages: list[Stage], target: str) -> Stage:
    """The stage to build. Raises StepError."""
    if not target:
        return stages[-1]
    found = find(stages, target)
    if found is None:
        raise StepError(f'target stage "{target}" could not be found')
    return found
