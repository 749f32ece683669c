"""Stand-ins for the parts of the window that tests of actions and panes need, without a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockdesk.core.actions import Equivalent, Values
from dockdesk.core.columns import Tone
from dockdesk.core.environments import Environment, Guard
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.forms import Form
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.actions.questions import Question
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
class ScriptedAsker:
    """Answers with ``values`` and ``agree``; keeps what was asked."""

    values: dict[str, Any] | None = None
    agree: bool = True
    forms: list[Form] = field(default_factory=list)
    previews: list[Sequence[Equivalent]] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def form(
        self,
        form: Form,
        backend: Any,
        preview: Callable[[Values], Sequence[Equivalent]],
        accepted: Callable[[Values], None],
    ) -> None:
        self.forms.append(form)
        if self.values is not None:
            self.previews.append(preview(self.values))
            accepted(self.values)

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
        self.entries: list[Any] = []
        self.fault: DockDeskError | None = None

    def add(self, entry: Any) -> int:
        if self.fault is not None:
            raise self.fault
        self.entries.append(entry)
        return len(self.entries)

    def newest(self, limit: int = 1000) -> list[Any]:
        return self.entries[-limit:]
