"""F6: from one part of the window to the next, as screen readers and keyboard users expect."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def focus_next_part(window: QWidget, parts: Sequence[QWidget]) -> QWidget | None:
    """Give the focus to the first focusable widget of the visible part after the one that has it."""
    seen = [part for part in parts if part.isVisible()]
    focus = window.focusWidget()
    at = next(
        (n for n, part in enumerate(seen) if focus is not None and part.isAncestorOf(focus)), -1
    )
    for step in range(1, len(seen) + 1):
        target = first_focusable(seen[(at + step) % len(seen)])
        if target is not None:
            target.setFocus(Qt.FocusReason.TabFocusReason)
            return target
    return None


def first_focusable(part: QWidget) -> QWidget | None:
    """The first widget of ``part``, in tab order, that Tab would stop at."""
    tab = Qt.FocusPolicy.TabFocus
    widget: QWidget | None = part
    while widget is not None:
        inside = widget is part or part.isAncestorOf(widget)
        if inside and widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & tab:
            return widget
        widget = widget.nextInFocusChain()
        if widget is part:
            return None
    return None
