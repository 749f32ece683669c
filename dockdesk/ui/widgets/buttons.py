"""Buttons in their looks; each has words, seen or as a tooltip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QWidget,
)

from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import plain_tip

Look = Literal["usual", "primary", "danger", "flat"]

ICON_ALONE = QSize(16, 16)
ICON_BESIDE_WORDS = QSize(19, 16)  # the style by itself leaves 4 pixels between them


class Button(QPushButton):
    """A push button. ``look`` says how much it weighs; there is one primary button in a view at most."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        icon: str = "",
        look: Look = "usual",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        # An ampersand in a name must not become an underline.
        self._words = text.replace("&", "&&")
        self.setText(self._words)
        self.setAutoDefault(False)
        self._theme = theme
        self._icon_name = icon
        self._take_look(look)  # the style comes to it before it is shown

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setIconSize(ICON_BESIDE_WORDS if text else ICON_ALONE)

    def show_words(self, on: bool) -> None:
        """Where there is no room for words, the icon alone says it; to screen readers the words remain."""
        if on == bool(self.text()):
            return
        self.setText(self._words if on else "")
        self.setAccessibleName("" if on else self._words.replace("&&", "&"))

    def set_look(self, look: Look) -> None:
        self._take_look(look)
        self.style().polish(self)

    def _take_look(self, look: Look) -> None:
        self.setProperty("look", look)
        if self._icon_name:
            filled = look in {"primary", "danger"}
            self.setIcon(self._theme.icon(self._icon_name, "on_accent" if filled else "text", 16))


class PrimaryButton(Button):
    """The one thing most people come for."""

    def __init__(
        self, theme: Theme, text: str, icon: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, text, icon, "primary", parent)


class IconButton(QToolButton):
    """An icon alone, with its words as tooltip and for screen readers."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        tip: str,
        shortcut: str = "",
        tone: str = "muted",
        size: int = 18,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone = tone
        self._size = size
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(size, size))
        self.set_icon(icon)
        self.set_tip(tip, shortcut)

    def set_icon(self, icon: str, tone: str = "") -> None:
        self._tone = tone or self._tone
        self.setIcon(self._theme.icon(icon, self._tone, self._size))

    def set_tip(self, tip: str, shortcut: str = "") -> None:
        keys = QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)
        self.setToolTip(plain_tip(f"{tip} ({keys})" if keys else tip))
        self.setAccessibleName(tip)


@dataclass(frozen=True, slots=True)
class Segment:
    """One choice of a segmented control."""

    id: str
    title: str
    icon: str = ""
    tip: str = ""


class SegmentedControl(QFrame):
    """A few choices side by side of which one holds, such as Tree and JSON. Left and right move between them."""

    changed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        segments: Sequence[Segment],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("look", "segments")
        self._ids = [segment.id for segment in segments]
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(2)
        for number, segment in enumerate(segments):
            button = _SegmentButton(segment.title.replace("&", "&&"), self)
            if segment.icon:
                button.setIcon(theme.icon(segment.icon, "text", 16))
                button.setIconSize(ICON_BESIDE_WORDS if segment.title else ICON_ALONE)
            button.setToolTip(plain_tip(segment.tip))
            self._group.addButton(button, number)
            layout.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idToggled.connect(self._on_toggled)

    def current(self) -> str:
        return self._ids[self._group.checkedId()]

    def set_current(self, id: str) -> None:
        """Choose; `changed` is emitted if that is a change."""
        self._group.button(self._ids.index(id)).setChecked(True)

    def button(self, id: str) -> QAbstractButton:
        return self._group.button(self._ids.index(id))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        number = self._group.checkedId() + step
        if step and 0 <= number < len(self._ids):
            self._group.button(number).setChecked(True)
            self._group.button(number).setFocus(Qt.FocusReason.TabFocusReason)
            return
        super().keyPressEvent(event)

    def _on_toggled(self, number: int, on: bool) -> None:
        if on:
            self.changed.emit(self._ids[number])


class _SegmentButton(QPushButton):
    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(text, parent)
        self.setProperty("look", "segment")
        self.setCheckable(True)
        self.setAutoDefault(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # A button group would move by itself without choosing; the control does both.
        if event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            event.ignore()
            return
        super().keyPressEvent(event)
