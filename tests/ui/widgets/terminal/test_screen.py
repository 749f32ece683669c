"""The emulator's core through the Screen protocol."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.ui.widgets.terminal import ghostty_rows
from dockdesk.ui.widgets.terminal.screen import TRUE_COLOUR, Colours, Mode, Screen, Style

Make = Callable[..., Screen]


def line(screen: Screen, row: int) -> str:
    text = ""
    for run in screen.row(row).runs:
        text = text.ljust(run.column) + run.text
    return text.rstrip()


def test_text_and_styles_come_as_runs(make_screen: Make) -> None:
    screen = make_screen()
    screen.write(b"a \x1b[1;31mred\x1b[0;4:3m wavy\x1b[0m\x1b[48;2;1;2;3m \x1b[0m")
    screen.refresh()
    runs = screen.row(0).runs
    assert [run.text for run in runs] == ["a ", "red", " wavy", " "]
    assert runs[1].style == Style(foreground=1, bold=True)
    assert runs[2].style == Style(underline=3)
    assert runs[3].style.background == TRUE_COLOUR | 0x010203
    assert screen.cursor().column == 11


def test_wide_and_combining_characters_keep_their_cells(make_screen: Make) -> None:
    screen = make_screen()
    screen.write("漢e\u0301x".encode())
    screen.refresh()
    wide, combined, plain = screen.row(0).runs
    assert (wide.column, wide.cells, wide.text, wide.cluster) == (0, 2, "漢", True)
    assert (combined.column, combined.cells, combined.text) == (2, 1, "e\u0301")
    assert (plain.column, plain.text) == (3, "x")


def test_output_may_be_cut_anywhere(make_screen: Make) -> None:
    whole, cut = make_screen(), make_screen()
    output = "x\x1b[1;38;5;200mé漢\x1b[0m\x1b]0;title\x07y\r\nz".encode()
    whole.write(output)
    for byte in output:
        cut.write(bytes([byte]))
    whole.refresh()
    cut.refresh()
    assert [cut.row(row) for row in range(6)] == [whole.row(row) for row in range(6)]


def test_colour_of_erased_cells(make_screen: Make) -> None:
    screen = make_screen(10, 3)
    screen.write(b"\x1b[44mab\x1b[K\r\n\x1b[48;2;9;8;7m\x1b[K")
    screen.refresh()
    assert sum(run.cells for run in screen.row(0).runs) == 10
    assert all(run.style.background == 4 for run in screen.row(0).runs)
    assert screen.row(1).runs[0].style.background == TRUE_COLOUR | 0x090807


def test_slow_and_fast_reading_agree(make_screen: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    output = "plain \x1b[31mred\x1b[0m é漢 e\u0301\x1b[42m\x1b[K\r\n\x1b[48;2;1;2;3m\x1b[K".encode()
    fast = make_screen()
    fast.write(output)
    fast.refresh()
    assert ghostty_rows._PACKED, "the library packs cells in another way: reading is slow now"
    monkeypatch.setattr(ghostty_rows, "_PACKED", False)
    slow = make_screen()
    slow.write(output)
    slow.refresh()

    def cells(screen: Screen, row: int) -> list[tuple[str, Style]]:
        """Cell by cell: how runs are cut may differ."""
        return [
            (char, run.style)
            for run in screen.row(row).runs
            for char in ([run.text] if run.cluster else run.text)
            if char != " " or run.style != Style()
        ]

    assert [cells(slow, row) for row in range(6)] == [cells(fast, row) for row in range(6)]


def test_only_what_changed_is_reported(make_screen: Make) -> None:
    screen = make_screen()
    screen.refresh()
    assert list(screen.refresh()) == []
    screen.write(b"\x1b[4;1Hx")
    assert 3 in screen.refresh()
    screen.write(b"y")
    assert list(screen.refresh()) == [3]


def test_scrollback_keeps_ten_thousand_lines_of_any_width(make_screen: Make) -> None:
    for columns in (80, 240):
        screen = make_screen(columns, 24)
        for number in range(0, 30_000, 100):
            screen.write(
                b"".join(
                    b"line %d %s\r\n" % (n, b"x" * (columns - 20))
                    for n in range(number, number + 100)
                )
            )
        scroll = screen.scroll()
        assert scroll.total - scroll.shown >= 10_000
        screen.scroll_to(0)
        screen.refresh()
        assert not screen.scroll().at_end
        oldest = line(screen, 0)
        screen.write(b"more\r\n")
        screen.refresh()
        assert line(screen, 0) == oldest, "reading the scrollback is not disturbed by output"
        screen.scroll_to_end()
        screen.refresh()
        assert screen.scroll().at_end
        assert "more" in [line(screen, row) for row in range(24)]


def test_the_cursor_is_not_shown_where_it_is_not(make_screen: Make) -> None:
    screen = make_screen()
    screen.write(b"\r\n" * 30)
    screen.refresh()
    assert screen.cursor().shown
    screen.scroll_to(0)
    screen.refresh()
    assert not screen.cursor().shown
    screen.scroll_to_end()
    screen.write(b"\x1b[?25l")
    screen.refresh()
    assert not screen.cursor().shown
    screen.write(b"\x1b[?25h\x1b[5 q")
    screen.refresh()
    assert (screen.cursor().shape, screen.cursor().blinking) == ("bar", True)
    screen.write(b"\x1b[4 q")
    screen.refresh()
    assert (screen.cursor().shape, screen.cursor().blinking) == ("underline", False)


def test_selecting_characters_words_and_lines(make_screen: Make) -> None:
    screen = make_screen()
    screen.write(b"one two/three four\r\nfive six\r\n")
    screen.begin_selection(4, 0, "character")
    assert screen.selected_text() == ""
    screen.extend_selection(7, 0)
    assert screen.selected_text() == "two"
    screen.extend_selection(4, 1)
    assert screen.selected_text() == "two/three four\nfive"
    screen.extend_selection(0, 0)
    assert screen.selected_text() == "one ".rstrip()
    screen.refresh()
    assert screen.row(0).selected == (0, 3)
    screen.begin_selection(6, 0, "word")
    assert screen.selected_text() == "two/three"
    screen.extend_selection(1, 1)
    assert screen.selected_text() == "two/three four\nfive"
    screen.begin_selection(1, 1, "line")
    assert screen.selected_text() == "five six"
    screen.clear_selection()
    assert screen.selected_text() == ""


def test_a_selection_stays_on_its_text(make_screen: Make) -> None:
    screen = make_screen(20, 4)
    screen.write(b"keep me\r\n")
    screen.begin_selection(0, 0, "word")
    for number in range(50):
        screen.write(b"more %d\r\n" % number)
    assert screen.selected_text() == "keep"
    screen.resize(9, 4, 8, 16)
    assert screen.selected_text() == "keep"


def test_wrapped_lines_are_copied_as_one(make_screen: Make) -> None:
    screen = make_screen(10, 5)
    screen.write(b"0123456789abcdef\r\nnext\r\n")
    screen.begin_selection(0, 0, "line")
    assert screen.selected_text() == "0123456789abcdef"
    screen.select_all()
    assert screen.selected_text() == "0123456789abcdef\nnext"


def test_searching_the_scrollback(make_screen: Make) -> None:
    screen = make_screen(30, 5)
    for number in range(500):
        screen.write(b"line %d %s\r\n" % (number, b"Needle" if number % 100 == 50 else b"hay"))
    search = screen.search("needle")
    while search.step():
        pass
    assert (search.count, search.current) == (5, None)
    search.go(older=True)
    assert search.current == 0
    screen.refresh()
    found = [match for match in search.visible() if match.current]
    assert len(found) == 1
    assert line(screen, found[0].row) == "line 450 Needle"
    assert (found[0].first, found[0].last) == (9, 14)
    search.go(older=False)
    assert search.current == 4, "round the end"
    screen.write(b"a needle more\r\n")
    search.refresh()
    while search.step():
        pass
    assert search.count == 6
    search.close()
    assert search.count == 0
    assert search.visible() == []


def test_answers_are_safe_ones_only(make_screen: Make) -> None:
    screen = make_screen()
    assert screen.write(b"ab\x1b[6n").answers == b"\x1b[1;3R"
    assert screen.write(b"\x1b[c").answers.startswith(b"\x1b[?")
    assert screen.write(b"\x1b[5n").answers == b"\x1b[0n"
    assert screen.write(b"\x1b[18t").answers == b"\x1b[8;6;40t"
    hostile = b"\x1b]0;rm -rf /\r\x07\x1b[21t\x1b[20t\x1b]52;c;?\x07\x1b]52;c;cm0=\x07\x05\x1bP$qm\x1b\\\x1b[>q\x1b[?u"
    assert screen.write(hostile).answers == b""


def test_a_flood_of_queries_is_not_a_flood_of_input(make_screen: Make) -> None:
    assert len(make_screen().write(b"\x1b[6n" * 10_000).answers) <= 4096


def test_programs_can_learn_the_colours(make_screen: Make) -> None:
    screen = make_screen()
    screen.set_colours(Colours(0x112233, 0xF0F0F0, [0xABCDEF] * 256))
    assert b"rgb:f0f0/f0f0/f0f0" in screen.write(b"\x1b]11;?\x07").answers
    assert b"rgb:1111/2222/3333" in screen.write(b"\x1b]10;?\x07").answers
    assert b"rgb:abab/cdcd/efef" in screen.write(b"\x1b]4;7;?\x07").answers


def test_bell_and_title(make_screen: Make) -> None:
    screen = make_screen()
    assert screen.write(b"\x07").bell
    assert screen.write(b"x") == type(screen.write(b"y"))()
    assert screen.write("\x1b]2;web — \u202ebash\x07".encode()).title == "web — bash"
    assert len(screen.write(b"\x1b]2;" + b"t" * 900 + b"\x07").title or "") == 200


def test_modes_and_the_alternate_screen(make_screen: Make) -> None:
    screen = make_screen()
    assert not screen.mode(Mode.BRACKETED_PASTE)
    screen.write(b"\x1b[?2004h\x1b[?1h\x1b[?1002;1006h\x1b[?1049h")
    assert screen.mode(Mode.BRACKETED_PASTE)
    assert screen.mode(Mode.APPLICATION_CURSOR)
    assert screen.mode(Mode.MOUSE_DRAGS)
    assert screen.mode(Mode.MOUSE_SGR)
    assert screen.alternate
    screen.write(b"\x1b[?1049l")
    assert not screen.alternate


def test_a_program_cannot_change_the_width(make_screen: Make) -> None:
    screen = make_screen(40, 6)
    screen.write(b"\x1b[?40h\x1b[?3h" + b"x" * 40 + b"yz")
    screen.refresh()
    assert (screen.columns, screen.rows) == (40, 6)
    assert max(run.column + run.cells for row in range(6) for run in screen.row(row).runs) <= 40


def test_clearing_leaves_the_line_of_the_cursor(make_screen: Make) -> None:
    screen = make_screen(20, 5)
    screen.write(b"old\r\n" * 20 + b"$ typed")
    screen.clear()
    screen.refresh()
    assert [line(screen, row) for row in range(5)] == ["$ typed", "", "", "", ""]
    assert (screen.cursor().column, screen.cursor().row) == (7, 0)
    assert screen.scroll().total == 5


def test_reflow_keeps_the_text(make_screen: Make) -> None:
    screen = make_screen(40, 5)
    screen.write(b"a line that is thirty-four letters\r\n")
    screen.resize(10, 5, 8, 16)
    screen.refresh()
    screen.resize(40, 5, 8, 16)
    screen.refresh()
    assert "a line that is thirty-four letters" in [line(screen, row) for row in range(5)]


def test_memory_is_freed_with_the_screen(make_screen: Make) -> None:
    from dockdesk.ui.widgets.terminal.ghostty import GhosttyScreen

    forgotten = GhosttyScreen(20, 5)
    forgotten.write(b"\x1b[6n\x07")
    gone = weakref.ref(forgotten)
    finalizer = forgotten._free
    del forgotten
    gc.collect()
    assert gone() is None
    assert not finalizer.alive


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [
                    b"\x1b[",
                    b"\x1b]",
                    b"\x1bP",
                    b"\x1b[99999999999999999999;1H",
                    b"\x1b[2147483648A",
                    b"\x1b[38;2;999;999;999m",
                    b"\x1b[65535b",
                    b"\xf0\x9f\x98",
                    b"\x1b[?1049h",
                    b"\x1b[?1049l",
                    b"\x1b[1;1r",
                    b"\x1b[r",
                    b"\x1bc",
                    "👩‍👩‍👧‍👦".encode(),
                    "e\u0301\u0301\u0301".encode() * 5,
                ]
            ),
        ),
        max_size=40,
    )
)
def test_no_output_breaks_it(chunks: list[bytes]) -> None:
    from dockdesk.ui.widgets.terminal.ghostty import GhosttyScreen

    screen = GhosttyScreen(20, 5)
    try:
        for chunk in chunks:
            screen.write(chunk)
            screen.refresh()
        for row in range(5):
            assert all(run.column + run.cells <= 20 for run in screen.row(row).runs)
            assert all(run.cluster or len(run.text) == run.cells for run in screen.row(row).runs)
    finally:
        screen.close()
