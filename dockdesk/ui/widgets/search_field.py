"""A field to search or filter with."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from dockdesk.ui.theme import Theme


class SearchField(QLineEdit):
    """Says what is searched for, shortly after the typing stops; Enter says it at once, Escape clears it.

    ``searched`` carries the text; ``left`` is emitted by Escape in an empty field, to give the focus back.
    """

    searched = Signal(str)
    left = Signal()

    def __init__(
        self,
        theme: Theme,
        placeholder: str = "Search",
        delay_ms: int = 120,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._said = ""
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(True)
        leading = QLineEdit.ActionPosition.LeadingPosition
        self.addAction(theme.icon("search", "muted", 16), leading).setEnabled(True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(delay_ms)
        self._timer.timeout.connect(self._say)
        self.textChanged.connect(lambda: self._timer.start())
        self.returnPressed.connect(self._say)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
                self._say()
            else:
                self.left.emit()
            return
        super().keyPressEvent(event)

    def _say(self) -> None:
        self._timer.stop()
        if self.text() != self._said:
            self._said = self.text()
            self.searched.emit(self._said)
