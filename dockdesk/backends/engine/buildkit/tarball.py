"""The build context as a tar stream, for builds without a session.

Headers are written by hand: tarfile takes four times as long for many small files. What does not fit into plain ustar
goes through GNU's extensions, since the engine does not know an archive that begins with a PAX header.
Source: POSIX.1 ustar; GNU tar, "Basic Tar Format".
"""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Mapping

from dockdesk.backends.engine.buildkit.tree import TITLE, Found, unreadable
from dockdesk.core.errors import LocalError
from dockdesk.core.resources.builds import FileMark

_BLOCK = 512
_PIECE = 1 << 18
_BURST = 1 << 18
_END = bytes(20 * _BLOCK)
_TYPES = {stat.S_IFREG: b"0", stat.S_IFDIR: b"5", stat.S_IFLNK: b"2", stat.S_IFIFO: b"6"}
_HARD_LINK = b"1"
_LONG_NAME, _LONG_LINK = b"L", b"K"
_CHECKSUM_BLANK = 8 * 32


class Tarball:
    """An archive of what ``found`` yields, owned by root, and of ``extra`` files.

    ``sent``, ``files`` and ``listing`` (files and links of the folder, by path) are as of now.
    """

    def __init__(self, found: Iterator[Found], extra: Mapping[str, bytes] | None = None) -> None:
        self._found = found
        self._extra = {os.fsencode(name): content for name, content in (extra or {}).items()}
        self._links: dict[tuple[int, int], bytes] = {}
        self.sent = 0
        self.files = 0
        self.listing: dict[str, FileMark] = {}

    def __iter__(self) -> Iterator[bytes]:
        """The archive's bytes. Raise LocalError where a file can't be read, or became shorter meanwhile."""
        gathered: list[bytes] = []
        size = 0
        for piece in self._pieces():
            gathered.append(piece)
            size += len(piece)
            if size >= _BURST:
                self.sent += size
                yield b"".join(gathered)
                gathered.clear()
                size = 0
        self.sent += size
        yield b"".join(gathered) + _END

    def _pieces(self) -> Iterator[bytes]:
        for found in self._found:
            if found.name not in self._extra:
                yield from self._member(found)
        for name, content in self._extra.items():
            yield header(name, b"0", 0o644, len(content), 0)
            yield content + _padding(len(content))
            self.files += 1

    def _member(self, found: Found) -> Iterator[bytes]:
        info, name = found.info, found.name
        kind = stat.S_IFMT(info.st_mode)
        modified = int(info.st_mtime)
        permissions = info.st_mode & 0o7777
        if kind == stat.S_IFREG:
            self.listing[os.fsdecode(name)] = FileMark(info.st_size, info.st_mtime_ns, permissions)
            first = name
            if info.st_nlink > 1:
                first = self._links.setdefault((info.st_dev, info.st_ino), name)
            if first != name:
                yield header(name, _HARD_LINK, permissions, 0, modified, first)
            else:
                yield from self._file(found, permissions, modified)
        elif kind == stat.S_IFLNK:
            try:
                link = os.readlink(found.path)
            except OSError as error:
                raise unreadable(found.path, error) from error
            self.listing[os.fsdecode(name)] = FileMark(len(link), info.st_mtime_ns)
            yield header(name, b"2", 0o777, 0, modified, link)
        elif kind == stat.S_IFDIR:
            yield header(name + b"/", b"5", permissions, 0, modified)
        elif kind == stat.S_IFIFO:
            yield header(name, b"6", permissions, 0, modified)

    def _file(self, found: Found, permissions: int, modified: int) -> Iterator[bytes]:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(found.path, flags)
            try:
                # Many files are small, and read whole by the first read: what there is decides the size.
                piece = os.read(file, _PIECE)
                size = len(piece)
                if size == _PIECE:
                    size = max(size, os.fstat(file).st_size)
                yield header(found.name, b"0", permissions, size, modified)
                left = size
                while piece:
                    left -= len(piece)
                    yield piece
                    piece = os.read(file, min(_PIECE, left)) if left else b""
            finally:
                os.close(file)
        except OSError as error:
            raise unreadable(found.path, error) from error
        if left:
            shown = os.fsdecode(found.path)
            raise LocalError(TITLE, f"{shown}: it became shorter while it was read.", "Try again.")
        if size % _BLOCK:
            yield _padding(size)
        self.files += 1


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def header(
    name: bytes, kind: bytes, mode: int, size: int, modified: int, link: bytes = b""
) -> bytes:
    """A member's header, after those that hold what is too long for it. ``modified`` in seconds."""
    before = b""
    if len(name) > 100:
        before += _long(_LONG_NAME, name)
        name = name[:100]
    if len(link) > 100:
        before += _long(_LONG_LINK, link)
        link = link[:100]
    if not 0 <= modified < 8**11 or size >= 8**11:
        return before + _odd(name, kind, mode, size, modified, link)
    fields = b"%s%07o\x000000000\x000000000\x00%011o\x00%011o\x00" % (
        name.ljust(100, b"\0"),
        mode,
        size,
        modified,
    )
    rest = b"%s%sustar  \x00" % (kind, link.ljust(100, b"\0"))
    checksum = sum(fields) + sum(rest) + _CHECKSUM_BLANK
    return before + b"%s%06o\x00 %s" % (fields, checksum, rest) + bytes(247)


def _long(kind: bytes, value: bytes) -> bytes:
    content = value + b"\0"
    return header(b"././@LongLink", kind, 0, len(content), 0) + content + _padding(len(content))


def _odd(name: bytes, kind: bytes, mode: int, size: int, modified: int, link: bytes) -> bytes:
    """Numbers that need GNU's binary form: files from 8 GiB, times before 1970."""
    info = tarfile.TarInfo(os.fsdecode(name))
    info.mode, info.size, info.mtime = mode, size, modified
    info.type, info.linkname = kind, os.fsdecode(link)
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
