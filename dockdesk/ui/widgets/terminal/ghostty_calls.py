"""Calls into libghostty-vt that need care, in one place.

cffi in ABI mode can't pass unions by value, which a few functions take. A struct of the same layout is passed in the
same way on every platform there is a wheel for, so such functions are called through a pointer of that type.
"""

from __future__ import annotations

from typing import Any

from pyghostty import GhosttyError, ffi, lib

ffi.cdef(
    """
typedef struct { GhosttyPointTag tag; struct { uint16_t x; uint32_t y; uint64_t rest; } value; }
    DockDeskPoint;
typedef struct { GhosttyTerminalScrollViewportTag tag; struct { intptr_t amount; uint64_t rest; } value; }
    DockDeskScroll;
"""
)
for _own, _theirs in (
    ("DockDeskPoint", "GhosttyPoint"),
    ("DockDeskScroll", "GhosttyTerminalScrollViewport"),
):
    if ffi.sizeof(_own) != ffi.sizeof(_theirs) or ffi.alignof(_own) != ffi.alignof(_theirs):
        raise ImportError(f"this libghostty-vt lays out {_theirs} in another way")

_grid_ref = ffi.cast(
    "GhosttyResult(*)(GhosttyTerminal, DockDeskPoint, GhosttyGridRef*)",
    ffi.addressof(lib, "ghostty_terminal_grid_ref"),
)
_track = ffi.cast(
    "GhosttyResult(*)(GhosttyTerminal, DockDeskPoint, GhosttyTrackedGridRef*)",
    ffi.addressof(lib, "ghostty_terminal_grid_ref_track"),
)
_scroll = ffi.cast(
    "void(*)(GhosttyTerminal, DockDeskScroll)",
    ffi.addressof(lib, "ghostty_terminal_scroll_viewport"),
)

VIEWPORT: int = lib.GHOSTTY_POINT_TAG_VIEWPORT
WHOLE: int = lib.GHOSTTY_POINT_TAG_SCREEN
"""Counts rows from the oldest of the scrollback."""


def check(result: int, what: str) -> None:
    """Raise unless a call succeeded: a failure here is a fault of the program, not of the user."""
    if result != lib.GHOSTTY_SUCCESS:
        raise GhosttyError(f"could not {what}: {result}")


def new(kind: str) -> Any:
    """A struct that begins with its own size, as the library wants it, nested ones too."""
    made = ffi.new(kind + "*")
    _fill_sizes(made)
    return made


def _fill_sizes(pointer: Any) -> None:
    kind = ffi.typeof(pointer).item
    for name, field in kind.fields:
        if name == "size":
            pointer.size = ffi.sizeof(kind)
        elif field.type.kind == "struct":
            _fill_sizes(ffi.addressof(pointer[0], name))


def set_option(terminal: Any, option: int, value: Any) -> None:
    check(lib.ghostty_terminal_set(terminal, option, value), f"set option {option}")


def _point(tag: int, column: int, row: int) -> Any:
    point = ffi.new("DockDeskPoint*")
    point.tag = tag
    point.value.x, point.value.y = column, row
    return point[0]


def grid_ref(terminal: Any, tag: int, column: int, row: int) -> Any | None:
    """A reference to a cell, good until the terminal changes; None if there is no such cell."""
    ref = new("GhosttyGridRef")
    if _grid_ref(terminal, _point(tag, column, row), ref) != lib.GHOSTTY_SUCCESS:
        return None
    return ref


def track(terminal: Any, tag: int, column: int, row: int) -> Any | None:
    """A reference that follows its cell when it scrolls or is wrapped anew. Free it."""
    ref = ffi.new("GhosttyTrackedGridRef*")
    if _track(terminal, _point(tag, column, row), ref) != lib.GHOSTTY_SUCCESS:
        return None
    return ref[0]


def locate(terminal: Any, ref: Any, tag: int) -> tuple[int, int] | None:
    """Row and column of a reference; None if it is not in the part that ``tag`` names."""
    point = ffi.new("GhosttyPointCoordinate*")
    result = lib.ghostty_terminal_point_from_grid_ref(terminal, ref, tag, point)
    return (point.y, point.x) if result == lib.GHOSTTY_SUCCESS else None


def scroll_viewport(terminal: Any, tag: int, amount: int) -> None:
    scroll = ffi.new("DockDeskScroll*")
    scroll.tag = tag
    scroll.value.amount = amount
    _scroll(terminal, scroll[0])
