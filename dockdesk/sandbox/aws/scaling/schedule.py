"""When scheduled actions run: at(...), rate(...) and cron(...) in a time zone.

Source: docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dockdesk.sandbox.aws.values import BadInputError

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)
}
_RATE = re.compile(r"rate\(\s*(\d{1,6})\s+(minute|hour|day)s?\s*\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minutes", 0, 59, {}),
    ("hours", 0, 23, {}),
    ("day-of-month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day-of-week", 1, 7, _DAYS),
    ("year", 1970, 2199, {}),
)

Due = Callable[[float, float], bool]


def due(expression: str, zone: str, created: float) -> Due:
    """A function that tells whether it runs in (before, now]; both at full minutes. Raises BadInputError."""
    try:
        where: tzinfo = ZoneInfo(zone) if zone and zone != "UTC" else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInputError(f"Invalid timezone: {zone}") from None
    text = expression.strip()
    if text.startswith("at(") and text.endswith(")"):
        return _once(text[3:-1], where)
    match = _RATE.fullmatch(text)
    if match is not None and int(match[1]) > 0:
        every = int(match[1]) * _SECONDS[match[2]]
        return lambda before, now: (now - created) // every > (before - created) // every >= 0
    if text.startswith("cron(") and text.endswith(")"):
        return _cron(text[5:-1].split(), where)
    raise BadInputError(
        "Invalid Schedule Expression: use at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)."
    )


def _once(text: str, where: tzinfo) -> Due:
    try:
        moment = datetime.fromisoformat(text.strip()).replace(tzinfo=where).timestamp()
    except ValueError:
        raise BadInputError(f"Invalid Schedule Expression: {text} is not a time.") from None
    return lambda before, now: before < moment <= now


def _cron(fields: list[str], where: tzinfo) -> Due:
    if len(fields) != len(_FIELDS):
        raise BadInputError("Invalid Schedule Expression: cron needs six fields.")
    tests = [_field(text, *field) for text, field in zip(fields, _FIELDS, strict=True)]
    if "?" not in (fields[2], fields[4]) and "*" not in (fields[2], fields[4]):
        raise BadInputError("Invalid Schedule Expression: day-of-month or day-of-week must be ?.")

    def runs(_before: float, now: float) -> bool:
        at = datetime.fromtimestamp(now, where)
        values = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1, at.year)
        return all(test(value, at) for test, value in zip(tests, values, strict=True))

    return runs


Test = Callable[[int, datetime], bool]


def _field(text: str, name: str, low: int, high: int, names: dict[str, int]) -> Test:
    tests = [_part(part, name, low, high, names) for part in text.upper().split(",")]
    return lambda value, at: any(test(value, at) for test in tests)


def _part(part: str, name: str, low: int, high: int, names: dict[str, int]) -> Test:
    def number(text: str) -> int:
        value = names.get(text, int(text) if text.isdigit() else -1)
        if not low <= value <= high:
            raise BadInputError(f"Invalid Schedule Expression: {part} is no {name}.")
        return value

    if part in {"*", "?"}:
        return lambda _value, _at: True
    if name == "day-of-month" and part == "L":
        return lambda value, at: value == calendar.monthrange(at.year, at.month)[1]
    if name == "day-of-week" and "#" in part:
        day, _, nth = part.partition("#")
        wanted, week = number(day), number(nth)
        return lambda value, at: value == wanted and (at.day - 1) // 7 + 1 == week
    if name == "day-of-week" and part.endswith("L"):
        last = number(part[:-1])
        return lambda value, at: (
            value == last and at.day + 7 > calendar.monthrange(at.year, at.month)[1]
        )
    span, _, step = part.partition("/")
    first, _, end = span.partition("-")
    begin = low if first == "*" else number(first)
    stop = number(end) if end else (high if step else begin)
    every = int(step) if step.isdigit() and int(step) > 0 else 1
    if step and not (step.isdigit() and int(step) > 0):
        raise BadInputError(f"Invalid Schedule Expression: {part} is no {name}.")
    return lambda value, _at: begin <= value <= stop and (value - begin) % every == 0
