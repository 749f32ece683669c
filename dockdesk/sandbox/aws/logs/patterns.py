"""Filter patterns: words, phrases, alternatives, exclusions, and JSON comparisons.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from dockdesk.sandbox.aws.values import BadInputError

Matches = Callable[[str], bool]
_WORD = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))')
_TERM = re.compile(r'\s*\$\.([\w.-]+)\s*(=|!=|<=|>=|<|>)\s*(?:"([^"]*)"|([^\s"&|()]+))\s*')
_LONGEST = 1024


def pattern(text: str) -> Matches:
    """A function that tells whether a message matches. Raises BadInputError for what can't be understood."""
    text = text.strip()
    if len(text) > _LONGEST:
        raise BadInputError("Invalid filter pattern: too long")
    if not text:
        return lambda _message: True
    if text.startswith("{"):
        if not text.endswith("}"):
            raise BadInputError("Invalid filter pattern: } is missing")
        return _json(text[1:-1])
    needed: list[str] = []
    any_of: list[str] = []
    none_of: list[str] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise BadInputError("Invalid filter pattern: a quote is missing")
        at = match.end()
        word = match[2].replace('\\"', '"') if match[2] is not None else match[3]
        {"?": any_of, "-": none_of, "": needed}[match[1]].append(word)
    if needed:
        any_of = []  # optional words mean nothing beside needed ones
    return lambda message: (
        all(word in message for word in needed)
        and (not any_of or any(word in message for word in any_of))
        and not any(word in message for word in none_of)
    )


def _json(text: str) -> Matches:
    alternatives = [[_term(part) for part in side.split("&&")] for side in text.split("||")]

    def matches(message: str) -> bool:
        try:
            value = json.loads(message)
        except ValueError:
            return False
        return any(all(term(value) for term in terms) for terms in alternatives)

    return matches


def _term(text: str) -> Callable[[Any], bool]:
    match = _TERM.fullmatch(text.strip().removeprefix("(").removesuffix(")"))
    if match is None:
        raise BadInputError(f"Invalid filter pattern: {text.strip()!r}")
    path, sign = match[1].split("."), match[2]
    wanted = match[3] if match[3] is not None else match[4]

    def compare(value: Any) -> bool:
        for name in path:
            if not isinstance(value, dict) or name not in value:
                return False
            value = value[name]
        try:
            number, limit = float(value), float(wanted)
        except (TypeError, ValueError):
            same = str(value) == wanted or (
                wanted.endswith("*") and str(value).startswith(wanted[:-1])
            )
            return same if sign == "=" else not same if sign == "!=" else False
        return {
            "=": number == limit,
            "!=": number != limit,
            "<": number < limit,
            ">": number > limit,
            "<=": number <= limit,
            ">=": number >= limit,
        }[sign]

    return compare
