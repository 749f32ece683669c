"""What the steps of a build wrote, as one text to read or to keep. No Qt in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockdesk.core.builds.records import StepRecord
from dockdesk.core.logs.ansi import safe_text

MOST = 2_000_000  # characters of a log that are shown; all of it is exported


def log_of(log: bytes) -> str:
    """A step's log without escapes; a line that was written over and over, as progress bars are, once."""
    lines = log.replace(b"\r\n", b"\n").split(b"\n")
    shown = (safe_text(line.rstrip(b"\r").rpartition(b"\r")[2]) for line in lines)
    return "\n".join(shown).rstrip("\n")


def whole_log(steps: Iterable[StepRecord], logs: Mapping[str, bytes], only: str = "") -> str:
    """The logs of all steps under their names, or that of the step with the digest ``only``."""
    parts = []
    for step in steps:
        log = logs.get(step.digest)
        if only:
            if step.digest == only:
                return log_of(log) if log else ""
            continue
        if not log and not step.error:
            continue
        state = "cached" if step.cached else f"{step.seconds:.1f} s"
        part = f"── {' '.join(step.name.split())} ({state})\n"
        if log:
            part += f"{log_of(log)}\n"
        if step.error:
            part += f"{step.error}\n"
        parts.append(part)
    return "\n".join(parts)


def shown_part(text: str) -> str:
    """The end of a text that is too long to be looked at: that is where failures are explained."""
    if len(text) <= MOST:
        return text
    cut = text.find("\n", len(text) - MOST) + 1
    return f"… {cut:,} characters before this are left out here; the exported log has them.\n{text[cut:]}"
