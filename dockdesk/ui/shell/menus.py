"""The menu bar, made from the declarations of shell and panes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from dockdesk.core.actions import Action
from dockdesk.ui.actions.bound import BoundActions, tip
from dockdesk.ui.actions.planning import plain_title
from dockdesk.ui.panes.registry import PaneEntry
from dockdesk.ui.shell.keys import KeyGroup, Keys
from dockdesk.ui.shell.navigation import Navigation
from dockdesk.ui.shell.shell_actions import EXTRA_SHORTCUTS, MENUS
from dockdesk.ui.theme import Theme


class Menus(QObject):
    """Fills a menu bar: the shell's menus, and between them one for each pane that has actions.

    A pane's menu is filled when it opens. The current pane's holds its QActions with shortcuts and copying; another's
    leads there and acts on what is selected there; ``refusal`` says why one of its actions can't.
    """

    def __init__(
        self,
        theme: Theme,
        bar: QMenuBar,
        shell: BoundActions,
        navigation: Navigation,
        refusal: Callable[[Action[Any], Sequence[Any]], str | None],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._theme = theme
        self._shell = shell
        self._navigation = navigation
        self._refusal = refusal
        self._window = window
        self._pane_keys: list[QAction] = []
        self._anywhere: list[QAction] = []
        for action_id, extra in EXTRA_SHORTCUTS.items():
            made = shell[action_id]
            made.setShortcuts([made.shortcut(), *(QKeySequence(key) for key in extra)])
        for number, entry in enumerate(navigation.entries[:9], start=1):
            self._pane_keys.append(self._pane_action(entry, f"Ctrl+{number}", window))
        for title, actions in MENUS:
            menu = bar.addMenu(title)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(shell.refresh)
            self._fill_shell_menu(menu, [action.id for action in actions])
            if title == "&Go":
                menu.addSeparator()
                menu.addActions(self._pane_keys)
                self._add_pane_menus(bar)

    def _pane_action(self, entry: PaneEntry, keys: str, window: QWidget) -> QAction:
        made = QAction(self._theme.icon(entry.icon), entry.title, self)
        made.setShortcut(QKeySequence(keys))
        made.triggered.connect(lambda _on=False: self._navigation.show_pane(entry.id))
        window.addAction(made)
        return made

    def bind_anywhere(self) -> None:
        """Let the keys of what needs no chosen row, such as running an image, work from every page.

        A page's own keys come first. Imports what all panes can do, so it waits until the window is in use.
        """
        if self._anywhere:
            return
        for entry in self._navigation.entries:
            for action in self._navigation.actions(entry):
                if action.shortcut and not action.on_rows:
                    made = QAction(action.title, self)
                    made.setShortcut(QKeySequence(action.shortcut))
                    made.triggered.connect(
                        lambda _on=False, entry=entry, action=action: self._navigation.trigger_in(
                            entry, action
                        )
                    )
                    self._window.addAction(made)
                    self._anywhere.append(made)
        self._navigation.moved.connect(self._yield_keys)
        self._yield_keys()

    def _yield_keys(self) -> None:
        """Keys that two actions want do nothing at all: one of them has to give way."""
        navigation = self._navigation
        current = next((e for e in navigation.entries if e.id == navigation.current_id), None)
        taken: set[str] = set()
        if current is not None and not navigation.covered:
            taken = {native(action.shortcut) for action in navigation.actions(current)}
        for made in self._anywhere:
            keys = made.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            made.setEnabled(keys not in taken)
            taken.add(keys)

    def _fill_shell_menu(self, menu: QMenu, ids: Sequence[str]) -> None:
        group: str | None = None
        by_id = {action.id: action for action in self._shell.actions}
        for action_id in ids:
            action = by_id[action_id]
            if group is not None and action.group != group:
                menu.addSeparator()
            group = action.group
            menu.addAction(self._shell[action_id])

    def _add_pane_menus(self, bar: QMenuBar) -> None:
        # What a pane can do is imported when its menu is looked at: the window is there sooner.
        for entry in self._navigation.entries:
            menu = bar.addMenu(entry.title)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(
                lambda menu=menu, entry=entry: self._fill_pane_menu(menu, entry)
            )

    def _fill_pane_menu(self, menu: QMenu, entry: PaneEntry) -> None:
        menu.clear()
        pane = self._navigation.current
        if pane is not None and entry.id == self._navigation.current_id:
            pane.bound.refresh()
            pane.bound.fill_menu(menu)
            return
        menu.addAction(self._theme.icon(entry.icon), f"Go to {entry.title}").triggered.connect(
            lambda _on=False: self._navigation.show_pane(entry.id)
        )
        menu.addSeparator()
        known = self._navigation.panes.get(entry.id)
        rows = known.selected() if known is not None else ()
        group: str | None = None
        for action in self._navigation.actions(entry):
            if group is not None and action.group != group:
                menu.addSeparator()
            group = action.group
            made = menu.addAction(self._theme.icon(action.icon), action.title)
            reason = self._refusal(action, rows if action.on_rows else ())
            made.setEnabled(reason is None)
            made.setToolTip(tip(plain_title(action), action.help, reason or ""))
            made.triggered.connect(
                lambda _on=False, action=action: self._navigation.trigger_in(entry, action)
            )

    def key_groups(self) -> list[KeyGroup]:
        """What the shortcut sheet shows."""
        groups = []
        for title, actions in MENUS:
            lines = [
                Keys(plain_title(action), _keys(self._shell[action.id]))
                for action in actions
                if action.shortcut
            ]
            if title == "&Go":
                lines += [Keys(made.text(), _keys(made)) for made in self._pane_keys]
            if lines:
                groups.append(KeyGroup(title.replace("&", ""), tuple(lines)))
        for entry in self._navigation.entries:
            lines = [
                Keys(plain_title(action), (native(action.shortcut),))
                for action in self._navigation.actions(entry)
                if action.shortcut
            ]
            if lines:
                groups.append(KeyGroup(entry.title, tuple(lines)))
        return groups


def native(keys: str) -> str:
    """A key sequence as this desktop writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) if keys else ""


def _keys(action: QAction) -> tuple[str, ...]:
    return tuple(
        keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()
    )
