"""What an action's results mean to the user, where they say more than the changed table does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.core.resources.engine import PruneReport
from dockdesk.core.units import bytes_text


@dataclass(frozen=True, slots=True)
class Summary:
    """A notice's texts."""

    title: str
    detail: str = ""
    tone: Tone = "good"


def summary_of(title: str, results: Sequence[Any]) -> Summary | None:
    """What to tell about ``results`` of the action called ``title``, or None where what is shown says it all."""
    reports = [item for item in results if isinstance(item, PruneReport)]
    if reports:
        count = sum(len(report.removed) for report in reports)
        freed = sum(report.freed for report in reports)
        if not count and not freed:
            return Summary(f"{title}: there was nothing to remove", tone="info")
        things = "1 thing" if count == 1 else f"{count} things"
        return Summary(f"{title}: done", f"Removed {things}, freed {bytes_text(freed)}.")
    if len(results) > 1:
        return Summary(f"{title}: done", f"All {len(results)} succeeded.")
    return None
