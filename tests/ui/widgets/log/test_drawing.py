"""Colours that can be read, scrolling over wrapped rows, and what is selected: parts without a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.logs.ansi import FAINT, REVERSE, TRUE_COLOUR, Style
from dockdesk.core.logs.cells import cell_offsets
from dockdesk.core.logs.store import LogSource, LogStore
from dockdesk.ui.theme import DARK, LIGHT, Tokens
from dockdesk.ui.widgets.log.colours import CONTRAST, TerminalPalette, contrast, rgb
from dockdesk.ui.widgets.log.layout import LineReader
from dockdesk.ui.widgets.log.scroller import RowScroller
from dockdesk.ui.widgets.log.selection import Position, Selection, word_at

colours = st.one_of(st.integers(-1, 255), st.integers(TRUE_COLOUR, 2 * TRUE_COLOUR - 1))


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
@given(colours, colours, st.sampled_from([0, FAINT, REVERSE, FAINT | REVERSE]))
def test_text_can_be_read_whatever_its_colours(
    tokens: Tokens, text: int, ground: int, flags: int
) -> None:
    palette = TerminalPalette(tokens.text, tokens.panel, tokens is DARK)
    pair = palette.pair(Style(text, ground, flags))
    assert contrast(pair.text, pair.ground or rgb(tokens.panel)) >= CONTRAST - 0.05


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_the_sixteen_colours_are_told_apart(tokens: Tokens) -> None:
    palette = TerminalPalette(tokens.text, tokens.panel, tokens is DARK)
    assert len({palette.pair(Style(code)).text for code in range(16)}) == 16


# --- Scrolling ---


class Rows:
    def __init__(self, heights: list[int], page: int) -> None:
        self.heights = heights
        self.scroller = RowScroller(lambda index: self.heights[index])
        self.scroller.uniform = False
        self.scroller.resize(len(heights), page)

    def lines(self) -> list[tuple[int, int]]:
        """What is in view, as (row, part)."""
        every = [(row, part) for row, height in enumerate(self.heights) for part in range(height)]
        at = every.index((self.scroller.top, self.scroller.part)) if every else 0
        return every[at : at + self.scroller.page]


heights = st.lists(st.integers(1, 6), min_size=1, max_size=30)


@given(heights, st.integers(1, 10))
def test_following_ends_with_the_last_line(sizes: list[int], page: int) -> None:
    rows = Rows(sizes, page)
    assert rows.lines()[-1] == (len(sizes) - 1, sizes[-1] - 1)
    assert len(rows.lines()) == min(page, sum(sizes))


@given(heights, st.integers(1, 10), st.lists(st.integers(-12, 12), max_size=12))
def test_scrolling_moves_by_lines_within_the_log(
    sizes: list[int], page: int, steps: list[int]
) -> None:
    rows = Rows(sizes, page)
    total = sum(sizes)
    at = max(0, total - page)
    every = [(row, part) for row, height in enumerate(sizes) for part in range(height)]
    for step in steps:
        rows.scroller.by(step)
        at = max(0, min(at + step, total - page, total - 1))
        assert (rows.scroller.top, rows.scroller.part) == every[max(0, at)]
        assert rows.scroller.following == (at >= total - page)


@given(heights, st.integers(2, 10), st.data())
def test_what_is_revealed_is_in_view(sizes: list[int], page: int, data: st.DataObject) -> None:
    rows = Rows(sizes, page)
    rows.scroller.to(data.draw(st.integers(0, len(sizes) - 1)))
    row = data.draw(st.integers(0, len(sizes) - 1))
    part = data.draw(st.integers(0, sizes[row] - 1))
    rows.scroller.reveal(row, part)
    assert (row, part) in rows.lines()


def test_a_view_that_does_not_follow_stays_where_it_is() -> None:
    scroller = RowScroller(lambda _index: 1)
    scroller.resize(100, 10)
    scroller.by(-20)
    scroller.resize(150, 10)
    assert (scroller.top, scroller.following) == (70, False)
    scroller.to_end()
    scroller.resize(200, 10)
    assert scroller.top == 190


# --- Selecting ---


def test_a_selection_goes_both_ways_and_keeps_its_word() -> None:
    selection = Selection()
    selection.begin(Position(5, 4), Position(5, 8))
    selection.extend(Position(5, 10), Position(5, 12))
    assert selection.range == (Position(5, 4), Position(5, 12))
    selection.extend(Position(3, 1), Position(3, 2))
    assert selection.range == (Position(3, 1), Position(5, 8))
    assert selection.cursor == Position(3, 1)


def test_rows_that_went_take_their_part_of_the_selection_along() -> None:
    selection = Selection()
    selection.begin(Position(2, 3), Position(2, 3))
    selection.extend(Position(9, 1), Position(9, 1))
    selection.forget_before(5)
    assert selection.range == (Position(5, 0), Position(9, 1))
    selection.forget_before(20)
    assert selection.range is None


@given(st.integers(0, 9), st.integers(0, 12), st.integers(0, 9), st.integers(0, 12))
def test_selected_characters_are_those_between_the_ends(
    row1: int, char1: int, row2: int, char2: int
) -> None:
    selection = Selection()
    selection.begin(Position(row1, char1), Position(row1, char1))
    selection.extend(Position(row2, char2), Position(row2, char2))
    start, end = sorted([(row1, char1), (row2, char2)])
    for row in range(10):
        chars = [char for char in range(13) if start <= (row, char) < end]
        found = selection.chars_of(row, 12)
        assert list(range(*found)) == chars if found else chars == []


@pytest.mark.parametrize(
    ("char", "word"),
    [(0, "GET"), (4, "/api/v1/items?id=1"[:13]), (17, "?"), (18, "id"), (22, "   "), (25, "200")],
)
def test_words_are_what_people_copy(char: int, word: str) -> None:
    text = "GET /api/v1/items?id=1   200"
    start, end = word_at(text, char)
    assert text[start:end] == word


# --- Reading rows ---


def test_colours_carry_over_to_rows_of_the_same_output() -> None:
    store = LogStore()
    generation = store.reset([LogSource("a"), LogSource("b")])
    for source, data in [
        (0, b"\x1b[31mred\n"),
        (1, b"plain\n"),
        (0, b"still red\n"),
        (0, b"\x1b[0mover\n"),
    ]:
        store.append(generation, source, 1, data)
    snapshot = store.snapshot()
    reader = LineReader()
    reader.use(snapshot)
    styles = {row.number: reader.line(row).runs[0][1] for row in reversed(reader.rows(range(4)))}
    assert styles == {0: Style(1), 1: Style(), 2: Style(1), 3: Style()}


@given(st.text("a日\te\u0301", max_size=20), st.floats(0, 60))
def test_the_nearest_character_is_hit(text: str, cell: float) -> None:
    store = LogStore()
    generation = store.reset([LogSource("a")])
    store.append(generation, 0, 1, text.encode() + b"\n")
    reader = LineReader()
    snapshot = store.snapshot()
    reader.use(snapshot)
    (row,) = reader.rows([0])
    line = reader.line(row)
    char = line.char_at(cell)
    offsets = list(cell_offsets(text) or range(len(text) + 1))
    assert abs(offsets[char] - cell) == min(abs(offset - cell) for offset in offsets)
