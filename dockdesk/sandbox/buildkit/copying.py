"""COPY and ADD on trees: which files a source names, what they are called at the target, and what they add up to.

Source: Dockerfile reference, COPY; moby/buildkit, solver/llbsolver/file and cache/contenthash; tonistiigi/fsutil, copy.
"""

from __future__ import annotations

import fnmatch
import hashlib
import io
import posixpath
import re
import stat
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from dockdesk.sandbox.engine.filesystem import FileSystem, Node, clean, file_node, folder_node
from dockdesk.sandbox.engine.layers import LayerError, apply
from dockdesk.sandbox.http import HttpError

_WILD = re.compile(r"[*?\[]")
_ARCHIVES = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")


class CopyError(Exception):
    """What COPY complains of."""


@dataclass(frozen=True, slots=True)
class Copy:
    """``sources`` are absolute in what is copied from; ``target`` absolute, with a slash at its end for a folder.

    ``inline`` are here-documents: names and contents. ``mode`` is negative where it is kept.
    """

    sources: tuple[str, ...]
    target: str
    owner: str = ""
    mode: int = -1
    unpack: bool = False
    parents: bool = False
    excluded: tuple[str, ...] = ()
    inline: tuple[tuple[str, str], ...] = ()


def _found(files: FileSystem, copy: Copy) -> Iterator[tuple[str, str]]:
    """Each source's path as it was asked for, and where that leads."""
    for source in copy.sources:
        path = clean(source)
        if _WILD.search(path):
            for match in _wild(files, path):
                yield match, files.resolve(match)
            continue
        resolved = files.resolve(path)
        if files.get(resolved) is None:
            raise CopyError(f'"{path}": not found')
        yield path, resolved


def _wild(files: FileSystem, pattern: str) -> list[str]:
    found = ["/"]
    for part in pattern.strip("/").split("/"):
        found = [
            posixpath.join(folder, name)
            for folder in found
            for name, _ in files.children(files.resolve(folder))
            if fnmatch.fnmatchcase(name, part)
        ]
    return found


def checksum(source: FileSystem, copy: Copy) -> str:
    """What a copy would bring, times left out. Raises CopyError for what is not there."""
    sums = hashlib.sha256()
    for path, resolved in _found(source, copy):
        name = (
            posixpath.basename(path)
            if len(copy.sources) > 1 or _WILD.search("".join(copy.sources))
            else ""
        )
        for below, node in source.walk(resolved):
            inside = below[len(resolved.rstrip("/")) :]
            if _excluded(copy, inside):
                continue
            held = (name + inside, stat.S_IFMT(node.mode), stat.S_IMODE(node.mode), node.link)
            sums.update(repr(held).encode("utf-8", "surrogateescape"))
            sums.update(hashlib.sha256(node.data).digest())
    sums.update(repr(copy).encode("utf-8", "surrogateescape"))
    return sums.hexdigest()


def _excluded(copy: Copy, inside: str) -> bool:
    name = inside.lstrip("/")
    return bool(name) and any(
        fnmatch.fnmatchcase(name, pattern.lstrip("/")) or name.startswith(pattern.lstrip("/") + "/")
        for pattern in copy.excluded
    )


def perform(source: FileSystem | None, target: FileSystem, copy: Copy, now: float) -> None:
    """Copy into ``target``. Raises CopyError."""
    uid, gid = owner_of(target, copy.owner)
    # Files that were one under several names stay one; but not with those of another copy.
    made: dict[int, Node] = {}

    def own(node: Node) -> Node:
        if id(node) not in made:
            mode = (
                stat.S_IFMT(node.mode) | copy.mode
                if copy.mode >= 0 and not node.is_link
                else node.mode
            )
            made[id(node)] = replace(node, mode=mode, uid=uid, gid=gid)
        return made[id(node)]

    found = list(_found(source, copy)) if source is not None else []
    several = len(found) + len(copy.inline) > 1
    place = target.resolve(copy.target)
    held = target.get(place)
    as_folder = copy.target.endswith("/") or several or (held is not None and held.is_folder)
    for name, content in copy.inline:
        mode = copy.mode if copy.mode >= 0 else 0o644
        written = replace(file_node(content, mode, now), uid=uid, gid=gid)
        _put(target, posixpath.join(place, name) if as_folder else place, written)
    for path, resolved in found:
        assert source is not None
        node = source.get(resolved)
        if node is None:
            continue
        if copy.parents:
            _whole(source, resolved, target, posixpath.join(place, path.lstrip("/")), own, copy)
        elif node.is_folder:
            _whole(source, resolved, target, place, own, copy)
        elif copy.unpack and (node.data.startswith(_ARCHIVES) or _is_tar(node.data)):
            _unpack(node.data, target, place, now)
        else:
            _put(
                target,
                posixpath.join(place, posixpath.basename(path)) if as_folder else place,
                own(node),
            )


def _whole(
    source: FileSystem,
    top: str,
    target: FileSystem,
    place: str,
    own: Callable[[Node], Node],
    copy: Copy,
) -> None:
    """A folder's content; folders that are there already stay as they are."""
    for below, node in list(source.walk(top)):
        inside = below[len(top.rstrip("/")) :]
        if _excluded(copy, inside):
            continue
        where = posixpath.join(place, inside.lstrip("/")) if inside.lstrip("/") else place
        where = (
            target.resolve(posixpath.dirname(where)).rstrip("/") + "/" + posixpath.basename(where)
        )
        held = target.get(where)
        if node.is_folder and (where == "/" or (held is not None and held.is_folder)):
            continue
        _put(target, where, own(node))


def _put(target: FileSystem, path: str, node: Node) -> None:
    path = clean(path)
    held = target.get(path)
    if held is not None and held.is_folder and not node.is_folder:
        raise CopyError(f"cannot replace to directory {path} with file")
    target.put(path, node)


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def _unpack(data: bytes, target: FileSystem, place: str, now: float) -> None:
    """ADD of an archive: what is in it."""
    plain = io.BytesIO()
    try:
        with (
            tarfile.open(fileobj=io.BytesIO(data)) as archive,
            tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as again,
        ):
            for member in archive:
                again.addfile(member, archive.extractfile(member) if member.isfile() else None)
        tree: dict[str, Node] = {"/": folder_node(modified=now)}
        apply(tree, plain.getvalue())
    except (tarfile.TarError, EOFError, OSError, LayerError) as error:
        raise CopyError(f"failed to unpack the archive: {error}") from None
    for path in sorted(tree):
        if path != "/":
            _put_over(target, posixpath.join(place, path.lstrip("/")), tree[path])


def _put_over(target: FileSystem, path: str, node: Node) -> None:
    held = target.get(clean(path))
    if not (node.is_folder and held is not None and held.is_folder):
        target.put(path, node)


def owner_of(files: FileSystem, text: str) -> tuple[int, int]:
    """User and group as numbers, names looked up in the image. Raises CopyError."""
    if not text:
        return 0, 0
    user, colon, group = text.partition(":")
    uid, first = _number(files, "/etc/passwd", user)
    gid, _ = (
        _number(files, "/etc/group", group)
        if colon and group
        else (first if first >= 0 else uid, 0)
    )
    return uid, gid


def _number(files: FileSystem, path: str, name: str) -> tuple[int, int]:
    """The number of a name in a list of users or groups, and the one after it (a user's group)."""
    if name.isdigit():
        return int(name), int(name)
    try:
        _, node = files.find(path)
        text = node.data.decode("utf-8", "replace")
    except HttpError:
        text = ""
    for line in text.splitlines():
        parts = line.split(":")
        if parts[0] == name and len(parts) > 2 and parts[2].isdigit():
            return int(parts[2]), int(parts[3]) if len(parts) > 3 and parts[3].isdigit() else -1
    kind = "user" if path.endswith("passwd") else "group"
    raise CopyError(
        f"unable to convert uid/gid chown string to host mapping: can't find {kind} {name}"
    )


def changed(files: FileSystem) -> dict[str, Node | None]:
    """What a step wrote over what was there."""
    return {
        path: node
        for path, node in files.upper.items()
        if path not in files.base or files.base[path] is not node
    }


def joined(paths: Sequence[str]) -> tuple[str, ...]:
    """What of a context is asked for; nothing where it is all of it."""
    cleaned = sorted({clean(path).lstrip("/") for path in paths})
    return () if "" in cleaned else tuple(cleaned)
