"""Actions made touchable: one QAction for each, shared by toolbar, menus and shortcut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from dockdesk.core.actions import Action
from dockdesk.ui.actions import planning
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import plain_tip

Refusal = Callable[[Action[Any], Sequence[Any]], str | None]


def tip(*lines: str) -> str:
    """A tooltip of several plain lines; empty ones are left out."""
    return plain_tip("\n".join(line for line in lines if line))


class BoundActions(QObject):
    """The QActions of one pane. They act on what ``rows`` gives at that moment.

    `refresh` brings enabled states and tooltips up to date; the pane calls it when its selection or the selected rows
    change. Shortcuts work while ``owner`` is on the screen, wherever the focus is in the window.
    """

    def __init__(
        self,
        theme: Theme,
        actions: Iterable[Action[Any]],
        refusal: Refusal,
        rows: Callable[[], Sequence[Any]],
        trigger: Callable[[Action[Any], Sequence[Any]], None],
        owner: QWidget,
    ) -> None:
        super().__init__(owner)
        self._theme = theme
        self._refuse = refusal
        self._rows = rows
        self._trigger = trigger
        self.actions: list[Action[Any]] = list(actions)
        self._made: dict[str, QAction] = {}
        for action in self.actions:
            self._made[action.id] = self._make(action, owner)
        self.refresh()

    def __getitem__(self, action_id: str) -> QAction:
        return self._made[action_id]

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._made

    def _make(self, action: Action[Any], owner: QWidget) -> QAction:
        made = QAction(self._theme.icon(action.icon), action.title, self)
        made.setObjectName(action.id)
        if action.shortcut:
            made.setShortcut(QKeySequence(action.shortcut))
            made.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        made.triggered.connect(lambda _checked=False: self._trigger(action, self._rows_for(action)))
        owner.addAction(made)
        return made

    def _rows_for(self, action: Action[Any]) -> Sequence[Any]:
        return self._rows() if action.on_rows else ()

    def refusal(self, action: Action[Any]) -> str | None:
        """Why an action can't be done to the rows of now, or None."""
        return self._refuse(action, self._rows_for(action))

    def refresh(self) -> None:
        """Work out what can be done now. Cheap: one pass over the selected rows for each action at most."""
        rows = self._rows()
        for action in self.actions:
            made = self._made[action.id]
            reason = self._refuse(action, rows if action.on_rows else ())
            made.setEnabled(reason is None)
            shortcut = made.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            title = planning.plain_title(action)
            made.setToolTip(
                tip(f"{title} ({shortcut})" if shortcut else title, action.help, reason or "")
            )

    def fill_menu(self, menu: QMenu, *, on_rows: bool | None = None) -> None:
        """Put the actions into ``menu``, groups apart, and below them a way to copy each as a command.

        ``on_rows`` takes only those that need rows (True), or that need none (False).
        """
        menu.setToolTipsVisible(True)
        group: str | None = None
        for action in self.actions:
            if on_rows is not None and action.on_rows is not on_rows:
                continue
            if group is not None and action.group != group:
                menu.addSeparator()
            group = action.group
            menu.addAction(self._made[action.id])
        self._add_copy_menu(menu)

    def _add_copy_menu(self, menu: QMenu) -> None:
        rows = self._rows()
        offered = [
            action
            for action in self.actions
            if action.plan is not None and action.on_rows and rows and action.refusal(rows) is None
        ]
        if not offered:
            return
        menu.addSeparator()
        copy = menu.addMenu(self._theme.icon("copy"), "Copy as")
        copy.setToolTipsVisible(True)
        for kind, title in planning.COPY_TITLES.items():
            under = copy.addMenu(title)
            under.aboutToShow.connect(
                lambda under=under, kind=kind: self._fill_copy(under, kind, offered, rows)
            )

    def _fill_copy(
        self, menu: QMenu, kind: str, offered: Sequence[Action[Any]], rows: Sequence[Any]
    ) -> None:
        """Worked out when looked at: a plan per action is more than opening a menu should cost."""
        menu.clear()
        menu.setToolTipsVisible(True)
        for action in offered:
            text = planning.copy_text(planning.equivalents(action, rows), kind)
            if not text:
                continue
            entry = menu.addAction(self._theme.icon(action.icon), planning.plain_title(action))
            entry.setToolTip(tip("Copies", *text.splitlines()[:6]))
            entry.triggered.connect(
                lambda _checked=False, text=text: QGuiApplication.clipboard().setText(text)
            )
        if menu.isEmpty():
            menu.addAction("Nothing to copy").setEnabled(False)
