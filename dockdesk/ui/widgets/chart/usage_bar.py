"""What takes up how much of a whole: a stacked bar with its legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import one_line, plain_tip

_BAR = 14
_RADIUS = 5
_SWATCH = 10
_ROW = 20
_SPACE = 20
_LEAST = 3.0
"""The narrowest a part that is not nothing is drawn, in pixels."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the whole; ``freeable`` of it could be freed, which is drawn hatched."""

    name: str
    amount: float
    freeable: float = 0.0


class UsageBar(QWidget):
    """Parts of ``total`` (None: of their sum) side by side, with names and amounts below."""

    def __init__(
        self,
        theme: Theme,
        text: Callable[[float], str] = bytes_text,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = text
        self._parts: Sequence[Part] = ()
        self._total: float | None = None
        self._hovered: int | None = None
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self.update)

    def set_parts(self, parts: Sequence[Part], total: float | None = None) -> None:
        self._parts = [Part(one_line(part.name), part.amount, part.freeable) for part in parts]
        self._total = total
        said = [f"{part.name} {self._text(part.amount)}" for part in self._parts]
        self.setAccessibleName(", ".join(said))
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        places = self._legend_places(width)
        rows = round(places[-1].y() / _ROW) + 1 if places else 0
        return _BAR + (10 + rows * _ROW if rows else 0)

    def sizeHint(self) -> QSize:
        return QSize(360, self.heightForWidth(self.width() if self.width() > 100 else 360))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.heightForWidth(max(120, self.width())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def _entries(self) -> list[tuple[str, str]]:
        """What the legend says: a name and an amount each, and at last what the hatching means."""
        entries = [(part.name, self._text(part.amount)) for part in self._parts]
        freeable = sum(part.freeable for part in self._parts)
        if freeable > 0:
            entries.append(("can be freed", self._text(freeable)))
        return entries

    def _legend_places(self, width: int) -> list[QPointF]:
        """The top left of each legend entry, from the legend's top."""
        metrics = QFontMetricsF(self._theme.font("small", tabular=True))
        places: list[QPointF] = []
        x, y = 0.0, 0.0
        for name, amount in self._entries():
            wide = _SWATCH + 6 + metrics.horizontalAdvance(f"{name}  {amount}")
            if x and x + wide > width:
                x, y = 0.0, y + _ROW
            places.append(QPointF(x, y))
            x += wide + _SPACE
        return places

    def _part_rects(self) -> list[QRectF]:
        whole = self._total if self._total else sum(part.amount for part in self._parts)
        if whole <= 0:
            return [QRectF() for _ in self._parts]
        widths = [part.amount / whole * self.width() for part in self._parts]
        seen = [max(_LEAST, w) if w > 0 else 0.0 for w in widths]
        surplus = sum(seen) - max(sum(widths), 0.0)
        if self._parts and sum(seen) > self.width():
            # The largest gives what the smallest need to be seen.
            largest = seen.index(max(seen))
            seen[largest] = max(_LEAST, seen[largest] - surplus)
        rects: list[QRectF] = []
        x = 0.0
        for width in seen:
            rects.append(QRectF(x, 0, max(0.0, min(width, self.width() - x)), _BAR))
            x += width
        return rects

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(0, 0, self.width(), _BAR), _RADIUS, _RADIUS)
        painter.save()
        painter.setClipPath(outline)
        painter.fillRect(0, 0, self.width(), _BAR, self._theme.colour("neutral_surface"))
        for index, (part, rect) in enumerate(zip(self._parts, self._part_rects(), strict=True)):
            self._paint_part(painter, index, part, rect)
        painter.restore()
        self._paint_legend(painter)

    def _paint_part(self, painter: QPainter, index: int, part: Part, rect: QRectF) -> None:
        if rect.width() <= 0:
            return
        colour = self._theme.series(index)
        painter.setOpacity(1.0 if self._hovered in (None, index) else 0.45)
        painter.fillRect(rect.adjusted(0, 0, -1 if rect.width() > 4 else 0, 0), colour)
        if part.freeable > 0 and part.amount > 0:
            width = rect.width() * min(1.0, part.freeable / part.amount)
            self._hatch(painter, QRectF(rect.right() - width, 0, width, _BAR))
        painter.setOpacity(1.0)

    def _hatch(self, painter: QPainter, rect: QRectF) -> None:
        panel = self._theme.colour("panel", 0.55)
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        painter.setPen(QPen(panel, 2))
        at = rect.left() - rect.height()
        while at < rect.right():
            painter.drawLine(QPointF(at, rect.bottom()), QPointF(at + rect.height(), rect.top()))
            at += 6
        painter.restore()

    def _paint_legend(self, painter: QPainter) -> None:
        font = self._theme.font("small", tabular=True)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        places = self._legend_places(self.width())
        for index, ((name, amount), place) in enumerate(zip(self._entries(), places, strict=True)):
            top = _BAR + 10 + place.y()
            swatch = QRectF(place.x(), top + (_ROW - _SWATCH) / 2, _SWATCH, _SWATCH)
            explains_hatching = index == len(self._parts)
            colour = self._theme.colour("muted") if explains_hatching else self._theme.series(index)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(swatch, 3, 3)
            if explains_hatching:
                self._hatch(painter, swatch)
            baseline = top + (_ROW + metrics.ascent() - metrics.descent()) / 2
            left = place.x() + _SWATCH + 6
            painter.setPen(self._theme.colour("muted"))
            painter.drawText(QPointF(left, baseline), name)
            painter.setPen(self._theme.colour("text"))
            left += metrics.horizontalAdvance(f"{name}  ")
            painter.drawText(QPointF(left, baseline), amount)

    def part_at(self, position: QPointF) -> int | None:
        """The number of the part, in bar or legend, at a place."""
        for index, rect in enumerate(self._part_rects()):
            if rect.contains(position):
                return index
        metrics = QFontMetricsF(self._theme.font("small", tabular=True))
        places = self._legend_places(self.width())[: len(self._parts)]
        for index, ((name, amount), place) in enumerate(zip(self._entries(), places, strict=False)):
            wide = _SWATCH + 6 + metrics.horizontalAdvance(f"{name}  {amount}")
            if QRectF(place.x(), _BAR + 10 + place.y(), wide, _ROW).contains(position):
                return index
        return None

    def tip(self, index: int) -> str:
        """What the tip over a part says, plain text."""
        part = self._parts[index]
        lines = [f"{part.name}: {self._text(part.amount)}"]
        if part.freeable > 0:
            lines.append(f"{self._text(part.freeable)} can be freed")
        return "\n".join(lines)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            index = self.part_at(QPointF(event.pos()))
            if index is not None:
                QToolTip.showText(event.globalPos(), plain_tip(self.tip(index)), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.part_at(event.position()))

    def leaveEvent(self, _event: QEvent) -> None:
        self._hover(None)

    def _hover(self, index: int | None) -> None:
        if index != self._hovered:
            self._hovered = index
            self.update()
