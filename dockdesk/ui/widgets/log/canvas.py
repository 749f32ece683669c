"""The canvas of a log view: paints the lines that are on screen; nothing else is ever read, split or measured."""

from __future__ import annotations

import time
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from dockdesk.core.logs.store import LogSnapshot
from dockdesk.ui.theme import Theme
from dockdesk.ui.theme.palette import mix
from dockdesk.ui.widgets.log.gate import PaintGate
from dockdesk.ui.widgets.log.gutter import Gutter
from dockdesk.ui.widgets.log.hits import AllRows, ShownRows
from dockdesk.ui.widgets.log.jump import JumpButton
from dockdesk.ui.widgets.log.layout import Line, LineReader
from dockdesk.ui.widgets.log.matcher import Hit
from dockdesk.ui.widgets.log.painter import LogPainter, Overlay
from dockdesk.ui.widgets.log.scrollbar import MarkedScrollBar
from dockdesk.ui.widgets.log.scroller import RowScroller
from dockdesk.ui.widgets.log.search import LogSearch
from dockdesk.ui.widgets.log.selection import Position, Selection
from dockdesk.ui.widgets.viewport import own_viewport

_READ_BUDGET_S = 0.004
"""CPU time for reading rows in one frame; those not read by then show their colours in the next."""

_RIGHT_PAD = 12
_TOP_PAD = 4
_HIT_SHARE = 0.18  # of the warning colour in the ground of a hit
_CARET_WIDTH = 1.5
_ZOOM = range(-7, 28)


class Drawn(NamedTuple):
    """One line on screen: where it is, and which characters of which row it shows."""

    top: int
    part: int
    line: Line
    segment: tuple[int, int]


class LogCanvas(QAbstractScrollArea):
    """Shows the rows of a snapshot. Its owner gives it content, at most 30 times a second.

    ``follow_changed`` when it begins or ends to stick to the newest line.
    """

    follow_changed = Signal(bool)

    def __init__(
        self, theme: Theme, search: LogSearch, gate: PaintGate, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._gate = gate
        self._theme = theme
        self._search = search
        self._snapshot = LogSnapshot(-1, (), (), 0, 0, (), 0, 0)
        self._shown: ShownRows = AllRows()
        self._drawn: list[Drawn] = []
        self._stale = True  # what is drawn is not what will be
        self._reader = LineReader()
        self._scroller = RowScroller(self._height_of)
        self._selection = Selection()
        self._painter = LogPainter(theme, own_viewport(self, QPalette.ColorRole.Base))
        self._gutter = Gutter(theme)
        self.painted_completely = False  # in the last frame, rather than as far as its time went
        self._widest = 0
        self._held = False  # text must not run away, say while the mouse selects
        self._syncing = False
        self._told_following = True
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        bar = self._bar = MarkedScrollBar(theme, self)
        self.setVerticalScrollBar(bar)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        bar.valueChanged.connect(self._on_bar_moved)
        self.horizontalScrollBar().valueChanged.connect(lambda _value: self.viewport().update())
        self.jump = JumpButton(theme, self.viewport())
        self.jump.clicked.connect(self.go_to_end)
        self._grown = QTimer(self)
        self._grown.setSingleShot(True)
        self._grown.setInterval(0)
        self._grown.timeout.connect(self._sync_bars)
        theme.changed.connect(self._on_theme_changed)
        search.changed.connect(self.viewport().update)
        self._on_theme_changed()

    # Content.

    def set_content(self, snapshot: LogSnapshot, shown: ShownRows) -> None:
        """Show these rows of this snapshot, at the end if it follows, else with the same row at the top."""
        anew = snapshot.generation != self._snapshot.generation
        top = self._shown.row(self._scroller.top) if len(self._shown) else 0
        self._snapshot, self._shown = snapshot, shown
        self._reader.use(snapshot)
        self._gutter.use(snapshot.sources)
        if anew:
            self._selection.clear()
            self._selection.cursor = None
            self._widest = 0
            self._scroller.following = True
        else:
            self._selection.forget_before(snapshot.first_row)
            if not self._scroller.following or self._held:
                self._scroller.top = shown.index(top)
        self._relayout()

    @property
    def following(self) -> bool:
        """Whether it sticks to the newest line."""
        return self._scroller.following

    def set_following(self, on: bool) -> None:
        if on:
            self.go_to_end()
        else:
            self._scroller.following = False
            self._relayout()

    @property
    def wrapped(self) -> bool:
        return not self._scroller.uniform

    def set_wrapped(self, on: bool) -> None:
        """Break long lines at the edge, or scroll sideways to their end."""
        self._scroller.uniform = not on
        self._relayout()

    @property
    def stamps(self) -> bool:
        return self._gutter.stamps

    def set_stamps(self, on: bool) -> None:
        """Show the time of each line."""
        self._gutter.stamps = on
        self._relayout()

    @property
    def zoom(self) -> int:
        """Pixels added to the size of the theme's font."""
        return self._painter.zoom

    def set_zoom(self, zoom: int) -> None:
        self._painter.zoom = max(_ZOOM[0], min(_ZOOM[-1], zoom))
        self._on_theme_changed()

    # Where things are.

    @property
    def page(self) -> int:
        """Whole lines that fit."""
        return max(1, (self.viewport().height() - _TOP_PAD) // self._painter.height)

    @property
    def text_left(self) -> int:
        """Where text begins in the viewport."""
        return self._gutter.width

    @property
    def cell_size(self) -> tuple[float, int]:
        """Width of a character and height of a line, in pixels."""
        return self._painter.cell, self._painter.height

    def first_shown(self) -> Position:
        """The beginning of the line at the top."""
        if not len(self._shown):
            return Position(self._snapshot.first_row, 0)
        return Position(self._shown.row(min(self._scroller.top, len(self._shown) - 1)), 0)

    @property
    def last_painted(self) -> int:
        """The number of the last row that was painted; -1 if none was."""
        return self._drawn[-1].line.row.number if self._drawn else -1

    def lines_drawn(self) -> list[tuple[int, str]]:
        """Row numbers and texts of the lines on screen, from the top."""
        return [
            (item.line.row.number, item.line.text[slice(*item.segment)]) for item in self._in_view()
        ]

    def _in_view(self) -> list[Drawn]:
        """The lines on screen, also between a move and the frame that shows it."""
        return self._lay_out()[0] if self._stale else self._drawn

    # Moving.

    def scroll_lines(self, lines: int) -> None:
        self._scroller.by(lines)
        self._moved()

    def scroll_cells(self, cells: int) -> None:
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() + round(cells * self._painter.cell))

    def go_to_top(self) -> None:
        self._scroller.to(0)
        self._moved()

    def go_to_end(self) -> None:
        """Show the newest line and follow it."""
        self._scroller.to_end()
        self._moved()

    # Drawing.

    def paintEvent(self, _event: QPaintEvent) -> None:
        with self._gate.drawing():
            self.painted_completely = self._paint()
        self._search.fetch_spans()
        widest = max((item.line.cells for item in self._drawn), default=0)
        if widest > self._widest and not self.wrapped:
            self._widest = widest
            self._grown.start()
        if not self.painted_completely:
            self.viewport().update()

    def _paint(self) -> bool:
        """Draw everything; returns whether it is complete, or needs another frame."""
        view = self.viewport()
        painter = QPainter(view)
        self._painter.begin(painter)
        painter.fillRect(view.rect(), self._theme.colour("panel"))
        self._drawn, complete = self._lay_out()
        self._stale = False
        self._draw_gutter(painter)
        left = self.text_left
        painter.setClipRect(QRectF(left - 1, 0, view.width() - left + 1, view.height()))
        for item in self._drawn:
            self._draw_line(painter, item)
        if self.hasFocus():
            self._draw_caret(painter)
        painter.setClipping(False)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.drawRect(view.rect().adjusted(1, 1, -1, -1))
        painter.end()
        return complete and self._painter.complete

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._relayout()

    def sizeHint(self) -> QSize:
        return QSize(640, 320)

    @property
    def _room(self) -> float:
        """Pixels for text."""
        return max(self._painter.cell, self.viewport().width() - self.text_left - _RIGHT_PAD)

    @property
    def _columns(self) -> int:
        """Cells of a wrapped line; 0 if lines are not wrapped."""
        return max(1, int(self._room / self._painter.cell)) if self.wrapped else 0

    def _shift(self) -> int:
        """Pixels scrolled sideways."""
        return 0 if self.wrapped else self.horizontalScrollBar().value()

    def _height_of(self, index: int) -> int:
        found = self._reader.rows(self._shown.numbers(index, 1))
        return len(self._reader.line(found[0]).breaks(self._columns)) if found else 1

    def _lay_out(self) -> tuple[list[Drawn], bool]:
        """The lines on screen, and whether all rows could be read with their colours."""
        height, bottom = self._painter.height, self.viewport().height()
        columns = self._columns
        top, part = _TOP_PAD, self._scroller.part
        drawn: list[Drawn] = []
        complete = True
        until = time.thread_time() + _READ_BUDGET_S
        count = bottom // height + 1
        for row in self._reader.rows(self._shown.numbers(self._scroller.top, count)):
            if time.thread_time() > until and not self._reader.knows(row):
                line = self._reader.plain(row)
                complete = False
            else:
                line = self._reader.line(row)
            parts = len(line.breaks(columns))
            while part < parts and top < bottom:
                drawn.append(Drawn(top, part, line, line.segment(part, columns)))
                top += height
                part += 1
            if top >= bottom:
                break
            part = 0
        return drawn, complete

    def _draw_gutter(self, painter: QPainter) -> None:
        painter.setFont(self._painter.font)
        width = self.text_left
        for item in self._drawn:
            box = QRectF(0, item.top, width, self._painter.height)
            baseline = item.top + self._painter.baseline
            self._gutter.draw(painter, item.line.row, item.part == 0, box, baseline)

    def _draw_line(self, painter: QPainter, item: Drawn) -> None:
        shift = self._shift()
        cell = self._painter.cell
        seen = int(shift / cell), int((shift + self._room + _RIGHT_PAD) / cell) + 1
        origin = QPointF(self.text_left - shift, item.top)
        self._painter.draw(
            painter, item.line, item.segment, origin, seen, self._overlays(item.line)
        )

    def _draw_caret(self, painter: QPainter) -> None:
        cursor = self._selection.cursor
        if cursor is None:
            return
        for item in self._drawn:
            line, (start, end) = item.line, item.segment
            char = min(cursor.char, len(line.text))
            if line.row.number == cursor.row and (
                start <= char < end or char == end == len(line.text)
            ):
                cells = line.cell(char) - line.cell(start)
                left = self.text_left - self._shift() + cells * self._painter.cell
                caret = QRectF(left - 1, item.top + 1, _CARET_WIDTH, self._painter.height - 2)
                painter.fillRect(caret, self._theme.colour("accent"))

    def _overlays(self, line: Line) -> list[Overlay]:
        theme = self._theme
        number = line.row.number
        text = theme.colour("text")
        hits = self._search.spans(line.text)
        ground = mix(theme.surface("warn"), theme.tone("warn"), _HIT_SHARE)
        found = [Overlay(start, end, ground, text) for start, end in hits]
        selected = self._selection.chars_of(number, len(line.text))
        if selected is not None:
            found.append(Overlay(*selected, theme.colour("selection"), text))
        current = self._search.current
        if current is not None and current.row == number:
            found.append(
                Overlay(
                    current.start, current.end, theme.colour("accent"), theme.colour("on_accent")
                )
            )
        return found

    # Bars.

    def _relayout(self) -> None:
        """Rows, their heights or the room for them have changed."""
        following = self._scroller.following
        if self._held:
            self._scroller.following = False
        self._scroller.resize(len(self._shown), self.page)
        self._scroller.following = following
        self._moved()

    def _moved(self) -> None:
        self._stale = True
        self._sync_bars()
        self.viewport().update()

    def _sync_bars(self) -> None:
        self._syncing = True
        self._bar.setRange(0, self._scroller.end[0])
        self._bar.setPageStep(self.page)
        self._bar.setValue(self._scroller.top)
        sideways = self.horizontalScrollBar()
        wide = 0.0 if self.wrapped else self._widest * self._painter.cell - self._room
        sideways.setRange(0, max(0, round(wide)))
        sideways.setPageStep(round(self._room))
        sideways.setSingleStep(round(4 * self._painter.cell))
        self._syncing = False
        following = self._scroller.following
        self.jump.place(self.viewport().size(), not following and len(self._shown) > self.page)
        if following != self._told_following:
            self._told_following = following
            self.follow_changed.emit(following)

    def _on_bar_moved(self, value: int) -> None:
        if self._syncing:
            return
        if value >= self._bar.maximum():
            self._scroller.to_end()
        else:
            self._scroller.to(value)
        self._moved()

    def set_marks(self, marks: list[tuple[int, int]], current: Hit | None) -> None:
        """Mark stretches of rows (first, end) at the scroll bar, and the current hit."""
        total = max(1, self._snapshot.last_row - self._snapshot.first_row)
        first = self._snapshot.first_row
        shares = [((begin - first) / total, (end - first) / total) for begin, end in marks]
        self._bar.set_marks(shares, None if current is None else (current.row - first) / total)

    def _on_theme_changed(self) -> None:
        self._painter.refresh()
        self._gutter.cell = self._painter.cell
        self._gutter.refresh()
        self._relayout()
