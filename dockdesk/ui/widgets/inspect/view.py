"""What an API said of a resource, as a tree that can be searched and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QStackedWidget,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from dockdesk.bridge.jobs import Jobs
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton, Segment, SegmentedControl
from dockdesk.ui.widgets.empty import EmptyState
from dockdesk.ui.widgets.inspect.highlight import JsonHighlighter
from dockdesk.ui.widgets.inspect.items import Item, count_matches, json_text, make_items, prune
from dockdesk.ui.widgets.inspect.model import KEY, ItemModel
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import shown
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.text_view import TextView

_SEGMENTS = (Segment("tree", "Tree", "list-tree"), Segment("json", "JSON", "braces"))
_OPEN_AT_ONCE = 400  # so many found items are unfolded


@dataclass(frozen=True, slots=True)
class _Made:
    """What a worker made of a value: all of it, what is shown of it, and the matches."""

    whole: Item
    seen: Item | None
    matches: int
    text: str


class InspectTree(QWidget):
    """Shows a JSON value. Searching keeps what matches; secrets are masked until asked.

    Long work leaves the GUI thread. ``copied`` tells what was put on the clipboard.
    """

    copied = Signal(str)

    def __init__(self, theme: Theme, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._key = ""
        self._value: Any = None
        self._whole: Item | None = None
        self._open: dict[str, set[str]] = {}
        self._needle = ""
        self._shown_needle = ""
        self.model = ItemModel(theme, self)
        self.tree = QTreeView()
        self.text = TextView(theme)
        self._highlighter = JsonHighlighter(theme, self.text.document())
        self.state = EmptyState(theme, "search", "Nothing matches", "Try another word.")
        self._make_bar()
        self._pages = QStackedWidget()
        for page in (self.tree, self.text, self.state):
            self._pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._bar)
        layout.addWidget(self._pages, 1)
        self._set_up_tree()
        self._connect()

    def set_value(self, value: Any, key: str = "") -> None:
        """Show a value of dicts, lists and scalars. The same ``key`` again keeps what is unfolded and selected."""
        if key != self._key:
            self._remember_open()
            self._key = key
            self.eye.setChecked(False)
            self.model.set_root(None)
            self.model.mask_again()
        elif value == self._value:
            return
        self._value = value
        self._make()

    def focus_filter(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _make_bar(self) -> None:
        self.search = SearchField(self._theme, "Search keys and values")
        self.search.setMinimumWidth(180)
        self.matches = PlainLabel(self._theme, "", "small", "muted")
        self.mode = SegmentedControl(self._theme, _SEGMENTS)
        self.eye = IconButton(self._theme, "eye", "Show secrets")
        self.eye.setCheckable(True)
        self.unfold = IconButton(self._theme, "fold-down", "Unfold all")
        self.fold = IconButton(self._theme, "fold-up", "Fold all")
        self.copy = IconButton(self._theme, "copy", "Copy as JSON")
        self._bar = QHBoxLayout()
        self._bar.setSpacing(8)
        self._bar.addWidget(self.search, 1)
        for widget in (self.matches, self.mode, self.unfold, self.fold, self.eye, self.copy):
            self._bar.addWidget(widget)

    def _set_up_tree(self) -> None:
        tree = self.tree
        tree.ensurePolished()
        tree.setModel(self.model)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.setAccessibleName("Values")
        header = tree.header()
        header.setSectionResizeMode(KEY, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(KEY, 280)

    def _connect(self) -> None:
        self.search.searched.connect(self._on_searched)
        self.search.left.connect(self.tree.setFocus)
        self.mode.changed.connect(lambda _mode: self._make())
        self.eye.toggled.connect(self._on_eye_toggled)
        self.unfold.clicked.connect(self._on_unfold_clicked)
        self.fold.clicked.connect(self.tree.collapseAll)
        self.copy.clicked.connect(self._on_copy_all_clicked)
        self.tree.customContextMenuRequested.connect(self._on_menu_asked)
        self._theme.changed.connect(self._on_theme_changed)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self._on_copy_asked)

    # What is made off the GUI thread

    def _make(self) -> None:
        """Make what is asked for: the tree or its text, all of it or what matches."""
        value, needle, reveal = self._value, self._needle, self.eye.isChecked()
        as_text = self.mode.current() == "json"

        def work(_work: object) -> _Made:
            whole = make_items(value)
            seen = prune(whole, needle, reveal)
            matches = count_matches(whole, needle, reveal) if needle else 0
            text = shown(json_text(seen, reveal)) if as_text and seen is not None else ""
            return _Made(whole, seen, matches, text)

        self._jobs.submit(self, work, self._on_made, question="make")

    def _on_made(self, made: _Made) -> None:
        self._whole = made.whole
        words = "1 match" if made.matches == 1 else f"{made.matches:,} matches"
        self.matches.setText(words if self._needle else "")
        if made.seen is None:
            self._pages.setCurrentWidget(self.state)
        elif self.mode.current() == "json":
            self._pages.setCurrentWidget(self.text)
            if made.text != self.text.text():
                self.text.set_text(made.text)
        else:
            self._pages.setCurrentWidget(self.tree)
            self._show_tree(made.seen)

    def _show_tree(self, seen: Item) -> None:
        self._remember_open()
        current = self.tree.currentIndex()
        path = self.model.item(current).path if current.isValid() else ""
        place = self.tree.verticalScrollBar().value()
        self.model.set_reveal(self.eye.isChecked())
        self.model.set_root(seen)
        if self._needle:
            self._unfold_found(QModelIndex(), _OPEN_AT_ONCE)
        else:
            self._unfold_known(QModelIndex(), self._open.get(self._key, set()), path)
            self.tree.verticalScrollBar().setValue(place)
        self._shown_needle = self._needle

    # What is unfolded

    def _remember_open(self) -> None:
        """Note what the user unfolded, unless a search did it."""
        if self._shown_needle or not self.model.rowCount():
            return
        found: set[str] = set()
        self._collect_open(QModelIndex(), found)
        self._open[self._key] = found

    def _collect_open(self, parent: QModelIndex, found: set[str]) -> None:
        for row in range(self.model.rowCount(parent)):
            index = self.model.index(row, KEY, parent)
            if self.tree.isExpanded(index):
                found.add(self.model.item(index).path)
                self._collect_open(index, found)

    def _unfold_known(self, parent: QModelIndex, known: set[str], current: str) -> None:
        for row in range(self.model.rowCount(parent)):
            index = self.model.index(row, KEY, parent)
            path = self.model.item(index).path
            if path == current:
                self.tree.setCurrentIndex(index)
            if path in known:
                self.tree.expand(index)
                self._unfold_known(index, known, current)

    def _unfold_found(self, parent: QModelIndex, left: int) -> int:
        for row in range(self.model.rowCount(parent)):
            index = self.model.index(row, KEY, parent)
            if left <= 0:
                break
            if self.model.hasChildren(index):
                self.tree.expand(index)
                left = self._unfold_found(index, left - 1)
        return left

    # What the user does

    def _on_searched(self, text: str) -> None:
        self._remember_open()
        self._needle = text.strip()
        self._make()

    def _on_eye_toggled(self, on: bool) -> None:
        self.eye.set_icon("eye-off" if on else "eye")
        self.eye.set_tip("Mask secrets" if on else "Show secrets")
        if self._value is not None:
            self._make()

    def _on_unfold_clicked(self) -> None:
        self._unfold_found(QModelIndex(), _OPEN_AT_ONCE * 5)

    def _on_copy_all_clicked(self) -> None:
        if self._whole is not None:
            self._copy_json(self._whole)

    def _on_menu_asked(self, place: QPoint) -> None:
        index = self.tree.indexAt(place)
        if not index.isValid():
            return
        item, icon = self.model.item(index), self._theme.icon
        # A new value may arrive while the menu is open.
        place_in_tree = QPersistentModelIndex(index)
        menu = QMenu(self.tree)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("copy"), "Copy value", lambda: self._copy_value(item))
        menu.addAction(icon("route"), "Copy path", lambda: self._copy(item.path))
        if item.children:
            menu.addAction(icon("braces"), "Copy as JSON", lambda: self._copy_json(item))
        if item.masked and not self.model.reveals(item):
            menu.addSeparator()
            menu.addAction(
                icon("eye"), "Show this secret", lambda: self.model.reveal(place_in_tree)
            )
        menu.popup(self.tree.viewport().mapToGlobal(place))

    def _on_copy_asked(self) -> None:
        index = self.tree.currentIndex()
        if index.isValid():
            self._copy_value(self.model.item(index))

    def _on_theme_changed(self) -> None:
        # Coloured anew as it comes in, a slice at a time.
        if self.text.text():
            self.text.set_text(self.text.text())

    def _copy_value(self, item: Item) -> None:
        if item.children:
            self._copy_json(item)
        else:
            self._copy(item.text)

    def _copy_json(self, item: Item) -> None:
        reveal = self.eye.isChecked()
        self._jobs.submit(self, lambda _work: json_text(item, reveal), self._copy, question="copy")

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)
