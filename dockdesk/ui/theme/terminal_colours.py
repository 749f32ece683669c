"""The 256 colours of terminals, for logs and terminals alike.

The first 16 follow the theme, chosen so that each is legible on a panel (4.5:1 or more, but for the "black" of a dark
and the "white" of a light theme, which programs use as grounds). The others are xterm's colour cube and grey ramp.
Source: xterm, 256colres.
"""

from __future__ import annotations

_LIGHT = (
    *(0x1B2130, 0xC3234A, 0x0B7A3B, 0x8F5B0A, 0x2458D6, 0x8B3FC0, 0x0A7280, 0xC9CED8),
    *(0x5F6B80, 0xD5304F, 0x0F8444, 0x9A6208, 0x2A66FA, 0x9A4FD0, 0x0B7D8C, 0xFFFFFF),
)
_DARK = (
    *(0x2B3240, 0xF2637E, 0x3ECF8E, 0xF5B84C, 0x7AA2FF, 0xC792EA, 0x4FC4CF, 0xD5DAE4),
    *(0x98A1B3, 0xFF8296, 0x6CE0AC, 0xFFCF7A, 0x9DBBFF, 0xD9B1F5, 0x7FDBE4, 0xFFFFFF),
)
_STEPS = (0, 95, 135, 175, 215, 255)
_CUBE = tuple(
    red << 16 | green << 8 | blue for red in _STEPS for green in _STEPS for blue in _STEPS
)
_GREYS = tuple(0x010101 * (8 + 10 * step) for step in range(24))


def terminal_colours(dark: bool) -> tuple[int, ...]:
    """All 256 of a theme, each 0xRRGGBB."""
    return (*(_DARK if dark else _LIGHT), *_CUBE, *_GREYS)
