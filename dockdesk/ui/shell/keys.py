"""What the shortcut sheet shows, as data."""

from __future__ import annotations

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """One line of the sheet: what happens, and the keys (each a text such as "Ctrl+K") that make it happen."""

    title: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyGroup:
    title: str
    lines: tuple[Keys, ...]
