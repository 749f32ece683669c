"""One look at a build context: read from the disk once, judged anew at each change of the rules."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.dockerfile.inventory import Inventory
from dockdesk.dockerfile.verdict import Judged, Verdict, judge_text, take_and_judge

_DEBOUNCE_MS = 120
_SMALL = 3_000  # entries that a thread judges before a process is even started


class ContextLook(QObject):
    """``looked`` tells of another inventory, ``judged`` of another verdict on the same; ``failed`` has the reason.

    The inventory and the verdict belong together with ``text``, the rules that were applied.
    """

    looked = Signal()
    judged = Signal()
    failed = Signal(object)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.folder: Path | None = None
        self.inventory: Inventory | None = None
        self.verdict: Verdict | None = None
        self.text = ""
        self._wanted = ""
        self._looking = False
        self._judging = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self._judge)

    @property
    def busy(self) -> bool:
        return self._looking or self._judging or self._timer.isActive()

    def look(self, folder: Path, text: str) -> None:
        """Read a folder, by the rules in ``text``; a look at another one is given up."""
        if folder != self.folder:
            self.forget()
        self.folder, self._wanted = folder, text
        self._looking = True
        self._jobs.submit(
            self,
            Call(take_and_judge, (folder, text)),
            self._on_looked,
            self._on_failed,
            lane="context",
            question="look",
            process=True,
        )

    def forget(self) -> None:
        """Show nothing."""
        self.folder = self.inventory = self.verdict = None
        self._timer.stop()

    def set_rules(self, text: str) -> None:
        """Judge by other rules, once the typing rests for a moment."""
        self._wanted = text
        if self.inventory is not None and not self._looking and text != self.text:
            self._timer.start()

    def _on_looked(self, judged: Judged) -> None:
        self._looking = False
        if judged.inventory.folder != self.folder:
            return
        self.inventory, self.verdict, self.text = judged.inventory, judged.verdict, judged.rules
        self.looked.emit()
        self.set_rules(self._wanted)

    def _judge(self) -> None:
        """Ask for a verdict, one at a time: a helper that is stopped half-way would have to be started again."""
        inventory, text = self.inventory, self._wanted
        if inventory is None or self._judging or self._looking or text == self.text:
            return
        self._judging = True

        def done(verdict: Verdict) -> None:
            self._judging = False
            if inventory is self.inventory:
                self.verdict, self.text = verdict, text
                self.judged.emit()
            self.set_rules(self._wanted)

        def failed(error: DockDeskError) -> None:
            self._judging = False
            self._on_failed(error)

        self._jobs.submit(
            self,
            Call(judge_text, (inventory, text)),
            done,
            failed,
            lane="context",
            process=len(inventory) > _SMALL,
        )

    def _on_failed(self, error: DockDeskError) -> None:
        self._looking = False
        if not isinstance(error, CancelledError):
            self.failed.emit(error)
