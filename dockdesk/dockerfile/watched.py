"""Which folders a build depends on, and which changes in them matter to it."""

from __future__ import annotations

import os
from pathlib import Path

from dockdesk.core.errors import LocalError
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work
from dockdesk.dockerfile.ignore import IgnoreRules, State, rules_for

MOST = 60_000  # folders; systems bound what one user may watch


@dataclass(frozen=True, slots=True)
class Watched:
    """``folders`` are those to watch, none of them with what lies deeper; ``rules`` say what counts in them.

    ``files`` count whatever the rules say: the Dockerfile and the ignore files.
    """

    context: Path
    folders: tuple[str, ...]
    rules_text: str
    files: frozenset[str]


def watched(work: Work, context: Path, dockerfile: Path) -> Watched:
    """Walk the context's folders, without those that are left out; blocks.

    Raises LocalError where it can't be read or has more folders than can be watched.
    """
    rules = rules_for(context, dockerfile)
    root = str(context)
    folders = [root]
    pending: list[tuple[str, str, State]] = [(root, "", ())]
    while pending:
        work.check()
        place, path, state = pending.pop()
        try:
            entries = [entry for entry in os.scandir(place) if entry.is_dir(follow_symlinks=False)]
        except OSError as error:
            if place == root:
                raise LocalError(
                    "The build context can't be watched", error.strerror or str(error)
                ) from error
            continue
        for entry in entries:
            inner = f"{path}/{entry.name}" if path else entry.name
            excluded, below = rules.step(inner, state)
            if excluded and rules.skips(inner):
                continue
            folders.append(entry.path)
            pending.append((entry.path, inner, below))
        if len(folders) > MOST:
            raise LocalError(
                "The build context can't be watched",
                f"It has more than {MOST:,} folders.",
                "Leave folders out with .dockerignore.",
            )
    own = str(dockerfile)
    if str(dockerfile.parent) not in folders:
        folders.append(str(dockerfile.parent))
    files = frozenset({own, f"{own}.dockerignore", str(context / ".dockerignore")})
    return Watched(context, tuple(folders), rules.text, files)


class Relevant:
    """Judges paths by what is watched."""

    def __init__(self, what: Watched, outputs: frozenset[str] = frozenset()) -> None:
        """``outputs`` are files or folders that the build itself writes into the context."""
        self._what = what
        self._rules = IgnoreRules.parse(what.rules_text)
        self._root = f"{what.context}{os.sep}"
        self._outputs = tuple(outputs)

    def __call__(self, path: str) -> bool:
        """Whether a change there can change what is built."""
        if path in self._what.files:
            return True
        if any(path == out or path.startswith(f"{out}{os.sep}") for out in self._outputs):
            return False
        if not path.startswith(self._root):
            return False
        inner = path.removeprefix(self._root).replace(os.sep, "/")
        return bool(inner) and not self._rules.list.matches(inner)

    def rules_changed(self, paths: frozenset[str]) -> bool:
        """Whether the ignore file is among the changed ones, so that other folders may count."""
        return any(path.endswith(".dockerignore") and path in self._what.files for path in paths)
