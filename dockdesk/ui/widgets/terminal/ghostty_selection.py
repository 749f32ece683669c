"""Selecting text in libghostty-vt, which keeps a selection on its text while that scrolls or is wrapped anew."""

from __future__ import annotations

from typing import Any

from pyghostty import ffi, lib

from dockdesk.ui.widgets.terminal.ghostty_calls import (
    VIEWPORT,
    WHOLE,
    check,
    grid_ref,
    locate,
    new,
    set_option,
    track,
)
from dockdesk.ui.widgets.terminal.screen import Unit

_Place = tuple[int, int]
"""Row and column, rows from the oldest of the scrollback: places compare as text flows."""


class Selector:
    """The one selection of a terminal."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._anchor: Any = None
        self._past_end = False  # the anchor is the right edge of the last column
        self._unit: Unit = "character"

    def begin(self, column: int, row: int, unit: Unit, columns: int) -> None:
        self._drop_anchor()
        self._unit = unit
        self._past_end = column >= columns
        self._anchor = track(self._terminal, VIEWPORT, min(column, columns - 1), row)
        if unit == "character":
            self.clear()
        else:
            self.extend(column, row, columns)

    def extend(self, column: int, row: int, columns: int) -> None:
        anchor, head = self._anchor_place(), self._place(VIEWPORT, min(column, columns - 1), row)
        if anchor is None or head is None:
            return
        if self._unit == "character":
            self._select_edges(
                (anchor[0], anchor[1] + self._past_end), (head[0], min(column, columns)), columns
            )
            return
        first, last = sorted((anchor, head))
        start, end = self._around(first), self._around(last)
        self._set(min(start[0], end[0]), max(start[1], end[1]))

    def _select_edges(self, one: _Place, other: _Place, columns: int) -> None:
        """Select between two edges, given as the column to the right of each."""
        (row, column), (end_row, end_column) = sorted((one, other))
        if (row, column) == (end_row, end_column):
            self.clear()
            return
        start = (row, column) if column < columns else (row + 1, 0)
        end = (end_row, end_column - 1) if end_column else (end_row - 1, columns - 1)
        if start <= end:
            self._set(start, end)
        else:
            self.clear()

    def select_all(self) -> None:
        selection = new("GhosttySelection")
        if lib.ghostty_terminal_select_all(self._terminal, selection) == lib.GHOSTTY_SUCCESS:
            set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_SELECTION, selection)

    def clear(self) -> None:
        set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_SELECTION, ffi.NULL)

    def text(self) -> str:
        options = new("GhosttyTerminalSelectionFormatOptions")
        options.emit = lib.GHOSTTY_FORMATTER_FORMAT_PLAIN
        options.unwrap = options.trim = True
        options.selection = ffi.NULL
        pointer, length = ffi.new("uint8_t**"), ffi.new("size_t*")
        result = lib.ghostty_terminal_selection_format_alloc(
            self._terminal, ffi.NULL, options[0], pointer, length
        )
        if result == lib.GHOSTTY_NO_VALUE:
            return ""
        check(result, "read the selection")
        try:
            raw: bytes = ffi.buffer(pointer[0], length[0])[:]
            return raw.decode("utf-8", "replace")
        finally:
            lib.ghostty_free(ffi.NULL, pointer[0], length[0])

    def close(self) -> None:
        self._drop_anchor()

    def _around(self, place: _Place) -> tuple[_Place, _Place]:
        """The word or line at a place; the cell alone where there is none."""
        row, column = place
        ref = grid_ref(self._terminal, WHOLE, column, row)
        selection = new("GhosttySelection")
        if ref is None:
            return place, place
        if self._unit == "word":
            options = new("GhosttyTerminalSelectWordOptions")
            options.ref = ref[0]
            result = lib.ghostty_terminal_select_word(self._terminal, options, selection)
        else:
            options = new("GhosttyTerminalSelectLineOptions")
            options.ref = ref[0]
            result = lib.ghostty_terminal_select_line(self._terminal, options, selection)
        if result != lib.GHOSTTY_SUCCESS:
            return place, place
        start = locate(self._terminal, ffi.addressof(selection, "start"), WHOLE)
        end = locate(self._terminal, ffi.addressof(selection, "end"), WHOLE)
        return (start or place), (end or place)

    def _set(self, start: _Place, end: _Place) -> None:
        first = grid_ref(self._terminal, WHOLE, start[1], start[0])
        last = grid_ref(self._terminal, WHOLE, end[1], end[0])
        if first is None or last is None:
            return
        selection = new("GhosttySelection")
        selection.start, selection.end = first[0], last[0]
        set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_SELECTION, selection)

    def _place(self, tag: int, column: int, row: int) -> _Place | None:
        ref = grid_ref(self._terminal, tag, column, row)
        return None if ref is None else locate(self._terminal, ref, WHOLE)

    def _anchor_place(self) -> _Place | None:
        if self._anchor is None:
            return None
        point = ffi.new("GhosttyPointCoordinate*")
        result = lib.ghostty_tracked_grid_ref_point(self._anchor, WHOLE, point)
        return (point.y, point.x) if result == lib.GHOSTTY_SUCCESS else None

    def _drop_anchor(self) -> None:
        if self._anchor is not None:
            lib.ghostty_tracked_grid_ref_free(self._anchor)
            self._anchor = None
