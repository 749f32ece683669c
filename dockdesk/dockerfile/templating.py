"""Templates of Dockerfiles and .dockerignore files: data with notes, read from the package's resources.

A template is the file itself. `{{name}}` is replaced; lines `#if name`, `#if name=value`, `#else` and `#end` choose,
and may be nested; `#> …` explains the line that follows. None of these lines is left in the result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

_PLACE = re.compile(r"\{\{(\w+)\}\}")


class Note(NamedTuple):
    """Why a line (from 0) is as it is."""

    line: int
    text: str


class Rendered(NamedTuple):
    text: str
    notes: tuple[Note, ...]


@lru_cache(maxsize=64)
def load(name: str) -> str:
    """A template's text by its file's name; reads the disk once. Raises FileNotFoundError."""
    return (files("dockdesk.data") / "templates" / name).read_text(encoding="utf-8")


def render(template: str, values: Mapping[str, str]) -> Rendered:
    """The template with ``values``; a name that is missing or empty counts as false. Raises ValueError if malformed."""
    kept: list[str] = []
    notes: list[Note] = []
    pending: list[str] = []
    choices: list[bool] = []
    for line in template.splitlines():
        if line.startswith("#if "):
            choices.append(_holds(line[4:].strip(), values))
        elif line == "#else":
            choices[-1] = not choices[-1]
        elif line == "#end":
            if not choices:
                raise ValueError("#end without #if")
            choices.pop()
        elif not all(choices):
            continue
        elif line.startswith("#> "):
            pending.append(_filled(line[3:], values))
        elif line or (kept and kept[-1]):
            notes += [Note(len(kept), text) for text in pending]
            pending.clear()
            kept.append(_filled(line, values))
    if choices or pending:
        raise ValueError("the template is not complete")
    return Rendered("\n".join(kept).strip("\n") + "\n", tuple(notes))


def _holds(condition: str, values: Mapping[str, str]) -> bool:
    name, equals, wanted = condition.partition("=")
    value = values.get(name, "")
    return value == wanted if equals else value not in ("", "no")


def _filled(line: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise ValueError(f"the template wants a value for {found[1]}")
        return values[found[1]]

    return _PLACE.sub(value, line).rstrip()
