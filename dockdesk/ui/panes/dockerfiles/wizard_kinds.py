"""Kinds of project to choose from, the likeliest first, each with what speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QRadioButton, QVBoxLayout, QWidget

from dockdesk.dockerfile.detect.folder import Project
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import one_line


class KindList(QWidget):
    """``chosen`` carries a Project: the first by itself where kinds were detected, else only what the user chooses."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._projects: list[Project] = []
        self._group = QButtonGroup(self)
        self._group.idToggled.connect(self._on_toggled)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)

    def show_kinds(self, projects: Sequence[Project], detected: bool) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                if isinstance(widget, QRadioButton):
                    self._group.removeButton(widget)
                widget.hide()
                widget.deleteLater()
        self._projects = list(projects)
        if not projects:
            return
        words = "It looks like" if detected else "Nothing was recognised. It is"
        self._column.addWidget(PlainLabel(self._theme, words, "strong"))
        for number, project in enumerate(projects):
            button = QRadioButton(one_line(project.title, 60).replace("&", "&&"))
            self._group.addButton(button, number)
            self._column.addWidget(button)
            if project.evidence:
                why = PlainLabel(
                    self._theme,
                    one_line(", ".join(project.evidence), 160),
                    "small",
                    "muted",
                    wrap=True,
                )
                why.setContentsMargins(26, 0, 0, 4)
                self._column.addWidget(why)
                button.setAccessibleDescription(why.text())
        if detected:
            self.choose(0)

    def choose(self, number: int) -> None:
        """Choose one, as a click on it does."""
        self._group.button(number).setChecked(True)

    def titles(self) -> list[str]:
        return [project.title for project in self._projects]

    def _on_toggled(self, number: int, on: bool) -> None:
        if on and 0 <= number < len(self._projects):
            self.chosen.emit(self._projects[number])
