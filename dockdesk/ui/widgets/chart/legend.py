"""Which line is which: its stroke, name and newest value; a click hides or shows it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart.model import ChartModel, Line
from dockdesk.ui.widgets.chart.readout import paint_swatch
from dockdesk.ui.widgets.chart.units import Unit, value_text

_SWATCH, _PAD, _SPACE = 16, 5, 8
_HEIGHT = 22
_LONGEST = 200


class _Entry(QAbstractButton):
    """One line's button."""

    def __init__(self, theme: Theme, line: Line, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._line = line
        self.value = ""
        self._hovered = False
        self.setCheckable(True)
        self.setChecked(line.visible)
        self.setText(line.name)
        self.setAccessibleName(line.name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def _shown_name(self) -> str:
        metrics = QFontMetricsF(self._theme.font("small"))
        return metrics.elidedText(self._line.name, Qt.TextElideMode.ElideMiddle, _LONGEST)

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._theme.font("small", tabular=True))
        width = 2 * _PAD + _SWATCH + 6 + metrics.horizontalAdvance(self._shown_name())
        if self.value:
            # Room for the figures that come, so that entries don't jump about.
            width += 6 + max(
                metrics.horizontalAdvance(self.value), metrics.horizontalAdvance("0000 %")
            )
        return QSize(round(width) + 1, _HEIGHT)

    def enterEvent(self, _event: QEnterEvent) -> None:
        self._hovered = True
        self.update()

    def leaveEvent(self, _event: object) -> None:
        self._hovered = False
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self.rect().adjusted(1, 1, -1, -1)
        if self._hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("hover"))
            painter.drawRoundedRect(rect, 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect, 5, 5)
        painter.setOpacity(1.0 if self.isChecked() else 0.4)
        paint_swatch(painter, self._theme, self._line, _PAD, self.height() / 2)
        font = self._theme.font("small", tabular=True)
        font.setStrikeOut(not self.isChecked())
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        baseline = (self.height() + metrics.ascent() - metrics.descent()) / 2
        name = self._shown_name()
        left = _PAD + _SWATCH + 6
        painter.setPen(self._theme.colour("muted"))
        painter.drawText(QPointF(left, baseline), name)
        if self.value and self.isChecked():
            painter.setPen(self._theme.colour("text"))
            painter.drawText(
                QPointF(left + metrics.horizontalAdvance(name) + 6, baseline), self.value
            )


class Legend(QWidget):
    """The entries side by side, in as many rows as they need."""

    toggled = Signal()

    def __init__(self, theme: Theme, model: ChartModel, unit: Unit, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
        self._unit = unit
        self._entries: dict[str, _Entry] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    def sync(self) -> None:
        """Have an entry for every line, in their order; none for a single line."""
        wanted = self._model.lines if len(self._model.lines) > 1 else {}
        for key in set(self._entries) - set(wanted):
            self._entries.pop(key).deleteLater()
        for key, line in wanted.items():
            if key in self._entries:
                self._entries[key].setAccessibleName(line.name)
            else:
                entry = _Entry(self._theme, line, self)
                entry.toggled.connect(lambda shown, key=key: self._on_toggled(key, shown))
                self._entries[key] = entry
                entry.show()
        self._entries = {key: self._entries[key] for key in wanted}
        self.setVisible(bool(self._entries))
        self.show_values()
        self._place()

    def show_values(self) -> None:
        """Write the newest values."""
        moved = False
        for key, entry in self._entries.items():
            newest = self._model.lines[key].samples.last_value
            value = "" if newest is None else value_text(newest, self._unit)
            if value != entry.value:
                before = entry.sizeHint()
                entry.value = value
                moved = moved or entry.sizeHint() != before
                entry.update()
        if moved:
            self._place()

    def _place(self) -> None:
        x, y = 0, 0
        for entry in self._entries.values():
            size = entry.sizeHint()
            if x and x + size.width() > self.width():
                x, y = 0, y + _HEIGHT
            entry.setGeometry(x, y, min(size.width(), max(1, self.width())), _HEIGHT)
            x += size.width() + _SPACE
        self.setFixedHeight(y + _HEIGHT if self._entries else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _on_toggled(self, key: str, shown: bool) -> None:
        self._model.lines[key].visible = shown
        self.toggled.emit()

    def _on_theme_changed(self) -> None:
        self._place()
        self.update()
