"""The columns of the command log."""

from __future__ import annotations

from datetime import datetime

from dockdesk.core.actions import AuditEntry
from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.units import took_text

_TONES: dict[str, Tone] = {"ok": "good", "failed": "bad", "cancelled": "muted"}


def command_text(entry: AuditEntry) -> str:
    """The command on one line, or the API request where there is none."""
    text = entry.equivalent.cli or entry.equivalent.api or entry.title
    return " ; ".join(line.strip() for line in text.splitlines() if line.strip())


COLUMNS: tuple[Column[AuditEntry], ...] = (
    Column(
        "at",
        "Time",
        lambda entry: (entry.at, entry.id),
        lambda entry: datetime.fromtimestamp(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
        width=160,
        tone=lambda _entry: "muted",
    ),
    Column(
        "command",
        "Command",
        command_text,
        command_text,
        CellKind.MONO,
        width=460,
        stretch=True,
        tip=lambda entry: entry.equivalent.cli or entry.title,
    ),
    Column(
        "outcome",
        "Outcome",
        lambda entry: entry.outcome,
        lambda entry: entry.outcome,
        CellKind.PILL,
        width=110,
        tone=lambda entry: _TONES.get(entry.outcome, "neutral"),
        tip=lambda entry: entry.error or entry.outcome,
    ),
    Column(
        "duration",
        "Took",
        lambda entry: entry.duration,
        lambda entry: took_text(entry.duration),
        CellKind.NUMBER,
        width=90,
    ),
    Column(
        "environment",
        "Environment",
        lambda entry: entry.environment,
        lambda entry: entry.environment,
        width=130,
    ),
    Column(
        "title",
        "Action",
        lambda entry: entry.title,
        lambda entry: entry.title,
        width=180,
        hidden=True,
    ),
)
