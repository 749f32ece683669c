"""Python's own ``import``, kept from Qt's hook.

PySide6 puts a hook into every import, which reads the source of each imported module to see whether it uses PySide
with ``__feature__``. DockDesk doesn't, and the hook takes a fifth of the time of all its imports.
"""

from __future__ import annotations

import builtins
import linecache

_plain = builtins.__import__  # imported before PySide6, see dockdesk.start


def restore() -> None:
    """Take the hook out again. Call it once PySide6 has been imported."""
    builtins.__import__ = _plain
    linecache.clearcache()  # the sources that it has read
