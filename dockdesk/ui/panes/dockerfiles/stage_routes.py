"""Where the lines between stages run: from box to box, and around the boxes between."""

from __future__ import annotations

from collections.abc import Container, Mapping

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from dockdesk.ui.panes.dockerfiles.stage_graph import GraphEdge, StageGraph

_APART = 16.0  # pixels between the ends of lines at one box
_LANE = 12.0  # and between a line and the boxes that it passes
_BETWEEN = 7.0  # and between two such lines

Lane = tuple[float, float, float]
"""The x of a line that passes rows, and their top and bottom."""


def routed(graph: StageGraph, boxes: Mapping[str, QRectF]) -> dict[GraphEdge, QPainterPath]:
    """Edge → its line, which ends a pixel above its target's box."""
    rows = {node.id: node.row for node in graph.nodes}
    edges = [edge for edge in graph.edges if edge.source in boxes and edge.target in boxes]
    lanes: list[Lane | None] = []
    taken: set[float] = set()
    leaving: dict[str, list[int]] = {}
    coming: dict[str, list[int]] = {}
    for number, edge in enumerate(edges):
        lane = _lane(edge, rows, boxes, taken)
        lanes.append(lane)
        if lane is not None:
            taken.add(lane[0])
        leaving.setdefault(edge.source, []).append(number)
        coming.setdefault(edge.target, []).append(number)
    starts: dict[int, QPointF] = {}
    ends: dict[int, QPointF] = {}
    for id, numbers in leaving.items():
        numbers.sort(key=lambda number: _towards(lanes[number], boxes[edges[number].target]))
        for at, number in enumerate(numbers):
            starts[number] = QPointF(_end(boxes[id], at, len(numbers)), boxes[id].bottom())
    for id, numbers in coming.items():
        numbers.sort(key=lambda number: _towards(lanes[number], boxes[edges[number].source]))
        for at, number in enumerate(numbers):
            ends[number] = QPointF(_end(boxes[id], at, len(numbers)), boxes[id].top() - 1)
    return {
        edge: _path(starts[number], ends[number], lanes[number])
        for number, edge in enumerate(edges)
    }


def _lane(
    edge: GraphEdge, rows: Mapping[str, int], boxes: Mapping[str, QRectF], taken: Container[float]
) -> Lane | None:
    """Where a line runs that has rows to pass; None where it has none."""
    first, last = rows[edge.source], rows[edge.target]
    if last - first < 2:
        return None
    between = [box for id, box in boxes.items() if first < rows[id] < last]
    if not between:
        return None
    left = min(box.left() for box in between) - _LANE
    right = max(box.right() for box in between) + _LANE
    middle = (boxes[edge.source].center().x() + boxes[edge.target].center().x()) / 2
    beside = middle - left < right - middle and left > 0
    x, step = (left, -_BETWEEN) if beside else (right, _BETWEEN)
    while x in taken:
        x += step
    return x, min(box.top() for box in between), max(box.bottom() for box in between)


def _towards(lane: Lane | None, other: QRectF) -> float:
    return lane[0] if lane is not None else other.center().x()


def _end(box: QRectF, number: int, count: int) -> float:
    step = min(_APART, box.width() / (count + 1))
    return box.center().x() + (number - (count - 1) / 2) * step


def _path(start: QPointF, end: QPointF, lane: Lane | None) -> QPainterPath:
    path = QPainterPath(start)
    at = start
    if lane is not None:
        x, top, bottom = lane
        _bend(path, at, QPointF(x, top))
        at = QPointF(x, bottom)
        path.lineTo(at)
    _bend(path, at, end)
    return path


def _bend(path: QPainterPath, start: QPointF, end: QPointF) -> None:
    half = (end.y() - start.y()) / 2
    path.cubicTo(QPointF(start.x(), start.y() + half), QPointF(end.x(), end.y() - half), end)
