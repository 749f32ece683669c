"""The lower edge of a log panel: how much there is, what was left out, and what became of the stream."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.core.logs.store import LogSnapshot
from dockdesk.core.units import bytes_text
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.log.feed import FeedState

_MESSAGE_MS = 5000
_ICON_SIZE = 16


class LogStatus(QWidget):
    """``retry_asked`` when the user wants a lost stream back."""

    retry_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._look: tuple[str, Tone] = ("", "muted")
        self._amount = ""
        self.amount = ElidedLabel(theme, "", "small", "muted")
        self.amount.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.icon = QLabel(self)
        self.state = ElidedLabel(theme, "", "small", "muted")
        self.state.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.retry = Button(theme, "Retry", "refresh", "flat")
        self.retry.clicked.connect(self.retry_asked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 2, 8, 2)
        layout.setSpacing(6)
        layout.addWidget(self.amount, 1)
        layout.addWidget(self.icon)
        layout.addWidget(self.state)
        layout.addWidget(self.retry)
        self.retry.hide()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_MESSAGE_MS)
        self._timer.timeout.connect(self._restore)
        theme.changed.connect(self._draw_icon)

    def show_amount(self, snapshot: LogSnapshot, shown: int | None) -> None:
        """Say how much is there; ``shown`` is the number of rows a filter shows."""
        lines = snapshot.lines
        parts = [f"{lines:,} line{'' if lines == 1 else 's'}"]
        if shown is not None:
            parts = [f"{shown:,} of {parts[0]} shown"]
        parts.append(bytes_text(snapshot.size))
        if snapshot.dropped_lines:
            parts.append(f"{snapshot.dropped_lines:,} older lines dropped to save memory")
        self._amount = " · ".join(parts) if lines or snapshot.size or snapshot.dropped_lines else ""
        if not self._timer.isActive() and self._amount != self.amount.text():
            self.amount.setText(self._amount)

    def show_message(self, text: str) -> None:
        """Say something for a few seconds."""
        self.amount.setText(text)
        self._timer.start()

    def show_state(
        self, state: FeedState, ended: str, error: DockDeskError | None, retry: bool
    ) -> None:
        """Say what became of the streams; ``retry`` offers to open a lost one again."""
        words, icon, tone = _STATES[state]
        if state is FeedState.ENDED:
            words = ended
        if error is not None:
            words = f"{error.title}: {error.detail}" if error.detail else error.title
        if words != self.state.text():
            self.state.setText(words)
        self.state.set_tone(tone)
        self.retry.setVisible(retry and state is FeedState.LOST)
        if self._look != (icon, tone):
            self._look = (icon, tone)
            self._draw_icon()

    def _restore(self) -> None:
        self.amount.setText(self._amount)

    def _draw_icon(self) -> None:
        icon, tone = self._look
        self.icon.setVisible(bool(icon))
        if icon:
            scale = self.devicePixelRatioF()
            self.icon.setPixmap(self._theme.pixmap(icon, tone, _ICON_SIZE, scale))


_STATES: dict[FeedState, tuple[str, str, Tone]] = {
    FeedState.IDLE: ("", "", "muted"),
    FeedState.LOADING: ("Loading…", "loader-2", "muted"),
    FeedState.LIVE: ("Live", "point", "good"),
    FeedState.ENDED: ("", "player-stop", "muted"),
    FeedState.LOST: ("", "plug-connected-x", "bad"),
}
