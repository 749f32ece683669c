"""Box drawing and block characters, drawn as lines so that frames close whatever the font.

What each character looks like is read from its Unicode name (U+2500–259F), such as "BOX DRAWINGS LIGHT DOWN AND RIGHT".
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

_SIDES = {
    "UP": "u",
    "DOWN": "d",
    "LEFT": "l",
    "RIGHT": "r",
    "VERTICAL": "ud",
    "HORIZONTAL": "lr",
}
_WEIGHTS = {"LIGHT": 1, "SINGLE": 1, "HEAVY": 2, "DOUBLE": 3}
_EIGHTHS = {
    "ONE EIGHTH": 1,
    "ONE QUARTER": 2,
    "THREE EIGHTHS": 3,
    "HALF": 4,
    "FIVE EIGHTHS": 5,
    "THREE QUARTERS": 6,
    "SEVEN EIGHTHS": 7,
}
_SHADES = {"LIGHT SHADE": 0.25, "MEDIUM SHADE": 0.5, "DARK SHADE": 0.75}
Arms = dict[str, int]


def is_box(char: str) -> bool:
    """Whether `draw` draws it (diagonals are left to the font)."""
    code = ord(char)
    return 0x2500 <= code <= 0x259F and not 0x2571 <= code <= 0x2573


def draw(painter: QPainter, char: str, cell: QRectF, colour: QColor) -> None:
    """Draw one character into its cell."""
    if ord(char) >= 0x2580:
        for fill, alpha in _blocks(char):
            shade = QColor(colour)
            shade.setAlphaF(alpha)
            part = QRectF(
                cell.x() + round(cell.width() * fill.x()),
                cell.y() + round(cell.height() * fill.y()),
                0,
                0,
            )
            part.setRight(cell.x() + round(cell.width() * fill.right()))
            part.setBottom(cell.y() + round(cell.height() * fill.bottom()))
            painter.fillRect(part, shade)
    elif 0x256D <= ord(char) <= 0x2570:
        _draw_arc(painter, _arms(char), cell, colour)
    else:
        _draw_arms(painter, _arms(char), cell, colour)


@lru_cache(maxsize=256)
def _arms(char: str) -> Arms:
    """The weight of the line to each side: 1 light, 2 heavy, 3 double."""
    words = unicodedata.name(char).removeprefix("BOX DRAWINGS ")
    words = re.sub(r"(TRIPLE|QUADRUPLE|DOUBLE) DASH", "", words.replace("ARC", ""))
    arms: Arms = {}
    weight = 0
    pending: list[str] = []
    for word in words.split():
        if word in _WEIGHTS:
            weight = _WEIGHTS[word]
            for side in pending:  # "DOWN HEAVY": the weight follows its side
                arms.setdefault(side, weight)
            pending = []
        elif word in _SIDES:
            pending += _SIDES[word]
        elif word == "AND" and weight and _leading_weight(words):
            for side in pending:
                arms.setdefault(side, weight)
            pending = []
    for side in pending:
        arms.setdefault(side, weight)
    return arms


def _leading_weight(words: str) -> bool:
    return words.split()[0] in _WEIGHTS


def _draw_arms(painter: QPainter, arms: Arms, cell: QRectF, colour: QColor) -> None:
    thin = max(1, round(cell.width() / 8))
    left, top = round(cell.center().x() - thin / 2), round(cell.center().y() - thin / 2)
    double = 3 in arms.values()
    reach = thin * 2 if double else thin  # lines meet in the middle
    for side, weight in arms.items():
        for shift in (-thin, thin) if weight == 3 else (0,):
            width = thin * 2 if weight == 2 else thin
            x, y = left + shift, top + shift
            if side in "lr":
                start = cell.x() if side == "l" else float(left - (reach - thin))
                end = float(left + reach) if side == "l" else cell.right()
                painter.fillRect(QRectF(start, y, end - start, width), colour)
            else:
                start = cell.y() if side == "u" else float(top - (reach - thin))
                end = float(top + reach) if side == "u" else cell.bottom()
                painter.fillRect(QRectF(x, start, width, end - start), colour)


def _draw_arc(painter: QPainter, arms: Arms, cell: QRectF, colour: QColor) -> None:
    thin = max(1, round(cell.width() / 8))
    middle = QPointF(
        round(cell.center().x() - thin / 2) + thin / 2,
        round(cell.center().y() - thin / 2) + thin / 2,
    )
    side = QPointF(cell.x() if "l" in arms else cell.right(), middle.y())
    end = QPointF(middle.x(), cell.y() if "u" in arms else cell.bottom())
    path = QPainterPath(side)
    path.quadTo(middle, end)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(colour, thin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawPath(path)
    painter.restore()


@lru_cache(maxsize=64)
def _blocks(char: str) -> tuple[tuple[QRectF, float], ...]:
    """The filled parts of a block character, in shares of the cell, each with its opacity."""
    name = unicodedata.name(char)
    if name in _SHADES:
        return ((QRectF(0, 0, 1, 1), _SHADES[name]),)
    if name.startswith("QUADRANT"):
        parts = name.removeprefix("QUADRANT ").split(" AND ")
        corners = {
            "UPPER LEFT": QRectF(0, 0, 0.5, 0.5),
            "UPPER RIGHT": QRectF(0.5, 0, 0.5, 0.5),
            "LOWER LEFT": QRectF(0, 0.5, 0.5, 0.5),
            "LOWER RIGHT": QRectF(0.5, 0.5, 0.5, 0.5),
        }
        return tuple((corners[part], 1.0) for part in parts)
    if name == "FULL BLOCK":
        return ((QRectF(0, 0, 1, 1), 1.0),)
    side, share = name.removesuffix(" BLOCK").split(" ", 1)
    part = _EIGHTHS[share] / 8
    return (
        (
            {
                "UPPER": QRectF(0, 0, 1, part),
                "LOWER": QRectF(0, 1 - part, 1, part),
                "LEFT": QRectF(0, 0, part, 1),
                "RIGHT": QRectF(1 - part, 0, part, 1),
            }[side],
            1.0,
        ),
    )
