"""Lets Tab go through the pane as it is read: Qt by itself goes by the order in which widgets were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QWidget


def order_focus(parts: Sequence[QWidget | QLayout]) -> None:
    """``parts`` are in the order of reading; within each, widgets keep the order in which they were made.

    It takes a ms or two for some hundred widgets: cheap enough to be done when Tab is pressed, when all are there.
    """
    stops = [stop for part in parts for stop in _stops(part)]
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


def _stops(part: QWidget | QLayout) -> Iterator[QWidget]:
    if isinstance(part, QLayout):
        for at in range(part.count()):
            item = part.itemAt(at)
            inner = item.widget() or item.layout() if item is not None else None
            if inner is not None:
                yield from _stops(inner)
        return
    handed: set[QWidget] = set()  # parts that another hands the focus on to: Qt moves them with it
    for widget in (part, *part.findChildren(QWidget)):
        proxy = widget.focusProxy()
        if proxy is not None:
            if widget.isAncestorOf(proxy):
                handed.add(proxy)
                yield widget
        elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget not in handed:
            yield widget
