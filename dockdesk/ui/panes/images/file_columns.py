"""Texts and tones of files in a layer or a comparison, without Qt."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence

from dockdesk.core.columns import Tone
from dockdesk.core.dissection.model import (
    ADDED,
    CHANGED,
    FOLDER,
    HARD_LINK,
    LINK,
    REMOVED,
    SETGID,
    SETUID,
    UNCHANGED,
    WORDS,
)
from dockdesk.core.dissection.tree import FileTree
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text

TONES: dict[int, Tone] = {UNCHANGED: "neutral", ADDED: "good", CHANGED: "warn", REMOVED: "bad"}
SIGNS = {UNCHANGED: "", ADDED: "+ ", CHANGED: "~ ", REMOVED: "− "}
ICONS = {FOLDER: "folder", LINK: "link", HARD_LINK: "link"}
_TYPES = {FOLDER: stat.S_IFDIR, LINK: stat.S_IFLNK}


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of a `FileTree`: ``order`` is what sorting by it asks for, ``number`` sets it right-aligned."""

    title: str
    text: Callable[[FileTree, int], str]
    order: str
    width: int
    number: bool = False


def name_text(tree: FileTree, at: int) -> str:
    name = tree.names.name(at)
    target = tree.links.get(at)
    if target is None:
        return name
    sign = "→" if tree.kind[at] == LINK else "="
    return f"{name} {sign} {target}"


def change_text(tree: FileTree, at: int) -> str:
    change = tree.change[at]
    return f"{SIGNS[change]}{WORDS[change]}"


def size_text(tree: FileTree, at: int) -> str:
    if tree.kind[at] not in b"fdh":
        return ""
    return bytes_text(tree.size[at])


def before_text(tree: FileTree, at: int) -> str:
    return bytes_text(tree.before[at]) if tree.change[at] != ADDED or tree.before[at] else ""


def after_text(tree: FileTree, at: int) -> str:
    return bytes_text(tree.size[at]) if tree.change[at] != REMOVED else ""


def delta_text(tree: FileTree, at: int) -> str:
    """How much larger it has become, with its sign."""
    delta = tree.size[at] - tree.before[at]
    if not delta:
        return ""
    return f"{'+' if delta > 0 else '−'}{bytes_text(abs(delta))}"


def mode_text(tree: FileTree, at: int) -> str:
    if tree.origin[at] < 0 and not tree.mode[at]:
        return ""
    return stat.filemode(tree.mode[at] | _TYPES.get(tree.kind[at], stat.S_IFREG))


def owner_text(tree: FileTree, at: int) -> str:
    if tree.origin[at] < 0 and not tree.mode[at]:
        return ""
    return f"{tree.uid[at]}:{tree.gid[at]}"


def privileged(tree: FileTree, at: int) -> bool:
    return tree.kind[at] != FOLDER and bool(tree.mode[at] & (SETUID | SETGID))


LAYER_COLUMNS: Sequence[FileColumn] = (
    FileColumn("Name", name_text, "name", 240),
    FileColumn("Change", change_text, "change", 92),
    FileColumn("Size", size_text, "size", 84, number=True),
    FileColumn("Mode", mode_text, "mode", 104),
    FileColumn("Owner", owner_text, "owner", 84),
)

COMPARE_COLUMNS: Sequence[FileColumn] = (
    FileColumn("Name", name_text, "name", 280),
    FileColumn("Change", change_text, "change", 92),
    FileColumn("Before", before_text, "before", 88, number=True),
    FileColumn("After", after_text, "size", 88, number=True),
    FileColumn("Difference", delta_text, "delta", 100, number=True),
)
