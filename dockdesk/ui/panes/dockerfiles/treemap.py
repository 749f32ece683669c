"""The context at one glance: a tile for each of its entries, as large as what lies in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFontMetricsF,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.theme.palette import mix
from dockdesk.ui.widgets.plain import one_line, plain_tip

_HEIGHT = 92
_GAP = 2.0
_LEAST = 0.004  # of the whole; smaller ones share one tile


@dataclass(frozen=True, slots=True)
class Tile:
    """``sent`` and ``left`` are bytes; ``entry`` is what a click chooses, 0 for several together."""

    entry: int
    name: str
    detail: str
    sent: int
    left: int

    @property
    def size(self) -> int:
        return self.sent + self.left


def together(tiles: Sequence[Tile]) -> list[Tile]:
    """The biggest first, those too small to be seen as one."""
    whole = sum(tile.size for tile in tiles)
    large = [tile for tile in tiles if tile.size > whole * _LEAST]
    small = [tile for tile in tiles if 0 < tile.size <= whole * _LEAST]
    if small:
        sent, left = sum(t.sent for t in small), sum(t.left for t in small)
        large.append(Tile(0, f"{len(small):,} more", "", sent, left))
    return sorted(large, key=lambda tile: -tile.size)


def squarified(sizes: Sequence[float], area: QRectF) -> Iterator[QRectF]:
    """Rectangles in ``area`` for sizes that fall, none thinner than need be.

    Bruls, Huizing, van Wijk, “Squarified Treemaps”, 2000.
    """
    rest = QRectF(area)
    left = sum(sizes)
    at = 0
    while at < len(sizes) and left > 0:
        side = min(rest.width(), rest.height())
        scale = rest.width() * rest.height() / left
        row = [sizes[at] * scale]
        while at + len(row) < len(sizes):
            longer = [*row, sizes[at + len(row)] * scale]
            if _worst(longer, side) > _worst(row, side):
                break
            row = longer
        yield from _placed(row, rest)
        left -= sum(sizes[at : at + len(row)])
        at += len(row)


def _worst(row: Sequence[float], side: float) -> float:
    total = sum(row)
    if not total or not side:
        return float("inf")
    return max(side * side * max(row) / total**2, total**2 / (side * side * min(row)))


def _placed(row: Sequence[float], rest: QRectF) -> Iterator[QRectF]:
    """A row along the shorter side of ``rest``, which becomes what is left of it."""
    total = sum(row)
    if rest.width() >= rest.height():
        width = total / rest.height() if rest.height() else 0.0
        y = rest.top()
        for size in row:
            height = size / width if width else 0.0
            yield QRectF(rest.left(), y, width, height)
            y += height
        rest.setLeft(rest.left() + width)
    else:
        height = total / rest.width() if rest.width() else 0.0
        x = rest.left()
        for size in row:
            width = size / height if height else 0.0
            yield QRectF(x, rest.top(), width, height)
            x += width
        rest.setTop(rest.top() + height)


class Treemap(QWidget):
    """``chosen`` carries the entry of the tile that was clicked. What is left out is hatched."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tiles: list[Tile] = []
        self._places: list[QRectF] = []
        self._hovered = -1
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Sizes in the build context")
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        self._tiles = together(tiles)
        self._places = []
        self.setVisible(bool(self._tiles))
        self.update()

    def tiles(self) -> Sequence[tuple[Tile, QRectF]]:
        """What is shown, and where."""
        if len(self._places) != len(self._tiles):
            sizes = [float(tile.size) for tile in self._tiles]
            self._places = list(squarified(sizes, QRectF(self.rect())))
        return list(zip(self._tiles, self._places, strict=True))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self._theme.font("small")
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        for number, (tile, place) in enumerate(self.tiles()):
            self._paint(painter, metrics, tile, place, number == self._hovered)
        painter.end()

    def _paint(
        self,
        painter: QPainter,
        metrics: QFontMetricsF,
        tile: Tile,
        place: QRectF,
        hovered: bool,
    ) -> None:
        inner = place.adjusted(_GAP / 2, _GAP / 2, -_GAP / 2, -_GAP / 2)
        if inner.width() < 1 or inner.height() < 1:
            return
        panel = QColor(self._theme.colour("panel"))
        accent = mix(panel, self._theme.colour("accent"), 0.34 if hovered else 0.22)
        quiet = mix(panel, self._theme.colour("muted"), 0.22 if hovered else 0.12)
        radius = min(4.0, inner.width() / 2, inner.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(accent if tile.sent else quiet)
        painter.drawRoundedRect(inner, radius, radius)
        if tile.left:
            part = QRectF(inner)
            if tile.sent:
                part.setLeft(inner.right() - inner.width() * tile.left / tile.size)
                painter.setBrush(quiet)
                painter.drawRoundedRect(part, radius, radius)
            painter.setBrush(QBrush(self._theme.colour("muted", 0.28), Qt.BrushStyle.BDiagPattern))
            painter.drawRoundedRect(part, radius, radius)
        words = inner.adjusted(6, 3, -6, -3)
        if words.width() < 28 or words.height() < metrics.height():
            return
        painter.setPen(self._theme.colour("text" if tile.sent else "muted"))
        top = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        name = one_line(tile.name, 100)
        painter.drawText(
            words, top, metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, words.width())
        )
        if words.height() > 2 * metrics.height():
            words.setTop(words.top() + metrics.height())
            painter.setPen(self._theme.colour("muted"))
            shown = metrics.elidedText(tile.detail, Qt.TextElideMode.ElideRight, words.width())
            painter.drawText(words, top, shown)

    def resizeEvent(self, event: object) -> None:
        self._places = []
        super().resizeEvent(event)  # type: ignore[arg-type]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position())
        if at >= 0 and self._tiles[at].entry:
            self.chosen.emit(self._tiles[at].entry)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self._at(QPointF(event.pos()))
            tile = self._tiles[at] if at >= 0 else None
            text = "\n".join(t for t in (tile.name, tile.detail) if t) if tile else ""
            QToolTip.showText(event.globalPos(), plain_tip(text), self)
            return True
        return super().event(event)

    def _at(self, spot: QPointF) -> int:
        for number, (_tile, place) in enumerate(self.tiles()):
            if place.contains(spot):
                return number
        return -1

    def _hover(self, number: int) -> None:
        if number != self._hovered:
            self._hovered = number
            clickable = number >= 0 and bool(self._tiles[number].entry)
            self.setCursor(
                Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor
            )
            self.update()
