"""A detail tab with the engine's whole answer about what is chosen, as a tree that can be searched and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.ui.fetched import FetchedView
from dockdesk.ui.widgets.inspect import InspectTree

T = TypeVar("T")


class RawView(FetchedView[T, Mapping[str, Any]]):
    """Subclasses say what to fetch: plain JSON values. Secrets are masked until they are asked for."""

    def make_content(self) -> QWidget:
        page = QWidget()
        self.inspect = InspectTree(self.context.theme, self.context.jobs)
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 8, 12, 12)
        column.addWidget(self.inspect)
        self.setFocusProxy(self.inspect.tree)
        return page

    def present(self, row: T, data: Mapping[str, Any]) -> None:
        self.inspect.set_value(data, self.key(row))

    def focus_filter(self) -> bool:
        self.inspect.focus_filter()
        return True
