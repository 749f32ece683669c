"""Draws lines of a log on a grid of cells, and only what can be seen of them."""

from __future__ import annotations

import math
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPaintDevice, QPainter, QPixmap

from dockdesk.core.logs.ansi import BOLD, ITALIC, STRIKE, UNDERLINE, Style
from dockdesk.core.logs.cells import char_cells
from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.log.colours import Rgb, TerminalPalette
from dockdesk.ui.widgets.log.layout import Line

_SAMPLE = 64
_MANY_PIECES = 40
_KEPT_PICTURES = 160
_PICTURE_BUDGET_S = 0.004
_FEATURES = ("calt", "liga")


@dataclass(frozen=True, slots=True)
class Overlay:
    """Characters to be drawn again on a ground of their own: a selection or a hit."""

    start: int
    end: int
    ground: QColor
    text: QColor


class LogPainter:
    """Fonts, colours and measures of one view. ``zoom`` is added to the size of the theme's font, in pixels."""

    def __init__(self, theme: Theme, device: QPaintDevice) -> None:
        self._theme = theme
        self._device = device
        self.zoom = 0
        self.complete = True
        self._painted = 0.0
        self.refresh()

    def refresh(self) -> None:
        """Take fonts and colours from the theme anew."""
        theme = self._theme
        font = theme.font("mono")
        font.setPixelSize(max(6, font.pixelSize() + self.zoom))
        # A log shows what was written: "!=" is two characters.
        for feature in _FEATURES:
            font.setFeature(QFont.Tag(feature), 0)
        font.setKerning(False)
        self._fonts = {}
        for flags in (0, BOLD, ITALIC, BOLD | ITALIC):
            made = QFont(font)
            made.setBold(bool(flags & BOLD))
            made.setItalic(bool(flags & ITALIC))
            self._fonts[flags] = made
        metrics = self._metrics = QFontMetricsF(font, self._device)
        self.cell = metrics.horizontalAdvance("M" * _SAMPLE) / _SAMPLE
        self.height = round(metrics.height()) + 2
        self.baseline = round(metrics.ascent()) + 1
        self._even: dict[str, bool] = {}
        self._colours: dict[Rgb, QColor] = {}
        self._pictures: OrderedDict[tuple[Line, tuple[int, int]], QPixmap] = OrderedDict()
        tokens = theme.tokens
        self._palette = TerminalPalette(tokens.text, tokens.panel, theme.is_dark)

    @property
    def font(self) -> QFont:
        return self._fonts[0]

    def begin(self, painter: QPainter) -> None:
        """Begin a frame."""
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._painted = time.thread_time() + _PICTURE_BUDGET_S
        self.complete = True

    def draw(
        self,
        painter: QPainter,
        line: Line,
        segment: tuple[int, int],
        origin: QPointF,
        cells: tuple[int, int],
        overlays: Sequence[Overlay] = (),
    ) -> None:
        """Draw the characters of ``segment``, the first of them at ``origin`` (the top left of its cell).

        ``cells`` are the first and end cell that can be seen, counted from the segment's first. A line of many colours
        may be drawn in one at first; then ``complete`` is False, and drawing once more goes on with it.
        """
        visible = self._visible(line, segment, cells)
        if visible[0] >= visible[1] and not overlays:
            return
        zero = origin.x() - line.cell(segment[0]) * self.cell
        if line.pieces <= _MANY_PIECES:
            self._draw_runs(painter, line, visible, zero, origin.y())
        else:
            self._draw_picture(painter, line, visible, zero, origin.y())
        for overlay in overlays:
            self._draw_overlay(painter, line, segment, visible, zero, origin.y(), overlay)

    def _draw_runs(
        self, painter: QPainter, line: Line, visible: tuple[int, int], zero: float, top: float
    ) -> None:
        start, end = visible
        runs = line.runs
        for number, (first, style) in enumerate(runs):
            last = runs[number + 1][0] if number + 1 < len(runs) else end
            if last <= start:
                continue
            if first >= end:
                break
            self._draw_run(painter, line, max(first, start), min(last, end), zero, top, style)

    def _draw_picture(
        self, painter: QPainter, line: Line, visible: tuple[int, int], zero: float, top: float
    ) -> None:
        """Draw a costly line through a picture of it, which is kept for the next frames."""
        left = line.cell(visible[0]) * self.cell
        key = (line, visible)
        picture = self._pictures.get(key)
        if picture is None:
            if time.thread_time() > self._painted:
                self.complete = False
                painter.setPen(self._theme.colour("text"))
                painter.setFont(self._fonts[0])
                text = line.text[visible[0] : visible[1]].replace("\t", " ")
                painter.drawText(QPointF(zero + left, top + self.baseline), text)
                return
            picture = self._pictures[key] = self._make_picture(line, visible, left)
            if len(self._pictures) > _KEPT_PICTURES:
                self._pictures.popitem(last=False)
        painter.drawPixmap(QPointF(zero + left, top), picture)

    def _make_picture(self, line: Line, visible: tuple[int, int], left: float) -> QPixmap:
        scale = self._device.devicePixelRatioF()
        width = line.cell(visible[1]) * self.cell - left + self.cell
        picture = QPixmap(math.ceil(width * scale), math.ceil(self.height * scale))
        picture.setDevicePixelRatio(scale)
        picture.fill(self._theme.colour("panel"))
        painter = QPainter(picture)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self._draw_runs(painter, line, visible, -left, 0)
        painter.end()
        return picture

    def colour(self, rgb: Rgb) -> QColor:
        found = self._colours.get(rgb)
        if found is None:
            if len(self._colours) > 4096:
                self._colours.clear()
            found = self._colours[rgb] = QColor(*rgb)
        return found

    def _visible(
        self, line: Line, segment: tuple[int, int], cells: tuple[int, int]
    ) -> tuple[int, int]:
        start, end = segment
        base = line.cell(start)
        first = line.char_at(base + cells[0] - 1, start, end)
        last = line.char_at(base + cells[1] + 1, start, end)
        return max(start, first - 1), min(end, last + 1)

    def _draw_run(
        self,
        painter: QPainter,
        line: Line,
        start: int,
        end: int,
        zero: float,
        top: float,
        style: Style,
    ) -> None:
        text, ground = self._palette.pair(style)
        if ground is not None:
            painter.fillRect(self._rect(line, start, end, zero, top), self.colour(ground))
        painter.setPen(self.colour(text))
        painter.setFont(self._fonts[style.flags & (BOLD | ITALIC)])
        self._draw_text(painter, line, start, end, zero, top + self.baseline)
        if style.flags & (UNDERLINE | STRIKE):
            rect = self._rect(line, start, end, zero, top)
            if style.flags & UNDERLINE:
                rule = QRectF(rect.x(), top + self.baseline + 2, rect.width(), 1)
                painter.fillRect(rule, self.colour(text))
            if style.flags & STRIKE:
                rule = QRectF(rect.x(), top + self.height // 2, rect.width(), 1)
                painter.fillRect(rule, self.colour(text))

    def _draw_overlay(
        self,
        painter: QPainter,
        line: Line,
        segment: tuple[int, int],
        visible: tuple[int, int],
        zero: float,
        top: float,
        overlay: Overlay,
    ) -> None:
        start = max(overlay.start, visible[0])
        end = min(overlay.end, visible[1])
        if start < end:
            painter.fillRect(self._rect(line, start, end, zero, top), overlay.ground)
            painter.setPen(overlay.text)
            painter.setFont(self._fonts[0])
            self._draw_text(painter, line, start, end, zero, top + self.baseline)
        length = len(line.text)
        if overlay.end > length and segment[1] == length:
            # A selected newline shows as half a cell.
            left = zero + line.cells * self.cell
            painter.fillRect(QRectF(left, top, self.cell / 2, self.height), overlay.ground)

    def _rect(self, line: Line, start: int, end: int, zero: float, top: float) -> QRectF:
        left = line.cell(start) * self.cell
        right = line.cell(end) * self.cell
        return QRectF(zero + left, top, right - left, self.height)

    def _draw_text(
        self, painter: QPainter, line: Line, start: int, end: int, zero: float, baseline: float
    ) -> None:
        offsets = line.offsets
        if offsets is None:
            painter.drawText(QPointF(zero + start * self.cell, baseline), line.text[start:end])
            return
        # Each character belongs in its cell, whatever font it comes from and whichever way it reads.
        text = line.text
        at = start
        while at < end:
            stop = at + 1
            if self._is_even(text[at]):
                while stop < end and self._is_even(text[stop]):
                    stop += 1
            # What combines is shaped together with what it combines with.
            while stop < end and offsets[stop + 1] == offsets[stop]:
                stop += 1
            if text[at] != "\t":
                painter.drawText(QPointF(zero + offsets[at] * self.cell, baseline), text[at:stop])
            at = stop

    def _is_even(self, char: str) -> bool:
        """Whether a character takes one cell in the font and reads from left to right."""
        if " " <= char < "\u0300":
            return char != "\xad"
        even = self._even.get(char)
        if even is None:
            even = self._even[char] = (
                char_cells(char) == 1
                and unicodedata.bidirectional(char) not in {"R", "AL", "AN"}
                and abs(self._metrics.horizontalAdvance(char) - self.cell) < 0.01
            )
        return even
