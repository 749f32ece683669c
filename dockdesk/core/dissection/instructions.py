"""What an image's history says, in the words of a Dockerfile."""

from __future__ import annotations

import re

_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s+")
_BUILDKIT = re.compile(r"\s*# buildkit\s*$")


def instruction_text(created_by: str) -> str:
    """A history line as it stood in the Dockerfile."""
    if _NOP.match(created_by):
        return _NOP.sub("", created_by).strip()
    text = _BUILDKIT.sub("", created_by).strip()
    return (
        text.replace("RUN /bin/sh -c ", "RUN ", 1)
        if text.startswith("RUN ")
        else text.replace("/bin/sh -c ", "RUN ", 1)
    )
