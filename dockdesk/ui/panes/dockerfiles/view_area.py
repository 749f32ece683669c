"""Tabs about the document in front: beside the text, or below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.views import DocumentView, ViewEntry
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.labels import Line, PlainLabel

_LEAST = (200, 90)  # pixels
_NEXT_TURN_MS = 2


class ViewArea(QFrame):
    """Makes a view when its tab is first seen, in a turn of the event loop of its own, or ahead by `prepare`.

    ``hide_asked`` when the user wants the room for the text; ``made`` carries a view that was just made.
    """

    hide_asked = Signal()
    made = Signal(object)

    def __init__(
        self, context: UiContext, entries: Sequence[ViewEntry], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._entries = tuple(entries)
        self._offered: list[ViewEntry] = []
        self._chosen = entries[0].id if entries else ""
        self._document: OpenDocument | None = None
        self._views: dict[str, DocumentView] = {}
        self._saved: dict[str, Mapping[str, Any]] = {}
        self._badges: dict[str, str] = {}
        self._wanted = False  # the user chose the tab: they want to work in it
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_NEXT_TURN_MS)
        self._later.timeout.connect(self._go_on)
        self.setProperty("look", "card")
        self._bar = QTabBar()
        self._bar.setDrawBase(False)
        self._bar.setExpanding(False)
        self._bar.setElideMode(Qt.TextElideMode.ElideNone)
        self._bar.setUsesScrollButtons(True)
        self._bar.currentChanged.connect(self._on_tab_changed)
        hide = IconButton(context.theme, "x", "Hide", size=16)
        hide.clicked.connect(self.hide_asked)
        self._stack = QStackedWidget()
        self._stack.setMinimumSize(*_LEAST)
        self._nothing = PlainLabel(
            context.theme, "This is about Dockerfiles.", tone="muted", wrap=True
        )
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(self._nothing)
        head = QHBoxLayout()
        head.setContentsMargins(8, 2, 8, 0)
        head.setSpacing(2)
        head.addWidget(self._bar, 1)
        head.addWidget(hide)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Line())
        column.addWidget(self._stack, 1)
        self._offer()

    @property
    def entries(self) -> Sequence[ViewEntry]:
        return self._entries

    def set_document(self, document: OpenDocument | None) -> None:
        """Show another document in all views made so far."""
        self._document = document
        self._offer()
        for view in self._views.values():
            view.set_document(document)
        self._bring_forward()

    def show_view(self, id: str) -> DocumentView | None:
        """Bring a tab forward; None where it has nothing to say about this kind of file."""
        for at, entry in enumerate(self._offered):
            if entry.id == id:
                self._chosen = id
                self._bar.setCurrentIndex(at)
                self._bring_forward()
                while self._later.isActive():
                    self._go_on()
                return self.view(id)
        return None

    def view(self, id: str) -> DocumentView | None:
        """A view made so far."""
        return self._views.get(id)

    def views(self) -> Iterator[DocumentView]:
        yield from self._views.values()

    def set_badge(self, id: str, text: str) -> None:
        """A short text behind a tab's title, such as a count."""
        if self._badges.get(id, "") != text:
            self._badges[id] = text
            self._name_tabs()

    def save_state(self) -> dict[str, Any]:
        views = dict(self._saved)
        views.update({id: dict(view.save_state()) for id, view in self._views.items()})
        return {"tab": self._chosen, "views": {id: state for id, state in views.items() if state}}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        views = state.get("views")
        if isinstance(views, Mapping):
            self._saved = {str(k): v for k, v in views.items() if isinstance(v, Mapping)}
        if any(entry.id == state.get("tab") for entry in self._entries):
            self._chosen = str(state["tab"])
            self._offer()
            self._bring_forward()

    def _offer(self) -> None:
        kind = self._document.kind if self._document is not None else "dockerfile"
        offered = [entry for entry in self._entries if kind in entry.kinds]
        if offered != self._offered:
            blocked = self._bar.blockSignals(True)
            while self._bar.count():
                self._bar.removeTab(0)
            for entry in offered:
                self._bar.addTab(entry.title)
            self._offered = offered
            self._bar.blockSignals(blocked)
            self._name_tabs()
        at = next((n for n, entry in enumerate(offered) if entry.id == self._chosen), 0)
        blocked = self._bar.blockSignals(True)
        self._bar.setCurrentIndex(at)
        self._bar.blockSignals(blocked)

    def _name_tabs(self) -> None:
        for at, entry in enumerate(self._offered):
            badge = self._badges.get(entry.id, "")
            self._bar.setTabText(at, f"{entry.title}  {badge}" if badge else entry.title)

    def _bring_forward(self) -> None:
        at = self._bar.currentIndex()
        if not 0 <= at < len(self._offered) or not self.isVisible():
            if not self._offered:
                self._stack.setCurrentWidget(self._nothing)
            return
        entry = self._offered[at]
        view = self._views.get(entry.id)
        if view is None:
            self._later.start()
        else:
            self._stack.setCurrentWidget(view)

    def prepare(self, id: str) -> None:
        """Make the view of a tab that may be looked at next."""
        entry = next((entry for entry in self._entries if entry.id == id), None)
        if entry is None or id in self._views:
            return
        view = entry.make(self._context)
        if (state := self._saved.get(id)) is not None:
            view.restore_state(state)
        self._views[id] = view
        self._stack.addWidget(view)
        self.made.emit(view)
        view.set_document(self._document)

    def _go_on(self) -> None:
        """Make the view of the tab in front, which is seen and not there yet; then, in another turn, show it."""
        self._later.stop()
        at = self._bar.currentIndex()
        if not 0 <= at < len(self._offered) or not self.isVisible():
            return
        if self._offered[at].id not in self._views:
            self.prepare(self._offered[at].id)
            self._later.start()
            return
        self._bring_forward()
        if self._wanted:
            self._tell_wanted()

    def _tell_wanted(self) -> None:
        self._wanted = False
        if (view := self._views.get(self._chosen)) is not None:
            view.brought_forward()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._bring_forward()

    def _on_tab_changed(self, at: int) -> None:
        if 0 <= at < len(self._offered):
            self._chosen = self._offered[at].id
            self._wanted = True
            self._bring_forward()
            if not self._later.isActive():
                self._tell_wanted()
