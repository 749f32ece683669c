"""A splitter whose handle is seen only when it is wanted, but easy to take."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

_STEP = 24
_LINE = 2


class Splitter(QSplitter):
    """Two parts beside each other. A double click on the handle gives back the first proportions.

    The handle takes the focus, and arrow keys move it. ``moved`` tells that the user moved it.
    """

    moved = Signal()

    def __init__(
        self,
        orientation: Qt.Orientation,
        proportions: Sequence[int] = (1, 1),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(orientation, parent)
        self._proportions = list(proportions)
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(lambda _position, _index: self.moved.emit())

    def addWidget(self, widget: QWidget) -> None:
        super().addWidget(widget)
        number = self.count() - 1
        if number < len(self._proportions):
            self.setStretchFactor(number, self._proportions[number])

    def restore_proportions(self) -> None:
        """Part the space as at first."""
        room = sum(self.sizes())
        shares = self._proportions[: self.count()]
        self.setSizes([room * share // max(1, sum(shares)) for share in shares])
        self.moved.emit()

    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)


class _Handle(QSplitterHandle):
    def __init__(self, orientation: Qt.Orientation, parent: Splitter) -> None:
        super().__init__(orientation, parent)
        self._owner = parent
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Splitter")
        self.setAttribute(
            Qt.WidgetAttribute.WA_Hover
        )  # painted anew when the pointer comes and goes

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A thin line in the middle while it is under the pointer, held, or has the focus; else nothing."""
        if not (self.underMouse() or self.hasFocus()):
            return
        painter = QPainter(self)
        rect = self.rect()
        if self.orientation() is Qt.Orientation.Vertical:
            line = QRect(rect.left(), rect.center().y() - _LINE // 2, rect.width(), _LINE)
        else:
            line = QRect(rect.center().x() - _LINE // 2, rect.top(), _LINE, rect.height())
        painter.fillRect(line, self.palette().accent())

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._owner.restore_proportions()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = (
            (Qt.Key.Key_Left, Qt.Key.Key_Right)
            if self.orientation() is Qt.Orientation.Horizontal
            else (Qt.Key.Key_Up, Qt.Key.Key_Down)
        )
        if event.key() in keys:
            step = -_STEP if event.key() == keys[0] else _STEP
            here = self.x() if self.orientation() is Qt.Orientation.Horizontal else self.y()
            self.moveSplitter(here + step)
            return
        super().keyPressEvent(event)
