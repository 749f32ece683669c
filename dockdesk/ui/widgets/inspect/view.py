"""What an API said of a resource, as a tree that can be searched and as JSON."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
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
from dockdesk.ui.widgets.inspect.highlight import JsonHighlighter
from dockdesk.ui.widgets.inspect.masked import (
    Path,
    json_text,
    masked,
    path_text,
    plain_text,
    value_at,
)
from dockdesk.ui.widgets.inspect.model import InspectModel
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import shown
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.text_view import TextView, find_all

_SEGMENTS = (Segment("tree", "Tree", "list-tree"), Segment("json", "JSON", "braces"))
_UNFOLDED = 2000


class InspectTree(QWidget):
    """Shows a JSON value; Enter goes from one found node to the next. Secrets are masked until they are asked for.

    Masking and JSON are made off the GUI thread. ``copied`` tells what was put on the clipboard.
    """

    copied = Signal(str)

    def __init__(self, theme: Theme, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._key = ""
        self._value: Any = None
        self._revealed: set[Path] = set()
        self._needle = ""
        self._places: list[tuple[int, int]] = []
        self._at = -1
        self.model = InspectModel(theme, self)
        self.tree = QTreeView()
        self.text = TextView(theme)
        self._highlighter = JsonHighlighter(theme, self.text.document())
        self._make_bar()
        self._pages = QStackedWidget()
        self._pages.addWidget(self.tree)
        self._pages.addWidget(self.text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._bar)
        layout.addWidget(self._pages, 1)
        self._set_up_tree()
        self._connect()

    def set_value(self, value: Any, key: str = "") -> None:
        """Show a value of dicts, lists and scalars, not to be changed later.

        The same ``key`` again, for newer data of the same thing, keeps revealed secrets revealed.
        """
        if key != self._key:
            self._key = key
            self._revealed.clear()
            self.eye.setChecked(False)
        elif value == self._value:
            return
        self._value = value
        self._make()

    def focus_filter(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def go(self, step: int) -> None:
        """Go to the next (1) or the previous (-1) place that was found, around the ends."""
        count = self._count()
        if not count:
            return
        self._at = (self._at + step) % count if self._at >= 0 else (0 if step > 0 else count - 1)
        if self._as_text():
            self.text.select(*self._places[self._at])
        else:
            index = self.model.index_of(self.model.matches[self._at])
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        self._say_matches()

    def reveal(self, path: Path) -> None:
        """Show one secret."""
        self._revealed.add(path)
        self._make()

    def _make_bar(self) -> None:
        theme = self._theme
        self.search = SearchField(theme, "Search names and values")
        self.search.setMinimumWidth(180)
        self.matches = PlainLabel(theme, "", "small", "muted")
        self.previous = IconButton(theme, "chevron-up", "Previous", "Shift+F3")
        self.next = IconButton(theme, "chevron-down", "Next", "F3")
        self.mode = SegmentedControl(theme, _SEGMENTS)
        self.eye = IconButton(theme, "eye", "Show secrets")
        self.eye.setCheckable(True)
        self.unfold = IconButton(theme, "fold-down", "Unfold all")
        self.fold = IconButton(theme, "fold-up", "Fold all")
        self.copy = IconButton(theme, "copy", "Copy as JSON")
        self._bar = QHBoxLayout()
        self._bar.setSpacing(8)
        self._bar.addWidget(self.search, 1)
        for widget in (self.matches, self.previous, self.next, self.mode):
            self._bar.addWidget(widget)
        for widget in (self.unfold, self.fold, self.eye, self.copy):
            self._bar.addWidget(widget)
        for widget in (self.matches, self.previous, self.next):
            widget.hide()

    def _set_up_tree(self) -> None:
        tree = self.tree
        tree.ensurePolished()
        tree.setModel(self.model)
        tree.setUniformRowHeights(True)
        tree.setAllColumnsShowFocus(True)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.setAccessibleName("Values")
        header = tree.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(0, 280)

    def _connect(self) -> None:
        self.search.searched.connect(self._on_searched)
        self.search.returnPressed.connect(lambda: self.go(1))
        self.search.left.connect(self.tree.setFocus)
        self.previous.clicked.connect(lambda: self.go(-1))
        self.next.clicked.connect(lambda: self.go(1))
        self.model.matches_changed.connect(lambda _count: self._say_matches())
        self.model.search_ended.connect(self._on_search_ended)
        self.mode.changed.connect(self._on_mode_changed)
        self.eye.toggled.connect(self._on_eye_toggled)
        self.unfold.clicked.connect(self._on_unfold_clicked)
        self.fold.clicked.connect(self.tree.collapseAll)
        self.copy.clicked.connect(self._on_copy_all_clicked)
        self.tree.customContextMenuRequested.connect(self._on_menu_asked)
        self._theme.changed.connect(self._on_theme_changed)
        for keys, run in (("F3", lambda: self.go(1)), ("Shift+F3", lambda: self.go(-1))):
            shortcut = QShortcut(QKeySequence(keys), self, run)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self._on_copy_asked)

    # What is made off the GUI thread

    def _make(self) -> None:
        value, revealed = self._value, frozenset(self._revealed)
        reveal, as_text = self.eye.isChecked(), self._as_text()

        def work(_work: object) -> tuple[Any, str]:
            seen = value if reveal else masked(value, revealed)
            return seen, shown(json_text(seen)) if as_text else ""

        self._jobs.submit(self, work, self._on_made, question="make")

    def _on_made(self, made: tuple[Any, str]) -> None:
        seen, text = made
        self.model.show_value(seen)
        if text and text != self.text.text():
            self.text.set_text(text, keep_place=True)
            self._find(stay=True)

    def _find(self, *, stay: bool = False) -> None:
        """Look for what is searched for; ``stay`` where the user is, else go to the first place."""
        if not stay:
            self._at = -1
        if not self._as_text():
            self.model.search(self._needle)
            return
        text, needle = self.text.text(), self._needle
        self._jobs.submit(
            self, lambda _work: find_all(text, needle), self._on_places, question="find"
        )

    def _on_places(self, places: list[tuple[int, int]]) -> None:
        self._places = places
        self._at = min(self._at, len(places) - 1)
        self._on_search_ended()

    def _as_text(self) -> bool:
        return self.mode.current() == "json"

    def _count(self) -> int:
        return len(self._places if self._as_text() else self.model.matches)

    # What the user does

    def _on_mode_changed(self, _mode: str) -> None:
        as_text = self._as_text()
        self._pages.setCurrentWidget(self.text if as_text else self.tree)
        self.unfold.setEnabled(not as_text)
        self.fold.setEnabled(not as_text)
        self._places = []
        self._find()
        if as_text:
            self._make()

    def _on_searched(self, text: str) -> None:
        self._needle = text.strip()
        for widget in (self.matches, self.previous, self.next):
            widget.setVisible(bool(self._needle))
        self._find()
        self._say_matches()

    def _on_search_ended(self) -> None:
        if self._at < 0:
            self.go(1)
        self._say_matches()

    def _say_matches(self) -> None:
        count = self._count()
        self.matches.setText(f"{self._at + 1} of {count:,}" if count else "no match")
        self.next.setEnabled(count > 0)
        self.previous.setEnabled(count > 0)

    def _on_eye_toggled(self, on: bool) -> None:
        self.eye.set_icon("eye-off" if on else "eye")
        self.eye.set_tip("Mask secrets" if on else "Show secrets")
        if not on:
            self._revealed.clear()
        if self._value is not None:
            self._make()

    def _on_unfold_clicked(self) -> None:
        """Unfold from the top, up to a bound: nobody reads tens of thousands of lines."""
        left = _UNFOLDED
        waiting = [QModelIndex()]
        while waiting and left > 0:
            parent = waiting.pop(0)
            if parent.isValid():
                self.tree.expand(parent)
            if self.model.canFetchMore(parent):
                self.model.fetchMore(parent)
            rows = self.model.rowCount(parent)
            left -= rows
            below = (self.model.index(row, 0, parent) for row in range(rows))
            waiting += [index for index in below if self.model.hasChildren(index)]

    def _on_copy_all_clicked(self) -> None:
        self._copy_at(())

    def _on_copy_asked(self) -> None:
        index = self.tree.currentIndex()
        if index.isValid():
            self._copy_at(self.model.path_of(index))

    def _on_menu_asked(self, place: QPoint) -> None:
        index = self.tree.indexAt(place)
        if not index.isValid():
            return
        # The path, not the index: newer data may come while the menu is open.
        path, icon = self.model.path_of(index), self._theme.icon
        menu = QMenu(self.tree)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(icon("copy"), "Copy value", lambda: self._copy_at(path))
        menu.addAction(icon("route"), "Copy path", lambda: self._copy(path_text(path)))
        if self.model.value_of(index) != value_at(self._value, path):
            menu.addSeparator()
            menu.addAction(icon("eye"), "Show this secret", lambda: self.reveal(path))
        menu.popup(self.tree.viewport().mapToGlobal(place))

    def _copy_at(self, path: Path) -> None:
        """Copy a plain value as it is, secret or not, and anything larger as it is shown."""
        value = value_at(self._value, path)
        if not isinstance(value, (dict, list, tuple)):
            self._copy(plain_text(value))
            return
        seen = value_at(self.model.value, path)
        self._jobs.submit(self, lambda _work: json_text(seen), self._copy, question="copy")

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)

    def _on_theme_changed(self) -> None:
        # Coloured anew as it comes in, a slice at a time.
        if self.text.text():
            self.text.set_text(self.text.text(), keep_place=True)
