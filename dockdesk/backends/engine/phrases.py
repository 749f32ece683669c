"""When a container's state began, out of the phrase that the list has for it.

The list has no time for it, only words such as “Up 3 hours” that are true when they are said and go stale at once.
Source: docker/go-units, HumanDuration, and Podman, which adds “ago”.
"""

from __future__ import annotations

import re

_SPAN = re.compile(
    r"(?:^Up|\(-?\d+\)) (?:(\d+)|about an?|less than a) ([a-z]+?)s?(?: ago| \(|$)", re.I
)
_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,
    "year": 31_536_000,
}


def began(phrase: str, created: float, now: float) -> float:
    """Seconds since 1970 at which what ``phrase`` tells of began, 0.0 where it tells none.

    The phrase is cut to a whole unit. Most containers are started as they are made, so if that fits it is taken;
    else the latest time that fits, which never says more than the engine does.
    """
    found = _SPAN.search(phrase)
    unit = _SECONDS.get(found[2].lower()) if found is not None else None
    if found is None or unit is None:
        return 0.0
    count = int(found[1]) if found[1] else int("less than" not in found[0].lower())
    latest = now - count * unit
    return created if latest - unit < created <= latest else latest
