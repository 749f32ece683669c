"""Terminal colours that can be read on the theme in force, whatever the program that wrote them assumed.

Source for the formulas: WCAG 2.2, "relative luminance" and "contrast ratio"; for colours 16 to 255: xterm's 256colres.
"""

from __future__ import annotations

from typing import NamedTuple

from dockdesk.core.logs.ansi import (
    DEFAULT_COLOUR,
    FAINT,
    REVERSE,
    TRUE_COLOUR,
    Style,
)

Rgb = tuple[int, int, int]

CONTRAST = 4.5

_LIGHT = (
    "1b2130 c3234a 0b7a3b 8f5b0a 2458d6 8b3fc7 0b7285 5f6b80"
    " 4b5565 d92d50 12863f a16207 2f6bff a04fd9 0f7f92 707a8c"
)
_DARK = (
    "7d879b f2637e 3ecf8e f5b84c 7aa2ff c08bf0 4cc9c0 cfd5e1"
    " 98a1b3 ff8aa0 6fe3ad ffd27a 9dbbff d6b0fa 7fe0d8 ffffff"
)
_BLACK: Rgb = (0, 0, 0)
_WHITE: Rgb = (255, 255, 255)
_LINEAR = [
    value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    for value in (part / 255 for part in range(256))
]
_LEVELS = (0, 95, 135, 175, 215, 255)


def rgb(text: str) -> Rgb:
    """A colour from rrggbb, with or without a #."""
    number = int(text.lstrip("#"), 16)
    return number >> 16, number >> 8 & 255, number & 255


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0.0 for black to 1.0 for white."""
    red, green, blue = colour
    return 0.2126 * _LINEAR[red] + 0.7152 * _LINEAR[green] + 0.0722 * _LINEAR[blue]


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1.0 to 21.0."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    """``one`` with ``share`` (0.0 to 1.0) of ``other`` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def readable(colour: Rgb, ground: Rgb, ratio: float = CONTRAST) -> Rgb:
    """``colour``, made lighter or darker by as little as it takes to be read on ``ground``."""
    if contrast(colour, ground) >= ratio:
        return colour
    target = max(_BLACK, _WHITE, key=lambda end: contrast(end, ground))
    low, high = 0.0, 1.0
    for _ in range(8):
        middle = (low + high) / 2
        if contrast(mixed(colour, target, middle), ground) >= ratio:
            high = middle
        else:
            low = middle
    return mixed(colour, target, high)


class Pair(NamedTuple):
    """Text and ground of a style; no ground where it is the view's own."""

    text: Rgb
    ground: Rgb | None


class TerminalPalette:
    """Styles as colours for one theme. ``text`` and ``ground`` are those of the view; all #rrggbb."""

    def __init__(self, text: str, ground: str, dark: bool) -> None:
        self._text = rgb(text)
        self._ground = rgb(ground)
        self._named = [rgb(item) for item in (_DARK if dark else _LIGHT).split()]
        # Black as a ground is black also where black as text had to become grey.
        self._grounds = [rgb("0b0e14"), *self._named[1:]] if dark else self._named
        self._pairs: dict[Style, Pair] = {}

    def pair(self, style: Style) -> Pair:
        found = self._pairs.get(style)
        if found is None:
            if len(self._pairs) > 4096:
                self._pairs.clear()
            found = self._pairs[style] = self._make(style)
        return found

    def _make(self, style: Style) -> Pair:
        text = self._colour(style.foreground, self._named, self._text)
        ground: Rgb | None = None
        if style.background != DEFAULT_COLOUR:
            ground = self._colour(style.background, self._grounds, self._ground)
        if style.flags & REVERSE:
            text, ground = ground if ground is not None else self._ground, text
        behind = ground if ground is not None else self._ground
        if style.flags & FAINT:
            text = mixed(text, behind, 0.4)
        return Pair(readable(text, behind), ground)

    @staticmethod
    def _colour(code: int, named: list[Rgb], default: Rgb) -> Rgb:
        if code == DEFAULT_COLOUR:
            return default
        if code >= TRUE_COLOUR:
            return code >> 16 & 255, code >> 8 & 255, code & 255
        if code < 16:
            return named[code]
        if code >= 232:
            grey = 8 + 10 * (code - 232)
            return grey, grey, grey
        code -= 16
        return _LEVELS[code // 36], _LEVELS[code // 6 % 6], _LEVELS[code % 6]
