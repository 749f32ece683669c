"""What lies in a build context, whatever is ignored of it: read from the disk once, judged by any rules afterwards.

Kept in few flat arrays rather than in an object an entry: 50,000 files cross to another process in a millisecond, and
can be judged there by rules that are still being typed.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Mapping
from pathlib import Path

from dockdesk.core.errors import LocalError, NotFoundError
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work
from dockdesk.dockerfile import secrets
from dockdesk.dockerfile.context_facts import NoteKind

LIMIT = 1_000_000  # entries; a context with more was not meant to be one
FOLDER, FILE, LINK, SPECIAL, UNKNOWN = range(5)
"""What an entry is; UNKNOWN is what can't even be asked."""

_STEP = 1_000  # entries between two looks at the work
_READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Inventory:
    """All entries by their numbers: 0 is the context itself, and those of one folder follow each other by name.

    ``sizes`` are bytes (0 for what is no regular file). ``first`` and ``count`` give the range of a folder's entries.
    ``findings`` holds files and folders that look like secrets, ``junk`` folders that no build needs (in these, nothing
    more is looked for), ``notes`` what will not arrive as it looks. ``complete`` is False where there are more entries
    than `LIMIT`.
    """

    folder: Path
    names: str
    starts: array[int]
    parents: array[int]
    first: array[int]
    count: array[int]
    sizes: array[int]
    kinds: bytes
    findings: Mapping[int, secrets.Finding]
    junk: Mapping[int, secrets.Junk]
    notes: Mapping[int, tuple[NoteKind, str]]
    complete: bool = True

    def __len__(self) -> int:
        return len(self.kinds)

    def name(self, entry: int) -> str:
        return self.names[self.starts[entry] : self.starts[entry + 1]]

    def path(self, entry: int) -> str:
        """Relative to the context, with slashes; empty for the context itself."""
        parts = []
        while entry > 0:
            parts.append(self.name(entry))
            entry = self.parents[entry]
        return "/".join(reversed(parts))

    def entries(self, folder: int) -> range:
        """The numbers of what lies directly in a folder."""
        return range(self.first[folder], self.first[folder] + self.count[folder])

    def find(self, path: str) -> int | None:
        """The number of the entry at ``path``; None where there is none."""
        here = 0
        for part in path.split("/") if path else ():
            inner = next((n for n in self.entries(here) if self.name(n) == part), None)
            if inner is None:
                return None
            here = inner
        return here


def take(folder: Path, work: Work, limit: int = 0) -> Inventory:
    """Read the whole folder, or its first ``limit`` entries; blocks.

    Raises NotFoundError where ``folder`` is none, LocalError where it can't be read, CancelledError when asked to stop.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"{folder.name} is no folder", str(folder), "Choose the folder to build from."
        )
    return _Taking(folder, work, limit or LIMIT).run()


class _Taking:
    def __init__(self, folder: Path, work: Work, limit: int) -> None:
        self.folder = folder
        self.limit = limit
        self.root = str(folder)
        self.work = work
        self.everything = os.geteuid() == 0 if hasattr(os, "geteuid") else True
        self.names = [""]
        self.parents = array("i", [-1])
        self.first = array("i", [0])
        self.count = array("i", [0])
        self.sizes = array("q", [0])
        self.kinds = bytearray([FOLDER])
        self.paths = {0: ""}  # of folders whose entries are still to be read
        self.known: set[int] = set()  # in these, or below them, nothing else is looked for
        self.findings: dict[int, secrets.Finding] = {}
        self.junk: dict[int, secrets.Junk] = {}
        self.notes: dict[int, tuple[NoteKind, str]] = {}

    def run(self) -> Inventory:
        here = 0
        while here < len(self.kinds) and len(self.kinds) < self.limit:
            if self.kinds[here] == FOLDER:
                self._read(here, self.paths.pop(here))
            here += 1
        starts = array("I", [0])
        at = 0
        for name in self.names:
            at += len(name)
            starts.append(at)
        return Inventory(
            self.folder,
            "".join(self.names),
            starts,
            self.parents,
            self.first,
            self.count,
            self.sizes,
            bytes(self.kinds),
            self.findings,
            self.junk,
            self.notes,
            not self.paths,
        )

    def _read(self, here: int, path: str) -> None:
        listed = self._list(here, path)
        self.first[here] = len(self.kinds)
        self.count[here] = len(listed)
        siblings: frozenset[str] | None = None
        known = here in self.known
        for entry in listed:
            number = len(self.kinds)
            if number % _STEP == 0:
                self.work.check()
                self.work.progress(None, f"{number:,} files looked at")
            inner = f"{path}/{entry.name}" if path else entry.name
            if entry.is_dir(follow_symlinks=False):
                self._add(here, entry.name, FOLDER, 0)
                self.paths[number] = inner
                siblings = siblings or frozenset(each.name for each in listed)
                self._look_at_folder(number, entry.name, known, siblings)
            else:
                self._add_file(here, number, entry, inner, known)

    def _add(self, parent: int, name: str, kind: int, size: int) -> None:
        self.names.append(name)
        self.parents.append(parent)
        self.first.append(0)
        self.count.append(0)
        self.sizes.append(size)
        self.kinds.append(kind)

    def _list(self, here: int, path: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(os.path.join(self.root, path) if path else self.root) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            reason = error.strerror or str(error)
            if not path:
                raise LocalError("The build context can't be read", reason) from error
            text = f"The folder can't be read ({reason}): a build would fail."
            self.notes[here] = ("unreadable", text)
            return []

    def _look_at_folder(
        self, number: int, name: str, known: bool, siblings: frozenset[str]
    ) -> None:
        """Whether it should be sent. What lies below one that should not is its fault, not another."""
        if known:
            self.known.add(number)
            return
        secret = secrets.secret_folder(name)
        junk = secrets.junk(name, siblings)
        if secret is not None:
            self.findings[number] = secret
            junk = secrets.Junk(secret.why, secret.line)
        if junk is not None:
            self.junk[number] = junk
            self.known.add(number)

    def _add_file(
        self, here: int, number: int, entry: os.DirEntry[str], path: str, known: bool
    ) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            self._add(here, entry.name, UNKNOWN, 0)
            self.notes[number] = ("unreadable", f"It can't be read ({error.strerror}).")
            return
        if stat.S_ISREG(status.st_mode):
            self._add(here, entry.name, FILE, status.st_size)
            self._look_at_file(here, number, entry, known, status.st_mode)
        elif stat.S_ISLNK(status.st_mode):
            self._add(here, entry.name, LINK, 0)
            if text := _outside(entry.path, path):
                self.notes[number] = ("outside", text)
        else:
            self._add(here, entry.name, SPECIAL, 0)
            self.notes[number] = ("special", _special(status.st_mode))

    def _look_at_file(
        self, here: int, number: int, entry: os.DirEntry[str], known: bool, mode: int
    ) -> None:
        if not known:
            found = secrets.secret_file(
                entry.name, self.names[here], lambda: _beginning(entry.path)
            )
            if found is not None:
                self.findings[number] = found
        doubtful = not self.everything and mode & _READABLE != _READABLE
        if doubtful and not os.access(entry.path, os.R_OK):
            self.notes[number] = ("unreadable", "You may not read it: a build would fail.")


def _outside(file: str, path: str) -> str:
    """What is to be said of a link that leads out of the context; empty for others."""
    try:
        target = os.readlink(file)
    except OSError:
        return ""
    if os.path.isabs(target):
        return f"It points to {target}: in the image that is the image's own file."
    if os.path.normpath(os.path.join(os.path.dirname(path), target)).split(os.sep)[0] == "..":
        return f"It points to {target}, outside of the context, which is not sent."
    return ""


def _special(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "A socket: it is not sent."
    if stat.S_ISFIFO(mode):
        return "A named pipe: it arrives empty, without what is written to it here."
    return "A device: it can't be copied into an image."


def _beginning(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(secrets.READ_LIMIT)
    except OSError:
        return None
