"""Two images side by side: settings, layers and files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.core.dissection.model import (
    ADDED,
    CHANGED,
    FILE,
    FOLDER,
    HARD_LINK,
    REMOVED,
    UNCHANGED,
    Dissection,
    Names,
)
from dockdesk.core.dissection.replay import Node
from dockdesk.core.dissection.tree import FileTree, Row, arranged, matching, standing
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work

_SINGLE = (
    ("User", "User"),
    ("WorkingDir", "Working folder"),
    ("Entrypoint", "Entrypoint"),
    ("Cmd", "Command"),
    ("Shell", "Shell"),
    ("StopSignal", "Stop signal"),
    ("Healthcheck", "Health check"),
)
UNTOLD = "(no instruction)"
_SETS = (("ExposedPorts", "Port"), ("Volumes", "Volume"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as both images have it; None where one has it not. ``what`` is such as "Environment" or "Label"."""

    what: str
    name: str
    before: str | None
    after: str | None

    @property
    def change(self) -> int:
        if self.before is None:
            return ADDED
        if self.after is None:
            return REMOVED
        return UNCHANGED if self.before == self.after else CHANGED


@dataclass(frozen=True, slots=True)
class LayerPair:
    """A layer of the images: ``number`` from 1, "" in ``before`` or ``after`` where that image has no such layer.

    ``shared`` layers are the same bytes in both, stored once.
    """

    number: int
    shared: bool
    before: str
    after: str
    before_size: int
    after_size: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from the first image to the second. Counts are of files; sizes are bytes of what the images show."""

    settings: tuple[Setting, ...]
    layers: tuple[LayerPair, ...]
    files: FileTree
    added: int
    removed: int
    changed: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class CompareQuery:
    """Which differences to show: see `Query`. ``order`` may also be before or delta."""

    text: str = ""
    change: int = 0
    order: str = "name"
    descending: bool = False


def compared(work: Work, first: Dissection, second: Dissection, query: CompareQuery) -> Comparison:
    """What differs. Takes about a second for 200,000 files: call it off the GUI thread."""
    names, numbers = _united(first.names, second.names)
    work.check()
    rows = _differences(first, second, numbers)
    work.check()
    counts = [0, 0, 0, 0]
    for row in rows.values():
        counts[row.change] += row.kind != FOLDER
    if query.change:
        rows = {node: row for node, row in rows.items() if row.change == query.change}
    if query.text:
        found = matching(names, query.text)
        rows = {node: row for node, row in rows.items() if found[node]}
    return Comparison(
        tuple(settings(first.config, second.config)),
        tuple(layer_pairs(first, second)),
        arranged(names, rows, query.order, query.descending),
        counts[ADDED],
        counts[REMOVED],
        counts[CHANGED],
        first.report.final,
        second.report.final,
    )


def settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Setting]:
    """Settings of two configurations, those that are alike among them."""
    found = [
        Setting(title, "", _text(first.get(key)), _text(second.get(key)))
        for key, title in _SINGLE
        if first.get(key) or second.get(key)
    ]
    for title, before, after in (
        ("Environment", _pairs(first.get("Env")), _pairs(second.get("Env"))),
        ("Label", first.get("Labels") or {}, second.get("Labels") or {}),
        *((title, first.get(key) or {}, second.get(key) or {}) for key, title in _SETS),
    ):
        for name in sorted({*before, *after}):
            values = [
                (str(side[name]) if isinstance(side[name], str) else "yes")
                if name in side
                else None
                for side in (before, after)
            ]
            found.append(Setting(title, str(name), values[0], values[1]))
    return found


def layer_pairs(first: Dissection, second: Dissection) -> list[LayerPair]:
    """Layers side by side: the lowest ones as long as they are shared, then those of each image."""
    shared = 0
    for one, other in zip(first.layers, second.layers, strict=False):
        if one.digest != other.digest or not one.digest:
            break
        shared += 1
    pairs: list[LayerPair] = []
    for number in range(max(len(first.layers), len(second.layers))):
        left, right = (
            image.layers[number] if number < len(image.layers) else None
            for image in (first, second)
        )
        pairs.append(
            LayerPair(
                number + 1,
                number < shared,
                left.instruction or UNTOLD if left is not None else "",
                right.instruction or UNTOLD if right is not None else "",
                left.size if left is not None else 0,
                right.size if right is not None else 0,
            )
        )
    return pairs


def _united(first: Names, second: Names) -> tuple[Names, tuple[list[int], list[int]]]:
    """All paths of both, and by each one's numbers the new ones."""
    from dockdesk.core.dissection.build import numbered

    root = Node("", None)
    nodes: list[list[Node]] = []
    for names in (first, second):
        mine = [root]
        for number in range(1, len(names)):
            mine.append(mine[names.parent[number]].child(names.name(number)))
        nodes.append(mine)
    united = numbered(root)
    return united, ([node.number for node in nodes[0]], [node.number for node in nodes[1]])


def _differences(
    first: Dissection, second: Dissection, numbers: tuple[Sequence[int], Sequence[int]]
) -> dict[int, Row]:
    before = {numbers[0][node]: place for node, place in standing(first).items()}
    after = {numbers[1][node]: place for node, place in standing(second).items()}
    rows: dict[int, Row] = {}
    for node, place in after.items():
        if node not in before:
            rows[node] = _row(second, place, ADDED, 0)
        elif not _same(first, before[node], second, place):
            rows[node] = _row(second, place, CHANGED, _size(first, before[node]))
    for node, place in before.items():
        if node not in after:
            row = _row(first, place, REMOVED, _size(first, place))
            row.size = 0
            rows[node] = row
    return rows


def _row(image: Dissection, place: tuple[int, int], change: int, before: int) -> Row:
    entries, at = image.layers[place[0]].entries, place[1]
    size = entries.size[at]
    return Row(
        entries.kind[at], change, size, before, entries.mode[at], entries.uid[at],
        entries.gid[at], entries.modified[at], entries.origin[at],
        entries.links.get(entries.node[at], ""),
    )  # fmt: skip


def _size(image: Dissection, place: tuple[int, int]) -> int:
    return image.layers[place[0]].entries.size[place[1]]


def _same(
    first: Dissection, one: tuple[int, int], second: Dissection, other: tuple[int, int]
) -> bool:
    """Whether a path is the same to a program: its time does not count, nor which name of a file is the first."""
    left, right = first.layers[one[0]], second.layers[other[0]]
    mine, yours = left.entries, right.entries
    a, b = one[1], other[1]
    kinds = [FILE if kind == HARD_LINK else kind for kind in (mine.kind[a], yours.kind[b])]
    if kinds[0] != kinds[1]:
        return False
    rights = (mine.mode[a], mine.uid[a], mine.gid[a]) == (yours.mode[b], yours.uid[b], yours.gid[b])
    if kinds[0] == FOLDER:
        return rights
    content = (mine.size[a], mine.checksum[a]) == (yours.size[b], yours.checksum[b])
    if kinds[0] == FILE:
        return rights and content
    return rights and mine.links.get(mine.node[a]) == yours.links.get(yours.node[b])


def _pairs(values: Any) -> dict[str, str]:
    return dict(str(item).partition("=")[::2] for item in values or ())


def _text(value: Any) -> str | None:
    if not value:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
