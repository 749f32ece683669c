"""Two images side by side: files, settings and layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.call import Call
from dockdesk.core.dissection.compare import (
    CompareQuery,
    Comparison,
    LayerPair,
    Setting,
    compared,
)
from dockdesk.core.dissection.model import ADDED, CHANGED, REMOVED, UNCHANGED
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.references import reference_parts
from dockdesk.core.resources.images import Image
from dockdesk.core.units import bytes_text
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.images.compare_columns import (
    LAYER_COLUMNS,
    SETTING_COLUMNS,
    summary_text,
)
from dockdesk.ui.panes.images.dissections import AUTOMATIC, HEAVY, Dissections
from dockdesk.ui.panes.images.file_columns import COMPARE_COLUMNS
from dockdesk.ui.panes.images.file_tree import FileTreeView
from dockdesk.ui.panes.images.progress import ProgressState
from dockdesk.ui.widgets.buttons import Button, IconButton, Segment, SegmentedControl
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.table import TableView

_WIDTH, _HEIGHT = 960, 460
_SEGMENTS = (
    Segment("files", "Files", "list-tree"),
    Segment("settings", "Settings", "adjustments"),
    Segment("layers", "Layers", "stack-2"),
)
_FILTERS = (("Everything", 0), ("Added", ADDED), ("Changed", CHANGED), ("Removed", REMOVED))


class CompareDialog(Dialog):
    """``chosen`` are the images to begin with; where it is one, another of its repository is offered beside it."""

    def __init__(
        self,
        context: UiContext,
        dissections: Dissections,
        images: Sequence[Image],
        chosen: Sequence[Image],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context.theme, "Compare two images", _WIDTH, parent)
        self._context = context
        self._dissections = dissections
        self._images = list(images)
        self._query = CompareQuery()
        self.comparison: Comparison | None = None
        self._make_head()
        self._make_results()
        first, second = pair_of(self._images, chosen)
        self.before.setCurrentIndex(first)
        self.after.setCurrentIndex(second)
        for box in (self.before, self.after):
            box.currentIndexChanged.connect(lambda _at: self._begin())
        close = self.add_button(Button(context.theme, "Close"))
        close.clicked.connect(self.reject)
        self.finished.connect(lambda _code: self._stop())
        dissections.changed.connect(self._on_changed)
        self._begin()

    def _make_head(self) -> None:
        theme = self.theme
        self.before, self.after = QComboBox(), QComboBox()
        for box, name in ((self.before, "Before"), (self.after, "After")):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            for image in self._images:
                box.addItem(f"{image.name}   {bytes_text(image.size)}")
        self.swap = IconButton(theme, "replace", "Swap")
        self.swap.clicked.connect(self._on_swap_clicked)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(PlainLabel(theme, "Before", tone="muted"))
        row.addWidget(self.before, 1)
        row.addWidget(self.swap)
        row.addWidget(PlainLabel(theme, "After", tone="muted"))
        row.addWidget(self.after, 1)
        self.body.addLayout(row)

    def _make_results(self) -> None:
        theme = self.theme
        self.summary = ElidedLabel(theme, "", "strong")
        self.parts = SegmentedControl(theme, _SEGMENTS)
        self.parts.changed.connect(lambda _part: self._on_part_changed())
        self.search = SearchField(theme, "Filter paths")
        self.search.searched.connect(lambda text: self._ask(text=text.strip()))
        self.filter = QComboBox()
        self.filter.setAccessibleName("Which files")
        for title, _change in _FILTERS:
            self.filter.addItem(title)
        self.filter.currentIndexChanged.connect(lambda at: self._ask(change=_FILTERS[at][1]))
        self.files = FileTreeView(theme, COMPARE_COLUMNS, reads=False)
        self.files.order_asked.connect(lambda order, down: self._ask(order=order, descending=down))
        self.no_files = EmptyState(theme)
        settings: KeyedTableModel[Setting] = KeyedTableModel(
            SETTING_COLUMNS, lambda row: f"{row.what}\0{row.name}", self
        )
        settings.sort_by("what", False)
        self.settings: TableView[Setting] = TableView(theme, settings, "Settings")
        layers: KeyedTableModel[LayerPair] = KeyedTableModel(
            LAYER_COLUMNS, lambda row: str(row.number), self
        )
        layers.sort_by("number", False)
        self.layers: TableView[LayerPair] = TableView(theme, layers, "Layers")
        bar = QHBoxLayout()
        bar.setSpacing(8)
        bar.addWidget(self.parts)
        bar.addStretch(1)
        bar.addWidget(self.search, 2)
        bar.addWidget(self.filter)
        self.inner = QStackedWidget()
        for widget in (self.files, self.settings, self.layers, self.no_files):
            self.inner.addWidget(widget)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.summary)
        column.addLayout(bar)
        column.addWidget(self.inner, 1)
        self.message = EmptyState(theme)
        self.progress = ProgressState(theme)
        self.progress.cancelled.connect(self._on_cancelled)
        self.content = content
        self.pages = QStackedWidget()
        self.pages.setMinimumHeight(_HEIGHT)
        for page in (self.message, self.progress, content):
            self.pages.addWidget(page)
        self.body.addWidget(self.pages, 1)

    @property
    def pair(self) -> tuple[Image, Image]:
        """The images that are compared."""
        return self._images[self.before.currentIndex()], self._images[self.after.currentIndex()]

    # What goes on.

    def _begin(self, asked: bool = False) -> None:
        """Dissect what is not yet; large images only when ``asked``."""
        self.comparison = None
        if len(self._images) < 2:
            self._say("git-compare", "There is only one image", "Two are needed to compare.")
            return
        one, other = self.pair
        if one.id == other.id:
            self._say("git-compare", "The same image twice", "Choose another one beside it.")
            return
        missing = [image for image in self.pair if self._dissections.of(image.id) is None]
        large = [image for image in missing if image.size >= AUTOMATIC]
        if large and not asked:
            size = bytes_text(sum(image.size for image in missing))
            self._say(
                "git-compare",
                "Compare these images?",
                f"The engine packs {size} for it, which takes some seconds.",
                StateButton("Compare", lambda: self._begin(True), "primary", "git-compare"),
            )
            return
        for image in missing:
            self._dissections.begin(image)
        self._update()

    def _update(self) -> None:
        if len(self._images) < 2:
            return
        for image in self.pair:
            job, error = self._dissections.job(image.id), self._dissections.error(image.id)
            if job is not None:
                self.progress.show_job(f"Dissecting {image.name}", job)
                self.pages.setCurrentWidget(self.progress)
                return
            if error is not None:
                self._say_error(error)
                return
        if all(self._dissections.of(image.id) is not None for image in self.pair):
            self._ask()

    def _ask(self, **changed: Any) -> None:
        self._query = replace(self._query, **changed)
        one, other = (self._dissections.of(image.id) for image in self.pair)
        if one is None or other is None:
            return
        self._context.jobs.submit(
            self,
            Call(compared, (one, other, self._query)),
            self._on_compared,
            self._say_error,
            question="compare",
            process=one.rows + other.rows >= HEAVY,
        )

    def _on_compared(self, found: Comparison) -> None:
        self.comparison = found
        self.summary.setText(summary_text(found))
        self.settings.rows.reset_to(sorted(found.settings, key=lambda row: row.change == UNCHANGED))
        self.layers.rows.reset_to(found.layers)
        self.files.show_tree(found.files)
        self.pages.setCurrentWidget(self.content)
        self._on_part_changed()

    def _on_part_changed(self) -> None:
        part = self.parts.current()
        files = part == "files"
        self.search.setVisible(files)
        self.filter.setVisible(files)
        if not files:
            self.inner.setCurrentWidget(self.settings if part == "settings" else self.layers)
        elif self.comparison is not None and not self.comparison.files.shown:
            filtered = bool(self._query.text or self._query.change)
            title = "Nothing matches" if filtered else "The same files"
            text = "No difference passes the filter." if filtered else "Both images show the same."
            self.no_files.show_message("filter-off" if filtered else "circle-check", title, text)
            self.inner.setCurrentWidget(self.no_files)
        else:
            self.inner.setCurrentWidget(self.files)

    def _on_changed(self, id: str) -> None:
        if self.comparison is None and len(self._images) > 1 and id in {i.id for i in self.pair}:
            self._update()

    def _on_swap_clicked(self) -> None:
        one, other = self.before.currentIndex(), self.after.currentIndex()
        blocked = self.before.blockSignals(True)
        self.before.setCurrentIndex(other)
        self.before.blockSignals(blocked)
        self.after.setCurrentIndex(one)

    def _on_cancelled(self) -> None:
        self._stop()

    def _stop(self) -> None:
        for image in self.pair if len(self._images) > 1 else ():
            self._dissections.cancel(image.id)

    def _say_error(self, error: DockDeskError) -> None:
        again = StateButton("Try again", lambda: self._begin(True), icon="refresh")
        if isinstance(error, CancelledError):
            self._say("git-compare", "Stopped", "The images were not compared.", again)
        else:
            self.message.show_error(error, [again])
            self.pages.setCurrentWidget(self.message)

    def _say(self, icon: str, title: str, text: str, *buttons: StateButton) -> None:
        self.message.show_message(icon, title, text, buttons)
        self.pages.setCurrentWidget(self.message)


def pair_of(images: Sequence[Image], chosen: Sequence[Image]) -> tuple[int, int]:
    """Places of the two to begin with: the older one is “before”."""
    ids = [image.id for image in images]
    places = [ids.index(image.id) for image in chosen if image.id in ids][:2]
    if len(places) == 1:
        mine = reference_parts(images[places[0]].name)[0]
        others = [n for n in range(len(images)) if n != places[0]]
        alike = [n for n in others if reference_parts(images[n].name)[0] == mine]
        if alike or others:
            places.append((alike or others)[0])
    if len(places) < 2:
        return 0, min(1, max(0, len(images) - 1))
    first, second = sorted(places, key=lambda place: images[place].created)
    return first, second
