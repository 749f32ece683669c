"""An inventory and its verdict as a tree for views; rows exist only where somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from dockdesk.core.units import bytes_text
from dockdesk.dockerfile.ignore_edits import rule_text
from dockdesk.dockerfile.inventory import FOLDER, LINK, SPECIAL, UNKNOWN, Inventory
from dockdesk.dockerfile.verdict import BELOW, SENT, Verdict

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()

NAME, SIZE, RULE = range(3)
_TITLES = ("Name", "Sent", "Rule")
_ICONS = {FOLDER: "folder", LINK: "link", SPECIAL: "plug-connected", UNKNOWN: "file-unknown"}


class ContextRole(IntEnum):
    """What a node gives beyond Qt's own roles."""

    ENTRY = Qt.ItemDataRole.UserRole + 1  # its number in the inventory
    ICON = Qt.ItemDataRole.UserRole + 2  # the icon's name
    STATE = Qt.ItemDataRole.UserRole + 3  # all, part or none of it is sent
    SHARES = Qt.ItemDataRole.UserRole + 4  # of the biggest beside it: sent, left out


class ContextModel(QAbstractItemModel):
    """Entries of a folder, the biggest first: by all that is there, so that no row moves while rules are typed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.inventory: Inventory | None = None
        self.verdict: Verdict | None = None
        self._text = ""
        self._orders: dict[int, list[int]] = {}
        self._rows: dict[int, int] = {}

    def show_inventory(
        self, inventory: Inventory | None, verdict: Verdict | None, text: str
    ) -> None:
        """Show another folder, or the same one read anew."""
        self.beginResetModel()
        self.inventory, self.verdict, self._text = inventory, verdict, text
        self._orders.clear()
        self._rows.clear()
        self.endResetModel()

    def show_verdict(self, verdict: Verdict, text: str) -> None:
        """The same entries by other rules: no row comes, goes or moves."""
        self.verdict, self._text = verdict, text
        if (order := self._orders.get(0)) is not None and order:
            # Views repaint what they show; one range of the top says that it differs.
            self.dataChanged.emit(self.index(0, 0), self.index(len(order) - 1, RULE))

    # What an entry is.

    def entry(self, index: _Index) -> int:
        """The number of a node; 0, the context itself, for an invalid index."""
        return index.internalId() if index.isValid() else 0

    def index_of(self, entry: int, column: int = NAME) -> QModelIndex:
        """Where an entry stands; invalid for the context itself."""
        if self.inventory is None or not 0 < entry < len(self.inventory):
            return QModelIndex()
        self._order(self.inventory.parents[entry])
        return self.createIndex(self._rows[entry], column, entry)

    def state(self, entry: int) -> str:
        """Whether all, part or none of an entry is sent."""
        verdict = self.verdict
        if verdict is None or verdict.fates[entry] != SENT:
            return "none" if verdict is not None else "all"
        if verdict.files[entry]:
            return "part" if verdict.left_files[entry] else "all"
        return "none" if verdict.left_files[entry] else "all"

    def rule(self, entry: int) -> str:
        """The rule that decided, as it is written; empty where none did."""
        verdict = self.verdict
        return "" if verdict is None else rule_text(self._text, verdict.lines[entry])

    def line(self, entry: int) -> int:
        """The line (from 0) of the rule that decided, -1 where none did."""
        return -1 if self.verdict is None else self.verdict.lines[entry]

    def size_text(self, entry: int) -> str:
        """What is sent of it, in words."""
        verdict, state = self.verdict, self.state(entry)
        if verdict is None:
            return ""
        if state == "none":
            return f"− {bytes_text(verdict.left_bytes[entry])}"
        sent = bytes_text(verdict.bytes[entry])
        if state == "all":
            return sent
        return f"{sent} of {bytes_text(verdict.bytes[entry] + verdict.left_bytes[entry])}"

    def is_folder(self, entry: int) -> bool:
        return self.inventory is not None and self.inventory.kinds[entry] == FOLDER

    def inside(self, entry: int) -> Sequence[int]:
        """Entries of a folder in the order of their rows."""
        return self._order(entry)

    # Qt's questions.

    def index(self, row: int, column: int, parent: _Index = _ROOT) -> QModelIndex:
        order = self._order(self.entry(parent))
        if 0 <= row < len(order) and 0 <= column < len(_TITLES):
            return self.createIndex(row, column, order[row])
        return QModelIndex()

    def parent(self, index: _Index = _ROOT) -> QModelIndex:  # type: ignore[override]
        entry = self.entry(index)
        if self.inventory is None or entry <= 0:
            return QModelIndex()
        return self.index_of(self.inventory.parents[entry])

    def rowCount(self, parent: _Index = _ROOT) -> int:
        if self.inventory is None or parent.column() > 0:
            return 0
        return self.inventory.count[self.entry(parent)]

    def columnCount(self, parent: _Index = _ROOT) -> int:  # noqa: ARG002
        return len(_TITLES)

    def hasChildren(self, parent: _Index = _ROOT) -> bool:
        return self.rowCount(parent) > 0

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        inventory = self.inventory
        if not index.isValid() or inventory is None:
            return None
        entry = self.entry(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text_of(entry, index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == NAME:
            word = {"all": "sent", "part": "sent in part", "none": "left out"}[self.state(entry)]
            return f"{inventory.name(entry)}, {word}, {self.size_text(entry)}"
        if role == ContextRole.ENTRY:
            return entry
        if role == ContextRole.ICON:
            return _ICONS.get(inventory.kinds[entry], "file")
        if role == ContextRole.STATE:
            return self.state(entry)
        if role == ContextRole.SHARES:
            return self._shares(entry)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section] if 0 <= section < len(_TITLES) else None
        return None

    def _text_of(self, entry: int, column: int) -> str:
        assert self.inventory is not None
        if column == NAME:
            return self.inventory.name(entry)
        if column == SIZE:
            return self.size_text(entry)
        line = self.line(entry)
        if line < 0:
            return ""
        inherited = self.verdict is not None and self.verdict.fates[entry] == BELOW
        return f"{self.rule(entry)}  {'with its folder' if inherited else f'line {line + 1}'}"

    def _shares(self, entry: int) -> tuple[float, float]:
        inventory, verdict = self.inventory, self.verdict
        assert inventory is not None
        if verdict is None:
            return 0.0, 0.0
        first = self._order(inventory.parents[entry])[0]
        whole = verdict.bytes[first] + verdict.left_bytes[first]
        if not whole:
            return 0.0, 0.0
        return verdict.bytes[entry] / whole, verdict.left_bytes[entry] / whole

    def _order(self, folder: int) -> list[int]:
        order = self._orders.get(folder)
        if order is None:
            inventory, verdict = self.inventory, self.verdict
            if inventory is None:
                return []
            order = list(inventory.entries(folder))
            if verdict is not None:
                sent, left = verdict.bytes, verdict.left_bytes
                order.sort(key=lambda entry: -(sent[entry] + left[entry]))
            self._orders[folder] = order
            for row, entry in enumerate(order):
                self._rows[entry] = row
        return order
