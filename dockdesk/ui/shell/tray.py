"""The icon in the desktop's tray: the engine's state at a glance, and a way to the window and out."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Signal
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme


class Tray(QObject):
    """Made only where the desktop has a tray. The dot on the icon has the tone of the engine's state; the tooltip and
    the menu's first line say it in words."""

    window_asked = Signal()
    reconnect_asked = Signal()
    quit_asked = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._menu = QMenu()
        self._status = self._menu.addAction("Not connected")
        self._status.setEnabled(False)
        self._containers = self._menu.addAction("")
        self._containers.setEnabled(False)
        self._jobs = self._menu.addAction("")
        self._jobs.setEnabled(False)
        self._menu.addSeparator()
        self._menu.addAction("Show DockDesk").triggered.connect(self.window_asked)
        self._menu.addAction("Reconnect").triggered.connect(self.reconnect_asked)
        self._menu.addSeparator()
        self._menu.addAction("Quit").triggered.connect(self.quit_asked)
        self._icon = QSystemTrayIcon(self)
        self._icon.setContextMenu(self._menu)
        self._icon.activated.connect(self._on_activated)
        self.set_status("Not connected", "muted")
        self.set_containers(None, None)
        self.set_jobs(0)

    @staticmethod
    def available() -> bool:
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show(self) -> None:
        self._icon.show()

    def hide(self) -> None:
        self._icon.hide()

    @property
    def visible(self) -> bool:
        """Whether the user can get at it: the desktop's tray may have gone since."""
        return self._icon.isVisible() and self.available()

    @property
    def menu(self) -> QMenu:
        return self._menu

    def set_status(self, text: str, tone: Tone) -> None:
        self._status.setText(text.replace("&", "&&"))
        self._icon.setToolTip(f"DockDesk: {text}")
        self._icon.setIcon(self._drawn(tone))

    def set_containers(self, running: int | None, total: int | None) -> None:
        known = running is not None and total is not None
        self._containers.setVisible(known)
        if known:
            self._containers.setText(f"{running} of {total} containers run")

    def set_jobs(self, count: int) -> None:
        self._jobs.setVisible(count > 0)
        self._jobs.setText("1 job runs" if count == 1 else f"{count} jobs run")

    def _drawn(self, tone: Tone) -> QIcon:
        pixmap: QPixmap = self._theme.app_icon().pixmap(64, 64)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = pixmap.devicePixelRatioF()
        width, height = pixmap.width() / scale, pixmap.height() / scale
        radius = width / 6
        painter.setPen(QPen(self._theme.colour("panel"), max(1.0, width / 24)))
        painter.setBrush(self._theme.tone(tone))
        painter.drawEllipse(QPointF(width - radius - 2, height - radius - 2), radius, radius)
        painter.end()
        icon = QIcon()
        icon.addPixmap(pixmap)
        return icon

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (
            QSystemTrayIcon.ActivationReason.Trigger,
            QSystemTrayIcon.ActivationReason.DoubleClick,
        ):
            self.window_asked.emit()
