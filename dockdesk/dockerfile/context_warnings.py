"""What is worth saying before a build context is sent: secrets in it, and what can't arrive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.dockerfile.context_facts import ContextNote, Secret
from dockdesk.dockerfile.ignore import rules_for
from dockdesk.dockerfile.inventory import take
from dockdesk.dockerfile.verdict import judge

LARGE = 500_000_000  # bytes; sending more is hardly meant


@dataclass(frozen=True, slots=True)
class ContextWarning:
    """One sentence about the context; ``line`` of .dockerignore mends it, where one does."""

    path: str
    text: str
    tone: Tone
    line: str = ""


class Looked(Protocol):
    """What was found in a context: a `ContextTree`, or what a `Verdict` says of an inventory."""

    @property
    def secrets(self) -> tuple[Secret, ...]: ...
    @property
    def notes(self) -> tuple[ContextNote, ...]: ...


def context_warnings(looked: Looked) -> tuple[ContextWarning, ...]:
    """Secrets first, then what a build would fail on. Pure and quick."""
    secrets = [
        ContextWarning(secret.path, f"{secret.path} {secret.why}.", "warn", secret.line)
        for secret in looked.secrets
    ]
    unreadable = [
        ContextWarning(note.path, f"{note.path}: {note.text}", "bad")
        for note in looked.notes
        if note.kind == "unreadable"
    ]
    return (*secrets, *unreadable)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is worth saying of a context; ``complete`` is False where only a part was looked at."""

    warnings: tuple[ContextWarning, ...]
    complete: bool = True


def glance(work: Work, folder: Path, dockerfile: str = "", limit: int = 0) -> Glance:
    """Look at a context, or its first ``limit`` entries, as it is on the disk now.

    Raises what `take` and `rules_for` raise.
    """
    inventory = take(folder, work, limit)
    verdict = judge(inventory, rules_for(folder, dockerfile or "Dockerfile"), work)
    found = list(context_warnings(verdict))
    if verdict.bytes[0] > LARGE:
        size = bytes_text(verdict.bytes[0])
        biggest = f"; the biggest file is {verdict.biggest[0][1]}" if verdict.biggest else ""
        found.append(ContextWarning("", f"The context has {size}{biggest}.", "warn"))
    return Glance(tuple(found), inventory.complete)


def warnings_before_build(
    work: Work, folder: Path, dockerfile: str = ""
) -> Sequence[ContextWarning]:
    """All that is worth saying of a context; to be called in a helper process, where many files may take a second."""
    return glance(work, folder, dockerfile).warnings
