"""What a build would send: the context's folders and files with their sizes, and what should not be among them."""

from __future__ import annotations

import heapq
import os
import stat
from pathlib import Path
from typing import Literal, NamedTuple

from dockdesk.core.errors import LocalError, NotFoundError
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work
from dockdesk.dockerfile import secrets
from dockdesk.dockerfile.ignore import IgnoreRules, State

BIGGEST = 50
NOTED = 200  # of each kind of note; a context with more has one cause for all
_STEP = 1_000  # entries between two looks at the work

Kind = Literal["file", "link", "special"]
NoteKind = Literal["special", "unreadable", "outside"]


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
class Secret:
    """A file or folder that is about to be sent and should not be; ``line`` of .dockerignore keeps it back."""

    path: str
    why: str
    line: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A line for .dockerignore, why, and what it saves."""

    line: str
    why: str
    files: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class ContextNote:
    """Something in the context that will not arrive as it looks: ``kind`` is special, unreadable or outside."""

    path: str
    kind: NoteKind
    text: str


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
    if not folder.is_dir():
        raise NotFoundError(
            f"{folder.name} is no folder", str(folder), "Choose the folder to build from."
        )
    return _Scan(folder, rules, work).run()


class _Open:
    """A folder while it is being read."""

    __slots__ = (
        "entries",
        "excluded",
        "files",
        "inner",
        "known",
        "left_files",
        "left_size",
        "name",
        "path",
        "size",
        "state",
    )

    def __init__(self, name: str, path: str, state: State, excluded: bool) -> None:
        self.name = name
        self.path = path
        self.state = state
        self.excluded = excluded
        self.known = False  # that it should not be sent
        self.inner: list[_Open] = []
        self.entries: list[ContextFile] = []
        self.files = self.size = self.left_files = self.left_size = 0


class _Scan:
    def __init__(self, folder: Path, rules: IgnoreRules, work: Work) -> None:
        self.folder = folder
        self.rules = rules
        self.work = work
        self.seen = 0
        self.everything = os.geteuid() == 0 if hasattr(os, "geteuid") else True
        self.biggest: list[tuple[int, str]] = []
        self.secrets: list[Secret] = []
        self.secret_folders: list[_Open] = []
        self.notes: list[ContextNote] = []
        self.noted = {"special": 0, "unreadable": 0, "outside": 0}
        self.junk: list[tuple[_Open, secrets.Junk]] = []

    def run(self) -> ContextTree:
        root = _Open("", "", (), False)
        order = [root]
        for here in order:  # grows while it is walked: no recursion, whatever the depth
            if here.excluded:
                self._measure(here)
            else:
                order += self._read(here)
        frozen: dict[int, ContextFolder] = {}
        for here in reversed(order):
            frozen[id(here)] = self._close(here, frozen)
        # Left out file by file, where an exception made it necessary to look into the folder.
        empty = {each.path for each in self.secret_folders if not each.files}
        self.secrets = [each for each in self.secrets if each.path not in empty]
        return ContextTree(
            folder=self.folder,
            rules=self.rules,
            root=frozen[id(root)],
            biggest=tuple(sorted(self.biggest, key=lambda each: (-each[0], each[1]))),
            secrets=tuple(self.secrets),
            suggestions=self._suggestions(),
            notes=tuple(self.notes),
        )

    def _close(self, here: _Open, frozen: dict[int, ContextFolder]) -> ContextFolder:
        inner = [frozen.pop(id(each)) for each in here.inner]
        for name in ("files", "size", "left_files", "left_size"):
            setattr(here, name, getattr(here, name) + sum(getattr(each, name) for each in inner))
        return ContextFolder(
            name=here.name,
            path=here.path,
            excluded=here.excluded,
            files=here.files,
            size=here.size,
            left_files=here.left_files,
            left_size=here.left_size,
            folders=tuple(inner),
            entries=tuple(here.entries),
        )

    def _list(self, path: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.folder / path) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            reason = error.strerror or str(error)
            if not path:
                raise LocalError("The build context can't be read", reason) from error
            self._note(
                path, "unreadable", f"The folder can't be read ({reason}): a build would fail."
            )
            return []

    def _read(self, here: _Open) -> list[_Open]:
        listed = self._list(here.path)
        names: frozenset[str] | None = None
        for entry in listed:
            self._tick()
            path = f"{here.path}/{entry.name}" if here.path else entry.name
            excluded, state = self.rules.step(path, here.state)
            if not entry.is_dir(follow_symlinks=False):
                self._file(here, entry, path, excluded)
                continue
            skipped = excluded and self.rules.skips(path)
            inner = _Open(entry.name, path, state, skipped)
            here.inner.append(inner)
            if skipped:
                continue
            inner.known = here.known
            if not here.known:
                names = names or frozenset(each.name for each in listed)
                self._folder(inner, names)
        return here.inner

    def _folder(self, inner: _Open, siblings: frozenset[str]) -> None:
        """Whether a folder that is sent should be. What lies below one that should not is its fault, not another."""
        secret = secrets.secret_folder(inner.name)
        junk = secrets.junk(inner.name, siblings)
        if secret is not None:
            self.secret_folders.append(inner)
            self.secrets.append(Secret(inner.path, secret.why, secret.line))
            junk = secrets.Junk(secret.why, secret.line)
        if junk is not None:
            self.junk.append((inner, junk))
            inner.known = True

    def _file(self, here: _Open, entry: os.DirEntry[str], path: str, excluded: bool) -> None:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            if not excluded:
                self._note(path, "unreadable", f"It can't be read ({error.strerror}).")
            return
        kind: Kind = "file"
        size = status.st_size
        if stat.S_ISLNK(status.st_mode):
            kind, size = "link", 0
        elif not stat.S_ISREG(status.st_mode):
            kind, size = "special", 0
        here.entries.append(ContextFile(entry.name, size, excluded, kind))
        if excluded:
            here.left_files += 1
            here.left_size += size
            return
        here.files += 1
        here.size += size
        if kind == "file":
            self._sent_file(here, entry, path, status)
        elif kind == "link":
            self._link(path)
        else:
            self._special(path, status.st_mode)

    def _sent_file(
        self, here: _Open, entry: os.DirEntry[str], path: str, status: os.stat_result
    ) -> None:
        if len(self.biggest) < BIGGEST:
            heapq.heappush(self.biggest, (status.st_size, path))
        elif status.st_size > self.biggest[0][0]:
            heapq.heapreplace(self.biggest, (status.st_size, path))
        if not here.known:
            found = secrets.secret_file(entry.name, here.name, lambda: _beginning(entry.path))
            if found is not None:
                line = found.line or secrets.escaped(path)
                self.secrets.append(Secret(path, found.why, line))
        open_to_all = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
        doubtful = not self.everything and status.st_mode & open_to_all != open_to_all
        if doubtful and not os.access(entry.path, os.R_OK):
            self._note(path, "unreadable", "You may not read it: a build would fail.")

    def _link(self, path: str) -> None:
        try:
            target = os.readlink(self.folder / path)
        except OSError:
            return
        if os.path.isabs(target):
            text = f"It points to {target}: in the image that is the image's own file."
        elif os.path.normpath(os.path.join(os.path.dirname(path), target)).split(os.sep)[0] == "..":
            text = f"It points to {target}, outside of the context, which is not sent."
        else:
            return
        self._note(path, "outside", text)

    def _special(self, path: str, mode: int) -> None:
        if stat.S_ISSOCK(mode):
            text = "A socket: it is not sent."
        elif stat.S_ISFIFO(mode):
            text = "A named pipe: it arrives empty, without what is written to it here."
        else:
            text = "A device: it can't be copied into an image."
        self._note(path, "special", text)

    def _note(self, path: str, kind: NoteKind, text: str) -> None:
        self.noted[kind] += 1
        if self.noted[kind] <= NOTED:
            self.notes.append(ContextNote(path, kind, text))

    def _measure(self, here: _Open) -> None:
        """Count a folder that stays behind; what can't be read in it does not matter."""
        pending = [self.folder / here.path]
        while pending:
            try:
                with os.scandir(pending.pop()) as entries:
                    for entry in entries:
                        self._tick()
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(Path(entry.path))
                        else:
                            here.left_files += 1
                            if entry.is_file(follow_symlinks=False):
                                here.left_size += entry.stat(follow_symlinks=False).st_size
            except OSError:
                continue

    def _tick(self) -> None:
        self.seen += 1
        if self.seen % _STEP == 0:
            self.work.check()
            self.work.progress(None, f"{self.seen:,} files looked at")

    def _suggestions(self) -> tuple[Suggestion, ...]:
        """Lines to add, secrets first, then what saves most. A line stands once."""
        made: dict[str, Suggestion] = {}
        for secret in self.secrets:
            made.setdefault(secret.line, Suggestion(secret.line, f"{secret.path} {secret.why}"))
        first = set(made)
        for folder, found in self.junk:
            if folder.files or found.line in first:
                before = made.get(found.line, Suggestion(found.line, found.why))
                made[found.line] = Suggestion(
                    before.line,
                    before.why,
                    before.files + folder.files,
                    before.size + folder.size,
                )
        return tuple(sorted(made.values(), key=lambda each: (each.line not in first, -each.size)))


def _beginning(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(secrets.READ_LIMIT)
    except OSError:
        return None
