"""All keys on one sheet, made from the declarations: it can't be out of date."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.shell.keys import KeyGroup
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll

_ROW = 28
_HEADING = 38
_COLUMN = 340


def filtered(groups: Sequence[KeyGroup], text: str) -> list[KeyGroup]:
    """Those lines whose title, group or keys hold ``text``; groups without lines are left out."""
    wanted = text.casefold().strip()
    found = []
    for group in groups:
        if wanted and wanted in group.title.casefold():
            found.append(group)
            continue
        lines = tuple(
            line
            for line in group.lines
            if wanted in line.title.casefold() or any(wanted in key.casefold() for key in line.keys)
        )
        if lines:
            found.append(KeyGroup(group.title, lines))
    return found


class _Sheet(QWidget):
    """Groups in as many columns as fit."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._groups: Sequence[KeyGroup] = ()
        theme.changed.connect(self.update)

    def set_groups(self, groups: Sequence[KeyGroup]) -> None:
        self._groups = groups
        self.setAccessibleDescription(
            "; ".join(
                f"{line.title}: {' or '.join(line.keys)}"
                for group in groups
                for line in group.lines
            )
        )
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max((bottom for *_rest, bottom in self._laid_out(width)), default=0) + 12

    def sizeHint(self) -> QSize:
        return QSize(2 * _COLUMN + 24, self.heightForWidth(2 * _COLUMN + 24))

    def _laid_out(self, width: int) -> list[tuple[KeyGroup, int, int, int]]:
        """Group, left, top and bottom: each goes to the shortest column."""
        columns = [0] * max(1, width // _COLUMN)
        placed = []
        for group in self._groups:
            at = columns.index(min(columns))
            top = columns[at]
            bottom = top + _HEADING + _ROW * len(group.lines)
            columns[at] = bottom + 8
            placed.append((group, at * (width // len(columns)), top, bottom))
        return placed

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.width() // max(1, self.width() // _COLUMN) - 20
        left_middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        for group, left, top, _bottom in self._laid_out(self.width()):
            painter.setFont(theme.font("strong"))
            painter.setPen(theme.colour("muted"))
            painter.drawText(QRect(left, top, width, _HEADING), left_middle, group.title)
            for number, line in enumerate(group.lines):
                row = QRect(left, top + _HEADING + number * _ROW, width, _ROW)
                painter.setFont(theme.font("body"))
                painter.setPen(theme.colour("text"))
                painter.drawText(row, left_middle, line.title)
                self._paint_keys(painter, row, line.keys)

    def _paint_keys(self, painter: QPainter, row: QRect, keys: Sequence[str]) -> None:
        theme = self._theme
        metrics = QFontMetrics(theme.font("small"))
        painter.setFont(theme.font("small"))
        right = row.right()
        for key in reversed(keys):
            width = metrics.horizontalAdvance(key) + 14
            box = QRect(right - width, row.center().y() - 10, width, 21)
            painter.setPen(theme.colour("control_line"))
            painter.setBrush(theme.colour("raised"))
            painter.drawRoundedRect(box, 5, 5)
            painter.setPen(theme.colour("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, key)
            right -= width + 6


class ShortcutSheet(QDialog):
    """Type to narrow it down."""

    def __init__(self, theme: Theme, groups: Sequence[KeyGroup], parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self._groups = groups
        self._field = QLineEdit()
        self._field.setPlaceholderText("Filter by action or key")
        self._field.setAccessibleName("Filter shortcuts")
        self._field.setClearButtonEnabled(True)
        self._sheet = _Sheet(theme)
        area = ContentScroll(self._sheet)
        area.setMinimumWidth(2 * _COLUMN + 40)
        self._nothing = PlainLabel(theme, "No shortcut fits.", tone="muted")
        self._nothing.hide()
        close = Button(theme, "Close")
        close.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        for widget in (self._field, self._nothing, area):
            column.addWidget(widget)
        column.addLayout(row)
        self.resize(2 * _COLUMN + 84, 620)
        self._field.textChanged.connect(self._on_text_changed)
        self._on_text_changed("")
        self._field.setFocus()

    def _on_text_changed(self, text: str) -> None:
        found = filtered(self._groups, text)
        self._nothing.setVisible(not found)
        self._sheet.set_groups(found)
