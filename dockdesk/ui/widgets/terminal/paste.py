"""What pasting sends.

Control characters in pasted text could act as keys (xterm bug 2003, "paste injection"), the end of a bracketed paste
among them, so all but tab and line break are left out.
"""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BREAK = re.compile(r"\r\n|\n|\r")


def cleaned(text: str) -> str:
    """The text as it would be sent: control characters left out, line breaks as the Return key sends them."""
    return _BREAK.sub("\r", _CONTROL.sub("", text))


def lines_in(text: str) -> int:
    """How many lines would run at once if a shell got this; 0 if none would."""
    return cleaned(text).count("\r")


def encode(text: str, bracketed: bool) -> bytes:
    """What to send: between ESC [200~ and ESC [201~ where the program asked for brackets (mode 2004)."""
    body = cleaned(text).encode("utf-8", "replace")
    return b"\x1b[200~" + body + b"\x1b[201~" if bracketed else body
