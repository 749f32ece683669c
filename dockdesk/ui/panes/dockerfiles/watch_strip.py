"""One line that says what watch mode is doing, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from dockdesk.ui.panes.dockerfiles.watch import WatchDesk
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.dot import Dot
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.plain import one_line, plain_tip
from dockdesk.ui.widgets.spinner import Spinner

_BUSY = frozenset({"starting", "building", "restarting"})


class WatchStrip(QFrame):
    """Seen only while something is watched."""

    def __init__(self, theme: Theme, desk: WatchDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._desk = desk
        self._dot = Dot(theme, lambda theme: theme.tone(desk.state.tone))
        self._spinner = Spinner(theme, 16)
        self.words = ElidedLabel(theme, "")
        self.detail = ElidedLabel(theme, "", "small", "muted")
        self.detail.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.browse = Button(theme, "Open", "external-link", "flat")
        self.browse.clicked.connect(self._on_browse)
        again = IconButton(theme, "refresh", "Build now", size=16)
        again.clicked.connect(desk.build_now)
        self.stop_button = Button(theme, "Stop watching", "player-stop", "flat")
        self.stop_button.clicked.connect(desk.stop)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._spinner)
        row.addWidget(self.words)
        row.addWidget(self.detail, 1)
        row.addWidget(self.browse)
        row.addWidget(again)
        row.addWidget(self.stop_button)
        desk.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._desk.state
        self.setVisible(state.on)
        busy = state.word in _BUSY
        self._dot.setVisible(not busy)
        self._spinner.setVisible(busy)
        self._dot.update()
        self.words.setText(one_line(state.text, 200))
        self.detail.setText(one_line(state.detail, 300))
        self.browse.setVisible(bool(state.url))
        self.browse.setToolTip(plain_tip(state.url))
        self.setAccessibleName(f"Watch mode: {state.text}")

    def _on_browse(self) -> None:
        if url := self._desk.state.url:
            QDesktopServices.openUrl(QUrl(url))
