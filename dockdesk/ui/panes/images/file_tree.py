"""A tree of files of an image: a model over columns of numbers, and the view that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QMenu, QTreeView, QWidget

from dockdesk.core.dissection.model import FILE, HARD_LINK, REMOVED, UNCHANGED
from dockdesk.core.dissection.tree import EMPTY, FileTree
from dockdesk.ui.panes.images.file_columns import ICONS, TONES, FileColumn, privileged
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import one_line, plain_tip

_Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_FETCHED = 200
_FAR = 2_000  # down a folder: so many lines are not laid out anew without being asked
_NAME_AT_LEAST = 200
_UNFOLDED = 60  # lines that are unfolded by themselves
ROLE_NUMBER = Qt.ItemDataRole.UserRole + 1


class FileTreeModel(QAbstractItemModel):
    """Shows a `FileTree`; nothing is made of what is not looked at. Children come some hundred at a time."""

    def __init__(
        self, theme: Theme, columns: Sequence[FileColumn], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._theme = theme
        self._tree = EMPTY
        self._fetched: dict[int, int] = {}
        theme.changed.connect(self._on_theme_changed)

    @property
    def tree(self) -> FileTree:
        return self._tree

    def show_tree(self, tree: FileTree) -> None:
        self.beginResetModel()
        self._tree = tree
        self._fetched = {}
        self.endResetModel()

    def number(self, index: _Index) -> int:
        """The line's number in the tree; 0 is the root."""
        return int(index.internalId()) if index.isValid() else 0

    def index_of(self, number: int) -> QModelIndex:
        """Where a number is; its siblings before it are fetched."""
        if number <= 0:
            return QModelIndex()
        names = self._tree.names
        parent = names.parent[number]
        row = number - names.first[parent]
        above = self.index_of(parent)
        if (lacking := row + 1 - self.rowCount(above)) > 0:
            self._fetch(above, max(_FETCHED, lacking))
        return self.createIndex(row, 0, number)

    def index(self, row: int, column: int, parent: _Index = _ROOT) -> QModelIndex:
        above = parent.internalId() if parent.isValid() else 0
        if 0 <= row < self._fetched.get(above, 0) and 0 <= column < len(self.columns):
            return self.createIndex(row, column, self._tree.names.first[above] + row)
        return QModelIndex()

    def parent(self, index: _Index = _ROOT) -> QModelIndex:  # type: ignore[override]
        number = self.number(index)
        names = self._tree.names
        above = names.parent[number] if number else 0
        if not above:
            return QModelIndex()
        return self.createIndex(above - names.first[names.parent[above]], 0, above)

    def rowCount(self, parent: _Index = _ROOT) -> int:
        return 0 if parent.column() > 0 else self._fetched.get(self.number(parent), 0)

    def columnCount(self, parent: _Index = _ROOT) -> int:  # noqa: ARG002
        return len(self.columns)

    def hasChildren(self, parent: _Index = _ROOT) -> bool:
        number = parent.internalId() if parent.isValid() else 0
        return self._tree.names.count[number] > 0

    def canFetchMore(self, parent: _Index) -> bool:
        number = self.number(parent)
        return self._fetched.get(number, 0) < self._tree.names.count[number]

    def fetchMore(self, parent: _Index) -> None:
        self._fetch(parent, _FETCHED)

    def _fetch(self, parent: _Index, count: int) -> None:
        number = self.number(parent)
        had = self._fetched.get(number, 0)
        more = min(count, self._tree.names.count[number] - had)
        if more > 0:
            at = self.createIndex(parent.row(), 0, number) if number else QModelIndex()
            self.beginInsertRows(at, had, had + more - 1)
            self._fetched[number] = had + more
            self.endInsertRows()

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self.columns[section].title
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(self.columns[section])
        return None

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        number, column = self.number(index), self.columns[index.column()]
        tree = self._tree
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return one_line(column.text(tree, number))
            case Qt.ItemDataRole.ToolTipRole:
                return plain_tip(tree.names.path(number)) if index.column() == 0 else ""
            case Qt.ItemDataRole.DecorationRole if index.column() == 0:
                return self._icon(number)
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(number, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.FontRole:
                return self._font(number, column)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.title}: {column.text(tree, number)}"
        return None

    def _icon(self, number: int) -> Any:
        kind, change = self._tree.kind[number], self._tree.change[number]
        if privileged(self._tree, number):
            return self._theme.icon("shield", "warn", 16)
        icon = ICONS.get(kind, "file-x" if change == REMOVED else "file")
        return self._theme.icon(icon, "muted", 16)

    def _colour(self, number: int, column: FileColumn) -> Any:
        change = self._tree.change[number]
        if column.order in {"change", "delta"} and change != UNCHANGED:
            return self._theme.tone(TONES[change])
        if column.order == "mode" and privileged(self._tree, number):
            return self._theme.tone("warn")
        quiet = change == UNCHANGED and self._tree.origin[number] < 0
        if quiet or column.order not in {"name", "size"} or change == REMOVED:
            return self._theme.tone("muted")
        return None

    def _font(self, number: int, column: FileColumn) -> Any:
        if column.order == "mode":
            return self._theme.font("mono")
        if column.order == "name" and self._tree.change[number] == REMOVED:
            font = self._theme.font("body")
            font.setStrikeOut(True)
            return font
        return self._theme.font("body", tabular=True) if column.number else None

    def _on_theme_changed(self) -> None:
        if rows := self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(rows - 1, len(self.columns) - 1))


def _alignment(column: FileColumn) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class FileTreeView(QTreeView):
    """``order_asked`` tells by which order to sort; ``opened`` carries the number of a file to look at, ``save_asked``
    of one to save. What was unfolded stays so, by path, when another tree is shown.
    """

    order_asked = Signal(str, bool)
    opened = Signal(int)
    save_asked = Signal(int)

    def __init__(
        self,
        theme: Theme,
        columns: Sequence[FileColumn],
        reads: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        """``reads``: whether files can be looked into."""
        super().__init__(parent)
        self._theme = theme
        self._reads = reads
        self._give_way: list[int] = []
        self._unfolded: set[str] = set()
        self._showing = False
        self.files = FileTreeModel(theme, columns, self)
        self.ensurePolished()
        self.setModel(self.files)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setAnimated(False)
        self.setAccessibleName("Files")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number, column in enumerate(self.files.columns):
            header.resizeSection(number, column.width)
        header.sortIndicatorChanged.connect(self._on_sort_asked)
        self.customContextMenuRequested.connect(self._on_menu_asked)
        self.activated.connect(self._on_activated)
        self.expanded.connect(self._on_expanded)
        self.collapsed.connect(self._on_collapsed)
        self._more = QTimer(self)
        self._more.setSingleShot(True)
        self._more.setInterval(0)
        self._more.timeout.connect(self._fetch_below)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._more.start())

    def show_tree(self, tree: FileTree) -> None:
        """Show another tree; what was unfolded and chosen is again, as far as it is there."""
        current = self.current_path()
        self._showing = True
        self.files.show_tree(tree)
        if self.files.canFetchMore(_ROOT):
            self.files.fetchMore(_ROOT)
        self._unfold()
        self._showing = False
        number = tree.names.find(current) if current else 0
        if number > 0 and number - tree.names.first[tree.names.parent[number]] < _FAR:
            self.choose(current)

    def current_path(self) -> str:
        number = self.files.number(self.currentIndex())
        return self.files.tree.names.path(number) if number else ""

    def choose(self, path: str) -> bool:
        """Go to a path; False where it is not shown."""
        number = self.files.tree.names.find(path)
        if number <= 0:
            return False
        index = self.files.index_of(number)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The last columns leave where there is no room for the name."""
        super().resizeEvent(event)
        room = self.viewport().width() - _NAME_AT_LEAST
        for number, column in enumerate(self.files.columns[1:], 1):
            room -= column.width
            self.setColumnHidden(number, room < 0 and number > 2)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy_path()
            return
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
            return
        super().keyPressEvent(event)

    def _unfold(self) -> None:
        """What was unfolded before; at first the ways that don't fork, so that what there is can be seen."""
        names = self.files.tree.names
        if self._unfolded:
            for path in sorted(self._unfolded):
                number = names.find(path)
                if number > 0 and names.count[number]:
                    self.expand(self.files.index_of(number))
            return
        waiting, lines = [0], names.count[0]
        while waiting:
            number = waiting.pop(0)
            if number and lines + names.count[number] > _UNFOLDED:
                break
            if number:
                lines += names.count[number]
                self.expand(self.files.index_of(number))
            below = range(names.first[number], names.first[number] + names.count[number])
            waiting += [child for child in below if names.count[child]]

    def _on_expanded(self, index: QModelIndex) -> None:
        if not self._showing:
            self._unfolded.add(self.files.tree.names.path(self.files.number(index)))
        self._more.start()

    def _on_collapsed(self, index: QModelIndex) -> None:
        if not self._showing:
            self._unfolded.discard(self.files.tree.names.path(self.files.number(index)))

    def _fetch_below(self) -> None:
        """Get more of a folder whose last fetched line has come into view."""
        index = self.indexAt(QPoint(4, self.viewport().height() - 4))
        if not index.isValid():
            index = self.files.index(self.files.rowCount() - 1, 0)
            while self.isExpanded(index) and self.files.rowCount(index):
                index = self.files.index(self.files.rowCount(index) - 1, 0, index)
        at = index
        while True:
            parent = self.files.parent(at) if at.isValid() else QModelIndex()
            if at.row() >= self.files.rowCount(parent) - 40 and self.files.canFetchMore(parent):
                self.files.fetchMore(parent)
                return
            if not parent.isValid():
                return
            at = parent

    def _on_sort_asked(self, column: int, order: Qt.SortOrder) -> None:
        descending = order == Qt.SortOrder.DescendingOrder
        self.order_asked.emit(self.files.columns[column].order, descending)

    def readable(self, number: int) -> bool:
        """Whether there is content to look into."""
        tree = self.files.tree
        return self._reads and number > 0 and tree.kind[number] in (FILE, HARD_LINK)

    def _on_activated(self, index: QModelIndex) -> None:
        number = self.files.number(index)
        if self.readable(number):
            self.opened.emit(number)
        elif self.files.hasChildren(index.siblingAtColumn(0)):
            self.setExpanded(
                index.siblingAtColumn(0), not self.isExpanded(index.siblingAtColumn(0))
            )

    def _on_menu_asked(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if not index.isValid():
            return
        number, icon = self.files.number(index), self._theme.icon
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self._reads:
            view = menu.addAction(icon("eye"), "View", lambda: self.opened.emit(number))
            save = menu.addAction(icon("download"), "Save…", lambda: self.save_asked.emit(number))
            view.setEnabled(self.readable(number))
            save.setEnabled(self.readable(number))
            menu.addSeparator()
        menu.addAction(icon("route"), "Copy path", self._copy_path)
        menu.popup(self.viewport().mapToGlobal(place))

    def _copy_path(self) -> None:
        if path := self.current_path():
            QGuiApplication.clipboard().setText(path)
