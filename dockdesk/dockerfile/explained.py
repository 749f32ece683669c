"""A drafted file with its notes as comments above the lines that they explain."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from dockdesk.dockerfile.templating import Note

WIDTH = 68  # characters of a line of explanation


def explained(text: str, notes: Sequence[Note]) -> str:
    """``text`` with ``notes`` (lines from 0) in it. A parser directive, which has to come first, is explained below."""
    by_line: dict[int, list[str]] = {}
    for note in notes:
        by_line.setdefault(note.line, []).append(note.text)
    made: list[str] = []
    for number, line in enumerate(text.split("\n")):
        comments = [
            f"# {row}" for words in by_line.get(number, ()) for row in textwrap.wrap(words, WIDTH)
        ]
        directive = not number and line.startswith(("# syntax=", "# escape=", "# check="))
        if directive:
            # Right below, a comment could pass for another directive.
            made += [line, "", *comments] if comments else [line]
        else:
            made += [*comments, line]
    return "\n".join(made)


def without_syntax(text: str, notes: Sequence[Note]) -> tuple[str, tuple[Note, ...]]:
    """The draft without its ``# syntax=`` line, for builders that can't fetch what it names.

    The blank line below goes with it.
    """
    lines = text.split("\n")
    if not lines[0].startswith("# syntax="):
        return text, tuple(notes)
    gone = 2 if len(lines) > 1 and not lines[1] else 1
    kept = tuple(note._replace(line=note.line - gone) for note in notes if note.line >= gone)
    return "\n".join(lines[gone:]), kept
