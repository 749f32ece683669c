"""A form made from its declaration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import DockDeskError, InvalidInputError
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.form_fields import FieldEditor, make_editor
from dockdesk.ui.widgets.labels import PlainLabel


class FormView(QWidget):
    """Fields below each other, each with its title, its help, and what is wrong with it.

    A field is checked when it is left after a change, and all are by `accept`. Nothing typed is ever taken away.
    Choices that must be looked up are asked for through ``jobs`` with ``backend`` as their argument.
    """

    changed = Signal()

    def __init__(
        self,
        theme: Theme,
        form: Form,
        jobs: Jobs | None = None,
        backend: Any = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.form = form
        self._theme = theme
        self._jobs = jobs
        self._backend = backend
        self._rows: dict[str, _Row] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        if form.intro:
            layout.addWidget(PlainLabel(theme, form.intro, tone="muted", wrap=True, parent=self))
        for item in form.fields:
            row = _Row(theme, item, self)
            row.editor.changed.connect(lambda row=row: self._on_changed(row))
            row.editor.left.connect(lambda row=row: self._on_left(row))
            row.again.clicked.connect(lambda _on=False, row=row: self._look_up(row))
            self._rows[item.id] = row
            layout.addWidget(row)
        layout.addStretch(1)
        self._first = self.values()
        for row in self._rows.values():
            if row.field.choices_from is not None:
                self._look_up(row)

    def values(self) -> dict[str, Any]:
        """Field id → what is typed now."""
        return {id: row.editor.value() for id, row in self._rows.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill fields in; ids that the form has not are passed over."""
        for id, value in values.items():
            if (row := self._rows.get(id)) is not None:
                row.editor.set_value(value)

    def editor(self, id: str) -> FieldEditor:
        return self._rows[id].editor

    def set_shown(self, id: str, on: bool) -> None:
        """Show a field, or take it off the form while it does not matter; what stands in it stays."""
        self._rows[id].setVisible(on)

    def modified(self) -> bool:
        """Whether anything differs from how the form began."""
        return self.values() != self._first

    def set_unmodified(self) -> None:
        """Take what is there now for how the form began."""
        self._first = self.values()

    def problems(self) -> dict[str, str]:
        """Field id → what is wrong with it now, without showing it."""
        values = self.values()
        found = {
            id: problem
            for id, row in self._rows.items()
            if (problem := row.problem(values[id])) is not None
        }
        if not found and self.form.check is not None:
            found.update(self.form.check(values))
        return found

    def accept(self) -> dict[str, Any] | None:
        """The values, if nothing is wrong; else show all problems, go to the first, and return None."""
        problems = self.problems()
        self.show_problems(problems)
        return None if problems else self.values()

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """Show what is wrong at the fields, and put the cursor into the first of them."""
        first = True
        for id, row in self._rows.items():
            row.show_problem(problems.get(id))
            if id in problems and first:
                first = False
                row.editor.input().setFocus(Qt.FocusReason.OtherFocusReason)

    def show_error(self, error: DockDeskError) -> bool:
        """Show a failure at the field it names; False where it names none of these."""
        if not isinstance(error, InvalidInputError) or error.field not in self._rows:
            return False
        self.show_problems({error.field: " ".join(filter(None, (error.title, error.detail)))})
        return True

    def focus_first(self) -> None:
        """Put the cursor into the first field that is empty, else into the first."""
        rows = list(self._rows.values())
        empty = [row for row in rows if row.editor.value() in ("", None)]
        for row in (empty or rows)[:1]:
            row.editor.input().setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_changed(self, row: _Row) -> None:
        row.touched = True
        if row.wrong:
            row.show_problem(row.problem(row.editor.value()))
        self.changed.emit()

    def _on_left(self, row: _Row) -> None:
        if row.touched:
            row.show_problem(row.problem(row.editor.value()))

    def _look_up(self, row: _Row) -> None:
        look_up = row.field.choices_from
        if look_up is None or self._jobs is None:
            return
        # Help stays as it is, so that the form does not change its height under the user's hands.
        row.show_help(row.field.help or "Looking up what there is…")
        self._jobs.submit(
            self,
            lambda _work: list(look_up(self._backend)),
            lambda choices: self._on_choices(row, choices),
            lambda error: row.show_lookup_failed(error.title),
            question=f"choices of {row.field.id}",
        )

    def _on_choices(self, row: _Row, choices: list[Choice]) -> None:
        touched = row.touched
        row.editor.set_choices([*row.field.choices, *choices])
        if not touched:
            row.touched = False
            self._first[row.field.id] = row.editor.value()
        row.show_help()


class _Row(QWidget):
    """One field with its words."""

    def __init__(self, theme: Theme, field: Field, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = field
        self.touched = False
        self.wrong = False
        self._theme = theme
        self.editor = make_editor(field, theme, self)
        self._icon = QLabel(self)
        self._icon.setVisible(False)
        self._words = PlainLabel(theme, "", "small", "muted", wrap=True, parent=self)
        self.again = IconButton(theme, "refresh", "Look up again", size=14, parent=self)
        self.again.setVisible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        if field.kind is not FieldKind.CHECK:
            layout.addLayout(self._make_title())
        layout.addWidget(self.editor)
        below = QHBoxLayout()
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(4)
        below.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        below.addWidget(self._words, 1)
        below.addWidget(self.again, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(below)
        self.show_help()

    def problem(self, value: Any) -> str | None:
        """What is wrong with ``value``, as the field sees it."""
        if (problem := self.editor.misread()) is not None:
            return problem
        numeric = self.field.kind in {FieldKind.NUMBER, FieldKind.DECIMAL}
        if numeric and not self.field.required and isinstance(value, str) and not value.strip():
            return None
        return self.field.problem(value)

    def show_problem(self, problem: str | None) -> None:
        self.wrong = problem is not None
        self.editor.set_invalid(self.wrong)
        if problem is None:
            self.show_help()
            return
        self._say(problem, wrong=True)

    def show_help(self, text: str = "") -> None:
        if not self.wrong:
            self.again.setVisible(False)
            self._say(text or self.field.help)

    def show_lookup_failed(self, why: str) -> None:
        self._say(f"The choices could not be looked up: {why}")
        self.again.setVisible(True)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self._words.setText(text)
        self._words.set_tone("bad" if wrong else "muted")
        self._words.setVisible(bool(text))
        self._icon.setVisible(wrong)
        if wrong:
            scale = self.devicePixelRatioF()
            self._icon.setPixmap(self._theme.pixmap("alert-circle", "bad", 14, scale))
            self.editor.input().setAccessibleDescription(text)
        else:
            self.editor.input().setAccessibleDescription(self.field.help)

    def _make_title(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        title = PlainLabel(self._theme, self.field.title, "strong", parent=self)
        title.setBuddy(self.editor)
        line.addWidget(title)
        if self.field.required:
            mark = PlainLabel(self._theme, "required", "small", "muted", parent=self)
            line.addWidget(mark, 0, Qt.AlignmentFlag.AlignBottom)
        line.addStretch(1)
        return line
