"""Where the lines between stages run: from box to box, and around the boxes between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    lanes: dict[GraphEdge, Lane | None] = {}
    for edge in edges:
        taken = [lane[0] for lane in lanes.values() if lane is not None]
        lanes[edge] = _lane(edge, rows, boxes, taken)
    made = {}
    for edge in edges:
        source, target = boxes[edge.source], boxes[edge.target]
        leaving = [other for other in edges if other.source == edge.source]
        coming = [other for other in edges if other.target == edge.target]
        leaving.sort(key=lambda other: _towards(lanes[other], boxes[other.target]))
        coming.sort(key=lambda other: _towards(lanes[other], boxes[other.source]))
        start = QPointF(_end(source, leaving.index(edge), len(leaving)), source.bottom())
        end = QPointF(_end(target, coming.index(edge), len(coming)), target.top() - 1)
        made[edge] = _path(start, end, lanes[edge])
    return made


def _lane(
    edge: GraphEdge, rows: Mapping[str, int], boxes: Mapping[str, QRectF], taken: Sequence[float]
) -> Lane | None:
    """Where a line runs that has rows to pass; None where it has none."""
    first, last = rows[edge.source], rows[edge.target]
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
