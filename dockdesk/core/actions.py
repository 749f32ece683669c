"""Actions as data. From one declaration come the toolbar button, context menu, menu bar entry, palette entry,
shortcut, shortcut sheet, confirmation, read-only guard, audit line and the equivalent commands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Generic, TypeVar

from dockdesk.core.forms import Form
from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef
from dockdesk.core.work import Work

T = TypeVar("T")

Values = Mapping[str, Any]
MANY = 5  # rows beyond this number are hardly chosen one by one


class Danger(IntEnum):
    """How much harm an action can do; it decides how it is confirmed and what a guard refuses."""

    READS = 0  # changes nothing: allowed everywhere, never asked
    CHANGES = 1  # changes something, easily undone: refused when read-only, asked when protected
    DISRUPTS = 2  # interrupts something that runs: asked
    DESTROYS = 3  # cannot be undone: asked with what is lost; when protected, the name is typed


@dataclass(frozen=True, slots=True)
class Equivalent:
    """The same request in the user's other tools: a shell command, an SDK call (Python), an API request.

    An empty string means that the tool has no equivalent. Secrets never stand in any of them.
    """

    cli: str
    sdk: str = ""
    api: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that an action makes: what to run off the GUI thread, on what, and its equivalents.

    ``run`` gets the backend (the pane's ports) and the running Work. Calls of one ``target`` run in order.
    """

    target: ResourceRef
    run: Callable[[Any, Work], Any]
    equivalent: Equivalent


def bound_to(subject: str, request: Callable[[Any, str], Any]) -> Callable[[Any, Work], Any]:
    """``request(backend, subject)`` as the ``run`` of a Call, for plans that loop over rows."""
    return lambda backend, _work: request(backend, subject)


@dataclass(frozen=True, slots=True)
class Action(Generic[T]):
    """One thing a user can do to resources of type ``T``.

    ``plan`` turns the chosen rows and the form's values into calls; it is pure. An action without ``plan`` opens
    something: the pane or the shell that owns it gives the handler. ``form`` may depend on the rows. ``refuse`` returns
    why an action cannot be done to a row now, or None. ``consequence`` is what the confirmation says will happen.
    ``needs`` is a capability of the backend (a member of its ``capabilities`` set) without which it is disabled.
    ``primary`` ones stand in the toolbar. One that ``interrupts`` is not asked about for a few rows, but for many.
    """

    id: str
    title: str
    icon: str
    plan: Callable[[Sequence[T], Values], Sequence[Call]] | None = None
    danger: Danger = Danger.READS
    shortcut: str = ""
    many: bool = True
    on_rows: bool = True  # False: needs no chosen row, such as prune or pull
    primary: bool = False
    form: Callable[[Sequence[T]], Form] | None = None
    refuse: Callable[[T], str | None] | None = None
    consequence: Callable[[Sequence[T]], str] | None = None
    needs: str = ""
    group: str = ""  # actions of one group stand together in menus
    help: str = ""
    interrupts: bool = False

    def danger_to(self, count: int) -> Danger:
        """The harm that it can do to ``count`` rows at once."""
        if self.interrupts and count > MANY:
            return max(self.danger, Danger.DISRUPTS)
        return self.danger

    def refusal(self, rows: Sequence[T]) -> str | None:
        """Why the action can't be done to ``rows`` in one sentence, or None where it can."""
        if self.on_rows and not rows:
            return "Nothing is selected."
        if self.on_rows and not self.many and len(rows) > 1:
            return "Select a single row."
        if self.refuse is None or not self.on_rows:
            return None
        first: str | None = None
        for row in rows:  # ends at the first row it can be done to: thousands may be selected
            if (reason := self.refuse(row)) is None:
                return None
            first = first or reason
        return first

    def applicable(self, rows: Sequence[T]) -> list[T]:
        """Those of ``rows`` that the action can be done to."""
        if self.refuse is None:
            return list(rows)
        return [row for row in rows if self.refuse(row) is None]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What was done, kept in the archive: when (seconds since 1970, UTC), where, what, and how it ended.

    ``outcome`` is "ok", "failed" or "cancelled"; ``error`` is the failure's text. ``duration`` is in seconds.
    """

    at: float
    environment: str
    action: str
    title: str
    target: str
    equivalent: Equivalent
    outcome: str
    error: str = ""
    duration: float = 0.0
    id: int = 0
