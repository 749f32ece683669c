"""Composite alarms: a rule over the states of other alarms.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.values import BadInputError

_LONGEST = 10_240
_MOST_ELEMENTS = 500
_DEEPEST = 40
_TOKEN = re.compile(
    r"\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s()\"']+))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))"
)

StateOf = Callable[[str], str]
Rule = Callable[[StateOf], bool]


@dataclass(slots=True)
class Composite:
    """``body`` is what PutCompositeAlarm took, ``children`` the names of the alarms in its rule."""

    name: str
    arn: str
    body: dict[str, Any]
    rule: Rule
    children: tuple[str, ...]
    updated: float
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    data: str = ""
    changed: float = 0.0
    history: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=200))
    tags: dict[str, str] = field(default_factory=dict)

    def actions(self, state: str = "") -> list[str]:
        if not self.body.get("ActionsEnabled", True):
            return []
        name = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(
            state or self.state, "InsufficientDataActions"
        )
        return [str(action) for action in self.body.get(name) or ()]


def rule_of(text: str) -> tuple[Rule, tuple[str, ...]]:
    """The rule, and the names of the alarms in it. Raises BadInputError."""
    if len(text) > _LONGEST:
        raise BadInputError("AlarmRule is too long.")
    tokens: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) > _MOST_ELEMENTS:
            raise BadInputError(f"AlarmRule contains an invalid element at {text[at : at + 20]!r}.")
        at = match.end()
        name = match[2] or match[3] or match[4] or ""
        tokens.append((match[1] or match[5] or match[6], name.partition(":alarm:")[2] or name))
    parser = _Parser(tokens)
    rule = parser.any_of(0)
    if parser.at != len(tokens):
        raise BadInputError("AlarmRule is not well-formed.")
    return rule, tuple(dict.fromkeys(name for _, name in tokens if name))


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self.at = 0

    def _take(self, *kinds: str) -> bool:
        if self.at < len(self._tokens) and self._tokens[self.at][0] in kinds:
            self.at += 1
            return True
        return False

    def any_of(self, depth: int) -> Rule:
        sides = [self._all_of(depth)]
        while self._take("OR"):
            sides.append(self._all_of(depth))
        return sides[0] if len(sides) == 1 else lambda state: any(side(state) for side in sides)

    def _all_of(self, depth: int) -> Rule:
        sides = [self._one(depth)]
        while self._take("AND"):
            sides.append(self._one(depth))
        return sides[0] if len(sides) == 1 else lambda state: all(side(state) for side in sides)

    def _one(self, depth: int) -> Rule:
        if depth > _DEEPEST or self.at >= len(self._tokens):
            raise BadInputError("AlarmRule is not well-formed.")
        kind, name = self._tokens[self.at]
        self.at += 1
        if kind == "NOT":
            inner = self._one(depth + 1)
            return lambda state: not inner(state)
        if kind == "(":
            whole = self.any_of(depth + 1)
            if not self._take(")"):
                raise BadInputError("AlarmRule is not well-formed.")
            return whole
        if kind in {"TRUE", "FALSE"}:
            return lambda _state: kind == "TRUE"
        if not name:
            raise BadInputError("AlarmRule is not well-formed.")
        return lambda state: state(name) == kind


def circular(name: str, children: tuple[str, ...], others: Mapping[str, Composite]) -> bool:
    """Whether an alarm of that name would depend on itself."""
    seen: set[str] = set()
    left = list(children)
    while left:
        child = left.pop()
        if child == name:
            return True
        if child not in seen and child in others:
            seen.add(child)
            left += others[child].children
    return False
