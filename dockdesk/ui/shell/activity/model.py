"""Jobs as a list model, newest first."""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from dockdesk.bridge.jobs import Job, Jobs, JobState
from dockdesk.core.columns import Tone
from dockdesk.core.units import age_text, duration_text

JOB_ROLE = int(Qt.ItemDataRole.UserRole) + 1

STATES: dict[JobState, tuple[str, Tone, str]] = {
    JobState.QUEUED: ("clock", "muted", "waiting"),
    JobState.RUNNING: ("loader-2", "accent", "running"),
    JobState.DONE: ("circle-check", "good", "done"),
    JobState.FAILED: ("alert-circle", "bad", "failed"),
    JobState.CANCELLED: ("circle-minus", "muted", "cancelled"),
}
"""State → icon, tone and word."""


def job_line(job: Job) -> str:
    """The quiet line below a job's title: how it stands, since when, and the newest it said."""
    word = STATES[job.state][2]
    if job.state is JobState.RUNNING:
        word = duration_text(time.time() - job.started) if job.started else word
        return f"{word} · {job.text}" if job.text else word
    if job.state is JobState.FAILED and job.error is not None:
        return f"{age_text(job.ended)} · {job.error.title}"
    if job.state.over and job.ended:
        took = f" in {duration_text(job.ended - job.started)}" if job.started else ""
        return f"{age_text(job.ended)} · {word}{took}"
    return word


class JobModel(QAbstractListModel):
    """What `Jobs.visible` gives, kept current by `Jobs.job_changed`: new ones on top, ended ones until forgotten."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = jobs
        self._jobs: list[Job] = jobs.visible()
        self._open = {job.number for job in self._jobs if not job.state.over}
        jobs.job_changed.connect(self.note)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._jobs)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        if not index.isValid():
            return None
        job = self._jobs[index.row()]
        if role == JOB_ROLE:
            return job
        if role == Qt.ItemDataRole.DisplayRole:
            return job.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{job.title}, {STATES[job.state][2]}, {job_line(job)}"
        return None

    def job(self, row: int) -> Job:
        return self._jobs[row]

    def row_of(self, job: Job) -> int:
        """The row of ``job``, or -1."""
        row = self._place(job)
        return row if row < len(self._jobs) and self._jobs[row] is job else -1

    def _place(self, job: Job) -> int:
        return bisect_left(self._jobs, -job.number, key=lambda item: -item.number)

    def running(self) -> int:
        """How many are not over."""
        return len(self._open)

    def forget_ended(self) -> None:
        """Drop what is over."""
        self._source.forget_ended()
        for row in range(len(self._jobs) - 1, -1, -1):
            if self._jobs[row].state.over:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._jobs[row]
                self.endRemoveRows()

    def tick(self) -> None:
        """Repaint what shows a running time."""
        if self._jobs:
            self.dataChanged.emit(self.index(0), self.index(len(self._jobs) - 1))

    def note(self, job: Job) -> None:
        """Take over what ``job`` has become; one not known yet is added."""
        if job.state.over:
            self._open.discard(job.number)
        else:
            self._open.add(job.number)
        row = self.row_of(job)
        if row >= 0:
            index = self.index(row)
            self.dataChanged.emit(index, index)
            return
        self._add(job)

    def _add(self, job: Job) -> None:
        if not self._source.lists(job):
            return  # ended and forgotten before it was told
        row = self._place(job)
        self.beginInsertRows(QModelIndex(), row, row)
        self._jobs.insert(row, job)
        self.endInsertRows()
        while self._jobs and not self._source.lists(self._jobs[-1]):
            last = len(self._jobs) - 1
            self.beginRemoveRows(QModelIndex(), last, last)
            del self._jobs[last]
            self.endRemoveRows()
