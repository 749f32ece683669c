"""Stand-ins for the parts of the window that tests of actions and panes need, without a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockdesk.core.actions import AuditEntry, Equivalent
from dockdesk.core.columns import Tone
from dockdesk.core.environments import Environment, Guard
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.actions.questions import FilledForm, FormRequest, Question
from dockdesk.ui.context import NoticeAction


def environment(guard: Guard = Guard.NORMAL) -> Environment:
    return Environment("docker:test", "docker", "workshop", "unix:///run/docker.sock", guard=guard)


@dataclass
class Shown:
    """One notice as it was shown."""

    title: str
    detail: str
    hint: str
    tone: Tone
    actions: Sequence[NoticeAction]


@dataclass
class RecordingNotices:
    """Keeps what would have been shown."""

    shown: list[Shown] = field(default_factory=list)

    def show(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        tone: Tone = "info",
        actions: Sequence[NoticeAction] = (),
    ) -> None:
        self.shown.append(Shown(title, detail, hint, tone, actions))

    def failure(self, error: DockDeskError, actions: Sequence[NoticeAction] = ()) -> None:
        if not isinstance(error, CancelledError):
            self.shown.append(Shown(error.title, error.detail, error.hint, "bad", actions))


@dataclass
class ScriptedForm:
    """A form that was filled in; keeps how it ended."""

    values: dict[str, Any]
    closed: bool = False
    error: DockDeskError | None = None

    def done(self) -> None:
        self.closed = True

    def failed(self, error: DockDeskError) -> None:
        self.error = error


@dataclass
class ScriptedAsker:
    """Answers with ``values`` and ``agree``; keeps what was asked."""

    values: dict[str, Any] | None = None
    agree: bool = True
    forms: list[FormRequest] = field(default_factory=list)
    filled: list[ScriptedForm] = field(default_factory=list)
    previews: list[Sequence[Equivalent]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def form(self, request: FormRequest, accepted: Callable[[FilledForm], None]) -> None:
        self.forms.append(request)
        if self.values is not None:
            self.previews.append(request.preview(self.values))
            self.filled.append(ScriptedForm(self.values))
            accepted(self.filled[-1])

    def confirm(self, question: Question, accepted: Callable[[], None]) -> None:
        self.questions.append(question)
        if self.agree:
            accepted()


@dataclass
class FakeConnection:
    """What the runner asks of a session."""

    environment: Environment | None
    backend: Any
    capabilities: frozenset[str] = frozenset()


@dataclass
class RecordingNavigator:
    """Keeps where the user would have been led."""

    went: list[tuple[Any, ...]] = field(default_factory=list)

    def show_pane(self, pane_id: str) -> None:
        self.went.append(("pane", pane_id))

    def open(self, ref: ResourceRef) -> None:
        self.went.append(("open", ref))

    def trigger(self, action_id: str, rows: Sequence[Any] = ()) -> None:
        self.went.append(("trigger", action_id, list(rows)))

    def show_activity(self) -> None:
        self.went.append(("activity",))

    def show_settings(self, name: str = "") -> None:
        self.went.append(("settings", name))


class MemoryArchive:
    """core.ports.KeepsAudit in memory."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.fault: DockDeskError | None = None

    def add(self, entry: AuditEntry) -> int:
        if self.fault is not None:
            raise self.fault
        self.entries.append(replace(entry, id=len(self.entries) + 1))
        return len(self.entries)

    def newest(self, limit: int = 1000) -> list[AuditEntry]:
        return self.entries[::-1][:limit]

    def search(self, text: str, limit: int = 1000) -> list[AuditEntry]:
        words = text.casefold().split()
        found = [e for e in self.newest() if all(w in e.title.casefold() for w in words)]
        return found[:limit]

    def clear_before(self, at: float) -> int:
        before = len(self.entries)
        self.entries = [entry for entry in self.entries if entry.at >= at]
        return before - len(self.entries)
