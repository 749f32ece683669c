"""The question before a file with changes is closed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.labels import PlainLabel


class CloseDialog(Dialog):
    """Save, discard, or neither: Escape keeps the file open."""

    save_asked = Signal()
    discard_asked = Signal()

    def __init__(self, theme: Theme, names: Sequence[str], parent: QWidget | None = None) -> None:
        one = len(names) == 1
        title = f"Save changes in “{names[0]}”?" if one else f"Save changes in {len(names)} files?"
        super().__init__(theme, title, 440, parent)
        text = "What is not saved will be lost." if one else ", ".join(names)
        self.body.addWidget(PlainLabel(theme, text, tone="muted", wrap=True))
        self.body.addStretch(1)
        self.cancel = self.add_button(Button(theme, "Cancel"))
        self.cancel.clicked.connect(self.reject)
        self.discard = self.add_button(Button(theme, "Discard"))
        self.discard.clicked.connect(self._on_discard_clicked)
        self.save = self.add_button(Button(theme, "Save", "device-floppy", "primary"))
        self.save.clicked.connect(self._on_save_clicked)
        self.save.setDefault(True)
        self.save.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_save_clicked(self) -> None:
        self.accept()
        self.save_asked.emit()

    def _on_discard_clicked(self) -> None:
        self.accept()
        self.discard_asked.emit()
