"""One row of a log as safe text and colours.

Only "select graphic rendition" has an effect, and only on how text looks. Everything else a terminal would obey
(cursor moves, titles, clipboard writes, hyperlinks, device reports) is removed, never executed. No text is ever hidden:
concealed text is shown, an unterminated sequence loses its introducer and shows its payload, and other control
characters become their Unicode pictures.

Sources: ECMA-48 (5th edition) §5.4 and §8.3.117; xterm's ctlseqs for the 256 and direct colours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

DEFAULT_COLOUR = -1
TRUE_COLOUR = 1 << 24

BOLD = 1
FAINT = 2
ITALIC = 4
UNDERLINE = 8
STRIKE = 16
REVERSE = 32

MAX_CHANGES = 512
"""Escape sequences read in one row; what follows keeps the last style, so that a flood of them can't cost a frame."""

_BODY = (
    rb"\[[0-?]*+[ -/]*+[@-~]"  # control sequence
    rb"|[\]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\)"  # string: title, clipboard, hyperlink, …
    rb"|[ -/]++[0-~]"  # character sets and the like
    rb"|[0-~]"  # two-character sequence, or the introducer of an unterminated one
)
_ESCAPE = re.compile(rb"\x1b(?:" + _BODY + rb")?")
_RENDITION = re.compile(rb"\x1b\[([0-9;:]*)m\Z")
_RENDITIONS = re.compile(rb"\x1b\[([0-9;:]*)m")
_REMEMBERED = 32
_UNSAFE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)


class Style(NamedTuple):
    """How text looks. Colours are DEFAULT_COLOUR, 0 to 255 of the xterm palette, or TRUE_COLOUR + 0xRRGGBB."""

    foreground: int = DEFAULT_COLOUR
    background: int = DEFAULT_COLOUR
    flags: int = 0


class StyledText(NamedTuple):
    """``runs`` are (first character, style) in order, from character 0 on; ``end`` is the style after the row.

    ``text`` holds no control character but tabs.
    """

    text: str
    runs: tuple[tuple[int, Style], ...]
    end: Style


PLAIN = Style()


def strip_escapes(data: bytes) -> bytes:
    """``data`` (any number of rows) without escape sequences; newlines stay where they are."""
    return _ESCAPE.sub(b"", data) if b"\x1b" in data else data


def safe_text(data: bytes) -> str:
    """``data`` without escapes as text, one character for each character: broken UTF-8 as U+FFFD, controls as pictures.

    Newlines are controls too: give it one row.
    """
    return _safe(strip_escapes(data).decode("utf-8", "replace"))


def parse_row(data: bytes, style: Style = PLAIN) -> StyledText:
    """Read one row, beginning in ``style``. Never raises, whatever the bytes."""
    if b"\x1b" not in data:
        return StyledText(_safe(data.decode("utf-8", "replace")), ((0, style),), style)
    parts: list[str] = []
    runs: list[tuple[int, Style]] = [(0, style)]
    length = at = changes = 0
    for match in _ESCAPE.finditer(data):
        if match.start() > at:
            part = data[at : match.start()].decode("utf-8", "replace")
            parts.append(part)
            length += len(part)
        at = match.end()
        changes += 1
        if changes > MAX_CHANGES:
            break
        found = _RENDITION.match(match[0])
        if found is None:
            continue
        style = apply_rendition(style, found[1])
        if runs[-1][0] == length:
            runs[-1] = (length, style)
        elif runs[-1][1] != style:
            runs.append((length, style))
    parts.append(strip_escapes(data[at:]).decode("utf-8", "replace"))
    # Where a flood would have ended is not known; a style that leaks from it would be wrong for every row below.
    return StyledText(
        _safe("".join(parts)), tuple(runs), style if changes <= MAX_CHANGES else PLAIN
    )


def style_after(rows: Sequence[bytes]) -> Style:
    """The style that ``rows`` leave on, as far as their last style changes tell."""
    changes: list[bytes] = []
    for data in reversed(rows):
        for parameters in reversed(_RENDITIONS.findall(data)):
            changes.append(parameters)
            if len(changes) == _REMEMBERED or parameters in {b"", b"0"}:
                break
        else:
            continue
        break
    style = PLAIN
    for parameters in reversed(changes):
        style = apply_rendition(style, parameters)
    return style


@lru_cache(maxsize=4096)
def apply_rendition(style: Style, parameters: bytes) -> Style:
    """``style`` after the sequence ``CSI parameters m``. What isn't known changes nothing."""
    foreground, background, flags = style
    items = parameters.split(b";")
    position = 0
    while position < len(items):
        item = items[position]
        position += 1
        head, _, rest = item.partition(b":")
        code = _number(head) if head else 0
        if code in {38, 48}:
            colour, position = (
                (_colour(rest.split(b":")), position) if rest else _legacy(items, position)
            )
            if colour is not None:
                foreground, background = (
                    (colour, background) if code == 38 else (foreground, colour)
                )
        elif code == 0:
            foreground, background, flags = PLAIN
        elif code == 4:
            flags = flags & ~UNDERLINE if rest == b"0" else flags | UNDERLINE
        elif code in _SET:
            flags |= _SET[code]
        elif code in _UNSET:
            flags &= ~_UNSET[code]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            foreground = code - 30 if code < 40 else code - 82
        elif 40 <= code <= 47 or 100 <= code <= 107:
            background = code - 40 if code < 50 else code - 92
        elif code == 39:
            foreground = DEFAULT_COLOUR
        elif code == 49:
            background = DEFAULT_COLOUR
    return Style(foreground, background, flags)


_SET = {1: BOLD, 2: FAINT, 3: ITALIC, 7: REVERSE, 9: STRIKE, 21: UNDERLINE}
_UNSET = {22: BOLD | FAINT, 23: ITALIC, 24: UNDERLINE, 27: REVERSE, 29: STRIKE}


def _number(digits: bytes) -> int:
    """A parameter as a number; -1 for none and for absurd ones."""
    return int(digits) if digits.isdigit() and len(digits) < 6 else -1


def _legacy(items: list[bytes], position: int) -> tuple[int | None, int]:
    """A colour written with semicolons (38;5;n or 38;2;r;g;b), and where the next parameter is."""
    kind = items[position] if position < len(items) else b""
    size = {b"5": 2, b"2": 4}.get(kind, 1)
    return _colour(items[position : position + size]), position + size


def _colour(fields: list[bytes]) -> int | None:
    """A colour from 5,n or 2,r,g,b (or 2,space,r,g,b); None if it is none."""
    numbers = [_number(field) if field else 0 for field in fields[1:]]
    if any(not 0 <= number <= 255 for number in numbers):
        return None
    if fields[0] == b"5" and len(numbers) == 1:
        return numbers[0]
    if fields[0] == b"2" and len(numbers) >= 3:
        red, green, blue = numbers[1:4] if len(numbers) > 3 else numbers
        return TRUE_COLOUR + (red << 16 | green << 8 | blue)
    return None


def _safe(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"
