"""What the parser finds wrong between instructions: no FROM, names given twice, sources that are no stage.

Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockdesk.dockerfile.notes import Notes, suggestion
from dockdesk.dockerfile.tree import Instruction, Place, Stage, Word
from dockdesk.dockerfile.vocabulary import KNOWN


def check_stages(
    instructions: Sequence[Instruction], stages: Sequence[Stage], notes: Notes
) -> None:
    """Note what is wrong between the instructions: no FROM, names given twice, sources that are no stage."""
    if not instructions:
        notes.add(
            Place(0, 0, 0, 0),
            "no-instructions",
            "There is no instruction yet: begin with FROM and an image.",
            "There is nothing to build.",
            tone="info",
            section="from",
        )
        return
    _before_from(instructions, bool(stages), notes)
    names: dict[str, Stage] = {}
    for stage in stages:
        words: Sequence[Word] = stage.instruction.arguments
        if stage.name in names:
            notes.add(
                words[2].place,
                "duplicate-stage",
                f"A stage named {stage.name} stands on line {names[stage.name].line + 1} already.",
                "What names it from here on means the later one.",
                tone="warn",
                section="from",
            )
        elif stage.name:
            names[stage.name] = stage
    for stage in stages:
        for each in stage.inputs:
            if each.kind in ("copy", "mount") and each.name:
                _check_source(each.kind, each.name, each.place, each.stage, stage, stages, notes)


def _before_from(instructions: Sequence[Instruction], any_stage: bool, notes: Notes) -> None:
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return
        if instruction.keyword in KNOWN and instruction.keyword != "ARG":
            notes.add(
                instruction.place,
                "before-from",
                f"{instruction.keyword} must come after a FROM: only ARG may stand before the first one.",
                "There is no image yet to work on; the build stops here.",
                section="from",
            )
            return
    if not any_stage:
        last = instructions[-1]
        notes.add(
            last.place,
            "no-from",
            "There is no FROM: nothing is built.",
            "ARG before FROM only declares values for FROM itself.",
            section="from",
        )


def _check_source(
    kind: str,
    name: str,
    place: Place,
    known: int | None,
    stage: Stage,
    stages: Sequence[Stage],
    notes: Notes,
) -> None:
    section = "copy---from" if kind == "copy" else "run---mount"
    if "$" in name[:-1]:
        notes.add(
            place,
            "from-variable",
            f"Variables cannot stand here: {name[:60]} is taken literally.",
            "Define a stage with FROM and a global ARG, and name that stage.",
            section=section,
        )
    elif known is not None and known >= stage.index:
        which = (
            "this very stage"
            if known == stage.index
            else f"a later stage (line {stages[known].line + 1})"
        )
        notes.add(
            place,
            "from-later-stage",
            f"{name} is {which}: only what stands above can be used.",
            "The build stops with a dependency that goes round in a circle or is not there yet.",
            section=section,
        )
    elif known is None and kind == "copy" and name.isascii() and name.isdecimal():
        notes.add(
            place,
            "stage-number",
            f"There is no stage number {name}: they run from 0 to {len(stages) - 1}.",
            "The build stops here.",
            section=section,
        )
    elif known is None and not re.search(r"[/:@.]", name):
        near = suggestion(
            name.lower(), tuple(dict.fromkeys(each.name for each in stages if each.name))
        )
        if near:
            notes.add(
                place,
                "unknown-stage",
                f"No stage is named {name}. Did you mean {near}?",
                f"The builder would look for an image {name} instead.",
                tone="warn",
                section=section,
            )
        elif name.lower() not in ("scratch", "context"):
            notes.add(
                place,
                "source-is-image",
                f"No stage is named {name}: it is taken for an image or a named context.",
                tone="info",
                section=section,
            )
