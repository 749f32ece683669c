"""The window itself: light, so that it can be painted before anything else is imported.

What it holds is put in by `dockdesk.ui.shell.shell.Shell`; until then it is a surface in the theme's colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QHideEvent,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QMainWindow

SMALLEST = QSize(800, 560)
FIRST_SIZE = QSize(1440, 900)
_SCREEN_SHARE = 0.92


class MainWindow(QMainWindow):
    """``close_asked`` carries the QCloseEvent, to be accepted or ignored; ``resized`` the new width in pixels.

    ``visibility_changed`` tells that it was shown, hidden or minimised, ``painted`` that it has been painted once.
    """

    close_asked = Signal(object)
    resized = Signal(int)
    visibility_changed = Signal()
    painted = Signal()

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        """``state`` is what `dockdesk.ui.shell.window_state.save` remembered: its place, and the ground's colour."""
        super().__init__()
        self._painted = False
        self.setWindowTitle("DockDesk")
        self.setMinimumSize(SMALLEST)
        self._place((state or {}).get("geometry"))
        # Painted by Qt from the palette: a painter of our own would cost as much as all the rest of the first paint.
        if (colour := QColor(str((state or {}).get("ground", "")))).isValid():
            palette = self.palette()
            palette.setColor(palette.ColorRole.Window, colour)
            self.setPalette(palette)

    def _place(self, geometry: object) -> None:
        if isinstance(geometry, str) and self.restoreGeometry(
            QByteArray.fromBase64(QByteArray(geometry.encode()))
        ):
            return
        room = self.screen().availableSize() * _SCREEN_SHARE
        self.resize(FIRST_SIZE.boundedTo(room))

    def saved_geometry(self) -> str:
        """Its place, as plain text."""
        return bytes(self.saveGeometry().toBase64().data()).decode()

    def closeEvent(self, event: QCloseEvent) -> None:
        # Without anybody to ask, it closes.
        event.accept()
        self.close_asked.emit(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit(event.size().width())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.visibility_changed.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.visibility_changed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.visibility_changed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.painted.emit()
