"""Reads single values out of the engine's JSON, forgiving where engines differ.

Docker leaves out, or sends null for, what other engines send empty; Podman writes some numbers as text. Nothing here
raises on a value of the wrong kind: one odd field must not take a whole list down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from dockdesk.core.masking import split_pairs

NANO: Final = 1_000_000_000

# Marks containers and images that DockDesk makes for a moment, to look into a volume; lists leave them out.
HELPER_LABEL: Final = "io.dockdesk.helper"


def moment(value: Any) -> float:
    """Seconds since 1970 from RFC 3339 text or a number; 0 for never (Go's year 1) and for nonsense."""
    if isinstance(value, (int, float)):
        return float(value) if value > 0 else 0.0
    if not isinstance(value, str) or not value or value.startswith("0001-"):
        return 0.0
    try:
        # Some builds of Python take at most six digits of a fraction.
        head, dot, rest = value.partition(".")
        if dot:
            digits = len(rest) - len(rest.lstrip("0123456789"))
            value = f"{head}.{rest[:digits][:6].ljust(6, '0')}{rest[digits:]}"
        when = datetime.fromisoformat(value)
        return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0.0


def text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def whole(value: Any, default: int = 0) -> int:
    """An int from a number or the text of one."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return default
    return default


def seconds(nanoseconds: Any) -> float:
    return whole(nanoseconds) / NANO


def strings(value: Any) -> tuple[str, ...]:
    """A tuple of texts from a list, a single text, or null."""
    if isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(text(item) for item in value)


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def records(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; null and anything that is no object are left out."""
    if not isinstance(value, (list, tuple)):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def labels(value: Any) -> dict[str, str]:
    return {text(key): text(item) for key, item in mapping(value).items()}


def pairs(lines: Any) -> tuple[tuple[str, str], ...]:
    """Name and value from lines such as those of Config.Env; a name without “=” has an empty value."""
    return tuple(split_pairs(strings(lines)))


def real_tags(tags: Any) -> tuple[str, ...]:
    """Tags and digests without the “<none>:<none>” of old engines."""
    return tuple(tag for tag in strings(tags) if tag and not tag.startswith("<none>"))


def unique(items: Iterable[str]) -> tuple[str, ...]:
    """Each once, in order of first appearance."""
    return tuple(dict.fromkeys(items))


def leaf_name(names: Any) -> str:
    """A container's own name among its names; links made by others (“/web/db”) have more slashes."""
    best = ""
    for name in strings(names):
        plain = name.removeprefix("/")
        if "/" not in plain:
            return plain
        best = best or plain
    return best
