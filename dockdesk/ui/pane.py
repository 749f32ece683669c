"""What the shell knows of a pane: one page of the window, with its actions, its selection and its filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from dockdesk.core.actions import Action
from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.actions.bound import BoundActions
from dockdesk.ui.context import UiContext

if TYPE_CHECKING:
    from PySide6.QtGui import QHideEvent, QShowEvent

T = TypeVar("T")

Handler = Callable[[Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What a pane offers to save before the program ends: the names of what has changes, and how to save it all.

    ``save`` calls its first argument once everything is saved; its second where that failed or was given up, once the
    pane has said why.
    """

    names: Sequence[str]
    save: Callable[[Callable[[], None], Callable[[], None]], None]


class _OnScreen(QWidget):
    """Tells once of coming onto the screen and once of leaving it, however often Qt shows and hides."""

    _on_screen = False

    def shown(self) -> None:
        """It came onto the screen."""

    def hidden(self) -> None:
        """It left the screen."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._on_screen:
            self._on_screen = True
            self.shown()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._on_screen:
            self._on_screen = False
            self.hidden()


class Pane(_OnScreen):
    """Base of all panes. A pane is made when it is first shown and lives as long as the window.

    ``title`` and ``icon`` are those of its registry entry; ``pane_actions`` is what it can do, as data.
    An action without ``plan`` needs an entry in `handlers`. Anything live on the screen (stats, timers) starts in
    `shown` and ends in `hidden`, so that a hidden pane costs nothing.
    """

    pane_id: str = ""
    title: str = ""
    icon: str = ""
    pane_actions: Sequence[Action[Any]] = ()

    selection_changed = Signal()
    crumbs_changed = Signal()

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._bound: BoundActions | None = None

    @property
    def bound(self) -> BoundActions:
        """The pane's actions as QActions, for toolbar, menus and shortcuts."""
        if self._bound is None:
            self._bound = BoundActions(
                self.context.theme,
                self.pane_actions,
                self.context.runner.refusal,
                self.selected,
                self.trigger,
                self,
            )
            self.selection_changed.connect(self._bound.refresh)
            self.context.session.state_changed.connect(self._bound.refresh)
        return self._bound

    def handlers(self) -> Mapping[str, Handler]:
        """Action id → what to do with the chosen rows, for actions that have no plan."""
        return {}

    def selected(self) -> Sequence[Any]:
        """The chosen rows, the current one first."""
        return ()

    def crumbs(self) -> Sequence[str]:
        """Where the user is inside the pane, below its title: a chosen container, say. Plain text."""
        return ()

    def trigger(self, action: Action[Any], rows: Sequence[Any] | None = None) -> None:
        """Do one of the pane's actions to ``rows``, or to what is selected."""
        chosen = (
            list(self.selected() if rows is None else rows) if action.on_rows else list(rows or ())
        )
        self.context.runner.trigger(action, chosen, handler=self.handlers().get(action.id))

    def set_filter(self, text: str) -> None:
        """Show only what matches."""

    def preparations(self) -> Iterable[Callable[[], object]]:
        """What can be made before the user asks for it, in pieces of some ms each; never needed, often welcome."""
        return ()

    def focus_filter(self) -> None:
        """Put the cursor into the pane's filter field, where it has one."""

    def focus_content(self) -> None:
        """Take the focus: to the list, say."""
        self.setFocus()

    def reload(self) -> None:
        """Fetch what is shown anew."""

    def toggle_maximised(self) -> None:
        """Give the details the whole pane, or the list its place back."""

    def open(self, ref: ResourceRef) -> bool:  # noqa: ARG002
        """Choose and show the resource; False where it isn't here (yet: it may be chosen once it arrives)."""
        return False

    def place(self) -> ResourceRef | None:
        """What is open now, for back and forward; `open` gets it again."""
        return None

    def save_state(self) -> Mapping[str, Any]:
        """Widths, sort order, chosen tab …: plain JSON values."""
        return {}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave, perhaps from an older version: ignore what no longer fits."""

    def may_close(self) -> str | None:
        """What would be lost if the window closed now, in one sentence, or None. Running jobs are asked elsewhere."""
        return None

    def unsaved(self) -> Unsaved | None:
        """What can be saved before the window closes, or None."""
        return None


class DetailView(_OnScreen, Generic[T]):
    """The content of a detail tab: shows what is chosen in the list beside it.

    `set_rows` is called on the view in front whenever the choice changes and, with the same keys, whenever a chosen row
    itself changes; it must be cheap where nothing that matters has changed. A view that comes to the front gets
    `set_rows` first, then `shown`. With nothing chosen, all views get no rows.
    """

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context

    def set_rows(self, rows: Sequence[T]) -> None:
        """Show ``rows``: the chosen ones, the current one first; empty where nothing is chosen."""

    def brought_forward(self) -> None:
        """The user chose its tab, or pressed Enter on the row: they want to work in it. After `shown`."""

    def focus_filter(self) -> bool:
        """Put the cursor into the view's own search field; False where it has none."""
        return False

    def may_close(self) -> str | None:
        """What would be lost if the view closed now, in one sentence, or None."""
        return None

    def save_state(self) -> Mapping[str, Any]:
        return {}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `save_state` gave."""
