"""The line at the foot: who answers, whether it does, what runs there, and what DockDesk is doing."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.actions.bound import tip
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import ICON_BESIDE_WORDS
from dockdesk.ui.widgets.dot import Dot
from dockdesk.ui.widgets.labels import ElidedLabel


class StatusBar(QWidget):
    """Its texts are given; its signals say which were clicked."""

    reconnect_asked = Signal()
    containers_asked = Signal()
    jobs_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        theme.changed.connect(self._on_theme_changed)
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._dot = Dot(theme, lambda theme: theme.tone("muted"))
        self._engine = ElidedLabel(theme, role="small")
        self._engine.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._reconnect = QToolButton()
        self._reconnect.setText("Reconnect")
        self._reconnect.setIcon(theme.icon("refresh"))
        self._reconnect.setIconSize(ICON_BESIDE_WORDS)
        self._reconnect.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._reconnect.setToolTip(tip("Reconnect", "Ctrl+Shift+R"))
        self._reconnect.clicked.connect(self.reconnect_asked)
        self._containers = self._link(theme, "box", "Containers", self.containers_asked)
        self._jobs = self._link(theme, "activity", "Jobs", self.jobs_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 2, 10, 2)
        row.setSpacing(8)
        row.addWidget(self._dot)
        row.addWidget(self._engine, 1)
        row.addWidget(self._reconnect)
        row.addWidget(self._containers)
        row.addWidget(self._jobs)
        self.setFixedHeight(32)
        self.set_engine("Not connected", "muted", can_reconnect=False)
        self.set_containers(None, None)
        self.set_jobs(0)

    @staticmethod
    def _link(theme: Theme, icon: str, name: str, signal: SignalInstance) -> QToolButton:
        button = QToolButton()
        button.setIcon(theme.icon(icon, "muted", 16))
        button.setIconSize(ICON_BESIDE_WORDS)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAccessibleName(name)
        button.setFont(theme.font("small", tabular=True))
        button.clicked.connect(signal)
        return button

    def _on_theme_changed(self) -> None:
        for button in (self._containers, self._jobs):
            button.setFont(self._theme.font("small", tabular=True))

    def set_engine(self, text: str, tone: Tone, can_reconnect: bool, detail: str = "") -> None:
        """Who answers and how it stands, such as "Docker Engine 27.3 · connected"."""
        self._dot.set_pick(lambda theme: theme.tone(tone))
        self._engine.setText(text)
        self._engine.setToolTip(tip(text, *detail.splitlines()))
        self._reconnect.setVisible(can_reconnect)

    def set_containers(self, running: int | None, total: int | None) -> None:
        known = running is not None and total is not None
        self._containers.setVisible(known)
        if known:
            self._containers.setText(f"{running:,} of {total:,} running")
            self._containers.setToolTip(tip(f"{running:,} of {total:,} containers run"))

    def set_jobs(self, count: int) -> None:
        self._jobs.setText("1 job" if count == 1 else f"{count} jobs" if count else "idle")
        self._jobs.setToolTip(tip("Activity", "Running and past jobs", "Ctrl+J"))
