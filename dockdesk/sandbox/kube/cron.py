"""Cron schedules as CronJobs have them. Source: Kubernetes documentation, "CronJob schedule syntax"."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_SPANS = (3600.0, 86_400.0, 8 * 86_400.0, 32 * 86_400.0, 366 * 86_400.0, float("inf"))
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}


class Schedule:
    """When a cron schedule fires, in UTC. Raises ValueError where it can't be read."""

    def __init__(self, text: str) -> None:
        fields = _NAMED.get(text.strip(), text).split()
        if len(fields) != 5:
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
        sets = [
            _values(field, low, high, names)
            for field, (low, high), names in zip(
                fields, _RANGES, ({}, {}, {}, _MONTHS, _DAYS), strict=True
            )
        ]
        self._minutes, self._hours, self._days, self._months, weekdays = sets
        self._weekdays = {day % 7 for day in weekdays}
        self._any_day, self._any_weekday = fields[2] in {"*", "?"}, fields[4] in {"*", "?"}

    def after(self, time: float) -> float:
        """The first moment after ``time`` (seconds since 1970) that it fires; infinity where it never does."""
        at = datetime.fromtimestamp(int(time // 60 + 1) * 60, UTC)
        last = at + timedelta(days=5 * 366)
        while at < last:
            if at.month not in self._months or not self._day_fits(at):
                at = at.replace(hour=0, minute=0) + timedelta(days=1)
            elif at.hour not in self._hours:
                at = at.replace(minute=0) + timedelta(hours=1)
            elif at.minute not in self._minutes:
                at += timedelta(minutes=1)
            else:
                return at.timestamp()
        return float("inf")

    def latest(self, since: float, now: float) -> float:
        """The last moment after ``since`` and up to ``now`` that it fires, 0 where there is none."""
        found = 0.0
        for span in _SPANS:
            found = self.after(max(since, now - span, 0.0))
            if found <= now:
                break
            if now - span <= since:
                return 0.0
        if found > now:
            return 0.0
        while (following := self.after(found)) <= now:
            found = following
        return found

    def _day_fits(self, at: datetime) -> bool:
        in_month, in_week = at.day in self._days, at.isoweekday() % 7 in self._weekdays
        if self._any_day or self._any_weekday:
            return in_month and in_week
        return in_month or in_week


def _values(field: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for part in field.lower().split(","):
        span, _, step_text = part.partition("/")
        step = int(step_text) if step_text.isdigit() else 0 if step_text else 1
        if step < 1:
            raise ValueError(f"step of range should be a positive number: {part}")
        if span in {"*", "?"}:
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, names)
            last = _number(end, names) if dash else (high if step_text else first)
        if not low <= first <= last <= high:
            raise ValueError(f"{part} is out of range {low}-{high}")
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not text.isdigit():
        raise ValueError(f"failed to parse int from {text!r}")
    return int(text)
