"""Choosing which part of a log to show: how many lines, since when, or between two moments."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QCheckBox,
    QDateTimeEdit,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QMenu,
    QToolButton,
    QWidget,
)

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import ICON_BESIDE_WORDS
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.log.query import DEFAULT_RANGE, RANGES, LogRange
from dockdesk.ui.widgets.plain import plain_tip

_FORMAT = "yyyy-MM-dd HH:mm:ss"


class RangeButton(QToolButton):
    """A button with a menu of ranges; `chosen` with a LogRange."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.range = DEFAULT_RANGE
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIcon(theme.icon("history", "muted"))
        self.setIconSize(ICON_BESIDE_WORDS)
        self.setToolTip(plain_tip("Which lines to load"))
        menu = QMenu(self)
        self._group = QActionGroup(self)
        self._actions: dict[LogRange, QAction] = {}
        for number, item in enumerate(RANGES):
            if number and (item.back is None) != (RANGES[number - 1].back is None):
                menu.addSeparator()
            menu.addAction(self._offer(item))
        menu.addSeparator()
        self._between = menu.addAction("Between…")
        self._between.setCheckable(True)
        self._between.triggered.connect(self._ask)
        self._group.addAction(self._between)
        self.setMenu(menu)
        self.set_range(DEFAULT_RANGE)

    def set_range(self, chosen: LogRange) -> None:
        """Show a range as the one in force."""
        self.range = chosen
        if chosen.tail is not None and chosen not in self._actions:
            # A number of lines of the user's own: it can be come back to.
            first = next(iter(self._actions.values()))
            self.menu().insertAction(first, self._offer(chosen))
        self._actions.get(chosen, self._between).setChecked(True)
        self.setText(chosen.title)
        self.setAccessibleName(f"Lines to load: {chosen.title}")

    def _offer(self, item: LogRange) -> QAction:
        action = QAction(item.title, self)
        action.setCheckable(True)
        action.triggered.connect(lambda _on=False: self._choose(item))
        self._group.addAction(action)
        self._actions[item] = action
        return action

    def _choose(self, chosen: LogRange) -> None:
        self.set_range(chosen)
        self.chosen.emit(chosen)

    def _ask(self) -> None:
        # Until it is answered, what is shown has not changed.
        self.set_range(self.range)
        dialog = RangeDialog(self._theme, self.range, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self._choose)
        dialog.open()


class RangeDialog(QDialog):
    """Two moments in local time, the second optional; `chosen` with a LogRange."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, before: LogRange, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Show the log between two moments")
        now = QDateTime.currentDateTime()
        since = now.addSecs(-3600) if before.since is None else _moment(before.since)
        until = now if before.until is None else _moment(before.until)
        self.since = self._field(since, "Since")
        self.until = self._field(until, "Until")
        self.open_end = QCheckBox("Until now, and what follows")
        self.open_end.setChecked(before.until is None)
        self.open_end.toggled.connect(lambda on: self.until.setEnabled(not on))
        self.until.setEnabled(before.until is not None)
        self.problem = PlainLabel(theme, "", tone="bad", wrap=True)
        self.problem.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        show = buttons.addButton("Show", QDialogButtonBox.ButtonRole.AcceptRole)
        show.setProperty("look", "primary")
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        form = QFormLayout(self)
        form.setContentsMargins(20, 20, 20, 20)
        self.setMinimumWidth(340)
        form.setSpacing(12)
        form.addRow("Since", self.since)
        form.addRow("Until", self.until)
        form.addRow("", self.open_end)
        form.addRow(self.problem)
        form.addRow(buttons)

    def _field(self, moment: QDateTime, name: str) -> QDateTimeEdit:
        field = QDateTimeEdit(moment)
        field.setDisplayFormat(_FORMAT)
        field.setAccessibleName(name)
        return field

    def _on_accepted(self) -> None:
        since = self.since.dateTime()
        until = None if self.open_end.isChecked() else self.until.dateTime()
        if until is not None and until <= since:
            self.problem.setText("“Until” must be later than “since”.")
            self.problem.show()
            return
        end = "now" if until is None else until.toString("MM-dd HH:mm")
        self.chosen.emit(
            LogRange(
                f"{since.toString('MM-dd HH:mm')} – {end}",
                since=since.toSecsSinceEpoch(),
                until=None if until is None else until.toSecsSinceEpoch(),
            )
        )
        self.accept()


def _moment(seconds: float) -> QDateTime:
    return QDateTime.fromSecsSinceEpoch(int(seconds))
