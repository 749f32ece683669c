"""Messages: a toast over the window, and the same as a card that stays where the failure is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QGuiApplication, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.ui.theme import Theme
from dockdesk.ui.theme.palette import mix
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.labels import PlainLabel

_ICONS: dict[Tone, str] = {
    "good": "circle-check",
    "warn": "alert-triangle",
    "bad": "alert-circle",
}
_LEAVES_AFTER_MS = 6000
_LONG_DETAIL = 160
_WIDTH = 400
_BESIDE = 1  # buttons that leave room for Details and Copy beside them


class MessageCard(QFrame):
    """An icon, a title, why, what to do, and buttons. A long detail is folded until it is asked for.

    ``closed`` is emitted by its close button; the owner takes it away.
    """

    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        title: str,
        detail: str = "",
        hint: str = "",
        tone: Tone = "info",
        buttons: Sequence[StateButton] = (),
        *,
        closable: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._message_tone: Tone = tone
        self._icon = QLabel(self)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._texts = QVBoxLayout()
        self._texts.setSpacing(4)
        self._row, self._tools = QHBoxLayout(), QHBoxLayout()
        for row in (self._row, self._tools):
            row.setSpacing(8)
        self.title = PlainLabel(theme, "", "strong", wrap=True)
        self.detail = PlainLabel(theme, "", wrap=True, selectable=True)
        self.hint = PlainLabel(theme, "", wrap=True)
        for label in (self.title, self.detail, self.hint):
            self._texts.addWidget(label)
        self._texts.addSpacing(2)
        self._texts.addLayout(self._row)
        self._texts.addLayout(self._tools)
        self._close = IconButton(theme, "x", "Close", size=16)
        self._close.setVisible(closable)
        self._close.clicked.connect(self.closed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 12, 8, 12)
        layout.setSpacing(12)
        layout.addWidget(self._icon)
        layout.addLayout(self._texts, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self._draw)
        self.set_message(title, detail, hint, tone, buttons)

    def set_message(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        tone: Tone = "info",
        buttons: Sequence[StateButton] = (),
    ) -> None:
        self._message_tone = tone
        self._whole_detail = detail
        self.title.setText(title)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self._set_buttons(buttons)
        self._fold(len(detail) > _LONG_DETAIL or detail.count("\n") > 2)
        self._draw()

    def text(self) -> str:
        """All of it, as it is copied."""
        parts = (self.title.text(), self._whole_detail, self.hint.text())
        return "\n".join(part for part in parts if part)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        ground = self._theme.surface(self._message_tone)
        painter.setPen(QPen(mix(self._theme.tone(self._message_tone), ground, 0.6), 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 10, 10)
        painter.end()

    def _set_buttons(self, buttons: Sequence[StateButton]) -> None:
        for row in (self._row, self._tools):
            while (item := row.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.hide()
                    widget.deleteLater()
        for description in buttons:
            button = Button(self._theme, description.title, description.icon, description.look)
            button.clicked.connect(lambda _on=False, run=description.run: run())
            self._row.addWidget(button)
        self._more = Button(self._theme, "Details", look="flat")
        self._more.clicked.connect(self._on_more_clicked)
        self._copy = Button(self._theme, "Copy", "copy", "flat")
        self._copy.clicked.connect(self._on_copy_clicked)
        self._copy.setVisible(bool(self._whole_detail) and self._message_tone in {"warn", "bad"})
        beside = self._row if len(buttons) <= _BESIDE else self._tools
        beside.addWidget(self._more)
        beside.addWidget(self._copy)
        for row in (self._row, self._tools):
            row.addStretch(1)

    def _fold(self, folded: bool) -> None:
        self._more.setVisible(folded)
        detail = self._whole_detail
        if folded:
            first = next(iter(detail.strip().splitlines()), "")
            detail = first if len(first) <= _LONG_DETAIL else first[: _LONG_DETAIL - 1] + "…"
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))

    def _on_more_clicked(self) -> None:
        self._fold(False)
        self.adjustSize()

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.text())
        self._copy.setText("Copied")

    def _draw(self) -> None:
        icon = _ICONS.get(self._message_tone, "info-circle")
        self._icon.setPixmap(
            self._theme.pixmap(icon, self._message_tone, 20, self.devicePixelRatioF())
        )
        self.update()


class ErrorCard(MessageCard):
    """A failure shown where it happened, with its buttons (Try again …); it stays."""

    def __init__(
        self,
        theme: Theme,
        error: DockDeskError,
        buttons: Sequence[StateButton] = (),
        *,
        closable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme,
            error.title,
            error.detail,
            error.hint,
            "bad",
            buttons,
            closable=closable,
            parent=parent,
        )


class Notice(MessageCard):
    """A toast. Good and info ones leave by themselves, later while the pointer is on them; warn and bad ones stay."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        detail: str = "",
        hint: str = "",
        tone: Tone = "info",
        buttons: Sequence[StateButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, title, detail, hint, tone, buttons, parent=parent)
        self.setFixedWidth(_WIDTH)
        self._leaves = tone in {"good", "info", "neutral", "muted", "accent"}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LEAVES_AFTER_MS)
        self._timer.timeout.connect(self.closed)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._leaves:
            self._timer.start()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if self._leaves:
            self._timer.start()
