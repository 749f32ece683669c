"""The search of a log panel: the field, how it reads, how many hits there are, and the way to them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.log.matcher import SearchSpec
from dockdesk.ui.widgets.plain import plain_tip
from dockdesk.ui.widgets.search_field import SearchField

_FIELD, _NARROW_FIELD, _COUNT = 140, 96, 76  # pixels


class ToggleButton(IconButton):
    """An icon that is on or off; on, it takes the accent's colour."""

    def __init__(
        self, theme: Theme, icon: str, tip: str, shortcut: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, icon, tip, shortcut, parent=parent)
        self._name = icon
        self.setCheckable(True)
        self.toggled.connect(self._on_toggled)

    def _on_toggled(self, on: bool) -> None:
        self.set_icon(self._name, "accent" if on else "muted")


class LogSearchField(SearchField):
    """Enter goes to the next hit, with Shift to the one before."""

    next_asked = Signal(bool)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.text():
            self.next_asked.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))


class SearchBar(QWidget):
    """``spec_changed`` with a SearchSpec or None, ``next_asked`` with whether to go backwards."""

    spec_changed = Signal(object)
    next_asked = Signal(bool)
    filter_toggled = Signal(bool)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = LogSearchField(theme, "Search this log", parent=self)
        self.field.setMinimumWidth(_FIELD)
        self.field.setMaximumWidth(420)
        self.case = ToggleButton(theme, "letter-case", "Match capitals")
        self.expression = ToggleButton(theme, "regex", "Regular expression")
        self.filter = ToggleButton(theme, "filter", "Show only lines that match")
        self.count = ElidedLabel(theme, "", "small", "muted")
        self.count.setMinimumWidth(_COUNT)
        self.count.setMaximumWidth(240)
        self.previous = IconButton(theme, "chevron-up", "Previous hit", "Shift+F3")
        self.next = IconButton(theme, "chevron-down", "Next hit", "F3")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.field, 1)
        layout.addSpacing(2)
        for button in (self.case, self.expression, self.filter, self.previous, self.next):
            layout.addWidget(button)
        layout.addSpacing(4)
        layout.addWidget(self.count)
        self.field.searched.connect(lambda _text: self._say())
        self.field.next_asked.connect(self.next_asked)
        self.field.left.connect(self.left)
        self.case.toggled.connect(lambda _on: self._say())
        self.expression.toggled.connect(lambda _on: self._say())
        self.filter.toggled.connect(self.filter_toggled)
        self.previous.clicked.connect(lambda: self.next_asked.emit(True))
        self.next.clicked.connect(lambda: self.next_asked.emit(False))
        self.problem = ""
        self.show_count("", False)

    def set_narrow(self, narrow: bool) -> None:
        """Do with little room: without the rarer choices, and no more for the count than it needs."""
        self.case.setVisible(not narrow)
        self.expression.setVisible(not narrow)
        self.field.setMinimumWidth(_NARROW_FIELD if narrow else _FIELD)
        self.count.setMinimumWidth(0 if narrow else _COUNT)

    def spec(self) -> SearchSpec | None:
        """What the field asks for; None if it is empty."""
        text = self.field.text()
        return (
            SearchSpec(text, self.case.isChecked(), self.expression.isChecked()) if text else None
        )

    def show_count(self, text: str, any_hits: bool) -> None:
        """Say how many hits there are."""
        self._mark("")
        self.count.set_tone("muted")
        self.count.setText(text)
        self.field.setAccessibleDescription(text)
        self.next.setEnabled(any_hits)
        self.previous.setEnabled(any_hits)

    def show_problem(self, error: DockDeskError) -> None:
        """Say at the field what is wrong with the expression."""
        self.show_count("", False)
        words = " ".join(part for part in (error.title, error.detail, error.hint) if part)
        self._mark(words)
        self.count.set_tone("bad")
        self.count.setText(error.title)

    def _mark(self, problem: str) -> None:
        if self.problem == problem:
            return
        self.problem = problem
        self.field.setProperty("invalid", "true" if problem else "false")
        self.field.setAccessibleDescription(problem)
        self.field.setToolTip(plain_tip(problem))
        self.field.style().polish(self.field)

    def _say(self) -> None:
        self.spec_changed.emit(self.spec())
