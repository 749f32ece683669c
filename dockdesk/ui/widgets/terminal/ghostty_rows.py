"""From libghostty-vt's cells to runs of text.

A full screen is read 60 times a second during a flood, so cells are taken apart as numbers: 100 ns a cell against 2 µs
through the library's accessors. How they are packed is no promise of the library, so it's compared with the accessors
once, on cells of every kind, and where it differs the accessors are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from pyghostty import ffi, lib

from dockdesk.core.records import dataclass
from dockdesk.ui.widgets.terminal.ghostty_calls import check, new
from dockdesk.ui.widgets.terminal.screen import DEFAULT_COLOUR, PLAIN, TRUE_COLOUR, Row, Run, Style

_CODEPOINT = lib.GHOSTTY_CELL_CONTENT_CODEPOINT
_GRAPHEME = lib.GHOSTTY_CELL_CONTENT_CODEPOINT_GRAPHEME
_PALETTE_ONLY = lib.GHOSTTY_CELL_CONTENT_BG_COLOR_PALETTE
_RGB_ONLY = lib.GHOSTTY_CELL_CONTENT_BG_COLOR_RGB
_WIDE = lib.GHOSTTY_CELL_WIDE_WIDE
_NARROW = lib.GHOSTTY_CELL_WIDE_NARROW


@dataclass(frozen=True, slots=True)
class _Cell:
    tag: int
    content: int  # a code point, a palette index or 0xRRGGBB
    style: int
    wide: int


def _unpack(cell: int) -> _Cell:
    tag = cell & 3
    content = cell >> 2 & 0xFFFFFF
    if tag == _RGB_ONLY:
        content = (content & 0xFF) << 16 | content & 0xFF00 | content >> 16
    return _Cell(tag, content, cell >> 26 & 0xFFFF, cell >> 42 & 3)


def _ask(cell: int) -> _Cell:
    def get(key: int, kind: str) -> Any:
        out = ffi.new(kind)
        check(lib.ghostty_cell_get(cell, key, out), "read a cell")
        return out[0]

    tag = get(lib.GHOSTTY_CELL_DATA_CONTENT_TAG, "int*")
    if tag == _PALETTE_ONLY:
        content = get(lib.GHOSTTY_CELL_DATA_COLOR_PALETTE, "uint8_t*")
    elif tag == _RGB_ONLY:
        rgb = get(lib.GHOSTTY_CELL_DATA_COLOR_RGB, "GhosttyColorRgb*")
        content = rgb.r << 16 | rgb.g << 8 | rgb.b
    else:
        content = get(lib.GHOSTTY_CELL_DATA_CODEPOINT, "uint32_t*")
    style = get(lib.GHOSTTY_CELL_DATA_STYLE_ID, "uint16_t*")
    return _Cell(tag, content, style, get(lib.GHOSTTY_CELL_DATA_WIDE, "int*"))


class RowReader:
    """Reads what changed in the viewport. Keeps the library's render state, which tracks that."""

    def __init__(self, terminal: Any) -> None:
        self._terminal = terminal
        self._state = self._made("GhosttyRenderState", lib.ghostty_render_state_new)
        self._rows = ffi.new("GhosttyRenderStateRowIterator*")
        check(lib.ghostty_render_state_row_iterator_new(ffi.NULL, self._rows), "iterate rows")
        self._cells = ffi.new("GhosttyRenderStateRowCells*")
        check(lib.ghostty_render_state_row_cells_new(ffi.NULL, self._cells), "iterate cells")
        self._view = ffi.new("GhosttyCellsView*")
        self._index = ffi.new("uint16_t*")
        self._selection = new("GhosttyRenderStateRowSelection")
        self._style = new("GhosttyStyle")
        self._style_bytes = ffi.buffer(self._style)
        self._cursor = new("GhosttyRenderStateCursor")
        self._length = ffi.new("uint32_t*")
        self._styles: dict[bytes, Style] = {}

    @staticmethod
    def _made(kind: str, make: Callable[[Any, Any], int]) -> Any:
        handle = ffi.new(kind + "*")
        check(make(ffi.NULL, handle), f"make a {kind}")
        return handle[0]

    def update(self) -> list[tuple[int, Row]]:
        """The rows that changed since the last call, with their numbers."""
        state, rows = self._state, self._rows
        check(lib.ghostty_render_state_update(state, self._terminal), "update the rows")
        key = lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR
        check(lib.ghostty_render_state_get(state, key, rows), "iterate rows")
        changed = []
        while lib.ghostty_render_state_row_iterator_next_dirty(rows[0], self._index):
            changed.append((self._index[0], self._read_row(rows[0])))
        check(lib.ghostty_render_state_clean(state), "mark rows as drawn")
        return changed

    def cursor(self) -> Any:
        key = lib.GHOSTTY_RENDER_STATE_DATA_CURSOR
        check(lib.ghostty_render_state_get(self._state, key, self._cursor), "read the cursor")
        return self._cursor

    def _read_row(self, row: Any) -> Row:
        view = self._view
        key = lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW
        check(lib.ghostty_render_state_row_get(row, key, view), "read a row")
        cells = ffi.unpack(view.ptr, view.len)
        key = lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS
        check(lib.ghostty_render_state_row_get(row, key, self._cells), "read a row's cells")
        key = lib.GHOSTTY_RENDER_STATE_ROW_DATA_SELECTION
        selected = None
        if lib.ghostty_render_state_row_get(row, key, self._selection) == lib.GHOSTTY_SUCCESS:
            selected = (self._selection.start_x, self._selection.end_x)
        if not any(cells):
            return Row((), selected)
        if _PACKED and max(cells) >> 42 == 0 and not any(cell & 3 for cell in cells):
            return Row(tuple(self._plain_runs(cells)), selected)
        unpack = _unpack if _PACKED else _ask
        return Row(tuple(self._mixed_runs([unpack(cell) for cell in cells])), selected)

    def _plain_runs(self, cells: list[int]) -> Iterator[Run]:
        """Rows of narrow characters, nearly all: one run a style."""
        text = "".join([chr(cell >> 2 & 0x1FFFFF) for cell in cells]).replace("\0", " ")
        start = 0
        for style_id, group in groupby([cell >> 26 & 0xFFFF for cell in cells]):
            end = start + len(list(group))
            if style_id == 0:
                piece = text[start:end]
                shown = piece.rstrip(" ") if end == len(text) else piece
                if shown and not shown.isspace():
                    yield Run(start, len(shown), shown, PLAIN)
            else:
                yield Run(start, end - start, text[start:end], self._style_at(start))
            start = end

    def _mixed_runs(self, cells: list[_Cell]) -> Iterator[Run]:
        column = 0
        while column < len(cells):
            cell = cells[column]
            if cell.tag in (_PALETTE_ONLY, _RGB_ONLY):
                end = column + 1
                while end < len(cells) and cells[end] == cell:
                    end += 1
                colour = cell.content | (TRUE_COLOUR if cell.tag == _RGB_ONLY else 0)
                yield Run(column, end - column, " " * (end - column), Style(background=colour))
            elif cell.tag == _GRAPHEME or cell.wide != _NARROW:
                end = min(column + (2 if cell.wide == _WIDE else 1), len(cells))
                yield self._cluster(column, end - column, cell)
            else:
                end = column + 1
                while end < len(cells) and _joins(cell, cells[end]):
                    end += 1
                text = "".join(chr(each.content or 32) for each in cells[column:end])
                if cell.style == 0:
                    text = text.rstrip(" ") if end == len(cells) else text
                if text:
                    yield Run(column, len(text), text, self._style_of(cell, column))
            column = end

    def _cluster(self, column: int, cells: int, cell: _Cell) -> Run:
        text = chr(cell.content or 32)
        if cell.tag == _GRAPHEME:
            text = self._graphemes(column) or text
        return Run(column, cells, text, self._style_of(cell, column), cluster=cell.content != 0)

    def _style_of(self, cell: _Cell, column: int) -> Style:
        return PLAIN if cell.style == 0 else self._style_at(column)

    def _style_at(self, column: int) -> Style:
        """The style of a cell of the row being read. Equal styles are one object, so that painting can compare."""
        cells = self._cells[0]
        check(lib.ghostty_render_state_row_cells_select(cells, column), "go to a cell")
        key = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_STYLE
        check(lib.ghostty_render_state_row_cells_get(cells, key, self._style), "read a style")
        raw = self._style_bytes[:]
        style = self._styles.get(raw)
        if style is None:
            if len(self._styles) > 4096:
                self._styles.clear()
            style = self._styles[raw] = _style(self._style)
        return style

    def _graphemes(self, column: int) -> str:
        cells = self._cells[0]
        check(lib.ghostty_render_state_row_cells_select(cells, column), "go to a cell")
        key = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_LEN
        check(lib.ghostty_render_state_row_cells_get(cells, key, self._length), "read a cell")
        buffer = ffi.new("uint32_t[]", max(1, self._length[0]))
        key = lib.GHOSTTY_RENDER_STATE_ROW_CELLS_DATA_GRAPHEMES_BUF
        check(lib.ghostty_render_state_row_cells_get(cells, key, buffer), "read a cell")
        return "".join(map(chr, buffer[0 : min(self._length[0], 32)]))

    def close(self) -> None:
        lib.ghostty_render_state_row_cells_free(self._cells[0])
        lib.ghostty_render_state_row_iterator_free(self._rows[0])
        lib.ghostty_render_state_free(self._state)


def _joins(first: _Cell, other: _Cell) -> bool:
    return other.tag == _CODEPOINT and other.wide == _NARROW and other.style == first.style


def _colour(colour: Any) -> int:
    if colour.tag == lib.GHOSTTY_STYLE_COLOR_PALETTE:
        return int(colour.value.palette)
    if colour.tag == lib.GHOSTTY_STYLE_COLOR_RGB:
        rgb = colour.value.rgb
        return TRUE_COLOUR | int(rgb.r << 16 | rgb.g << 8 | rgb.b)
    return DEFAULT_COLOUR


def _style(style: Any) -> Style:
    return Style(
        foreground=_colour(style.fg_color),
        background=_colour(style.bg_color),
        underline_colour=_colour(style.underline_color),
        bold=bool(style.bold),
        italic=bool(style.italic),
        faint=bool(style.faint),
        inverse=bool(style.inverse),
        invisible=bool(style.invisible),
        strike=bool(style.strikethrough),
        overline=bool(style.overline),
        underline=int(style.underline),
    )


def _is_packed_as_known() -> bool:
    handle = ffi.new("GhosttyTerminal*")
    check(lib.ghostty_terminal_new(ffi.NULL, handle, 12, 3), "make a terminal")
    terminal = handle[0]
    sample = "a\x1b[31mé漢\x1b[0mx\u0301\U0001f600\x1b[44m\x1b[K\r\n\x1b[48;2;1;200;3m\x1b[K\r\n".encode()
    lib.ghostty_terminal_vt_write(terminal, sample, len(sample))
    state = RowReader._made("GhosttyRenderState", lib.ghostty_render_state_new)
    rows, view = ffi.new("GhosttyRenderStateRowIterator*"), ffi.new("GhosttyCellsView*")
    check(lib.ghostty_render_state_row_iterator_new(ffi.NULL, rows), "iterate rows")
    try:
        check(lib.ghostty_render_state_update(state, terminal), "update the rows")
        key = lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR
        check(lib.ghostty_render_state_get(state, key, rows), "iterate rows")
        while lib.ghostty_render_state_row_iterator_next(rows[0]):
            key = lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW
            check(lib.ghostty_render_state_row_get(rows[0], key, view), "read a row")
            if any(_unpack(cell) != _ask(cell) for cell in ffi.unpack(view.ptr, view.len)):
                return False
        return True
    finally:
        lib.ghostty_render_state_row_iterator_free(rows[0])
        lib.ghostty_render_state_free(state)
        lib.ghostty_terminal_free(terminal)


_PACKED = _is_packed_as_known()
