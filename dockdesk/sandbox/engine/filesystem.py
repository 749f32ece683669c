"""The files of a simulated container: an image's tree below, what was changed on top; nothing touches the real disk."""

from __future__ import annotations

import io
import posixpath
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dockdesk.sandbox.http import HttpError

LINK_HOPS = 16
LARGEST_TREE = 256 << 20


@dataclass(slots=True)
class Node:
    """A file, folder or link. ``mode`` is st_mode with its type; ``modified`` seconds since 1970."""

    mode: int
    data: bytes = b""
    link: str = ""
    modified: float = 0.0
    uid: int = 0
    gid: int = 0

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.mode)


def file_node(data: bytes | str, mode: int = 0o644, modified: float = 0.0) -> Node:
    return Node(
        stat.S_IFREG | mode, data.encode() if isinstance(data, str) else data, modified=modified
    )


def folder_node(mode: int = 0o755, modified: float = 0.0) -> Node:
    return Node(stat.S_IFDIR | mode, modified=modified)


def link_node(target: str, modified: float = 0.0) -> Node:
    return Node(stat.S_IFLNK | 0o777, link=target, modified=modified)


def clean(path: str) -> str:
    """An absolute path without . and .., never above /."""
    return posixpath.normpath("/" + path.lstrip("/"))


@dataclass(slots=True)
class FileSystem:
    """``base`` is shared among containers of an image and never changed; ``upper`` is this container's own.

    A None in ``upper`` is a deletion (a whiteout).
    """

    base: dict[str, Node]
    upper: dict[str, Node | None] = field(default_factory=dict)

    def get(self, path: str) -> Node | None:
        """The node at a clean path itself, links not followed."""
        if path in self.upper:
            return self.upper[path]
        return self.base.get(path)

    def resolve(self, path: str) -> str:
        """The path with links followed in every part. Raises HttpError 404 where links turn in circles."""
        path, hops = clean(path), 0
        done = "/"
        parts = [part for part in path.split("/") if part]
        while parts:
            candidate = posixpath.join(done, parts.pop(0))
            node = self.get(candidate)
            if node is not None and node.is_link:
                hops += 1
                if hops > LINK_HOPS:
                    raise HttpError(404, f"too many levels of symbolic links: {path}")
                target = clean(posixpath.join(done, node.link))
                parts = [part for part in target.split("/") if part] + parts
                done = "/"
            else:
                done = candidate
        return done

    def find(self, path: str) -> tuple[str, Node]:
        """The node a path leads to. Raises HttpError 404."""
        resolved = self.resolve(path)
        node = self.get(resolved)
        if node is None:
            raise HttpError(404, f"Could not find the file {path} in container")
        return resolved, node

    def children(self, folder: str) -> list[tuple[str, Node]]:
        """Names and nodes in a clean folder path, sorted."""
        prefix = "/" if folder == "/" else folder + "/"
        names = {
            path[len(prefix) :]
            for source in (self.base, self.upper)
            for path in source
            if path.startswith(prefix) and path != "/" and "/" not in path[len(prefix) :]
        }
        found = ((name, self.get(prefix + name)) for name in sorted(names))
        return [(name, node) for name, node in found if node is not None]

    def walk(self, path: str) -> Iterator[tuple[str, Node]]:
        """A node and all below it, parents first."""
        node = self.get(path)
        if node is None:
            return
        yield path, node
        if not node.is_folder:
            return
        prefix = "/" if path == "/" else path + "/"
        below = {
            known
            for source in (self.base, self.upper)
            for known in source
            if known.startswith(prefix) and known != "/"
        }
        for known in sorted(below, key=lambda text: text.split("/")):
            node = self.get(known)
            if node is not None:
                yield known, node

    def put(self, path: str, node: Node) -> None:
        """Write a node; missing folders above it are made."""
        path = clean(path)
        parent = posixpath.dirname(path)
        if path != "/" and self.get(parent) is None:
            self.put(parent, folder_node(modified=node.modified))
        self.upper[path] = node

    def remove(self, path: str) -> None:
        """Remove a node and all below it."""
        for below, _ in list(self.walk(path)):
            if below in self.base:
                self.upper[below] = None
            else:
                self.upper.pop(below, None)

    def changes(self) -> list[tuple[str, int]]:
        """Paths that differ from the image, with docker's kinds: 0 changed, 1 added, 2 deleted."""
        found: dict[str, int] = {}
        for path, node in self.upper.items():
            found[path] = 2 if node is None else (0 if path in self.base else 1)
            parent = posixpath.dirname(path)
            while parent != "/" and parent not in found:
                if parent in self.base:
                    found[parent] = 0
                parent = posixpath.dirname(parent)
        return sorted(found.items())

    def size(self) -> int:
        """Bytes written on top of the image."""
        return sum(len(node.data) for node in self.upper.values() if node is not None)

    def merged(self) -> dict[str, Node]:
        """Base and changes as one tree: what `docker commit` makes an image of."""
        tree = {
            **self.base,
            **{path: node for path, node in self.upper.items() if node is not None},
        }
        return {path: node for path, node in tree.items() if self.get(path) is not None}

    def tar(self, path: str, own_name: bool = True) -> bytes:
        """What the archive endpoint sends for a path: the node under its own name, and all below.

        Without ``own_name`` only what is below it, as an export has it.
        """
        resolved, _ = self.find(path)
        top = (posixpath.basename(clean(path)) or ".") if own_name else ""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for below, node in self.walk(resolved):
                inside = below[len(resolved) :].lstrip("/")
                if name := posixpath.join(top, inside) if inside else top:
                    _add(archive, name, node)
        return buffer.getvalue()

    def untar(self, data: bytes, folder: str, now: float) -> None:
        """Unpack an uploaded archive below a folder. Raises HttpError 404, or 400 for a broken archive."""
        resolved, node = self.find(folder)
        if not node.is_folder:
            raise HttpError(400, "extraction point is not a directory")
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    path = clean(posixpath.join(resolved, member.name))
                    if not path.startswith(resolved.rstrip("/") + "/") and path != resolved:
                        raise HttpError(400, f"invalid path in archive: {member.name}")
                    if member.islnk():
                        first = self.get(clean(posixpath.join(resolved, member.linkname)))
                        if first is not None:
                            self.put(path, first)
                        continue
                    self._extract(archive, member, path, now)
        except tarfile.TarError as error:
            raise HttpError(400, f"Error processing tar file: {error}") from None

    def _extract(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, now: float
    ) -> None:
        if member.isdir():
            existing = self.get(path)
            node = (
                existing
                if existing is not None and existing.is_folder
                else folder_node(member.mode)
            )
        elif member.issym():
            node = link_node(member.linkname)
        elif member.isfifo():
            node = Node(stat.S_IFIFO | member.mode)
        elif member.isfile():
            source = archive.extractfile(member)
            node = file_node(source.read() if source else b"", member.mode)
        else:
            return
        modified = float(member.mtime or now)
        self.put(path, replace(node, modified=modified, uid=member.uid, gid=member.gid))


def _add(archive: tarfile.TarFile, name: str, node: Node) -> None:
    info = tarfile.TarInfo(name)
    info.mode = stat.S_IMODE(node.mode)
    info.mtime = int(node.modified)
    info.uid, info.gid = node.uid, node.gid
    if node.is_folder:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    elif node.is_link:
        info.type, info.linkname = tarfile.SYMTYPE, node.link
        archive.addfile(info)
    elif stat.S_ISFIFO(node.mode):
        info.type = tarfile.FIFOTYPE
        archive.addfile(info)
    else:
        info.size = len(node.data)
        archive.addfile(info, io.BytesIO(node.data))
