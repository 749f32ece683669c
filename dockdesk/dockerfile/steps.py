"""Which instruction a step of the builder is: BuildKit names steps “[stage 2/5] RUN make” and tells no line.

It counts FROM (where it fetches an image), RUN, COPY, ADD and WORKDIR of a stage; what ONBUILD of the base image adds
comes right after FROM and shifts the rest. Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from dockdesk.core.builds.progress import StepName, parse_step_name
from dockdesk.core.records import dataclass
from dockdesk.dockerfile.tree import Document, Instruction, Stage

_COUNTED = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))


@dataclass(frozen=True, slots=True)
class StepPlace:
    """The instruction behind a step.

    ``line`` is 0-based. ``sources`` are what COPY or ADD takes from the build context, ``taken_from`` the stage or
    image that it, or FROM, takes from. ``below`` is the stage that its own stage is based on. ``args`` are the build
    arguments that RUN sees: those declared above it in its stage.
    """

    line: int
    keyword: str
    stage: str
    sources: tuple[str, ...] = ()
    taken_from: str = ""
    below: str = ""
    args: tuple[str, ...] = ()


def step_places(document: Document, names: Iterable[str]) -> dict[str, StepPlace]:
    """The places of those steps that are instructions of ``document``, by step name."""
    found: dict[str, StepPlace] = {}
    for name in names:
        parsed = parse_step_name(name)
        stage = _stage_of(document, parsed) if parsed else None
        if parsed and stage and (instruction := _counted_at(stage, parsed)):
            found[name] = _place(document, stage, instruction)
    return found


def _stage_of(document: Document, parsed: StepName) -> Stage | None:
    if not parsed.stage:
        return document.stages[-1] if document.stages else None
    if (named := document.stage_named(parsed.stage)) is not None:
        return named
    number = parsed.stage.removeprefix("stage-")
    if number.isascii() and number.isdecimal() and int(number) < len(document.stages):
        return document.stages[int(number)]
    return None


def _counted_at(stage: Stage, parsed: StepName) -> Instruction | None:
    fetches = stage.base_stage is None and stage.base.lower() != "scratch"
    counted = [each for each in stage.instructions[1:] if each.keyword in _COUNTED]
    if fetches and parsed.number == 1:
        return stage.instruction
    triggered = max(0, parsed.total - len(counted) - fetches)
    index = parsed.number - 1 - fetches - triggered
    return counted[index] if 0 <= index < len(counted) else None


def _place(document: Document, stage: Stage, instruction: Instruction) -> StepPlace:
    sources: tuple[str, ...] = ()
    taken_from = ""
    if instruction.keyword in ("COPY", "ADD"):
        given = instruction.flag("from")
        taken_from = (given.value or "") if given else ""
        for each in stage.inputs:
            if each.kind == "copy" and each.line == instruction.first and each.stage is not None:
                taken_from = _name(document.stages[each.stage])
        if not taken_from:
            words = instruction.arguments[:-1]
            sources = tuple(
                word.text.strip("\"'") for word in words if not word.text.startswith("<<")
            )
    elif instruction.keyword == "FROM":
        taken_from = stage.base
    return StepPlace(
        instruction.first,
        instruction.keyword,
        _name(stage),
        sources,
        taken_from,
        _name(document.stages[stage.base_stage]) if stage.base_stage is not None else "",
        _args_above(document, stage, instruction),
    )


def _name(stage: Stage) -> str:
    return stage.name or f"stage-{stage.index}"


def _args_above(document: Document, stage: Stage, instruction: Instruction) -> tuple[str, ...]:
    """Names of build arguments that reach an instruction: RUN sees all declared above it, FROM the global ones."""
    if instruction.keyword == "FROM":
        above = [each for each in document.instructions if each.stage < 0]
    else:
        above = [each for each in stage.instructions if each.first < instruction.first]
    return tuple(pair.name for each in above if each.keyword == "ARG" for pair in each.pairs)
