"""Which instruction a step of the builder is: BuildKit names steps “[stage 2/5] RUN make” and tells no line.

It counts FROM (where it fetches an image), RUN, COPY, ADD and WORKDIR of a stage; what ONBUILD of the base image adds
comes right after FROM and shifts the rest. A classic build counts all instructions.
Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go; moby, builder/dockerfile/dispatchers.go.
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

    ``line`` and ``last`` are 0-based, here-documents included. ``sources`` are what COPY, ADD or a bind mount of RUN
    takes from the build context, ``taken_from`` the stage or image that it, or FROM, takes from. ``below`` is the stage
    that its own stage is based on. ``args`` are the build arguments that RUN sees: those declared above it in there.
    """

    line: int
    keyword: str
    stage: str
    sources: tuple[str, ...] = ()
    taken_from: str = ""
    below: str = ""
    args: tuple[str, ...] = ()
    last: int = -1


def step_places(document: Document, names: Iterable[str]) -> dict[str, StepPlace]:
    """The places of those steps that are instructions of ``document``, by step name."""
    found: dict[str, StepPlace] = {}
    for name in names:
        parsed = parse_step_name(name)
        stage = _stage_of(document, parsed) if parsed else None
        if parsed and stage and (instruction := _counted_at(stage, parsed)):
            found[name] = _place(document, stage, instruction, parsed.text)
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


def stages_of_image(document: Document, target: str) -> tuple[str, ...]:
    """The stages that the image of ``target`` ("" for the last) is made of, the lowest first, named as in steps."""
    if target:
        stage = document.stage_named(target)
        if stage is None and target.isascii() and target.isdecimal():
            stage = next((each for each in document.stages if each.index == int(target)), None)
    else:
        stage = document.stages[-1] if document.stages else None
    names: list[str] = []
    while stage is not None:
        names.append(_name(stage))
        stage = document.stages[stage.base_stage] if stage.base_stage is not None else None
    return tuple(reversed(names))


def _counted_at(stage: Stage, parsed: StepName) -> Instruction | None:
    """The instruction at a step's number, by either way to count, if it is of the step's kind."""
    keyword = parsed.text.partition(" ")[0].upper()
    found = _by_buildkit(stage, parsed)
    if found is not None and found.keyword == keyword:
        return found
    if parsed.total == len(stage.instructions) and 0 < parsed.number <= parsed.total:
        found = stage.instructions[parsed.number - 1]
        return found if found.keyword == keyword else None
    return None


def _by_buildkit(stage: Stage, parsed: StepName) -> Instruction | None:
    fetches = stage.base_stage is None and stage.base.lower() != "scratch"
    counted = [each for each in stage.instructions[1:] if each.keyword in _COUNTED]
    if fetches and parsed.number == 1:
        return stage.instruction
    triggered = max(0, parsed.total - len(counted) - fetches)
    index = parsed.number - 1 - fetches - triggered
    return counted[index] if 0 <= index < len(counted) else None


def _place(document: Document, stage: Stage, instruction: Instruction, told: str) -> StepPlace:
    sources: tuple[str, ...] = ()
    taken_from = ""
    if instruction.keyword in ("COPY", "ADD"):
        given = instruction.flag("from")
        taken_from = _taken_from(document, stage, instruction, (given.value or "") if given else "")
        if not taken_from:
            sources = _copied(instruction, told)
    elif instruction.keyword == "RUN":
        taken_from = _taken_from(document, stage, instruction, "")
        sources = _mounted(instruction)
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
        instruction.last,
    )


def _taken_from(document: Document, stage: Stage, instruction: Instruction, written: str) -> str:
    """The stage that it takes from, by its name, else ``written``."""
    lines = range(instruction.first, instruction.last + 1)
    for each in stage.inputs:
        if each.kind in {"copy", "mount"} and each.line in lines and each.stage is not None:
            return _name(document.stages[each.stage])
    return written


def _copied(instruction: Instruction, told: str) -> tuple[str, ...]:
    """What COPY or ADD takes of the context; the builder names them with variables replaced."""
    words = [word.text.strip("\"'") for word in instruction.arguments[:-1]]
    if any("$" in word for word in words):
        plain = [word for word in told.split()[1:] if not word.startswith("--")]
        words = [word.strip("[]\"',") for word in plain[:-1]]
    return tuple(word for word in words if not word.startswith("<<"))


def _mounted(instruction: Instruction) -> tuple[str, ...]:
    """What of the context RUN has bound into it."""
    found = []
    for flag in instruction.flags:
        if flag.name != "mount" or flag.option("from") is not None:
            continue
        kind, source = flag.option("type"), flag.option("source", "src")
        if kind is None or (kind.value or "").lower() == "bind":
            found.append((source.value if source else None) or ".")
    return tuple(found)


def _name(stage: Stage) -> str:
    return stage.name or f"stage-{stage.index}"


def _args_above(document: Document, stage: Stage, instruction: Instruction) -> tuple[str, ...]:
    """Names of build arguments that reach an instruction: RUN sees all declared above it, FROM the global ones."""
    if instruction.keyword == "FROM":
        above = [each for each in document.instructions if each.stage < 0]
    else:
        above = [each for each in stage.instructions if each.first < instruction.first]
    return tuple(pair.name for each in above if each.keyword == "ARG" for pair in each.pairs)
