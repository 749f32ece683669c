"""Rows of a terminal as paint: a call a run, not a cell.

Cells are whole pixels wide, so that backgrounds meet; the font's spacing makes up the difference. Characters the font
lacks, or draws wider than a cell, are drawn on their own, clipped to their cells. Shaping is off for plain text: it
would be three times slower and draw ligatures, which move glyphs off their cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QRawFont

from dockdesk.ui.widgets.terminal import boxes
from dockdesk.ui.widgets.terminal.palette import Look, Palette
from dockdesk.ui.widgets.terminal.screen import Match, Row, Run, Style

_SINGLE, _DOUBLE, _CURLY, _DOTTED, _DASHED = 1, 2, 3, 4, 5


class Metrics:
    """A monospace font measured out in cells of whole pixels, in its four faces."""

    def __init__(self, font: QFont) -> None:
        font = QFont(font)
        font.setKerning(False)
        measured = QFontMetricsF(font)
        self.cell_width = max(1, round(measured.horizontalAdvance("M")))
        self.cell_height = max(1, math.ceil(measured.height()))
        self.ascent = round(measured.ascent() + (self.cell_height - measured.height()) / 2)
        self.line = max(1, round(measured.lineWidth()))
        self.shaped = QFont(font)
        spacing = self.cell_width - measured.horizontalAdvance("M")
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
        font.setStyleStrategy(QFont.StyleStrategy.PreferNoShaping)
        self.faces: list[QFont] = []
        for italic in (False, True):
            for bold in (False, True):
                face = QFont(font)
                face.setItalic(italic)
                if bold:
                    face.setWeight(QFont.Weight.Bold)
                self.faces.append(face)
        self._raw = QRawFont.fromFont(font)
        self._advance = measured.horizontalAdvance("M")
        self._fits: dict[str, int] = {}

    def face(self, style: Style) -> QFont:
        return self.faces[style.bold + 2 * style.italic]

    def kind(self, char: str) -> int:
        """How a character is drawn: 0 as text, 1 as lines, 2 on its own."""
        kind = self._fits.get(char)
        if kind is None:
            kind = self._fits[char] = self._find_kind(char)
        return kind

    def _find_kind(self, char: str) -> int:
        if boxes.is_box(char):
            return 1
        glyphs = self._raw.glyphIndexesForString(char)
        if len(glyphs) != 1 or glyphs[0] == 0:
            return 2
        advance = self._raw.advancesForGlyphIndexes(glyphs)[0].x()
        return 0 if abs(advance - self._advance) < 0.6 else 2


class RowPainter:
    """Paints rows at a place. Make a new one for another font or palette."""

    def __init__(self, metrics: Metrics, palette: Palette) -> None:
        self.metrics = metrics
        self.palette = palette
        self._colours: dict[int, QColor] = {}

    def colour(self, value: int) -> QColor:
        colour = self._colours.get(value)
        if colour is None:
            if len(self._colours) > 4096:
                self._colours.clear()
            colour = self._colours[value] = QColor(value >> 16 & 255, value >> 8 & 255, value & 255)
        return colour

    def paint(
        self,
        painter: QPainter,
        left: int,
        top: int,
        row: Row,
        columns: int,
        matches: Sequence[Match],
    ) -> None:
        """Paint a row over the terminal's background."""
        width, height = self.metrics.cell_width, self.metrics.cell_height
        looks = [self.palette.look(run.style) for run in row.runs]
        for run, look in zip(row.runs, looks, strict=True):
            if look.background is not None:
                cells = min(run.cells, columns - run.column)
                painter.fillRect(
                    left + run.column * width,
                    top,
                    cells * width,
                    height,
                    self.colour(look.background),
                )
        for match in matches:
            tone = self.palette.current_match if match.current else self.palette.match
            last = min(match.last, columns - 1)
            self._mark(painter, left, top, match.first, last, tone)
            if match.current:
                painter.setPen(self.colour(self.palette.match_frame))
                painter.drawRect(
                    left + match.first * width,
                    top,
                    (last - match.first + 1) * width - 1,
                    height - 1,
                )
        if row.selected is not None:
            first, last = row.selected
            self._mark(painter, left, top, first, min(last, columns - 1), self.palette.selection)
        for run, look in zip(row.runs, looks, strict=True):
            self._paint_run(painter, left + run.column * width, top, run, look)

    def _mark(
        self, painter: QPainter, left: int, top: int, first: int, last: int, tone: int
    ) -> None:
        width = self.metrics.cell_width
        painter.fillRect(
            left + first * width,
            top,
            (last - first + 1) * width,
            self.metrics.cell_height,
            self.colour(tone),
        )

    def _paint_run(self, painter: QPainter, x: int, top: int, run: Run, look: Look) -> None:
        style = run.style
        painter.setPen(self.colour(look.foreground))
        if run.cluster:
            self._paint_alone(painter, x, top, run.text, run.cells, style)
        elif run.text.isascii():
            painter.setFont(self.metrics.face(style))
            painter.drawText(QPointF(x, top + self.metrics.ascent), run.text)
        else:
            self._paint_pieces(painter, x, top, run, look)
        if style.underline or style.strike or style.overline:
            self._paint_lines(painter, x, top, run.cells, style, look)

    def _paint_pieces(self, painter: QPainter, x: int, top: int, run: Run, look: Look) -> None:
        width, height = self.metrics.cell_width, self.metrics.cell_height
        for kind, group in groupby(run.text, self.metrics.kind):
            piece = "".join(group)
            if kind == 0:
                painter.setFont(self.metrics.face(run.style))
                painter.drawText(QPointF(x, top + self.metrics.ascent), piece)
                x += width * len(piece)
                continue
            for char in piece:
                if kind == 1:
                    cell = QRectF(x, top, width, height)
                    boxes.draw(painter, char, cell, self.colour(look.foreground))
                else:
                    self._paint_alone(painter, x, top, char, 1, run.style)
                x += width

    def _paint_alone(
        self, painter: QPainter, x: int, top: int, text: str, cells: int, style: Style
    ) -> None:
        """One glyph from whatever font has it, squeezed into its cells if it must be."""
        font = QFont(self.metrics.shaped)
        font.setBold(style.bold)
        font.setItalic(style.italic)
        room = cells * self.metrics.cell_width
        needed = QFontMetricsF(font).horizontalAdvance(text)
        painter.save()
        painter.setFont(font)
        painter.setClipRect(
            QRectF(x, top, room, self.metrics.cell_height), Qt.ClipOperation.IntersectClip
        )
        painter.translate(x, top + self.metrics.ascent)
        if needed > room:
            painter.scale(room / needed, room / needed)
        else:
            painter.translate((room - needed) / 2, 0)
        painter.drawText(QPointF(0, 0), text)
        painter.restore()

    def _paint_lines(
        self, painter: QPainter, x: int, top: int, cells: int, style: Style, look: Look
    ) -> None:
        metrics = self.metrics
        right = x + cells * metrics.cell_width
        thick = metrics.line
        if style.underline:
            y = min(top + metrics.ascent + 2, top + metrics.cell_height - 1 - thick)
            self._paint_underline(painter, x, right, y, style.underline, self.colour(look.line))
        colour = self.colour(look.foreground)
        if style.strike:
            painter.fillRect(x, top + round(metrics.ascent * 0.68), right - x, thick, colour)
        if style.overline:
            painter.fillRect(x, top, right - x, thick, colour)

    def _paint_underline(
        self, painter: QPainter, x: int, right: int, y: int, kind: int, colour: QColor
    ) -> None:
        thick = self.metrics.line
        if kind in (_SINGLE, _DOUBLE):
            painter.fillRect(x, y, right - x, thick, colour)
            if kind == _DOUBLE:
                painter.fillRect(x, y + 2 * thick, right - x, thick, colour)
            return
        pen = QPen(colour, thick)
        if kind == _CURLY:
            step = max(2, self.metrics.cell_width // 4)
            xs = range(x, right + 1, step)
            painter.setPen(pen)
            painter.drawPolyline([QPointF(at, y + (index % 2) * 2) for index, at in enumerate(xs)])
            return
        pen.setStyle(Qt.PenStyle.DotLine if kind == _DOTTED else Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(x, y, right - 1, y)
