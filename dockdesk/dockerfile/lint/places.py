"""Where a finding stands of which only the line is known."""

from __future__ import annotations

from dockdesk.dockerfile.tree import Document, Place


def line_place(document: Document, line: int) -> Place:
    """What is written on the line, without white space around and the continuation character."""
    line = min(max(line, 0), len(document.lines) - 1)
    text = document.lines[line].rstrip()
    if text.endswith(document.escape):
        text = text[:-1].rstrip()
    start = len(text) - len(text.lstrip())
    return Place(line, start, line, max(len(text), start))
