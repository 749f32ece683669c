"""Warnings of the build context in front, known before its view is ever opened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import DockDeskError
from dockdesk.dockerfile.context_warnings import ContextWarning, Glance, glance
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.widgets.plain import one_line

_AT_ONCE = 2_000  # entries that a thread looks at; with more, a process does
_MOST = 200_000
_REST_MS = 300
_TOLD = 4


def title_of(warnings: Sequence[ContextWarning]) -> str:
    """What a message about them is called; empty where there is nothing to say."""
    secrets = sum(bool(warning.line) for warning in warnings)
    if secrets:
        return "A secret would be sent" if secrets == 1 else f"{secrets} secrets would be sent"
    return "The build context needs a look" if warnings else ""


def detail_of(warnings: Sequence[ContextWarning]) -> str:
    told = [one_line(warning.text, 160) for warning in warnings[:_TOLD]]
    if len(warnings) > _TOLD:
        told.append(f"and {len(warnings) - _TOLD} more")
    return "\n".join(told)


class ContextAlerts(QObject):
    """``changed`` tells of other ``warnings``."""

    changed = Signal()

    def __init__(self, jobs: Jobs, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._document: OpenDocument | None = None
        self.warnings: tuple[ContextWarning, ...] = ()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self._look)

    def warnings_of(self, document: OpenDocument) -> tuple[ContextWarning, ...]:
        """What is known of a document's context by now; empty for one that isn't in front."""
        return self.warnings if document is self._document else ()

    def set_document(self, document: OpenDocument | None) -> None:
        """Look at another document's context, once there is time."""
        self._document = document
        self.look()

    def look(self) -> None:
        """Look again: something was saved, or another folder chosen."""
        self._timer.start()

    def set_warnings(self, warnings: tuple[ContextWarning, ...]) -> None:
        """Somebody who looks closer found these."""
        self._timer.stop()
        if warnings != self.warnings:
            self.warnings = warnings
            self.changed.emit()

    def _look(self) -> None:
        document = self._document
        folder = document.context_folder if document is not None else None
        if document is None or folder is None or document.kind != kinds.DOCKERFILE:
            self.set_warnings(())
            return
        own = str(document.path or "")
        self._jobs.submit(
            self,
            Call(glance, (folder, own, _AT_ONCE)),
            partial(self._on_first, folder, own),
            self._on_failed,
            lane="context",
            question="alerts",
        )

    def _on_first(self, folder: Path, own: str, seen: Glance) -> None:
        self.set_warnings(seen.warnings)
        if not seen.complete:
            self._jobs.submit(
                self,
                Call(glance, (folder, own, _MOST)),
                lambda whole: self.set_warnings(whole.warnings),
                self._on_failed,
                lane="context",
                question="alerts",
                process=True,
            )

    def _on_failed(self, _error: DockDeskError) -> None:
        """The view of the context says it, and so does a build."""
        self.set_warnings(())
