"""A pane as a filled-in description: a table, what can be done to its rows, and tabs with their details."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from PySide6.QtWidgets import QWidget

from dockdesk.core.actions import Action
from dockdesk.core.columns import Column, Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView, Pane

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DetailTab(Generic[T]):
    """One tab of the detail area. ``factory`` makes its view when it is first looked at.

    A ``per_row`` tab has a view for every row, kept while the row exists: a terminal stays alive while another
    container is looked at. ``applies`` hides the tab for rows it has nothing to say about; ``several`` says that the
    view can show more than one chosen row (merged logs, compared charts).
    """

    id: str
    title: str
    factory: Callable[[UiContext], DetailView[T]]
    icon: str = ""
    per_row: bool = False
    several: bool = False
    applies: Callable[[T], bool] | None = None


@dataclass(frozen=True, slots=True)
class StatCard:
    """A figure above the table: what it is, the figure, and a line that puts it in proportion."""

    id: str
    title: str
    value: str
    detail: str = ""
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class EmptyText:
    """What an empty list says: what would be here, how to begin, and the action that begins."""

    title: str
    text: str
    action: str = ""  # an action's id


@dataclass(frozen=True, slots=True)
class ListDescription(Generic[T]):
    """All that a list pane is.

    ``key`` is what a row is told apart by (a full id), ``name`` what people call it. ``kind`` is the ResourceRef kind
    of its rows, ``noun`` a row's name in one and several ("container", "containers"). ``search`` is what the filter
    looks through, by default all columns' texts. ``group`` gives a row's group title ("" for none).
    ``sort`` is the first order: a column's id, and whether it falls.
    """

    id: str
    title: str
    icon: str
    kind: str
    noun: tuple[str, str]
    columns: Sequence[Column[T]]
    key: Callable[[T], str]
    name: Callable[[T], str]
    actions: Sequence[Action[T]]
    tabs: Sequence[DetailTab[T]] = ()
    empty: EmptyText = EmptyText("Nothing here yet", "")
    search: Callable[[T], str] | None = None
    group: Callable[[T], str] | None = None
    sort: tuple[str, bool] = ("", False)
    activate: str = (
        ""  # id of the action of a double click or Enter; by default the detail takes the focus
    )
    detail_below: bool = True


class ListState(Enum):
    """What the list area shows."""

    LOADING = "loading"
    READY = "ready"  # the table, or the empty text where there are no rows
    DISCONNECTED = "disconnected"
    ERROR = "error"


class ListPane(Pane, Generic[T]):
    """Header with cards, filter and buttons; the table; the detail area. All made from a `ListDescription`.

    A subclass connects its source to `set_rows` and `set_state`, and gives `handlers`. The session's connection state
    (connecting, lost, refused) is shown by this class already.
    """

    def __init__(
        self,
        context: UiContext,
        description: ListDescription[T],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context, parent)
        self.description = description
        self.pane_actions = description.actions

    def set_rows(self, rows: Sequence[T]) -> None:
        """Show ``rows``: reconciled by key, so choice and place survive. Makes the list ready."""
        raise NotImplementedError

    def set_state(self, state: ListState, error: DockDeskError | None = None) -> None:
        """Show that rows are being fetched, can't be, or failed (``error``; with a retry button, see `reload`)."""
        raise NotImplementedError

    def reload(self) -> None:
        """Fetch the rows again; the retry button and F5 call it. Subclasses override it."""
        raise NotImplementedError

    def set_cards(self, cards: Sequence[StatCard]) -> None:
        """Show figures above the table; they leave where the window is low."""
        raise NotImplementedError

    def add_to_header(self, widget: QWidget) -> None:
        """Put a widget (a toggle, a choice) left of the filter field."""
        raise NotImplementedError

    def current(self) -> T | None:
        """The row that the detail area shows."""
        raise NotImplementedError

    def selected(self) -> Sequence[T]:
        """The chosen rows, the current one first; a chosen group counts as its rows."""
        raise NotImplementedError

    def show_tab(self, tab_id: str) -> DetailView[T] | None:
        """Bring a detail tab forward for the current row and return its view."""
        raise NotImplementedError
