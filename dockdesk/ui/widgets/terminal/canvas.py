"""The terminal's surface: what changed is painted, at most 60 times a second, and nothing while it is hidden."""

from __future__ import annotations

import time
from collections import defaultdict

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QHideEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.read_aloud import ReadAloud
from dockdesk.ui.widgets.terminal.emulation import Emulation
from dockdesk.ui.widgets.terminal.painter import Metrics, RowPainter
from dockdesk.ui.widgets.terminal.palette import Palette
from dockdesk.ui.widgets.terminal.screen import Cursor, Match, Mode, Row

_PADDING = 8
_FRAME_S = 1 / 60
_RESIZE_MS = 40
_SYNC_LIMIT_S = 0.15
"""A program that asked to be drawn only when it is done (mode 2026) is waited for this long."""
_BLINKS = 20
"""The cursor rests after this many half blinks without output or keys: an idle terminal costs nothing."""
_MIN_COLUMNS, _MIN_ROWS = 2, 1
_SMALLEST, _LARGEST = 6, 40


class TerminalCanvas(QWidget):
    """Shows an emulation. Keys and mouse are handled by event filters that the view installs."""

    resized = Signal(int, int)  # columns, rows
    refreshed = Signal()  # the rows shown were read anew

    def __init__(self, emulation: Emulation, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._emulation = emulation
        self._theme = theme
        self._zoom = 0
        self._grid = (80, 24)
        self._last_frame = 0.0
        self._held_since = 0.0
        self._matches: dict[int, list[Match]] = {}
        self._cursor = Cursor()
        self._cursor_lit = True
        self._blinks_left = _BLINKS
        self.preedit = ""
        self._frame_timer = self._timer(self._refresh)
        self._resize_timer = self._timer(self._apply_size)
        self._resize_timer.setInterval(_RESIZE_MS)
        self._blink_timer = QTimer(self)
        self._blink_timer.timeout.connect(self._on_blink)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._painter = self._made_painter()
        self._aloud = ReadAloud(self, self.lines)
        emulation.changed.connect(self._on_changed)
        emulation.ready.connect(self._apply_size)
        theme.changed.connect(self._on_theme_changed)

    def _timer(self, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        return timer

    def _made_painter(self) -> RowPainter:
        font = QFont(self._theme.font("mono"))
        if font.pixelSize() > 0:
            font.setPixelSize(max(_SMALLEST, min(_LARGEST, font.pixelSize() + self._zoom)))
        else:
            font.setPointSizeF(max(_SMALLEST, min(_LARGEST, font.pointSizeF() + self._zoom)))
        palette = Palette(self._theme.tokens)
        self._emulation.set_colours(palette.told())
        return RowPainter(Metrics(font), palette)

    # --- Geometry ---

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._grid

    def sizeHint(self) -> QSize:
        metrics = self._painter.metrics
        return QSize(
            80 * metrics.cell_width + 2 * _PADDING, 24 * metrics.cell_height + 2 * _PADDING
        )

    def cell_at(self, position: QPoint, edge: bool = False) -> tuple[int, int]:
        """The column and row under a point, kept inside; with ``edge`` the nearest edge between two columns."""
        metrics = self._painter.metrics
        columns, rows = self._grid
        exact = (position.x() - _PADDING) / metrics.cell_width
        column = (
            max(0, min(columns, round(exact))) if edge else max(0, min(columns - 1, int(exact)))
        )
        row = (position.y() - _PADDING) // metrics.cell_height
        return column, max(0, min(rows - 1, row))

    def rows_beyond(self, position: QPoint) -> int:
        """How many rows a point is above (negative) or below the rows shown; 0 inside."""
        height = self._painter.metrics.cell_height
        top, bottom = _PADDING, _PADDING + self._grid[1] * height
        if position.y() < top:
            return -(1 + (top - position.y()) // height)
        return 1 + (position.y() - bottom) // height if position.y() >= bottom else 0

    def cursor_rect(self) -> QRect:
        return self._cell_rect(self._cursor.column, self._cursor.row, 1)

    def _cell_rect(self, column: int, row: int, cells: int) -> QRect:
        metrics = self._painter.metrics
        return QRect(
            _PADDING + column * metrics.cell_width,
            _PADDING + row * metrics.cell_height,
            cells * metrics.cell_width,
            metrics.cell_height,
        )

    def zoom(self, steps: int) -> None:
        """Make the text larger or smaller by pixels; 0 goes back to the theme's size."""
        self._zoom = max(-8, min(24, self._zoom + steps)) if steps else 0
        self._painter = self._made_painter()
        self._apply_size()
        self.update()

    def _apply_size(self) -> None:
        self._resize_timer.stop()
        metrics = self._painter.metrics
        columns = max(_MIN_COLUMNS, (self.width() - 2 * _PADDING) // metrics.cell_width)
        rows = max(_MIN_ROWS, (self.height() - 2 * _PADDING) // metrics.cell_height)
        changed = (columns, rows) != self._grid
        self._grid = (columns, rows)
        self._emulation.resize(columns, rows, metrics.cell_width, metrics.cell_height)
        if changed:
            self.resized.emit(columns, rows)
        self.update()

    # --- What changed ---

    def set_matches(self, matches: list[Match]) -> None:
        rows: dict[int, list[Match]] = defaultdict(list)
        for match in matches:
            rows[match.row].append(match)
        for row in set(rows) | set(self._matches):
            if rows.get(row) != self._matches.get(row):
                self._damage_row(row)
        self._matches = dict(rows)

    def _on_changed(self) -> None:
        self.rest_no_more()
        if not self.isVisible() or self._frame_timer.isActive():
            return
        wait = self._last_frame + _FRAME_S - time.monotonic()
        if wait <= 0:
            self._refresh()
        else:
            self._frame_timer.start(max(1, round(wait * 1000)))

    def _refresh(self) -> None:
        screen = self._emulation.screen
        if screen is None or not self.isVisible():
            return
        now = self._last_frame = time.monotonic()
        if screen.mode(Mode.SYNCHRONIZED):
            self._held_since = self._held_since or now
            if now - self._held_since < _SYNC_LIMIT_S:
                self._frame_timer.start(round(_FRAME_S * 1000))
                return
        self._held_since = 0.0
        for row in screen.refresh():
            self._damage_row(row)
        cursor = screen.cursor()
        if cursor != self._cursor:
            self._damage_row(self._cursor.row)
            self._damage_row(cursor.row)
            self._cursor = cursor
            self._blink_as_needed()
        self.refreshed.emit()

    def _damage_row(self, row: int) -> None:
        rect = self._cell_rect(0, row, self._grid[0])
        self.update(0, rect.y(), self.width(), rect.height())

    def _on_theme_changed(self) -> None:
        self._painter = self._made_painter()
        self._apply_size()

    # --- Cursor ---

    def rest_no_more(self) -> None:
        """Show the cursor, and have it blink again if it does."""
        self._blinks_left = _BLINKS
        if not self._cursor_lit:
            self._cursor_lit = True
            self.update(self.cursor_rect())
        if not self._blink_timer.isActive():
            self._blink_as_needed()

    def _blink_as_needed(self) -> None:
        flash = QGuiApplication.styleHints().cursorFlashTime()
        blinks = self._cursor.blinking and self._cursor.shown and flash > 1
        if blinks and self.hasFocus() and self.isVisible() and self._blinks_left > 0:
            if not self._blink_timer.isActive():
                self._blink_timer.start(flash // 2)
        else:
            self._blink_timer.stop()
            self._cursor_lit = True

    def _on_blink(self) -> None:
        self._blinks_left -= 1
        self._cursor_lit = not self._cursor_lit or self._blinks_left <= 0
        self._blink_as_needed()
        self.update(self.cursor_rect().adjusted(-1, 0, self._painter.metrics.cell_width, 0))

    def focus_changed(self) -> None:
        self._blinks_left = _BLINKS
        self._blink_as_needed()
        self._damage_row(self._cursor.row)

    # --- Qt ---

    def focusNextPrevChild(self, _next: bool) -> bool:
        return False  # Tab is a key like any other

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._resize_timer.isActive():
            self._resize_timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._apply_size()
        self._refresh()
        self._blink_as_needed()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._blink_timer.stop()
        self._frame_timer.stop()
        self._resize_timer.stop()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette = self._painter.palette
        painter.fillRect(event.rect(), self._painter.colour(palette.background))
        screen = self._emulation.screen
        if screen is None:
            return
        metrics = self._painter.metrics
        columns, rows = self._grid
        first = max(0, (event.rect().top() - _PADDING) // metrics.cell_height)
        last = min(rows - 1, (event.rect().bottom() - _PADDING) // metrics.cell_height)
        region = event.region()
        for index in range(first, last + 1):
            rect = self._cell_rect(0, index, columns)
            if region.intersects(rect):
                matches = self._matches.get(index, ())
                self._painter.paint(
                    painter, _PADDING, rect.y(), screen.row(index), columns, matches
                )
        self._paint_cursor(painter, screen.row(self._cursor.row))
        self._aloud.touch()

    def lines(self) -> list[str]:
        """What is on the screen, line by line."""
        screen = self._emulation.screen
        if screen is None:
            return []
        found = []
        for index in range(self._grid[1]):
            line = ""
            for run in screen.row(index).runs:
                line = line.ljust(run.column) + run.text
            found.append(line.rstrip())
        return found

    def _paint_cursor(self, painter: QPainter, row: Row) -> None:
        cursor = self._cursor
        if self.preedit:
            self._paint_preedit(painter)
            return
        if not cursor.shown or not self._cursor_lit:
            return
        run = next((r for r in row.runs if r.column <= cursor.column < r.column + r.cells), None)
        rect = self._cell_rect(cursor.column, cursor.row, run.cells if run and run.cluster else 1)
        colour = self._painter.colour(self._painter.palette.cursor)
        if not self.hasFocus():
            painter.setPen(QPen(colour, 1))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        elif cursor.shape == "bar":
            painter.fillRect(rect.x(), rect.y(), 2, rect.height(), colour)
        elif cursor.shape == "underline":
            painter.fillRect(rect.x(), rect.bottom() - 1, rect.width(), 2, colour)
        else:
            painter.fillRect(rect, colour)
            self._paint_under_cursor(painter, rect, row, cursor)

    def _paint_under_cursor(self, painter: QPainter, rect: QRect, row: Row, cursor: Cursor) -> None:
        """The character in the block, in the colour that is legible on it."""
        for run in row.runs:
            if run.column <= cursor.column < run.column + run.cells:
                text = run.text if run.cluster else run.text[cursor.column - run.column]
                painter.setClipRect(rect)
                painter.setPen(self._painter.colour(self._painter.palette.on_cursor))
                painter.setFont(self._painter.metrics.face(run.style))
                painter.drawText(rect.x(), rect.y() + self._painter.metrics.ascent, text)
                painter.setClipping(False)
                return

    def _paint_preedit(self, painter: QPainter) -> None:
        """What an input method is composing, where it will go."""
        metrics = self._painter.metrics
        rect = self._cell_rect(self._cursor.column, self._cursor.row, 2 * len(self.preedit))
        painter.fillRect(rect, QColor(self._theme.colour("accent_surface")))
        painter.setPen(self._theme.colour("text"))
        painter.setFont(metrics.shaped)
        painter.drawText(rect.x(), rect.y() + metrics.ascent, self.preedit)
        painter.fillRect(rect.x(), rect.bottom(), rect.width(), 1, self._theme.colour("accent"))
