"""How far a build is, from the steps it tells of."""

from __future__ import annotations

from collections.abc import Iterable

from dockdesk.core.resources.builds import BuildItem, BuildStep
from dockdesk.core.work import Work


class StepProgress:
    """Counts steps: those not yet told of are not known, so that it is a rough figure, and never goes back."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._known: set[str] = set()
        self._done: set[str] = set()
        self._shown = 0.0

    def take(self, items: Iterable[BuildItem]) -> None:
        current = ""
        changed = False
        for item in items:
            if not isinstance(item, BuildStep):
                continue
            changed = True
            self._known.add(item.digest)
            if item.completed is not None:
                self._done.add(item.digest)
            elif item.started is not None:
                current = item.name
        if changed:
            share = len(self._done) / max(1, len(self._known))
            self._shown = max(self._shown, min(0.99, share))
            steps = f"{len(self._done)} of {len(self._known)} steps"
            self._work.progress(self._shown, current or steps)
