"""What detectors look at, and what they answer with."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dockdesk.core.records import dataclass

LIMIT = 1024 * 1024  # bytes of a file that are read
LISTED = 2_000  # names of a folder that are looked at

Finish = Callable[[Mapping[str, str]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that the user may change: one of ``options`` where there are some, else what ``pattern`` allows."""

    id: str
    title: str
    value: str
    options: tuple[str, ...] = ()
    pattern: str = r"[\w./:@+()-]*"
    help: str = "Letters, digits and . / : @ + - _ ( ) can be used."

    def pattern_holds(self, value: str) -> bool:
        return bool(self.options) or re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True)
class Project:
    """A kind of project that a folder seems to be.

    ``kind`` names the language (python, node, go, java, rust, dotnet, php, ruby, static), ``title`` says it in words,
    ``evidence`` why. ``values`` and ``choices`` fill ``template``; ``finish`` makes what depends on what was chosen.
    """

    kind: str
    title: str
    template: str
    evidence: tuple[str, ...]
    score: int
    values: tuple[tuple[str, str], ...] = ()
    choices: tuple[Choice, ...] = ()
    finish: Finish | None = None


class Folder:
    """A project's folder, read leniently: what is missing, too large or malformed is empty."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.list(""))

    def list(self, inner: str) -> tuple[str, ...]:
        """Names in an inner folder, sorted; folders end in a slash."""
        try:
            entries = sorted((self.path / inner).iterdir())[:LISTED]
        except OSError:
            return ()
        return tuple(f"{each.name}/" if each.is_dir() else each.name for each in entries)

    def has(self, *names: str) -> bool:
        """Whether any of the names, which may have slashes, is a file."""
        return any((self.path / name).is_file() for name in names)

    def text(self, name: str) -> str:
        try:
            with open(self.path / name, encoding="utf-8", errors="replace") as file:
                return file.read(LIMIT).removeprefix("\ufeff")
        except OSError:
            return ""

    def json(self, name: str) -> dict[str, Any]:
        try:
            read = json.loads(self.text(name) or "{}")
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}

    def toml(self, name: str) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text(name))
        except (ValueError, RecursionError):
            return {}


def inner(table: Any, *keys: str) -> Any:
    """A value deep in tables; None where one is missing or is no table."""
    for key in keys:
        if not isinstance(table, Mapping):
            return None
        table = table.get(key)
    return table


def table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def version_choice(
    value: str, help: str = "A version as in the image's tags, such as 3.13."
) -> Choice:
    return Choice("version", "Version", value, pattern=r"\d[\w.-]*", help=help)


def port_choice(value: str) -> Choice:
    help = "A number from 1 to 65535, or nothing where the program listens on none."
    pattern = r"|[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]"
    return Choice("port", "Port", value, pattern=pattern, help=help)


def command(words: list[str]) -> str:
    """A command in the exec form."""
    return json.dumps(words, ensure_ascii=False)


_BOUND = re.compile(r"(>=|<=|==|~=|!=|>|<|\^|~>?|=)?\s*v?(\d+(?:\.\d+|\.[x*])*)")


def satisfying(requirement: str, preferred: str, parts: int = 2) -> str:
    """A version with ``parts`` numbers that meets ``requirement``: the preferred one, or the lowest that is named.

    The notations of Python, npm, Composer and RubyGems are read far enough for that: >=3.10,<4, ^20, ~> 3.2, 18.x.
    """
    branches = [_BOUND.findall(branch) for branch in requirement.split("||")]
    branches = [branch for branch in branches if branch]
    if not branches or any(_meets(preferred, branch) for branch in branches):
        return preferred
    lowest = [
        version for operator, version in branches[-1] if operator not in ("<", "<=", "!=", ">")
    ]
    return short(lowest[0], parts) if lowest else preferred


def short(version: str, parts: int = 2) -> str:
    """The first numbers of a version: 3.11.4 → 3.11."""
    numbers = re.findall(r"\d+", version)
    return ".".join(numbers[:parts])


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]


def _meets(version: str, bounds: list[tuple[str, str]]) -> bool:
    ours = _numbers(version)
    return all(_meets_one(ours, operator, bound) for operator, bound in bounds)


def _meets_one(ours: list[int], operator: str, bound: str) -> bool:
    theirs = _numbers(bound)
    common = min(len(ours), len(theirs))
    left, right = ours[:common], theirs[:common]
    if operator == ">=":
        return left >= right
    if operator == ">":
        return left > right
    if operator == "<=":
        return left <= right
    if operator == "<":
        return left < right
    if operator == "!=":
        return left != right
    if operator == "^":
        return ours[0] == theirs[0] and left >= right
    if operator in ("~", "~=", "~>"):
        fixed = max(len(theirs) - 1, 1)
        return ours[:fixed] == theirs[:fixed] and left >= right
    return left == right
