"""What the package `dockdesk.data` ships, as bytes."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def shipped(*parts: str) -> Traversable:
    """A shipped file or folder, such as ``shipped("icons", "box.svg")``."""
    found = files("dockdesk.data")
    for part in parts:
        found = found / part
    return found
