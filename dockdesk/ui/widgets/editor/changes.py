"""One text into another, touching as little as possible."""

from __future__ import annotations

from PySide6.QtGui import QTextDocument

from dockdesk.ui.widgets.editor.language import TextChange
from dockdesk.ui.widgets.editor.units import to_units


def change_between(before: str, after: str) -> TextChange | None:
    """The one change of whole lines that makes ``after`` of ``before``; None where they are the same."""
    if before == after:
        return None
    old, new = before.split("\n"), after.split("\n")
    least = min(len(old), len(new))
    head = 0
    while head < least and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < least - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    text = "\n".join(new[head : len(new) - tail])
    last = len(old) - tail - 1
    if last >= head and len(new) - tail > head:
        return TextChange(head, 0, last, len(old[last]), text)
    if last < head:  # only new lines
        if head < len(old):
            return TextChange(head, 0, head, 0, text + "\n")
        return TextChange(head - 1, len(old[head - 1]), head - 1, len(old[head - 1]), "\n" + text)
    if tail:  # lines are gone
        return TextChange(head, 0, last + 1, 0, "")
    if head:
        return TextChange(head - 1, len(old[head - 1]), last, len(old[last]), "")
    return TextChange(0, 0, last, len(old[last]), "")


def positions(document: QTextDocument, line: int, column: int) -> int:
    """Qt's position of a place; what lies outside is moved to the nearest end."""
    if line < 0:
        return 0
    block = document.findBlockByNumber(line)
    if not block.isValid():
        return max(0, document.characterCount() - 1)
    return block.position() + to_units(block.text(), column)
