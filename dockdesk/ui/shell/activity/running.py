"""How many jobs run, for those who need no more than that."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.jobs import Job, Jobs


class RunningJobs(QObject):
    """Counts jobs with a title that are not over; ``changed(count)`` tells of every change."""

    changed = Signal(int)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = {job.number for job in jobs.visible() if not job.state.over}
        jobs.job_changed.connect(self._on_job_changed)

    @property
    def count(self) -> int:
        return len(self._numbers)

    def _on_job_changed(self, job: Job) -> None:
        before = len(self._numbers)
        if job.state.over:
            self._numbers.discard(job.number)
        else:
            self._numbers.add(job.number)
        if len(self._numbers) != before:
            self.changed.emit(len(self._numbers))
