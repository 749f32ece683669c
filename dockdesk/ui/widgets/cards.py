"""Cards: the panels that everything stands on."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import PlainLabel


class Card(QFrame):
    """A rounded panel. Put content into ``body``; ``header`` stands above it where there is a title."""

    def __init__(
        self, theme: Theme, title: str = "", *, padding: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(padding, min(padding, 12), padding, padding)
        self.body.setSpacing(8)
        self.header = QHBoxLayout()
        self.header.setSpacing(8)
        self.title = PlainLabel(theme, title, "strong")
        self.title.setVisible(bool(title))
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.header.addWidget(self.title)
        self.header.addStretch(1)
        self.body.addLayout(self.header)
