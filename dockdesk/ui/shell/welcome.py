"""What is shown where nothing can be connected: what was looked for, why each failed, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from dockdesk.core.columns import Tone
from dockdesk.core.environments import Environment
from dockdesk.ui.shell.environments import Attempt
from dockdesk.ui.theme import FontRole, Theme
from dockdesk.ui.widgets.buttons import Button, PrimaryButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.viewport import own_viewport

_WIDTH = 680


class WelcomePage(QScrollArea):
    """``retry_asked`` looks everywhere again, ``connect_asked(environment)`` tries one place."""

    retry_asked = Signal()
    connect_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        outer = QHBoxLayout(inside)
        outer.setContentsMargins(20, 32, 20, 32)
        middle = QWidget()
        middle.setMaximumWidth(_WIDTH)
        outer.addStretch(1)
        outer.addWidget(middle, 8)
        outer.addStretch(1)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        logo = QLabel()
        logo.setPixmap(theme.app_icon().pixmap(56, 56))
        column.addWidget(logo)
        self._title = self._label("title")
        self._text = self._label("body", "muted")
        column.addWidget(self._title)
        column.addWidget(self._text)
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 4, 0, 8)
        self._retry = PrimaryButton(theme, "Look again", "refresh")
        self._retry.clicked.connect(self.retry_asked)
        row.addWidget(self._retry)
        self._sandbox_environment: Environment | None = None
        self._sandbox = Button(theme, "Try the sandbox", "test-pipe")
        self._sandbox.setToolTip(
            "A simulated engine with a small web shop in it: nothing is installed or touched."
        )
        self._sandbox.clicked.connect(lambda: self.connect_asked.emit(self._sandbox_environment))
        row.addWidget(self._sandbox)
        row.addStretch(1)
        column.addWidget(self._buttons)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(10)
        column.addLayout(self._cards)
        column.addStretch(1)
        own_viewport(self)
        self.setWidget(inside)
        inside.setAutoFillBackground(False)
        self.show_searching()

    def _label(self, role: FontRole, tone: Tone = "neutral", text: str = "") -> PlainLabel:
        return PlainLabel(self._theme, text, role, tone, wrap=True, selectable=bool(text))

    def show_searching(self, name: str = "") -> None:
        """Something is being tried."""
        self._title.setText(f"Connecting to {name}…" if name else "Looking for container engines…")
        self._text.setText("Docker contexts, DOCKER_HOST and Podman's socket are asked.")
        self._retry.setEnabled(False)
        self._clear()

    def offer_sandbox(self, environment: Environment | None) -> None:
        """Offer a simulated engine to look around in, where there is one."""
        self._sandbox_environment = environment
        self._sandbox.setVisible(environment is not None)

    def show_attempts(
        self, attempts: Sequence[Attempt], others: Sequence[Environment] = ()
    ) -> None:
        """Nothing answered; ``others`` were not asked, since they are on other computers."""
        self._retry.setEnabled(True)
        self._clear()
        if attempts or others:
            self._title.setText("No container engine answers")
            self._text.setText(
                "DockDesk looked in these places. Once one of them is mended, look again; "
                "an engine that starts later is found as well."
            )
        else:
            self._title.setText("No container engine was found")
            self._text.setText(
                "There is no Docker context, DOCKER_HOST is not set, and neither Docker nor Podman "
                "listens at its usual place. Install and start one of them, then look again."
            )
        for attempt in attempts:
            self._cards.addWidget(self._attempt_card(attempt))
        for environment in others:
            card, column = self._card(environment, "Connect", f"Connect to {environment.name}")
            words = "Not asked yet: other computers are connected only when you say so."
            column.addWidget(self._label("body", "muted", words))
            self._cards.addWidget(card)

    def _clear(self) -> None:
        while (item := self._cards.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _attempt_card(self, attempt: Attempt) -> QFrame:
        environment, error = attempt.environment, attempt.error
        card, column = self._card(environment, "Try this one", f"Try {environment.name}")
        column.addWidget(self._label("strong", "bad", error.title))
        if error.detail:
            column.addWidget(self._label("body", "muted", error.detail))
        if error.hint:
            column.addWidget(self._label("body", text=error.hint))
        return card

    def _card(self, environment: Environment, verb: str, spoken: str) -> tuple[QFrame, QVBoxLayout]:
        """A card that says which environment is meant, with a button; and where more can be said on it."""
        card = QFrame()
        card.setProperty("look", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(4)
        head = QHBoxLayout()
        name = self._label("heading", text=environment.name)
        head.addWidget(name, 1)
        again = Button(self._theme, verb)
        again.setAccessibleName(spoken)
        again.clicked.connect(lambda: self.connect_asked.emit(environment))
        head.addWidget(again)
        column.addLayout(head)
        where = " · ".join(part for part in (environment.address, environment.source) if part)
        column.addWidget(self._label("small", "muted", where))
        return card, column
