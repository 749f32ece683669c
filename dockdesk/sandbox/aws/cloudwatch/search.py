"""Search expressions: which metrics ``SEARCH('{AWS/ECS,ClusterName} CPU', 'Average')`` is about.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dockdesk.sandbox.aws.cloudwatch.series import Dimensions
from dockdesk.sandbox.aws.values import BadInputError

MOST_FOUND = 100
_LONGEST = 1024
_DEEPEST = 20
_SCHEMA = re.compile(r"\s*\{([^{}]*)\}")
_TOKEN = re.compile(
    r"\s*(?:(\()|(\))|([:\w./-]+)\s*=\s*(?:\"([^\"]*)\"|([^\s()\"]+))|\"([^\"]*)\"|([^\s()\"=]+))"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Wanted = Callable[[str, str, Dimensions], bool]


def wanted(text: str) -> Wanted:
    """A function of (namespace, name, dimensions). Raises BadInputError for what can't be understood."""
    if len(text) > _LONGEST:
        raise BadInputError("Error in expression: the search is too long")
    schema = _SCHEMA.match(text)
    rest = text[schema.end() :] if schema is not None else text
    fits_schema = _of_schema(schema[1]) if schema is not None else _anything
    fits_query = _Parser(rest).whole()
    return lambda space, name, dims: (
        fits_schema(space, name, dims) and fits_query(space, name, dims)
    )


def _anything(_space: str, _name: str, _dims: Dimensions) -> bool:
    return True


def _of_schema(text: str) -> Wanted:
    """A namespace and exactly these dimensions."""
    space, *names = [part.strip().strip('"') for part in text.split(",")]
    return lambda has, _name, dims: has == space and {key for key, _ in dims} == set(names)


def _words(text: str) -> set[str]:
    """The words of a name as a search takes it apart: at signs, digits and capitals."""
    return {word.lower() for word in _WORD.findall(text)}


def _parts(space: str, name: str, dims: Dimensions) -> list[str]:
    return [space, name, *(part for pair in dims for part in pair)]


def _exact(text: str) -> Wanted:
    return lambda space, name, dims: text in _parts(space, name, dims)


def _partly(text: str) -> Wanted:
    words = _words(text)

    def fits(space: str, name: str, dims: Dimensions) -> bool:
        have = set().union(*(_words(part) for part in _parts(space, name, dims)))
        return words <= have or text.lower() in (part.lower() for part in _parts(space, name, dims))

    return fits


def _named(key: str, text: str, exact: bool) -> Wanted:
    def fits(space: str, name: str, dims: Dimensions) -> bool:
        known = {"MetricName": name, "Namespace": space, ":aws.AccountId": ""}
        value = known.get(key, dict(dims).get(key))
        if value is None:
            return False
        return value == text if exact else _words(text) <= _words(value)

    return fits


class _Parser:
    """``a b`` and ``a AND b`` mean both; AND binds closer than OR."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str, str]] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise BadInputError(f"Error in expression: unexpected {text[at : at + 10]!r}")
            at = match.end()
            self._tokens.append(_token(match))
        self._at = 0

    def whole(self) -> Wanted:
        if not self._tokens:
            return _anything
        found = self._any_of(0)
        if self._at != len(self._tokens):
            raise BadInputError("Error in expression: ) without (")
        return found

    def _peek(self) -> tuple[str, str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "", "")

    def _any_of(self, depth: int) -> Wanted:
        sides = [self._all_of(depth)]
        while self._peek() == ("word", "OR", ""):
            self._at += 1
            sides.append(self._all_of(depth))
        return sides[0] if len(sides) == 1 else lambda *metric: any(side(*metric) for side in sides)

    def _all_of(self, depth: int) -> Wanted:
        sides = [self._one(depth)]
        while self._peek()[0] not in {"end", ")"} and self._peek() != ("word", "OR", ""):
            if self._peek() == ("word", "AND", ""):
                self._at += 1
            sides.append(self._one(depth))
        return sides[0] if len(sides) == 1 else lambda *metric: all(side(*metric) for side in sides)

    def _one(self, depth: int) -> Wanted:
        if depth > _DEEPEST:
            raise BadInputError("Error in expression: nested too deep")
        kind, text, key = self._peek()
        self._at += 1
        if kind == "(":
            inner = self._any_of(depth + 1)
            if self._peek()[0] != ")":
                raise BadInputError("Error in expression: ( without )")
            self._at += 1
            return inner
        if (kind, text) == ("word", "NOT"):
            inner = self._one(depth + 1)
            return lambda *metric: not inner(*metric)
        if kind == "word" and text not in {"AND", "OR"}:
            return _partly(text)
        if kind == "phrase":
            return _exact(text)
        if kind in {"is", "has"}:
            return _named(key, text, kind == "is")
        raise BadInputError("Error in expression: a search term is missing")


def _token(match: re.Match[str]) -> tuple[str, str, str]:
    opened, closed, key, exact, part, phrase, word = match.groups()
    if opened or closed:
        return (opened or closed), "", ""
    if key:
        return ("is", exact, key) if exact is not None else ("has", part, key)
    return ("phrase", phrase, "") if phrase is not None else ("word", word, "")
