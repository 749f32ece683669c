"""What the package `dockdesk.data` ships, as bytes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable


def shipped(*parts: str) -> Traversable:
    """A shipped file or folder, such as ``shipped("icons", "box.svg")``."""
    found = _root()
    for part in parts:
        found = found / part
    return found


@cache
def _root() -> Traversable:
    return files("dockdesk.data")
