"""The stages of a Dockerfile as a graph that can be drawn: who takes what from whom, in rows from base to result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.stages import image_names
from dockdesk.dockerfile.tree import Document, Stage

EdgeKind = Literal["from", "copy", "mount"]


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A stage, or an image that stages take from. ``row`` counts from the top, ``place`` in its row from the left.

    ``line`` is where it is said, ``last`` the stage's last line (-1 for an image). ``used``: the result needs it.
    """

    id: str
    title: str
    detail: str
    stage: bool
    line: int
    last: int
    row: int
    place: int
    used: bool
    result: bool = False


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """``target`` takes from ``source``, as said on ``line``; ``count`` times."""

    source: str
    target: str
    kind: EdgeKind
    line: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class StageGraph:
    nodes: tuple[GraphNode, ...] = ()
    edges: tuple[GraphEdge, ...] = ()

    def node_at(self, line: int) -> GraphNode | None:
        """The stage that a line belongs to."""
        return next((n for n in self.nodes if n.stage and n.line <= line <= n.last), None)


def stage_graph(document: Document) -> StageGraph:
    """Of the stages of ``document``; the result is its last one."""
    stages = document.stages
    if not stages:
        return StageGraph()
    images: dict[str, int] = {}  # name → the line that names it first
    named = image_names(document)
    edges: dict[tuple[str, str, EdgeKind], GraphEdge] = {}
    for stage in stages:
        _add_edges(stage, named, images, edges)
    rows = _rows(stages, edges)
    used = _needed(f"s{stages[-1].index}", edges)
    nodes: list[GraphNode] = []
    places: dict[int, int] = {}

    def place(row: int) -> int:
        places[row] = places.get(row, -1) + 1
        return places[row]

    for name, line in images.items():
        id = f"i{name}"
        row = max(0, min(rows[e.target] for e in edges.values() if e.source == id) - 1)
        kind = "nothing" if name == "scratch" else "image"
        nodes.append(GraphNode(id, name, kind, False, line, -1, row, place(row), id in used))
    for stage in stages:
        id = f"s{stage.index}"
        title = stage.name or f"stage {stage.index}"
        row = rows[id]
        nodes.append(
            GraphNode(
                id,
                title,
                _size(stage),
                True,
                stage.line,
                stage.last,
                row,
                place(row),
                id in used,
                stage is stages[-1],
            )
        )
    return StageGraph(tuple(nodes), tuple(edges.values()))


def _add_edges(
    stage: Stage,
    named: Callable[[str], str],
    images: dict[str, int],
    edges: dict[tuple[str, str, EdgeKind], GraphEdge],
) -> None:
    for taken in stage.inputs:
        if not taken.name or taken.kind == "add":
            continue  # the build context
        if taken.stage is not None:
            source = f"s{taken.stage}"
        else:
            name = named(taken.name) if taken.kind == "from" else taken.name
            images.setdefault(name, taken.line)
            source = f"i{name}"
        target = f"s{stage.index}"
        if source == target:
            continue
        kind: EdgeKind = taken.kind
        known = edges.get((source, target, kind))
        count = known.count + 1 if known is not None else 1
        line = known.line if known is not None else taken.line
        edges[source, target, kind] = GraphEdge(source, target, kind, line, count)


def _rows(
    stages: tuple[Stage, ...], edges: dict[tuple[str, str, EdgeKind], GraphEdge]
) -> dict[str, int]:
    """The row of each stage: below all that it takes from. Later stages count for nothing."""
    rows: dict[str, int] = {}
    for stage in stages:
        id = f"s{stage.index}"
        above = [
            rows.get(edge.source, 0 if edge.source.startswith("i") else -1)
            for edge in edges.values()
            if edge.target == id
        ]
        rows[id] = max(above, default=-1) + 1
    return rows


def _needed(result: str, edges: dict[tuple[str, str, EdgeKind], GraphEdge]) -> set[str]:
    needed, todo = {result}, [result]
    while todo:
        target = todo.pop()
        for edge in edges.values():
            if edge.target == target and edge.source not in needed:
                needed.add(edge.source)
                todo.append(edge.source)
    return needed


def _size(stage: Stage) -> str:
    count = len(stage.instructions) - 1
    return "1 step" if count == 1 else f"{count} steps"
