"""The surface of a time chart. The picture is kept until something in it changes; the crosshair is drawn over it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart.layers import ChartPainter
from dockdesk.ui.widgets.chart.lines import Frame
from dockdesk.ui.widgets.chart.model import ChartModel
from dockdesk.ui.widgets.chart.range import TimeRange
from dockdesk.ui.widgets.chart.readout import paint_reading, read, reading_text
from dockdesk.ui.widgets.chart.units import Unit

_ZOOM_STEP = 1.25
_SLIDE_MS = 1800
_QUIET_S = 1.5
_turns = itertools.count()
_KEY_SHARE = 0.1


class ChartCanvas(QWidget):
    """Paints and lets the user look around: drag to pan, Ctrl+wheel (or the wheel, with focus) to zoom."""

    moved = Signal()  # the user zoomed, panned or went back

    def __init__(
        self, theme: Theme, model: ChartModel, range: TimeRange, unit: Unit, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
        self._range = range
        self._painter = ChartPainter(theme, model, unit)
        self._picture: QPixmap | None = None
        self._frame: Frame | None = None
        self._hover: float | None = None
        self._print_scale = 0.0
        self._painted = 0.0
        self._grabbed: QPointF | None = None
        self._slide = QTimer(self)
        # Not all charts of a page at once.
        self._slide.setInterval(_SLIDE_MS + next(_turns) % 16 * 30)
        self._slide.timeout.connect(self._on_slide)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.changed.connect(self.refresh)

    @property
    def painter_of_chart(self) -> ChartPainter:
        return self._painter

    def sizeHint(self) -> QSize:
        return QSize(480, 200)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 90)

    def refresh(self) -> None:
        """Paint anew: the data, the range or the look has changed."""
        self._picture = None
        self.update()

    @contextmanager
    def printed(self, scale: float) -> Iterator[None]:
        """Inside, it paints for a picture: at ``scale`` pixels a unit, without crosshair and focus."""
        self._print_scale, hover, self._hover = scale, self._hover, None
        self._picture = None
        try:
            yield
        finally:
            self._print_scale, self._hover, self._picture = 0.0, hover, None

    # --- Painting ---

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._picture is None:
            self._picture = self._make_picture()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self._frame is not None and self._hover is not None:
            reading = read(self._model, self._frame, self._hover)
            paint_reading(
                painter, self._theme, self._frame, reading, self._painter.unit, self.width()
            )
        if self.hasFocus() and not self._print_scale:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 6, 6)

    def _make_picture(self) -> QPixmap:
        scale = self._print_scale or self.devicePixelRatioF()
        picture = QPixmap(round(self.width() * scale), round(self.height() * scale))
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        self._painted = time.monotonic()
        start, end = self._range.current()
        self._frame, ticks = self._painter.lay_out(self.width(), self.height(), start, end)
        painter = QPainter(picture)
        self._painter.paint(painter, self._frame, ticks)
        if self._model.last_time() is None:
            painter.setFont(self._theme.font("body"))
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(self._frame.plot, Qt.AlignmentFlag.AlignCenter, "No samples yet")
        painter.end()
        return picture

    def reading(self) -> str:
        """What is under the crosshair, in words; empty without one."""
        if self._frame is None or self._hover is None:
            return ""
        found = read(self._model, self._frame, self._hover)
        return reading_text(found, self._painter.unit, self._frame.span)

    # --- Time goes by ---

    def _on_slide(self) -> None:
        quiet = time.monotonic() - self._painted > _QUIET_S
        if quiet and self._range.live and self._model.last_time() is not None:
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self._slide.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._slide.stop()
        self._picture = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._picture = None

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.refresh()

    # --- Looking around ---

    def _set_hover(self, x: float | None) -> None:
        if x is not None and self._frame is not None:
            x = min(max(x, self._frame.plot.left()), self._frame.plot.right())
        if x != self._hover:
            self._hover = x
            self.update()

    def _zoom(self, factor: float, x: float | None = None) -> None:
        if self._frame is None:
            return
        around = self._frame.time(x if x is not None else self._frame.plot.center().x())
        self._range.zoom(factor, around)
        self._changed_view()

    def _changed_view(self) -> None:
        self.refresh()
        self.moved.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is None or self._frame is None:
            self._set_hover(event.position().x())
            return
        across = self._grabbed.x() - event.position().x()
        if abs(across) >= 1:
            self._grabbed = event.position()
            self._range.pan(across / self._frame.plot.width() * self._frame.span)
            self._changed_view()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._grabbed = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._range.reset()
        self._changed_view()

    def leaveEvent(self, _event: QEvent) -> None:
        self._set_hover(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # Without Ctrl or focus the wheel belongs to the page around the chart.
        if not (event.modifiers() & Qt.KeyboardModifier.ControlModifier or self.hasFocus()):
            event.ignore()
            return
        steps = event.angleDelta().y() / 120
        if steps:
            self._zoom(_ZOOM_STEP**-steps, event.position().x())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom(1 / _ZOOM_STEP, self._hover)
        elif key == Qt.Key.Key_Minus:
            self._zoom(_ZOOM_STEP, self._hover)
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self._range.reset()
            self._changed_view()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._on_arrow(
                1 if key == Qt.Key.Key_Right else -1,
                bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier),
            )
        else:
            super().keyPressEvent(event)

    def _on_arrow(self, direction: int, pan: bool) -> None:
        """Move the crosshair, or with Shift the time."""
        if self._frame is None:
            return
        if pan:
            self._range.pan(direction * _KEY_SHARE * self._frame.span)
            self._changed_view()
            return
        start = self._hover if self._hover is not None else self._frame.plot.center().x()
        self._set_hover(start + direction * max(2.0, self._frame.plot.width() / 100))
        self.setAccessibleDescription(self.reading())

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
