"""Stages, what each takes from where, and which of them a target needs.

Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.dockerfile.tree import Input, Instruction, Stage


def collect(instructions: Sequence[Instruction]) -> list[Stage]:
    """The stages of a file, in order; each ends before the next FROM."""
    froms = [at for at, each in enumerate(instructions) if each.keyword == "FROM"]
    names: list[str] = []
    for at in froms:
        words = instructions[at].arguments
        named = len(words) >= 3 and words[1].text.lower() == "as"
        names.append(words[2].text.lower() if named else "")
    stages = []
    earlier: dict[str, int] = {}
    for index, at in enumerate(froms):
        end = froms[index + 1] if index + 1 < len(froms) else len(instructions)
        own = tuple(instructions[at:end])
        opening = own[0]
        base = opening.arguments[0].text if opening.arguments else ""
        platform = opening.flag("platform")
        base_stage = earlier.get(base)
        if names[index]:
            earlier[names[index]] = index
        inputs = []
        if opening.arguments:
            word = opening.arguments[0]
            inputs.append(Input("from", base, base_stage, opening.first, word.place))
        for each in own[1:]:
            if each.flags or each.keyword in ("ADD", "COPY"):
                inputs += _inputs(each, names)
        stages.append(
            Stage(
                index=index,
                name=names[index],
                base=base,
                platform=(platform.value or "") if platform else "",
                line=opening.first,
                last=own[-1].last,
                instruction=opening,
                instructions=own,
                inputs=tuple(inputs),
                base_stage=base_stage,
            )
        )
    return stages


def _inputs(instruction: Instruction, names: Sequence[str]) -> list[Input]:
    """What COPY, ADD and RUN --mount take, and from where: a number counts for COPY alone, later stages never do."""
    found = []
    if instruction.keyword in ("COPY", "ADD"):
        flag = instruction.flag("from") if instruction.keyword == "COPY" else None
        name = (flag.value or "") if flag else ""
        place = flag.place if flag else instruction.place
        known = find_stage(name, names, numbers=True) if name else None
        kind = "copy" if instruction.keyword == "COPY" else "add"
        if name or any(not word.text.startswith("<<") for word in instruction.arguments[:-1]):
            found.append(Input(kind, name, known, place.line, place))  # type: ignore[arg-type]
    for flag in instruction.flags:
        kinds = flag.option("type")
        if flag.options and (kinds is None or (kinds.value or "").lower() in ("bind", "cache", "")):
            source = flag.option("from")
            if source and source.value:
                known = find_stage(source.value, names, numbers=False)
                found.append(Input("mount", source.value, known, source.place.line, source.place))
            elif kinds is None or (kinds.value or "").lower() != "cache":
                found.append(Input("mount", "", None, flag.place.line, flag.place))
    return found


def find_stage(name: str, names: Sequence[str], *, numbers: bool) -> int | None:
    """The index of the stage ``--from`` means: by number where allowed, else the last of that name."""
    if numbers and name.isascii() and name.isdecimal() and len(name) < 10:
        return int(name) if int(name) < len(names) else None
    wanted = name.lower()
    return next((at for at in reversed(range(len(names))) if names[at] == wanted and wanted), None)
