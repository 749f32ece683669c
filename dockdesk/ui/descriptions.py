"""What a list pane is made from, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from dockdesk.core.actions import Action
from dockdesk.core.columns import Column, Tone
from dockdesk.core.records import dataclass
from dockdesk.models.arrangement import Grouping
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView

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
    looks through, by default all columns' texts. ``grouping`` puts rows under headers.
    ``sort`` is the first order: a column's id, and whether it falls. Rows that are not of an engine
    (``of_engine`` False) are there whether one answers or not.
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
    grouping: Grouping[T] | None = None
    sort: tuple[str, bool] = ("", False)
    # The id of the action of a double click or Enter; by default the detail takes the focus.
    activate: str = ""
    detail_below: bool = True
    of_engine: bool = True
