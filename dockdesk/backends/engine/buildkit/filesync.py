"""Serves the build context: FileSync.DiffCopy, where the engine asks for a folder's list and then for what changed.

The engine keeps what it got before and asks only for files whose size, mode or time differ, so that a second build
sends little. Source: tonistiigi/fsutil, send.go and receive.go; moby/buildkit, session/filesync.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from urllib.parse import unquote_plus

from dockdesk.backends.engine.buildkit.packets import (
    END_OF_LIST,
    FINISHED,
    data_packet,
    error_packet,
    read_packet,
    stat_packet,
)
from dockdesk.backends.engine.buildkit.tree import Filters, Found, unreadable, walk
from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.builds import FileMark
from dockdesk.wire.buildkit import ERROR, FINISH, REQUEST
from dockdesk.wire.grpc import Code, GrpcError, ServerCall

_BURST = 1 << 17  # bytes that are gathered before they are sent
_PIECE = 1 << 18  # bytes of a file in one message
_LOOK_UP = 512  # files of the list between two looks at what is asked for
_PERMISSIONS = 0o7777
_HAS_XATTRS = hasattr(os, "listxattr")


class Source(Protocol):
    """A folder to serve."""

    def entries(self, filters: Filters) -> Iterator[tuple[bytes, bytes | None]]:
        """Each thing's STAT packet, and the handle to `pieces` if it is a file with content of its own."""

    def pieces(self, handle: bytes) -> Iterator[bytes]:
        """A file's content. Raise LocalError."""


class DiskFolder:
    """A folder of this computer. ``listing`` are the files and links that were told of, by path."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.listing: dict[str, FileMark] = {}

    def entries(self, filters: Filters) -> Iterator[tuple[bytes, bytes | None]]:
        links: dict[tuple[int, int], bytes] = {}
        is_file, is_link, is_folder = stat.S_ISREG, stat.S_ISLNK, stat.S_ISDIR
        listing, decoded = self.listing, os.fsdecode
        for found in walk(self._root, filters):
            info = found.info
            mode = info.st_mode
            if is_file(mode):
                listing[decoded(found.name)] = FileMark(
                    info.st_size, info.st_mtime_ns, mode & _PERMISSIONS
                )
                first = b""
                if info.st_nlink > 1:
                    first = links.setdefault((info.st_dev, info.st_ino), found.name)
                if first and first != found.name:
                    yield (
                        stat_packet(found.name, mode, 0, info.st_mtime_ns, first),
                        None,
                    )
                    continue
                yield (
                    stat_packet(
                        found.name,
                        mode,
                        info.st_size,
                        info.st_mtime_ns,
                        xattrs=_xattrs(found.path) if _HAS_XATTRS else None,
                    ),
                    found.path,
                )
            elif is_folder(mode):
                yield stat_packet(found.name, mode, 0, info.st_mtime_ns), None
            elif is_link(mode):
                link = _link(found)
                listing[decoded(found.name)] = FileMark(len(link), info.st_mtime_ns)
                yield stat_packet(found.name, mode, len(link), info.st_mtime_ns, link), None
            else:
                yield _special(found), None

    def pieces(self, handle: bytes) -> Iterator[bytes]:
        try:
            # Without O_NONBLOCK a pipe that took the file's place would be waited on for ever.
            file = os.open(handle, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                while True:
                    piece = os.read(file, _PIECE)
                    if piece:
                        yield piece
                    if len(piece) < _PIECE:
                        return
            finally:
                os.close(file)
        except OSError as error:
            raise unreadable(handle, error) from error


class Files:
    """A few files in memory, as a folder: the Dockerfile that stands in an editor, and what lies beside it."""

    def __init__(self, files: Mapping[str, bytes], times: Mapping[str, int] | None = None) -> None:
        self._files = {os.fsencode(name): content for name, content in files.items()}
        # A time that differs has the engine ask again: it does not compare contents.
        now = time.time_ns()
        self._times = {os.fsencode(name): stamp for name, stamp in (times or {}).items()}
        self._now = now

    def entries(self, filters: Filters) -> Iterator[tuple[bytes, bytes | None]]:  # noqa: ARG002
        for name in sorted(self._files):
            modified = self._times.get(name, self._now)
            yield stat_packet(name, stat.S_IFREG | 0o644, len(self._files[name]), modified), name

    def pieces(self, handle: bytes) -> Iterator[bytes]:
        yield self._files[handle]


class FileSync:
    """Answers FileSync.DiffCopy from ``folders``, by the names that a build gives them.

    ``sent`` and ``files`` count what of the context went to the engine; ``failure`` is the first reason why some did
    not.
    """

    def __init__(self, folders: Mapping[str, Source]) -> None:
        self._folders = dict(folders)
        self.sent = 0
        self.files = 0
        self.failure: DockDeskError | None = None

    def handle(self, call: ServerCall) -> None:
        values = decoded_metadata(call.metadata)
        name = next(iter(values.get("dir-name", ())), "")
        folder = self._folders.get(name)
        if folder is None:
            raise GrpcError(Code.NOT_FOUND, f"no access allowed to dir {name!r}")
        filters = Filters(
            tuple(values.get("include-patterns", ())),
            tuple(values.get("exclude-patterns", ())),
            tuple(values.get("followpaths", ())),
        )
        transfer = _Transfer(call, folder)
        try:
            transfer.run(filters)
        except DockDeskError as error:
            if self.failure is None:
                self.failure = error
            call.send_framed(error_packet(f"{error.title}: {error.detail}"))
            raise GrpcError(Code.UNKNOWN, f"{error.title}: {error.detail}") from error
        finally:
            if name == "context":
                self.sent += transfer.sent
                self.files += transfer.files


class _Transfer:
    """One DiffCopy: tell the list, and answer what is asked for meanwhile and afterwards."""

    def __init__(self, call: ServerCall, source: Source) -> None:
        self._call = call
        self._source = source
        self._handles: dict[int, bytes] = {}
        self._out: list[bytes] = []
        self._size = 0
        self._over = False
        self.sent = 0
        self.files = 0

    def run(self, filters: Filters) -> None:
        for number, (packet, handle) in enumerate(self._source.entries(filters)):
            if handle is not None:
                self._handles[number] = handle
            self._add(packet)
            if not number % _LOOK_UP:
                self._answer(self._call.poll())
        self._add(END_OF_LIST)
        self._flush()
        while not self._over:
            messages = self._call.receive_some()
            if not messages:
                return
            self._answer(messages)
            self._flush()

    def _answer(self, messages: Sequence[bytes]) -> None:
        for message in messages:
            kind, id, content = read_packet(message)
            if kind == REQUEST:
                self._send_file(id)
            elif kind == FINISH:
                self._add(FINISHED)
                self._over = True
            elif kind == ERROR:
                raise GrpcError(Code.UNKNOWN, content.decode("utf-8", "replace"))

    def _send_file(self, id: int) -> None:
        handle = self._handles.pop(id, None)
        if handle is None:
            raise GrpcError(Code.INVALID_ARGUMENT, f"invalid file id {id}")
        for piece in self._source.pieces(handle):
            self.sent += len(piece)
            self._add(data_packet(id, piece))
        self._add(data_packet(id, b""))
        self.files += 1

    def _add(self, packet: bytes) -> None:
        self._out.append(packet)
        self._size += len(packet)
        if self._size >= _BURST:
            self._flush()

    def _flush(self) -> None:
        if self._out:
            self._call.send_framed(b"".join(self._out))
            self._out.clear()
            self._size = 0


def decoded_metadata(metadata: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Values as they were meant: BuildKit escapes a name's values where one is no ASCII."""
    return {
        name: [
            unquote_plus(value) if metadata.get(f"{name}-encoded", ("",))[0] == "1" else value
            for value in values
        ]
        for name, values in metadata.items()
    }


def _link(found: Found) -> bytes:
    try:
        return os.readlink(found.path)
    except OSError as error:
        raise unreadable(found.path, error) from error


def _special(found: Found) -> bytes:
    """A pipe or a device."""
    info = found.info
    if stat.S_ISBLK(info.st_mode) or stat.S_ISCHR(info.st_mode):
        major, minor = os.major(info.st_rdev), os.minor(info.st_rdev)
        return stat_packet(found.name, info.st_mode, 0, info.st_mtime_ns, device=major, minor=minor)
    return stat_packet(found.name, info.st_mode, 0, info.st_mtime_ns)


def _xattrs(path: bytes) -> dict[str, bytes] | None:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return None  # the file system has none, or the file is gone
    found: dict[str, bytes] = {}
    for name in names:
        if not name.startswith("com.apple."):
            try:
                found[name] = os.getxattr(path, name, follow_symlinks=False)
            except OSError:
                continue  # not for this user to see
    return found or None
