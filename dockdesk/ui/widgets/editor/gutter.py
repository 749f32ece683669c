"""Beside the text: cells of the owner's, a bulb where something can be mended, and line numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor.language import MarginCell
from dockdesk.ui.widgets.plain import plain_tip

if TYPE_CHECKING:
    from dockdesk.ui.widgets.editor.editor import CodeEditor

_GAP = 12
_BULB = 14
_EDGE = 8
_DIGITS = 3


class Gutter(QWidget):
    """Painted line by line for what is seen. ``bulb_pressed`` and ``line_pressed`` carry a line."""

    bulb_pressed = Signal(int)
    line_pressed = Signal(int)
    cell_pressed = Signal(int)

    def __init__(self, theme: Theme, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._theme = theme
        self._editor = editor
        self._cells: dict[int, tuple[MarginCell, ...]] = {}
        self._widths: list[int] = []
        self._bulb = -1
        self._press = -1
        theme.changed.connect(self.update)

    def set_cells(self, cells: Mapping[int, Sequence[MarginCell]]) -> None:
        """Line → its cells, left to right; a line without any is left out."""
        self._cells = {line: tuple(row) for line, row in cells.items() if row}
        self.measure()

    def shift(self, line: int, by: int) -> None:
        """Lines after ``line`` have moved: their cells go with them."""
        if by and self._cells:
            moved = {}
            for at, row in self._cells.items():
                if at <= line:
                    moved[at] = row
                elif at + by > line:
                    moved[at + by] = row
            self._cells = moved

    def cells(self, line: int) -> tuple[MarginCell, ...]:
        return self._cells.get(line, ())

    def set_bulb(self, line: int) -> None:
        """Where the bulb stands; -1 for nowhere."""
        if line != self._bulb:
            self._bulb = line
            self.update()

    @property
    def bulb(self) -> int:
        return self._bulb

    def measure(self) -> None:
        """Work out the widths anew: after other cells, or another font."""
        metrics = QFontMetrics(self._small())
        columns = max((len(row) for row in self._cells.values()), default=0)
        self._widths = [
            max(
                metrics.horizontalAdvance(row[n].text)
                for row in self._cells.values()
                if n < len(row)
            )
            for n in range(columns)
        ]
        self._editor.fit_gutter()
        self.update()

    def wanted_width(self) -> int:
        return self._numbers_left() + self._number_width() + _EDGE + 4

    def sizeHint(self) -> QSize:
        return QSize(self.wanted_width(), 0)

    def _numbers_left(self) -> int:
        return _EDGE + sum(width + _GAP for width in self._widths) + _BULB + 4

    def _number_width(self) -> int:
        digits = max(_DIGITS, len(str(self._editor.blockCount())))
        return self._editor.fontMetrics().horizontalAdvance("9") * digits

    def _small(self) -> QFont:
        font = QFont(self._editor.font())
        font.setPixelSize(max(8, font.pixelSize() - 2))
        return font

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, editor = self._theme, self._editor
        painter = QPainter(self)
        painter.fillRect(event.rect(), theme.colour("panel"))
        current = editor.textCursor().blockNumber()
        tones = editor.mark_tones()
        small, usual = self._small(), editor.font()
        numbers, width = self._numbers_left(), self._number_width()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for line, top, height in editor.visible_lines():
            row = QRect(0, top, self.width(), height)
            if line == current:
                painter.fillRect(row, theme.colour("hover"))
            if row_cells := self._cells.get(line):
                painter.setFont(small)
                left = _EDGE
                for cell, wide in zip(row_cells, self._widths, strict=False):
                    painter.setPen(theme.tone(cell.tone))
                    painter.drawText(QRect(left, top, wide, height), right, cell.text)
                    left += wide + _GAP
            if line == self._bulb:
                bulb = theme.pixmap("bulb", "warn", _BULB, self.devicePixelRatioF())
                painter.drawPixmap(QPoint(numbers - _BULB - 4, top + (height - _BULB) // 2), bulb)
            painter.setFont(usual)
            tone = tones.get(line)
            if tone is not None:
                painter.setPen(theme.tone(tone))
            else:
                painter.setPen(theme.colour("text" if line == current else "muted"))
            painter.drawText(QRect(numbers, top, width, height), right, str(line + 1))
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain_tip(self.tip_at(event.pos())), self)
            return True
        return super().event(event)

    def tip_at(self, position: QPoint) -> str:
        """What the cell under a position says beside its text."""
        left = _EDGE
        for cell, wide in zip(self.cells(self._line_at(position)), self._widths, strict=False):
            if left - _GAP // 2 <= position.x() < left + wide + _GAP // 2:
                return cell.tip
            left += wide + _GAP
        return ""

    def _line_at(self, position: QPoint) -> int:
        for line, top, height in self._editor.visible_lines():
            if top <= position.y() < top + height:
                return line
        return -1

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position().toPoint()
        if event.button() != Qt.MouseButton.LeftButton or (line := self._line_at(place)) < 0:
            return
        numbers = self._numbers_left()
        if line == self._bulb and numbers - _BULB - 8 <= place.x() < numbers:
            self.bulb_pressed.emit(line)
        elif place.x() < numbers - _BULB - 4 and self.cells(line):
            self.cell_pressed.emit(line)
        else:
            self._press = line
            self.line_pressed.emit(line)
