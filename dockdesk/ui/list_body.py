"""What stands in the place of a list: its table, or why there is nothing in it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

from PySide6.QtWidgets import QFrame, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.ui.descriptions import ListDescription
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.table import TableView

T = TypeVar("T")


class ListState(Enum):
    """What the list area shows."""

    LOADING = "loading"
    READY = "ready"  # the table, or the empty text where there are no rows
    ERROR = "error"


class ListBody(QFrame, Generic[T]):
    """A card with the table; states take its place while it has no rows to show."""

    def __init__(
        self,
        theme: Theme,
        description: ListDescription[T],
        table: TableView[T],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._description = description
        self._table = table
        self._message = EmptyState(theme)
        self._loading = LoadingState(theme, f"Reading {description.noun[1]}…")
        self._stack = QStackedWidget()
        for widget in (self._loading, table, self._message):
            self._stack.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self._stack)

    @property
    def message(self) -> EmptyState | None:
        """What is said instead of the table, or None while the table is shown."""
        return self._message if self._stack.currentWidget() is self._message else None

    @property
    def loading(self) -> bool:
        return self._stack.currentWidget() is self._loading

    def show_table(self) -> None:
        self._show(self._table)

    def show_loading(self) -> None:
        self._show(self._loading)

    def show_empty(self, button: StateButton | None) -> None:
        """There are no rows at all."""
        text = self._description.empty
        buttons = () if button is None else (button,)
        held = self._holds_focus()
        self._message.show_message(self._description.icon, text.title, text.text, buttons)
        self._show(self._message, held)

    def show_unmatched(self, text: str, clear: Callable[[], None]) -> None:
        """There are rows, but none that the filter lets through."""
        several = self._description.noun[1]
        held = self._holds_focus()
        self._message.show_message(
            "filter-off",
            "Nothing matches",
            f"None of the {several} matches “{text}”." if text else f"All {several} are hidden.",
            [StateButton("Clear the filter", clear, icon="x")],
        )
        self._show(self._message, held)

    def show_disconnected(self, error: DockDeskError | None, again: Callable[[], None]) -> None:
        title = error.title if error is not None else "Not connected"
        detail = error.detail if error is not None else ""
        held = self._holds_focus()
        self._message.show_message(
            "plug-connected-x",
            title,
            detail,
            [StateButton("Reconnect", again, icon="refresh")],
            hint=error.hint if error is not None else "",
            tone="warn",
        )
        self._show(self._message, held)

    def show_error(self, error: DockDeskError, again: Callable[[], None]) -> None:
        held = self._holds_focus()
        self._message.show_error(error, [StateButton("Try again", again, icon="refresh")])
        self._show(self._message, held)

    def give_focus(self) -> None:
        """Put the focus where the keyboard has something to do: a message's first button, else the table."""
        message = self.message
        if message is not None and message.buttons():
            message.buttons()[0].setFocus()
        else:
            self._table.setFocus()

    def _holds_focus(self) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _show(self, page: QWidget, held: bool = False) -> None:
        """Bring a page forward. Where the focus was inside it stays: Qt would hand it to some other part."""
        held = held or self._holds_focus()
        self._stack.setCurrentWidget(page)
        if held and not self._holds_shown_focus():
            self.give_focus()

    def _holds_shown_focus(self) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus) and focus.isVisibleTo(self)
