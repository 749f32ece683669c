"""What went wrong with a build, put together for its banner: on a worker, since ignore rules are read. No Qt in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dockdesk.core.builds.advice import Advice, advise
from dockdesk.core.builds.progress import BuildProgress, last_lines
from dockdesk.core.errors import BuildError, DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.dockerfile.ignore import IgnoreRules, rules_for

_TAIL = 16 * 1024
_LINES = 4
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\^_]|\][^\x07\x1b]*(?:\x07|\x1b\\\\))")


@dataclass(frozen=True, slots=True)
class Failure:
    """What is asked about: the words of the builder, the end of the step's log, its instruction, and the build."""

    message: str
    log: str
    instruction: str
    spec: BuildSpec
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The advice, and where it leads: to a line (0-based) of an ignore file."""

    advice: Advice | None = None
    ignore_file: Path | None = None
    ignore_line: int = 0


def failure_of(
    error: DockDeskError, progress: BuildProgress, text: str, line: int | None, spec: BuildSpec
) -> Failure:
    """What is known of a failed build; cheap."""
    step = progress.steps.get(error.step) if isinstance(error, BuildError) else None
    step = step or progress.failed()
    log = bytes(step.log[-_TAIL:]).decode("utf-8", "replace") if step is not None else ""
    said = step.step.error if step is not None else ""
    message = "\n".join(part for part in (error.detail or error.title, said) if part)
    lines = text.split("\n")
    instruction = lines[line] if line is not None and line < len(lines) else ""
    shown: Sequence[str] = last_lines(step.log, _LINES) if step is not None else ()
    plain = tuple(_ESCAPES.sub("", line) for line in shown)
    return Failure(message, _ESCAPES.sub("", log), instruction, spec, plain)


def look_into(failure: Failure) -> Told:
    """Find advice; reads the ignore rules of the context."""
    spec = failure.spec
    rules: list[IgnoreRules] = []
    found: list[int] = []

    def excluded(path: str) -> str:
        if not rules:
            try:
                rules.append(rules_for(spec.context, spec.dockerfile or "Dockerfile"))
            except DockDeskError:
                rules.append(IgnoreRules())
        pattern = rules[0].deciding(path)
        if pattern is None or pattern.exception:
            return ""
        found.append(pattern.line)
        name = rules[0].source.name if rules[0].source is not None else ".dockerignore"
        return f"Line {pattern.line + 1} of {name} ({pattern.text})"

    advice = advise(failure.message, failure.log, failure.instruction, excluded)
    if advice is not None and advice.code == "ignored" and found and rules[0].source is not None:
        return Told(advice, rules[0].source, found[0])
    return Told(advice)
