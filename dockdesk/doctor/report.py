"""What the doctor found, and the two ways it tells it: for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from dockdesk.core.plaintext import one_line


class Status(Enum):
    """OK works, NOTE is worth knowing, ABSENT is optional and not there, PROBLEM needs something done."""

    OK = "ok"
    NOTE = "note"
    ABSENT = "absent"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``hint`` is what to do; ``data`` is for programs and holds no secrets."""

    section: str
    name: str
    status: Status
    detail: str = ""
    hint: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """All findings. ``reachable`` says whether there is an engine to work with."""

    version: str
    findings: Sequence[Finding]

    @property
    def reachable(self) -> bool:
        return any(f.section == "Engines" and f.status is Status.OK for f in self.findings)


def to_json(report: Report) -> str:
    """One JSON object; its keys stay as they are between versions, more may come."""
    return json.dumps(
        {
            "dockdesk": report.version,
            "reachable": report.reachable,
            "findings": [
                {
                    "section": finding.section,
                    "name": finding.name,
                    "status": finding.status.value,
                    "detail": finding.detail,
                    "hint": finding.hint,
                    "data": dict(finding.data),
                }
                for finding in report.findings
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


_COLOURS = {Status.OK: "32", Status.NOTE: "33", Status.ABSENT: "2", Status.PROBLEM: "31"}


def to_text(report: Report, colour: bool = False) -> str:
    """The report as people read it in a terminal; ``colour`` adds ANSI colours to the words."""
    lines = [f"DockDesk {report.version}"]
    for section, findings in groupby(report.findings, key=lambda finding: finding.section):
        lines += ["", section]
        lines += _lines(findings, colour)
    problems = sum(finding.status is Status.PROBLEM for finding in report.findings)
    lines += ["", _summary(report.reachable, problems)]
    return "\n".join(lines)


def _lines(findings: Iterable[Finding], colour: bool) -> Iterable[str]:
    for finding in findings:
        word = finding.status.value.ljust(7)
        if colour:
            word = f"\x1b[{_COLOURS[finding.status]}m{word}\x1b[0m"
        detail = f": {one_line(finding.detail)}" if finding.detail else ""
        yield f"  {word}  {one_line(finding.name)}{detail}"
        if finding.hint:
            yield f"           → {one_line(finding.hint)}"


def _summary(reachable: bool, problems: int) -> str:
    counted = {0: "No problem was found.", 1: "One problem was found."}.get(
        problems, f"{problems} problems were found."
    )
    return counted if reachable else f"{counted} No container engine can be reached."
