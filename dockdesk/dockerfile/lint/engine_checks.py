"""BuildKit's own checks, as a build reports them, in the shape of the other findings."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dockdesk.core.resources.builds import BuildWarning
from dockdesk.dockerfile.lint.catalog import RULES, canonical, url_of
from dockdesk.dockerfile.lint.places import line_place
from dockdesk.dockerfile.problems import Problem
from dockdesk.dockerfile.tree import Document

_PARSE_ERROR = re.compile(r"dockerfile parse error on line \d+: ")
_NAMED = re.compile(r"([A-Z]\w*[a-z]\w*)(?:: |$)(.*?)(?: \(line \d+\))?\s*\Z", re.DOTALL)


def from_warnings(document: Document, warnings: Iterable[BuildWarning]) -> list[Problem]:
    """The warnings of a build of this very text. What names no line stands at the first instruction."""
    found = []
    for warning in warnings:
        named = _NAMED.match(warning.short)
        code = named[1] if named else _code_of(warning.url)
        message = (named[2].strip() if named else "") or warning.short
        broken = _PARSE_ERROR.match(message)
        rule = RULES.get(canonical(code))
        first = warning.lines[0][0] - 1 if warning.lines else _first_line(document)
        found.append(
            Problem(
                *line_place(document, first),
                code=code,
                tone="bad" if broken else rule.tone if rule else "warn",
                message=message[broken.end() :] if broken else message,
                why=" ".join(warning.detail) or (rule.why if rule else ""),
                source="buildkit",
                url=warning.url or url_of(code),
            )
        )
    return found


def _code_of(url: str) -> str:
    """A rule's id from its page: …/rule/from-as-casing/ → FromAsCasing."""
    page = url.rstrip("/").rpartition("/")[2]
    code = "".join(part.capitalize() for part in page.split("-"))
    by_letters = {each.lower(): each for each in RULES}
    return by_letters.get(code.lower(), code) or "buildkit"


def _first_line(document: Document) -> int:
    return document.instructions[0].first if document.instructions else 0
