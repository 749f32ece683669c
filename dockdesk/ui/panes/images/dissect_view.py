"""The detail tab that takes an image apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dockdesk.core.actions import Action
from dockdesk.core.dissection.base import base_text
from dockdesk.core.dissection.model import Dissection
from dockdesk.core.errors import CancelledError
from dockdesk.core.resources.images import Image
from dockdesk.core.units import bytes_text
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.images import plans
from dockdesk.ui.panes.images.dissect_files import FilesPage
from dockdesk.ui.panes.images.dissections import AUTOMATIC, Dissections
from dockdesk.ui.panes.images.file_dialog import LayerFile, LayerFileDialog, layer_file
from dockdesk.ui.panes.images.findings import (
    BASE,
    FINDING_COLUMNS,
    Finding,
    cards,
    efficiency_text,
    findings,
    grouping,
)
from dockdesk.ui.panes.images.progress import ProgressState
from dockdesk.ui.stat_cards import StatCards
from dockdesk.ui.widgets.buttons import Segment, SegmentedControl
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.table import TableView

_SEGMENTS = (Segment("files", "Files", "list-tree"), Segment("findings", "Findings", "bulb"))
_CARDS_FROM = 330  # pixels of height

SAVE_FILE: Action[Any] = Action(
    "image.save_file", "Save a file of an image", "download", plans.given, on_rows=False
)


class FindingsPage(QWidget):
    """Figures, and what to look at under headings. ``chosen`` carries a finding that was activated."""

    chosen = Signal(object)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.cards = StatCards(context.theme)
        self.table: TableView[Finding] | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self.cards)

    def show_image(self, image: Dissection) -> None:
        self.cards.set_cards(cards(image))
        old = self.table
        model: KeyedTableModel[Finding] = KeyedTableModel(
            FINDING_COLUMNS, lambda row: row.key, self, grouping=grouping(image)
        )
        model.sort_by("path", False)
        self.table = TableView(self._context.theme, model, "Findings")
        self.table.activated_row.connect(self.chosen)
        self._column.addWidget(self.table, 1)
        model.reset_to(findings(image))
        if old is not None:
            old.hide()
            old.rows.deleteLater()
            old.deleteLater()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.cards.setVisible(self.height() >= _CARDS_FROM)


class DissectView(DetailView[Image]):
    """Small images are dissected at once, larger ones when asked to: the engine packs all of an image for it."""

    def __init__(
        self, context: UiContext, dissections: Dissections, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, parent)
        self._dissections = dissections
        self._row: Image | None = None
        self._shown: Dissection | None = None
        theme = context.theme
        self.message = EmptyState(theme)
        self.progress = ProgressState(theme)
        self.progress.cancelled.connect(self._on_cancelled)
        self.files = FilesPage(context)
        self.files.opened.connect(self._on_opened)
        self.files.save_asked.connect(self._on_save_asked)
        self.findings = FindingsPage(context)
        self.findings.chosen.connect(self._on_finding_chosen)
        self.parts = SegmentedControl(theme, _SEGMENTS)
        self.parts.changed.connect(lambda _part: self._on_part_changed())
        self.efficiency = PlainLabel(theme, "", "strong")
        self.summary = ElidedLabel(theme, "", "small", "muted")
        self._inner = QStackedWidget()
        self._inner.addWidget(self.files)
        self._inner.addWidget(self.findings)
        content = QWidget()
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.parts)
        head.addWidget(self.efficiency)
        head.addWidget(self.summary)
        head.addStretch(1)
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self._inner, 1)
        self.content = content
        self.pages = QStackedWidget()
        for page in (self.message, self.progress, content):
            self.pages.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self.setFocusProxy(self.files.files)
        dissections.changed.connect(self._on_changed)
        context.session.state_changed.connect(self._on_state_changed)

    def set_rows(self, rows: Sequence[Image]) -> None:
        self._row = rows[0] if rows else None
        if self.isVisible():
            self._update()

    def shown(self) -> None:
        self._update()

    def focus_filter(self) -> bool:
        if self.pages.currentWidget() is not self.content:
            return False
        self.parts.set_current("files")
        self.files.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return True

    def begin(self) -> None:
        """Dissect the chosen image now, however large it is."""
        if self._row is not None:
            self._dissections.begin(self._row)
            self._update()

    def save_state(self) -> Mapping[str, Any]:
        return {"part": self.parts.current(), **self.files.save_state()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if state.get("part") in {"files", "findings"}:
            self.parts.set_current(str(state["part"]))
        self.files.restore_state(state)

    # What is shown.

    def _update(self) -> None:
        row = self._row
        if row is None:
            return
        known, job = self._dissections.of(row.id), self._dissections.job(row.id)
        error = self._dissections.error(row.id)
        if known is not None:
            self._present(known)
        elif job is not None:
            self.progress.show_job(f"Dissecting {row.name}", job)
            self.pages.setCurrentWidget(self.progress)
        elif self.context.session.backend is None:
            self._say("plug-connected-x", "Not connected", "The engine does not answer.")
        elif error is not None and not isinstance(error, CancelledError):
            self.message.show_error(error, [StateButton("Try again", self.begin, icon="refresh")])
            self.pages.setCurrentWidget(self.message)
        elif error is None and row.size < AUTOMATIC:
            self._dissections.begin(row)
            self._update_begun(row)
        else:
            self._offer(row)

    def _update_begun(self, row: Image) -> None:
        if self._dissections.job(row.id) is not None:
            self._update()

    def _offer(self, row: Image) -> None:
        takes = ", which takes some seconds" if row.size >= AUTOMATIC else ""
        self.message.show_message(
            "stack-2",
            "What is in its layers?",
            f"The engine packs the whole image for it, {bytes_text(row.size)}{takes}. "
            "DockDesk reads it as it comes and keeps only the list of files.",
            [StateButton("Dissect", self.begin, "primary", "stack-2")],
        )
        self.pages.setCurrentWidget(self.message)

    def _present(self, image: Dissection) -> None:
        self.pages.setCurrentWidget(self.content)
        if image is self._shown:
            return
        self._shown = image
        report, base = image.report, image.base
        self.efficiency.setText(f"{efficiency_text(report.efficiency)} efficient")
        wasted = f"{bytes_text(report.wasted)} wasted" if report.wasted else "nothing wasted"
        parts = [f"{report.files:,} files", wasted]
        if base is not None:
            parts.append(base_text(base, report.stored))
        self.summary.setText("  ·  ".join(parts))
        self.files.show_image(image)
        self.findings.show_image(image)

    def _say(self, icon: str, title: str, text: str) -> None:
        self.message.show_message(icon, title, text)
        self.pages.setCurrentWidget(self.message)

    # What happens.

    def _on_changed(self, id: str) -> None:
        if self._row is not None and self._row.id == id and self.isVisible():
            self._update()

    def _on_state_changed(self, _state: object) -> None:
        """What is shown may be of another engine; what was not to be had may be now."""
        if self.isVisible():
            self._update()

    def _on_cancelled(self) -> None:
        if self._row is not None:
            self._dissections.cancel(self._row.id)

    def _on_part_changed(self) -> None:
        files = self.parts.current() == "files"
        self._inner.setCurrentWidget(self.files if files else self.findings)

    def _on_finding_chosen(self, finding: Finding) -> None:
        if finding.group == BASE or not finding.layer:
            return
        self.parts.set_current("files")
        self.files.go(finding.path, finding.layer)
        self.files.files.setFocus()

    def _file(self, number: int) -> LayerFile | None:
        if self._row is None or self._shown is None:
            return None
        return layer_file(self._row, self._shown, self.files.tree, number)

    def _on_opened(self, number: int) -> None:
        if (file := self._file(number)) is not None:
            LayerFileDialog(self.context, file, self._save, self).open()

    def _on_save_asked(self, number: int) -> None:
        if (file := self._file(number)) is not None:
            self._save(file)

    def _save(self, file: LayerFile) -> None:
        name = file.path.rpartition("/")[2]
        dialog = QFileDialog(self, "Save", name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.selectFile(name)
        dialog.fileSelected.connect(lambda path: self.save_to(file, Path(path)))
        dialog.open()

    def save_to(self, file: LayerFile, target: Path) -> None:
        """Write a file of a layer to this computer, as an action like others."""

        def done(_results: Sequence[Any]) -> None:
            self.context.notices.show("Saved", str(target), tone="good")

        calls = [plans.save_file(file.image, file.place, file.content, target)]
        self.context.runner.trigger(SAVE_FILE, (), {"calls": calls}, done=done)
