"""libghostty-vt's incremental search, as a Search."""

from __future__ import annotations

from typing import Any

from pyghostty import ffi, lib

from dockdesk.ui.widgets.terminal.ghostty_calls import VIEWPORT, check, locate, new
from dockdesk.ui.widgets.terminal.screen import Match

_VISIBLE_LIMIT = 2000


class GhosttySearch:
    """A Search; see there."""

    def __init__(self, terminal: Any, needle: str) -> None:
        self._terminal = terminal
        handle = ffi.new("GhosttySearch*")
        check(lib.ghostty_search_new(ffi.NULL, handle, terminal), "start a search")
        self._search: Any = handle[0]
        self._rows_out = ffi.new("uint16_t*")
        self._status = ffi.new("GhosttySearchStatus*")
        text = ffi.new("GhosttyString*")
        encoded = ffi.from_buffer("uint8_t[]", needle.encode("utf-8", "replace"))
        text.ptr, text.len = encoded, len(encoded)
        check(lib.ghostty_search_set(self._search, lib.GHOSTTY_SEARCH_OPT_NEEDLE, text), "search")

    @property
    def open(self) -> bool:
        return self._search is not None

    def step(self) -> bool:
        if self._search is None:
            return False
        check(lib.ghostty_search_tick(self._search, self._status), "search on")
        if self._status[0] == lib.GHOSTTY_SEARCH_STATUS_FEED_REQUIRED:
            check(lib.ghostty_search_feed(self._search), "search on")
        return bool(self._status[0] != lib.GHOSTTY_SEARCH_STATUS_COMPLETE)

    def refresh(self) -> None:
        if self._search is not None:
            check(lib.ghostty_search_feed(self._search), "search on")

    @property
    def count(self) -> int:
        total = self._get(lib.GHOSTTY_SEARCH_DATA_TOTAL_MATCHES, ffi.new("size_t*"))
        return 0 if total is None else int(total[0])

    @property
    def current(self) -> int | None:
        index = self._get(lib.GHOSTTY_SEARCH_DATA_SELECTED_INDEX, ffi.new("size_t*"))
        return None if index is None else int(index[0])

    def go(self, older: bool) -> None:
        if self._search is None:
            return
        option = lib.GHOSTTY_SEARCH_OPT_SELECT_NEXT if older else lib.GHOSTTY_SEARCH_OPT_SELECT_PREV
        result = lib.ghostty_search_set(self._search, option, ffi.NULL)
        if result != lib.GHOSTTY_NO_VALUE:
            check(result, "go to a hit")

    def visible(self) -> list[Match]:
        if self._search is None:
            return []
        selections = ffi.new("GhosttySelection[]", _VISIBLE_LIMIT)
        buffer = ffi.new("GhosttySelectionBuffer*")
        buffer.ptr, buffer.cap = selections, _VISIBLE_LIMIT
        if self._get(lib.GHOSTTY_SEARCH_DATA_VIEWPORT_MATCHES, buffer) is None:
            return []
        selected = self._get(lib.GHOSTTY_SEARCH_DATA_SELECTED_MATCH, new("GhosttySelection"))
        current = None if selected is None else self._span(selected)
        found: list[Match] = []
        rows = self._viewport_rows()
        for index in range(buffer.len):
            span = self._span(ffi.addressof(selections, index))
            if span is not None and span[0][0] < rows:
                found += self._in_rows(span, span == current)
        return found

    def _viewport_rows(self) -> int:
        lib.ghostty_terminal_get(self._terminal, lib.GHOSTTY_TERMINAL_DATA_ROWS, self._rows_out)
        return int(self._rows_out[0])

    def _span(self, selection: Any) -> tuple[tuple[int, int], tuple[int, int]] | None:
        start = locate(self._terminal, ffi.addressof(selection, "start"), VIEWPORT)
        end = locate(self._terminal, ffi.addressof(selection, "end"), VIEWPORT)
        return None if start is None or end is None else (start, end)

    @staticmethod
    def _in_rows(span: tuple[tuple[int, int], tuple[int, int]], current: bool) -> list[Match]:
        (row, first), (end_row, last) = span
        return [
            Match(
                each,
                first if each == row else 0,
                last if each == end_row else 0xFFFF,
                current,
            )
            for each in range(row, end_row + 1)
        ]

    def _get(self, key: int, out: Any) -> Any | None:
        if self._search is None:
            return None
        result = lib.ghostty_search_get(self._search, key, out)
        return out if result == lib.GHOSTTY_SUCCESS else None

    def close(self) -> None:
        if self._search is not None:
            lib.ghostty_search_free(self._search)
            self._search = None
