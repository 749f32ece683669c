"""The builds of the document in front, and what differed in each from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.builds import ARCHIVE_LANE
from dockdesk.core.builds.compare import Comparison, changed_files, compare
from dockdesk.core.builds.records import BuildRecord
from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.units import age_text, bytes_text, took_text
from dockdesk.core.work import Work
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.views import DocumentView
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.table import TableView

if TYPE_CHECKING:
    from dockdesk.ui.panes.dockerfiles.document import OpenDocument

LISTED = 50
_OUTCOMES: dict[str, tuple[str, Tone]] = {
    "ok": ("built", "good"),
    "failed": ("failed", "bad"),
    "cancelled": ("stopped", "muted"),
}
_ROOTS = 3  # reasons that are told; the rest are counted


def _seconds(record: BuildRecord) -> str:
    return f"{record.seconds:.1f} s" if record.seconds < 60 else took_text(record.seconds)


COLUMNS: tuple[Column[BuildRecord], ...] = (
    Column("at", "When", lambda r: r.at, lambda r: age_text(r.at), CellKind.STRONG, width=110),
    Column(
        "outcome",
        "Outcome",
        lambda r: r.outcome,
        lambda r: _OUTCOMES.get(r.outcome, (r.outcome, "neutral"))[0],
        CellKind.PILL,
        width=104,
        tone=lambda r: _OUTCOMES.get(r.outcome, ("", "neutral"))[1],
        tip=lambda r: r.error or r.outcome,
    ),
    Column("took", "Took", lambda r: r.seconds, _seconds, CellKind.NUMBER, width=80),
    Column(
        "cached",
        "From the cache",
        lambda r: r.cached_share,
        lambda r: "" if r.cached_share is None else f"{r.cached_share * 100:.0f} %",
        CellKind.BAR,
        width=140,
        fraction=lambda r: r.cached_share or 0.0,
    ),
    Column(
        "size",
        "Size",
        lambda r: r.size or None,
        lambda r: bytes_text(r.size) if r.size else "",
        CellKind.NUMBER,
        width=86,
    ),
    Column(
        "tags",
        "Tags",
        lambda r: ", ".join(r.spec.tags),
        lambda r: ", ".join(r.spec.tags),
        width=160,
        stretch=True,
        tone=lambda _r: "muted",
    ),
)


def told(found: Comparison) -> str:
    """What differed from the build before, in a few words."""
    difference = found.after.seconds - found.before.seconds
    word = "longer" if difference > 0 else "less"
    first = f"{abs(difference):.1f} s {word} than the build before"
    if abs(difference) < 0.5:
        first = "As quick as the build before"
    roots = found.roots()
    reasons = [
        f"{change.name.partition('] ')[2] or change.name}: {change.reason}" for change in roots
    ]
    if not reasons:
        return f"{first}; nothing ran that had not."
    more = f" And {len(reasons) - _ROOTS} more." if len(reasons) > _ROOTS else ""
    return f"{first}. {' '.join(reasons[:_ROOTS])}{more}"


class HistoryView(DocumentView):
    """Enter or a double click shows a build in the pane of all builds."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self._project = ""
        self._wanted = ""
        self.model: KeyedTableModel[BuildRecord] = KeyedTableModel(
            COLUMNS, lambda record: str(record.id), self
        )
        self.model.sort_by("at", True)
        self.table: TableView[BuildRecord] = TableView(theme, self.model, "Builds")
        self.table.activated_row.connect(self._open)
        self.table.selection_changed.connect(self._on_selected)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(0)
        self._settle.timeout.connect(self._choose_wanted)
        self.model.rowsInserted.connect(lambda *_where: self._settle.start())
        self.model.layoutChanged.connect(lambda *_what: self._settle.start())
        self.told = PlainLabel(theme, "", "small", "muted", wrap=True, selectable=True)
        self._button = Button(theme, "Compare", "git-compare", "flat")
        self._button.clicked.connect(self._on_compare_clicked)
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 2, 8, 4)
        foot.addWidget(self.told, 1)
        foot.addWidget(self._button)
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(4, 2, 4, 0)
        inside.setSpacing(0)
        inside.addWidget(self.table, 1)
        inside.addLayout(foot)
        self.empty = EmptyState(theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        context.builds.recorded.connect(self._on_recorded)
        context.builds.opened.connect(self._read)

    def set_document(self, document: OpenDocument | None) -> None:
        super().set_document(document)
        if document is not None:
            self.follow(document.moved, self._on_moved)
        self._on_moved()

    def shown(self) -> None:
        self._read()

    def _on_moved(self) -> None:
        document = self.document
        path = document.path if document is not None else None
        project = str(path) if path is not None else ""
        if project != self._project:
            self._project = project
            self.model.reset_to(())
            self._read()

    def _on_recorded(self, record: BuildRecord) -> None:
        if record.project == self._project:
            self._read()

    def _read(self) -> None:
        archive, project = self.context.builds.archive, self._project
        if not self.isVisible():
            return
        if archive is None or not project:
            self._say_empty()
            return
        self.context.jobs.submit(
            self,
            lambda _work: archive.newest(project, LISTED),
            lambda records: self._take(project, records),
            self._on_failed,
            lane=ARCHIVE_LANE,
            question="history",
        )

    def _take(self, project: str, records: Sequence[BuildRecord]) -> None:
        if project != self._project:
            return
        newest = records[0].id if records else 0
        known = {record.id for record in self.model.rows()}
        self.model.reset_to(records)
        if not records:
            self._say_empty()
            return
        self._stack.setCurrentIndex(1)
        if newest not in known:
            self._wanted = str(newest)
        self._choose_wanted()

    def _choose_wanted(self) -> None:
        """Choose the newest build once it has its line, which may take a moment."""
        if self._wanted and self.table.select_keys([self._wanted]):
            self._wanted = ""

    def _say_empty(self) -> None:
        self.empty.show_message(
            "history",
            "Not built yet",
            "Builds of this Dockerfile are listed here, with what differed from the one before."
            if self._project
            else "Save the Dockerfile, and its builds are kept.",
        )
        self._stack.setCurrentIndex(0)

    def _on_failed(self, error: DockDeskError) -> None:
        self.empty.show_error(error, [StateButton("Try again", self._read)])
        self._stack.setCurrentIndex(0)

    def _on_selected(self, rows: Sequence[BuildRecord]) -> None:
        archive = self.context.builds.archive
        record = rows[0] if rows else None
        before = self._before(record) if record is not None else None
        self._button.setEnabled(before is not None)
        if record is None or before is None or archive is None:
            self.told.setText("" if record is None else "The first build that is kept.")
            return
        one = before

        def found(_work: Work) -> str:
            was, now = archive.files(one.id), archive.files(record.id)
            files = changed_files(was, now) if was is not None and now is not None else None
            return told(compare(one, record, files))

        self.context.jobs.submit(self, found, self.told.setText, lane=ARCHIVE_LANE, question="told")

    def _before(self, record: BuildRecord) -> BuildRecord | None:
        older = [each for each in self.model.rows() if each.at < record.at]
        older = [each for each in older if each.outcome != "cancelled"]
        return max(older, key=lambda each: each.at, default=None)

    def _on_compare_clicked(self) -> None:
        rows = self.table.selected_rows()
        if rows:
            self._open(rows[0])
            self.context.navigator.trigger("builds.compare", [rows[0]])

    def _open(self, record: BuildRecord) -> None:
        self.context.navigator.open(ResourceRef("build", f"b{record.id}"))
