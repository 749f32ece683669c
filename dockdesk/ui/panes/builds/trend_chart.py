"""Builds of a project side by side, a column each: how long, how much from the cache, how large.

Builds come in bursts with days between them, so they stand evenly and not on an axis of time; when each was is told
where one points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from dockdesk.core.builds.trend import TrendPoint
from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.ui.panes.builds.columns import OUTCOMES, cached_text, seconds_text
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import plain_tip

_LEFT, _RIGHT, _TOP, _FOOT = 16, 16, 8, 24
_HEAD = 22  # above each band, for its title
_GAP = 10
_WIDEST, _NARROWEST = 26.0, 3.0
_MOST = 400  # columns; older builds are left out


@dataclass(frozen=True, slots=True)
class _Band:
    title: str
    value: Callable[[TrendPoint], float | None]
    text: Callable[[float], str]
    fixed: float | None = None


_BANDS = (
    _Band("Duration", lambda p: p.seconds, seconds_text),
    _Band("From the cache", lambda p: p.cached, cached_text, 1.0),
    _Band("Image size", lambda p: None if p.size is None else float(p.size), bytes_text),
)


class TrendChart(QWidget):
    """``chosen`` carries the id of a build that was clicked, or gone to with the arrow keys."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._points: tuple[TrendPoint, ...] = ()
        self._current = 0
        self._hovered = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(150)
        self.setAccessibleName("Builds over time")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(480, 260)

    @property
    def points(self) -> Sequence[TrendPoint]:
        return self._points

    def set_points(self, points: Sequence[TrendPoint], current: int) -> None:
        """Show ``points``, oldest first; ``current`` is the id of the build that is looked at."""
        self._points = tuple(points[-_MOST:])
        self._current = current
        self._hovered = -1
        self.update()

    # Places.

    def column(self, index: int) -> QRectF:
        """Where a build's column is, from top to bottom."""
        width = self._step()
        return QRectF(_LEFT + index * width, _TOP, width, self.height() - _TOP - _FOOT)

    def index_at(self, x: float) -> int:
        """The build at a place; -1 for none."""
        index = int((x - _LEFT) // self._step()) if self._points and x >= _LEFT else -1
        return index if 0 <= index < len(self._points) else -1

    def _step(self) -> float:
        room = max(1.0, self.width() - _LEFT - _RIGHT)
        return min(_WIDEST, room / max(1, len(self._points)))

    def _bands(self) -> list[tuple[_Band, QRectF]]:
        shown = [band for band in _BANDS if any(band.value(p) is not None for p in self._points)]
        room = self.height() - _TOP - _FOOT - (_HEAD + _GAP) * len(shown) + _GAP
        height = max(8.0, room / max(1, len(shown)))
        top = float(_TOP)
        found = []
        for band in shown:
            top += _HEAD
            found.append((band, QRectF(_LEFT, top, self.width() - _LEFT - _RIGHT, height)))
            top += height + _GAP
        return found

    # Paint.

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint_marked(painter)
        for band, area in self._bands():
            self._paint_band(painter, band, area)
        self._paint_times(painter)
        painter.end()

    def _paint_marked(self, painter: QPainter) -> None:
        for index, point in enumerate(self._points):
            if point.id == self._current:
                painter.fillRect(self.column(index), self._theme.colour("accent_surface"))
            elif index == self._hovered:
                painter.fillRect(self.column(index), self._theme.colour("hover"))

    def _paint_band(self, painter: QPainter, band: _Band, area: QRectF) -> None:
        theme = self._theme
        values = [band.value(point) for point in self._points]
        highest = band.fixed or max((v for v in values if v is not None), default=0.0) or 1.0
        painter.setFont(theme.font("small", tabular=True))
        title = QRectF(area.left(), area.top() - _HEAD, area.width(), _HEAD - 4)
        align = Qt.AlignmentFlag.AlignBottom
        painter.setPen(theme.colour("text"))
        painter.drawText(title, int(align | Qt.AlignmentFlag.AlignLeft), band.title)
        painter.setPen(theme.colour("muted"))
        told = self._told(band, highest)
        painter.drawText(title, int(align | Qt.AlignmentFlag.AlignRight), told)
        painter.setPen(QPen(theme.colour("line"), 1))
        for y in (area.top(), area.bottom()):
            painter.drawLine(
                QPointF(area.left(), round(y) + 0.5), QPointF(area.right(), round(y) + 0.5)
            )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        step = self._step()
        width = max(1.0, min(step - 2.0, _WIDEST - 8.0) if step > _NARROWEST else step)
        for index, (point, value) in enumerate(zip(self._points, values, strict=True)):
            if value is None:
                continue
            height = max(1.5, area.height() * value / highest)
            left = _LEFT + index * step + (step - width) / 2
            bar = QRectF(left, area.bottom() - height, width, height)
            painter.setBrush(self._colour(band, point))
            radius = min(2.0, width / 2)
            painter.drawRoundedRect(bar, radius, radius)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _told(self, band: _Band, highest: float) -> str:
        """The value of the build that is pointed at, else of the one that is looked at, and the top of the scale."""
        index = self._hovered
        if index < 0:
            index = next((n for n, p in enumerate(self._points) if p.id == self._current), -1)
        value = band.value(self._points[index]) if index >= 0 else None
        top = f"scale to {band.text(highest)}"
        return f"{band.text(value)}   {top}" if value is not None else top

    def _colour(self, band: _Band, point: TrendPoint) -> QColor:
        if band is not _BANDS[0]:
            return self._theme.tone("info" if band is _BANDS[1] else "muted")
        tone: Tone = {"failed": "bad", "cancelled": "muted"}.get(point.outcome, "accent")  # type: ignore[assignment]
        return self._theme.tone(tone)

    def _paint_times(self, painter: QPainter) -> None:
        """The first and the last day, at the foot."""
        if not self._points:
            return
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("muted"))
        foot = QRectF(_LEFT, self.height() - _FOOT + 4, self.width() - _LEFT - _RIGHT, _FOOT - 6)
        first, last = (_day(self._points[n].at) for n in (0, -1))
        count = len(self._points)
        text = f"{count} build{'s' if count > 1 else ''}, {first}"
        painter.drawText(
            foot,
            int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter),
            text if first == last else f"{text} to {last}",
        )

    # Pointer and keys.

    def tip_of(self, point: TrendPoint) -> str:
        word = OUTCOMES.get(point.outcome, (point.outcome, ""))[0]
        lines = [
            datetime.fromtimestamp(point.at).strftime("%Y-%m-%d %H:%M:%S"),
            f"{word} in {seconds_text(point.seconds)}",
        ]
        if point.cached is not None:
            lines.append(f"{cached_text(point.cached)} from the cache")
        if point.size is not None:
            lines.append(bytes_text(point.size))
        return "\n".join(lines)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.index_at(event.pos().x())
            text = plain_tip(self.tip_of(self._points[index])) if index >= 0 else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().x())
        if index != self._hovered:
            self._hovered = index
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor
            )
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.index_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and index >= 0:
            self.chosen.emit(self._points[index].id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        here = next((n for n, p in enumerate(self._points) if p.id == self._current), -1)
        if step and 0 <= here + step < len(self._points) and here >= 0:
            self.chosen.emit(self._points[here + step].id)
            return
        super().keyPressEvent(event)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d")
