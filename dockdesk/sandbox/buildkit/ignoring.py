"""Ignore files: their lines as patterns, which clients apply, and what this side has to leave out itself.

Source: Dockerfile reference, “.dockerignore file”; moby/patternmatcher.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable


def patterns_of(text: str) -> tuple[str, ...]:
    """The lines of an ignore file, as the client is to apply them."""
    found = []
    for line in text.removeprefix("\ufeff").splitlines():
        if line.startswith("#"):
            continue
        line = line.strip()
        if not line:
            continue
        inverted = line.startswith("!")
        pattern = line[1:].strip() if inverted else line
        if pattern:
            pattern = posixpath.normpath(pattern.replace("//", "/"))
            if len(pattern) > 1 and pattern.startswith("/"):
                pattern = pattern[1:]
        found.append(("!" if inverted else "") + pattern)
    return tuple(found)


def excludes(patterns: Iterable[str], path: str) -> bool:
    """Whether a path, or a folder that it is in, is left out: the last pattern that matches decides."""
    parts = path.strip("/").split("/")
    places = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    found = False
    for pattern in patterns:
        inverted = pattern.startswith("!")
        regular = _regular(pattern.removeprefix("!"))
        if any(regular.fullmatch(place) for place in places):
            found = not inverted
    return found


def _regular(pattern: str) -> re.Pattern[str]:
    text, position = "", 0
    while position < len(pattern):
        letter = pattern[position]
        if pattern.startswith("**/", position):
            text, position = text + "(?:.*/)?", position + 3
        elif pattern.startswith("**", position):
            text, position = text + ".*", position + 2
        elif letter in "*?":
            text, position = text + ("[^/]*" if letter == "*" else "[^/]"), position + 1
        elif letter == "[" and (end := pattern.find("]", position + 2)) > 0:
            text += pattern[position : end + 1].replace("\\", "\\\\")
            position = end + 1
        elif letter == "\\" and position + 1 < len(pattern):
            text, position = text + re.escape(pattern[position + 1]), position + 2
        else:
            text, position = text + re.escape(letter), position + 1
    try:
        return re.compile(text)
    except re.error:
        return re.compile(re.escape(pattern))
