"""Text from outside, shown as it is: never as markup, never steering the text around it."""

from __future__ import annotations

import re

ZERO_WIDTH_SPACE = "\u200b"
_LONG_WORD = re.compile(r"\S{25,}")
_PIECES = re.compile(r"[^/:,=.;&?@-]{1,16}[/:,=.;&?@-]?|[/:,=.;&?@-]")
_TIP_LIMIT = 2000
_TIP_WRAPS_AT = 80

# Controls of direction (Unicode Bidirectional Algorithm, UAX #9) reorder what stands beside them: a name with one could
# pass for another. They, and other controls, are shown as a mark instead.
_STEERING = [
    *range(0x09),
    *range(0x0B, 0x20),
    *range(0x7F, 0xA0),
    0x061C,
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
]
_MARKS = dict.fromkeys(_STEERING, "\ufffd")
_ONE_LINE = {**_MARKS, 0x0A: "⏎", 0x09: " "}


def shown(text: str) -> str:
    """``text`` with control characters made visible; line breaks and tabs stay."""
    return text.replace("\r\n", "\n").translate(_MARKS)


def one_line(text: str, limit: int = 500) -> str:
    """``text`` on one line and no longer than ``limit`` characters, for labels and titles."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return cut.replace("\r\n", "\n").translate(_ONE_LINE)


def breakable(text: str) -> str:
    """``text`` with invisible places where a label may break words longer than 24 characters, such as digests."""
    return _LONG_WORD.sub(lambda found: ZERO_WIDTH_SPACE.join(_PIECES.findall(found[0])), text)


def plain_tip(text: str) -> str:
    """A tooltip that says ``text`` as it stands: Qt would take text with tags for HTML, links and pictures included."""
    if not text:
        return ""
    cut = text if len(text) <= _TIP_LIMIT else text[: _TIP_LIMIT - 1] + "…"
    safe = shown(cut).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = safe.replace("\n", "<br>")
    long = any(len(line) > _TIP_WRAPS_AT for line in cut.splitlines())
    # Only a paragraph with width wraps; a short text must not.
    return f"<p>{safe}</p>" if long else f"<p style='white-space:pre'>{safe}</p>"
