"""Folders over a session, both ways: fsutil's packets. What was received before is not asked for again.

All of it blocks, and is run on threads. Source: tonistiigi/fsutil, receive.go and send.go; moby/buildkit,
session/filesync.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from dockdesk.sandbox.engine.filesystem import Node, folder_node
from dockdesk.wire.buildkit import (
    DATA,
    ERROR,
    EXPORTER_ID,
    FILE_SEND,
    FILE_SYNC,
    FINISH,
    GO_CHARACTERS,
    GO_DEVICE,
    GO_FOLDER,
    GO_LINK,
    GO_PIPE,
    GO_SETGID,
    GO_SETUID,
    GO_STICKY,
    REQUEST,
    BytesMessage,
    Packet,
    Stat,
)
from dockdesk.wire.buildkit import STAT as LISTED
from dockdesk.wire.grpc import Client, ClientCall, Code, GrpcError
from dockdesk.wire.protobuf import decode, encode

_LARGEST = 512 << 20
_PIECE = 1 << 18
_BITS = ((GO_SETUID, stat.S_ISUID), (GO_SETGID, stat.S_ISGID), (GO_STICKY, stat.S_ISVTX))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a client's folder is asked for."""

    name: str
    followed: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    included: tuple[str, ...] = ()

    def metadata(self) -> list[tuple[str, str]]:
        values = [
            ("dir-name", (self.name,)),
            ("include-patterns", self.included),
            ("exclude-patterns", self.excluded),
            ("followpaths", self.followed),
        ]
        return [pair for name, items in values for pair in _header(name, items)]


def _header(name: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """Values that are no ASCII are escaped, all of them, and that is said."""
    plain = all(value.isascii() and value.isprintable() for value in values)
    if plain:
        return [(name, value) for value in values]
    return [
        *((name, quote_plus(value, errors="surrogateescape")) for value in values),
        (f"{name}-encoded", "1"),
    ]


@dataclass(slots=True)
class Folder:
    """What is known of a client's folder: each path with what was told of it, and what it is."""

    stats: dict[str, Stat] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)


def receive(client: Client, wanted: Wanted, known: Folder, moved: Callable[[int], None]) -> Folder:
    """Bring ``known`` up to date. ``moved`` is told bytes as they come. Raises GrpcError."""
    call = client.call(FILE_SYNC, wanted.metadata())
    return _Receiving(call, known, moved).run()


class _Receiving:
    def __init__(self, call: ClientCall, known: Folder, moved: Callable[[int], None]) -> None:
        self._call = call
        self._known = known
        self._moved = moved
        self._made = Folder()
        self._number = 0
        self._open: dict[int, tuple[Stat, bytearray]] = {}
        self._links: list[Stat] = []
        self._listed = self._finished = False
        self._bytes = 0

    def run(self) -> Folder:
        try:
            while messages := self._call.receive_some():
                for message in messages:
                    self._moved(len(message))
                    self._take(decode(Packet, message))
                self._finish()
        except GrpcError:
            self._call.cancel()
            raise
        if not self._finished:
            raise GrpcError(Code.UNKNOWN, "the client ended the transfer early")
        for link in self._links:
            first = self._made.nodes.get(link.linkname)
            if first is not None:
                self._made.stats[link.path], self._made.nodes[link.path] = link, first
        return self._made

    def _take(self, packet: Packet) -> None:
        if packet.type == LISTED:
            if packet.stat is None:
                self._listed = True
            else:
                self._list(packet.stat)
                self._number += 1
        elif packet.type == DATA:
            self._data(packet)
        elif packet.type == ERROR:
            raise GrpcError(Code.UNKNOWN, packet.content.decode("utf-8", "replace"))
        elif packet.type == FINISH:
            self._finished = True
            self._call.end()

    def _list(self, told: Stat) -> None:
        if told.path.startswith("/") or ".." in told.path.split("/"):
            raise GrpcError(Code.INVALID_ARGUMENT, f"invalid path {told.path!r}")
        kind = told.mode & (GO_FOLDER | GO_LINK | GO_DEVICE | GO_PIPE)
        if not kind and told.linkname:
            self._links.append(told)
            return
        if kind:
            self._keep(told, _special(told))
            return
        if self._known.stats.get(told.path) == told:
            self._keep(told, self._known.nodes[told.path])
            return
        self._bytes += told.size
        if self._bytes > _LARGEST:
            raise GrpcError(Code.RESOURCE_EXHAUSTED, "the context is larger than the sandbox holds")
        self._open[self._number] = (told, bytearray())
        self._call.send(encode(Packet(REQUEST, id=self._number)))

    def _data(self, packet: Packet) -> None:
        if packet.id not in self._open:
            raise GrpcError(Code.INVALID_ARGUMENT, f"invalid file request {packet.id}")
        told, content = self._open[packet.id]
        if packet.content:
            content += packet.content
            if len(content) > _LARGEST:
                raise GrpcError(
                    Code.RESOURCE_EXHAUSTED, "the context is larger than the sandbox holds"
                )
            return
        del self._open[packet.id]
        mode = stat.S_IFREG | _permissions(told.mode)
        self._keep(told, Node(mode, bytes(content), "", told.modified / 1e9, told.uid, told.gid))

    def _keep(self, told: Stat, node: Node) -> None:
        self._made.stats[told.path], self._made.nodes[told.path] = told, node

    def _finish(self) -> None:
        if self._listed and not self._open:
            self._listed = False
            self._call.send(encode(Packet(FINISH)))


def _special(told: Stat) -> Node:
    modified = told.modified / 1e9
    if told.mode & GO_FOLDER:
        return Node(stat.S_IFDIR | _permissions(told.mode), b"", "", modified, told.uid, told.gid)
    if told.mode & GO_LINK:
        return Node(stat.S_IFLNK | 0o777, b"", told.linkname, modified, told.uid, told.gid)
    kind = stat.S_IFIFO
    if told.mode & GO_DEVICE:
        kind = stat.S_IFCHR if told.mode & GO_CHARACTERS else stat.S_IFBLK
    return Node(kind | _permissions(told.mode), b"", "", modified, told.uid, told.gid)


def _permissions(mode: int) -> int:
    made = mode & 0o777
    for go, bit in _BITS:
        if mode & go:
            made |= bit
    return made


def tree_of(folder: Folder) -> dict[str, Node]:
    """A folder's files as a tree with absolute paths."""
    tree = {"/": folder_node()}
    tree.update({f"/{path}": node for path, node in folder.nodes.items()})
    return tree


# --- Results to the client ---


def send_folder(
    client: Client, number: int, tree: Mapping[str, Node], moved: Callable[[int], None]
) -> None:
    """Give the client a tree as a folder. Raises GrpcError."""
    call = client.call(FILE_SEND, [(EXPORTER_ID, str(number))])
    paths = sorted((path for path in tree if path != "/"), key=lambda path: path.split("/"))
    first: dict[int, str] = {}
    for path in paths:
        call.send(encode(Packet(LISTED, _stat(path, tree[path], first))))
    call.send(encode(Packet(LISTED)))
    for message in call:
        packet = decode(Packet, message)
        if packet.type == REQUEST:
            if packet.id >= len(paths):
                raise GrpcError(Code.INVALID_ARGUMENT, f"invalid file id {packet.id}")
            data = tree[paths[packet.id]].data
            for start in range(0, len(data), _PIECE):
                piece = data[start : start + _PIECE]
                call.send(encode(Packet(DATA, id=packet.id, content=piece)))
                moved(len(piece))
            call.send(encode(Packet(DATA, id=packet.id)))
        elif packet.type == FINISH:
            call.send(encode(Packet(FINISH)))
            call.end()
        elif packet.type == ERROR:
            raise GrpcError(Code.UNKNOWN, packet.content.decode("utf-8", "replace"))


def _stat(path: str, node: Node, first: dict[int, str]) -> Stat:
    """``first`` keeps the names of files by who they are: a file seen again is another name of it."""
    name, mode = path.lstrip("/"), stat.S_IMODE(node.mode) & 0o777
    for go, bit in _BITS:
        if node.mode & bit:
            mode |= go
    link, size = "", 0
    if node.is_folder:
        mode |= GO_FOLDER
    elif node.is_link:
        mode, link, size = mode | GO_LINK, node.link, len(node.link)
    elif stat.S_ISFIFO(node.mode):
        mode |= GO_PIPE
    elif not stat.S_ISREG(node.mode):
        mode |= GO_DEVICE | (GO_CHARACTERS if stat.S_ISCHR(node.mode) else 0)
    else:
        link = first.setdefault(id(node), name)
        link, size = ("", len(node.data)) if link == name else (link, 0)
    return Stat(name, mode, node.uid, node.gid, size, int(node.modified * 1e9), link)


def send_file(client: Client, number: int, data: bytes, moved: Callable[[int], None]) -> None:
    """Give the client a file. Raises GrpcError."""
    call = client.call(FILE_SEND, [(EXPORTER_ID, str(number))])
    for start in range(0, len(data), _PIECE):
        piece = data[start : start + _PIECE]
        call.send(encode(BytesMessage(piece)))
        moved(len(piece))
    call.end()
    for _ in call:
        pass
