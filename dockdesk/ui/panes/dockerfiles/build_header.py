"""The line above a build: what it is, how far it is, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from dockdesk.core.records import dataclass
from dockdesk.ui.panes.dockerfiles.build_steps import STATES
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton, Segment, SegmentedControl
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.plain import one_line

_BAR = 3


@dataclass(frozen=True, slots=True)
class RunChoice:
    """A build that can be chosen: its number and its words."""

    number: int
    title: str
    state: str


class BuildHeader(QWidget):
    """``stop_asked``, ``again_asked``, ``image_asked`` and ``run_asked`` when a button is pressed.

    ``run_chosen`` carries the number of another build of this window, ``page_chosen`` log or timeline.
    """

    stop_asked = Signal()
    again_asked = Signal()
    image_asked = Signal()
    run_asked = Signal()
    run_chosen = Signal(int)
    page_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state = ""
        self._fraction: float | None = None
        self._choices: tuple[RunChoice, ...] = ()
        self.icon = QLabel()
        self.icon.setFixedWidth(18)
        self.title = ElidedLabel(theme, "", "strong")
        self.words = ElidedLabel(theme, "", "small", "muted")
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.words.setFont(theme.font("small", tabular=True))
        self.pages = SegmentedControl(
            theme,
            (
                Segment("log", "Log", "notes", "What the chosen step wrote"),
                Segment("timeline", "Timeline", "timeline", "All steps over time"),
            ),
        )
        self.pages.changed.connect(self.page_chosen)
        self.stop = Button(theme, "Stop", "player-stop")
        self.stop.clicked.connect(self.stop_asked)
        self.image = Button(theme, "Open image", "stack-2")
        self.image.clicked.connect(self.image_asked)
        self.run = Button(theme, "Run…", "player-play")
        self.run.clicked.connect(self.run_asked)
        self.again = Button(theme, "Build again", "refresh")
        self.again.clicked.connect(self.again_asked)
        self.others = IconButton(theme, "history", "Other builds of this window")
        self.others.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(self.others)
        self._menu.aboutToShow.connect(self._fill)
        self.others.setMenu(self._menu)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6 + _BAR)
        row.setSpacing(8)
        row.addWidget(self.icon)
        row.addWidget(self.title)
        row.addWidget(self.words, 1)
        for widget in (self.pages, self.stop, self.run, self.image, self.again, self.others):
            row.addWidget(widget)
        theme.changed.connect(self._draw_icon)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def show_build(
        self, title: str, state: str, words: str, fraction: float | None, has_image: bool
    ) -> None:
        """``state`` is a key of STATES; ``fraction`` how much is done, None where that isn't known."""
        if self.title.text() != one_line(title):
            self.title.setText(title)
        if self.words.text() != words:
            self.words.setText(words)
        over = state not in {"waiting", "running"}
        changed = state != self._state or has_image == self.image.isHidden()
        if state != self._state:
            self._state = state
            self._draw_icon()
            self.update(self._bar())
        if changed:
            self.stop.setVisible(not over)
            self.again.setVisible(over)
            self.image.setVisible(has_image)
            self.run.setVisible(has_image)
            self._fit()
        if fraction != self._fraction:
            self._fraction = fraction
            self.update(self._bar())

    def set_choices(self, choices: Sequence[RunChoice]) -> None:
        self._choices = tuple(choices)
        self.others.setVisible(len(choices) > 1)

    def _fill(self) -> None:
        self._menu.clear()
        for choice in self._choices:
            icon, tone, _word = STATES[choice.state]
            entry = self._menu.addAction(
                self._theme.icon(icon, tone), one_line(choice.title, 100).replace("&", "&&")
            )
            entry.triggered.connect(
                lambda _on=False, number=choice.number: self.run_chosen.emit(number)
            )

    def _bar(self) -> QRect:
        return QRect(0, self.height() - _BAR, self.width(), _BAR)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        bar = self._bar()
        painter.fillRect(bar, self._theme.colour("line"))
        tone = {"ok": "good", "failed": "bad", "cancelled": "muted"}.get(self._state, "accent")
        share = 1.0 if self._state == "ok" else self._fraction or 0.0
        bar.setWidth(round(bar.width() * max(0.0, min(1.0, share))))
        painter.fillRect(bar, self._theme.colour(tone))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Words give way to icons where the words of the build would be cut."""
        buttons = (self.run, self.image, self.again, self.stop)
        layout = self.layout()
        wanted = self.words.fontMetrics().horizontalAdvance(self.words.text()) + 16
        for button in buttons:
            button.show_words(True)
            button.setToolTip("")
        for button in (self.image, self.run, self.again, self.stop):
            if layout is None or layout.sizeHint().width() + wanted <= self.width():
                return
            words = button.text().replace("&&", "&")
            button.show_words(False)
            button.setToolTip(words)
            layout.invalidate()

    def _draw_icon(self) -> None:
        icon, tone, _word = STATES.get(self._state, STATES["waiting"])
        self.icon.setPixmap(self._theme.pixmap(icon, tone, 18, self.devicePixelRatioF()))
        self.icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
