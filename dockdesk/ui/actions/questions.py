"""What is asked before an action runs, as data, and who asks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dockdesk.core.actions import Action, Equivalent, Values
from dockdesk.core.environments import Confirmation, Environment
from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Form
from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What a confirmation says: the action, the names of its targets, what will happen, and the same as commands."""

    action: Action[Any]
    targets: tuple[str, ...]
    skipped: int
    consequence: str
    environment: Environment
    kind: Confirmation
    equivalents: tuple[Equivalent, ...]

    @property
    def typed(self) -> str:
        """What has to be typed, or an empty string: the single target's name, else the environment's."""
        if self.kind is not Confirmation.TYPE_NAME:
            return ""
        return self.targets[0] if len(self.targets) == 1 else self.environment.name


class FilledForm(Protocol):
    """A form that was submitted and is still there: nothing typed is lost until its action really begins."""

    @property
    def values(self) -> Values: ...

    def done(self) -> None:
        """The action begins: close the form."""

    def failed(self, error: DockDeskError) -> None:
        """The values can't be used: say why, at the field where the error names one."""


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A form to be filled in for an action.

    ``backend`` is what its fields look their choices up in, ``preview`` gives the equivalents of the values as they are
    typed, ``values`` fill it in beforehand.
    """

    action: Action[Any]
    form: Form
    backend: Any
    preview: Callable[[Values], Sequence[Equivalent]]
    values: Values


class Asker(Protocol):
    """Asks the user: dialogs in the program, answers given beforehand in tests.

    Both methods return at once and call back later, or never where the user gives up.
    """

    def form(self, request: FormRequest, accepted: Callable[[FilledForm], None]) -> None:
        """Have a form filled in."""

    def confirm(self, question: Question, accepted: Callable[[], None]) -> None:
        """Have an action confirmed."""
