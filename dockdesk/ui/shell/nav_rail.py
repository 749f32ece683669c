"""The navigation rail: one entry a pane, in sections, narrow or wide."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.actions.bound import tip
from dockdesk.ui.panes.registry import PaneEntry
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll

WIDE = 208
NARROW = 60
_ROW = 38


class RailButton(QAbstractButton):
    """One entry of the rail: an icon and, where the rail is wide, a word. ``stepped(by)`` tells of Up and Down."""

    stepped = Signal(int)

    def __init__(self, theme: Theme, icon: str, title: str, shortcut: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._narrow = False
        self._badge = ""
        self.setText(title)
        self.setAccessibleName(title)
        self.setToolTip(tip(title, shortcut))
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def set_narrow(self, narrow: bool) -> None:
        self._narrow = narrow
        self.update()

    def set_badge(self, text: str) -> None:
        """A short text at the entry's end, such as a count; empty for none."""
        if text != self._badge:
            self._badge = text
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(NARROW - 20, _ROW)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # A button group would choose what it moves to.
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        if step:
            self.stepped.emit(step)
            return
        super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(1, 1, -1, -1)
        if self.isChecked():
            fill = theme.colour("accent_surface")
        elif self.isDown() or self.underMouse():
            fill = theme.colour("hover")
        else:
            fill = None
        if fill is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(box, 8, 8)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 8, 8)
        self._paint_content(painter)

    def _paint_content(self, painter: QPainter) -> None:
        theme = self._theme
        tone = "accent" if self.isChecked() else "muted"
        pixmap = theme.pixmap(self._icon, tone, 20, self.devicePixelRatioF())
        left = (self.width() - 20) // 2 if self._narrow else 12
        painter.drawPixmap(QPoint(left, (self.height() - 20) // 2), pixmap)
        if self._narrow:
            return
        painter.setFont(theme.font("strong" if self.isChecked() else "body"))
        painter.setPen(theme.colour("text" if self.isChecked() else "muted"))
        room = QRect(44, 0, self.width() - 52, self.height())
        if self._badge:
            painter.drawText(
                room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._badge
            )
        painter.drawText(
            room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text()
        )


class NavRail(QWidget):
    """All panes in their sections, settings at the foot. Up and Down move between entries.

    ``chosen(pane_id)`` tells of a click or key.
    """

    chosen = Signal(str)
    settings_asked = Signal()
    narrow_asked = Signal(bool)

    def __init__(
        self, theme: Theme, entries: Sequence[PaneEntry], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._narrow = False
        self._buttons: dict[str, RailButton] = {}
        self._headings: list[PlainLabel] = []
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Navigation")

        column = QVBoxLayout(self)
        column.setContentsMargins(10, 12, 10, 10)
        column.setSpacing(2)
        column.addLayout(self._make_head())
        column.addWidget(self._make_entries(entries), 1)
        self._settings = RailButton(theme, "settings", "Settings", "Ctrl+,")
        self._settings.setCheckable(False)
        self._settings.clicked.connect(self.settings_asked)
        self._fold = RailButton(theme, "layout-sidebar", "Fold the rail", "Ctrl+Alt+B")
        self._fold.setCheckable(False)
        self._fold.clicked.connect(lambda: self.narrow_asked.emit(not self._narrow))
        column.addWidget(self._settings)
        column.addWidget(self._fold)
        for made in (*self._buttons.values(), self._settings, self._fold):
            made.stepped.connect(lambda by, made=made: self._step(made, by))
        self.set_narrow(False)

    def _make_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 0, 8)
        row.setSpacing(8)
        logo = QLabel()
        logo.setPixmap(self._theme.app_icon().pixmap(24, 24))
        self._name = PlainLabel(self._theme, "DockDesk", "heading")
        row.addWidget(logo)
        row.addWidget(self._name, 1)
        return row

    def _make_entries(self, entries: Sequence[PaneEntry]) -> ContentScroll:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        section = ""
        for number, entry in enumerate(entries, start=1):
            if entry.section != section:
                section = entry.section
                heading = PlainLabel(self._theme, section, "small", "muted")
                heading.setContentsMargins(12, 12, 0, 4)
                self._headings.append(heading)
                column.addWidget(heading)
            shortcut = f"Ctrl+{number}" if number <= 9 else ""
            button = RailButton(self._theme, entry.icon, entry.title, shortcut)
            button.clicked.connect(lambda _checked=False, id=entry.id: self.chosen.emit(id))
            self._group.addButton(button)
            self._buttons[entry.id] = button
            column.addWidget(button)
        column.addStretch(1)
        return ContentScroll(inside)

    @property
    def narrow(self) -> bool:
        return self._narrow

    def set_narrow(self, narrow: bool) -> None:
        """Show icons only, or icons and words."""
        self._narrow = narrow
        self.setFixedWidth(NARROW if narrow else WIDE)
        for button in (*self._buttons.values(), self._settings, self._fold):
            button.set_narrow(narrow)
        title = "Unfold the rail" if narrow else "Fold the rail"
        self._fold.setText(title)
        self._fold.setAccessibleName(title)
        self._fold.setToolTip(tip(title, "Ctrl+Alt+B"))
        for heading in (*self._headings, self._name):
            heading.setVisible(not narrow)

    def set_current(self, pane_id: str) -> None:
        if (button := self._buttons.get(pane_id)) is not None:
            button.setChecked(True)

    def set_badge(self, pane_id: str, text: str) -> None:
        if (button := self._buttons.get(pane_id)) is not None:
            button.set_badge(text)

    def focus(self) -> None:
        """Put the focus on the current entry."""
        current = self._group.checkedButton() or next(iter(self._buttons.values()), self._settings)
        current.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _step(self, button: RailButton, by: int) -> None:
        buttons = [*self._buttons.values(), self._settings, self._fold]
        buttons[(buttons.index(button) + by) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
