"""Dissected images of this session: made once, kept while there is room, told to all who look."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Job
from dockdesk.core.dissection.model import Dissection
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.resources.images import Image
from dockdesk.ui.context import UiContext

AUTOMATIC = 200_000_000  # bytes: smaller images are dissected when their tab is looked at
APART = (
    20_000_000  # larger ones in a process of their own, whose start would be felt for smaller ones
)
HEAVY = 5_000  # rows: trees of more are made there too
_KEPT_ROWS = 1_500_000  # about 150 MB
_KEPT = 12


class Dissections(QObject):
    """``changed`` carries an image's id: it was begun, is further, is done, failed, or was cancelled."""

    changed = Signal(str)

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._known: OrderedDict[str, Dissection] = OrderedDict()
        self._errors: dict[str, DockDeskError] = {}
        self._jobs: dict[str, Job] = {}
        environment = context.session.environment
        self._environment = environment.id if environment is not None else ""
        context.jobs.job_changed.connect(self._on_job_changed)
        context.session.state_changed.connect(self._on_state_changed)

    def of(self, id: str) -> Dissection | None:
        """What is known of an image."""
        found = self._known.get(id)
        if found is not None:
            self._known.move_to_end(id)
        return found

    def error(self, id: str) -> DockDeskError | None:
        """Why it could not be dissected; CancelledError where the user stopped it."""
        return self._errors.get(id)

    def job(self, id: str) -> Job | None:
        """The work that is under way."""
        return self._jobs.get(id)

    def begin(self, image: Image) -> None:
        """Dissect an image, unless that is done or under way."""
        session = self._context.session
        engine, environment = session.backend, session.environment
        if image.id in self._known or image.id in self._jobs:
            return
        if engine is None or environment is None:
            return
        self._errors.pop(image.id, None)
        apart = image.size >= APART
        work: Callable[..., Any] = (
            Call(*engine.dissecting(image.id))
            if apart
            else lambda work: engine.dissect(image.id, work)
        )
        self._jobs[image.id] = self._context.jobs.submit(
            self,
            work,
            lambda made: self._on_done(image.id, made),
            lambda error: self._on_failed(image.id, error),
            lane=environment.id,
            title=f"Dissect {image.name}",
            long=True,
            process=apart,
        )
        self.changed.emit(image.id)

    def cancel(self, id: str) -> None:
        job = self._jobs.pop(id, None)
        if job is not None:
            self._errors[id] = CancelledError()
            job.cancel()
            self.changed.emit(id)

    def _on_done(self, id: str, made: Dissection) -> None:
        if self._jobs.pop(id, None) is None:
            return
        self._known[id] = made
        while len(self._known) > 2 and (
            len(self._known) > _KEPT or sum(d.rows for d in self._known.values()) > _KEPT_ROWS
        ):
            self._known.popitem(last=False)
        self.changed.emit(id)

    def _on_failed(self, id: str, error: DockDeskError) -> None:
        if self._jobs.pop(id, None) is not None:
            self._errors[id] = error
            self.changed.emit(id)

    def _on_job_changed(self, changed: Job) -> None:
        for id, job in list(self._jobs.items()):
            if job is changed:
                if job.state.over and job.cancelled:
                    # Also where it was stopped in the drawer before it had begun: then nothing else is told.
                    del self._jobs[id]
                    self._errors[id] = CancelledError()
                self.changed.emit(id)

    def _on_state_changed(self, _state: object) -> None:
        """Failures of an engine that is back say nothing any more; nor does what another engine told."""
        environment = self._context.session.environment
        if environment is not None and environment.id != self._environment:
            self._environment = environment.id
            self._known.clear()  # engines name the same layer differently
            for id in list(self._jobs):
                self.cancel(id)
        if self._context.session.backend is not None:
            for id in list(self._errors):
                del self._errors[id]
                self.changed.emit(id)
