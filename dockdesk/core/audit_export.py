"""The command log as files: a shell script that does it again, and a Markdown text for a workshop or a report.

Names in the log come from outside. Whatever they hold, a comment stays one line, a command stays one command, and
Markdown stays text: what cannot be made safe is left in as a comment, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from enum import Enum
from itertools import groupby

from dockdesk.core.actions import AuditEntry
from dockdesk.core.masking import MASK
from dockdesk.core.plaintext import UNSEEN, one_line
from dockdesk.core.units import duration_text

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")


class _Shell(Enum):
    """Where a scan of a command stands, as POSIX shells quote (IEEE 1003.1, 2.2 Quoting)."""

    PLAIN = "plain"
    SINGLE = "single"
    DOUBLE = "double"


def to_shell(entries: Iterable[AuditEntry], zone: tzinfo = UTC) -> str:
    """A POSIX shell script of the entries in the order they happened.

    It stops at the first command that fails. What failed or was cancelled, holds a secret that was not kept, or is no
    single command, stands in it as a comment. Times are shown in ``zone``.
    """
    ordered = _in_order(entries)
    lines = [
        "#!/bin/sh",
        "# Commands of DockDesk's log, as the docker and other command lines take them.",
        "# Read it before you run it: it does not choose an environment, it names the one that was used.",
        "set -eu",
    ]
    for environment, group in groupby(ordered, key=lambda entry: entry.environment):
        lines += ["", f"# --- Environment: {one_line(environment) or 'unknown'} ---"]
        for entry in group:
            lines += ["", f"# {_moment(entry.at, zone)}  {one_line(entry.title)}"]
            lines += _shell_lines(entry)
    return "\n".join(lines) + "\n"


def to_markdown(
    entries: Iterable[AuditEntry],
    title: str = "What was done",
    zone: tzinfo = UTC,
    sdk: bool = False,
) -> str:
    """A Markdown text with a numbered step an entry; ``sdk`` adds the same step as Python."""
    ordered = _in_order(entries)
    lines = [f"# {_text(title)}", ""]
    if not ordered:
        return "\n".join([*lines, "Nothing was done.", ""])
    span = f"{_moment(ordered[0].at, zone)} to {_moment(ordered[-1].at, zone)}"
    count = f"{len(ordered)} step{'s' if len(ordered) != 1 else ''}"
    lines += [f"{count}, {_text(span)}.", ""]
    number = 0
    for environment, group in groupby(ordered, key=lambda entry: entry.environment):
        lines += [f"## In {_text(environment) or 'an unknown environment'}", ""]
        for entry in group:
            number += 1
            lines += [f"### {number}. {_text(entry.title)}", "", _outcome(entry, zone), ""]
            lines += _fenced(entry.equivalent.cli, "sh")
            if sdk:
                lines += _fenced(entry.equivalent.sdk, "python")
            if not entry.equivalent.cli.strip() and not (sdk and entry.equivalent.sdk.strip()):
                lines += _fenced(entry.equivalent.api, "http")
    return "\n".join(lines).rstrip("\n") + "\n"


def _in_order(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    return sorted(entries, key=lambda entry: (entry.at, entry.id))


def _moment(at: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S %Z")


# --- Shell ---


def _shell_lines(entry: AuditEntry) -> list[str]:
    command = entry.equivalent.cli.strip()
    if not command:
        request = one_line(entry.equivalent.api)
        return [f"# There is no command for this{f': {request}' if request else ''}."]
    if entry.outcome == "failed":
        return [
            f"# It failed: {one_line(entry.error) or 'no reason is known'}",
            *_commented(command),
        ]
    if entry.outcome != "ok":
        return ["# It was cancelled.", *_commented(command)]
    if MASK in command:
        return [
            f"# It holds a secret that is not in the log. Put it in place of {MASK} to use the command.",
            *_commented(command),
        ]
    if (reason := _not_single(command)) is not None:
        return [f"# Left out: {reason}.", *_commented(command)]
    return [command]


def _commented(command: str) -> list[str]:
    return [f"# {one_line(line)}" for line in command.splitlines()]


def _not_single(command: str) -> str | None:
    """Why a command would not run as one simple command with fixed words, or None where it does."""
    if UNSEEN.search(command.replace("\n", "").replace("\t", "")):
        return "it holds characters that cannot be seen"
    state = _Shell.PLAIN
    escaped = False
    before = " "
    for char in command:
        if escaped:
            escaped = False
        elif state is _Shell.SINGLE:
            state = _Shell.PLAIN if char == "'" else state
        elif char == "\\":
            escaped = True
        elif char in "$`":
            return "the shell would put something else in its place"
        elif char == '"':
            state = _Shell.PLAIN if state is _Shell.DOUBLE else _Shell.DOUBLE
        elif state is _Shell.PLAIN:
            if char == "'":
                state = _Shell.SINGLE
            elif char in ";&|()<>*?[\n" or (char in "#~" and before.isspace()):
                return f"it holds an unquoted {char if char != chr(10) else 'line feed'}"
        before = char
    if escaped:
        return "it ends in a backslash"
    return None if state is _Shell.PLAIN else "a quotation mark is not closed"


# --- Markdown ---


def _text(text: str) -> str:
    """Plain text, safe in Markdown: CommonMark takes a backslash before any ASCII punctuation."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def _outcome(entry: AuditEntry, zone: tzinfo) -> str:
    moment = _text(_moment(entry.at, zone))
    if entry.outcome == "ok":
        took = f", took {duration_text(entry.duration)}" if entry.duration >= 1 else ""
        return f"{moment}{took}"
    if entry.outcome == "failed":
        return f"{moment}: **failed**: {_text(entry.error) or 'no reason is known'}"
    return f"{moment}: **cancelled**"


def _fenced(code: str, language: str) -> list[str]:
    if not code.strip():
        return []
    longest = max((len(run) for run in _runs("`", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *_code_lines(code), fence, ""]


def _code_lines(code: str) -> Sequence[str]:
    return [UNSEEN.sub(" ", line).rstrip() for line in code.strip().splitlines()]


def _runs(char: str, text: str) -> Iterator[str]:
    return (match.group() for match in re.finditer(re.escape(char) + "+", text))
