"""A `Dissection` from the members of an image's layers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from dockdesk.core.dissection.model import (
    ADDED,
    CHANGED,
    REMOVED,
    Base,
    Dissection,
    Entries,
    Layer,
    Names,
)
from dockdesk.core.dissection.replay import Entry, Node, Replay, State
from dockdesk.core.dissection.report import report_of
from dockdesk.core.records import dataclass

_MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class RawLayer:
    """One layer as it was read: see `Layer`."""

    entries: Sequence[Entry]
    place: str = ""
    digest: str = ""
    instruction: str = ""
    created: float = 0.0


def dissected(
    layers: Sequence[RawLayer],
    id: str = "",
    tags: Sequence[str] = (),
    platform: str = "",
    config: Mapping[str, Any] | None = None,
    base: Base | None = None,
    check: Callable[[], None] = lambda: None,
) -> Dissection:
    """Put ``layers`` together, the lowest first. ``check`` is called now and then, to be cancelled by."""
    replay = Replay()
    for layer in layers:
        replay.apply(layer.entries)
        check()
    names = numbered(replay.root)
    check()
    wasted = [0] * len(layers)
    sizes = [0] * len(layers)
    for content in replay.contents:
        sizes[content.layer] += content.size
        if not content.uses:
            wasted[content.layer] += content.size
    made = []
    for number, (layer, changes) in enumerate(zip(layers, replay.changes, strict=True)):
        entries = _columns(changes)
        made.append(
            Layer(
                layer.place,
                layer.digest,
                layer.instruction,
                sizes[number],
                wasted[number],
                layer.created,
                entries,
                entries.change.count(ADDED),
                entries.change.count(CHANGED),
                entries.change.count(REMOVED),
            )
        )
        check()
    report = report_of(replay)
    return Dissection(
        id, tuple(tags), platform, dict(config or {}), tuple(made), names, report, base
    )


def numbered(root: Node) -> Names:
    """Give all nodes their numbers, breadth first and by name within a folder."""
    order = [root]
    first: array[int] = array("I")
    count: array[int] = array("I")
    at = 0
    while at < len(order):
        node = order[at]
        node.number = at
        first.append(len(order))
        count.append(len(node.children))
        if node.children:
            order += [child for _, child in sorted(node.children.items())]
        at += 1
    names = [node.name for node in order]
    return Names(
        "".join(names),
        array("Q", accumulate(map(len, names))),
        array("I", [node.parent.number if node.parent is not None else 0 for node in order]),
        first,
        count,
    )


def _columns(changes: Mapping[Node, tuple[int, State]]) -> Entries:
    ordered = sorted(changes.items(), key=lambda item: item[0].number)
    states = [state for _, (_, state) in ordered]
    return Entries(
        array("I", [node.number for node, _ in ordered]),
        bytes(change for _, (change, _) in ordered),
        bytes(state.entry.kind for state in states),
        array("Q", [min(state.size, _MOST) for state in states]),
        array("I", [state.entry.mode & 0o7777 for state in states]),
        array("I", [state.entry.uid & 0xFFFFFFFF for state in states]),
        array("I", [state.entry.gid & 0xFFFFFFFF for state in states]),
        array("q", [max(-_MOST, min(state.entry.modified, _MOST)) for state in states]),
        array("I", [state.content.checksum if state.content else 0 for state in states]),
        array("i", [state.origin for state in states]),
        {
            node.number: state.entry.link
            for (node, _), state in zip(ordered, states, strict=True)
            if state.entry.link
        },
    )
