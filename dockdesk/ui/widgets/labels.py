"""Labels that show plain text in the theme's fonts and tones."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import FontRole, Theme
from dockdesk.ui.widgets.plain import one_line, plain_tip, shown

# Tones that a palette role stands for follow the theme by themselves.
_ROLES: dict[Tone, QPalette.ColorRole] = {
    "neutral": QPalette.ColorRole.WindowText,
    "muted": QPalette.ColorRole.PlaceholderText,
    "bad": QPalette.ColorRole.BrightText,
    "info": QPalette.ColorRole.Link,
}


class PlainLabel(QLabel):
    """A label of plain text. ``selectable`` lets the text be marked and copied, ``wrap`` breaks long lines."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        role: FontRole = "body",
        tone: Tone = "neutral",
        *,
        wrap: bool = False,
        selectable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._role = role
        self._tone: Tone = tone
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        if selectable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.setText(text)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def setText(self, text: str) -> None:
        super().setText(shown(text))

    def tone(self) -> Tone:
        return self._tone

    def set_tone(self, tone: Tone) -> None:
        if tone != self._tone:
            self._tone = tone
            self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        font = self._theme.font(self._role)
        if font != self.font():
            self.setFont(font)
        role = _ROLES.get(self._tone)
        if self.foregroundRole() != (wanted := role or QPalette.ColorRole.WindowText):
            self.setForegroundRole(wanted)
        if role is None:
            self.recolour()
        elif self.testAttribute(Qt.WidgetAttribute.WA_SetPalette):
            self.setPalette(QPalette())

    def recolour(self) -> None:
        """Take the colour of a tone that no palette role stands for; called after each polishing too."""
        if self._tone in _ROLES:
            return
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.WindowText, self._theme.tone(self._tone))
        self.setPalette(palette)


class ElidedLabel(PlainLabel):
    """One line that is cut with … where there is no room; the whole text is its tooltip then.

    Paths are cut in the middle (``middle``): their ends tell more than their beginnings.
    """

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        role: FontRole = "body",
        tone: Tone = "neutral",
        *,
        middle: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        self._whole = text
        self._mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
        super().__init__(theme, text, role, tone, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def setText(self, text: str) -> None:
        self._whole = text
        super().setText(one_line(text))

    def minimumSizeHint(self) -> QSize:
        wide = QFontMetrics(self.font()).horizontalAdvance("…  ")
        return QSize(wide, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.text(), self._mode, self.contentsRect().width())
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), self.alignment(), text)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            cut = self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()
            self.setToolTip(plain_tip(self._whole) if cut or self._whole != self.text() else "")
        return super().event(event)


class Line(QFrame):
    """A thin horizontal line between parts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "line")
