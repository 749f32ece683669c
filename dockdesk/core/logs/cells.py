"""How many cells of a fixed-pitch grid a character takes.

Sources: Unicode Standard Annex #11 (East Asian width); what terminals agree on for combining characters.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from functools import lru_cache

TAB = 8

# Tabs, soft hyphens and all from U+0300, said the other way round: so it is compiled ten times as fast.
_UNEVEN = re.compile("[^\x00-\x08\x0a-\xac\xae-\u02ff]")


@lru_cache(maxsize=4096)
def char_cells(char: str) -> int:
    """0 for what combines with the character before it, 2 for wide ones, else 1."""
    code = ord(char)
    if code == 0xAD:
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"} or 0x1160 <= code <= 0x11FF:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def cell_offsets(text: str) -> array[int] | None:
    """The cell each character begins in, and after them the width of all; None where character n is in cell n."""
    if _UNEVEN.search(text) is None:
        return None
    offsets = array("I", bytes(4 * (len(text) + 1)))
    cell = 0
    for index, char in enumerate(text):
        offsets[index] = cell
        cell += TAB - cell % TAB if char == "\t" else char_cells(char)
    offsets[len(text)] = cell
    return offsets


def wrap_breaks(text: str, offsets: array[int] | None, columns: int) -> array[int]:
    """Where the lines begin if ``text`` is broken after at most ``columns`` cells: character indexes, 0 first.

    A character wider than ``columns`` has a line of its own.
    """
    columns = max(1, columns)
    if offsets is None:
        return array("I", range(0, max(1, len(text)), columns))
    breaks = array("I", [0])
    limit = columns
    for index in range(1, len(text)):
        # What takes no cell stays with the character before it.
        if offsets[index + 1] > limit and offsets[index + 1] > offsets[index]:
            breaks.append(index)
            limit = offsets[index] + columns
    return breaks
