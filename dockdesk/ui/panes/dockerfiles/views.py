"""The views beside and below the text. To add one: a module with a `DocumentView`, and its line in VIEWS.

A view is made when its tab is first shown and lives as long as the pane. It shows whatever document is in front:

    class ContextView(DocumentView):
        def __init__(self, context, parent=None): ...
        def set_document(self, document): ...   # also None: nothing is open
        def shown(self): ...                    # it came onto the screen: start timers, ask for what is missing
        def hidden(self): ...                   # it left the screen: stop them

`set_document` is called with the document in front when the view is made, and whenever another one comes forward while
the view exists, seen or not: keep it cheap, connect to the document's signals (``analysed``, ``changed``,
``cursor_moved``, ``modified_changed``, ``moved``) and disconnect from those of the one before; `follow` does both. What
costs anything is asked for in `shown`, or when a signal comes while `isVisible()`.

See `dockdesk.ui.panes.dockerfiles.document.OpenDocument` for what a document offers: its text, path, context folder,
analysis, problems, `go_to`, `apply`, `set_margin`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import SignalInstance

from dockdesk.core.records import dataclass
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from dockdesk.ui.panes.dockerfiles.document import OpenDocument

Side = Literal["beside", "below"]


class DocumentView(DetailView["OpenDocument"]):
    """One tab about the document in front.

    From DetailView it has `shown`, `hidden`, `brought_forward`, `may_close`, `save_state` and `restore_state`.
    ``document`` is the one in front, or None.
    """

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.document: OpenDocument | None = None
        self._links: list[tuple[SignalInstance, Callable[..., None]]] = []

    def set_document(self, document: OpenDocument | None) -> None:
        """Show ``document``. Call it first when overriding: it lets go of the one before."""
        for signal, slot in self._links:
            signal.disconnect(slot)
        self._links.clear()
        self.document = document

    def follow(self, signal: SignalInstance, slot: Callable[..., None]) -> None:
        """Connect to a signal of the document until another one is shown."""
        signal.connect(slot)
        self._links.append((signal, slot))

    def set_rows(self, rows: Sequence[OpenDocument]) -> None:
        self.set_document(rows[0] if rows else None)


@dataclass(frozen=True, slots=True)
class ViewEntry:
    """One tab: where it stands, and how its view is made. ``kinds`` are the kinds of document that it is about."""

    id: str
    title: str
    side: Side
    make: Callable[[UiContext], DocumentView]
    kinds: Sequence[str] = ("dockerfile",)


def _problems(context: UiContext) -> DocumentView:
    from dockdesk.ui.panes.dockerfiles.problems_view import ProblemsView

    return ProblemsView(context)


def _stages(context: UiContext) -> DocumentView:
    from dockdesk.ui.panes.dockerfiles.stages_view import StagesView

    return StagesView(context)


def _context(context: UiContext) -> DocumentView:
    from dockdesk.ui.panes.dockerfiles.context_view import ContextView

    return ContextView(context)


def _build(context: UiContext) -> DocumentView:
    from dockdesk.ui.panes.dockerfiles.build_view import BuildView

    return BuildView(context)


def _history(context: UiContext) -> DocumentView:
    from dockdesk.ui.panes.dockerfiles.history_view import HistoryView

    return HistoryView(context)


VIEWS: Sequence[ViewEntry] = (
    ViewEntry("stages", "Stages", "beside", _stages),
    ViewEntry("context", "Context", "beside", _context, ("dockerfile", "ignore")),
    ViewEntry(
        "problems", "Problems", "below", _problems, ("dockerfile", "compose", "yaml", "ignore")
    ),
    ViewEntry("build", "Build", "below", _build),
    ViewEntry("history", "History", "below", _history),
)


def saved_views(state: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What views wanted to be remembered, from a pane's state of this or another version."""
    views = state.get("views")
    if not isinstance(views, Mapping):
        return {}
    return {str(id): value for id, value in views.items() if isinstance(value, Mapping)}
