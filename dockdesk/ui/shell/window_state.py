"""The window comes back as it was left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow

from dockdesk.core import preferences
from dockdesk.core.settings import Settings
from dockdesk.ui.shell.frame import Frame

FIRST_SIZE = QSize(1440, 900)
_SCREEN_SHARE = 0.92


def restore(window: QMainWindow, frame: Frame, settings: Settings) -> None:
    """Place the window as it was; the first time, as large as looks well on its screen."""
    state: Mapping[str, Any] = settings.get(preferences.WINDOW_STATE)
    geometry = state.get("geometry")
    placed = isinstance(geometry, str) and window.restoreGeometry(
        QByteArray.fromBase64(QByteArray(geometry.encode()))
    )
    if not placed:
        room = window.screen().availableSize()
        window.resize(
            min(FIRST_SIZE.width(), int(room.width() * _SCREEN_SHARE)),
            min(FIRST_SIZE.height(), int(room.height() * _SCREEN_SHARE)),
        )
    folded = state.get("folded")
    frame.set_folded(folded if isinstance(folded, bool) else None)
    window.menuBar().setVisible(state.get("menu_bar") is not False)
    frame.set_drawer(state.get("activity") is True)


def save(window: QMainWindow, frame: Frame, settings: Settings) -> None:
    """Remember it. The settings' owner writes them."""
    settings.set(
        preferences.WINDOW_STATE,
        {
            "geometry": bytes(window.saveGeometry().toBase64().data()).decode(),
            "folded": frame.folded,
            "menu_bar": not window.menuBar().isHidden(),
            "activity": not frame.drawer.isHidden(),
        },
    )
