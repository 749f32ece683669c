"""The model of a tree of `Item`s."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.inspect.items import Item, ItemKind
from dockdesk.ui.widgets.plain import one_line, plain_tip

Index = QModelIndex | QPersistentModelIndex

KEY, VALUE = range(2)
_ROOT = QModelIndex()
_TONES: dict[ItemKind, Tone] = {
    "object": "muted",
    "array": "muted",
    "text": "neutral",
    "number": "info",
    "literal": "warn",
}


class _Node:
    """A place in the tree; made when it is first looked at."""

    __slots__ = ("children", "item", "parent", "row")

    def __init__(self, item: Item, row: int, parent: _Node | None) -> None:
        self.item = item
        self.row = row
        self.parent = parent
        self.children: list[_Node] | None = None

    def inner(self) -> list[_Node]:
        if self.children is None:
            children = self.item.children
            self.children = [_Node(child, row, self) for row, child in enumerate(children)]
        return self.children


class ItemModel(QAbstractItemModel):
    """Keys and values; ``reveal`` shows secrets."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._root: _Node | None = None
        self._reveal = False
        self._revealed: set[str] = set()

    def set_root(self, item: Item | None) -> None:
        self.beginResetModel()
        self._root = _Node(item, 0, None) if item is not None else None
        self.endResetModel()

    def set_reveal(self, reveal: bool) -> None:
        """Show all secrets, or only those that were asked for; told before `set_root`."""
        self._reveal = reveal

    def mask_again(self) -> None:
        self._revealed.clear()

    def reveal(self, index: Index) -> None:
        """Show one secret; an index that is valid no longer does nothing."""
        if not index.isValid():
            return
        self._revealed.add(self.item(index).path)
        cell = self.index(index.row(), VALUE, index.parent())
        self.dataChanged.emit(cell, cell)

    def reveals(self, item: Item) -> bool:
        return self._reveal or item.path in self._revealed

    def item(self, index: Index) -> Item:
        node: _Node = index.internalPointer()
        return node.item

    def index(self, row: int, column: int, parent: Index = _ROOT) -> QModelIndex:
        nodes = self._nodes(parent)
        if 0 <= row < len(nodes) and 0 <= column < 2:
            return self.createIndex(row, column, nodes[row])
        return QModelIndex()

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]
        node = index.internalPointer() if index.isValid() else None
        if node is None or node.parent is None or node.parent is self._root:
            return QModelIndex()
        return self.createIndex(node.parent.row, 0, node.parent)

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.column() > 0 else len(self._nodes(parent))

    def hasChildren(self, parent: Index = _ROOT) -> bool:
        if not parent.isValid():
            return self._root is not None
        return parent.column() == 0 and bool(self.item(parent).children)

    def columnCount(self, _parent: Index = _ROOT) -> int:
        return 2

    def headerData(
        self, section: int, _orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        return ("Key", "Value")[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item, value = self.item(index), index.column() == VALUE
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(item.shown(self.reveals(item))) if value else one_line(item.key)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.tone(_TONES[item.kind] if value else "neutral")
        if role == Qt.ItemDataRole.FontRole:
            return self._theme.font("mono" if value else "body")
        if role == Qt.ItemDataRole.ToolTipRole:
            text = item.shown(self.reveals(item)) if value else item.path
            return plain_tip(text)
        return None

    def _nodes(self, parent: Index) -> list[_Node]:
        node = parent.internalPointer() if parent.isValid() else self._root
        return node.inner() if node is not None else []
