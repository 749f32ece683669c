"""What stands where content would: nothing yet, still loading, or failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, Look
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.spinner import Spinner

_ICON_SIZE = 40
_TEXT_WIDTH, _LEAST_WIDTH = 440, 160
_PADDING, _LOW_PADDING, _GAP = 24, 8, 8
_LOADING_SHOWN_AFTER_MS = 200


@dataclass(frozen=True, slots=True)
class StateButton:
    """A button of a state: its words, what it does, and how much it weighs."""

    title: str
    run: Callable[[], None]
    look: Look = "usual"
    icon: str = ""


class EmptyState(QWidget):
    """An icon, a title, a sentence and what to do next, in the middle of the free space."""

    def __init__(
        self,
        theme: Theme,
        icon: str = "inbox",
        title: str = "",
        text: str = "",
        buttons: Sequence[StateButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name, self._icon_tone = icon, "muted"
        self._icon = QLabel(self)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = PlainLabel(theme, "", "heading", wrap=True)
        self._text = PlainLabel(theme, "", tone="muted", wrap=True, selectable=True)
        self._hint = PlainLabel(theme, "", wrap=True)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._buttons: list[Button] = []
        self._described: list[StateButton] = []
        # A column of its own: an aligned label would be as high as its words are in the whole width.
        self._words = words = QWidget(self)
        words.setFixedWidth(_TEXT_WIDTH)
        column = QVBoxLayout(words)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for label in (self._title, self._text, self._hint):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(words)
        middle.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(_PADDING,) * 4)
        layout.setSpacing(8)
        layout.addStretch(2)
        layout.addWidget(self._icon)
        layout.addLayout(middle)
        layout.addSpacing(8)
        layout.addLayout(self._row)
        layout.addStretch(3)
        theme.changed.connect(self._draw_icon)
        self.show_message(icon, title, text, buttons)

    def show_message(
        self,
        icon: str,
        title: str,
        text: str = "",
        buttons: Sequence[StateButton] = (),
        *,
        hint: str = "",
        tone: Tone = "muted",
    ) -> None:
        """Say something else. All texts are plain."""
        self._icon_name, self._icon_tone = icon, tone
        for label, words in ((self._title, title), (self._text, text), (self._hint, hint)):
            label.setText(words)
            label.setVisible(bool(words))
        self._set_buttons(buttons)
        self._draw_icon()
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Without its icon and close to the edges: in a low place the words and buttons are what matters."""
        buttons = self._row.sizeHint().width()
        width = max(_LEAST_WIDTH, buttons) + 2 * _PADDING
        return QSize(width, self._words_height() + 2 * _LOW_PADDING)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _words_height(self) -> int:
        labels = (self._title, self._text, self._hint)
        width = self._words.width()
        heights = [label.heightForWidth(width) for label in labels if not label.isHidden()]
        heights += [button.sizeHint().height() for button in self._buttons[:1]]
        return sum(heights) + _GAP * (len(heights) + 1)

    def _fit(self) -> None:
        """Break the words where the place is narrow, and leave the icon out where there is no height for it."""
        width = max(_LEAST_WIDTH, min(_TEXT_WIDTH, self.width() - 2 * _PADDING))
        if width != self._words.width():
            self._words.setFixedWidth(width)
        low = self.height() < self._words_height() + _ICON_SIZE + _GAP + 2 * _PADDING
        self._icon.setHidden(low)
        padding = _LOW_PADDING if low else _PADDING
        layout = self.layout()
        if layout is not None and layout.contentsMargins().top() != padding:
            layout.setContentsMargins(*(padding,) * 4)

    def show_error(self, error: DockDeskError, buttons: Sequence[StateButton] = ()) -> None:
        """Say what failed, why, and what to do."""
        self.show_message(
            "alert-triangle", error.title, error.detail, buttons, hint=error.hint, tone="bad"
        )

    def buttons(self) -> Sequence[Button]:
        return tuple(self._buttons)

    def _set_buttons(self, buttons: Sequence[StateButton]) -> None:
        before, self._described = self._described, list(buttons)
        if [_looks(one) for one in before] == [_looks(one) for one in buttons]:
            return  # the same ones, which may have the focus; what they do is looked up
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons = []
        self._row.addStretch(1)
        for number, description in enumerate(buttons):
            button = Button(
                self._theme, description.title, description.icon, description.look, self
            )
            button.clicked.connect(lambda _on=False, number=number: self._described[number].run())
            self._buttons.append(button)
            self._row.addWidget(button)
            button.show()  # a layout would do it later, and until then it can't have the focus
        self._row.addStretch(1)

    def _draw_icon(self) -> None:
        scale = self.devicePixelRatioF()
        self._icon.setPixmap(
            self._theme.pixmap(self._icon_name, self._icon_tone, _ICON_SIZE, scale)
        )


def _looks(button: StateButton) -> tuple[str, Look, str]:
    return button.title, button.look, button.icon


class LoadingState(QWidget):
    """A spinner and a word; seen only if loading takes longer than a moment, so that nothing flickers."""

    def __init__(self, theme: Theme, text: str = "Loading…", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spinner = Spinner(theme, 28, self)
        self._label = PlainLabel(theme, text, tone="muted")
        self._label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addStretch(2)
        layout.addWidget(self._spinner, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._label)
        layout.addStretch(3)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LOADING_SHOWN_AFTER_MS)
        self._timer.timeout.connect(lambda: self._reveal(True))
        self._reveal(False)

    def set_text(self, text: str) -> None:
        self._label.setText(text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
        self._reveal(False)

    def _reveal(self, on: bool) -> None:
        self._spinner.setVisible(on)
        self._label.setVisible(on)
