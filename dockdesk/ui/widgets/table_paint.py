"""How cells of a table look. Painted by hand: a style's item painting costs several times as much a cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from dockdesk.core.columns import CellKind, Column, Link, Tone
from dockdesk.core.records import dataclass
from dockdesk.models.arrangement import Group
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import one_line
from dockdesk.ui.widgets.table_spark import Sparks

FontName = Literal["body", "strong", "mono", "figures", "small"]

PAD = 12
_NOTHING = "—"
_CACHED = 8192
_LONGEST = 400  # characters of a text that are looked at; no cell is wide enough for more
_PILL_HEIGHT = 22
_DOT = 6
_PILL_ENDS = 24  # left of the dot, between dot and word, right of the word
_BAR_HEIGHT = 6
_CHEVRON = 4
GROUP_TEXT_AT = 34  # where a header's title begins, right of its chevron


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a cell is, in the viewport."""

    x: int
    y: int
    width: int
    height: int

    @property
    def inner(self) -> QRectF:
        return QRectF(self.x + PAD, self.y, max(0, self.width - 2 * PAD), self.height)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a cell with links: its text, from ``x`` on, and what it opens."""

    text: str
    x: float
    width: float
    link: Link | None


class CellPainter:
    """Fonts, colours and fitted texts of the theme in force, and the painting done with them."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._fonts: dict[FontName, QFont] = {}
        self._metrics: dict[FontName, QFontMetricsF] = {}
        self._baselines: dict[FontName, float] = {}
        self._fitted: dict[tuple[FontName, str, int], tuple[str, float]] = {}
        self._colours: dict[str, QColor] = {}
        self.sparks = Sparks()
        self.refresh()

    def refresh(self) -> None:
        """Take over a theme that changed."""
        theme = self._theme
        self._fonts = {
            "body": theme.font("body"),
            "strong": theme.font("strong"),
            "mono": theme.font("mono"),
            "figures": theme.font("body", tabular=True),
            "small": theme.font("small"),
        }
        self._metrics = {name: QFontMetricsF(font) for name, font in self._fonts.items()}
        self._baselines = {
            name: (metrics.ascent() - metrics.descent()) / 2
            for name, metrics in self._metrics.items()
        }
        self._fitted.clear()
        self._colours.clear()
        self.sparks.forget()

    @property
    def row_height(self) -> int:
        """34 px, or more where the user has chosen a large font."""
        return max(34, math.ceil(self._metrics["body"].height()) + 15)

    @property
    def size(self) -> float:
        """How large text is, as a part of the usual size."""
        return self._fonts["body"].pixelSize() / 13

    def colour(self, token: str) -> QColor:
        found = self._colours.get(token)
        if found is None:
            found = self._colours[token] = self._theme.colour(token)
        return found

    def tone(self, tone: Tone) -> QColor:
        return self.colour("text" if tone == "neutral" else tone)

    def surface(self, tone: Tone) -> QColor:
        key = f"surface {tone}"
        found = self._colours.get(key)
        if found is None:
            found = self._colours[key] = self._theme.surface(tone)
        return found

    def fit(self, font: FontName, text: str, width: float) -> tuple[str, float]:
        """``text`` on one line, elided to ``width``, and how wide it is then."""
        key = (font, text, int(width))
        found = self._fitted.get(key)
        if found is None:
            metrics = self._metrics[font]
            line = one_line(text, _LONGEST)
            advance = metrics.horizontalAdvance(line)
            if advance > width:
                line = metrics.elidedText(line, Qt.TextElideMode.ElideRight, width)
                advance = metrics.horizontalAdvance(line)
            if len(self._fitted) >= _CACHED:
                self._fitted.clear()
            found = self._fitted[key] = (line, advance)
        return found

    def needed(self, column: Column[Any], row: Any) -> float:
        """The width that a cell needs to show all it has."""
        text = one_line(column.text(row), _LONGEST)
        width = self._metrics[self._font_of(column)].horizontalAdvance(text) + 2 * PAD
        extra = {
            CellKind.PILL: _PILL_ENDS + _DOT - PAD + 2,
            CellKind.SPARK: 80,
            CellKind.BAR: 80,
        }
        return width + extra.get(column.kind, 0)

    def elided(self, column: Column[Any], row: Any, width: int) -> bool:
        """Whether a cell of this width does not show all it has."""
        return self.needed(column, row) > width + 0.5

    def _font_of(self, column: Column[Any]) -> FontName:
        fonts: dict[CellKind, FontName] = {
            CellKind.STRONG: "strong",
            CellKind.MONO: "mono",
            CellKind.NUMBER: "figures",
            CellKind.SPARK: "figures",
            CellKind.BAR: "figures",
        }
        return fonts.get(column.kind, "body")

    # Columns.

    def paint_column(
        self,
        painter: QPainter,
        column: Column[Any],
        cells: Sequence[tuple[Any, Cell]],
        hovered: tuple[Any, Link | None] = (None, None),
    ) -> None:
        """Paint a column's cells; one column at a time, since changing the font costs more than some letters.

        ``hovered`` is the row and the link in it that the mouse is over.
        """
        painter.setFont(self._fonts[self._font_of(column)])
        kind = column.kind
        if kind is CellKind.PILL:
            self._paint_pills(painter, column, cells)
        elif kind is CellKind.SPARK:
            self._paint_sparks(painter, column, cells)
        elif kind is CellKind.BAR:
            self._paint_bars(painter, column, cells)
        elif kind is CellKind.LINKS and column.links is not None:
            for row, cell in cells:
                link = hovered[1] if row is hovered[0] else None
                self._paint_links(painter, column, row, cell, link)
        else:
            self._paint_texts(painter, column, cells)

    def _paint_texts(
        self, painter: QPainter, column: Column[Any], cells: Sequence[tuple[Any, Cell]]
    ) -> None:
        font = self._font_of(column)
        usual: Tone = "neutral" if column.kind in {CellKind.STRONG, CellKind.NUMBER} else "muted"
        right = column.kind is CellKind.NUMBER
        for row, cell in cells:
            text = column.text(row)
            tone = column.tone(row) if column.tone is not None else usual
            self._text(painter, font, text, cell, tone, right)

    def _text(
        self,
        painter: QPainter,
        font: FontName,
        text: str,
        cell: Cell,
        tone: Tone,
        right: bool = False,
    ) -> float:
        """Draw a cell's text on its left or right; returns the width it took."""
        width = cell.width - 2 * PAD
        if width <= 0:
            return 0.0
        if not text:
            text, tone = _NOTHING, "muted"
        line, advance = self.fit(font, text, width)
        painter.setPen(self.tone(tone))
        x = cell.x + cell.width - PAD - advance if right else cell.x + PAD
        painter.drawText(QPointF(x, cell.y + cell.height / 2 + self._baselines[font]), line)
        return advance

    def _paint_pills(
        self, painter: QPainter, column: Column[Any], cells: Sequence[tuple[Any, Cell]]
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        for row, cell in cells:
            text = column.text(row)
            if not text:
                continue
            tone = column.tone(row) if column.tone is not None else "neutral"
            # It may use most of the space to the next column: its edge is clear without.
            room = cell.width - PAD - _PILL_ENDS - _DOT - 2
            if room <= 0:
                continue
            line, advance = self.fit("body", text, room)
            top = cell.y + (cell.height - _PILL_HEIGHT) / 2
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.surface(tone))
            painter.drawRoundedRect(
                QRectF(cell.x + PAD, top, advance + _PILL_ENDS + _DOT, _PILL_HEIGHT),
                _PILL_HEIGHT / 2,
                _PILL_HEIGHT / 2,
            )
            painter.setBrush(self.tone(tone))
            middle = cell.y + cell.height / 2
            painter.drawEllipse(QRectF(cell.x + PAD + 9, middle - _DOT / 2, _DOT, _DOT))
            painter.setPen(self.tone(tone))
            painter.drawText(
                QPointF(cell.x + PAD + 9 + _DOT + 6, middle + self._baselines["body"]), line
            )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _paint_sparks(
        self, painter: QPainter, column: Column[Any], cells: Sequence[tuple[Any, Cell]]
    ) -> None:
        """The value on the right, its history left of it; all rows on one scale, so that they can be compared."""
        histories: list[tuple[Sequence[float], Cell, float]] = []
        for row, cell in cells:
            # Room for the usual lengths of figures, so that lines end at one place whatever the figures are.
            text = column.text(row)
            taken = self._text(painter, "figures", text, cell, "neutral" if text else "muted", True)
            taken = max(taken, 58 * self.size)
            if column.series is not None and text:
                histories.append((column.series(row), cell, taken))
        if not histories:
            return
        scale = self.sparks.scale(column.id, (values for values, _, _ in histories))
        accent = self.colour("accent")
        for values, cell, taken in histories:
            size = (int(cell.width - 2 * PAD - taken - 10), cell.height)
            self.sparks.paint(painter, values, (cell.x + PAD, cell.y), size, scale, accent)

    def shrink_scales(self, columns: Sequence[Column[Any]], rows: Sequence[Any]) -> bool:
        """Take scales back to what ``rows``, all that are visible, need; True if one changed."""
        changed = False
        for column in columns:
            if column.kind is CellKind.SPARK and column.series is not None:
                histories = [column.series(row) for row in rows]
                changed = self.sparks.shrink(column.id, histories) or changed
        return changed

    def _paint_bars(
        self, painter: QPainter, column: Column[Any], cells: Sequence[tuple[Any, Cell]]
    ) -> None:
        for row, cell in cells:
            text = column.text(row)
            taken = self._text(painter, "figures", text, cell, "neutral", True)
            taken = max(taken, 58 * self.size)
            track = cell.width - 2 * PAD - taken - 10
            if track < 16 or column.fraction is None:
                continue
            share = min(1.0, max(0.0, column.fraction(row)))
            tone: Tone = column.tone(row) if column.tone is not None else "accent"
            top = cell.y + (cell.height - _BAR_HEIGHT) / 2
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.surface("neutral"))
            radius = _BAR_HEIGHT / 2
            painter.drawRoundedRect(QRectF(cell.x + PAD, top, track, _BAR_HEIGHT), radius, radius)
            if share > 0:
                painter.setBrush(self.tone(tone))
                width = max(float(_BAR_HEIGHT), track * share)
                painter.drawRoundedRect(
                    QRectF(cell.x + PAD, top, width, _BAR_HEIGHT), radius, radius
                )
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # Links.

    def pieces(self, column: Column[Any], row: Any, cell: Cell) -> list[Piece]:
        """The parts of a cell's text from left to right, links and what is between them, as far as they fit."""
        links = column.links(row) if column.links is not None else ()
        text = one_line(column.text(row), _LONGEST)
        found: list[Piece] = []
        x, end = float(cell.x + PAD), float(cell.x + cell.width - PAD)
        for part, link in _parts(text, links):
            if x >= end:
                break
            line, advance = self.fit("body", part, end - x)
            found.append(Piece(line, x, advance, link))
            x += advance
        return found

    def _paint_links(
        self, painter: QPainter, column: Column[Any], row: Any, cell: Cell, hovered: Link | None
    ) -> None:
        pieces = self.pieces(column, row, cell)
        if not pieces:
            self._text(painter, "body", "", cell, "muted")
        baseline = cell.y + cell.height / 2 + self._baselines["body"]
        for piece in pieces:
            painter.setPen(self.tone("accent" if piece.link is not None else "muted"))
            painter.drawText(QPointF(piece.x, baseline), piece.text)
            if piece.link is not None and piece.link == hovered:
                painter.drawLine(
                    QPointF(piece.x, baseline + 2), QPointF(piece.x + piece.width, baseline + 2)
                )

    # Lines.

    def paint_ground(
        self, painter: QPainter, area: QRectF, *, selected: bool, hovered: bool, header: bool
    ) -> None:
        """The background of a line and the rule below it."""
        token = (
            "accent_surface"
            if selected
            else "hover"
            if hovered
            else "raised"
            if header
            else "panel"
        )
        painter.fillRect(area, self.colour(token))
        rule = QRectF(area.left(), area.bottom() - 1, area.width(), 1)
        painter.fillRect(rule, self.colour("line"))

    def paint_focus(self, painter: QPainter, area: QRectF) -> None:
        """The frame around the line that keys act on."""
        accent = self.colour("accent")
        painter.setPen(QPen(accent, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -1.5))
        painter.fillRect(QRectF(area.left(), area.top(), 3, area.height() - 1), accent)

    def paint_group(self, painter: QPainter, group: Group, detail: str, area: QRectF) -> None:
        """A header: chevron, title, and what it says of its rows."""
        middle = area.center().y()
        x = area.left() + PAD + 6
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self.colour("muted"), 1.6))
        c = _CHEVRON
        tip = (
            [QPointF(x - c / 2, middle - c), QPointF(x + c / 2, middle), QPointF(x - c / 2, middle + c)]
            if group.collapsed
            else [QPointF(x - c, middle - c / 2), QPointF(x, middle + c / 2), QPointF(x + c, middle - c / 2)]
        )  # fmt: skip
        painter.drawPolyline(QPolygonF(tip))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        left = area.left() + GROUP_TEXT_AT
        title, advance = self.fit("strong", group.title, max(0.0, area.right() - left - PAD))
        painter.setFont(self._fonts["strong"])
        painter.setPen(self.colour("text"))
        painter.drawText(QPointF(left, middle + self._baselines["strong"]), title)
        left += advance + 10
        room = area.right() - left - PAD
        if detail and room > 20:
            line, _ = self.fit("small", detail, room)
            painter.setFont(self._fonts["small"])
            painter.setPen(self.colour("muted"))
            painter.drawText(QPointF(left, middle + self._baselines["small"]), line)

    def paint_message(self, painter: QPainter, area: QRectF, title: str, text: str) -> None:
        """What an empty table says, in its middle."""
        painter.setFont(self._fonts["strong"])
        painter.setPen(self.colour("text"))
        centre = Qt.AlignmentFlag.AlignHCenter
        wrap = Qt.TextFlag.TextWordWrap
        box = area.adjusted(24, 0, -24, 0)
        box.setTop(area.top() + max(24.0, area.height() * 0.36))
        used = painter.boundingRect(box, int(centre | wrap), title)
        painter.drawText(box, int(centre | wrap), title)
        if text:
            box.setTop(used.bottom() + 6)
            painter.setFont(self._fonts["body"])
            painter.setPen(self.colour("muted"))
            painter.drawText(box, int(centre | wrap), text)


def _parts(text: str, links: Sequence[Link]) -> list[tuple[str, Link | None]]:
    """``text`` cut where links stand in it; links that it doesn't hold are listed instead."""
    parts: list[tuple[str, Link | None]] = []
    at = 0
    for link in links:
        found = text.find(link.text, at)
        if found < 0 or not link.text:
            parts = []
            break
        if found > at:
            parts.append((text[at:found], None))
        parts.append((link.text, link))
        at = found + len(link.text)
    else:
        if at < len(text):
            parts.append((text[at:], None))
        return parts
    for number, link in enumerate(links):
        if number:
            parts.append((", ", None))
        parts.append((link.text, link))
    return parts
