"""Where files come from, and what is shown of one: no Qt here, this runs on worker threads."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Literal

from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import FileChange, FileEntry
from dockdesk.core.work import Work
from dockdesk.ui.widgets.plain import shown

PREVIEW_BYTES = 128 << 10
HEX_BYTES = 8 << 10
_LINE_LIMIT = 2000
_BINARY_SHARE = 0.1

PreviewKind = Literal["text", "hex", "empty"]


@dataclass(frozen=True, slots=True)
class FileSource:
    """What a browser asks for, as blocking calls that run on worker threads; paths are absolute POSIX paths.

    ``key`` tells sources apart, so that each is shown where it was left. ``download`` copies a file or folder into a
    local folder and returns what it made; without it nothing can be dragged out. ``changes`` says what differs from
    the image; without it that is not offered. ``lane`` is the remote's lane of jobs.
    """

    key: str
    list: Callable[[str], Sequence[FileEntry]]
    read: Callable[[str, int], tuple[bytes, bool]]
    download: Callable[[str, Path, Work], Path] | None = None
    changes: Callable[[], Sequence[FileChange]] | None = None
    lane: str = ""
    start: str = "/"


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as it is shown: its text, or the bytes of a binary one; ``cut`` if there is more."""

    path: str
    kind: PreviewKind
    text: str
    shown_bytes: int
    cut: bool


def make_preview(path: str, data: bytes, cut: bool) -> Preview:
    """Text as text, anything else as hexadecimal bytes."""
    if not data:
        return Preview(path, "empty", "", 0, cut)
    text = _as_text(data, cut)
    if text is None:
        piece = data[:HEX_BYTES]
        return Preview(path, "hex", hex_dump(piece), len(piece), cut or len(data) > len(piece))
    return Preview(path, "text", _short_lines(shown(text)), len(data), cut)


def hex_dump(data: bytes) -> str:
    """Offset, sixteen bytes and their ASCII a line, as hexdump -C shows them."""
    lines = []
    for start in range(0, len(data), 16):
        piece = data[start : start + 16]
        pairs = f"{piece[:8].hex(' ')}  {piece[8:].hex(' ')}"
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        lines.append(f"{start:08x}  {pairs:<49} |{letters}|")
    return "\n".join(lines)


def _as_text(data: bytes, cut: bool) -> str | None:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            even = data[: len(data) - len(data) % 2]
            return even.decode(encoding, "replace")
    if b"\x00" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Cut inside a character: the rest is still text.
        if cut and error.start >= len(data) - 4:
            return data[: error.start].decode("utf-8-sig", "replace")
    text = data.decode("utf-8", "replace")
    return text if text.count("\ufffd") < _BINARY_SHARE * len(text) else None


def _short_lines(text: str) -> str:
    """``text`` with endless lines broken: an editor is slow with them, and nobody reads them."""
    lines = text.split("\n")
    if all(len(line) <= _LINE_LIMIT for line in lines):
        return text
    broken: list[str] = []
    for line in lines:
        broken.extend(line[at : at + _LINE_LIMIT] for at in range(0, len(line) or 1, _LINE_LIMIT))
    return "\n".join(broken)


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs from the image: by path, and folders with differences somewhere inside."""

    by_path: dict[str, str] = field(default_factory=dict)
    inside: frozenset[str] = frozenset()
    deleted: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, changes: Sequence[FileChange]) -> Differences:
        by_path = {change.path: change.kind for change in changes}
        inside: set[str] = set()
        deleted: dict[str, list[str]] = {}
        for change in changes:
            folder = posixpath.dirname(change.path)
            if change.kind == "deleted":
                deleted.setdefault(folder, []).append(change.path)
            while folder not in inside:
                inside.add(folder)
                if folder in {"/", ""}:
                    break
                folder = posixpath.dirname(folder)
        return cls(by_path, frozenset(inside), deleted)

    def word(self, entry: FileEntry) -> str:
        """How an entry differs: added, changed, deleted, "inside" for a folder that holds differences, or nothing."""
        kind = self.by_path.get(entry.path, "")
        if entry.kind == "folder" and kind in {"", "changed"}:
            return "inside" if entry.path in self.inside else ""
        return kind

    def ghosts(self, folder: str) -> list[FileEntry]:
        """Entries for what the image had in ``folder`` and is gone."""
        return [
            FileEntry(posixpath.basename(path), path, "deleted")
            for path in self.deleted.get(folder, ())
        ]


_TYPES = {"folder": stat.S_IFDIR, "link": stat.S_IFLNK, "file": stat.S_IFREG}


def mode_text(entry: FileEntry) -> str:
    """Permissions as ls -l shows them."""
    if entry.kind == "deleted":
        return ""
    kind = _TYPES.get(entry.kind, stat.S_IFMT(entry.mode))
    return stat.filemode(stat.S_IMODE(entry.mode) | kind)


def time_text(seconds: float) -> str:
    """Local time to the minute, or nothing for times that there are not."""
    if seconds <= 0:
        return ""
    try:
        return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return ""


def link_target(entry: FileEntry) -> str:
    """The absolute path that a link leads to."""
    joined = posixpath.join(posixpath.dirname(entry.path), entry.link_target)
    return posixpath.normpath(joined) if entry.link_target else entry.path


def parts_of(path: str) -> list[str]:
    """The names of a path, outermost first; the root is "/"."""
    return ["/", *(part for part in path.split("/") if part)]


def clean(path: str) -> str:
    """An absolute path without . and .."""
    cleaned = posixpath.normpath("/" + path.strip())
    return "/" + cleaned.lstrip("/")
