"""The detail area of a list pane: tabs about what is chosen, made when they are first looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab
from dockdesk.ui.pane import DetailView
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.labels import Line, PlainLabel

T = TypeVar("T")

_LEAST = (240, 96)  # pixels
_NEXT_TURN_MS = 2
MAXIMISE_KEYS = "Ctrl+Shift+D"


class DetailArea(QFrame, Generic[T]):
    """Tabs for the chosen rows.

    A view is made when its tab is first shown, unless `prepare` made it before; a ``per_row`` tab keeps one view for
    each row (terminals go on while others are looked at) until `forget` says that the row is gone. Making a view takes
    a frame, and so does showing it: a new one is made when the event loop next comes round and shown when it does
    again, unless somebody asks for `view` or `show_tab` before. ``maximise_asked(bool)``, ``hide_asked`` and ``left``
    (Escape: back to the list) tell what the user wants.
    """

    maximise_asked = Signal(bool)
    hide_asked = Signal()
    left = Signal()

    def __init__(
        self,
        context: UiContext,
        tabs: Sequence[DetailTab[T]],
        key: Callable[[T], str],
        hint: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._tabs = tuple(tabs)
        self._key = key
        self._rows: list[T] = []
        self._offered: list[DetailTab[T]] = []
        self._chosen = tabs[0].id if tabs else ""
        self._views: dict[tuple[str, str], DetailView[T]] = {}
        self._gone_keys: set[str] = set()
        self._saved: dict[str, Mapping[str, Any]] = {}
        self._todo: deque[Callable[[], None]] = deque()
        self._wanted = False  # whoever chose the tab wants to work in it
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_NEXT_TURN_MS)
        self._later.timeout.connect(self._go_on)
        self.setProperty("look", "card")
        self.setAccessibleName("Details")

        self._bar = QTabBar()
        self._bar.setDrawBase(False)
        self._bar.setExpanding(False)
        self._bar.setElideMode(Qt.TextElideMode.ElideNone)
        self._bar.setUsesScrollButtons(True)
        self._bar.currentChanged.connect(self._on_tab_changed)
        self._maximise = IconButton(
            context.theme, "maximize", "Maximise the details", MAXIMISE_KEYS
        )
        self._maximise.setCheckable(True)
        self._maximise.toggled.connect(self._on_maximise_toggled)
        self._hide = IconButton(context.theme, "chevron-down", "Hide the details")
        self._hide.clicked.connect(self.hide_asked)
        self._gone = PlainLabel(context.theme, "", "small", "warn", wrap=True)
        self._gone.setContentsMargins(12, 6, 12, 0)
        self._gone.hide()
        self._stack = QStackedWidget()
        # The largest of all views must not push the list away when another is looked at.
        self._stack.setMinimumSize(*_LEAST)
        self._hint = PlainLabel(context.theme, hint, tone="muted", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(self._hint)

        head = QHBoxLayout()
        head.setContentsMargins(8, 2, 8, 0)
        head.setSpacing(2)
        head.addWidget(self._bar, 1)
        head.addWidget(self._maximise)
        head.addWidget(self._hide)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Line())
        column.addWidget(self._gone)
        column.addWidget(self._stack, 1)
        self._offer()

    # What is shown.

    def set_rows(self, rows: Sequence[T]) -> None:
        """Show ``rows``, the current one first. Views of other tabs learn of it when they are looked at."""
        self._gone.hide()
        self._rows = list(rows)
        self._gone_keys -= {self._key(row) for row in rows}
        self._offer()
        self._update_view()
        if self._gone_keys:
            self._clear_gone()

    def show_gone(self, text: str) -> None:
        """Say that what is shown no longer exists; it stays, as it was last seen, until something else is chosen."""
        self._gone.setText(text)
        self._gone.show()

    @property
    def gone_text(self) -> str:
        return self._gone.text() if not self._gone.isHidden() else ""

    @property
    def tab(self) -> str:
        """The id of the tab in front, or an empty string."""
        at = self._bar.currentIndex()
        return self._offered[at].id if 0 <= at < len(self._offered) else ""

    def show_tab(self, tab_id: str) -> DetailView[T] | None:
        """Bring a tab forward; None where it has nothing to say about the current row."""
        for at, tab in enumerate(self._offered):
            if tab.id == tab_id:
                self._chosen = tab_id
                blocked = self._bar.blockSignals(True)
                self._bar.setCurrentIndex(at)
                self._bar.blockSignals(blocked)
                self._update_view()
                return self.view()
        return None

    def view(self) -> DetailView[T] | None:
        """The view in front; made and filled now if it is about to be."""
        while self._later.isActive():
            self._go_on()
        return self._front()

    def prepare(self, tab_id: str) -> None:
        """Make the view of a tab that may be looked at next, styled and all but filled; not for ``per_row`` tabs."""
        tab = next((tab for tab in self._tabs if tab.id == tab_id), None)
        if tab is None or tab.per_row or (tab.id, "") in self._views:
            return
        view = self._make(tab, "")
        view.ensurePolished()
        for part in view.findChildren(QWidget):
            part.ensurePolished()

    def views(self) -> Iterator[DetailView[T]]:
        """All views made so far."""
        yield from self._views.values()

    def forget(self, gone: Collection[str]) -> None:
        """Rows with these keys are no more: their own views go, but the one in front only when it is left."""
        self._gone_keys |= {key for _tab, key in self._views if key and key in gone}
        self._clear_gone()

    def _clear_gone(self) -> None:
        front = self._front()
        for (tab_id, key), view in list(self._views.items()):
            if key in self._gone_keys and view is not front:
                del self._views[tab_id, key]
                self._stack.removeWidget(view)
                view.close()
                view.deleteLater()
        self._gone_keys &= {key for _tab, key in self._views}

    def set_maximised(self, on: bool) -> None:
        """Bring the button in line with what the pane has done."""
        self._maximise.blockSignals(True)
        self._maximise.setChecked(on)
        self._maximise.blockSignals(False)
        title = "Restore the list" if on else "Maximise the details"
        self._maximise.set_icon("minimize" if on else "maximize")
        self._maximise.set_tip(title, MAXIMISE_KEYS)
        self._hide.setVisible(not on)

    def save_state(self) -> dict[str, Any]:
        views = dict(self._saved)
        views.update({tab: dict(view.save_state()) for (tab, _key), view in self._views.items()})
        return {"tab": self._chosen, "views": {key: value for key, value in views.items() if value}}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if isinstance(tab := state.get("tab"), str) and any(t.id == tab for t in self._tabs):
            self._chosen = tab
        views = state.get("views")
        if isinstance(views, Mapping):
            self._saved = {
                str(key): value for key, value in views.items() if isinstance(value, Mapping)
            }
        self._offer()
        self._update_view()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)

    # How it comes about.

    def _offer(self) -> None:
        """Show the tabs that suit the current row; the chosen one stays chosen where it is among them."""
        current = self._rows[0] if self._rows else None
        offered = [
            tab
            for tab in self._tabs
            if current is None or tab.applies is None or tab.applies(current)
        ]
        self._bar.blockSignals(True)
        if offered != self._offered:
            while self._bar.count():
                self._bar.removeTab(0)
            for tab in offered:
                self._bar.addTab(tab.title)
            self._offered = offered
        at = next((n for n, tab in enumerate(offered) if tab.id == self._chosen), 0)
        self._bar.setCurrentIndex(at)
        self._bar.blockSignals(False)

    def _front(self) -> DetailView[T] | None:
        current = self._stack.currentWidget()
        return current if isinstance(current, DetailView) else None

    def _update_view(self) -> None:
        """Show the chosen rows in the view of the tab in front; a view that is not made yet, in a moment."""
        self._later.stop()
        tab = self._tab_in_front()
        if tab is not None and self._known(tab) is None:
            self._todo = deque((self._make_front, self._show_front, self._tell_wanted))
            self._later.start()
        else:
            self._bring_forward(tab)

    def _go_on(self) -> None:
        self._later.stop()
        if self._todo:
            self._todo.popleft()()
        if self._todo:
            self._later.start()

    def _make_front(self) -> None:
        tab = self._tab_in_front()
        if tab is not None and self._known(tab) is None:
            self._make(tab, self._own_key(tab))

    def _show_front(self) -> None:
        self._bring_forward(self._tab_in_front())
        if self._gone_keys:
            self._clear_gone()

    def _tell_wanted(self) -> None:
        wanted, self._wanted = self._wanted, False
        if wanted and (view := self._front()) is not None:
            view.brought_forward()

    def _tab_in_front(self) -> DetailTab[T] | None:
        at = self._bar.currentIndex()
        return self._offered[at] if self._rows and 0 <= at < len(self._offered) else None

    def _bring_forward(self, tab: DetailTab[T] | None) -> None:
        view = self._known(tab) if tab is not None else None
        if tab is None or view is None:
            for (_tab_id, key), shared in self._views.items():
                if not key:
                    shared.set_rows(())
            held = self._holds_focus(self._stack)
            self._stack.setCurrentWidget(self._hint)
            if held:
                self.left.emit()  # there is nothing more to do here
            return
        rows = self._rows if tab.several else self._rows[:1]
        view.set_rows(rows)
        if self._stack.currentWidget() is not view:
            held = self._holds_focus(self._stack)
            self._stack.setCurrentWidget(view)
            if held:
                # Else Qt would hand it to some other part of the window.
                (self._bar if view.focusProxy() is None else view).setFocus()

    def _holds_focus(self, part: QWidget) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and part.isAncestorOf(focus)

    def _own_key(self, tab: DetailTab[T]) -> str:
        return self._key(self._rows[0]) if tab.per_row else ""

    def _known(self, tab: DetailTab[T]) -> DetailView[T] | None:
        return self._views.get((tab.id, self._own_key(tab)))

    def _make(self, tab: DetailTab[T], key: str) -> DetailView[T]:
        view = tab.factory(self._context)
        if (state := self._saved.get(tab.id)) is not None:
            view.restore_state(state)
        self._views[tab.id, key] = view
        self._stack.addWidget(view)
        return view

    def _on_tab_changed(self, at: int) -> None:
        if 0 <= at < len(self._offered):
            self._chosen = self._offered[at].id
            self._wanted = True
            self._update_view()
            if not self._later.isActive():
                self._tell_wanted()

    def _on_maximise_toggled(self, on: bool) -> None:
        self.maximise_asked.emit(on)
