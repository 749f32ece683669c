"""Text with places to fill in: ``FROM ${1:image} AS ${2:name}$0``, as snippets of the Language Server Protocol."""

from __future__ import annotations

import re

from dockdesk.core.records import dataclass

_PLACE = re.compile(r"\\([\\$}])|\$(\d+)|\$\{(\d+)(?::([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to fill in: code points of the text, the end exclusive."""

    start: int
    end: int


def expand(snippet: str, indent: str = "") -> tuple[str, tuple[Stop, ...]]:
    """The text to insert, and its stops in the order that Tab goes through them; the last is where typing goes on.

    Lines after the first begin with ``indent``.
    """
    parts: list[str] = []
    stops: dict[int, Stop] = {}
    length = at = 0
    for found in _PLACE.finditer(snippet):
        before = snippet[at : found.start()].replace("\n", "\n" + indent)
        parts.append(before)
        length += len(before)
        at = found.end()
        if found[1] is not None:
            parts.append(found[1])
            length += 1
            continue
        words = found[4] or ""
        stops.setdefault(int(found[2] or found[3]), Stop(length, length + len(words)))
        parts.append(words)
        length += len(words)
    parts.append(snippet[at:].replace("\n", "\n" + indent))
    text = "".join(parts)
    end = stops.pop(0, Stop(len(text), len(text)))
    return text, (*(stops[number] for number in sorted(stops)), end)
