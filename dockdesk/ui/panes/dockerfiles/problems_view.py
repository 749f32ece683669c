"""The list of problems: where, how bad, why, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.dockerfile.problems import Problem
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.columns import COLUMNS, ProblemRow, rows_of
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.mending import mend_all, mend_of
from dockdesk.ui.panes.dockerfiles.views import DocumentView
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import EmptyState
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.table import TableView


class ProblemsView(DocumentView):
    """Enter or a double click goes there; the menu mends, mends all of a kind, and ignores.

    ``counted`` carries how many there are.
    """

    counted = Signal(int)

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.model: KeyedTableModel[ProblemRow] = KeyedTableModel(
            COLUMNS, lambda row: row.key, self
        )
        self.model.sort_by("line", False)
        self.table: TableView[ProblemRow] = TableView(context.theme, self.model, "Problems")
        self.table.activated_row.connect(self._on_activated)
        self.table.selection_changed.connect(self._on_selected)
        self.table.context_requested.connect(self._on_menu_asked)
        self._why = PlainLabel(context.theme, "", "small", "muted", wrap=True)
        self._why.setContentsMargins(12, 0, 8, 0)
        self._fix = Button(context.theme, "Fix", "bulb", "flat")
        self._fix.clicked.connect(self._on_fix_clicked)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(0, 2, 8, 4)
        foot.addWidget(self._why, 1)
        foot.addWidget(self._fix)
        self._foot.hide()
        page = QWidget()
        inside = QVBoxLayout(page)
        inside.setContentsMargins(4, 2, 4, 0)
        inside.setSpacing(0)
        inside.addWidget(self.table, 1)
        inside.addWidget(self._foot)
        self.empty = EmptyState(context.theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def set_document(self, document: OpenDocument | None) -> None:
        super().set_document(document)
        if document is not None:
            self.follow(document.analysed, self._show)
        self._show()

    def _show(self) -> None:
        document = self.document
        found = document.problems() if document is not None else []
        rows = rows_of(found)
        keys = {row.key for row in rows}
        self.model.apply(rows, [row.key for row in self.model.rows() if row.key not in keys])
        checked = document is not None and bool(document.analysis.text or not document.text())
        if not found:
            if document is None or not checked:
                self.empty.show_message("loader-2", "Checking…" if document else "Nothing open")
            else:
                self.empty.show_message(
                    "circle-check", "No problems", "Nothing to improve was found.", tone="good"
                )
        self._stack.setCurrentIndex(1 if found else 0)
        self._on_selected(self.table.selected_rows())
        self.counted.emit(len(found))

    def _on_activated(self, row: ProblemRow) -> None:
        problem = row.problem
        if self.document is not None:
            end = (problem.end_line, problem.end_column)
            self.document.go_to(problem.line, problem.column, end)

    def _on_selected(self, rows: Sequence[ProblemRow]) -> None:
        problem = rows[0].problem if rows else None
        self._foot.setVisible(problem is not None)
        if problem is not None:
            self._why.setText(problem.why or problem.message)
            mend = mend_of(problem)
            self._fix.setVisible(mend is not None and not self._read_only)
            if mend is not None:
                self._fix.setText(mend.title.replace("&", "&&"))

    @property
    def _read_only(self) -> bool:
        return self.document is None or self.document.read_only

    def _on_fix_clicked(self) -> None:
        rows = self.table.selected_rows()
        mend = mend_of(rows[0].problem) if rows else None
        if mend is not None and self.document is not None:
            self.document.apply(mend.edits)

    def _on_menu_asked(self, position: QPoint) -> None:
        menu = self.menu()
        if menu is not None:
            menu.popup(position)

    def menu(self) -> QMenu | None:
        """What can be done with the chosen problem."""
        document, rows = self.document, self.table.selected_rows()
        if document is None or not rows:
            return None
        problem = rows[0].problem
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Go there").triggered.connect(lambda: self._on_activated(rows[0]))
        if not document.read_only:
            self._add_fixes(menu, document, problem)
        menu.addAction(f"Hide {problem.code} until DockDesk ends").triggered.connect(
            lambda: _hide(document, problem.code)
        )
        return menu

    def _add_fixes(self, menu: QMenu, document: OpenDocument, problem: Problem) -> None:
        if problem.fixes:
            menu.addSeparator()
        for fix in problem.fixes:
            entry = menu.addAction(self.context.theme.icon("bulb"), fix.title.replace("&", "&&"))
            entry.triggered.connect(lambda _on=False, fix=fix: document.apply(fix.edits))
        alike = [p for p in document.problems() if p.code == problem.code]
        if len(alike) > 1 and mend_of(problem) is not None:
            entry = menu.addAction(f"Fix all {len(alike)} of {problem.code}")
            entry.triggered.connect(lambda: mend_all(document, problem.code))


def _hide(document: OpenDocument, code: str) -> None:
    document.ignored.add(code)
    document.set_analysis(document.analysis)
