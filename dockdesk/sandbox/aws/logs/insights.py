"""The part of Logs Insights' language that panes offer: fields, filter, parse-free stats, sort, limit.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import UTC, datetime

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.logs.store import LogEvent
from dockdesk.sandbox.aws.values import AwsError

_LIKE = re.compile(
    r"(@\w+)\s+(not\s+)?(?:like|=~)\s+(?:/(.*)/i?|\"([^\"]*)\"|'([^']*)')", re.IGNORECASE
)
# A pipe outside of /…/ and quotes: those before it come in pairs.
_PIPE = re.compile(r"""\|(?=(?:[^/"']|/[^/\n]*/|"[^"]*"|'[^']*')*$)""")
_EQUAL = re.compile(r"(@\w+)\s*(!?=)\s*(?:\"([^\"]*)\"|'([^']*)')")
_STATS = re.compile(r"count\(\*?\)(?:\s+as\s+(\w+))?(?:\s+by\s+(.+))?", re.IGNORECASE)
_BIN = re.compile(r"bin\((\d+)(s|m|h|d)\)", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LIMIT = 10_000
_LONGEST = 10_000


@dataclass(slots=True)
class Plan:
    """A query, understood."""

    fields: list[str] = field(default_factory=lambda: ["@timestamp", "@message"])
    tests: list[Callable[[LogEvent], bool]] = field(default_factory=list)
    newest_first: bool = True
    limit: int = 1000
    count_as: str = ""
    by: str = ""


def plan(text: str, limit: int) -> Plan:
    """Raises MalformedQueryException."""
    if len(text) > _LONGEST:
        raise AwsError("MalformedQueryException", "the query is too long")
    made = Plan(limit=limit)
    for stage in (part.strip() for part in _PIPE.split(text)):
        name, _, rest = stage.partition(" ")
        rest = rest.strip()
        if not stage:
            continue
        if name == "fields" or name == "display":
            made.fields = [item.strip() for item in rest.split(",")]
        elif name == "filter":
            made.tests.append(_filter(rest))
        elif name == "sort":
            made.newest_first = not rest.lower().endswith("asc")
        elif name in {"limit", "head", "tail"} and rest.isdigit():
            made.limit = min(int(rest), _LIMIT)
        elif name == "stats" and (match := _STATS.fullmatch(rest)):
            made.count_as, made.by = match[1] or "count(*)", (match[2] or "").strip()
        elif not name.startswith("#"):
            raise AwsError(
                "MalformedQueryException",
                f"unexpected symbol found {name} at line 1 and position {text.find(stage)}",
            )
    return made


def value(event: LogEvent, name: str) -> str:
    if name == "@timestamp":
        return stamp(event.time)
    if name == "@ingestionTime":
        return stamp(event.ingested)
    if name == "@logStream":
        return event.stream
    return event.message if name == "@message" else ""


def stamp(time: int) -> str:
    return (
        datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.")
        + f"{time % 1000:03d}"
    )


def _filter(text: str) -> Callable[[LogEvent], bool]:
    match = _LIKE.fullmatch(text)
    if match is not None:
        name, negated = match[1], bool(match[2])
        wanted = next(part for part in match.groups()[2:] if part is not None)
        # Alternatives of plain words: a pattern of the user's own could take for ever.
        words = (
            [word.lower() for word in wanted.strip("()").split("|")]
            if match[3] is not None
            else [wanted]
        )
        fold = match[3] is not None
        return lambda event: (
            negated
            != any(
                word in (value(event, name).lower() if fold else value(event, name))
                for word in words
            )
        )
    match = _EQUAL.fullmatch(text)
    if match is None:
        raise AwsError("MalformedQueryException", f"unexpected symbol found in filter: {text}")
    name, wanted = match[1], match[3] if match[3] is not None else match[4]
    return lambda event: (value(event, name) == wanted) == (match[2] == "=")


def run(made: Plan, events: Sequence[LogEvent]) -> tuple[list[list[tuple[str, str]]], int]:
    """Rows of (field, value), and how many events matched."""
    kept = [event for event in events if all(test(event) for test in made.tests)]
    if made.count_as:
        return _count(made, kept), len(kept)
    kept.sort(key=lambda event: event.time, reverse=made.newest_first)
    return [
        [(name, value(event, name)) for name in made.fields] + [("@ptr", event.id)]
        for event in kept[: made.limit]
    ], len(kept)


def _count(made: Plan, kept: Sequence[LogEvent]) -> list[list[tuple[str, str]]]:
    if not made.by:
        return [[(made.count_as, str(len(kept)))]]
    match = _BIN.fullmatch(made.by)
    if match is not None:
        width = int(match[1]) * _SECONDS[match[2].lower()] * 1000 or 1000
        counts = Counter(stamp(event.time // width * width) for event in kept)
        pairs = sorted(counts.items(), reverse=made.newest_first)
    else:
        pairs = Counter(value(event, made.by) for event in kept).most_common()
    return [[(made.by, key), (made.count_as, str(count))] for key, count in pairs[: made.limit]]
