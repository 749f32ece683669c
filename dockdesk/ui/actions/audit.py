"""The command log while the program runs: what was done, written to the archive off the GUI thread."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.actions import AuditEntry
from dockdesk.core.errors import DockDeskError
from dockdesk.core.ports import KeepsAudit
from dockdesk.core.work import Work

_log = logging.getLogger(__name__)

BOUND = 10_000
LANE = "archive"


class AuditLog(QObject):
    """Newest last. ``added`` tells of one entry, ``loaded`` that the past ones were read from the archive.

    Without an archive, or where writing fails, the entries of this run are still here, and ``failed`` says why once.
    """

    added = Signal(object)
    loaded = Signal()
    failed = Signal(object)

    def __init__(
        self, jobs: Jobs, archive: KeepsAudit | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._archive = archive
        self._entries: deque[AuditEntry] = deque(maxlen=BOUND)
        self._failed = False
        self._count = 0

    @property
    def entries(self) -> Sequence[AuditEntry]:
        """All known entries, oldest first; those that the archive has not numbered yet have negative ids."""
        return tuple(self._entries)

    def set_archive(self, archive: KeepsAudit, limit: int = 1000) -> None:
        """Use ``archive`` from now on: read what it has, and give it what happened before."""
        self._archive = archive
        waiting = [entry for entry in self._entries if entry.id <= 0]

        def read(_work: Work) -> list[AuditEntry]:
            for entry in waiting:
                archive.add(replace(entry, id=0))
            return archive.newest(limit)

        self._jobs.submit(
            self, read, self._on_read, self._on_failed, lane=LANE, order=LANE, vital=True
        )

    def record(self, entry: AuditEntry) -> None:
        """Add what was done, now here and soon in the archive."""
        self._count += 1
        entry = replace(entry, id=-self._count)
        self._entries.append(entry)
        self.added.emit(entry)
        archive = self._archive
        if archive is None:
            return
        self._jobs.submit(
            self,
            lambda _work: archive.add(replace(entry, id=0)),
            None,
            self._on_failed,
            lane=LANE,
            order=LANE,
            vital=True,
        )

    def _on_read(self, past: list[AuditEntry]) -> None:
        ordered = sorted(past, key=lambda entry: (entry.at, entry.id))
        recent = [entry for entry in self._entries if entry.id <= 0]
        known = {(entry.at, entry.action, entry.target) for entry in ordered}
        missing = [e for e in recent if (e.at, e.action, e.target) not in known]
        self._entries = deque([*ordered, *missing], maxlen=BOUND)
        self.loaded.emit()

    def _on_failed(self, error: DockDeskError) -> None:
        _log.warning("the archive does not take the command log: %s", error)
        if not self._failed:
            self._failed = True
            self.failed.emit(error)
