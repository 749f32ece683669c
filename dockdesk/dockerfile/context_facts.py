"""What is said about a build context, however it was looked at."""

from __future__ import annotations

from typing import Literal

from dockdesk.core.records import dataclass

NoteKind = Literal["special", "unreadable", "outside"]


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
