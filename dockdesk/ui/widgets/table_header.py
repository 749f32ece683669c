"""The header of a table: quiet titles, an arrow where rows are sorted, and columns that fit, move and hide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QMouseEvent,
    QPainter,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QHeaderView, QMenu, QWidget

from dockdesk.core.columns import CellKind, Column
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.table_paint import PAD, CellPainter
from dockdesk.ui.widgets.viewport import own_viewport

_MINIMUM = 48
_HEIGHT = 36
_LEAST_STRETCHED, _LEAST = 0.6, 0.8  # parts of its width that a column may be narrowed to
_LARGEST_FIRST = frozenset({CellKind.NUMBER, CellKind.SPARK, CellKind.BAR})


class TableHeader(QHeaderView):
    """Widths, order and visibility of columns. Those with ``stretch`` share what the others leave.

    What the user has dragged to a width stays at it. Figures sort with the largest first.
    """

    def __init__(
        self,
        theme: Theme,
        painter: CellPainter,
        columns: Sequence[Column[Any]],
        sorted_by: Callable[[], tuple[str, bool]],
        sort_by: Callable[[str, bool], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self._cells = painter
        self._columns = tuple(columns)
        self._sorted_by = sorted_by
        self._sort_by = sort_by
        self._chosen: dict[str, int] = {}
        self._fitting = False
        self._pressed = False
        self._hovered = -1
        own_viewport(self, QPalette.ColorRole.Button)
        self.setSectionsClickable(True)
        self.setSectionsMovable(True)
        self.setHighlightSections(False)
        self.setMinimumSectionSize(_MINIMUM)
        self.setMouseTracking(True)
        self.setAccessibleName("Columns")
        self.sectionClicked.connect(self._on_section_clicked)
        self.sectionResized.connect(self._on_section_resized)

    def begin(self) -> None:
        """Hide what is hidden at first; once the view has its model."""
        for number, column in enumerate(self._columns):
            self.setSectionHidden(number, column.hidden)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A table that is hidden while it is laid out has no width to fit columns into before it is shown."""
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Give every column its width in the room there is."""
        shown = [n for n in range(self.count()) if not self.isSectionHidden(n)]
        size = self._cells.size
        chosen = {
            n: self._chosen[self._columns[n].id]
            for n in shown
            if self._columns[n].id in self._chosen
        }
        wishes = {n: round(self._columns[n].width * size) for n in shown if n not in chosen}
        room = self.viewport().width() - sum(chosen.values())
        stretching = [n for n in wishes if self._columns[n].stretch]
        surplus = room - sum(wishes.values())
        if surplus >= 0:
            widths = _shared(wishes, stretching, surplus)
        else:
            # Those that stretch give way first, then the others a little; after that the table scrolls.
            others = [n for n in wishes if n not in stretching]
            widths = _shrunk(wishes, self._least(wishes, stretching), surplus)
            lacking = min(0, room - sum(widths.values()))
            widths = _shrunk(widths, self._least(wishes, others), lacking)
        widths |= chosen
        self._fitting = True
        for number, width in widths.items():
            self.resizeSection(number, max(_MINIMUM, width))
        self._fitting = False

    def _least(self, wishes: Mapping[int, int], numbers: Sequence[int]) -> dict[int, int]:
        """How narrow these columns may get. A state must stay legible, and a name longer than the rest."""
        least: dict[int, int] = {}
        for n in numbers:
            column = self._columns[n]
            part = _LEAST_STRETCHED if column.stretch else _LEAST
            if column.kind is CellKind.STRONG:
                part = _LEAST
            elif column.kind is CellKind.PILL:
                part = 1.0
            least[n] = max(_MINIMUM, round(wishes[n] * part))
        return least

    def menu(self, parent: QWidget) -> QMenu:
        """Which columns are shown, what rows are sorted by, and back to how it was."""
        menu = QMenu(parent)
        shown = [n for n in range(self.count()) if not self.isSectionHidden(n)]
        for number, column in enumerate(self._columns):
            action = QAction(column.title.replace("&", "&&"), menu)
            action.setCheckable(True)
            action.setChecked(number in shown)
            action.setEnabled(shown != [number])
            action.toggled.connect(lambda on, n=number: self.show_column(n, on))
            menu.addAction(action)
        menu.addSeparator()
        sorting = menu.addMenu("Sort by")
        now, descending = self._sorted_by()
        for column in self._columns:
            action = QAction(column.title.replace("&", "&&"), sorting)
            action.setCheckable(True)
            action.setChecked(column.id == now)
            action.triggered.connect(lambda _on, c=column: self._toggle_sort(c))
            sorting.addAction(action)
        if now:
            sorting.addSeparator()
            reverse = QAction("Reverse order", sorting)
            reverse.triggered.connect(lambda: self._sort_by(now, not descending))
            sorting.addAction(reverse)
        menu.addSeparator()
        again = QAction("Reset columns", menu)
        again.triggered.connect(self.reset_columns)
        menu.addAction(again)
        return menu

    def show_column(self, number: int, on: bool) -> None:
        self.setSectionHidden(number, not on)
        self.fit()

    def reset_columns(self) -> None:
        """Widths, order and visibility as they were at first."""
        self._chosen.clear()
        for number in range(self.count()):
            self.moveSection(self.visualIndex(number), number)
        self.begin()
        self.fit()

    def save(self) -> list[dict[str, Any]]:
        """Columns from left to right as plain values: id, hidden, and the width the user gave, or None."""
        return [
            {
                "id": self._columns[number].id,
                "hidden": self.isSectionHidden(number),
                "width": self._chosen.get(self._columns[number].id),
            }
            for number in (self.logicalIndex(place) for place in range(self.count()))
        ]

    def restore(self, saved: Any) -> None:
        """Take back what `save` gave; columns that it does not know, and whatever makes no sense, stay as they are."""
        entries = (
            [item for item in saved if isinstance(item, Mapping)] if isinstance(saved, list) else []
        )
        numbers = {column.id: number for number, column in enumerate(self._columns)}
        place = 0
        for entry in entries:
            number = (
                numbers.pop(entry.get("id", ""), None) if isinstance(entry.get("id"), str) else None
            )
            if number is None:
                continue
            self.moveSection(self.visualIndex(number), place)
            place += 1
            self.setSectionHidden(number, entry.get("hidden") is True)
            width = entry.get("width")
            if isinstance(width, int) and not isinstance(width, bool) and _MINIMUM <= width <= 4000:
                self._chosen[self._columns[number].id] = width
        if all(self.isSectionHidden(number) for number in range(self.count())):
            self.begin()
        self.fit()

    def sizeHint(self) -> QSize:
        # Qt's own would measure every title, and the table only takes the height.
        return QSize(self.length(), round(_HEIGHT * max(1.0, self._cells.size)))

    # What the user does.

    def _on_section_clicked(self, number: int) -> None:
        self._toggle_sort(self._columns[number])

    def _toggle_sort(self, column: Column[Any]) -> None:
        now, descending = self._sorted_by()
        self._sort_by(
            column.id, not descending if now == column.id else column.kind in _LARGEST_FIRST
        )

    def _on_section_resized(self, number: int, _old: int, new: int) -> None:
        if self._fitting or not new:
            return
        if self._pressed:  # by the user: dragged, or fitted with a double click
            self._chosen[self._columns[number].id] = new
            self.fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = True
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pressed = True
        super().mouseDoubleClickEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        self._pressed = False

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.menu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(event.globalPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(self.logicalIndexAt(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, number: int) -> None:
        if number != self._hovered:
            self._hovered = number
            self.viewport().update()

    # Painting.

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        if not rect.isValid():
            return
        cells, column = self._cells, self._columns[logicalIndex]
        painter.save()
        painter.fillRect(rect, cells.colour("panel"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, cells.colour("line"))
        now, descending = self._sorted_by()
        sorted_here = now == column.id
        painter.setFont(self._theme.font("strong"))
        painter.setPen(
            cells.colour("text" if sorted_here or logicalIndex == self._hovered else "muted")
        )
        arrow = 16 if sorted_here else 0
        title, advance = cells.fit("strong", column.title, rect.width() - 2 * PAD - arrow)
        right = column.kind is CellKind.NUMBER
        left = rect.right() + 1 - PAD - advance if right else rect.left() + PAD
        top = rect.top()
        baseline = top + rect.height() / 2 + painter.fontMetrics().ascent() / 2 - 1.5
        painter.drawText(QPointF(left, baseline), title)
        if sorted_here:
            x = left - 10 if right else left + advance + 10
            self._paint_arrow(painter, x, top + rect.height() / 2, descending)
        painter.restore()

    def paintEvent(self, event: Any) -> None:
        painter = QPainter(self.viewport())
        area = self.viewport().rect()
        painter.fillRect(area, self._cells.colour("panel"))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, self._cells.colour("line"))
        painter.end()
        super().paintEvent(event)

    def _paint_arrow(self, painter: QPainter, x: float, y: float, descending: bool) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self._cells.colour("text"), 1.6))
        d = 2.0 if descending else -2.0
        painter.drawPolyline(
            QPolygonF([QPointF(x - 4, y - d), QPointF(x, y + d), QPointF(x + 4, y - d)])
        )


def _shared(wishes: Mapping[int, int], stretching: Sequence[int], surplus: int) -> dict[int, int]:
    """``wishes`` with ``surplus`` pixels more, given to the stretching ones by their widths."""
    widths = dict(wishes)
    weight = sum(wishes[n] for n in stretching)
    for n in stretching:
        share = surplus * wishes[n] // weight
        widths[n] += share
        surplus -= share
        weight -= wishes[n]
    return widths


def _shrunk(wishes: Mapping[int, int], least: Mapping[int, int], surplus: int) -> dict[int, int]:
    """``wishes`` with up to ``-surplus`` pixels less, taken from those in ``least`` by what each can spare."""
    widths = dict(wishes)
    spare = sum(wishes[n] - minimum for n, minimum in least.items())
    wanted = min(-surplus, spare)
    for n, minimum in least.items():
        if spare <= 0:
            break
        share = wanted * (wishes[n] - minimum) // spare
        widths[n] -= share
        wanted -= share
        spare -= wishes[n] - minimum
    return widths
