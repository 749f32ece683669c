"""Makes the tar streams that go into a container, while they are sent."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockdesk.backends.engine.localfiles import CHUNK
from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.core.wholefile import local_error
from dockdesk.core.work import Work

_PIECE = 1 << 18  # bytes sent at a time


@dataclass(frozen=True, slots=True)
class Packed:
    """One thing to send: where it is, what it is called in the archive, and what it was when it was looked at."""

    path: str
    name: str
    info: os.stat_result


class Packer:
    """Makes a tar of files and folders of this computer while it is sent.

    Links below the sources stay links; owners become root, as with `docker cp`; devices, pipes and sockets stay out.
    """

    def __init__(self, sources: Sequence[Path], title: str, work: Work) -> None:
        self._title = title
        self._work = work
        self._items: list[Packed] = []
        self.size = 0
        names: set[str] = set()
        for source in sources:
            # A link that the user chose stands for what it leads to.
            name = source.name or source.resolve().name
            if name in names:
                raise InvalidInputError(
                    title, f"Two of them are called {name}.", "Copy them one after the other."
                )
            names.add(name)
            self._survey(os.fspath(source), name)

    def _survey(self, path: str, name: str) -> None:
        try:
            self._add(Packed(path, name, os.stat(path)))
            if not stat.S_ISDIR(self._items[-1].info.st_mode):
                return
            waiting = [(path, name)]
            while waiting:
                folder, inside = waiting.pop()
                self._work.check()
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
                for entry in found:
                    item = Packed(
                        entry.path, f"{inside}/{entry.name}", entry.stat(follow_symlinks=False)
                    )
                    self._add(item)
                    if stat.S_ISDIR(item.info.st_mode):
                        waiting.append((item.path, item.name))
        except OSError as error:
            raise local_error(self._title, error.filename or path, error) from error

    def _add(self, item: Packed) -> None:
        mode = item.info.st_mode
        if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            if "/" not in item.name:
                raise InvalidInputError(self._title, f"{item.path} is no file and no folder.")
            self._work.log(f"Left out {item.path}: it is a device, a pipe or a socket.")
            return
        self._items.append(item)
        self.size += item.info.st_size if stat.S_ISREG(mode) else 0

    def __iter__(self) -> Iterator[bytes]:
        """The archive's bytes. Raise LocalError where a file vanished or became shorter meanwhile."""
        buffer = bytearray()
        sent = 0
        for item in self._items:
            self._work.check()
            for piece in self._entry(item):
                buffer += piece
                if len(buffer) >= _PIECE:
                    sent += len(buffer)
                    yield bytes(buffer)
                    buffer.clear()
                    self._work.check()
                    self._work.progress(
                        min(0.99, sent / self.size) if self.size else None,
                        f"{bytes_text(sent)} of {bytes_text(self.size)}",
                    )
        buffer += bytes(2 * tarfile.BLOCKSIZE)
        yield bytes(buffer)

    def _entry(self, item: Packed) -> Iterator[bytes]:
        header = tarfile.TarInfo(item.name)
        header.mode = item.info.st_mode & 0o777
        header.mtime = int(item.info.st_mtime)
        try:
            if stat.S_ISDIR(item.info.st_mode):
                header.type = tarfile.DIRTYPE
                yield _encoded(header)
            elif stat.S_ISLNK(item.info.st_mode):
                header.type = tarfile.SYMTYPE
                header.linkname = os.readlink(item.path)
                yield _encoded(header)
            else:
                yield from self._file(item, header)
        except OSError as error:
            raise local_error(self._title, item.path, error) from error

    def _file(self, item: Packed, header: tarfile.TarInfo) -> Iterator[bytes]:
        # Without O_NONBLOCK a pipe that took the file's place would be waited on for ever.
        flags = os.O_RDONLY | os.O_NONBLOCK | (os.O_NOFOLLOW if "/" in item.name else 0)
        handle = os.open(item.path, flags)
        with os.fdopen(handle, "rb", buffering=0) as file:
            now = os.fstat(handle)
            if not stat.S_ISREG(now.st_mode):
                raise self._changed(item, "something else took its place")
            left = header.size = now.st_size
            yield _encoded(header)
            while left:
                piece = file.read(min(left, CHUNK))
                if not piece:
                    raise self._changed(item, "it became shorter")
                left -= len(piece)
                yield piece
        if surplus := header.size % tarfile.BLOCKSIZE:
            yield bytes(tarfile.BLOCKSIZE - surplus)

    def _changed(self, item: Packed, how: str) -> LocalError:
        return LocalError(
            self._title,
            f"{item.path}: {how} while it was copied.",
            "Some files may have been copied. Try again when nothing changes it.",
        )


def _encoded(header: tarfile.TarInfo) -> bytes:
    return header.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
