"""Terminal colours that can be read on the theme in force, whatever the program that wrote them assumed.

Source for the formulas: WCAG 2.2, "relative luminance" and "contrast ratio".
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
from dockdesk.ui.theme.terminal_colours import terminal_colours

Rgb = tuple[int, int, int]

CONTRAST = 4.5

_BLACK: Rgb = (0, 0, 0)
_WHITE: Rgb = (255, 255, 255)
_LINEAR = [
    value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    for value in (part / 255 for part in range(256))
]


def rgb(text: str) -> Rgb:
    """A colour from rrggbb, with or without a #."""
    return _parts(int(text.lstrip("#"), 16))


def _parts(number: int) -> Rgb:
    return number >> 16 & 255, number >> 8 & 255, number & 255


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
        self._colours = [_parts(number) for number in terminal_colours(dark)]
        self._pairs: dict[Style, Pair] = {}

    def pair(self, style: Style) -> Pair:
        found = self._pairs.get(style)
        if found is None:
            if len(self._pairs) > 4096:
                self._pairs.clear()
            found = self._pairs[style] = self._make(style)
        return found

    def _make(self, style: Style) -> Pair:
        text = self._colour(style.foreground, self._text)
        ground: Rgb | None = None
        if style.background != DEFAULT_COLOUR:
            ground = self._colour(style.background, self._ground)
        if style.flags & REVERSE:
            text, ground = ground if ground is not None else self._ground, text
        behind = ground if ground is not None else self._ground
        if style.flags & FAINT:
            text = mixed(text, behind, 0.4)
        return Pair(readable(text, behind), ground)

    def _colour(self, code: int, default: Rgb) -> Rgb:
        if code == DEFAULT_COLOUR:
            return default
        return _parts(code) if code >= TRUE_COLOUR else self._colours[code]
