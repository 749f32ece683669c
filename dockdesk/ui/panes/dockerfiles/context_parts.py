"""Small parts of the context view: the banner of secrets, and the line about the chosen entry."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from dockdesk.dockerfile.context_warnings import ContextWarning
from dockdesk.ui.theme import Theme
from dockdesk.ui.theme.palette import mix
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.plain import one_line, plain_tip

_TOLD = 2  # secrets that are named; the tooltip names more


class Secrets(QWidget):
    """Says which secrets are about to be sent, and why; ``line_asked`` carries a line that keeps one back."""

    line_asked = Signal(str)
    show_asked = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._warnings: tuple[ContextWarning, ...] = ()
        self.title = PlainLabel(theme, "", "strong", wrap=True)
        self.detail = PlainLabel(theme, "", "small", wrap=True)
        self.leave = Button(theme, "Leave out", "eye-off")
        self.leave.clicked.connect(self._on_leave)
        self.show_button = Button(theme, "Show", look="flat")
        self.show_button.clicked.connect(self._on_show)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.leave)
        buttons.addWidget(self.show_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(40, 8, 12, 8)
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(self.detail)
        column.addLayout(buttons)
        theme.changed.connect(self.update)
        self.hide()

    def show_warnings(self, warnings: Sequence[ContextWarning]) -> None:
        if tuple(warnings) == tuple(self._warnings):
            return
        self._warnings = tuple(warnings)
        self.setVisible(bool(warnings))
        if not warnings:
            return
        count = len(warnings)
        self.title.setText(
            "A secret is about to be sent"
            if count == 1
            else f"{count} secrets are about to be sent"
        )
        told = [one_line(w.text, 120) for w in warnings[:_TOLD]]
        if count > _TOLD:
            told[-1] = f"and {count - _TOLD + 1} more"
        self.detail.setText("\n".join(told))
        lines = list(dict.fromkeys(w.line for w in warnings if w.line))
        self.leave.setText("Leave out" if count == 1 else "Leave all out")
        self.leave.setToolTip(plain_tip("Adds to the ignore file:\n" + "\n".join(lines[:20])))
        whole = "\n".join(w.text for w in warnings[:40])
        self.setToolTip(plain_tip(f"{whole}\nWhoever has the image can read it."))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, tone = self._theme.surface("warn"), self._theme.tone("warn")
        painter.setPen(QPen(mix(tone, ground, 0.6), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        picture = self._theme.pixmap("alert-triangle", "warn", 18, self.devicePixelRatioF())
        painter.drawPixmap(12, 9, picture)
        painter.end()

    def _on_show(self) -> None:
        for warning in self._warnings[:1]:
            self.show_asked.emit(warning.path)

    def _on_leave(self) -> None:
        for line in dict.fromkeys(w.line for w in self._warnings if w.line):
            self.line_asked.emit(line)


class Chosen(QWidget):
    """The chosen entry: whether it is sent, by which rule, and what can be done about it."""

    leave_asked = Signal()
    send_asked = Signal()
    open_asked = Signal()
    rule_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel(theme, "", "small", "muted", middle=True)
        self.words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.rule = IconButton(theme, "eye-off", "", size=16)
        self.rule.set_icon("arrow-bar-to-down")
        self.rule.clicked.connect(self.rule_asked)
        self.leave = Button(theme, "Leave out", "eye-off")
        self.leave.clicked.connect(self.leave_asked)
        self.send = Button(theme, "Send", "eye")
        self.send.setToolTip("Send it after all")
        self.send.clicked.connect(self.send_asked)
        outside = IconButton(theme, "external-link", "Open in the file manager", size=16)
        outside.clicked.connect(self.open_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 6)
        row.setSpacing(4)
        row.addWidget(self.words, 1)
        row.addWidget(self.rule)
        row.addWidget(outside)
        row.addWidget(self.leave)
        row.addWidget(self.send)
        self.hide()

    def show_entry(self, state: str, rule: str, line: int) -> None:
        word = {"all": "Sent", "part": "Sent in part", "none": "Left out"}[state]
        self.words.setText(f"{word}: line {line + 1}, {one_line(rule)}" if line >= 0 else word)
        self.rule.set_tip(f"Go to line {line + 1} of the ignore file")
        self.rule.setVisible(line >= 0)
        self.leave.setVisible(state != "none")
        self.send.setVisible(state == "none")
