"""An area that scrolls only when it has to."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

from dockdesk.ui.widgets.viewport import own_viewport


class ContentScroll(QScrollArea):
    """Shows ``content`` as wide as the area, scrolled up and down; no frame or ground of its own.

    It asks for the height of its content, so that a dialog around it is as tall as it should be.
    """

    def __init__(self, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        own_viewport(self)
        self.setWidget(content)
        self._content = content
        content.setAutoFillBackground(False)

    def sizeHint(self) -> QSize:
        content = self._content
        hint = content.sizeHint()
        if content.hasHeightForWidth() and self.width() > 0:
            hint.setHeight(content.heightForWidth(max(hint.width(), self.width())))
        return hint + QSize(2, 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._content.minimumSizeHint().width(), 320), 80)
