"""One editor a kind of form field. Each keeps what was typed as it was typed, right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from dockdesk.core.forms import Choice, Field, FieldKind
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.path_field import PathField, PathKind

_MULTILINE_ROWS = 5


class FieldEditor(QWidget):
    """The editor of one field.

    ``changed`` tells of every change, ``left`` that the user goes elsewhere: the time to say what is wrong.
    """

    changed = Signal()
    left = Signal()

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._box = QHBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)

    def value(self) -> Any:
        """What is typed, in the field's type where it can be read as such, else as text."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        raise NotImplementedError

    def misread(self) -> str | None:
        """Why what is typed can't be read as the field's type, in one sentence, or None."""
        return None

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer choices that were looked up; what is chosen or typed stays."""

    def set_invalid(self, invalid: bool) -> None:
        """Show, or no longer show, that something is wrong."""
        widget = self.input()
        if bool(widget.property("invalid")) != invalid:
            widget.setProperty("invalid", invalid)
            widget.style().polish(widget)
            widget.update()

    def input(self) -> QWidget:
        """The widget that takes the keyboard."""
        raise NotImplementedError

    def _take(self, widget: QWidget) -> None:
        """Put the input in place."""
        self._box.addWidget(widget, 1)
        self._watch(widget)

    def _watch(self, widget: QWidget) -> None:
        self.setFocusProxy(widget)
        widget.setAccessibleName(self.field.title)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and isinstance(event, QFocusEvent):
            stays = event.reason() in {
                Qt.FocusReason.PopupFocusReason,
                Qt.FocusReason.ActiveWindowFocusReason,
                Qt.FocusReason.MenuBarFocusReason,
            }
            if not stays:
                self.left.emit()
        return super().eventFilter(watched, event)


class TextEditor(FieldEditor):
    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._edit = QLineEdit(self)
        self._edit.setPlaceholderText(field.placeholder)
        self._edit.textChanged.connect(self.changed)
        self._take(self._edit)
        if field.unit:
            self._box.addWidget(PlainLabel(theme, field.unit, tone="muted", parent=self))

    def value(self) -> Any:
        return self._edit.text()

    def set_value(self, value: Any) -> None:
        self._edit.setText("" if value is None else str(value))
        self._edit.setCursorPosition(0)

    def input(self) -> QLineEdit:
        return self._edit


class NumberEditor(TextEditor):
    """A number typed as text, so that nothing typed is lost; up and down step it. Empty stays empty.

    Whole numbers may use digit groups (10 000, 10_000), decimals a comma or a point.
    """

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(field, theme, parent)
        self._whole = field.kind is FieldKind.NUMBER
        self._edit.setMaximumWidth(160)
        self._edit.setInputMethodHints(Qt.InputMethodHint.ImhPreferNumbers)
        self._box.addStretch(1)

    def value(self) -> Any:
        text = super().value()
        read = self._read(text)
        return text if read is None else read

    def set_value(self, value: Any) -> None:
        if isinstance(value, float) and not self._whole:
            value = f"{value:.10g}"
        super().set_value(value)

    def misread(self) -> str | None:
        text = self._edit.text().strip()
        if not text or self._read(text) is not None:
            return None
        return f"{self.field.title} must be a {'whole number' if self._whole else 'number'}."

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self._step(step)
                return True
        return super().eventFilter(watched, event)

    def _step(self, step: int) -> None:
        field = self.field
        stepped = (self._read(self._edit.text()) or 0) + step
        if field.minimum is not None:
            stepped = max(stepped, field.minimum)
        if field.maximum is not None:
            stepped = min(stepped, field.maximum)
        self.set_value(int(stepped) if self._whole else float(stepped))

    def _read(self, text: str) -> int | float | None:
        cleaned = "".join(text.split()).replace("_", "")
        if not cleaned or len(cleaned) > 40:
            return None
        try:
            if self._whole:
                return int(cleaned)
            number = float(cleaned.replace(",", "."))
        except ValueError:
            return None
        return number if abs(number) < float("inf") else None


class SecretEditor(TextEditor):
    """Typed unseen; the eye shows it."""

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(field, theme, parent)
        self._theme = theme
        self._edit.setEchoMode(QLineEdit.EchoMode.Password)
        self._eye = self._edit.addAction(
            theme.icon("eye", "muted", 16), QLineEdit.ActionPosition.TrailingPosition
        )
        self._eye.setToolTip("Show or hide what is typed")
        self._eye.triggered.connect(self._on_eye_triggered)

    def _on_eye_triggered(self) -> None:
        hidden = self._edit.echoMode() is QLineEdit.EchoMode.Password
        self._edit.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        self._eye.setIcon(self._theme.icon("eye-off" if hidden else "eye", "muted", 16))


class MultilineEditor(FieldEditor):
    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._edit = QPlainTextEdit(self)
        self._edit.setTabChangesFocus(True)
        self._edit.setPlaceholderText(field.placeholder)
        self._edit.setFont(theme.font("mono"))
        self._edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        line = QFontMetrics(self._edit.font()).lineSpacing()
        self._edit.setFixedHeight(_MULTILINE_ROWS * line + 24)
        self._edit.textChanged.connect(self.changed)
        self._take(self._edit)

    def value(self) -> Any:
        return self._edit.toPlainText()

    def set_value(self, value: Any) -> None:
        self._edit.setPlainText("" if value is None else str(value))

    def input(self) -> QPlainTextEdit:
        return self._edit


class CheckEditor(FieldEditor):
    """A tick with the field's title as its words."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._check = QCheckBox(field.title.replace("&", "&&"), self)
        self._check.toggled.connect(self.changed)
        self._take(self._check)

    def value(self) -> Any:
        return self._check.isChecked()

    def set_value(self, value: Any) -> None:
        self._check.setChecked(bool(value))

    def input(self) -> QCheckBox:
        return self._check


class ChoiceEditor(FieldEditor):
    """One of several values. A value that is not among them (yet) is kept and shown as it is."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._combo = _WheelProofCombo(self)
        self._combo.setMinimumContentsLength(12)
        self._combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._combo.setPlaceholderText(field.placeholder)
        self._take(self._combo)
        self._fill(field.choices)
        self._combo.currentIndexChanged.connect(self.changed)

    def value(self) -> Any:
        return self._combo.currentData() if self._combo.currentIndex() >= 0 else ""

    def set_value(self, value: Any) -> None:
        index = self._combo.findData(value)
        if index < 0 and value not in ("", None):
            self._combo.addItem(str(value), value)
            index = self._combo.count() - 1
        self._combo.setCurrentIndex(index)

    def set_choices(self, choices: Sequence[Choice]) -> None:
        chosen = self.value()
        self._combo.blockSignals(True)
        self._fill(choices)
        self.set_value(chosen)
        if chosen in ("", None) and self.field.required and self._combo.count() == 1:
            self._combo.setCurrentIndex(0)
        self._combo.blockSignals(False)
        self.changed.emit()

    def input(self) -> QComboBox:
        return self._combo

    def _fill(self, choices: Sequence[Choice]) -> None:
        self._combo.clear()
        for choice in choices:
            self._combo.addItem(choice.title, choice.value)


class EditableChoiceEditor(FieldEditor):
    """Free text with suggestions, found by any part of them."""

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self._values: dict[str, str] = {}
        self._combo = _WheelProofCombo(self)
        self._combo.setEditable(True)
        self._combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._combo.setMinimumContentsLength(12)
        self._combo.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        completer = self._combo.completer()
        assert completer is not None
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self._take(self._combo)
        edit = self._combo.lineEdit()
        assert edit is not None
        self._edit = edit
        self._edit.setPlaceholderText(field.placeholder)
        self._edit.installEventFilter(self)
        self._fill(field.choices)
        self._combo.editTextChanged.connect(self.changed)

    def value(self) -> Any:
        text = self._edit.text()
        return self._values.get(text, text)

    def set_value(self, value: Any) -> None:
        text = "" if value is None else str(value)
        titles = {value: title for title, value in self._values.items()}
        self._combo.setEditText(titles.get(text, text))
        self._edit.setCursorPosition(0)

    def set_choices(self, choices: Sequence[Choice]) -> None:
        typed, cursor = self._edit.text(), self._edit.cursorPosition()
        self._combo.blockSignals(True)
        self._fill(choices)
        self._combo.setEditText(typed)
        self._edit.setCursorPosition(cursor)
        self._combo.blockSignals(False)

    def input(self) -> QComboBox:
        return self._combo

    def _fill(self, choices: Sequence[Choice]) -> None:
        self._values = {choice.title: choice.value for choice in choices}
        self._combo.clear()
        self._combo.addItems(list(self._values))
        self._combo.setCurrentIndex(-1)
        self._combo.setEditText("")


class PathEditor(FieldEditor):
    """A file or folder on this computer; see `PathField`."""

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        kinds: dict[FieldKind, PathKind] = {
            FieldKind.OPEN_FILE: "open",
            FieldKind.SAVE_FILE: "save",
        }
        self._path = PathField(theme, kinds.get(field.kind, "folder"), field.title, self)
        self._path.edit.setPlaceholderText(field.placeholder)
        self._path.changed.connect(self.changed)
        self._box.addWidget(self._path, 1)
        self._watch(self._path.edit)

    def value(self) -> Any:
        return self._path.path()

    def set_value(self, value: Any) -> None:
        self._path.set_path("" if value is None else str(value))

    def input(self) -> QLineEdit:
        return self._path.edit


class _WheelProofCombo(QComboBox):
    """Not changed by scrolling the form over it."""

    def wheelEvent(self, event: Any) -> None:
        event.ignore()


def make_editor(field: Field, theme: Theme, parent: QWidget | None = None) -> FieldEditor:
    """The editor for a field's kind, holding the field's default."""
    editor: FieldEditor
    match field.kind:
        case FieldKind.NUMBER | FieldKind.DECIMAL:
            editor = NumberEditor(field, theme, parent)
        case FieldKind.SECRET:
            editor = SecretEditor(field, theme, parent)
        case FieldKind.MULTILINE:
            editor = MultilineEditor(field, theme, parent)
        case FieldKind.CHECK:
            editor = CheckEditor(field, parent)
        case FieldKind.CHOICE:
            editor = ChoiceEditor(field, parent)
        case FieldKind.EDITABLE_CHOICE:
            editor = EditableChoiceEditor(field, parent)
        case FieldKind.OPEN_FILE | FieldKind.SAVE_FILE | FieldKind.FOLDER:
            editor = PathEditor(field, theme, parent)
        case FieldKind.TEXT:
            editor = TextEditor(field, theme, parent)
    editor.set_value(field.default)
    return editor
