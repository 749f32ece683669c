"""A list pane over one of the session's lists: shown as the session has it, read again when it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from PySide6.QtCore import SignalInstance

from dockdesk.core.errors import DockDeskError
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import ListDescription
from dockdesk.ui.list_pane import ListPane, ListState

T = TypeVar("T")


class FollowingPane(ListPane[T]):
    """``kind`` is the session's list ("images"), ``changed`` its signal and ``rows`` what to show of it."""

    def __init__(
        self,
        context: UiContext,
        description: ListDescription[T],
        kind: str,
        changed: SignalInstance,
        rows: Callable[[], Iterable[T]],
    ) -> None:
        super().__init__(context, description)
        self._kind = kind
        self._rows = rows
        changed.connect(self._on_changed)
        context.session.list_failed.connect(self._on_list_failed)

    def shown(self) -> None:
        super().shown()
        self.context.session.want(self._kind)
        self._on_changed()

    def reload(self) -> None:
        # Rows that are known stay, be there none: nothing is told of a list that comes back the same.
        if self.context.session.loaded(self._kind):
            self._on_changed()
        else:
            self.set_state(ListState.LOADING)
        self.context.session.refresh(self._kind)

    def after_rows(self) -> None:
        """The rows have changed; for cards and the like."""

    def show_rows(self) -> None:
        """Show what ``rows`` gives now."""
        self._on_changed()

    def _on_changed(self) -> None:
        if self.context.session.loaded(self._kind):
            self.set_rows(self._rows())
            self.after_rows()
        elif self.model.total:
            # They were those of another environment.
            self.set_rows(())
            self.set_state(ListState.LOADING)

    def _on_list_failed(self, kind: str, error: DockDeskError) -> None:
        if kind == self._kind:
            self.show_failure(error)
