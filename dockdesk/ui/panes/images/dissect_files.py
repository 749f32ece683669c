"""The layers of an image beside the files of the one that is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.call import Call
from dockdesk.core.dissection.model import ADDED, CHANGED, REMOVED, Dissection
from dockdesk.core.dissection.tree import FileTree, Query, tree_of
from dockdesk.core.errors import DockDeskError
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.images.dissections import HEAVY
from dockdesk.ui.panes.images.file_columns import LAYER_COLUMNS as FILE_COLUMNS
from dockdesk.ui.panes.images.file_tree import FileTreeView
from dockdesk.ui.panes.images.findings import LAYER_COLUMNS, LayerRow, layer_rows
from dockdesk.ui.widgets.buttons import Segment, SegmentedControl
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.splitter import Splitter
from dockdesk.ui.widgets.table import TableView

_MODES = (
    Segment("changes", "Changes", tip="What this layer adds, changes and removes"),
    Segment("whole", "All files", tip="All files up to this layer, as a container would see them"),
)
_LAYERS_AT_LEAST = 300
_FILTERS: Sequence[tuple[str, int, bool]] = (
    ("Everything", 0, False),
    ("Added", ADDED, False),
    ("Changed", CHANGED, False),
    ("Removed", REMOVED, False),
    ("Setuid, setgid", 0, True),
)


class FilesPage(QWidget):
    """``opened`` and ``save_asked`` carry the number of a file in `tree`."""

    opened = Signal(int)
    save_asked = Signal(int)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._image: Dissection | None = None
        self._query = Query()
        self._goal = ""
        self._parted = False
        theme = context.theme
        model: KeyedTableModel[LayerRow] = KeyedTableModel(
            LAYER_COLUMNS, lambda row: str(row.number), self
        )
        model.sort_by("number", False)
        self.layers: TableView[LayerRow] = TableView(theme, model, "Layers")
        self.layers.selection_changed.connect(self._on_layer_chosen)
        self.mode = SegmentedControl(theme, _MODES)
        self.mode.changed.connect(self._on_mode_changed)
        self.search = SearchField(theme, "Filter paths")
        self.search.searched.connect(lambda text: self._ask(text=text.strip()))
        self.filter = QComboBox()
        self.filter.setAccessibleName("Which files")
        for title, _change, _privileged in _FILTERS:
            self.filter.addItem(title)
        self.filter.currentIndexChanged.connect(self._on_filter_changed)
        self.count = PlainLabel(theme, "", "small", "muted")
        self.files = FileTreeView(theme, FILE_COLUMNS)
        self.files.order_asked.connect(lambda order, down: self._ask(order=order, descending=down))
        self.files.opened.connect(self.opened)
        self.files.save_asked.connect(self.save_asked)
        self.search.left.connect(self.files.setFocus)
        self.state = EmptyState(theme)
        self._loading = LoadingState(theme, "Looking through the files…")
        self.pages = QStackedWidget()
        for page in (self.files, self.state, self._loading):
            self.pages.addWidget(page)
        self._place_parts()

    def _place_parts(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 0, 0, 0)
        bar.setSpacing(8)
        bar.addWidget(self.mode)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.filter)
        bar.addWidget(self.count)
        self.search.setMinimumWidth(110)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(bar)
        column.addWidget(self.pages, 1)
        self.layers.setMinimumWidth(_LAYERS_AT_LEAST)
        self.split = Splitter(Qt.Orientation.Horizontal, (2, 3))
        self.split.setHandleWidth(8)
        self.split.addWidget(self.layers)
        self.split.addWidget(right)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.split)

    @property
    def tree(self) -> FileTree:
        return self.files.files.tree

    @property
    def query(self) -> Query:
        """What is shown, or asked for."""
        return self._query

    def show_image(self, image: Dissection) -> None:
        """Show another image, its top layer first."""
        if image is self._image:
            return
        self._image = image
        self.layers.rows.reset_to(layer_rows(image))
        self.layers.rows.set_filter("")  # arranges them now: one is chosen at once
        self._query = replace(self._query, layer=max(0, len(image.layers) - 1))
        self._choose_layer()
        if not image.layers:
            self._say("stack-2", "No layers", "The image holds no files at all.")
            return
        self._ask()

    def go(self, path: str, layer: int) -> None:
        """Show a file in its layer, counted from 1; what hides it is taken away."""
        if self._image is None or not 1 <= layer <= len(self._image.layers):
            return
        for field in (self.search, self.filter):
            field.blockSignals(True)
        self.search.clear()
        self.filter.setCurrentIndex(0)
        for field in (self.search, self.filter):
            field.blockSignals(False)
        self._goal = path
        self._query = replace(self._query, layer=layer - 1, text="", change=0, privileged=False)
        self._choose_layer()
        self._ask()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._parted:
            # Only once it has been laid out there is a size that proportions can be taken of.
            self._parted = True
            QTimer.singleShot(0, self, self.split.restore_proportions)

    def save_state(self) -> Mapping[str, Any]:
        return {"mode": self.mode.current(), "split": self.split.sizes()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if state.get("mode") in {"changes", "whole"}:
            self.mode.set_current(str(state["mode"]))
        sizes = state.get("split")
        if isinstance(sizes, list) and all(isinstance(s, int) and s > 0 for s in sizes):
            self.split.setSizes(sizes)
            self._parted = True

    def _choose_layer(self) -> None:
        blocked = self.layers.blockSignals(True)
        self.layers.select_keys([str(self._query.layer + 1)])
        self.layers.blockSignals(blocked)

    def _on_layer_chosen(self, rows: Sequence[LayerRow]) -> None:
        if rows:
            self._ask(layer=rows[0].number - 1)

    def _on_mode_changed(self, mode: str) -> None:
        self._ask(whole=mode == "whole")

    def _on_filter_changed(self, at: int) -> None:
        _title, change, privileged = _FILTERS[at]
        self._ask(change=change, privileged=privileged)

    def _ask(self, **changed: Any) -> None:
        self._query = query = replace(self._query, **changed)
        image = self._image
        if image is None or not image.layers:
            return
        self._context.jobs.submit(
            self,
            Call(tree_of, (image, query)),
            self._on_tree,
            self._on_failed,
            question="tree",
            process=image.rows >= HEAVY,
        )

    def _on_tree(self, tree: FileTree) -> None:
        self.files.show_tree(tree)
        self.count.setText(f"{tree.shown:,}")
        self.count.setToolTip("Files and folders that match")
        if tree.shown:
            self.pages.setCurrentWidget(self.files)
        elif self._query.text or self._query.change or self._query.privileged:
            self._say("filter-off", "Nothing matches", "No file of this layer passes the filter.",
                      StateButton("Clear the filter", self._clear, icon="x"))  # fmt: skip
        else:
            self._say("file", "No changes", "This layer changes no files.")
        if self._goal:
            self.files.choose(self._goal)
            self._goal = ""

    def _on_failed(self, error: DockDeskError) -> None:
        self.state.show_error(error, [StateButton("Try again", self._ask, icon="refresh")])
        self.pages.setCurrentWidget(self.state)

    def _clear(self) -> None:
        self.search.clear()
        self.filter.setCurrentIndex(0)
        self._ask(text="", change=0, privileged=False)

    def _say(self, icon: str, title: str, text: str, *buttons: StateButton) -> None:
        self.state.show_message(icon, title, text, buttons)
        self.pages.setCurrentWidget(self.state)
