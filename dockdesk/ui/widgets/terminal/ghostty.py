"""The terminal's core on libghostty-vt. Importing it costs about 100 ms of parsing declarations: see loading.py."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from pyghostty import ffi, lib

from dockdesk.ui.widgets.terminal.answers import ANSWER_LIMIT, is_safe
from dockdesk.ui.widgets.terminal.ghostty_calls import check, scroll_viewport, set_option
from dockdesk.ui.widgets.terminal.ghostty_rows import RowReader
from dockdesk.ui.widgets.terminal.ghostty_search import GhosttySearch
from dockdesk.ui.widgets.terminal.ghostty_selection import Selector
from dockdesk.ui.widgets.terminal.screen import (
    HISTORY,
    Colours,
    Cursor,
    Events,
    Mode,
    Row,
    Scroll,
    Shape,
    Unit,
)

_CELL_BYTES, _ROW_BYTES, _SPARE, _PAGE_BYTES = 8, 160, 1.1, 1 << 19
"""The scrollback is bounded by bytes: by lines the library drops whole pages and makes new ones, at a seventh of the
speed (9 against 63 MB/s for `seq 1 200000`). At these sizes, and one page more, it keeps the lines asked for."""
_NO_LINE_LIMIT = 1 << 30
_TITLE_LENGTH = 200
_COLUMN_MODE = 40  # permits DECCOLM, which would change the width behind the view's back

_SHAPES: dict[int, Shape] = {
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR: "bar",
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE: "underline",
}


class _Heard:
    """What the library's callbacks said since it was last asked; apart from the screen, which would be a cycle."""

    def __init__(self) -> None:
        self.answers = bytearray()
        self.bell = False
        self.title = False
        self.size = (80, 24, 8, 16)

    def answer(self, _terminal: Any, _data: Any, bytes_: Any, length: int) -> None:
        answer = ffi.buffer(bytes_, length)[:]
        if is_safe(answer) and len(self.answers) + length <= ANSWER_LIMIT:
            self.answers += answer

    def rang(self, _terminal: Any, _data: Any) -> None:
        self.bell = True

    def titled(self, _terminal: Any, _data: Any) -> None:
        self.title = True

    def asked_size(self, _terminal: Any, _data: Any, out: Any) -> bool:
        out.columns, out.rows, out.cell_width, out.cell_height = self.size
        return True


class GhosttyScreen:
    """A Screen; see there. It keeps about ``history`` lines above what is shown."""

    def __init__(self, columns: int, rows: int, history: int = HISTORY) -> None:
        handle = ffi.new("GhosttyTerminal*")
        check(lib.ghostty_terminal_new(ffi.NULL, handle, columns, rows), "make a terminal")
        self._terminal: Any = handle[0]
        self._columns, self._rows = columns, rows
        self._history = history
        self._cell = (8, 16)
        self._heard = _Heard()
        self._heard.size = (columns, rows, *self._cell)
        self._callbacks: list[Any] = []
        self._set_up()
        self._reader = RowReader(self._terminal)
        self._selector = Selector(self._terminal)
        self._searches: list[GhosttySearch] = []
        # Whoever forgets to close it: the library's memory goes with this object all the same.
        self._free = weakref.finalize(
            self, _free, self._terminal, self._reader, self._selector, self._searches
        )
        self._shown: list[Row] = []
        self._cursor = Cursor()
        self._mode_config = ffi.new("GhosttyTerminalModeConfig*")
        self._scrollbar = ffi.new("GhosttyTerminalScrollbar*")
        self._number = ffi.new("int*")
        self._short = ffi.new("uint16_t*")
        self.refresh()

    def _set_up(self) -> None:
        terminal, heard = self._terminal, self._heard
        sizes = {
            lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_LINES: _NO_LINE_LIMIT,
            lib.GHOSTTY_TERMINAL_OPT_APC_MAX_BYTES: 4096,
            lib.GHOSTTY_TERMINAL_OPT_CLIPBOARD_WRITE_MAX_BYTES: 0,
        }
        for option, size in sizes.items():
            set_option(terminal, option, ffi.new("size_t*", size))
        self._bound_history()
        # No images: they could read files, and nothing here paints them.
        set_option(
            terminal, lib.GHOSTTY_TERMINAL_OPT_KITTY_IMAGE_STORAGE_LIMIT, ffi.new("uint64_t*", 0)
        )
        set_option(terminal, lib.GHOSTTY_TERMINAL_OPT_DEFAULT_CURSOR_BLINK, ffi.new("bool*", True))
        for option, kind, function in (
            (lib.GHOSTTY_TERMINAL_OPT_WRITE_PTY, "GhosttyTerminalWritePtyFn", heard.answer),
            (lib.GHOSTTY_TERMINAL_OPT_BELL, "GhosttyTerminalBellFn", heard.rang),
            (lib.GHOSTTY_TERMINAL_OPT_TITLE_CHANGED, "GhosttyTerminalTitleChangedFn", heard.titled),
            (lib.GHOSTTY_TERMINAL_OPT_SIZE, "GhosttyTerminalSizeFn", heard.asked_size),
        ):
            callback = ffi.callback(kind, function)
            self._callbacks.append(callback)
            set_option(terminal, option, callback)

    @property
    def columns(self) -> int:
        return self._columns

    @property
    def rows(self) -> int:
        return self._rows

    @property
    def alternate(self) -> bool:
        key = lib.GHOSTTY_TERMINAL_DATA_ACTIVE_SCREEN
        check(lib.ghostty_terminal_get(self._terminal, key, self._number), "read the screen")
        return bool(self._number[0] == lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE)

    def write(self, output: bytes | memoryview) -> Events:
        data = ffi.from_buffer("uint8_t[]", output)
        lib.ghostty_terminal_vt_write(self._terminal, data, len(data))
        if self._flag(_COLUMN_MODE):
            self._refuse_column_mode()
        heard = self._heard
        if not (heard.answers or heard.bell or heard.title):
            return _NOTHING
        events = Events(bytes(heard.answers), heard.bell, self._title() if heard.title else None)
        heard.answers.clear()
        heard.bell = heard.title = False
        return events

    def _refuse_column_mode(self) -> None:
        config = self._mode_config
        config.mode, config.value = _COLUMN_MODE, False
        set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_MODE, config)
        self.resize(self._columns, self._rows, *self._cell)

    def _title(self) -> str:
        text = ffi.new("GhosttyString*")
        key = lib.GHOSTTY_TERMINAL_DATA_TITLE
        check(lib.ghostty_terminal_get(self._terminal, key, text), "read the title")
        raw = ffi.buffer(text.ptr, text.len)[:] if text.len else b""
        cleaned = "".join(char for char in raw.decode("utf-8", "replace") if char.isprintable())
        return cleaned[:_TITLE_LENGTH]

    def resize(self, columns: int, rows: int, cell_width: int, cell_height: int) -> None:
        self._columns, self._rows, self._cell = columns, rows, (cell_width, cell_height)
        self._heard.size = (columns, rows, cell_width, cell_height)
        check(
            lib.ghostty_terminal_resize(self._terminal, columns, rows, cell_width, cell_height),
            "resize",
        )
        self._bound_history()

    def _bound_history(self) -> None:
        size = round(self._history * _SPARE * (self._columns * _CELL_BYTES + _ROW_BYTES))
        size += _PAGE_BYTES if self._history else 0
        option = lib.GHOSTTY_TERMINAL_OPT_SCROLLBACK_MAX_BYTES
        set_option(self._terminal, option, ffi.new("size_t*", size))

    def refresh(self) -> Sequence[int]:
        changed = self._reader.update()
        if len(self._shown) != self._rows:
            self._shown = [Row()] * self._rows
        dirty: list[int] = []
        for index, row in changed:
            if index < self._rows:
                self._shown[index] = row
                dirty.append(index)
        self._cursor = self._read_cursor()
        return dirty

    def _read_cursor(self) -> Cursor:
        read = self._reader.cursor()
        return Cursor(
            column=max(0, read.viewport_x - (1 if read.wide_tail else 0)),
            row=read.viewport_y,
            shape=_SHAPES.get(read.visual_style, "block"),
            blinking=bool(read.blinking),
            shown=bool(read.visible and read.viewport_has_value),
        )

    def row(self, row: int) -> Row:
        return self._shown[row] if row < len(self._shown) else Row()

    def cursor(self) -> Cursor:
        return self._cursor

    def mode(self, mode: Mode) -> bool:
        return self._flag(mode.value)

    def _flag(self, number: int) -> bool:
        config = self._mode_config
        config.mode = number
        key = lib.GHOSTTY_TERMINAL_DATA_MODE
        check(lib.ghostty_terminal_get(self._terminal, key, config), "read a mode")
        return bool(config.value)

    def scroll(self) -> Scroll:
        bar = self._scrollbar
        key = lib.GHOSTTY_TERMINAL_DATA_SCROLLBAR
        check(lib.ghostty_terminal_get(self._terminal, key, bar), "read the scroll position")
        return Scroll(bar.total, bar.offset, bar.len)

    def scroll_to(self, offset: int) -> None:
        state = self.scroll()
        if offset + state.shown >= state.total:
            self.scroll_to_end()
        else:
            scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_ROW, max(0, offset))

    def scroll_to_end(self) -> None:
        scroll_viewport(self._terminal, lib.GHOSTTY_SCROLL_VIEWPORT_BOTTOM, 0)

    def begin_selection(self, column: int, row: int, unit: Unit) -> None:
        self._selector.begin(column, row, unit, self._columns)

    def extend_selection(self, column: int, row: int) -> None:
        self._selector.extend(column, row, self._columns)

    def select_all(self) -> None:
        self._selector.select_all()

    def clear_selection(self) -> None:
        self._selector.clear()

    def selected_text(self) -> str:
        return self._selector.text()

    def search(self, needle: str) -> GhosttySearch:
        search = GhosttySearch(self._terminal, needle)
        self._searches[:] = [each for each in self._searches if each.open]
        self._searches.append(search)
        return search

    def set_colours(self, colours: Colours) -> None:
        def rgb(target: Any, value: int) -> None:
            target.r, target.g, target.b = value >> 16 & 255, value >> 8 & 255, value & 255

        one = ffi.new("GhosttyColorRgb*")
        rgb(one, colours.foreground)
        set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_COLOR_FOREGROUND, one)
        rgb(one, colours.background)
        set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_COLOR_BACKGROUND, one)
        palette = ffi.new("GhosttyColorRgb[256]")
        for index, value in enumerate(colours.palette):
            rgb(palette[index], value)
        set_option(self._terminal, lib.GHOSTTY_TERMINAL_OPT_COLOR_PALETTE, palette)

    def clear(self) -> None:
        self.scroll_to_end()
        self.write(b"\x1b[3J")
        column, row = self._position()
        if row > 0 and not self.alternate:
            # Scroll what is above the cursor's line into the scrollback, and drop that.
            self.write(b"\x1b[%dS\x1b[3J\x1b[1;%dH" % (row, column + 1))

    def _position(self) -> tuple[int, int]:
        place = []
        for key in (lib.GHOSTTY_TERMINAL_DATA_CURSOR_X, lib.GHOSTTY_TERMINAL_DATA_CURSOR_Y):
            check(lib.ghostty_terminal_get(self._terminal, key, self._short), "read the cursor")
            place.append(int(self._short[0]))
        return place[0], place[1]

    def close(self) -> None:
        self._free()
        self._callbacks.clear()


def _free(
    terminal: Any, reader: RowReader, selector: Selector, searches: list[GhosttySearch]
) -> None:
    for search in searches:
        search.close()
    selector.close()
    reader.close()
    lib.ghostty_terminal_free(terminal)


_NOTHING = Events()
