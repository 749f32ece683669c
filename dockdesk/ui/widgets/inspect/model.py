"""The tree of a value in the theme's colours."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, Qt

from dockdesk.core.columns import Tone
from dockdesk.models.tree_model import JsonTreeModel, TreeRole
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.inspect.masked import path_text
from dockdesk.ui.widgets.plain import one_line, plain_tip

_TONES: dict[str, Tone] = {
    "object": "muted",
    "array": "muted",
    "number": "info",
    "boolean": "warn",
    "null": "warn",
}


class InspectModel(JsonTreeModel):
    """Names and values as plain text on one line, toned by kind; found ones on a ground of their own."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(super().data(index, role) or "")
        if not index.isValid():
            return None
        of_value = index.column() == 1
        if role == Qt.ItemDataRole.ForegroundRole:
            kind = super().data(index, TreeRole.KIND)
            return self._theme.tone(_TONES.get(kind, "neutral") if of_value else "neutral")
        if role == Qt.ItemDataRole.BackgroundRole:
            found = super().data(index, TreeRole.MATCH)
            return self._theme.surface("warn") if found else None
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font("mono" if of_value else "body")
        if role == Qt.ItemDataRole.ToolTipRole:
            words = super().data(index) if of_value else path_text(self.path_of(index))
            return plain_tip(words)
        return super().data(index, role)
