"""What DockDesk is connected to, how it is told apart at a glance, and what it lets through."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from dockdesk.core.actions import Danger
from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass


class Guard(Enum):
    """How careful an environment is: NORMAL asks by danger, PROTECTED asks for every change, READ_ONLY refuses all."""

    NORMAL = "normal"
    PROTECTED = "protected"
    READ_ONLY = "read-only"


class Confirmation(Enum):
    """How an action is asked about before it runs."""

    NONE = "none"
    ASK = "ask"
    TYPE_NAME = "type the name"


COLOURS = ("blue", "green", "amber", "red", "violet", "teal", "grey")


@dataclass(frozen=True, slots=True)
class Environment:
    """A Docker context, an AWS profile with a region, or a Kubernetes context.

    ``id`` is stable between starts (such as "docker:default"), ``colour`` one of COLOURS, ``source`` where it was found
    (such as "DOCKER_HOST" or "context desktop-linux"), ``address`` what it talks to, without secrets.
    """

    id: str
    kind: str
    name: str
    address: str
    source: str = ""
    colour: str = "blue"
    guard: Guard = Guard.NORMAL
    simulated: bool = False

    def marked(self, colour: str, guard: Guard) -> Environment:
        """The same environment as the user wants it coloured and guarded."""
        return replace(self, colour=colour if colour in COLOURS else self.colour, guard=guard)

    def refusal(self, danger: Danger) -> str | None:
        """Why the guard refuses an action of this danger, or None."""
        if self.guard is Guard.READ_ONLY and danger > Danger.READS:
            return (
                f"“{self.name}” is read-only in DockDesk. Change its guard in the environment menu."
            )
        return None

    def confirmation(self, danger: Danger) -> Confirmation:
        """How an action of this danger is confirmed here."""
        if danger is Danger.READS:
            return Confirmation.NONE
        if self.guard is Guard.PROTECTED:
            return Confirmation.TYPE_NAME if danger is Danger.DESTROYS else Confirmation.ASK
        return Confirmation.ASK if danger >= Danger.DISRUPTS else Confirmation.NONE

    def check(self, danger: Danger) -> None:
        """Raise DockDeskError if the guard refuses; the last line of defence right before a call runs."""
        if (reason := self.refusal(danger)) is not None:
            raise DockDeskError("Not done: the environment is read-only", reason)
