"""What the list of steps and their chart have in common: lines that are painted where they are seen, and chosen."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import plain_tip
from dockdesk.ui.widgets.read_aloud import ReadAloud
from dockdesk.ui.widgets.steps.items import LOOKS, StepItem, clock_text
from dockdesk.ui.widgets.viewport import own_viewport

Clock = Callable[[], float]

_TICK_MS = 200  # how often the time of what runs is painted anew


class StepRows(QAbstractScrollArea):
    """``chosen`` carries the key of the step that the user chose, ``activated`` that of one they want to go to.

    ``clock`` gives the time of the machine that does the steps, in seconds since 1970.
    """

    chosen = Signal(str)
    activated = Signal(str)

    line_height = 28
    head_height = 26
    grouped = True
    top = 0  # pixels above the first line

    def __init__(
        self, theme: Theme, clock: Clock = time.time, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._clock = clock
        self._items: tuple[StepItem, ...] = ()
        self._lines: list[StepItem | str] = []  # a string begins a group
        self._tops: list[int] = []
        self._at: dict[str, int] = {}  # key → line
        self._key = ""
        self._hovered = -1
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        own_viewport(self, QPalette.ColorRole.Base)
        self.viewport().setMouseTracking(True)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._aloud = ReadAloud(
            self, self._spoken, "Arrow keys choose a step, Enter goes to its line."
        )
        theme.changed.connect(self.viewport().update)

    # What is shown.

    @property
    def items(self) -> Sequence[StepItem]:
        return self._items

    @property
    def key(self) -> str:
        """The chosen step's."""
        return self._key

    def set_items(self, items: Sequence[StepItem]) -> None:
        """Show these, in this order; only what differs is painted."""
        before, self._items = self._items, tuple(items)
        same = len(before) == len(items) and all(
            old.key == new.key and old.group == new.group
            for old, new in zip(before, items, strict=True)
        )
        if not same:
            self._lay_out()
            self.viewport().update()
        else:
            changed: list[int] = []
            for old, new in zip(before, items, strict=True):
                if old is not new and old != new:
                    line = self._at[new.key]
                    self._lines[line] = new
                    changed.append(line)
            if changed:
                self._changed_in_place(changed)
        self._run_timer()

    def choose(self, key: str) -> None:
        """Show a step as the chosen one, and have it seen."""
        if key == self._key:
            return
        self._key = key
        self.reveal(key)
        self.viewport().update()

    def reveal(self, key: str) -> None:
        line = self._at.get(key)
        if line is None:
            return
        bar = self.verticalScrollBar()
        top, bottom = self._tops[line] - self.top, self._tops[line] + self.height_of(line)
        if line and isinstance(self._lines[line - 1], str):
            top -= self.height_of(line - 1)
        if top < bar.value():
            bar.setValue(top)
        elif bottom > bar.value() + self.viewport().height():
            bar.setValue(bottom - self.viewport().height())

    def _lay_out(self) -> None:
        self._lines, self._tops, self._at = [], [], {}
        top, group = self.top, ""
        for item in self._items:
            if self.grouped and item.group != group:
                group = item.group
                self._lines.append(group)
                self._tops.append(top)
                top += self.head_height
            self._at[item.key] = len(self._lines)
            self._lines.append(item)
            self._tops.append(top)
            top += self.line_height
        self._hovered = -1
        self._sync_bar(top)

    def _changed_in_place(self, lines: Sequence[int]) -> None:
        """Items on these lines changed, but not their order."""
        seen = self.viewport().rect()
        for line in lines:
            if (rect := self.rect_of(line)).intersects(seen):
                self.viewport().update(rect)
        for line in self.visible_lines():
            if isinstance(self._lines[line], str):
                self.viewport().update(self.rect_of(line))

    def _sync_bar(self, bottom: int | None = None) -> None:
        if bottom is None:
            bottom = self._tops[-1] + self.height_of(len(self._lines) - 1) if self._tops else 0
        bar = self.verticalScrollBar()
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(self.line_height)
        bar.setRange(0, max(0, bottom - self.viewport().height()))

    # Where lines are.

    def height_of(self, line: int) -> int:
        return self.head_height if isinstance(self._lines[line], str) else self.line_height

    def rect_of(self, line: int) -> QRect:
        """In the viewport."""
        top = self._tops[line] - self.verticalScrollBar().value()
        return QRect(0, top, self.viewport().width(), self.height_of(line))

    def line_of(self, key: str) -> int | None:
        return self._at.get(key)

    def group_items(self, line: int) -> Iterator[StepItem]:
        """The steps of the group that begins on a line."""
        for entry in self._lines[line + 1 :]:
            if isinstance(entry, str):
                return
            yield entry

    def visible_lines(self) -> Iterator[int]:
        top = self.verticalScrollBar().value()
        bottom = top + self.viewport().height()
        first = max(0, bisect_right(self._tops, top) - 1)
        for line in range(first, len(self._lines)):
            if self._tops[line] >= bottom:
                return
            yield line

    def item_at(self, point: QPoint) -> StepItem | None:
        for line in self.visible_lines():
            entry = self._lines[line]
            if isinstance(entry, StepItem) and self.rect_of(line).contains(point):
                return entry if point.y() >= self.top else None
        return None

    # Painting.

    def paint_line(self, painter: QPainter, line: int, rect: QRect) -> None:
        raise NotImplementedError

    def paint_under(self, painter: QPainter) -> None:
        """What stands behind the lines."""

    def paint_over(self, painter: QPainter) -> None:
        """What stands over the lines."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_under(painter)
        for line in self.visible_lines():
            rect = self.rect_of(line)
            if rect.intersects(event.rect()):
                self.paint_line(painter, line, rect)
        self.paint_over(painter)
        painter.end()
        self._aloud.touch()

    def paint_ground(self, painter: QPainter, item: StepItem, rect: QRect) -> None:
        """Behind a line: that it is chosen, under the pointer, or has the focus."""
        chosen = item.key == self._key
        hovered = 0 <= self._hovered < len(self._lines) and self._lines[self._hovered] is item
        if chosen or hovered:
            painter.fillRect(rect, self._theme.colour("accent_surface" if chosen else "hover"))
        if chosen and self.hasFocus():
            painter.fillRect(
                QRect(rect.left(), rect.top(), 2, rect.height()), self._theme.colour("accent")
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._sync_bar()
        self.reveal(self._key)

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run_timer()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _run_timer(self) -> None:
        runs = any(item.state == "running" for item in self._items)
        if runs and self.isVisible():
            if not self._timer.isActive():
                self._timer.start()
        else:
            self._timer.stop()

    def _on_tick(self) -> None:
        for line in self.visible_lines():
            entry = self._lines[line]
            if isinstance(entry, StepItem) and entry.state == "running":
                self.viewport().update(self.rect_of(line))

    # The pointer and keys.

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position().toPoint())
        line = self._at[item.key] if item is not None else -1
        if line != self._hovered:
            self._hovered = line
            self.viewport().update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = -1
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position().toPoint())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose_as_user(item.key)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        item = self.item_at(event.position().toPoint())
        if item is not None and event.button() == Qt.MouseButton.LeftButton:
            self.activated.emit(item.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = [entry.key for entry in self._lines if isinstance(entry, StepItem)]
        key = Qt.Key(event.key())
        if not keys:
            super().keyPressEvent(event)
            return
        at = keys.index(self._key) if self._key in self._at else -1
        page = max(1, self.viewport().height() // self.line_height - 1)
        moves = {
            Qt.Key.Key_Up: max(0, at - 1),
            Qt.Key.Key_Down: min(len(keys) - 1, at + 1),
            Qt.Key.Key_PageUp: max(0, at - page),
            Qt.Key.Key_PageDown: min(len(keys) - 1, at + page),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: len(keys) - 1,
        }
        if key in moves:
            self._choose_as_user(keys[moves[key]])
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and at >= 0:
            self.activated.emit(self._key)
        else:
            super().keyPressEvent(event)

    def _choose_as_user(self, key: str) -> None:
        self.choose(key)
        self.chosen.emit(key)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            item = self.item_at(event.pos())
            text = plain_tip(self.tip(item)) if item is not None else ""
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return super().viewportEvent(event)

    def tip(self, item: StepItem) -> str:
        """What is said of a step where the pointer rests."""
        now = self._clock()
        took = clock_text(item.seconds(now)) if item.started is not None else ""
        words = LOOKS[item.state][2].capitalize()
        if item.state == "cached":
            words = "From the cache"
        elif took:
            words = f"{words} in {took}" if item.ended is not None else f"{words} for {took}"
        titles = [
            f"After: {entry.title[:80]}"
            for key in item.inputs
            if (line := self._at.get(key)) is not None
            and isinstance(entry := self._lines[line], StepItem)
        ]
        lines = [item.title, words, item.amount, *titles[:6], item.note]
        return "\n".join(line for line in lines if line)

    def _spoken(self) -> Iterator[str]:
        now = self._clock()
        for line in self.visible_lines():
            entry = self._lines[line]
            if isinstance(entry, str):
                yield entry
            else:
                yield f"{entry.title}: {LOOKS[entry.state][2]}, {clock_text(entry.seconds(now))}"
