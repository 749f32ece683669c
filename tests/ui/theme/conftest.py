"""An application that wears a theme, and takes it off again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication

from dockdesk.ui.theme import LIGHT, Theme


@pytest.fixture
def applied(qapp: QApplication) -> Iterator[Theme]:
    """A light theme that the application wears."""
    style, font = qapp.style().name(), QFont(qapp.font())
    theme = Theme(LIGHT)
    theme.apply(qapp)
    yield theme
    theme.set_mode("light")
    theme.settle()
    qapp.styleHints().unsetColorScheme()
    qapp.setStyleSheet("")
    qapp.setStyle(style)
    qapp.setPalette(QPalette())
    qapp.setFont(font)
