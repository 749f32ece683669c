"""The same request in the user's other tools, to read, learn from and copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from dockdesk.core.actions import Equivalent
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, Segment, SegmentedControl
from dockdesk.ui.widgets.labels import PlainLabel

Tool = Literal["cli", "sdk", "api"]

_SEGMENTS = (
    Segment("cli", "CLI", tip="As a shell command"),
    Segment("sdk", "Python", tip="As a call of the SDK"),
    Segment("api", "API", tip="As a request to the API"),
)


class EquivalentView(QWidget):
    """Shows `Equivalent`s as shell commands, SDK calls or API requests, with a button that copies them."""

    copied = Signal(str)

    def __init__(
        self, theme: Theme, title: str = "The same as a command", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._equivalents: tuple[Equivalent, ...] = ()
        self._tools = SegmentedControl(theme, _SEGMENTS)
        self._tools.changed.connect(lambda _id: self._show())
        self._copy = Button(theme, "Copy", "copy", "flat")
        self._copy.clicked.connect(self._on_copy_clicked)
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAnywhere)
        self.text.setMinimumHeight(64)
        self.text.setAccessibleName(title)
        header = QHBoxLayout()
        header.setSpacing(8)
        header.addWidget(PlainLabel(theme, title, "small", "muted"))
        header.addStretch(1)
        header.addWidget(self._tools)
        header.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(header)
        layout.addWidget(self.text, 1)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_equivalents(self, equivalents: Sequence[Equivalent], note: str = "") -> None:
        """Show these; ``note`` is said instead where there are none, such as while a form is not complete."""
        self._equivalents = tuple(equivalents)
        self.text.setPlaceholderText(note)
        self._show()

    def tool(self) -> Tool:
        return cast(Tool, self._tools.current())

    def set_tool(self, tool: Tool) -> None:
        self._tools.set_current(tool)

    def _show(self) -> None:
        tool = self.tool()
        lines = [line for item in self._equivalents if (line := getattr(item, tool))]
        if self._equivalents and not lines:
            lines = [f"# no {'API request' if tool == 'api' else 'equivalent'} for this"]
        text = "\n".join(lines)
        if text != self.text.toPlainText():
            place = self.text.verticalScrollBar().value()
            self.text.setPlainText(text)
            self.text.verticalScrollBar().setValue(place)
        self._copy.setEnabled(bool(self._equivalents))
        self._copy.setText("Copy")

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self._copy.setText("Copied")
        self.copied.emit(self.text.toPlainText())

    def _on_theme_changed(self) -> None:
        self.text.setFont(self._theme.font("mono"))
