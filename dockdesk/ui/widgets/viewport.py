"""Viewports of scroll areas that are cheap to ask for."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractScrollArea, QWidget


def own_viewport(area: QAbstractScrollArea, ground: QPalette.ColorRole | None = None) -> QWidget:
    """Give ``area`` a viewport that is made here, and return it; it fills itself with ``ground``, or not at all.

    Whatever Qt has made and hands out as a plain QWidget gets a wrapper, and the first of these makes PySide look for
    its real class, for which it sets up all classes of widgets there are: 15 ms and 2 MB.
    """
    made = QWidget()
    if ground is not None:
        made.setBackgroundRole(ground)
        made.setAutoFillBackground(True)
    made.setMouseTracking(area.hasMouseTracking())
    area.setViewport(made)
    return made


def know_all_widgets() -> None:
    """Have PySide set up all classes of widgets now, rather than when the first such wrapper is needed."""
    QAbstractScrollArea().viewport()
