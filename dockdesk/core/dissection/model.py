"""A dissected image as columns of numbers.

An image may hold some hundred thousand files. An object for each would take seconds to travel between processes and
would hold the window still while it arrives; columns are copied as they lie in memory. Columns are not to be changed.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

from dockdesk.core.records import dataclass

UNCHANGED, ADDED, CHANGED, REMOVED = 0, 1, 2, 3
"""What a layer does to a path, as stored in columns."""

WORDS = ("", "added", "changed", "removed")

FILE, FOLDER, LINK, HARD_LINK, DEVICE = b"fdlhx"
"""What stands at a path: DEVICE is also a pipe. The content of a hard link is that of another path."""

SETUID, SETGID, STICKY, ANYONE_WRITES = 0o4000, 0o2000, 0o1000, 0o002


@dataclass(frozen=True, slots=True)
class Names:
    """All paths as a tree, breadth first: number 0 is the root, and the children of a folder are neighbours.

    ``ends`` tells where each name ends in ``text``; ``first`` and ``count`` where a folder's children are.
    """

    text: str
    ends: array[int]
    parent: array[int]
    first: array[int]
    count: array[int]

    def __len__(self) -> int:
        return len(self.ends)

    def name(self, number: int) -> str:
        return self.text[self.ends[number - 1] if number else 0 : self.ends[number]]

    def path(self, number: int) -> str:
        """From the root, which is "/"."""
        parts: list[str] = []
        while number:
            parts.append(self.name(number))
            number = self.parent[number]
        return "/" + "/".join(reversed(parts))

    def find(self, path: str) -> int:
        """The number at a path; -1 where there is none."""
        at = 0
        for part in path.split("/"):
            if part:
                children = range(self.first[at], self.first[at] + self.count[at])
                at = next((child for child in children if self.name(child) == part), -1)
                if at < 0:
                    return -1
        return at


@dataclass(frozen=True, slots=True)
class Entries:
    """What one layer does, a column an attribute, in the order of `Names`.

    ``node`` is a number of `Names`, ``change`` ADDED, CHANGED or REMOVED, ``kind`` FILE and so on. ``size`` is in bytes
    (that of a hard link is its file's), ``checksum`` the CRC-32 of the content, ``modified`` in seconds since 1970.
    ``origin`` is the layer that holds the content: of what is removed, an earlier one. ``links`` has the targets of
    links by number.
    """

    node: array[int]
    change: bytes
    kind: bytes
    size: array[int]
    mode: array[int]
    uid: array[int]
    gid: array[int]
    modified: array[int]
    checksum: array[int]
    origin: array[int]
    links: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.node)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. ``place`` is its name in the engine's archive, ``instruction`` as it stood in the Dockerfile.

    ``size`` and ``wasted`` are in bytes: what its files hold, and what of that the image does not show in the end.
    ``created`` is in seconds since 1970, 0 where unknown.
    """

    place: str
    digest: str
    instruction: str
    size: int
    wasted: int
    created: float
    entries: Entries
    added: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Waste:
    """Bytes that a path holds in layers without showing in the image.

    ``written`` are the layers that hold them, ``ended`` those that replaced or removed them, all counted from 1.
    ``same`` tells that some were replaced by the same content: only mode, owner or time differ.
    """

    path: str
    size: int
    written: tuple[int, ...]
    ended: tuple[int, ...]
    removed: bool
    same: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A file worth a look: ``layer`` it is of, counted from 1, ``note`` says what about it."""

    path: str
    size: int
    layer: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Figures about all layers together, in bytes. ``stored`` is what all layers hold, ``final`` what shows of it.

    Lists are cut at some hundred entries, the largest first; the ``…_count`` tell how many there are.
    """

    stored: int
    final: int
    files: int
    waste: tuple[Waste, ...] = ()
    waste_count: int = 0
    biggest: tuple[Found, ...] = ()
    privileged: tuple[Found, ...] = ()
    writable: tuple[Found, ...] = ()
    writable_count: int = 0
    caches: tuple[Found, ...] = ()

    @property
    def wasted(self) -> int:
        return self.stored - self.final

    @property
    def efficiency(self) -> float:
        """The share of the stored bytes that the image shows, 0.0 to 1.0."""
        return self.final / self.stored if self.stored else 1.0


@dataclass(frozen=True, slots=True)
class Smaller:
    """An image that could take the base's place: of this engine with its size in bytes, or known by name only (-1)."""

    name: str
    size: int = -1


@dataclass(frozen=True, slots=True)
class Base:
    """What an image was built on, as far as can be told.

    ``how`` is "layers" (a local image has exactly these lowest layers), "label" (the image says so), "times" (layers
    below a gap of a day) or "first" (nothing is known but the lowest layer). ``layers`` is how many are the base's, 0
    where unknown.
    """

    name: str
    how: str
    layers: int
    size: int
    smaller: tuple[Smaller, ...] = ()


@dataclass(frozen=True, slots=True)
class Dissection:
    """An image, layer by layer, the lowest first. ``config`` is the ``config`` of its configuration file."""

    id: str
    tags: tuple[str, ...]
    platform: str
    config: Mapping[str, Any]
    layers: tuple[Layer, ...]
    names: Names
    report: Report
    base: Base | None = None

    @property
    def rows(self) -> int:
        """How much there is: a measure of what looking through all of it costs."""
        return sum(len(layer.entries) for layer in self.layers)
