"""The 256 colours of a terminal, and what a style looks like in them.

The first 16 follow the theme, chosen so that each is legible on the panel it is drawn on (4.5:1 or more, but for the
"black" of a dark and the "white" of a light terminal, which programs use as backgrounds). The other 240 are xterm's
colour cube and grey ramp.
"""

from __future__ import annotations

from functools import lru_cache

from dockdesk.core.records import dataclass
from dockdesk.ui.theme.tokens import Tokens
from dockdesk.ui.widgets.terminal.screen import DEFAULT_COLOUR, TRUE_COLOUR, Colours, Style

_LIGHT_16 = (
    *(0x1B2130, 0xC3234A, 0x0B7A3B, 0x8F5B0A, 0x2458D6, 0x8B3FC0, 0x0A7280, 0xC9CED8),
    *(0x5F6B80, 0xD5304F, 0x0F8444, 0x9A6208, 0x2A66FA, 0x9A4FD0, 0x0B7D8C, 0xFFFFFF),
)
_DARK_16 = (
    *(0x2B3240, 0xF2637E, 0x3ECF8E, 0xF5B84C, 0x7AA2FF, 0xC792EA, 0x4FC4CF, 0xD5DAE4),
    *(0x98A1B3, 0xFF8296, 0x6CE0AC, 0xFFCF7A, 0x9DBBFF, 0xD9B1F5, 0x7FDBE4, 0xFFFFFF),
)
_FAINT = 0.55
"""How much of the foreground is left in faint text."""


@dataclass(frozen=True, slots=True)
class Look:
    """A style in colours, each 0xRRGGBB. ``background`` is None where the terminal's own shows through."""

    foreground: int
    background: int | None
    line: int


class Palette:
    """A theme's terminal colours."""

    def __init__(self, tokens: Tokens) -> None:
        sixteen = _DARK_16 if tokens.name == "dark" else _LIGHT_16
        self.colours = (*sixteen, *_cube(), *(0x010101 * (8 + 10 * step) for step in range(24)))
        self.foreground = number(tokens.text)
        self.background = number(tokens.panel)
        self.cursor = number(tokens.accent)
        self.on_cursor = number(tokens.on_accent)
        self.selection = _mixed(number(tokens.accent), self.background, 0.32)
        self.match = _mixed(number(tokens.warn), self.background, 0.30)
        self.current_match = _mixed(number(tokens.warn), self.background, 0.45)
        self.match_frame = number(tokens.warn)
        self.look = lru_cache(maxsize=4096)(self._look)

    def told(self) -> Colours:
        """What programs that ask for the colours hear."""
        return Colours(self.foreground, self.background, self.colours)

    def colour(self, value: int, default: int) -> int:
        if value == DEFAULT_COLOUR:
            return default
        return value & 0xFFFFFF if value & TRUE_COLOUR else self.colours[value & 255]

    def _look(self, style: Style) -> Look:
        foreground = self.colour(style.foreground, self.foreground)
        background: int | None = None
        if style.background != DEFAULT_COLOUR:
            background = self.colour(style.background, self.background)
        if style.inverse:
            foreground, background = (
                self.background if background is None else background,
                foreground,
            )
        under = self.background if background is None else background
        if style.faint:
            foreground = _mixed(foreground, under, _FAINT)
        if style.invisible:
            foreground = under
        return Look(foreground, background, self.colour(style.underline_colour, foreground))


def number(text: str) -> int:
    """0xRRGGBB from #rrggbb."""
    return int(text.removeprefix("#"), 16)


def _mixed(colour: int, other: int, share: float) -> int:
    mixed = 0
    for shift in (16, 8, 0):
        one, two = colour >> shift & 255, other >> shift & 255
        mixed |= round(one * share + two * (1 - share)) << shift
    return mixed


def _cube() -> tuple[int, ...]:
    steps = (0, 95, 135, 175, 215, 255)
    return tuple(
        red << 16 | green << 8 | blue for red in steps for green in steps for blue in steps
    )
