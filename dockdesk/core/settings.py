"""Settings as typed declarations, and the store that keeps them.

A setting is declared once with its default, its words and its bounds: the dialog, its search and the checks of what is
read from disk follow from that. What DockDesk keeps here is never secret: secrets belong to the keyring.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from dockdesk.core.errors import DockDeskError, LocalError
from dockdesk.core.forms import Choice
from dockdesk.core.records import dataclass
from dockdesk.core.wholefile import write_whole

T = TypeVar("T")

Listener = Callable[[Any], None]


class SettingKind(Enum):
    """How a setting is shown and which values it takes."""

    SWITCH = "switch"  # bool
    CHOICE = "choice"  # a Choice's value
    NUMBER = "number"  # int between minimum and maximum
    TEXT = "text"
    STATE = "state"  # any JSON value; what the program remembers, not shown in the dialog


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One thing that can be set, or that is remembered.

    ``key`` stands in the file and never changes its meaning. ``minimum`` and ``maximum`` are in ``unit``.
    """

    key: str
    default: T
    title: str = ""
    help: str = ""
    group: str = ""
    kind: SettingKind = SettingKind.STATE
    choices: Sequence[Choice] = ()
    minimum: int = 0
    maximum: int = 1_000_000
    unit: str = ""

    def problem(self, value: object) -> str | None:
        """Why ``value`` can't be taken, in one sentence for the user, or None."""
        if self.kind is SettingKind.SWITCH:
            return None if isinstance(value, bool) else f"{self.title} is either on or off."
        if self.kind is SettingKind.CHOICE:
            known = {choice.value for choice in self.choices}
            return None if value in known else f"{self.title} has no choice “{value}”."
        if self.kind is SettingKind.NUMBER:
            whole = isinstance(value, int) and not isinstance(value, bool)
            if whole and self.minimum <= cast(int, value) <= self.maximum:
                return None
            unit = f" {self.unit}" if self.unit else ""
            return f"{self.title} must be between {self.minimum} and {self.maximum}{unit}."
        if self.kind is SettingKind.TEXT:
            return None if isinstance(value, str) else f"{self.title} must be text."
        same_shape = isinstance(value, Mapping) if isinstance(self.default, Mapping) else True
        return None if same_shape else f"“{self.key}” has another shape than expected."


class Settings:
    """Values of settings, kept as JSON in one file.

    Read and changed on the GUI thread; `load` and `save` touch the disk and may run on any thread. Keys that this
    version does not know, and values that it can't use, are kept as they are, so that an older or newer DockDesk
    loses nothing.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        self._listeners: dict[str, list[Listener]] = {}
        self._lock = threading.Lock()
        self._save_lock = threading.Lock()

    @property
    def path(self) -> Path | None:
        """The file they are kept in, or None where they live as long as the program."""
        return self._path

    def load(self) -> DockDeskError | None:
        """Read the file, one small read. Returns what went wrong, to be shown.

        A file that is no settings file is put aside as .bak: nothing in it is lost.
        """
        if self._path is None:
            return None
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            return LocalError(
                "The settings could not be read",
                f"{self._path}: {error.strerror or error}",
                "DockDesk starts with its defaults. Check the file's permissions.",
            )
        except (ValueError, RecursionError) as error:
            return self._put_aside(str(error))
        if not isinstance(found, dict):
            return self._put_aside("It holds no settings.")
        with self._lock:
            self._values = found
        return None

    def save(self) -> None:
        """Write the file, whole or not at all. Blocks: call it on a worker thread. Raises LocalError."""
        if self._path is None:
            return
        with self._save_lock:
            with self._lock:
                text = json.dumps(self._values, indent=2, sort_keys=True, ensure_ascii=False)
            try:
                write_whole(self._path, text + "\n")
            except OSError as error:
                raise LocalError(
                    "The settings could not be saved",
                    f"{self._path}: {error.strerror or error}",
                    "They apply until DockDesk is closed. Check the disk's space and the folder's permissions.",
                ) from error

    def get(self, setting: Setting[T]) -> T:
        """The value, or the default where none was set or what was set can't be used."""
        with self._lock:
            value = self._values.get(setting.key, setting.default)
        if value is not setting.default and setting.problem(value) is not None:
            return setting.default
        return cast(T, value)

    def set(self, setting: Setting[T], value: T) -> None:
        """Take a value, not to be changed later, and tell listeners.

        Raises ValueError, with words for the user, if it can't be taken.
        """
        if (problem := setting.problem(value)) is not None:
            raise ValueError(problem)
        before = self.get(setting)
        with self._lock:
            self._values[setting.key] = value
        if value != before:
            self._tell(setting, value)

    def reset(self, setting: Setting[Any]) -> None:
        """Go back to the default."""
        before = self.get(setting)
        with self._lock:
            self._values.pop(setting.key, None)
        if before != setting.default:
            self._tell(setting, setting.default)

    def is_default(self, setting: Setting[Any]) -> bool:
        return bool(self.get(setting) == setting.default)

    def listen(self, setting: Setting[T], listener: Callable[[T], None]) -> Callable[[], None]:
        """Call ``listener`` with the new value after each change; returns what ends that."""
        return self._listen(setting.key, listener)

    def listen_all(self, listener: Callable[[Setting[Any]], None]) -> Callable[[], None]:
        """Call ``listener`` with the setting after each change of any, such as to save soon."""
        return self._listen("", listener)

    def _listen(self, key: str, listener: Listener) -> Callable[[], None]:
        listeners = self._listeners.setdefault(key, [])
        listeners.append(listener)

        def end() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return end

    def _tell(self, setting: Setting[Any], value: Any) -> None:
        for listener in list(self._listeners.get(setting.key, ())):
            listener(value)
        for listener in list(self._listeners.get("", ())):
            listener(setting)

    def _put_aside(self, why: str) -> DockDeskError:
        assert self._path is not None
        aside = self._path.with_name(self._path.name + ".bak")
        try:
            os.replace(self._path, aside)
        except OSError as error:
            return LocalError(
                "The settings could not be read",
                f"{self._path}: {why} Nor could it be put aside: {error.strerror or error}.",
                "DockDesk starts with its defaults.",
            )
        return LocalError(
            "The settings could not be read",
            f"{self._path}: {why}",
            f"DockDesk starts with its defaults. The old file is kept as {aside.name}.",
        )
