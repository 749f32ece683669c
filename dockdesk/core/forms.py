"""Forms as declarations: fields with checks, so that dialogs are made and tested from data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from dockdesk.core.records import dataclass


class FieldKind(Enum):
    TEXT = "text"
    MULTILINE = "multiline"
    NUMBER = "number"  # int
    DECIMAL = "decimal"  # float
    CHECK = "check"  # bool
    CHOICE = "choice"  # one of ``choices``
    EDITABLE_CHOICE = "editable_choice"  # ``choices`` or free text
    SECRET = "secret"  # never kept, never logged
    OPEN_FILE = "open_file"
    SAVE_FILE = "save_file"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a field: the stored value and the words shown for it."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form.

    ``check`` returns what is wrong with a value in one sentence, or None. ``choices_from`` names choices that must be
    looked up (it runs off the GUI thread with the action's context); ``choices`` are those known at once.
    """

    id: str
    title: str
    kind: FieldKind = FieldKind.TEXT
    default: Any = ""
    help: str = ""
    placeholder: str = ""
    required: bool = False
    choices: Sequence[Choice] = ()
    choices_from: Callable[[Any], Sequence[Choice]] | None = None
    check: Callable[[Any], str | None] | None = None
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""

    def problem(self, value: Any) -> str | None:
        """What is wrong with ``value``, in one sentence for the user, or None."""
        if self.required and (value is None or (isinstance(value, str) and not value.strip())):
            return f"{self.title} is needed."
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if self.minimum is not None and value < self.minimum:
                return f"{self.title} must be at least {self.minimum:g}."
            if self.maximum is not None and value > self.maximum:
                return f"{self.title} must be at most {self.maximum:g}."
        return self.check(value) if self.check is not None else None


@dataclass(frozen=True, slots=True)
class Form:
    """A titled set of fields; ``submit`` is the word on its button. ``check`` looks at all values together."""

    title: str
    fields: Sequence[Field]
    submit: str = "OK"
    intro: str = ""
    check: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None
    width: int = 480

    def problems(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Field id → what is wrong with it, for all fields at fault."""
        found = {
            item.id: problem
            for item in self.fields
            if (problem := item.problem(values.get(item.id, item.default))) is not None
        }
        if not found and self.check is not None:
            found.update(self.check(values))
        return found
