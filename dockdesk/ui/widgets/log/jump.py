"""The button that leads back to the newest line."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button

_MARGIN = 12


class JumpButton(Button):
    """Floats over the lower right of a view that does not follow."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "Jump to newest", "arrow-down", parent=parent)
        self.hide()

    def place(self, room: QSize, wanted: bool) -> None:
        """Show it in a view of this size, or hide it."""
        if wanted:
            size = self.sizeHint()
            self.resize(size)
            self.move(
                room.width() - size.width() - _MARGIN, room.height() - size.height() - _MARGIN
            )
        if wanted == self.isHidden():
            self.setVisible(wanted)
