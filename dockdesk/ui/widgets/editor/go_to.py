"""Go to a line by its number, or to a place by its name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor.language import Place
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import one_line

_WIDTH = 380
_ROWS = 8


class _Field(QLineEdit):
    stepped = Signal(int)
    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None:
            self.stepped.emit(step)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
            event.accept()  # the text area behind it must not get Enter too

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()


class GoTo(QFrame):
    """Lies over the text's top. ``chosen`` carries a line and, where one was typed, a column; then it closes itself."""

    chosen = Signal(int, int)
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self.setProperty("look", "card")
        self._places: Sequence[Place] | None = None
        self._lines = 1
        self._field = _Field(self)
        self._list = QListWidget(self)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.itemClicked.connect(lambda _item: self._take())
        self._nothing = PlainLabel(theme, "", "small", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for widget in (self._field, self._list, self._nothing):
            layout.addWidget(widget)
        self._field.textChanged.connect(self._on_text_changed)
        self._field.returnPressed.connect(self._take)
        self._field.stepped.connect(self._step)
        self._field.left.connect(self._leave)
        self.hide()

    def ask_line(self, lines: int) -> None:
        """Ask for the number of one of ``lines`` lines."""
        self._places, self._lines = None, lines
        self._open(f"Line, 1 to {lines}, or line:column")

    def ask_place(self, places: Sequence[Place]) -> None:
        """Offer ``places`` by name."""
        self._places = places
        self._open("Go to…")

    def _open(self, words: str) -> None:
        self._field.clear()
        self._field.setPlaceholderText(words)
        self._field.setAccessibleName(words)
        self._on_text_changed("")
        self._place()
        self.show()
        self.raise_()
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _place(self) -> None:
        parent = self._over
        width = min(_WIDTH, parent.width() - 32)
        rows = min(_ROWS, self._list.count())
        frame = self._list.height() - self._list.viewport().height()
        self._list.setFixedHeight(rows * max(24, self._list.sizeHintForRow(0)) + max(2, frame))
        self.setFixedWidth(width)
        self.adjustSize()
        self.move(QPoint((parent.width() - width) // 2, 8))

    def _on_text_changed(self, text: str) -> None:
        self._list.clear()
        if self._places is not None:
            wanted = text.casefold().strip()
            for place in self._places:
                words = f"{place.title}   {place.detail}".rstrip()
                if wanted in words.casefold():
                    item = QListWidgetItem(one_line(words, 160))
                    item.setData(Qt.ItemDataRole.UserRole, place.line)
                    self._list.addItem(item)
            self._list.setCurrentRow(0)
        self._list.setVisible(self._list.count() > 0)
        self._nothing.setVisible(self._places is not None and not self._list.count())
        self._nothing.setText(
            "There is none of this name." if self._places else "There are none yet."
        )
        self._place()

    def _step(self, by: int) -> None:
        if self._list.count():
            self._list.setCurrentRow((self._list.currentRow() + by) % self._list.count())

    def _take(self) -> None:
        if self._places is not None:
            item = self._list.currentItem()
            if item is not None:
                line = int(item.data(Qt.ItemDataRole.UserRole))
                self.hide()
                self.chosen.emit(line, 0)
            return
        number, _colon, column = self._field.text().strip().partition(":")
        if number.strip().isdigit():
            line = max(1, min(self._lines, int(number)))
            at = int(column) - 1 if column.strip().isdigit() else 0
            self.hide()
            self.chosen.emit(line - 1, max(0, at))

    def _leave(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()
