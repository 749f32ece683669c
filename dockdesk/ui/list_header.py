"""The line above a list: its title and size, what can be done, and the filter."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from dockdesk.core.actions import Action
from dockdesk.ui.actions.bound import BoundActions
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.search_field import SearchField

_FILTER_WIDTH = 220


class FilterField(SearchField):
    """Down leads into the list."""

    down = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.down.emit()
            return
        super().keyPressEvent(event)


class ListHeader(QWidget):
    """Made from the pane's actions: primary ones on rows are icons beside the title, primary ones without rows are
    buttons at the end (the first is the main one), and all of them are in the menu behind the dots."""

    def __init__(
        self, theme: Theme, title: str, bound: BoundActions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bound = bound
        self.title = PlainLabel(theme, title, "title")
        self.count = PlainLabel(theme, "", tone="muted")
        self.filter = FilterField(theme, "Filter  (Ctrl+F)")
        self.filter.setMinimumWidth(120)
        self.filter.setMaximumWidth(_FILTER_WIDTH)
        self.filter.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        more = IconButton(theme, "dots-vertical", "All actions")
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.aboutToShow.connect(lambda: self._fill(menu))
        more.setMenu(menu)
        self.details = IconButton(theme, "row-insert-bottom", "Show or hide the details")
        self._buttons: list[Button] = []  # the main one last: it keeps its words longest
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.title)
        row.addWidget(self.count)
        row.addSpacing(8)
        primary = [action for action in bound.actions if action.primary]
        for action in (item for item in primary if item.on_rows):
            row.addWidget(self._icon(action))
        row.addStretch(1)
        row.addWidget(self.filter, 2)
        rowless = [item for item in primary if not item.on_rows]
        for action in (*rowless[1:], *rowless[:1]):
            self._buttons.append(self._button(action, main=action is rowless[0]))
            row.addWidget(self._buttons[-1])
        row.addWidget(self.details)
        if bound.actions:
            row.addWidget(more)

    def show_counts(self, shown: int, total: int, filtered: bool) -> None:
        """How many rows there are, and how many of them match."""
        self.count.setText(f"{shown:,} of {total:,}" if filtered else f"{total:,}" if total else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Small enough to be made narrower than its words are: they give way then."""
        return QSize(0, super().minimumSizeHint().height())

    def _fit(self) -> None:
        """Leave buttons their icons alone, one after the other, until there is room for the rest."""
        wordless = 0
        for button in self._buttons:
            button.show_words(True)
        while wordless < len(self._buttons) and self._needed() > self.width():
            self._buttons[wordless].show_words(False)
            wordless += 1

    def _needed(self) -> int:
        row = self._row
        width = -row.spacing()
        for at in range(row.count()):
            if (item := row.itemAt(at)) is None or item.isEmpty():
                continue
            least = self.filter.minimumWidth() if item.widget() is self.filter else 0
            width += (least or item.sizeHint().width()) + row.spacing()
        return width

    def _icon(self, action: Action[Any]) -> IconButton:
        made = IconButton(self._theme, action.icon, action.title, tone="text")
        follow(made, self._bound[action.id])
        return made

    def _button(self, action: Action[Any], main: bool) -> Button:
        made = Button(self._theme, action.title, action.icon, "primary" if main else "usual")
        follow(made, self._bound[action.id])
        return made

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        self._bound.refresh()
        self._bound.fill_menu(menu)


def follow(button: Button | IconButton, action: QAction) -> None:
    """Have a button do what ``action`` does, and be as enabled and explained as it is."""

    def update() -> None:
        button.setEnabled(action.isEnabled())
        button.setToolTip(action.toolTip())

    action.enabledChanged.connect(update)
    action.changed.connect(update)
    button.clicked.connect(lambda _on=False: action.trigger())
    update()
