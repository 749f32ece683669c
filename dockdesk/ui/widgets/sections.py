"""A form in sections, each made when it is first wanted: all at once would hold the window up for several frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dockdesk.core.forms import Choice, Field, Form
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.form_fields import FieldEditor
from dockdesk.ui.widgets.forms import FormView
from dockdesk.ui.widgets.scroll import ContentScroll

_LIST_WIDTH = 172
_ICON = 16
_NEXT_TURN_MS = 2  # making a section takes half a frame, and showing it another


class FormSection(Protocol):
    """A titled part of a form."""

    @property
    def title(self) -> str: ...

    @property
    def fields(self) -> Sequence[Field]: ...


class SectionsForm(QWidget):
    """A list of sections and the fields of the chosen one. What is not made yet has its values all the same."""

    changed = Signal()

    def __init__(self, theme: Theme, sections: Sequence[FormSection], parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sections = tuple(sections)
        self._forms: dict[int, FormView] = {}
        self._waiting: dict[str, Any] = {}  # values of fields that are not made yet
        self._choices: dict[str, Sequence[Choice]] = {}
        self._columns: list[QVBoxLayout] = []
        self._typed = False
        self.list = QListWidget()
        self.list.setAccessibleName("Sections of the form")
        self.list.setFixedWidth(_LIST_WIDTH)
        self.list.setIconSize(QSize(_ICON, _ICON))
        blank = QPixmap(_ICON, _ICON)
        blank.fill(Qt.GlobalColor.transparent)
        self._none = QIcon(blank)  # keeps the words in their place
        self._pages = QStackedWidget()
        for section in self._sections:
            self.list.addItem(QListWidgetItem(section.title))
            page = QWidget()
            column = QVBoxLayout(page)
            column.setContentsMargins(0, 0, 0, 0)
            self._columns.append(column)
            self._pages.addWidget(page)
        self.list.currentRowChanged.connect(self._on_chosen)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.list)
        row.addWidget(self._pages, 1)
        self.list.setCurrentRow(0)

    # Values.

    def values(self) -> dict[str, Any]:
        """Field id → what is typed now, of all sections."""
        found: dict[str, Any] = {}
        for number, section in enumerate(self._sections):
            if (form := self._forms.get(number)) is not None:
                found.update(form.values())
            else:
                for field in section.fields:
                    found[field.id] = self._waiting.get(field.id, field.default)
        return found

    def fill(self, values: Mapping[str, Any], modified: bool = True) -> None:
        """Put values into the form; not ``modified``, they are how it began."""
        for number, section in enumerate(self._sections):
            own = {field.id: values[field.id] for field in section.fields if field.id in values}
            if (form := self._forms.get(number)) is not None:
                form.set_values(own)
                if not modified:
                    form.set_unmodified()
            else:
                self._waiting.update(own)
        self._typed = modified
        self.changed.emit()

    def modified(self) -> bool:
        return self._typed or any(form.modified() for form in self._forms.values())

    def offer(self, field_id: str, choices: Sequence[Choice]) -> None:
        """Offer these in a field; what stands in it stays."""
        self._choices[field_id] = choices
        for number, form in self._forms.items():
            if field_id in self._own_ids(number):
                _offer(form.editor(field_id), choices)

    def editor(self, field_id: str) -> FieldEditor:
        return self.form_of(field_id).editor(field_id)

    def form_of(self, field_id: str) -> FormView:
        """The section with a field, made if need be."""
        number = next(
            number
            for number, section in enumerate(self._sections)
            if any(field.id == field_id for field in section.fields)
        )
        return self._make(number)

    def focus_first(self) -> None:
        self._make(0).focus_first()

    # Problems.

    def mark(self, problems: Mapping[str, str]) -> None:
        """Show at the sections where something needs a look; not at the first one before anything was typed."""
        for number, section in enumerate(self._sections):
            wrong = any(field.id in problems for field in section.fields)
            shown = wrong and (number > 0 or self.modified())
            item = self.list.item(number)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, "Needs a look" if shown else "")
            item.setIcon(self._theme.icon("alert-circle", "bad", _ICON) if shown else self._none)

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Say what is wrong at the fields, and go to the first of them."""
        first = True
        for number, section in enumerate(self._sections):
            own = {field.id: problems[field.id] for field in section.fields if field.id in problems}
            if own and first:
                first = False
                self._make(number)
                self.list.setCurrentRow(number)
            if own or number in self._forms:
                self._make(number).show_problems(own)

    # Making.

    def _on_chosen(self, number: int) -> None:
        if number in self._forms:
            self._show_chosen()
        elif number >= 0:
            self._make(number)
            QTimer.singleShot(_NEXT_TURN_MS, self, self._show_chosen)

    def _show_chosen(self) -> None:
        if (number := self.list.currentRow()) >= 0:
            self._pages.setCurrentIndex(number)

    def _make(self, number: int) -> FormView:
        if (known := self._forms.get(number)) is not None:
            return known
        section = self._sections[number]
        # Top down: a widget that moves to another parent is styled again, with all that is in it.
        holder = QWidget()
        self._columns[number].addWidget(ContentScroll(holder))
        column = QVBoxLayout(holder)
        column.setContentsMargins(4, 0, 12, 8)
        form = FormView(self._theme, Form(section.title, section.fields), parent=holder)
        column.addWidget(form)
        own = {f.id: self._waiting.pop(f.id) for f in section.fields if f.id in self._waiting}
        if own:
            form.set_values(own)
            form.set_unmodified()
        for editor in (*form.findChildren(QLineEdit), *form.findChildren(QPlainTextEdit)):
            # A file that is dropped anywhere is meant for the whole form.
            editor.setAcceptDrops(False)
        form.changed.connect(self.changed)
        for id in self._choices.keys() & self._own_ids(number):
            _offer(form.editor(id), self._choices[id])
        self._forms[number] = form
        return form

    def _own_ids(self, number: int) -> set[str]:
        return {field.id for field in self._sections[number].fields}


def _offer(editor: FieldEditor, choices: Sequence[Choice]) -> None:
    value = editor.value()
    editor.set_choices(choices)
    if editor.value() != value:
        editor.set_value(value)
