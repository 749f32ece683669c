"""JSON-like data as a tree that is built only where it is looked at, and can be searched where it isn't."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()

Path = tuple[str | int, ...]
"""Names and numbers from the top down, such as ("Mounts", 0, "Source")."""

_FETCHED = 200  # children at a time; a view asks for more when it gets there
_SHOWN = 2_000  # characters of a value
_MATCHES = 10_000
_SLICE_S = 0.004


class TreeRole(IntEnum):
    """What a node gives beyond Qt's own roles."""

    PATH = Qt.ItemDataRole.UserRole + 1
    VALUE = Qt.ItemDataRole.UserRole + 2
    KIND = Qt.ItemDataRole.UserRole + 3  # object, array, string, number, boolean or null
    MATCH = Qt.ItemDataRole.UserRole + 4  # whether the search found this node


class _Node:
    __slots__ = ("children", "key", "parent", "row", "value")

    def __init__(self, parent: _Node | None, row: int, key: str | int, value: Any) -> None:
        self.parent = parent
        self.row = row
        self.key = key
        self.value = value
        self.children: list[_Node] = []


class JsonTreeModel(QAbstractItemModel):
    """Two columns, name and value, over mappings, sequences and plain values.

    `show_value` with newer data of the same thing changes only what differs, so that a view keeps what is unfolded.
    `search` goes through all of the data in slices; ``matches`` are in the order of the tree.
    """

    matches_changed = Signal(int)  # how many there are so far
    search_ended = Signal()

    def __init__(
        self, parent: QObject | None = None, titles: Sequence[str] = ("Name", "Value")
    ) -> None:
        super().__init__(parent)
        self._titles = tuple(titles)
        self._root = _Node(None, 0, "", {})
        self._found: set[Path] = set()
        self._search: Iterator[Path | None] | None = None
        self._text = ""
        self.matches: list[Path] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._on_slice)

    def show_value(self, value: Any) -> None:
        """Show ``value``; a running search begins anew on it."""
        self._renew(self._root, _ROOT, value)
        if self._text:
            self.search(self._text)

    @property
    def value(self) -> Any:
        """All of the data."""
        return self._root.value

    # Finding.

    def search(self, text: str) -> None:
        """Find nodes whose name or value holds ``text``, in any case. An empty text ends the search."""
        self._timer.stop()
        self._text = text
        had = bool(self.matches)
        self.matches = []
        self._found.clear()
        self._search = found_in(self._root.value, text) if text else None
        if had or not text:
            self._tell_all_changed()
            self.matches_changed.emit(0)
        if self._search is None:
            self.search_ended.emit()
        else:
            self._timer.start()

    def _on_slice(self) -> None:
        until = time.perf_counter() + _SLICE_S
        before = len(self.matches)
        over = True
        for path in self._search or ():
            if path is not None:
                self.matches.append(path)
                self._found.add(path)
                if len(self.matches) >= _MATCHES:
                    break
            if time.perf_counter() > until:
                over = False
                break
        if len(self.matches) != before:
            self._tell_all_changed()
            self.matches_changed.emit(len(self.matches))
        if over:
            self._search = None
            self.search_ended.emit()
        else:
            self._timer.start()

    def _tell_all_changed(self) -> None:
        """What is painted as found differs; views repaint what they show, so one range of the top is enough."""
        if self._root.children:
            last = len(self._root.children) - 1
            self.dataChanged.emit(self.index(0, 0), self.index(last, 1), [TreeRole.MATCH])

    # Where things are.

    def path_of(self, index: _Index) -> Path:
        """Names from the top down to a node."""
        path: list[str | int] = []
        node = self._node(index)
        while node.parent is not None:
            path.append(node.key)
            node = node.parent
        return tuple(reversed(path))

    def index_of(self, path: Path, column: int = 0) -> QModelIndex:
        """The node at a path, built if need be; invalid where there is none."""
        index = QModelIndex()
        for key in path:
            node = self._node(index)
            position = _position(node.value, key)
            if position is None:
                return QModelIndex()
            while len(node.children) <= position:
                self.fetchMore(index)
            index = self.index(position, 0, index)
        return index.siblingAtColumn(column) if index.isValid() else index

    def value_of(self, index: _Index) -> Any:
        """The data below a node."""
        return self._node(index).value

    # Qt's questions.

    def index(self, row: int, column: int, parent: _Index = _ROOT) -> QModelIndex:
        node = self._node(parent)
        if 0 <= row < len(node.children) and 0 <= column < 2:
            return self.createIndex(row, column, node.children[row])
        return QModelIndex()

    def parent(self, index: _Index = _ROOT) -> QModelIndex:  # type: ignore[override]
        node = self._node(index).parent if index.isValid() else None
        if node is None or node.parent is None:
            return QModelIndex()
        return self.createIndex(node.row, 0, node)

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.column() > 0 else len(self._node(parent).children)

    def columnCount(self, parent: _Index = _ROOT) -> int:  # noqa: ARG002
        return 2

    def hasChildren(self, parent: _Index = _ROOT) -> bool:
        node = self._node(parent)
        return parent.column() <= 0 and (bool(node.children) or _size(node.value) > 0)

    def canFetchMore(self, parent: _Index) -> bool:
        node = self._node(parent)
        return parent.column() <= 0 and len(node.children) < _size(node.value)

    def fetchMore(self, parent: _Index) -> None:
        node = self._node(parent)
        start = len(node.children)
        fresh = _children(node, start, _FETCHED)
        if fresh:
            self.beginInsertRows(_as_index(parent), start, start + len(fresh) - 1)
            node.children += fresh
            self.endInsertRows()

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node = self._node(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return str(node.key) if index.column() == 0 else value_text(node.value)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{node.key}: {value_text(node.value)}" if index.column() == 0 else None
        if role == TreeRole.VALUE:
            return node.value
        if role == TreeRole.KIND:
            return kind_of(node.value)
        if role == TreeRole.PATH:
            return self.path_of(index)
        if role == TreeRole.MATCH:
            return bool(self._found) and self.path_of(index) in self._found
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section] if 0 <= section < len(self._titles) else None
        return None

    def _node(self, index: _Index) -> _Node:
        if not index.isValid():
            return self._root
        node = index.internalPointer()
        assert isinstance(node, _Node)
        return node

    # Newer data.

    def _renew(self, node: _Node, index: QModelIndex, value: Any) -> None:
        """Put newer data below a node; children that are built follow, others come when they are looked at."""
        old, node.value = node.value, value
        keys = [child.key for child in node.children]
        known = set(keys)
        new = _keys(value)
        # Built children are the first ones, and stay so: those that follow are fetched later.
        kept = [key for key in new if key in known]
        if kept != [key for key in keys if key in set(new)] or kind_of(old) != kind_of(value):
            self._drop(node, index, 0, len(node.children) - 1)
            if node is self._root:
                self.fetchMore(index)
            return
        alive = set(kept)
        for row in range(len(node.children) - 1, -1, -1):
            if node.children[row].key not in alive:
                self._drop(node, index, row, row)
        self._grow(node, index, new)
        values = dict(_items(value))
        for child in node.children:
            newer = values[child.key]
            if newer is not child.value and newer != child.value:
                below = self.createIndex(child.row, 0, child)
                self._renew(child, below, newer)
                self.dataChanged.emit(below, below.siblingAtColumn(1))
        if node is self._root and not node.children:
            self.fetchMore(index)

    def _drop(self, node: _Node, index: QModelIndex, first: int, last: int) -> None:
        if last >= first:
            self.beginRemoveRows(index, first, last)
            del node.children[first : last + 1]
            for row in range(first, len(node.children)):
                node.children[row].row = row
            self.endRemoveRows()

    def _grow(self, node: _Node, index: QModelIndex, new: Sequence[str | int]) -> None:
        """Put in what is new before the last built child; what comes after it is fetched when looked at."""
        if not node.children:
            return
        values = dict(_items(node.value))
        last = new.index(node.children[-1].key)
        for row, key in enumerate(new[: last + 1]):
            if node.children[row].key != key:
                self.beginInsertRows(index, row, row)
                node.children.insert(row, _Node(node, row, key, values[key]))
                for after in range(row + 1, len(node.children)):
                    node.children[after].row = after
                self.endInsertRows()
        if len(node.children) < min(len(new), _FETCHED):
            self.fetchMore(index)


def value_text(value: Any) -> str:
    """A value on one line, as a person reads JSON: containers by their size."""
    if isinstance(value, Mapping):
        return f"{{{len(value)}}}" if value else "{}"
    if _is_array(value):
        return f"[{len(value)}]" if value else "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def kind_of(value: Any) -> str:
    """What JSON calls the value's type."""
    if isinstance(value, Mapping):
        return "object"
    if _is_array(value):
        return "array"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else "string"


def found_in(value: Any, text: str) -> Iterator[Path | None]:
    """Paths of nodes whose name or plain value holds ``text``, top to bottom; None at every other node."""
    wanted = text.casefold()
    waiting: list[tuple[Path, Any]] = [((), value)]
    while waiting:
        path, current = waiting.pop()
        if path:
            key = path[-1]
            named = isinstance(key, str) and wanted in key.casefold()
            inside = not named and not _size(current) and wanted in value_text(current).casefold()
            yield path if named or inside else None
        below = [((*path, key), item) for key, item in _items(current)]
        waiting.extend(reversed(below))


def _is_array(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def _size(value: Any) -> int:
    return len(value) if isinstance(value, Mapping) or _is_array(value) else 0


def _items(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    return list(enumerate(value)) if _is_array(value) else []


def _keys(value: Any) -> list[str | int]:
    return [key for key, _ in _items(value)]


def _position(value: Any, key: str | int) -> int | None:
    if _is_array(value):
        return key if isinstance(key, int) and 0 <= key < len(value) else None
    keys = _keys(value)
    return keys.index(key) if key in keys else None


def _children(node: _Node, start: int, count: int) -> list[_Node]:
    items = _items(node.value)[start : start + count]
    return [_Node(node, start + place, key, item) for place, (key, item) in enumerate(items)]


def _as_index(index: _Index) -> QModelIndex:
    """What signals of a model take."""
    return index.sibling(index.row(), index.column()) if index.isValid() else QModelIndex()
