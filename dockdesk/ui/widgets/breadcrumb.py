"""Where one is, as a path whose parts can be gone back to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import one_line, plain_tip

_PART_LIMIT = 48


class Breadcrumb(QWidget):
    """Parts of a path, outermost first. ``clicked`` carries the index of the part that was chosen.

    Where there is no room, the outer parts are gathered in a menu; the last part is always seen.
    """

    clicked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[str, ...] = ()
        self._crumbs: list[tuple[QToolButton, QLabel | None]] = []
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._more = self._make_button("…")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setMenu(QMenu(self._more))
        self._more.setAccessibleName("Outer folders")
        self._layout.addWidget(self._more)
        self._layout.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._draw_separators)

    def parts(self) -> tuple[str, ...]:
        return self._parts

    def set_parts(self, parts: Sequence[str]) -> None:
        if tuple(parts) == self._parts:
            return
        self._parts = tuple(parts)
        for button, separator in self._crumbs:
            for widget in (button, separator):
                if widget is not None:
                    self._layout.removeWidget(widget)
                    widget.hide()
                    widget.deleteLater()
        self._crumbs = []
        for index, part in enumerate(self._parts):
            separator = QLabel(self) if index else None
            button = self._make_button(one_line(part, _PART_LIMIT))
            button.setToolTip(plain_tip(part) if len(part) > _PART_LIMIT else "")
            button.clicked.connect(lambda _on=False, number=index: self.clicked.emit(number))
            if index == len(self._parts) - 1:
                button.setFont(self._theme.font("strong"))
            for widget in (separator, button):
                if widget is not None:
                    self._layout.insertWidget(self._layout.count() - 1, widget)
                    widget.show()
            self._crumbs.append((button, separator))
        self._draw_separators()
        self._fit()

    def minimumSizeHint(self) -> QSize:
        last = self._crumbs[-1][0].sizeHint().width() if self._crumbs else 0
        return QSize(min(160, last + self._more.sizeHint().width()), self._more.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _make_button(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text.replace("&", "&&"))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setProperty("look", "crumb")
        return button

    def _fit(self) -> None:
        """Hide outer parts until the rest fits."""
        room = self.width()
        widths = [
            button.sizeHint().width() + (separator.sizeHint().width() if separator else 0)
            for button, separator in self._crumbs
        ]
        hidden = 0
        while hidden < len(widths) - 1 and sum(widths[hidden:]) > room - (
            self._more.sizeHint().width() if hidden else 0
        ):
            hidden += 1
        self._more.setVisible(hidden > 0)
        menu = self._more.menu()
        menu.clear()
        for index, (button, separator) in enumerate(self._crumbs):
            button.setVisible(index >= hidden)
            if separator is not None:
                separator.setVisible(index >= hidden)
            if index < hidden:
                action = menu.addAction(self._parts[index].replace("&", "&&"))
                action.triggered.connect(lambda _on=False, number=index: self.clicked.emit(number))

    def _draw_separators(self) -> None:
        pixmap = self._theme.pixmap("chevron-right", "muted", 14, self.devicePixelRatioF())
        for _button, separator in self._crumbs:
            if separator is not None:
                separator.setPixmap(pixmap)
