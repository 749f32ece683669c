"""The window comes back as it was left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.core import preferences
from dockdesk.core.settings import Settings
from dockdesk.ui.shell.frame import Frame
from dockdesk.ui.shell.main_window import MainWindow
from dockdesk.ui.theme import Theme


def restore(window: MainWindow, frame: Frame, settings: Settings) -> None:
    """Fold and open the parts as they were. The window has its place already: it had it before it was shown."""
    state: Mapping[str, Any] = settings.get(preferences.WINDOW_STATE)
    folded = state.get("folded")
    frame.set_folded(folded if isinstance(folded, bool) else None)
    window.menuBar().setVisible(state.get("menu_bar") is not False)
    frame.set_drawer(state.get("activity") is True)


def save(window: MainWindow, frame: Frame, settings: Settings, theme: Theme) -> None:
    """Remember it, and the colour of its ground, which is painted before the theme is there."""
    settings.set(
        preferences.WINDOW_STATE,
        {
            "geometry": window.saved_geometry(),
            "folded": frame.folded,
            "menu_bar": not window.menuBar().isHidden(),
            "activity": frame.drawer_open,
            "ground": theme.tokens.window,
        },
    )
