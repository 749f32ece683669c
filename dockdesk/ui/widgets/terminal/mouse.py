"""Mouse reports, for programs that ask for them.

Source: xterm's ctlseqs, "Mouse Tracking": the SGR form (1006), and the old form, which ends at column and row 223.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["press", "release", "move"]

LEFT, MIDDLE, RIGHT, NONE = 0, 1, 2, 3
WHEEL_UP, WHEEL_DOWN, WHEEL_LEFT, WHEEL_RIGHT = 64, 65, 66, 67
_MOVING = 32
_OLD_LIMIT = 223


def report(
    kind: Kind,
    button: int,
    column: int,
    row: int,
    *,
    shift: bool = False,
    alt: bool = False,
    control: bool = False,
    sgr: bool = True,
) -> bytes:
    """The report of one event at a cell (from 0); empty where the old form can't express it."""
    code = button | shift << 2 | alt << 3 | control << 4
    if kind == "move":
        code |= _MOVING
    if sgr:
        final = b"m" if kind == "release" else b"M"
        return b"\x1b[<%d;%d;%d" % (code, column + 1, row + 1) + final
    if column >= _OLD_LIMIT or row >= _OLD_LIMIT:
        return b""
    if kind == "release":
        code |= NONE
    return b"\x1b[M" + bytes((32 + code, 33 + column, 33 + row))
