"""Layers as archives: what an image's step changed, as a real engine would pack, unpack and name it.

Source: OCI image specification, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import stat
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import replace

from dockdesk.sandbox.engine.filesystem import (
    LARGEST_TREE,
    Node,
    clean,
    file_node,
    folder_node,
    link_node,
)
from dockdesk.sandbox.engine.state import Layer

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"


class LayerError(ValueError):
    """A layer that can't be used, with a sentence for the user."""


def sha256(data: bytes) -> str:
    """Digest of data, as registries write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(diff: Mapping[str, Node | None]) -> bytes:
    """The archive of changed paths; None is a deletion. The same changes give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(diff):
            node = diff[path]
            if path == "/":
                continue
            if node is None:
                folder, _, name = path.rpartition("/")
                archive.addfile(
                    tarfile.TarInfo(f"{folder.lstrip('/')}/{WHITEOUT}{name}".lstrip("/"))
                )
                continue
            info = tarfile.TarInfo(path.lstrip("/"))
            info.mode = stat.S_IMODE(node.mode)
            info.mtime = int(node.modified)
            info.uid, info.gid = node.uid, node.gid
            if node.is_folder:
                info.type = tarfile.DIRTYPE
            elif node.is_link:
                info.type, info.linkname = tarfile.SYMTYPE, node.link
            else:
                info.size = len(node.data)
            archive.addfile(info, io.BytesIO(node.data))
    return buffer.getvalue()


def packed(data: bytes) -> bytes:
    """Gzipped, without a time in it: the same data gives the same bytes."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def unpacked(blob: bytes) -> bytes:
    """The archive in a layer's blob. Raises LayerError for what is too large, broken or packed in another way."""
    if blob.startswith(_ZSTD):
        raise LayerError("layers packed with zstd are not supported by the sandbox")
    if not blob.startswith(_GZIP):
        return blob
    unpacker = zlib.decompressobj(31)
    try:
        data = unpacker.decompress(blob, LARGEST_TREE)
    except zlib.error as error:
        raise LayerError(f"failed to register layer: {error}") from None
    if not unpacker.eof:
        too_large = len(data) >= LARGEST_TREE
        raise LayerError(
            f"failed to register layer: {'larger than the sandbox holds' if too_large else 'unexpected EOF'}"
        )
    return data


def layer_of(text: str, diff: Mapping[str, Node | None], shown: int = -1) -> Layer:
    """A layer with its content. ``shown`` is the size it claims in bytes, that of its files where negative."""
    data = tar_of(diff)
    size = sum(len(node.data) for node in diff.values() if node is not None)
    return Layer(text, size if shown < 0 else shown, sha256(data), packed(data))


def apply(tree: dict[str, Node], data: bytes) -> int:
    """Change a tree as a layer's archive says; returns the bytes of its files. Raises LayerError."""
    size, written = 0, set[str]()
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                size += _apply_one(tree, archive, member, written)
    except (tarfile.TarError, EOFError) as error:
        raise LayerError(f"failed to register layer: {error}") from None
    return size


def _apply_one(
    tree: dict[str, Node], archive: tarfile.TarFile, member: tarfile.TarInfo, written: set[str]
) -> int:
    path = clean(member.name)
    folder, name = posixpath.split(path)
    if name == OPAQUE:
        for below in _below(tree, folder) - written:
            del tree[below]
        return 0
    if name.startswith(WHITEOUT):
        gone = posixpath.join(folder, name.removeprefix(WHITEOUT))
        for below in _below(tree, gone) | ({gone} & tree.keys()):
            del tree[below]
        return 0
    node = _node_of(tree, archive, member)
    if node is None:
        return 0
    held = tree.get(path)
    if held is not None and held.is_folder and not node.is_folder:
        for below in _below(tree, path):
            del tree[below]
    parent = folder
    while parent not in tree:
        tree[parent] = folder_node(modified=node.modified)
        parent = posixpath.dirname(parent)
    tree[path] = node
    written.add(path)
    return len(node.data) if member.isfile() else 0


def _node_of(
    tree: Mapping[str, Node], archive: tarfile.TarFile, member: tarfile.TarInfo
) -> Node | None:
    """None for what a simulated container has no use for: devices and pipes."""
    if member.isdir():
        node = folder_node(member.mode)
    elif member.issym():
        node = link_node(member.linkname)
    elif member.islnk():
        target = tree.get(clean(member.linkname))
        if target is None:
            raise LayerError(f"failed to register layer: no such file: {member.linkname}")
        return target
    elif member.isfile():
        source = archive.extractfile(member)
        node = file_node(source.read() if source else b"", member.mode & 0o7777)
    else:
        return None
    return replace(node, modified=float(member.mtime), uid=member.uid, gid=member.gid)


def _below(tree: Mapping[str, Node], folder: str) -> set[str]:
    prefix = folder.rstrip("/") + "/"
    return {path for path in tree if path.startswith(prefix) and path != "/"}
