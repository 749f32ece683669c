"""What is mounted into a container: volumes, folders of the host, memory, and the files that tell it who it is.

No folder of the real host is ever looked into: a bind is an empty place that all containers with the same source share.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.engine.filesystem import FileSystem, Node, clean
from dockdesk.sandbox.http import HttpError


@dataclass(frozen=True, slots=True)
class Point:
    """A mount as a container asks for it. ``kind`` is volume, bind or tmpfs; ``source`` a volume's name or a path."""

    kind: str
    source: str
    target: str
    mode: str = ""
    read_only: bool = False
    copies: bool = True  # an empty volume takes what the image has there


def points_of(host: Mapping[str, Any]) -> list[Point]:
    """The mounts of a HostConfig: Binds, Mounts and Tmpfs."""
    found = []
    for bind in host.get("Binds") or ():
        source, _, rest = str(bind).partition(":")
        target, _, mode = rest.partition(":")
        if not target:
            continue
        kind = "bind" if source.startswith(("/", ".", "~")) else "volume"
        words = mode.split(",")
        found.append(Point(kind, source, clean(target), mode, "ro" in words, "nocopy" not in words))
    for mount in host.get("Mounts") or ():
        kind, target = str(mount.get("Type") or "volume"), str(mount.get("Target") or "")
        if not target or (kind == "volume" and not mount.get("Source")):
            continue
        options = mount.get("VolumeOptions") or {}
        found.append(
            Point(
                kind,
                str(mount.get("Source") or ""),
                clean(target),
                "",
                bool(mount.get("ReadOnly")),
                not options.get("NoCopy"),
            )
        )
    found += [Point("tmpfs", "", clean(str(target))) for target in host.get("Tmpfs") or ()]
    return found


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system at a place; its root may be a single file."""

    files: FileSystem
    read_only: bool = False


class Mounted(FileSystem):
    """A container's files as its processes see them: its own, and what is mounted over them."""

    __slots__ = ("_mounts", "_own")

    def __init__(self, own: FileSystem, mounts: Mapping[str, Mount]) -> None:
        super().__init__(own.base, own.upper)
        self._own = own
        # The deepest first: a volume may be mounted below another.
        self._mounts = sorted(mounts.items(), key=lambda item: -len(item[0]))

    def _at(self, path: str) -> tuple[FileSystem, str, Mount | None]:
        for target, mount in self._mounts:
            if path == target or path.startswith(target.rstrip("/") + "/"):
                return mount.files, clean(path[len(target.rstrip("/")) :]), mount
        return self._own, path, None

    def get(self, path: str) -> Node | None:
        files, inner, _ = self._at(path)
        return files.get(inner)

    def children(self, folder: str) -> list[tuple[str, Node]]:
        files, inner, _ = self._at(folder)
        found = dict(files.children(inner))
        for target, mount in self._mounts:
            root = mount.files.get("/")
            if target != "/" and posixpath.dirname(target) == folder and root is not None:
                found[posixpath.basename(target)] = root
        return sorted(found.items())

    def walk(self, path: str) -> Iterator[tuple[str, Node]]:
        node = self.get(path)
        if node is None:
            return
        yield path, node
        if node.is_folder:
            for name, _ in self.children(path):
                yield from self.walk(posixpath.join(path, name))

    def put(self, path: str, node: Node) -> None:
        files, inner, mount = self._at(clean(path))
        if mount is not None and mount.read_only:
            raise HttpError(403, f"{path}: Read-only file system")
        files.put(inner, node)

    def remove(self, path: str) -> None:
        """Remove a node and all below it; what something is mounted at stays, empty."""
        files, inner, mount = self._at(path)
        if mount is not None and mount.read_only:
            raise HttpError(403, f"{path}: Read-only file system")
        if inner != "/" or mount is None:
            files.remove(inner)
            return
        for name, _ in files.children("/"):
            files.remove("/" + name)
        raise HttpError(409, f"{path}: Resource busy")


def fill(volume: FileSystem, image: dict[str, Node], target: str) -> None:
    """Give an empty volume what the image has where it is mounted."""
    if target not in image or volume.children("/"):
        return
    source = FileSystem(image)
    for path, node in source.walk(target):
        volume.put(path[len(target.rstrip("/")) :] or "/", node)
