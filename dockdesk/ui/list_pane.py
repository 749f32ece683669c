"""A pane as a filled-in description: a table, what can be done to its rows, and tabs with their details."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from dockdesk.bridge.engine_session import SessionState
from dockdesk.core.errors import DockDeskError
from dockdesk.core.refs import ResourceRef
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription, StatCard
from dockdesk.ui.detail import DetailArea
from dockdesk.ui.list_body import ListBody, ListState
from dockdesk.ui.list_choice import Departures, ListChoice
from dockdesk.ui.list_header import ListHeader
from dockdesk.ui.pane import DetailView, Pane
from dockdesk.ui.stat_cards import StatCards
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.splitter import Splitter
from dockdesk.ui.widgets.table import TableView

__all__ = ["DetailTab", "EmptyText", "ListDescription", "ListPane", "ListState", "StatCard"]

T = TypeVar("T")

_GAP = 12
_AGE_MS = 10_000  # how old a text such as “5 min ago” may be
_CARDS_FROM = 640  # pixels of height: below it, rows matter more than figures


class ListPane(Pane, Generic[T]):
    """Header with cards, filter and buttons; the table; the detail area. All made from a `ListDescription`.

    A subclass connects its source to `set_rows` (or `apply`, for changes alone) and `set_state`, and gives `handlers`
    and `reload`. The session's connection is followed by this class.
    """

    def __init__(
        self,
        context: UiContext,
        description: ListDescription[T],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context, parent)
        self.description = description
        self.pane_id, self.title, self.icon = description.id, description.title, description.icon
        self.pane_actions = description.actions
        self._state = ListState.LOADING
        self._error: DockDeskError | None = None
        self._detail_hidden = False
        self._maximised = False
        self._parted = False
        self._counts = (0, 0)
        self._ages = QTimer(self)
        self._ages.setInterval(_AGE_MS)
        self.model: KeyedTableModel[T] = KeyedTableModel(
            description.columns,
            description.key,
            self,
            search=description.search,
            grouping=description.grouping,
        )
        if description.sort[0]:
            self.model.sort_by(*description.sort)
        departures = Departures(self.model)
        self.table: TableView[T] = TableView(context.theme, self.model, description.title)
        self.header = ListHeader(context.theme, description.title, self.bound)
        self.cards = StatCards(context.theme)
        self.cards.hide()
        self.body: ListBody[T] = ListBody(context.theme, description, self.table)
        self.detail: DetailArea[T] = DetailArea(
            context,
            description.tabs,
            description.key,
            f"Choose a {description.noun[0]} to see its details.",
        )
        self.choice: ListChoice[T] = ListChoice(
            description, self.table, self.detail, departures, self._environment_id, self._unfilter
        )
        self._place_parts()
        self._connect()
        self._give_keys()
        self._update_body()

    def _place_parts(self) -> None:
        below = self.description.detail_below
        self._split = Splitter(
            Qt.Orientation.Vertical if below else Qt.Orientation.Horizontal, (5, 4)
        )
        self._split.setHandleWidth(_GAP)
        self._split.addWidget(self.body)
        if self.description.tabs:
            self._split.addWidget(self.detail)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_GAP)
        column.addWidget(self.header)
        column.addWidget(self.cards)
        column.addWidget(self._split, 1)
        self.setFocusProxy(self.table)

    def _give_keys(self) -> None:
        """Keys alone, such as Delete, mean the list's rows only where the list has the focus, not a file beside it."""
        for action in self.bound.actions:
            made = self.bound[action.id]
            if action.shortcut and "+" not in action.shortcut:
                made.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
                self.removeAction(made)
                self.table.addAction(made)

    def _connect(self) -> None:
        table, header = self.table, self.header
        self._ages.timeout.connect(table.viewport().update)
        self.choice.changed.connect(self._on_choice_changed)
        table.context_requested.connect(self._on_context_requested)
        table.activated_row.connect(self._on_activated)
        table.link_activated.connect(_open_link)
        header.filter.searched.connect(self._on_searched)
        header.filter.left.connect(table.setFocus)
        header.filter.down.connect(self.choice.enter)
        header.details.clicked.connect(self._on_details_clicked)
        header.details.setVisible(bool(self.description.tabs))
        self.detail.maximise_asked.connect(self.set_maximised)
        self.detail.hide_asked.connect(lambda: self.set_detail_hidden(True))
        self.detail.left.connect(self._on_detail_left)
        self.model.counts_changed.connect(self._on_counts_changed)
        self.context.session.state_changed.connect(self._on_session_state_changed)

    # For subclasses.

    def set_rows(self, rows: Iterable[T]) -> None:
        """Show exactly ``rows``: reconciled by key, so choice and place survive. Makes the list ready."""
        known = {self.description.key(row) for row in self.model.rows()}
        self.model.reset_to(rows)
        left = {self.description.key(row) for row in self.model.rows()}
        self._after_change(known - left)

    def apply(self, changed: Iterable[T], removed: Iterable[str] = ()) -> None:
        """Show changed and new rows, and take others out by key. Makes the list ready."""
        gone = set(removed)
        self.model.apply(changed, gone)
        self._after_change(gone)

    def show_failure(self, error: DockDeskError) -> None:
        """Say why rows could not be read: in their place, or beside them where there are some."""
        if self.model.total:
            self.context.notices.failure(error, [NoticeAction("Try again", self.reload)])
        else:
            self.set_state(ListState.ERROR, error)

    def set_state(self, state: ListState, error: DockDeskError | None = None) -> None:
        """Say that rows are being read, or why they can't be (``error``, with a button that calls `reload`)."""
        self._state, self._error = state, error
        self._update_body()

    def set_cards(self, cards: Sequence[StatCard]) -> None:
        """Show figures above the table; they leave where the window is low."""
        self.cards.set_cards(cards)
        self._fit_cards()

    # Pane.

    def selected(self) -> Sequence[T]:
        """The chosen rows, the current one first; a chosen group counts as its rows."""
        return self.table.selected_rows()

    def current(self) -> T | None:
        """The row that the detail area shows."""
        return self.choice.rows[0] if self.choice.rows else None

    def crumbs(self) -> Sequence[str]:
        rows = self.choice.rows
        if not rows:
            return ()
        if len(rows) > 1:
            return (f"{len(rows)} {self.description.noun[1]}",)
        return (self.description.name(rows[0]),)

    def place(self) -> ResourceRef | None:
        row = self.current()
        if row is None:
            return None
        return ResourceRef(
            self.description.kind,
            self.description.key(row),
            self.description.name(row),
            self._environment_id(),
        )

    def open(self, ref: ResourceRef) -> bool:
        """Choose a row by its key, a short id or its name; while rows are still read, once it is here."""
        return self.choice.open(ref, wait=self._state is ListState.LOADING)

    def show_tab(self, tab_id: str) -> DetailView[T] | None:
        """Bring a detail tab forward for the current row and return its view; None where it does not apply."""
        self.set_detail_hidden(False)
        return self.detail.show_tab(tab_id)

    def preparations(self) -> Iterable[Callable[[], object]]:
        return [partial(self.detail.prepare, tab.id) for tab in self.description.tabs]

    def set_filter(self, text: str) -> None:
        self.header.filter.setText(text)
        self._on_searched(text)

    def focus_filter(self) -> None:
        """The field of the view that has the focus, where it has one; else the list's."""
        view = self.detail.view()
        focus = self.window().focusWidget()
        inside = view is not None and focus is not None and view.isAncestorOf(focus)
        if inside and view is not None and view.focus_filter():
            return
        self.header.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.header.filter.selectAll()

    def focus_content(self) -> None:
        if self._maximised and (view := self.detail.view()) is not None:
            view.setFocus()
        else:
            self.body.give_focus()

    def toggle_maximised(self) -> None:
        self.set_maximised(not self._maximised)

    def set_maximised(self, on: bool) -> None:
        """Give the details the whole pane, or the list its place back."""
        if not self.description.tabs:
            return
        self._maximised = on
        if on:
            self.set_detail_hidden(False)
        self.body.setVisible(not on)
        self.detail.set_maximised(on)
        self._fit_cards()
        if not on:
            self.body.give_focus()

    def set_detail_hidden(self, hidden: bool) -> None:
        self._detail_hidden = hidden
        self.detail.setHidden(hidden)
        if hidden and self._maximised:
            self.set_maximised(False)
        if hidden:
            self.body.give_focus()

    def may_close(self) -> str | None:
        losses = [why for view in self.detail.views() if (why := view.may_close()) is not None]
        return losses[0] if losses else None

    def save_state(self) -> Mapping[str, Any]:
        return {
            "table": self.table.save_state(),
            "split": self._split.sizes(),
            "detail": self.detail.save_state(),
            "detail_hidden": self._detail_hidden,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if isinstance(table := state.get("table"), Mapping):
            self.table.restore_state(table)
        sizes = state.get("split")
        if isinstance(sizes, list) and all(isinstance(s, int) and s > 0 for s in sizes):
            self._split.setSizes(sizes)
            self._parted = True
        if isinstance(detail := state.get("detail"), Mapping):
            self.detail.restore_state(detail)
        if state.get("detail_hidden") is True and self.description.tabs:
            self.set_detail_hidden(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_cards()

    def shown(self) -> None:
        self._ages.start()
        self.choice.begin_soon()
        if not self._parted:
            # Only once it has been laid out there is a size that proportions can be taken of.
            self._parted = True
            QTimer.singleShot(0, self, self._split.restore_proportions)

    def hidden(self) -> None:
        self._ages.stop()

    # How it comes about.

    def _environment_id(self) -> str:
        environment = self.context.session.environment
        return environment.id if environment is not None else ""

    def _after_change(self, gone: Iterable[str]) -> None:
        self._state, self._error = ListState.READY, None
        self._update_body()
        self.detail.forget(set(gone))
        self.choice.note_rows()

    def _unfilter(self) -> None:
        self.set_filter("")
        self.model.set_predicate(None)

    def _update_body(self) -> None:
        shown, total = self._counts
        self.header.show_counts(shown, total, self.model.filtered)
        session = self.context.session
        if self.model.total:
            if shown or self.model.rowCount():
                self.body.show_table()
            elif total and self.model.filtered:
                self.body.show_unmatched(self.header.filter.text(), lambda: self.set_filter(""))
        elif self._state is ListState.ERROR and self._error is not None:
            self.body.show_error(self._error, self.reload)
        elif not self.description.of_engine:
            self.body.show_empty(self._begin_button())
        elif session.state in (SessionState.LOST, SessionState.FAILED):
            self.body.show_disconnected(session.error, session.reconnect)
        elif self._state is ListState.LOADING or session.state is not SessionState.CONNECTED:
            self.body.show_loading()
        else:
            self.body.show_empty(self._begin_button())

    def _begin_button(self) -> StateButton | None:
        wanted = self.description.empty.action
        action = next((item for item in self.description.actions if item.id == wanted), None)
        if action is None:
            return None
        return StateButton(action.title, lambda: self.trigger(action, ()), "primary", action.icon)

    def _fit_cards(self) -> None:
        wanted = not self.cards.empty() and not self._maximised and self.height() >= _CARDS_FROM
        self.cards.setVisible(wanted)

    def _on_choice_changed(self) -> None:
        self.selection_changed.emit()
        self.crumbs_changed.emit()

    def _on_counts_changed(self, shown: int, total: int) -> None:
        self._counts = (shown, total)
        self._update_body()

    def _on_searched(self, text: str) -> None:
        self.model.set_filter(text)
        self.choice.regain()
        if not self.table.selected_rows():
            self.table.scrollToTop()  # to what was found
        self._update_body()

    def _on_context_requested(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.bound.refresh()
        self.bound.fill_menu(menu, on_rows=bool(self.selected()))
        menu.popup(position)

    def _on_activated(self, row: T) -> None:
        wanted = self.description.activate
        action = next((item for item in self.description.actions if item.id == wanted), None)
        if action is not None:
            self.trigger(action, [row])
        elif self.description.tabs:
            self.set_detail_hidden(False)
            if (view := self.detail.view()) is not None:
                view.setFocus()
                view.brought_forward()

    def _on_details_clicked(self) -> None:
        self.set_detail_hidden(not self._detail_hidden)

    def _on_detail_left(self) -> None:
        if self._maximised:
            self.set_maximised(False)
        self.body.give_focus()

    def _on_session_state_changed(self, _state: SessionState) -> None:
        self._update_body()


def _open_link(url: str) -> None:
    """Addresses come from outside: only pages are opened, never files or programs."""
    found = QUrl(url)
    if found.scheme() in ("http", "https"):
        QDesktopServices.openUrl(found)
