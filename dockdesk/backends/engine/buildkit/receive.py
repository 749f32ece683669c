"""Receives a folder from the engine: the other end of fsutil, which a build's local output comes by.

What comes is a stage's file system, so its names and links are not trusted: everything goes into a new folder, and
nothing is ever written through a link. Source: tonistiigi/fsutil, receive.go and diskwriter.go.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dockdesk.core.errors import RemoteError
from dockdesk.core.wholefile import local_error
from dockdesk.wire.buildkit import (
    DATA,
    ERROR,
    FINISH,
    GO_FOLDER,
    GO_KINDS,
    GO_LINK,
    GO_SETGID,
    GO_SETUID,
    GO_STICKY,
    REQUEST,
    Packet,
    Stat,
)
from dockdesk.wire.buildkit import STAT as LISTED
from dockdesk.wire.grpc import Code, GrpcError, ServerCall
from dockdesk.wire.protobuf import decode, encode

_PIECES = 64  # requests that are under way at a time: each has a file open


class Receiver:
    """One transfer into ``root``, an empty folder. ``folders`` are their modes and times, to be set at the end."""

    def __init__(self, call: ServerCall, root: Path, title: str) -> None:
        self._call = call
        self._root = root
        self._title = title
        self._number = 0
        self._wanted: list[tuple[int, str, Stat]] = []
        self._open: dict[int, tuple[int, str, Stat]] = {}
        self._known: set[str] = set()
        self._files: set[str] = set()
        self._listed = False
        self.folders: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        """Receive all. Raise LocalError, or RemoteError for what must not be written."""
        self._call.begin()
        try:
            for message in self._call:
                if self._take(decode(Packet, message)):
                    return
        except OSError as error:
            raise local_error(self._title, error.filename or self._root, error) from error
        finally:
            for file, _, _ in self._open.values():
                os.close(file)

    def _take(self, packet: Packet) -> bool:
        """Whether this was the last one."""
        if packet.type == LISTED:
            if packet.stat is None:
                self._listed = True
            else:
                self._make(packet.stat)
                self._number += 1
        elif packet.type == DATA:
            self._write(packet.id, packet.content)
        elif packet.type == ERROR:
            raise GrpcError(Code.UNKNOWN, packet.content.decode("utf-8", "replace"))
        elif packet.type == FINISH:
            return True
        self._ask()
        return False

    def _ask(self) -> None:
        # What arrives meanwhile is small: the list alone.
        while self._wanted and len(self._open) < _PIECES:
            id, name, info = self._wanted.pop()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._open[id] = (os.open(self._place(name), flags, 0o600), name, info)
            self._call.send(encode(Packet(REQUEST, id=id)))
        if self._listed and not self._wanted and not self._open:
            self._listed = False
            self._call.send(encode(Packet(FINISH)))

    def _make(self, info: Stat) -> None:
        name = self._checked(info.path)
        place = self._place(name)
        kind = info.mode & GO_KINDS
        if kind & GO_FOLDER:
            os.mkdir(place, 0o700)
            self._known.add(name)
            self.folders[name] = (_permissions(info.mode), info.modified)
        elif kind & GO_LINK:
            os.symlink(info.linkname, place)
            os.utime(place, ns=(info.modified, info.modified), follow_symlinks=False)
        elif kind:
            return  # a device or a pipe, which this computer has no use for
        elif info.linkname:
            if info.linkname not in self._files:
                raise self._refused(info.path, f"it is another name of “{info.linkname}”")
            self._links(name, info.linkname)
        else:
            self._files.add(name)
            self._wanted.append((self._number, name, info))

    def _links(self, name: str, first: str) -> None:
        """A second name of a file, which may not be there yet: a name is enough of it."""
        waiting = next((item for item in self._wanted if item[1] == first), None)
        if waiting is not None:
            # Made now, it would be in the way of its own request.
            self._wanted.remove(waiting)
            self._wanted.append(waiting)
            self._ask()
        os.link(self._place(first), self._place(name), follow_symlinks=False)

    def _write(self, id: int, content: bytes) -> None:
        found = self._open.get(id)
        if found is None:
            raise GrpcError(Code.INVALID_ARGUMENT, f"invalid file request {id}")
        file, name, info = found
        if content:
            view = memoryview(content)
            while view:
                view = view[os.write(file, view) :]
            return
        del self._open[id]
        try:
            os.fchmod(file, _permissions(info.mode))
        finally:
            os.close(file)
        os.utime(self._place(name), ns=(info.modified, info.modified), follow_symlinks=False)

    def _checked(self, path: str) -> str:
        """A path below the root whose folders all came before it."""
        parts = path.split("/")
        if not path or "\0" in path or any(part in {"", ".", ".."} for part in parts):
            raise self._refused(path, "it would leave the folder")
        parent = "/".join(parts[:-1])
        if parent and parent not in self._known:
            raise self._refused(path, "it is in no folder that came")
        return path

    def _refused(self, path: str, why: str) -> RemoteError:
        return RemoteError(self._title, f"“{path}” was refused: {why}.", "Nothing was written.")

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"


def _permissions(mode: int) -> int:
    made = mode & 0o777
    for go, bit in (
        (GO_SETUID, stat.S_ISUID),
        (GO_SETGID, stat.S_ISGID),
        (GO_STICKY, stat.S_ISVTX),
    ):
        if mode & go:
            made |= bit
    return made
