"""The panes of the window: made when first shown, remembered, and moved between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from dockdesk.core import preferences
from dockdesk.core.actions import Action
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import Pane, Unsaved
from dockdesk.ui.panes.registry import PaneEntry
from dockdesk.ui.shell.broken_pane import BrokenPane
from dockdesk.ui.shell.history import History, Place

_log = logging.getLogger(__name__)


class Navigation(QObject):
    """Implements `dockdesk.ui.context.Navigator` on a stack of panes.

    ``moved`` tells that another pane, or another resource in it, is shown; ``selection_changed`` that actions of the
    current pane may apply to other rows now. ``cover`` is shown instead of panes that need an engine, while `covered`.
    """

    moved = Signal()
    selection_changed = Signal()
    pane_made = Signal(object)
    activity_asked = Signal()
    settings_asked = Signal(str)

    def __init__(
        self, entries: Sequence[PaneEntry], stack: QStackedWidget, cover: Callable[[], QWidget]
    ) -> None:
        super().__init__(stack)
        self.entries = tuple(entries)
        self.history = History()
        self._stack = stack
        self._cover = cover
        self._covered = False
        self._panes: dict[str, Pane] = {}
        self._current = ""
        self._context: UiContext | None = None
        self._travelling = False

    def set_context(self, context: UiContext) -> None:
        """What panes are made with. The context names this object, so it comes after it."""
        self._context = context

    # Navigator.

    def show_pane(self, pane_id: str) -> None:
        if self._entry(pane_id) is None:
            _log.warning("there is no pane %s", pane_id)
            return
        self._show(pane_id)
        pane = self.current
        self._note(Place(pane_id, pane.place() if pane is not None else None))

    def open(self, ref: ResourceRef) -> None:
        entry = next((item for item in self.entries if ref.kind in item.kinds), None)
        if entry is None:
            _log.warning("no pane shows a %s", ref.kind)
            return
        self._show(entry.id)
        pane = self.pane(entry.id)
        found = pane.open(ref)
        self._note(Place(entry.id, ref if found else None))
        if not found and self._context is not None:
            self._context.notices.show(
                f"“{ref.name or ref.id[:12]}” is not here",
                f"There is no such {ref.kind} in this environment; it may have been removed.",
                tone="warn",
            )

    def trigger(self, action_id: str, rows: Sequence[Any] = ()) -> None:
        for entry in self.entries:
            for action in self.actions(entry):
                if action.id == action_id:
                    self.pane(entry.id).trigger(action, rows)
                    return
        _log.warning("there is no action %s", action_id)

    def show_activity(self) -> None:
        self.activity_asked.emit()

    def show_settings(self, name: str = "") -> None:
        self.settings_asked.emit(name)

    # Panes.

    @property
    def current(self) -> Pane | None:
        return self._panes.get(self._current)

    @property
    def current_id(self) -> str:
        return self._current

    @property
    def panes(self) -> Mapping[str, Pane]:
        """Those made so far."""
        return self._panes

    def pane(self, pane_id: str) -> Pane:
        """The pane, made now if need be. Raises LookupError."""
        if (known := self._panes.get(pane_id)) is not None:
            return known
        entry = self._entry(pane_id)
        context = self._context
        if entry is None or context is None:
            raise LookupError(f"there is no pane {pane_id}")
        pane = self._make(entry, context)
        self._panes[pane_id] = pane
        self._stack.addWidget(pane)
        pane.selection_changed.connect(lambda: self._on_selection_changed(pane))
        pane.crumbs_changed.connect(lambda: self._on_selection_changed(pane))
        self.pane_made.emit(pane)
        return pane

    def _make(self, entry: PaneEntry, context: UiContext) -> Pane:
        states: Mapping[str, Any] = context.settings.get(preferences.PANE_STATES)
        try:
            pane = entry.make(context)
            if isinstance(state := states.get(entry.id), Mapping):
                pane.restore_state(state)
        except Exception as error:  # noqa: BLE001 - one broken pane must not take the others with it
            _log.exception("the pane %s can't be made", entry.id)
            return BrokenPane(context, entry.title, error)
        return pane

    def actions(self, entry: PaneEntry) -> Sequence[Action[Any]]:
        """The actions of a pane, made or not."""
        made = self._panes.get(entry.id)
        return made.pane_actions if made is not None else entry.actions()

    def trigger_in(self, entry: PaneEntry, action: Action[Any]) -> None:
        """Show a pane and do one of its actions to what is selected there."""
        self.show_pane(entry.id)
        self.pane(entry.id).trigger(action)

    def set_covered(self, covered: bool) -> None:
        """Whether no engine can be shown."""
        if covered != self._covered:
            self._covered = covered
            self._bring_forward()

    @property
    def covered(self) -> bool:
        """Whether the cover stands in the current pane's place."""
        entry = self._entry(self._current)
        return self._covered and (entry is None or entry.needs_engine)

    def crumbs(self) -> list[str]:
        """The current pane's title and where the user is in it."""
        entry = self._entry(self._current)
        if entry is None:
            return []
        pane = self.current
        inside = list(pane.crumbs()) if pane is not None and not self.covered else []
        return [entry.title, *inside]

    def save_states(self) -> dict[str, Any]:
        """What all panes want to be remembered, on top of what those not made this time had."""
        if self._context is None:
            return {}
        known: Mapping[str, Any] = self._context.settings.get(preferences.PANE_STATES)
        states = dict(known)
        states.update({id: dict(pane.save_state()) for id, pane in self._panes.items()})
        return states

    def losses(self) -> list[str]:
        """What would be lost if the window closed now, a sentence each."""
        return [why for pane in self._panes.values() if (why := pane.may_close()) is not None]

    def unsaved(self) -> dict[str, Unsaved]:
        """Pane id → what it can save before the window closes."""
        found = {id: pane.unsaved() for id, pane in self._panes.items()}
        return {id: item for id, item in found.items() if item is not None}

    # History.

    def back(self) -> None:
        self._travel(self.history.back)

    def forward(self) -> None:
        self._travel(self.history.forward)

    def _travel(self, step: Callable[[], Place | None]) -> None:
        place = step()
        if place is None:
            return
        self._travelling = True
        try:
            self._show(place.pane)
            if place.ref is not None:
                self.pane(place.pane).open(place.ref)
        finally:
            self._travelling = False
        self.moved.emit()

    def _note(self, place: Place) -> None:
        self.history.went(place)
        self.moved.emit()

    def _on_selection_changed(self, pane: Pane) -> None:
        if pane is not self.current:
            return
        place = Place(self._current, pane.place())
        present = self.history.current
        if not self._travelling and present is not None and present.pane == self._current:
            # A first choice completes the step that led here; later ones are steps of their own.
            if present.ref is None:
                self.history.amend(place)
            elif place.ref is not None:
                self.history.went(place)
        self.selection_changed.emit()
        self.moved.emit()

    # The stack.

    def _entry(self, pane_id: str) -> PaneEntry | None:
        return next((item for item in self.entries if item.id == pane_id), None)

    def _show(self, pane_id: str) -> None:
        self._current = pane_id
        self._bring_forward()
        self.selection_changed.emit()

    def _bring_forward(self) -> None:
        if not self._current:
            self._stack.setCurrentWidget(self._cover())
            return
        front = self._cover() if self.covered else self.pane(self._current)
        if self._stack.currentWidget() is not front:
            self._stack.setCurrentWidget(front)
        self._settle_focus()
        self.moved.emit()

    def _settle_focus(self) -> None:
        """A pane that comes forward gets the focus, unless the user is elsewhere (in the rail, say)."""
        focus = self._stack.window().focusWidget()
        if focus is None or not focus.isVisible() or self._stack.isAncestorOf(focus):
            self.focus_current()

    def focus_current(self) -> None:
        """Give the focus to what is shown."""
        pane = self.current
        if self.covered or pane is None:
            self._cover().setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            pane.focus_content()
