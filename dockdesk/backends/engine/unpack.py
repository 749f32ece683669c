"""Unpacks the tar streams that come out of a container.

They are not trusted: a container's owner chooses its names and links. Unpacking happens in a new folder of
its own beside the target, whose real subfolders are kept count of, so that nothing is ever written through a link.
Sources: POSIX.1 pax, GNU tar; CVE-2007-4559 and PEP 706 for what goes wrong otherwise.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from dockdesk.backends.engine.localfiles import CHUNK
from dockdesk.core.errors import LocalError, RemoteError
from dockdesk.core.units import bytes_text
from dockdesk.core.wholefile import local_error
from dockdesk.core.work import Work


class PieceReader:
    """A file to read from, over pieces as they arrive; ``taken`` counts the bytes."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = b""
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        parts = [self._buffer]
        have = len(self._buffer)
        while size < 0 or have < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            have += len(piece)
        data = b"".join(parts)
        if size < 0:
            size = len(data)
        self._buffer = data[size:]
        self.taken += min(size, len(data))
        return data[:size]


def members(reader: PieceReader, title: str) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """The members of a tar as they arrive. Raise RemoteError for what is no tar."""
    try:
        with tarfile.open(fileobj=cast(IO[bytes], reader), mode="r|", bufsize=CHUNK // 4) as tar:
            for member in tar:
                yield tar, member
                cast(Any, tar).members = []  # else it keeps them all
    except (tarfile.TarError, EOFError) as error:
        raise damaged(title, error) from error


def damaged(title: str, error: Exception) -> RemoteError:
    return RemoteError(title, f"The engine sent a damaged archive: {error}.", "Try again.")


def inner_path(name: str, top: str) -> str:
    """A member's path below the archive's first member, “” for that itself; engines differ in how they name it."""
    plain = name.strip("/")
    while plain.startswith("./"):
        plain = plain[2:].lstrip("/")
    if plain == ".":
        plain = ""
    if not top:
        return plain
    if plain == top:
        return ""
    return plain.removeprefix(f"{top}/")


# --- Out ---


class Unpacker:
    """Unpacks one item, a file or a folder, and gives it its final name. A context manager."""

    def __init__(self, folder: Path, name: str, title: str, work: Work) -> None:
        self._folder = folder
        self._title = title
        self._work = work
        self._name = name
        self._room = folder
        self._root = ""
        self._folders: set[str] = set()
        # Folders whose mode and time are set at the end.
        self._left: list[tuple[str, int, float]] = []
        self._size = 0
        self._expected = 0
        self.omitted = 0

    def __enter__(self) -> Unpacker:
        try:
            self._room = Path(
                tempfile.mkdtemp(prefix=f".{self._name[:80]}.", suffix=".part", dir=self._folder)
            )
        except OSError as error:
            raise local_error(self._title, self._folder, error) from error
        self._root = str(self._room / "item")
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._room, ignore_errors=True)

    def unpack(self, pieces: Iterable[bytes], expected: int = 0) -> None:
        """Take the archive. Raise RemoteError for names that would leave the target, LocalError for a full disk."""
        self._expected = expected
        reader = PieceReader(pieces)
        top: str | None = None
        try:
            for tar, member in members(reader, self._title):
                self._work.check()
                if top is None:
                    top = inner_path(member.name, "")
                self._take(tar, member, inner_path(member.name, top))
            for path, mode, modified in reversed(self._left):
                os.chmod(path, mode)
                os.utime(path, (modified, modified))
        except tarfile.TarError as error:
            raise damaged(self._title, error) from error
        except OSError as error:
            raise local_error(self._title, self._folder / self._name, error) from error
        if top is None:
            raise RemoteError(self._title, "The engine sent an empty archive.", "Try again.")
        self._work.check()

    def _tell(self) -> None:
        fraction = min(0.99, self._size / self._expected) if self._expected else None
        self._work.progress(fraction, bytes_text(self._size))

    def place(self, target: Path) -> Path:
        """Give it its name; a file replaces a file."""
        try:
            if os.path.isdir(self._root) and os.path.lexists(target):
                raise LocalError(self._title, f"{target} exists already.", "Choose another name.")
            os.replace(self._root, target)
        except OSError as error:
            raise local_error(self._title, target, error) from error
        return target

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo, inner: str) -> None:
        parts = inner.split("/") if inner else []
        if any(part in {"", ".", ".."} for part in parts) or "\0" in inner:
            raise RemoteError(
                self._title,
                f"The archive holds “{member.name}”, which would be written outside {self._folder}.",
                "Nothing was written. The container may be hostile.",
            )
        path = "/".join((self._root, *parts))
        if parts:
            self._open_way(parts[:-1], member.name)
        if member.isdir():
            self._add_folder(path, inner, member)
        elif member.isreg():
            self._add_file(tar, member, path)
        elif member.issym():
            self._add_link(member, path, parts)
        elif member.islnk():
            self._add_hard_link(member, path)
        else:
            self._omit(member.name, "it is a device, a pipe or a socket")

    def _open_way(self, parts: Sequence[str], name: str) -> None:
        """Make the folders that lead to a member; refuse where a link or a file stands in their place."""
        for end in range(len(parts) + 1):
            inner = "/".join(parts[:end])
            if inner in self._folders:
                continue
            try:
                os.mkdir(f"{self._root}/{inner}" if inner else self._root, 0o700)
            except FileExistsError:
                raise RemoteError(
                    self._title,
                    f"The archive would write “{name}” through a link or a file.",
                    "Nothing was written. The container may be hostile.",
                ) from None
            self._folders.add(inner)

    def _add_folder(self, path: str, inner: str, member: tarfile.TarInfo) -> None:
        if inner not in self._folders:
            self._clear(path)
            os.mkdir(path, 0o700)
            self._folders.add(inner)
        self._left.append((path, (member.mode & 0o777) | 0o700, member.mtime))

    def _add_file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
        self._clear(path)
        source = tar.extractfile(member)
        assert source is not None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            while piece := source.read(CHUNK):
                self._work.check()
                file.write(piece)
                self._size += len(piece)
                self._tell()
            os.fchmod(file.fileno(), (member.mode & 0o777) | 0o600)
        os.utime(path, (member.mtime, member.mtime))

    def _add_link(self, member: tarfile.TarInfo, path: str, parts: Sequence[str]) -> None:
        if not parts or _leaves(member.linkname, len(parts) - 1):
            self._omit(member.name, f"it links to “{member.linkname}”, outside of what is copied")
            return
        self._clear(path)
        os.symlink(member.linkname, path)

    def _add_hard_link(self, member: tarfile.TarInfo, path: str) -> None:
        """A second name of a file that came before in the same archive."""
        top = inner_path(member.name, "").partition("/")[0]
        inner = inner_path(member.linkname, top if os.path.isdir(self._root) else "")
        parts = inner.split("/")
        first = "/".join((self._root, *parts))
        safe = not any(part in {"", ".", ".."} for part in parts)
        if safe and "/".join(parts[:-1]) in self._folders and _is_file(first):
            self._clear(path)
            os.link(first, path, follow_symlinks=False)
        else:
            self._omit(
                member.name, f"it is another name of “{member.linkname}”, which is not copied"
            )

    def _clear(self, path: str) -> None:
        """A later member of the same name replaces an earlier one."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def _omit(self, name: str, why: str) -> None:
        self.omitted += 1
        self._work.log(f"Left out {name}: {why}.")


def _leaves(link: str, depth: int) -> bool:
    """Whether a link would lead out of the tree, from a folder ``depth`` levels below its top.

    “..” is let through only at the beginning: after another name it depends on where that leads.
    """
    if link.startswith("/") or not link or "\0" in link:
        return True
    climbing, ups = True, 0
    for part in link.split("/"):
        if part == "..":
            if not climbing:
                return True
            ups += 1
        elif part not in {"", "."}:
            climbing = False
    return ups > depth


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def free_name(folder: Path, name: str) -> Path:
    """A name in ``folder`` that nothing has: “name”, else “name (2)” and so on."""
    target = folder / name
    stem, suffix = (target.stem, target.suffix) if not name.startswith(".") else (name, "")
    number = 2
    while os.path.lexists(target):
        target = folder / f"{stem} ({number}){suffix}"
        number += 1
    return target
