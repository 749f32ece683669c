"""The two shipped typefaces: Inter for people, JetBrains Mono for what machines wrote."""

from __future__ import annotations

import logging
from typing import Literal

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

from dockdesk.ui.theme.data import shipped

_log = logging.getLogger(__name__)

FontRole = Literal["body", "small", "strong", "heading", "title", "figure", "mono", "mono_strong"]

BODY_FAMILIES = ["Inter", "Noto Sans", "Segoe UI", "Helvetica Neue", "sans-serif"]
MONO_FAMILIES = ["JetBrains Mono", "DejaVu Sans Mono", "monospace"]
_FILES = (
    "Inter-Regular.ttf",
    "Inter-Medium.ttf",
    "Inter-SemiBold.ttf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-Bold.ttf",
)
_LOADED = "dockdesk_fonts"


def load_fonts() -> None:
    """Make the shipped fonts known to the running application (about 1 ms); later calls do nothing."""
    app = QGuiApplication.instance()
    if app is None or app.property(_LOADED):
        return
    app.setProperty(_LOADED, True)
    for name in _FILES:
        data = QByteArray(shipped("fonts", name).read_bytes())
        if QFontDatabase.addApplicationFontFromData(data) < 0:
            _log.warning("the font %s could not be loaded; the system's font is used instead", name)


def make_font(role: FontRole, body: int, mono: int, tabular: bool = False) -> QFont:
    """A font of a role; ``body`` and ``mono`` are the two base sizes in pixels.

    ``tabular`` gives figures of one width (OpenType feature tnum), for numbers that change in place.
    """
    font = QFont()
    if role in {"mono", "mono_strong"}:
        font.setFamilies(MONO_FAMILIES)
        font.setStyleHint(QFont.StyleHint.Monospace)
        font.setPixelSize(mono)
        if role == "mono_strong":
            font.setWeight(QFont.Weight.Bold)
        return font
    font.setFamilies(BODY_FAMILIES)
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setPixelSize(
        {"small": body - 1, "heading": body + 2, "title": body + 7, "figure": body + 9}.get(
            role, body
        )
    )
    if role in {"strong", "heading", "title", "figure"}:
        font.setWeight(QFont.Weight.DemiBold)
    if tabular or role == "figure":
        font.setFeature(QFont.Tag("tnum"), 1)
    return font
