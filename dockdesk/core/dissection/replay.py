"""Layers put on top of each other, as an engine does it when it starts a container.

Source: OCI image specification, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dockdesk.core.dissection.model import (
    ADDED,
    CHANGED,
    FILE,
    FOLDER,
    HARD_LINK,
    LINK,
    REMOVED,
)

_HOPS = 40  # of links, as Linux follows


class Entry(NamedTuple):
    """One member of a layer. ``path`` has no leading, trailing or double slash and no dots; the root is "".

    ``kind`` is FILE and so on, or WHITEOUT (``path`` is gone) or OPAQUE (what lower layers have in ``path`` is gone).
    """

    path: str
    kind: int
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0
    modified: int = 0
    link: str = ""
    checksum: int = 0


WHITEOUT, OPAQUE = b"wo"


class Content:
    """Bytes that a layer holds for a path. ``uses`` counts the paths that show them."""

    __slots__ = ("checksum", "ended", "layer", "node", "removed", "same", "size", "uses")

    def __init__(self, node: Node, layer: int, size: int, checksum: int) -> None:
        self.node = node
        self.layer = layer
        self.size = size
        self.checksum = checksum
        self.uses = 0
        self.ended = -1
        self.removed = False
        self.same = False


class State:
    """What stands at a path."""

    __slots__ = ("content", "entry", "layer")

    def __init__(self, entry: Entry, content: Content | None, layer: int) -> None:
        self.entry = entry
        self.content = content
        self.layer = layer

    @property
    def size(self) -> int:
        return self.content.size if self.content is not None else 0

    @property
    def origin(self) -> int:
        """The layer that holds its content."""
        return self.content.layer if self.content is not None else self.layer


class Node:
    """A path that some layer knows. ``state`` is None where nothing stands there (any more)."""

    __slots__ = ("children", "name", "number", "parent", "state")

    def __init__(self, name: str, parent: Node | None) -> None:
        self.name = name
        self.parent = parent
        self.children: dict[str, Node] = {}
        self.state: State | None = None
        self.number = 0

    def child(self, name: str) -> Node:
        """The child of this name, made if need be."""
        if (node := self.children.get(name)) is None:
            node = self.children[name] = Node(name, self)
        return node

    @property
    def path(self) -> str:
        parts: list[str] = []
        node = self
        while node.parent is not None:
            parts.append(node.name)
            node = node.parent
        return "/".join(reversed(parts))

    def standing(self) -> Iterator[Node]:
        """This path and all below it where something stands."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.state is not None:
                yield node
            waiting.extend(node.children.values())


class Replay:
    """Takes layers one after the other, the lowest first.

    ``changes`` has for each what it did: ADDED, CHANGED or REMOVED, and what stands there now (of what is removed, what
    stood there). ``contents`` are all bytes stored in layers.
    """

    def __init__(self) -> None:
        self.root = Node("", None)
        self.root.state = State(Entry("", FOLDER, 0o755), None, -1)
        self.contents: list[Content] = []
        self.changes: list[dict[Node, tuple[int, State]]] = []
        self._before: dict[Node, State | None] = {}
        self._folders: dict[str, Node] = {}
        self._hops = 0

    @property
    def layer(self) -> int:
        """The layer that is applied now, counted from 0."""
        return len(self.changes)

    def apply(self, entries: Iterable[Entry]) -> None:
        """Put one more layer on top."""
        self._before = {}
        self._folders = {"": self.root}
        listed = list(entries)
        # What a layer takes away is of the layers below, wherever it says so.
        for entry in listed:
            if entry.kind == WHITEOUT:
                self._white_out(entry.path)
            elif entry.kind == OPAQUE:
                self._make_opaque(entry.path)
        self._folders = {"": self.root}
        for entry in listed:
            if entry.kind != WHITEOUT and entry.kind != OPAQUE:
                self._put(entry)
        self.changes.append(self._outcome())

    def _outcome(self) -> dict[Node, tuple[int, State]]:
        changes: dict[Node, tuple[int, State]] = {}
        for node, before in self._before.items():
            now = node.state
            if now is None:
                if before is not None:
                    changes[node] = (REMOVED, before)
            elif before is None:
                changes[node] = (ADDED, now)
            elif not _alike(before, now):
                changes[node] = (CHANGED, now)
        return changes

    def _white_out(self, path: str) -> None:
        node = self._find(path)
        if node is not None and node.parent is not None:
            self._clear(node)

    def _make_opaque(self, path: str) -> None:
        node = self._find(path)
        for child in list(node.children.values()) if node is not None else ():
            self._clear(child)

    def _clear(self, top: Node) -> None:
        for node in list(top.standing()):
            self._set(node, None)
        self._folders = {"": self.root}

    def _put(self, entry: Entry) -> None:
        folder, _, name = entry.path.rpartition("/")
        node = self._folder(folder).child(name) if entry.path else self.root
        if entry.kind != FOLDER:
            for below in [found for found in node.standing() if found is not node]:
                self._set(below, None)
            if node.state is not None and node.state.entry.kind in (FOLDER, LINK):
                self._folders = {"": self.root}
        elif node.state is not None and node.state.entry.kind == LINK:
            self._folders = {"": self.root}
        self._set(node, State(entry, self._content(entry, node), self.layer))
        if entry.kind == LINK:
            self._folders = {"": self.root}

    def _content(self, entry: Entry, node: Node) -> Content | None:
        if entry.kind == FILE:
            content = Content(node, self.layer, entry.size, entry.checksum)
            self.contents.append(content)
            return content
        if entry.kind == HARD_LINK:
            target = self._find(entry.link)
            return target.state.content if target is not None and target.state is not None else None
        return None

    def _set(self, node: Node, state: State | None) -> None:
        old = node.state
        self._before.setdefault(node, old)
        node.state = state
        if state is not None and state.content is not None:
            state.content.uses += 1
        if old is not None and old.content is not None:
            content = old.content
            content.uses -= 1
            if not content.uses:
                new = state.content if state is not None else None
                content.ended = self.layer
                content.removed = state is None
                content.same = (
                    new is not None
                    and new is not content
                    and (new.size, new.checksum) == (content.size, content.checksum)
                )

    def _folder(self, path: str) -> Node:
        """The folder at a path, made with what layers leave out of it, where need be."""
        if (known := self._folders.get(path)) is not None:
            return known
        node = self.root
        for name in path.split("/"):
            node = self._into(node.child(name))
        self._folders[path] = node
        return node

    def _into(self, node: Node) -> Node:
        """``node`` as a folder: where it is a link, the folder that it leads to."""
        state = node.state
        if state is not None and state.entry.kind == FOLDER:
            return node
        if state is not None and state.entry.kind == LINK:
            self._hops = _HOPS
            target = self._target(node, state.entry.link)
            if target is not None:
                return target
        self._set(node, State(Entry(node.path, FOLDER, 0o755), None, self.layer))
        return node

    def _target(self, node: Node, link: str) -> Node | None:
        """Where a link leads, if to a folder. Links may lead through links, but not for ever."""
        self._hops -= 1
        if self._hops < 0:
            return None
        at = self.root if link.startswith("/") or node.parent is None else node.parent
        for name in link.split("/"):
            if name == "..":
                at = at.parent or at
            elif name not in ("", "."):
                found = at.children.get(name)
                if found is None or found.state is None:
                    return None
                if found.state.entry.kind == LINK:
                    further = self._target(found, found.state.entry.link)
                    if further is None:
                        return None
                    found = further
                at = found
        return at if at.state is not None and at.state.entry.kind == FOLDER else None

    def _find(self, path: str) -> Node | None:
        node: Node | None = self.root
        for name in path.split("/"):
            if name and node is not None:
                node = node.children.get(name)
        return node


def _alike(before: State, now: State) -> bool:
    """Whether a folder is as it was: layers repeat the folders of what they change."""
    old, new = before.entry, now.entry
    if new.kind != FOLDER or old.kind != FOLDER:
        return before is now
    return (old.mode, old.uid, old.gid) == (new.mode, new.uid, new.gid)


def replayed(layers: Sequence[Iterable[Entry]]) -> Replay:
    """All layers put on top of each other."""
    replay = Replay()
    for entries in layers:
        replay.apply(entries)
    return replay
