"""The rows of one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QIcon

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.units import bytes_text
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.files.source import Differences, mode_text, time_text
from dockdesk.ui.widgets.plain import one_line, plain_tip

Rows = list[FileEntry]
Run = Callable[[Callable[[], Rows], Callable[[Rows], None]], None]
Index = QModelIndex | QPersistentModelIndex

NAME, SIZE, MODE, OWNER, MODIFIED, DIFFERS = range(6)
TITLES = ("Name", "Size", "Mode", "Owner", "Modified", "Against the image")
_AT_ONCE = 2000
_ICONS = {"folder": "folder", "link": "link", "file": "file", "deleted": "file-x"}
_WORDS = {
    "added": "added",
    "changed": "changed",
    "deleted": "deleted",
    "inside": "changes inside",
}
_TONES: dict[str, Tone] = {"added": "good", "changed": "warn", "deleted": "bad", "inside": "muted"}

_SORT_KEYS: dict[int, Callable[[FileEntry], Any]] = {
    NAME: lambda entry: entry.name.casefold(),
    SIZE: lambda entry: entry.size,
    MODE: lambda entry: entry.mode,
    OWNER: lambda entry: entry.owner,
    MODIFIED: lambda entry: entry.modified,
}


class FilesModel(QAbstractTableModel):
    """A folder's entries, folders first; filtered by name, sorted by any column.

    Large folders are arranged off the GUI thread: ``run`` gets the work and what to call with its result.
    """

    arranged = Signal()

    def __init__(self, theme: Theme, run: Run, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._turn = 0
        self._theme = theme
        self._all: tuple[FileEntry, ...] = ()
        self._rows: list[FileEntry] = []
        self._folder = "/"
        self._filter = ""
        self._sort = (NAME, False)
        self._differences: Differences | None = None
        self._icons: dict[str, QIcon] = {}

    def set_entries(self, folder: str, entries: Sequence[FileEntry]) -> None:
        self._folder, self._all = folder, tuple(entries)
        self._arrange()

    def set_differences(self, differences: Differences | None) -> None:
        self._differences = differences
        self._arrange()

    def set_filter(self, text: str) -> None:
        self._filter = text.casefold()
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sort = (column, order == Qt.SortOrder.DescendingOrder)
        self._arrange()

    def entry(self, row: int) -> FileEntry:
        return self._rows[row]

    def row_of(self, path: str) -> int:
        """The row of an entry, or -1."""
        return next((row for row, entry in enumerate(self._rows) if entry.path == path), -1)

    def total(self) -> int:
        """How many entries the folder has, shown or not."""
        return len(self._all)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section == SIZE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, column = self._rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(entry, column)
        if role == Qt.ItemDataRole.DecorationRole and column == NAME:
            return self._icon(entry.kind)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == SIZE:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.tone(self._tone(entry, column))
        if role == Qt.ItemDataRole.FontRole and column in {SIZE, MODE, MODIFIED}:
            return self._theme.font("mono" if column == MODE else "body", tabular=column != MODE)
        if role == Qt.ItemDataRole.ToolTipRole and column == NAME:
            return plain_tip(entry.name if len(entry.name) > 40 else "")
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        entry = self._rows[index.row()] if index.isValid() else None
        if entry is None or entry.kind == "folder":
            flags |= Qt.ItemFlag.ItemIsDropEnabled
        return flags | Qt.ItemFlag.ItemIsDragEnabled

    def _text(self, entry: FileEntry, column: int) -> str:
        match column:
            case 0:
                arrow = f" → {entry.link_target}" if entry.link_target else ""
                return one_line(entry.name + arrow, 300)
            case 1:
                return bytes_text(entry.size) if entry.kind == "file" else ""
            case 2:
                return mode_text(entry)
            case 3:
                return one_line(entry.owner, 60)
            case 4:
                return time_text(entry.modified)
        return _WORDS.get(difference(entry, self._differences), "")

    def _tone(self, entry: FileEntry, column: int) -> Tone:
        if column == DIFFERS:
            return _TONES.get(difference(entry, self._differences), "muted")
        return "neutral" if column == NAME and entry.kind != "deleted" else "muted"

    def _icon(self, kind: str) -> QIcon:
        if kind not in self._icons:
            tone = "accent" if kind == "folder" else "muted"
            self._icons[kind] = self._theme.icon(_ICONS.get(kind, "file-unknown"), tone)
        return self._icons[kind]

    def _arrange(self) -> None:
        view = Arrangement(self._folder, self._all, self._differences, self._filter, *self._sort)
        self._turn += 1
        turn = self._turn
        if len(self._all) <= _AT_ONCE:
            self._set_rows(view.rows(), turn)
        else:
            self._run(view.rows, lambda rows: self._set_rows(rows, turn))

    def _set_rows(self, rows: Rows, turn: int) -> None:
        if turn != self._turn:
            return  # asked for differently since
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()
        self.arranged.emit()


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Which entries are shown, and in which order; computed on any thread."""

    folder: str
    entries: Sequence[FileEntry]
    differences: Differences | None
    filter: str
    column: int
    falls: bool

    def rows(self) -> list[FileEntry]:
        rows = list(self.entries)
        if self.differences is not None:
            there = {entry.path for entry in rows}
            ghosts = self.differences.ghosts(self.folder)
            rows += [ghost for ghost in ghosts if ghost.path not in there]
        if self.filter:
            rows = [entry for entry in rows if self.filter in entry.name.casefold()]
        rows.sort(key=_SORT_KEYS[NAME])
        if self.column != NAME or self.falls:
            rows.sort(key=_SORT_KEYS.get(self.column, self._differs), reverse=self.falls)
        rows.sort(key=lambda entry: entry.kind != "folder")
        return rows

    def _differs(self, entry: FileEntry) -> str:
        return difference(entry, self.differences)


def difference(entry: FileEntry, differences: Differences | None) -> str:
    """How an entry differs from the image, as `Differences.word` says it; nothing where that is not known."""
    if entry.kind == "deleted":
        return "deleted"
    return "" if differences is None else differences.word(entry)
