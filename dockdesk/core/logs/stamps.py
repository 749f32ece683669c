"""Time stamps at the beginning of log lines.

Source: RFC 3339; the Docker Engine API writes nine digits and Z, Podman 4 whole seconds with an offset.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

STAMP_WIDTH = 35
"""The longest stamp: nine digits and an offset."""

_STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)"
_PARTS = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEADING = re.compile(rb"^(" + _STAMP + rb")(?: |(?=\n)|\Z)", re.MULTILINE)


def split_stamp(line: bytes) -> tuple[bytes, bytes]:
    """One line as (stamp, text); the stamp is empty if the line has none."""
    found = _LEADING.match(line)
    return (found[1], line[found.end() :]) if found is not None else (b"", line)


def split_stamps(lines: bytes) -> tuple[list[bytes], bytes]:
    """Complete lines as their stamps (an empty one where there is none) and the lines without them."""
    stamps = _LEADING.findall(lines)
    if len(stamps) == lines.count(b"\n"):
        return stamps, _LEADING.sub(b"", lines)
    pairs = [split_stamp(line) for line in lines.split(b"\n")[:-1]]
    return [stamp for stamp, _ in pairs], b"".join(text + b"\n" for _, text in pairs)


def sort_key(line: bytes) -> bytes:
    """What the lines of several sources sort by: date and time in UTC with nine digits; empty if there is no stamp."""
    if line[19:20] == b"." and line[29:31] == b"Z " and line[20:29].isdigit():
        return line[:29]
    moment = stamp_ns(split_stamp(line)[0])
    return key_of(moment) if moment is not None else b""


def key_of(moment: int) -> bytes:
    """The same for nanoseconds since 1970."""
    seconds, fraction = divmod(moment, 1_000_000_000)
    try:
        text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return b""
    return b"%b.%09d" % (text.rjust(19, "0").encode(), fraction)


def stamp_ns(stamp: bytes) -> int | None:
    """A stamp as nanoseconds since 1970 (UTC); None if it is none."""
    found = _PARTS.match(stamp)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        # A leap second has no place in Python's clock: it counts as the second before.
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), min(59, int(second)),
            tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
    seconds = int(moment.timestamp())
    if zone != b"Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds += -offset if zone[:1] == b"+" else offset
    return seconds * 1_000_000_000 + int((fraction or b"0").ljust(9, b"0"))
