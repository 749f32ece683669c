"""Stages, what each takes from where, and which of them a target needs.

Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.expand import global_scope, globals_of
from dockdesk.dockerfile.shell import ExpansionError, Lookup, expand
from dockdesk.dockerfile.tree import Document, Input, Instruction, Stage, Word

__all__ = [
    "Edge",
    "Graph",
    "Input",
    "Node",
    "Stage",
    "collect",
    "find_stage",
    "needed",
    "stage_graph",
]

NodeKind = Literal["stage", "image", "context", "remote", "scratch"]
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@")


class Node(NamedTuple):
    """A box of the graph with its unique ``id``; ``line`` is a stage's FROM, else the first line that uses it."""

    id: str
    kind: NodeKind
    label: str
    line: int
    stage: int | None = None


class Edge(NamedTuple):
    """``target`` (a stage's node) takes from ``source`` on ``line``; ``kind`` as `Input`'s."""

    source: str
    target: str
    kind: Literal["from", "copy", "add", "mount"]
    line: int


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def node(self, id: str) -> Node | None:
        return next((node for node in self.nodes if node.id == id), None)


def collect(instructions: Sequence[Instruction], escape: str = "\\") -> list[Stage]:
    """The stages of a file, in order; each ends before the next FROM."""
    froms = [at for at, each in enumerate(instructions) if each.keyword == "FROM"]
    names: list[str] = []
    for at in froms:
        words = instructions[at].arguments
        named = len(words) >= 3 and words[1].text.lower() == "as"
        names.append(words[2].text.lower() if named else "")
    stages = []
    earlier: dict[str, int] = {}
    lookup: Lookup | None = None
    for index, at in enumerate(froms):
        end = froms[index + 1] if index + 1 < len(froms) else len(instructions)
        own = tuple(instructions[at:end])
        opening = own[0]
        base = opening.arguments[0].text if opening.arguments else ""
        platform = opening.flag("platform")
        plain = base
        if "$" in base:
            lookup = lookup or globals_of(instructions, escape).lookup
            plain = _filled(base, lookup, escape)
        base_stage = earlier.get(plain)
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
    found: list[Input] = []
    if instruction.keyword in ("COPY", "ADD"):
        found += _copied(instruction, names)
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


def _copied(instruction: Instruction, names: Sequence[str]) -> list[Input]:
    sources: Sequence[Word] = instruction.arguments[:-1]
    if instruction.keyword == "COPY":
        flag = instruction.flag("from")
        if flag and flag.value:
            known = find_stage(flag.value, names, numbers=True)
            return [Input("copy", flag.value, known, flag.place.line, flag.place)]
    else:
        remote = [word for word in sources if word.text.startswith(_REMOTE)]
        if remote:
            found = [Input("add", each.text, None, each.place.line, each.place) for each in remote]
            rest = len(sources) - len(remote)
            return found + ([_from_context(instruction)] if rest else [])
    local = any(not word.text.startswith("<<") for word in sources)
    return [_from_context(instruction)] if local else []


def _from_context(instruction: Instruction) -> Input:
    kind: Literal["copy", "add"] = "copy" if instruction.keyword == "COPY" else "add"
    return Input(kind, "", None, instruction.place.line, instruction.place)


def find_stage(name: str, names: Sequence[str], *, numbers: bool) -> int | None:
    """The index of the stage ``--from`` means: by number where allowed, else the last of that name."""
    if numbers and name.isascii() and name.isdecimal() and len(name) < 10:
        return int(name) if int(name) < len(names) else None
    wanted = name.lower()
    return next((at for at in reversed(range(len(names))) if names[at] == wanted and wanted), None)


def stage_graph(document: Document) -> Graph:
    """Stages, images and contexts as nodes, what is taken from where as edges, in the order of the lines.

    Images are named with global ARGs' defaults filled in. A name that is no stage is an image, though the build may be
    given a named context for it. Several edges of one kind between the same two nodes are kept: each has its line.
    """
    lookup = global_scope(document).lookup
    nodes: dict[str, Node] = {}
    for stage in document.stages:
        label = stage.name or f"stage {stage.index}"
        made = Node(f"stage:{stage.index}", "stage", label, stage.line, stage.index)
        nodes[made.id] = made
    edges = []
    for stage in document.stages:
        for each in stage.inputs:
            source = _source_node(each, document, lookup)
            nodes.setdefault(source.id, source)
            edges.append(Edge(source.id, f"stage:{stage.index}", each.kind, each.line))
    return Graph(tuple(nodes.values()), tuple(edges))


def _source_node(each: Input, document: Document, lookup: Lookup) -> Node:
    if each.stage is not None:
        stage = document.stages[each.stage]
        return Node(f"stage:{stage.index}", "stage", stage.name, stage.line, stage.index)
    if not each.name:
        return Node("context", "context", "build context", each.line)
    if each.kind == "add":
        return Node(f"remote:{each.name}", "remote", each.name, each.line)
    name = _filled(each.name, lookup, document.escape) if each.kind == "from" else each.name
    if name == "scratch":
        return Node("scratch", "scratch", "scratch", each.line)
    return Node(f"image:{name}", "image", name, each.line)


def image_names(document: Document) -> Callable[[str], str]:
    """What fills global ARGs' defaults into the name of an image, as far as they are known."""
    lookup = global_scope(document).lookup
    return lambda name: _filled(name, lookup, document.escape) if "$" in name else name


def _filled(name: str, lookup: Lookup, escape: str) -> str:
    try:
        return expand(name, lookup, escape).text or name
    except ExpansionError:
        return name


def needed(document: Document, target: str | int | None = None) -> tuple[int, ...]:
    """The indices of the stages a build of ``target`` runs, in order: a name, a number, or None for the last one.

    Empty where there is no such stage.
    """
    stages = document.stages
    if target is None:
        wanted = len(stages) - 1
    elif isinstance(target, int):
        wanted = target if 0 <= target < len(stages) else -1
    else:
        found = find_stage(target, [stage.name for stage in stages], numbers=False)
        wanted = -1 if found is None else found
    if wanted < 0:
        return ()
    seen: set[int] = set()
    waiting = [wanted]
    while waiting:
        index = waiting.pop()
        if index not in seen:
            seen.add(index)
            waiting += [each.stage for each in stages[index].inputs if each.stage is not None]
    return tuple(sorted(seen))
