"""Text from outside in files and on terminals: without what can't be seen but acts."""

from __future__ import annotations

import re

# Control characters, line separators, and marks that reorder text so that it reads as something else (UAX #9).
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+"
)


def one_line(text: str) -> str:
    """The text on one line, with a space in place of what can't be seen."""
    return UNSEEN.sub(" ", text).strip()
