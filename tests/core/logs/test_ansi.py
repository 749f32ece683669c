"""Whatever bytes a log holds, what is shown of them is safe and complete."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.logs.ansi import (
    BOLD,
    DEFAULT_COLOUR,
    FAINT,
    ITALIC,
    MAX_CHANGES,
    PLAIN,
    REVERSE,
    STRIKE,
    TRUE_COLOUR,
    UNDERLINE,
    Style,
    parse_row,
    safe_text,
    strip_escapes,
    style_after,
)

nasty = st.lists(
    st.one_of(
        st.binary(max_size=12),
        st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(
            [
                b"\x1b",
                b"\x1b[",
                b"\x1b]0;",
                b"\x07",
                b"\x1b\\",
                b"\x1bP",
                b"\x1b[31m",
                b"\x1b[0m",
                b"\x9b",
                b"\xc2\x9b",
                b"\x1b[38;5;",
                b"\x1b[38;2;1;2;3m",
                b"\x1b[4:3m",
                b"\x1b[38:2::9:8:7m",
                b"m",
                b";",
                b"\r",
                b"\x00",
                b"\t",
            ]
        ),
    ),
    max_size=12,
).map(lambda parts: b"".join(parts).replace(b"\n", b""))


@given(nasty)
def test_no_control_character_is_ever_shown(data: bytes) -> None:
    shown = parse_row(data)
    assert not [char for char in shown.text if unicodedata.category(char) == "Cc" and char != "\t"]
    assert not set(shown.text) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029"
    )
    shown.text.encode()  # no lone surrogates: it can be copied


@given(nasty)
def test_runs_cover_the_text_in_order(data: bytes) -> None:
    text, runs, _ = parse_row(data)
    starts = [start for start, _ in runs]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert starts[-1] <= len(text)
    for _, style in runs:
        for colour in style[:2]:
            assert DEFAULT_COLOUR <= colour <= 255 or TRUE_COLOUR <= colour < 2 * TRUE_COLOUR


@given(nasty)
def test_stripped_bytes_hold_no_escape(data: bytes) -> None:
    assert b"\x1b" not in strip_escapes(data)
    assert strip_escapes(strip_escapes(data)) == strip_escapes(data)


@given(st.text(st.characters(blacklist_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=40))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    shown = parse_row(text.encode())
    assert shown.text == text == safe_text(text.encode())
    assert shown.runs == ((0, PLAIN),)


@given(nasty, nasty)
def test_stripping_several_rows_keeps_their_newlines(one: bytes, two: bytes) -> None:
    assert strip_escapes(one + b"\n" + two).count(b"\n") == 1


@given(
    st.lists(
        st.lists(
            st.sampled_from([b"0", b"", b"1", b"22", b"31", b"38;5;9", b"48;2;1;2;3", b"7"]),
            max_size=5,
        )
    )
)
def test_what_rows_leave_on_is_what_reading_them_leaves_on(rows: list[list[bytes]]) -> None:
    written = [b"x".join(b"\x1b[" + change + b"m" for change in changes) for changes in rows]
    style = PLAIN
    for row in written[-6:]:
        style = parse_row(row, style).end
    assert style_after(written[-6:]) == style


@pytest.mark.parametrize(
    ("sequence", "shown"),
    [
        (b"\x1b]0;pwned\x07safe", "safe"),  # window title
        (b"\x1b]52;c;cm0gLXJmIC8=\x07safe", "safe"),  # clipboard
        (b"\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b[2J\x1b[1;1Hsafe", "safe"),
        (b"a\x1b[1000Db", "ab"),
        (b"\x1b[6n\x1b[csafe", "safe"),  # reports
        (b"\x1bP+q544e\x1b\\safe", "safe"),
        (b"\x1b(0safe\x1b(B", "safe"),
        (b"\x1b[8mconcealed\x1b[0m", "concealed"),
        (b"\x1b]0;never ended", "0;never ended"),
        (b"\x1b[31", "31"),
        (b"\x1b", ""),
        (b"hidden\rshown", "hidden\u240dshown"),
        (b"abc\x08\x08\x00\x07", "abc\u2408\u2408\u2400\u2407"),
        (b"\xff\xfe ok \xc3", "\ufffd\ufffd ok \ufffd"),
        ("\u202egpj.exe".encode(), "\ufffdgpj.exe"),
        (b"\xc2\x9b31m", "\ufffd31m"),
        (b"a\tb", "a\tb"),
    ],
)
def test_a_sequence_is_shown_but_not_obeyed(sequence: bytes, shown: str) -> None:
    assert parse_row(sequence).text == shown
    assert safe_text(sequence) == shown


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        (b"", PLAIN),
        (b"0", PLAIN),
        (b"31", Style(1)),
        (b"97", Style(15)),
        (b"104", Style(background=12)),
        (b"1;3;4;9;2", Style(flags=BOLD | ITALIC | UNDERLINE | STRIKE | FAINT)),
        (b"7", Style(flags=REVERSE)),
        (b"1;22", PLAIN),
        (b"38;5;208", Style(208)),
        (b"48;5;16;1", Style(background=16, flags=BOLD)),
        (b"38;2;1;2;3", Style(TRUE_COLOUR + 0x010203)),
        (b"38:2::1:2:3", Style(TRUE_COLOUR + 0x010203)),
        (b"38:2:1:2:3", Style(TRUE_COLOUR + 0x010203)),
        (b"48:5:9", Style(background=9)),
        (b"4:3", Style(flags=UNDERLINE)),
        (b"4:0", PLAIN),
        (b"31;39", PLAIN),
        (b"41;49", PLAIN),
        (b"38;5", PLAIN),
        (b"38;2;1;2", PLAIN),
        (b"38;5;256", PLAIN),
        (b"38;9;31", Style(1)),
        (b"99999999999999999999", PLAIN),
    ],
)
def test_renditions(parameters: bytes, style: Style) -> None:
    assert parse_row(b"\x1b[" + parameters + b"m").end == style


def test_private_sequences_that_end_in_m_are_no_renditions() -> None:
    assert parse_row(b"\x1b[>4;1mtext").end == PLAIN


def test_styles_carry_over_from_the_row_before() -> None:
    first = parse_row(b"\x1b[1;31mred")
    second = parse_row(b"still \x1b[0mplain", first.end)
    assert second.runs == ((0, Style(1, flags=BOLD)), (6, PLAIN))
    assert style_after([b"\x1b[1;31mred"]) == first.end


def test_a_flood_of_styles_ends() -> None:
    shown = parse_row(b"".join(b"\x1b[38;5;%dmx" % (index % 256) for index in range(5000)))
    assert shown.text == "x" * 5000
    assert len(shown.runs) <= MAX_CHANGES + 1
    assert shown.end == PLAIN
