"""The line above the text: the pane's name, what is shown around the text, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from dockdesk.ui.actions.bound import BoundActions
from dockdesk.ui.list_header import follow
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.labels import PlainLabel


class Header(QWidget):
    """``tools`` takes more buttons, ``main`` the one most people come for. In a narrow pane words give way to icons."""

    def __init__(
        self, theme: Theme, title: str, bound: BoundActions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._bound = bound
        self.tools = QHBoxLayout()
        self.tools.setSpacing(2)
        self.main = QHBoxLayout()
        self.main.setSpacing(8)
        self._buttons: list[Button] = []
        more = IconButton(theme, "dots-vertical", "All actions")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        more.setMenu(menu)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(PlainLabel(theme, title, "title"))
        row.addSpacing(8)
        row.addLayout(self.tools)
        row.addStretch(1)
        for action in (item for item in bound.actions if item.primary):
            button = Button(theme, action.title, action.icon)
            follow(button, bound[action.id])
            self._buttons.append(button)
            row.addWidget(button)
        row.addLayout(self.main)
        row.addWidget(more)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Give words to as many buttons as there is room for: its width changed, or what stands in it."""
        for button in self._buttons:
            button.show_words(True)
        self.tools.invalidate()
        self._row.invalidate()
        for button in self._buttons:
            if self._row.sizeHint().width() <= self.width():
                return
            button.show_words(False)
            self._row.invalidate()

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        self._bound.refresh()
        self._bound.fill_menu(menu)
