"""One line above the text that says what is the matter with its file, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.labels import PlainLabel

_ICONS = {"warn": "alert-triangle", "bad": "alert-circle"}


class FileBar(QWidget):
    """``closed`` when the user has read it. A bar with buttons closes itself when one is pressed."""

    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        text: str,
        tone: Tone = "info",
        buttons: Sequence[StateButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bar_tone: Tone = tone
        self.label = PlainLabel(theme, text, wrap=True)
        self.buttons: list[Button] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(40, 5, 8, 5)
        row.setSpacing(6)
        row.addWidget(self.label, 1)
        for description in buttons:
            button = Button(theme, description.title, description.icon, description.look)
            button.clicked.connect(lambda _on=False, run=description.run: run())
            self.buttons.append(button)
            row.addWidget(button)
        close = IconButton(theme, "x", "Close", size=16)
        close.clicked.connect(self.closed)
        row.addWidget(close)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.surface(self._bar_tone))
        icon = _ICONS.get(self._bar_tone, "info-circle")
        pixmap = self._theme.pixmap(icon, self._bar_tone, 18, self.devicePixelRatioF())
        painter.drawPixmap(QPoint(14, (self.height() - 18) // 2), pixmap)
        painter.end()
