"""What a style of the terminal looks like in the theme's colours."""

from __future__ import annotations

from functools import lru_cache

from dockdesk.core.records import dataclass
from dockdesk.ui.theme.terminal_colours import terminal_colours
from dockdesk.ui.theme.tokens import Tokens
from dockdesk.ui.widgets.terminal.screen import DEFAULT_COLOUR, TRUE_COLOUR, Colours, Style

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
        self.colours = terminal_colours(tokens.name == "dark")
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
