"""The columns of the list of builds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.units import age_text, bytes_text, took_text
from dockdesk.models.arrangement import Grouping
from dockdesk.ui.panes.builds.rows import ELSEWHERE, BuildRow, project_name

OUTCOMES: dict[str, tuple[str, Tone]] = {
    "waiting": ("waiting", "muted"),
    "running": ("building", "accent"),
    "ok": ("built", "good"),
    "failed": ("failed", "bad"),
    "cancelled": ("stopped", "muted"),
}
METHODS = {"buildkit": "BuildKit", "classic": "classic", "buildx": "buildx"}


def seconds_text(seconds: float) -> str:
    """How long a build took: tenths of a second as long as they matter."""
    if 1 <= seconds < 10:
        return f"{seconds:.1f} s"
    return took_text(seconds)


def cached_text(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.0f} %"


def image_text(row: BuildRow) -> str:
    """The short form of the image's id, else of its digest."""
    return (row.image or row.digest).removeprefix("sha256:")[:12]


def time_text(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S") if at > 0 else ""


COLUMNS: tuple[Column[BuildRow], ...] = (
    Column(
        "project",
        "Project",
        lambda row: row.name.lower(),
        lambda row: row.name,
        CellKind.STRONG,
        width=190,
        stretch=True,
        tip=lambda row: row.project or "Built elsewhere; the engine tells of it.",
    ),
    Column(
        "outcome",
        "Outcome",
        lambda row: row.outcome,
        lambda row: OUTCOMES.get(row.outcome, (row.outcome, "neutral"))[0],
        CellKind.PILL,
        width=112,
        tone=lambda row: OUTCOMES.get(row.outcome, ("", "neutral"))[1],
        tip=lambda row: row.error or row.outcome,
    ),
    Column(
        "at",
        "When",
        lambda row: (not row.over, row.at),
        lambda row: age_text(row.at) if row.over else "now",
        width=116,
        tone=lambda _row: "muted",
        tip=lambda row: time_text(row.at),
    ),
    Column(
        "duration",
        "Took",
        lambda row: row.seconds,
        lambda row: seconds_text(row.seconds),
        CellKind.SPARK,
        width=190,
        series=lambda row: row.durations,
        tip=lambda row: (
            f"{seconds_text(row.seconds)}; the line shows the builds of this project before it."
        ),
    ),
    Column(
        "cached",
        "From the cache",
        lambda row: row.cached,
        lambda row: cached_text(row.cached),
        CellKind.BAR,
        width=150,
        tone=lambda _row: "info",
        fraction=lambda row: row.cached or 0.0,
        tip=lambda _row: "The share of the Dockerfile's steps that were not run again.",
    ),
    Column(
        "size",
        "Size",
        lambda row: row.size or None,
        lambda row: bytes_text(row.size) if row.size else "",
        CellKind.NUMBER,
        width=92,
    ),
    Column(
        "tags",
        "Tags",
        lambda row: ", ".join(row.tags),
        lambda row: ", ".join(row.tags),
        width=190,
        stretch=True,
        tip=lambda row: "\n".join(row.tags),
    ),
    Column(
        "image",
        "Image",
        lambda row: row.image or row.digest,
        image_text,
        CellKind.MONO,
        width=122,
        tip=lambda row: "\n".join(dict.fromkeys(filter(None, (row.image, row.digest)))),
    ),
    Column(
        "method",
        "Builder",
        lambda row: row.method,
        lambda row: METHODS.get(row.method, row.method),
        width=92,
        tone=lambda _row: "muted",
    ),
    Column(
        "environment",
        "Environment",
        lambda row: row.environment,
        lambda row: row.environment,
        width=120,
        tone=lambda _row: "muted",
        hidden=True,
    ),
)


def _detail(rows: Sequence[BuildRow]) -> str:
    failed = sum(row.outcome == "failed" for row in rows)
    count = f"{len(rows)} build{'s' if len(rows) != 1 else ''}"
    return f"{count}, {failed} failed" if failed else count


BY_PROJECT: Grouping[BuildRow] = Grouping(lambda row: row.project, _detail, ELSEWHERE)
"""Headers carry the Dockerfile's path; what the engine tells of comes last."""

ELSEWHERE_LAST: Grouping[BuildRow] = Grouping(
    lambda row: "On this computer" if row.project else "", _detail, ELSEWHERE
)

__all__ = ["BY_PROJECT", "COLUMNS", "ELSEWHERE_LAST", "METHODS", "OUTCOMES", "project_name"]
