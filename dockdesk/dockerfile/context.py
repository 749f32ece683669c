"""What a build would send: the context's folders and files with their sizes, and what should not be among them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from dockdesk.core.records import dataclass
from dockdesk.core.work import Work
from dockdesk.dockerfile.context_facts import ContextNote, Secret, Suggestion
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.inventory import FILE, FOLDER, LINK, SPECIAL, Inventory, take
from dockdesk.dockerfile.verdict import BELOW, LEFT, SENT, Verdict, judge

__all__ = [
    "ContextFile",
    "ContextFolder",
    "ContextNote",
    "ContextTree",
    "Secret",
    "Suggestion",
    "scan",
]

Kind = Literal["file", "link", "special"]
_KINDS: dict[int, Kind] = {FILE: "file", LINK: "link", SPECIAL: "special"}


class ContextFile(NamedTuple):
    """One entry that is no folder. ``size`` in bytes; what is no regular file has 0."""

    name: str
    size: int
    excluded: bool
    kind: Kind = "file"


@dataclass(frozen=True, slots=True)
class ContextFolder:
    """One folder. ``files`` and ``size`` (bytes) count what is sent of it and below, ``left_…`` what stays behind.

    ``excluded``: nothing in it is sent, and it is not looked into further than to measure it: ``entries`` and
    ``folders`` are empty then.
    """

    name: str
    path: str
    excluded: bool
    files: int
    size: int
    left_files: int
    left_size: int
    folders: tuple[ContextFolder, ...]
    entries: tuple[ContextFile, ...]


@dataclass(frozen=True, slots=True)
class ContextTree:
    """A whole context. ``biggest`` are (bytes, path) of what is sent, the biggest first."""

    folder: Path
    rules: IgnoreRules
    root: ContextFolder
    biggest: tuple[tuple[int, str], ...]
    secrets: tuple[Secret, ...]
    suggestions: tuple[Suggestion, ...]
    notes: tuple[ContextNote, ...]

    @property
    def files(self) -> int:
        return self.root.files

    @property
    def size(self) -> int:
        return self.root.size

    def find(self, path: str) -> ContextFolder | ContextFile | None:
        """The entry at ``path`` (slashes, relative); None where there is none or its folder is left out."""
        here = self.root
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for index, part in enumerate(parts):
            inner = next((each for each in here.folders if each.name == part), None)
            if inner is None:
                if index < len(parts) - 1:
                    return None
                return next((each for each in here.entries if each.name == part), None)
            here = inner
        return here


def scan(folder: Path, rules: IgnoreRules, work: Work) -> ContextTree:
    """Walk the context as a build would; blocking.

    Raises NotFoundError where ``folder`` is none, LocalError where it can't be read, CancelledError when asked to stop.
    What is left out is measured too, but not kept entry by entry.
    """
    inventory = take(folder, work)
    verdict = judge(inventory, rules, work)
    return ContextTree(
        folder=folder,
        rules=rules,
        root=_folders(inventory, verdict),
        biggest=verdict.biggest,
        secrets=verdict.secrets,
        suggestions=verdict.suggestions,
        notes=verdict.notes,
    )


def _folders(inventory: Inventory, verdict: Verdict) -> ContextFolder:
    """From the deepest up, so that a folder finds its inner ones made."""
    made: dict[int, ContextFolder] = {}
    for number in range(len(inventory) - 1, -1, -1):
        if inventory.kinds[number] != FOLDER or verdict.fates[number] == BELOW:
            continue
        left = verdict.fates[number] == LEFT
        inner = () if left else inventory.entries(number)
        made[number] = ContextFolder(
            name=inventory.name(number),
            path=inventory.path(number),
            excluded=left,
            files=verdict.files[number],
            size=verdict.bytes[number],
            left_files=verdict.left_files[number],
            left_size=verdict.left_bytes[number],
            folders=tuple(made.pop(each) for each in inner if inventory.kinds[each] == FOLDER),
            entries=tuple(
                ContextFile(
                    inventory.name(each),
                    inventory.sizes[each],
                    verdict.fates[each] != SENT,
                    _KINDS[inventory.kinds[each]],
                )
                for each in inner
                if inventory.kinds[each] in _KINDS
            ),
        )
    return made[0]
