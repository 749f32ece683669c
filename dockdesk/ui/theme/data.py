"""What the package `dockdesk.data` ships, as bytes."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


def shipped(*parts: str) -> Path:
    """A shipped file or folder, such as ``shipped("icons", "box.svg")``."""
    found = _root()
    for part in parts:
        found = found / part
    return found


@cache
def _root() -> Path:
    # As importlib.resources would find it, which takes longer to import than all that is read there.
    spec = find_spec("dockdesk.data")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package dockdesk.data is not installed")
    return Path(next(iter(spec.submodule_search_locations)))
