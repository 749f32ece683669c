"""A line above the panes that says in which state the environment is, for as long as it is in it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.labels import PlainLabel


class Banner(QWidget):
    """An icon, a sentence and perhaps a button, on the quiet surface of its tone."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone: Tone = "info"
        self._icon = ""
        self._run: Callable[[], None] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(44, 4, 12, 4)
        self._label = PlainLabel(theme, wrap=True)
        self._button = Button(theme, "")
        self._button.clicked.connect(self._on_clicked)
        row.addWidget(self._label, 1)
        row.addWidget(self._button)
        theme.changed.connect(self.update)
        self.hide()

    def show_text(
        self,
        text: str,
        tone: Tone,
        icon: str,
        button: str = "",
        run: Callable[[], None] | None = None,
    ) -> None:
        self._tone, self._icon, self._run = tone, icon, run
        self._label.setText(text)
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self.setMinimumHeight(36)
        self.show()
        self.update()

    @property
    def text(self) -> str:
        """What it says; empty while it is hidden."""
        return self._label.text() if not self.isHidden() else ""

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.surface(self._tone))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        if self._icon:
            pixmap = theme.pixmap(self._icon, self._tone, 18, self.devicePixelRatioF())
            painter.drawPixmap(14, (self.height() - 18) // 2, pixmap)

    def _on_clicked(self) -> None:
        if self._run is not None:
            self._run()
