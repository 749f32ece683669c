"""The bars below a terminal: search, a question before pasting, and the end of the session."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton, PrimaryButton
from dockdesk.ui.widgets.labels import PlainLabel

_TYPING_MS = 150


class Bar(QFrame):
    """A line with buttons; hidden at first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "panel")
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(12, 8, 12, 8)
        self.row.setSpacing(8)
        self.hide()


class MessageBar(Bar):
    """Says one thing and offers what can be done about it."""

    accepted = Signal()
    dismissed = Signal()

    def __init__(
        self, theme: Theme, icon: str, accept: str, dismiss: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        picture = QLabel()
        picture.setPixmap(theme.icon(icon, "muted").pixmap(18, 18))
        self._text = PlainLabel(theme, wrap=True)
        self.row.addWidget(picture)
        self.row.addWidget(self._text, 1)
        if dismiss:
            no = Button(theme, dismiss)
            no.clicked.connect(self.dismissed)
            self.row.addWidget(no)
        self.button = PrimaryButton(theme, accept)
        self.button.clicked.connect(self.accepted)
        self.row.addWidget(self.button)

    @property
    def text(self) -> str:
        return self._text.text()

    def say(self, text: str) -> None:
        self._text.setText(text)
        self.show()


class FindBar(Bar):
    """Asks for what to search."""

    edited = Signal(str)  # after a pause in typing
    stepped = Signal(bool)  # True: to the next older hit
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Search the scrollback")
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName("Search the scrollback")
        self.field.setMaximumWidth(360)
        self.field.installEventFilter(self)
        self._count = PlainLabel(theme, tone="muted")
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_TYPING_MS)
        self._pause.timeout.connect(self._on_pause)
        self.field.textChanged.connect(self._on_text_changed)
        self.row.addWidget(self.field, 1)
        self.row.addWidget(self._count)
        self.row.addStretch(1)
        older = IconButton(theme, "chevron-up", "Older", "Return", "text")
        older.clicked.connect(lambda: self._step(True))
        newer = IconButton(theme, "chevron-down", "Newer", "Shift+Return", "text")
        newer.clicked.connect(lambda: self._step(False))
        done = IconButton(theme, "x", "Close the search", "Esc", "text")
        done.clicked.connect(self.closed)
        for button in (older, newer, done):
            self.row.addWidget(button)

    def open(self, text: str) -> None:
        self.show()
        if text:
            self.field.setText(text)
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def show_count(self, current: int | None, count: int, searching: bool) -> None:
        if not self.field.text():
            self._count.setText("")
        elif count == 0:
            self._count.setText("Searching…" if searching else "Nothing found")
        elif current is None:
            self._count.setText(f"{count:,} hits")
        else:
            self._count.setText(f"{current + 1:,} of {count:,}")

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._pause.stop()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.closed.emit()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._step(not event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                return True
        return False

    def _step(self, older: bool) -> None:
        if self._pause.isActive():
            self._on_pause()
        self.stepped.emit(older)

    def _on_text_changed(self) -> None:
        self._pause.start()

    def _on_pause(self) -> None:
        self._pause.stop()
        self.edited.emit(self.field.text())
