"""Trees of files as they are shown: one layer's changes or all files up to a layer, filtered and in order."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import field
from itertools import accumulate
from typing import Any

from dockdesk.core.dissection.model import (
    FOLDER,
    HARD_LINK,
    REMOVED,
    SETGID,
    SETUID,
    UNCHANGED,
    Dissection,
    Entries,
    Names,
)
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work

_ORDERS = ("name", "size", "change", "mode", "owner", "before", "delta")


@dataclass(frozen=True, slots=True)
class FileTree:
    """Paths to show, as a tree like `Names` with columns beside it. ``names`` is in the order that is shown.

    ``size`` of a folder is that of all it shows; ``before`` is what a comparison has on its other side. ``origin`` is
    the layer (of `Dissection.layers`) that holds the content, -1 for folders that only lead somewhere. ``shown`` is
    how many paths match, without the folders that lead to them.
    """

    names: Names
    kind: bytes = b""
    change: bytes = b""
    size: array[int] = field(default_factory=lambda: array("Q"))
    before: array[int] = field(default_factory=lambda: array("Q"))
    mode: array[int] = field(default_factory=lambda: array("I"))
    uid: array[int] = field(default_factory=lambda: array("I"))
    gid: array[int] = field(default_factory=lambda: array("I"))
    modified: array[int] = field(default_factory=lambda: array("q"))
    origin: array[int] = field(default_factory=lambda: array("i"))
    links: Mapping[int, str] = field(default_factory=dict)
    shown: int = 0


EMPTY = FileTree(
    Names("", array("Q", [0]), array("I", [0]), array("I", [1]), array("I", [0])),
    bytes([FOLDER]),
    b"\0",
    array("Q", [0]),
    array("Q", [0]),
    array("I", [0]),
    array("I", [0]),
    array("I", [0]),
    array("q", [0]),
    array("i", [0]),
)


@dataclass(frozen=True, slots=True)
class Query:
    """What to show. ``layer`` counts from 0; ``whole`` shows all files up to it, else what it changes alone.

    ``text`` is looked for in paths, in any case; ``change`` of 0 lets all through; ``privileged`` only files with
    setuid or setgid. ``order`` is name, size, change, mode or owner; folders stand before files where it is name.
    """

    layer: int = 0
    whole: bool = False
    text: str = ""
    change: int = 0
    privileged: bool = False
    order: str = "name"
    descending: bool = False


@dataclass(slots=True)
class Row:
    """A path's attributes on the way into columns."""

    kind: int = FOLDER
    change: int = UNCHANGED
    size: int = 0
    before: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    modified: int = 0
    origin: int = -1
    link: str = ""


def tree_of(work: Work, image: Dissection, query: Query) -> FileTree:
    """What ``query`` asks for. Takes about a second for 200,000 files: call it off the GUI thread."""
    if not 0 <= query.layer < len(image.layers):
        return EMPTY
    rows = _standing(image, query.layer) if query.whole else _changes(image, query.layer)
    work.check()
    rows = _filtered(image.names, rows, query)
    work.check()
    return arranged(image.names, rows, query.order, query.descending)


def _changes(image: Dissection, layer: int) -> dict[int, Row]:
    entries = image.layers[layer].entries
    return {entries.node[at]: _row(entries, at, entries.change[at]) for at in range(len(entries))}


def _standing(image: Dissection, layer: int) -> dict[int, Row]:
    where = standing(image, layer)
    rows: dict[int, Row] = {}
    for node, (at_layer, at) in where.items():
        entries = image.layers[at_layer].entries
        change = entries.change[at] if at_layer == layer else UNCHANGED
        rows[node] = _row(entries, at, change)
    return rows


def standing(image: Dissection, layer: int = -1) -> dict[int, tuple[int, int]]:
    """What stands after a layer (by default the last): path's number → layer and place in its entries."""
    where: dict[int, tuple[int, int]] = {}
    last = layer if layer >= 0 else len(image.layers) - 1
    for number, made in enumerate(image.layers[: last + 1]):
        entries = made.entries
        for at, (node, change) in enumerate(zip(entries.node, entries.change, strict=True)):
            if change == REMOVED:
                where.pop(node, None)
            else:
                where[node] = (number, at)
    return where


def _row(entries: Entries, at: int, change: int) -> Row:
    return Row(
        entries.kind[at],
        change,
        entries.size[at],
        0,
        entries.mode[at],
        entries.uid[at],
        entries.gid[at],
        entries.modified[at],
        entries.origin[at],
        entries.links.get(entries.node[at], ""),
    )


def _filtered(names: Names, rows: Mapping[int, Row], query: Query) -> dict[int, Row]:
    kept = dict(rows)
    if query.change:
        kept = {node: row for node, row in kept.items() if row.change == query.change}
    if query.privileged:
        special = SETUID | SETGID
        kept = {n: row for n, row in kept.items() if row.mode & special and row.kind != FOLDER}
    if query.text:
        matches = matching(names, query.text)
        kept = {node: row for node, row in kept.items() if matches[node]}
    return kept


def matching(names: Names, text: str) -> bytearray:
    """A 1 for every path that holds ``text``, in any case."""
    wanted = text.casefold()
    found = bytearray(len(names))
    paths: list[str] = [""] * len(names)
    for node in range(1, len(names)):
        parent = names.parent[node]
        if found[parent]:
            found[node] = 1  # and so do all below it
            continue
        paths[node] = path = f"{paths[parent]}/{names.name(node).casefold()}"
        found[node] = wanted in path
    return found


def arranged(
    names: Names, rows: Mapping[int, Row], order: str = "name", descending: bool = False
) -> FileTree:
    """The rows, numbered as in ``names``, with the folders that lead to them, summed up and in order."""
    shown = dict(rows)
    shown.setdefault(0, Row())
    leading = [node for node in rows if node]
    for node in leading:
        parent = names.parent[node]
        while parent not in shown:
            shown[parent] = Row()
            parent = names.parent[parent]
    children: dict[int, list[int]] = {}
    # Numbers grow downwards, so that each folder is summed up after all that is in it.
    for node in sorted(shown, reverse=True):
        row = shown[node]
        if not node:
            continue
        above = names.parent[node]
        folder = shown[above]
        if row.kind != HARD_LINK:  # its bytes are those of another path
            if row.change != REMOVED or folder.change == REMOVED:
                folder.size += row.size
            folder.before += row.before
        children.setdefault(above, []).append(node)
    return _packed(names, shown, children, _key(names, shown, order), descending, len(leading))


def _key(names: Names, shown: Mapping[int, Row], order: str) -> Callable[[int], Any]:
    if order not in _ORDERS:
        raise ValueError(f"no order {order}")
    if order == "name":
        return lambda node: (shown[node].kind != FOLDER, names.name(node).casefold())
    if order == "owner":
        return lambda node: (shown[node].uid, shown[node].gid)
    if order == "delta":
        return lambda node: abs(shown[node].size - shown[node].before)
    if order == "change":
        return lambda node: -shown[node].change
    return lambda node: getattr(shown[node], order)


def _packed(
    names: Names,
    shown: Mapping[int, Row],
    children: Mapping[int, list[int]],
    key: Callable[[int], Any],
    descending: bool,
    matches: int,
) -> FileTree:
    order, parent = [0], array("I", [0])
    first: array[int] = array("I")
    count: array[int] = array("I")
    at = 0
    while at < len(order):
        below = children.get(order[at])
        first.append(len(order))
        count.append(len(below) if below else 0)
        if below:
            below.reverse()  # by name, where the key is equal
            below.sort(key=key, reverse=descending)
            order += below
            parent.extend([at] * len(below))
        at += 1
    texts = [names.name(node) for node in order]
    made = [shown[node] for node in order]
    return FileTree(
        Names("".join(texts), array("Q", accumulate(map(len, texts))), parent, first, count),
        bytes(row.kind for row in made),
        bytes(row.change for row in made),
        array("Q", [row.size for row in made]),
        array("Q", [row.before for row in made]),
        array("I", [row.mode for row in made]),
        array("I", [row.uid for row in made]),
        array("I", [row.gid for row in made]),
        array("q", [row.modified for row in made]),
        array("i", [row.origin for row in made]),
        {number: row.link for number, row in enumerate(made) if row.link},
        matches,
    )
