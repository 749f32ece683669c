"""Lists a folder of a container from what the engine has to offer, which is no listing.

The archive request gives a folder with everything below it. So it is read only as far as it is cheap; then a running
container is asked with its own `sh` and `stat`; one that can't be asked is read on up to a bound, and names that are
likely are looked up one by one. What may be missing then is said by a last entry.
Sources: Engine API, ContainerArchive and ContainerArchiveInfo; Go's io/fs.FileMode; stat(1) of coreutils and busybox.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import posixpath
import stat
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dockdesk.backends.engine.unpack import PieceReader, inner_path, members
from dockdesk.backends.engine.values import mapping, moment, records, strings, text, whole
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import FileEntry

PART_NAME = "…"  # the entry that says that others may be missing
_STAT_HEADER = "x-docker-container-path-stat"
_GO_FOLDER, _GO_LINK, _GO_SPECIAL = 1 << 31, 1 << 27, (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21)
_GO_BITS = {1 << 23: stat.S_ISUID, 1 << 22: stat.S_ISGID, 1 << 20: stat.S_ISVTX}

# What most Linux file systems have, where a folder is too large to be read through (Filesystem Hierarchy Standard 3).
_LIKELY = {
    "/": (
        "app bin boot build cache code config data dev entrypoint.sh etc home lib lib32 lib64 libx32 media mnt opt "
        "proc root run sbin snap src srv sys tmp usr var work workspace .dockerenv docker-entrypoint.d "
        "docker-entrypoint.sh"
    ),
    "/usr": "bin games include lib lib32 lib64 libexec libx32 local sbin share src",
    "/usr/local": "bin etc games include lib lib64 libexec man sbin share src",
    "/var": "backups cache db lib local lock log mail opt run spool tmp www",
}


@dataclass(frozen=True, slots=True)
class PathStat:
    """What the engine says of one path: Go's file mode, size in bytes, seconds since 1970, and where a link leads."""

    name: str
    size: int
    go_mode: int
    modified: float
    target: str

    @property
    def is_folder(self) -> bool:
        return bool(self.go_mode & _GO_FOLDER)

    @property
    def is_link(self) -> bool:
        return bool(self.go_mode & _GO_LINK)

    @property
    def mode(self) -> int:
        """Permissions as chmod(2) has them."""
        extra = sum(bit for go, bit in _GO_BITS.items() if self.go_mode & go)
        return (self.go_mode & 0o777) | extra

    def entry(self, path: str) -> FileEntry:
        kind = "folder" if self.is_folder else "link" if self.is_link else "file"
        if self.go_mode & _GO_SPECIAL:
            kind = "other"
        return FileEntry(
            posixpath.basename(path),
            path,
            kind,
            self.size,
            self.mode,
            self.modified,
            link_target=self.target if self.is_link else "",
        )


def path_stat(headers: Mapping[str, str]) -> PathStat:
    """Read the header that comes with an archive; an unreadable one becomes a plain file of unknown size."""
    try:
        raw = mapping(json.loads(base64.b64decode(headers.get(_STAT_HEADER, "")) or b"{}"))
    except (ValueError, binascii.Error):
        raw = {}
    return PathStat(
        text(raw.get("name")),
        whole(raw.get("size")),
        whole(raw.get("mode")),
        moment(raw.get("mtime")),
        text(raw.get("linkTarget")),
    )


class FolderScan:
    """Picks a folder's own entries out of its archive while that arrives."""

    def __init__(self, folder: str, pieces: Iterable[bytes], title: str) -> None:
        self.entries: dict[str, FileEntry] = {}
        self._folder = folder
        self._reader = PieceReader(pieces)
        self._members = members(self._reader, title)
        self._top: str | None = None

    def run(self, limit: int, patience: float) -> bool:
        """Read up to ``limit`` bytes of the archive, or for ``patience`` seconds; return whether that was all of it."""
        until = time.monotonic() + patience
        for _, member in self._members:
            self._take(member)
            # Before its contents are passed over: a single file can be gigabytes.
            if self._reader.taken + member.size > limit or time.monotonic() > until:
                return False
        return True

    def _take(self, member: tarfile.TarInfo) -> None:
        if self._top is None:
            self._top = inner_path(member.name, "")
            return
        name, slash, _ = inner_path(member.name, self._top).partition("/")
        if not name or (slash and name in self.entries):
            return
        path = posixpath.join(self._folder, name)
        self.entries[name] = (
            FileEntry(name, path, "folder") if slash else _entry(member, name, path)
        )


def _entry(member: tarfile.TarInfo, name: str, path: str) -> FileEntry:
    kind = "other"
    if member.isdir():
        kind = "folder"
    elif member.issym():
        kind = "link"
    elif member.isreg() or member.islnk():
        kind = "file"
    return FileEntry(
        name,
        path,
        kind,
        member.size,
        member.mode & 0o7777,
        float(member.mtime),
        member.uname or str(member.uid),
        member.linkname if member.issym() else "",
    )


# --- Asking the container ---

_SCRIPT = """cd -- "$1" || exit 77
stat -c "$2%f %s %Y %u %U
%n
%N" -- * .[!.]* ..?* 2>/dev/null
exit 0"""


class Question:
    """The command that lists a folder from within a container, and the reading of what it prints.

    Each file begins with a mark that no name holds, so that line ends in names do no harm. ``env`` makes coreutils
    leave names as they are.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._mark = f"{os.urandom(12).hex()} "
        self.command: Sequence[str] = ("sh", "-c", _SCRIPT, "sh", folder, self._mark)
        self.env: Sequence[str] = ("QUOTING_STYLE=literal", "LC_ALL=C")

    def read(self, printed: bytes) -> list[FileEntry]:
        found = printed.decode("utf-8", "surrogateescape").split(self._mark)[1:]
        entries = (self._entry(record.removesuffix("\n")) for record in found)
        return [entry for entry in entries if entry is not None]

    def _entry(self, record: str) -> FileEntry | None:
        numbers, _, names = record.partition("\n")
        words = numbers.split()
        try:
            mode, size, modified = int(words[0], 16), int(words[1]), float(words[2])
            owner = words[4] if words[4] not in {"UNKNOWN", "?"} else words[3]
        except (ValueError, IndexError):
            return None
        name, link = self._names(names, stat.S_ISLNK(mode))
        if not name or "/" in name:
            return None
        kind = "other"
        for check, word in (
            (stat.S_ISDIR, "folder"),
            (stat.S_ISLNK, "link"),
            (stat.S_ISREG, "file"),
        ):
            if check(mode):
                kind = word
        path = posixpath.join(self._folder, name)
        return FileEntry(name, path, kind, size, stat.S_IMODE(mode), modified, owner, link)

    def _names(self, names: str, is_link: bool) -> tuple[str, str]:
        """A name, and where the link leads: the name comes plain, then once more, in quotation marks or not."""
        if not is_link:
            # Plain, a line end, and the same again, with two marks more where quoted.
            half = (len(names) - 1) // 2
            plain, again = names[:half], names[half + 1 :]
            if plain == again:
                return plain, ""
            return names[: half - 1], ""
        for end in (place for place, character in enumerate(names) if character == "\n"):
            name, again = names[:end], names[end + 1 :]
            if again.startswith(f"{name} -> "):
                return name, again.removeprefix(f"{name} -> ")
            if again.startswith(f"'{name}' -> '"):
                return name, again.removeprefix(f"'{name}' -> '").removesuffix("'")
        return names.partition("\n")[0], ""


# --- Guessing ---


def likely_names(folder: str, detail: Any, changed: Any) -> Iterator[str]:
    """Names that ``folder`` may hold: usual ones, and those that the container's setup and its changes mention."""
    base = "/" if folder == "/" else f"{folder}/"
    config = mapping(mapping(detail).get("Config"))
    paths = [text(entry.get("Destination")) for entry in records(mapping(detail).get("Mounts"))]
    paths += [text(entry.get("Path")) for entry in records(changed)]
    paths += [text(config.get("WorkingDir")), *mapping(config.get("Volumes"))]
    for word in (*strings(config.get("Entrypoint")), *strings(config.get("Cmd"))):
        paths.append(word)
    for line in strings(config.get("Env")):
        paths += line.partition("=")[2].split(":")
    names = dict.fromkeys(_LIKELY.get(folder, "").split())
    for path in paths:
        if path.startswith(base) and (name := path.removeprefix(base).partition("/")[0]):
            names[name] = None
    return iter(names)


def partial_note(folder: str) -> FileEntry:
    """The entry that stands for what could not be listed."""
    return FileEntry(
        PART_NAME,
        folder,
        "other",
        link_target=(
            "There may be more: the folder is large, and the container can't be asked. "
            "Start it, or open a folder in it."
        ),
    )
