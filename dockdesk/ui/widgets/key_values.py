"""Facts about one thing: a name and a value a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.masking import MASK
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import breakable, one_line, plain_tip

_SHOWN_LIMIT = 1200
_LABEL_WIDTH = 220


@dataclass(frozen=True, slots=True)
class Fact:
    """One row. A ``secret`` value is masked until it is asked for; ``mono`` is for what machines write."""

    label: str
    value: str
    secret: bool = False
    mono: bool = False
    tone: Tone = "neutral"


class KeyValueGrid(QWidget):
    """Rows of facts; a click on a value copies it (``copied`` carries it). What was revealed stays so on updates."""

    copied = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._facts: tuple[Fact, ...] = ()
        self._values: list[_Value] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)

    def set_facts(self, facts: Sequence[Fact]) -> None:
        """Show ``facts``. Cheap where only values changed."""
        facts = tuple(facts)
        if facts == self._facts:
            return
        same_rows = [self._shape(fact) for fact in facts] == [
            self._shape(fact) for fact in self._facts
        ]
        self._facts = facts
        if not same_rows:
            self._rebuild()
        for value, fact in zip(self._values, facts, strict=True):
            value.set_fact(fact)

    def facts(self) -> tuple[Fact, ...]:
        return self._facts

    @staticmethod
    def _shape(fact: Fact) -> tuple[str, bool, bool]:
        return fact.label, fact.secret, fact.mono

    def _rebuild(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._values = []
        top = Qt.AlignmentFlag.AlignTop
        for row, fact in enumerate(self._facts):
            label = PlainLabel(self._theme, one_line(fact.label, 120), tone="muted", wrap=True)
            label.setContentsMargins(0, 5, 0, 5)
            label.setMaximumWidth(_LABEL_WIDTH)
            label.setToolTip(plain_tip(fact.label) if len(fact.label) > 60 else "")
            value = _Value(self._theme, fact, self)
            value.copied.connect(self.copied)
            self._values.append(value)
            self._grid.addWidget(label, row, 0, top)
            self._grid.addWidget(value, row, 1)
        self._grid.setRowStretch(len(self._facts), 1)


class _Value(QWidget):
    """A value with its buttons."""

    copied = Signal(str)

    def __init__(self, theme: Theme, fact: Fact, parent: QWidget) -> None:
        super().__init__(parent)
        self._fact = fact
        self._revealed = False
        self._label = _CopyLabel(theme, "mono" if fact.mono else "body")
        self._label.asked.connect(self._on_copy_asked)
        self._eye = IconButton(theme, "eye", "Show the value", size=16)
        self._eye.setVisible(fact.secret)
        self._eye.clicked.connect(self._on_eye_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._label, 1)
        layout.addWidget(self._eye, 0, Qt.AlignmentFlag.AlignTop)

    def set_fact(self, fact: Fact) -> None:
        self._fact = fact
        self._show()

    def _on_eye_clicked(self) -> None:
        self._revealed = not self._revealed
        self._eye.set_icon("eye-off" if self._revealed else "eye")
        self._eye.set_tip("Hide the value" if self._revealed else "Show the value")
        self._show()

    def _on_copy_asked(self) -> None:
        QGuiApplication.clipboard().setText(self._fact.value)
        self._label.say_copied()
        self.copied.emit(self._fact.value)

    def _show(self) -> None:
        masked = self._fact.secret and not self._revealed
        value = MASK if masked else self._fact.value
        cut = len(value) > _SHOWN_LIMIT
        self._label.set_value(value[:_SHOWN_LIMIT] + "…" if cut else value)
        self._label.set_tone(self._fact.tone if value else "muted")


class _CopyLabel(PlainLabel):
    """Copied by a click or by Enter; marking a part of it with the mouse does not copy."""

    asked = Signal()

    def __init__(self, theme: Theme, role: str) -> None:
        super().__init__(theme, "", "mono" if role == "mono" else "body", wrap=True)
        self.setContentsMargins(6, 4, 6, 4)
        self.setProperty("look", "value")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setToolTip(plain_tip("Click to copy"))

    def set_value(self, value: str) -> None:
        self.setText(breakable(value) or "—")
        self.setToolTip(plain_tip("Click to copy"))

    def say_copied(self) -> None:
        self.setToolTip(plain_tip("Copied"))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        inside = self.rect().contains(event.position().toPoint())
        if inside and event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.asked.emit()
            return
        super().keyPressEvent(event)
