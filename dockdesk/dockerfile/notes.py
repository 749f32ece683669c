"""Collecting what the parser finds wrong, in words for the one who writes the file."""

from __future__ import annotations

import difflib
from functools import lru_cache

from dockdesk.dockerfile.problems import Fix, Problem, ProblemTone
from dockdesk.dockerfile.tree import Directive, Heredoc, Place

REFERENCE = "https://docs.docker.com/reference/dockerfile/"


@lru_cache(maxsize=256)
def suggestion(word: str, known: tuple[str, ...]) -> str:
    """The known word most like ``word``, or an empty string."""
    found = difflib.get_close_matches(word[:60], known, 1, 0.6)
    return found[0] if found else ""


class Notes:
    """Collects problems while a text is read."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(
        self,
        place: Place,
        code: str,
        message: str,
        why: str = "",
        *,
        tone: ProblemTone = "bad",
        section: str = "",
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        url = REFERENCE + f"#{section}" if section else ""
        self.found.append(Problem(*place, code, tone, message, why, "parser", url, fixes))

    def ordered(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.found, key=lambda each: (each.line, each.column)))

    def directive_twice(self, found: Directive) -> None:
        self.add(
            found.place,
            "directive-twice",
            f"The parser directive {found.name} may be given only once.",
            "The build stops at the second one.",
            section="parser-directives",
        )

    def directive_misplaced(self, found: Directive) -> None:
        self.add(
            found.place,
            "directive-misplaced",
            f"This is only a comment: {found.name} is a directive at the very top alone.",
            "Parser directives are read up to the first other comment, empty line or instruction.",
            tone="info",
            section="parser-directives",
        )

    def escape_unknown(self, found: Directive) -> None:
        self.add(
            found.value_place,
            "escape-unknown",
            f"The escape character can be \\ or ` only, not {found.value}.",
            "The build stops here.",
            section="escape",
        )

    def json_not_strings(self, place: Place) -> None:
        self.add(
            place,
            "json-not-strings",
            "Every element of this JSON array must be a string in double quotes.",
            "The builder takes it for the exec form and stops at a number, null, object or nested array.",
            section="exec-form",
        )

    def heredoc_unreadable(self, place: Place, reason: str) -> None:
        self.add(
            place,
            "heredoc-unreadable",
            f"The heredoc's name cannot be read: {reason}.",
            section="here-documents",
        )

    def heredoc_open(self, heredoc: Heredoc) -> None:
        self.add(
            heredoc.place,
            "heredoc-unterminated",
            f"This heredoc is never closed: no line says just {heredoc.name}.",
            "Everything to the end of the file belongs to it, and the build stops here. The closing line may carry no "
            "spaces; after <<- it may be indented by tabs.",
            section="here-documents",
        )
