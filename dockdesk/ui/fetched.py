"""Detail views that ask the engine about the chosen row: loading, content, nothing to show, or why not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton

T = TypeVar("T")
D = TypeVar("D")


class FetchedView(DetailView[T], Generic[T, D]):
    """Fetches ``D`` for the current row while it is on the screen, and again whenever the row's `stamp` changes.

    Subclasses say what to fetch and how to show it; an answer about a row that is no longer chosen is dropped. With
    ``refresh_ms`` it is fetched again and again while it is looked at, for what the engine has no events for.
    """

    loading_text = "Loading…"
    refresh_ms = 0

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._row: T | None = None
        self._shown_stamp: Any = None
        self._asked_stamp: Any = None
        self._content_key: Any = None
        self._timer = QTimer(self)
        self._timer.setInterval(self.refresh_ms)
        self._timer.timeout.connect(self._on_due)
        self._loading = LoadingState(context.theme, self.loading_text)
        self._message = EmptyState(context.theme)
        self._pages = QStackedWidget(self)
        self._content = self.make_content()
        for page in (self._loading, self._message, self._content):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        context.session.state_changed.connect(self._on_state_changed)

    @abstractmethod
    def make_content(self) -> QWidget:
        """The widget that shows what was fetched."""

    @abstractmethod
    def key(self, row: T) -> str:
        """What tells rows apart."""

    @abstractmethod
    def fetch(self, engine: Any, row: T, work: Work) -> D:
        """Ask the engine; on a worker thread."""

    @abstractmethod
    def present(self, row: T, data: D) -> None:
        """Show what was fetched, or say with `say` that there is nothing."""

    def stamp(self, row: T) -> Any:
        """What a change of the row must touch to be worth another fetch; by default its key alone."""
        return self.key(row)

    def refusal(self, row: T) -> tuple[str, str] | None:  # noqa: ARG002
        """Title and text of why there is nothing to fetch for this row, such as that it does not run."""
        return None

    @property
    def row(self) -> T | None:
        return self._row

    @property
    def ready(self) -> bool:
        """Whether the content is shown, and not a message in its place."""
        return self._pages.currentWidget() is self._content

    def set_rows(self, rows: Sequence[T]) -> None:
        self._row = rows[0] if rows else None
        if self.isVisible():
            self._update()

    def shown(self) -> None:
        self._update()
        if self.refresh_ms:
            self._timer.start()

    def hidden(self) -> None:
        self._timer.stop()

    def refresh(self) -> None:
        """Fetch again, leaving what is shown until the answer is there."""
        self._asked_stamp = self._shown_stamp = None
        if self.isVisible():
            self._update()

    def _on_due(self) -> None:
        if not self.window().isMinimized():
            self.refresh()

    def say(self, title: str, text: str = "", icon: str = "inbox") -> None:
        """Show a message in place of the content."""
        self._message.show_message(icon, title, text)
        self._pages.setCurrentWidget(self._message)

    def _update(self) -> None:
        row = self._row
        if row is None:
            return
        stamp = self.stamp(row)
        if stamp == self._asked_stamp or self._shows(stamp):
            return
        if (reason := self.refusal(row)) is not None:
            self._shown_stamp, self._asked_stamp, self._content_key = stamp, None, None
            self.say(*reason)
            return
        engine, environment = self.context.session.backend, self.context.session.environment
        if engine is None or environment is None:
            self._shown_stamp = self._content_key = None
            self.say(
                "Not connected",
                "The engine does not answer; this fills itself when it is back.",
                "plug-connected-x",
            )
            return
        self._asked_stamp = stamp
        if self._content_key != self.key(row):
            self._pages.setCurrentWidget(self._loading)
        self.context.jobs.submit(
            self,
            lambda work: self.fetch(engine, row, work),
            lambda data: self._on_fetched(row, stamp, data),
            lambda error: self._on_failed(stamp, error),
            lane=environment.id,
            question="detail",
        )

    def _shows(self, stamp: Any) -> bool:
        """Whether this was told already, and is told now: the user may have looked at another row meanwhile."""
        if stamp != self._shown_stamp:
            return False
        if self._pages.currentWidget() is self._loading and self._content_key is not None:
            self._pages.setCurrentWidget(self._content)
        return self._pages.currentWidget() is not self._loading

    def _on_fetched(self, row: T, stamp: Any, data: D) -> None:
        self._asked_stamp = None
        if self._is_current(stamp):
            self._shown_stamp, self._content_key = stamp, self.key(row)
            self._pages.setCurrentWidget(self._content)
            self.present(row, data)
        elif self.isVisible():
            self._update()

    def _on_failed(self, stamp: Any, error: DockDeskError) -> None:
        self._asked_stamp = None
        if self._is_current(stamp):
            self._shown_stamp, self._content_key = stamp, None
            self._message.show_error(error, [StateButton("Try again", self.refresh)])
            self._pages.setCurrentWidget(self._message)
        elif self.isVisible():
            self._update()

    def _is_current(self, stamp: Any) -> bool:
        """Whether an answer is still about what is chosen: the user may have gone elsewhere, and back."""
        return self._row is not None and bool(stamp == self.stamp(self._row))

    def _on_state_changed(self, _state: object) -> None:
        """What was shown may be old once the engine is back, or may never have come."""
        if self.context.session.backend is not None and self.isVisible():
            self.refresh()
