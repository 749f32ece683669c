"""What is typed here beside what another program wrote."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.text_view import TextView


class CompareDialog(Dialog):
    """A unified diff, to read and copy."""

    def __init__(
        self, theme: Theme, name: str, difference: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, f"“{name}”: here and on the disk", 760, parent)
        self.text = TextView(theme, self)
        self.text.setAccessibleName("Differences")
        self.text.setMinimumHeight(320)
        self.text.set_text(difference or "They are the same.")
        self.body.addWidget(self.text, 1)
        close = self.add_button(Button(theme, "Close", look="primary"))
        close.clicked.connect(self.reject)
