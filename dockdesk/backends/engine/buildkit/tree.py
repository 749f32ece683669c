"""What of a folder the engine asks for: one pass over it, in the order and with the filters of fsutil.

Paths are bytes here: that is what they are on disk, and how they are sorted. Source: tonistiigi/fsutil, fs.go,
filter.go and followlinks.go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from posixpath import normpath

from dockdesk.backends.engine.buildkit.globs import go_match, has_wildcards
from dockdesk.core.errors import LocalError
from dockdesk.core.records import dataclass
from dockdesk.core.wholefile import local_error
from dockdesk.dockerfile.ignore import IgnoreRules, PatternList, State

TITLE = "The build context can't be read"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a FileSync request asks for; see its metadata. ``followed`` are paths whose links count too."""

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    followed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in the folder: ``name`` is its path below it, ``path`` where it is."""

    name: bytes
    path: bytes
    info: os.stat_result


@dataclass(frozen=False, slots=True)
class _Folder:
    """A folder on the way: what is left of it, and whether it was told itself."""

    name: bytes
    waiting: Iterator[os.DirEntry[bytes]]
    included: State
    excluded: State
    untold: Found | None


def walk(root: str, filters: Filters, classic: bool = False) -> Iterator[Found]:
    """Everything below ``root`` that ``filters`` let through, parents before their children, names in byte order.

    Sockets are left out. A folder that is itself filtered out is told when something below it is not. ``classic`` skips
    excluded folders as a build without BuildKit does, which may lose exceptions below them. Raise LocalError for what
    can't be read; what vanishes meanwhile is left out.
    """
    return _Walk(root, filters, classic).run()


class _Walk:
    def __init__(self, root: str, filters: Filters, classic: bool) -> None:
        self._root = os.fsencode(root)
        included = list(filters.included)
        if filters.followed:
            followed = follow_links(root, filters.followed)
            included = _outermost(sorted({*included, *followed})) if followed is not None else []
        self._included = PatternList.of(included) if included else None
        self._excluded = _rules(filters.excluded, classic) if filters.excluded else None
        # Below what these folders do not lead to, nothing can be included.
        plain = not any(has_wildcards(_unglobbed(pattern)) for pattern in included)
        self._stems = tuple(f"{_unglobbed(pattern)}/" for pattern in included) if plain else None

    def run(self) -> Iterator[Found]:
        stack = [_Folder(b"", self._entries(self._root), (), (), None)]
        filtered = self._included is not None or self._excluded is not None
        is_folder, is_socket = stat.S_ISDIR, stat.S_ISSOCK
        while stack:
            folder = stack[-1]
            entry = next(folder.waiting, None)
            if entry is None:
                stack.pop()
                continue
            name = folder.name + entry.name
            try:
                info = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            mode = info.st_mode
            if is_socket(mode):
                continue
            found = Found(name, entry.path, info)
            if not filtered:
                yield found
                if is_folder(mode):
                    stack.append(_Folder(name + b"/", self._entries(entry.path), (), (), None))
                continue
            wanted, deeper, included, excluded = self._filter(name, folder)
            if wanted:
                for above in stack:
                    if above.untold is not None:
                        yield above.untold
                        above.untold = None
                yield found
            if is_folder(mode) and deeper:
                entries = self._entries(entry.path, forgiving=not wanted)
                untold = None if wanted else found
                stack.append(_Folder(name + b"/", entries, included, excluded, untold))

    def _filter(self, name: bytes, folder: _Folder) -> tuple[bool, bool, State, State]:
        """Whether it is wanted, whether to look below it, and the states for what is there."""
        path = os.fsdecode(name)
        wanted, deeper = True, True
        included: State = ()
        excluded: State = ()
        if self._included is not None:
            wanted, included = self._included.step(path, folder.included)
            if not wanted and self._stems is not None:
                deeper = any(stem.startswith(f"{path}/") for stem in self._stems)
        if self._excluded is not None and deeper:
            out, excluded = self._excluded.step(path, folder.excluded)
            wanted = wanted and not out
            deeper = not (out and self._excluded.skips(path))
        return wanted, deeper, included, excluded

    def _entries(self, path: bytes, forgiving: bool = False) -> Iterator[os.DirEntry[bytes]]:
        try:
            with os.scandir(path) as found:
                return iter(sorted(found, key=_name))
        except FileNotFoundError:
            return iter(())
        except OSError as error:
            if forgiving and isinstance(error, PermissionError):
                return iter(())
            raise unreadable(path, error) from error


def _rules(patterns: Sequence[str], classic: bool) -> IgnoreRules:
    rules = IgnoreRules.of(patterns)
    return IgnoreRules(rules.list.patterns, classic=True) if classic else rules


def _name(entry: os.DirEntry[bytes]) -> bytes:
    return entry.name


def unreadable(path: bytes, error: OSError) -> LocalError:
    """What of the context can't be read, and what to do about it."""
    shown = os.fsdecode(path).encode("utf-8", "replace").decode()
    failure = local_error(TITLE, shown, error)
    if isinstance(error, PermissionError):
        failure.hint = "Make it readable for you, or leave it out with .dockerignore."
    elif isinstance(error, FileNotFoundError):
        failure.hint = "It was there a moment ago. Try again when nothing changes the folder."
    return failure


def follow_links(root: str, paths: Sequence[str]) -> list[str] | None:
    """``paths`` and what links on their way lead to, all below ``root``; None where one is the root itself."""
    resolver = _Links(root)
    for path in paths:
        resolver.add(path)
    return None if "." in resolver.found else _outermost(sorted(resolver.found))


class _Links:
    def __init__(self, root: str) -> None:
        self._root = root
        self.found: set[str] = set()

    def add(self, path: str) -> None:
        parts = [part for part in normpath(f"/{path}").split("/") if part]
        current = ""
        for number, part in enumerate(parts):
            current = f"{current}/{part}" if current else part
            rest = "/".join(parts[number + 1 :])
            targets = self._targets(current)
            if targets:
                if current in self.found:
                    return
                self.found.add(current)
                for target in targets:
                    self.add(f"{target}/{rest}")
                return
        self.found.add(current or ".")

    def _targets(self, path: str) -> list[str]:
        """Where ``path`` leads, if it is a link; for a pattern, where all links that match it lead."""
        folder, _, name = path.rpartition("/")
        if not has_wildcards(name):
            return self._target(path)
        try:
            names = sorted(os.listdir(os.path.join(self._root, folder)))
        except OSError:
            return []
        matching = [
            f"{folder}/{item}" if folder else item for item in names if go_match(name, item)
        ]
        return [target for item in matching for target in self._target(item)]

    def _target(self, path: str) -> list[str]:
        try:
            link = os.readlink(os.path.join(self._root, path))
        except (OSError, ValueError):
            return []
        return [link if link.startswith("/") else f"/{os.path.dirname(path)}/{link}"]


def _outermost(paths: list[str]) -> list[str]:
    """Sorted paths without those below others of them."""
    kept: list[str] = []
    for path in paths:
        if path == ".":
            return []
        if not kept or not path.startswith(f"{kept[-1]}/"):
            kept.append(path)
    return kept


def _unglobbed(pattern: str) -> str:
    return pattern.removesuffix("/**").removesuffix("/*")
