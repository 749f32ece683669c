"""Tabler's outline icons, drawn in the colours of the theme in force.

An icon asks for its colour each time it is painted, so that a change of theme needs no new icons: a repaint is enough.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from dockdesk.ui.theme.data import shipped

_CACHED_PIXMAPS = 1024

ColourOf = Callable[[str, QIcon.Mode], QColor]


class IconSet:
    """Reads the shipped icons and draws them tinted; pixmaps are kept by name, colour and size.

    ``colour_of`` turns a tone and the icon's mode (normal, disabled, selected …) into a colour of the theme in force.
    """

    def __init__(self, colour_of: ColourOf) -> None:
        self._colour_of = colour_of
        self._sources: dict[str, bytes] = {}
        self._pixmaps: OrderedDict[tuple[str, str, int, int], QPixmap] = OrderedDict()

    def icon(self, name: str, tone: str, size: int) -> QIcon:
        """The icon; raises FileNotFoundError for a name that is not shipped, at once rather than when painted."""
        self._source(name)
        return QIcon(_TintedEngine(self, name, tone, size))

    def pixmap(self, name: str, colour: QColor, size: QSize, scale: float) -> QPixmap:
        """The icon as a picture of ``size`` (device-independent pixels times ``scale``).

        In a wide one it stands at the left: the rest is its distance from the words beside it.
        """
        wide, high = max(1, round(size.width() * scale)), max(1, round(size.height() * scale))
        key = (name, colour.name(QColor.NameFormat.HexArgb), wide, high)
        if (kept := self._pixmaps.get(key)) is not None:
            self._pixmaps.move_to_end(key)
            return kept
        made = self._draw(name, colour, wide, high)
        made.setDevicePixelRatio(scale)
        self._pixmaps[key] = made
        if len(self._pixmaps) > _CACHED_PIXMAPS:
            self._pixmaps.popitem(last=False)
        return made

    def colour(self, tone: str, mode: QIcon.Mode) -> QColor:
        return self._colour_of(tone, mode)

    def _draw(self, name: str, colour: QColor, wide: int, high: int) -> QPixmap:
        pixmap = QPixmap(wide, high)
        pixmap.fill(Qt.GlobalColor.transparent)
        source = self._source(name).replace(b"currentColor", colour.name().encode())
        renderer = QSvgRenderer(QByteArray(source))
        side = min(wide, high)
        painter = QPainter(pixmap)
        painter.setOpacity(colour.alphaF())
        renderer.render(painter, QRectF(0, (high - side) / 2, side, side))
        painter.end()
        return pixmap

    def _source(self, name: str) -> bytes:
        if name not in self._sources:
            self._sources[name] = shipped("icons", f"{name}.svg").read_bytes()
        return self._sources[name]


class _TintedEngine(QIconEngine):
    def __init__(self, icons: IconSet, name: str, tone: str, size: int) -> None:
        super().__init__()
        self._icons = icons
        self._name = name
        self._tone = tone
        self._size = size

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        # Not device(): to wrap what it returns costs 6 ms the first time.
        scale = painter.deviceTransform().m11()
        colour = self._icons.colour(self._tone, mode)
        pixmap = self._icons.pixmap(self._name, colour, rect.size(), scale)
        painter.drawPixmap(QPoint(rect.x(), rect.y()), pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, _state: QIcon.State, scale: float
    ) -> QPixmap:
        return self._icons.pixmap(self._name, self._icons.colour(self._tone, mode), size, scale)

    def actualSize(self, size: QSize, _mode: QIcon.Mode, _state: QIcon.State) -> QSize:
        return size

    def availableSizes(self, _mode: QIcon.Mode = ..., _state: QIcon.State = ...) -> list[QSize]:  # type: ignore[assignment]
        return [QSize(self._size, self._size)]

    def isNull(self) -> bool:
        return False

    def key(self) -> str:
        return "dockdesk-tabler"

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._icons, self._name, self._tone, self._size)
