"""The tools of a log panel, on one row where there is room and on two where there is not."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QToolButton, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.log.query import LogRange
from dockdesk.ui.widgets.log.range_button import RangeButton
from dockdesk.ui.widgets.log.search_bar import SearchBar, ToggleButton
from dockdesk.ui.widgets.plain import plain_tip

_ONE_ROW = 780
_REDUCED_ROW = 560
_NARROW_ROW = 490
_LEAST_ROW = 220


class OutputsButton(QToolButton):
    """Which outputs to load: `chosen` with stdout and stderr, at least one of them on."""

    chosen = Signal(bool, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self)
        self.stdout = menu.addAction("Standard output")
        self.stderr = menu.addAction("Standard error")
        for action in (self.stdout, self.stderr):
            action.setCheckable(True)
            action.setChecked(True)
        self.stdout.triggered.connect(lambda: self._on_triggered(self.stderr))
        self.stderr.triggered.connect(lambda: self._on_triggered(self.stdout))
        self.setMenu(menu)
        self._describe()

    def _on_triggered(self, other: object) -> None:
        out, err = self.stdout.isChecked(), self.stderr.isChecked()
        if not out and not err:
            # The last one went off: the other takes its place, so that there is something to see.
            (self.stdout if other is self.stdout else self.stderr).setChecked(True)
            out, err = self.stdout.isChecked(), self.stderr.isChecked()
        self._describe()
        self.chosen.emit(out, err)

    def _describe(self) -> None:
        out, err = self.stdout.isChecked(), self.stderr.isChecked()
        words = "Outputs: both"
        if out != err:
            words = "Outputs: standard output" if out else "Outputs: standard error"
        self.setIcon(self._theme.icon("terminal", "muted" if out and err else "accent"))
        self.setToolTip(plain_tip(words))
        self.setAccessibleName(words)


class LogToolbar(QWidget):
    """Buttons only; their panel connects them."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.follow = ToggleButton(theme, "arrow-bar-to-down", "Follow the newest line", "End")
        self.wrap = ToggleButton(theme, "text-wrap", "Wrap long lines")
        self.stamps = ToggleButton(theme, "clock", "Show timestamps")
        self.outputs = OutputsButton(theme)
        self.range = RangeButton(theme)
        self.search = SearchBar(theme)
        self.copy = IconButton(theme, "copy", "Copy the selection, or all lines shown", "Ctrl+C")
        self.save = IconButton(theme, "device-floppy", "Save the lines shown to a file", "Ctrl+S")
        self.clear = IconButton(theme, "clear-all", "Clear the view; the log itself stays")
        self.follow.setChecked(True)
        left = _row(self.follow, self.wrap, self.stamps, self.outputs, self.range)
        right = _row(self.copy, self.save, self.clear)
        self._parts = (left, self.search, right)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(8, 6, 8, 6)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._rows = 0
        self._reduced = False
        self._arrange(1)
        order: tuple[QWidget, ...] = (
            self.follow, self.wrap, self.stamps, self.outputs, self.range, self.search.field,
            self.search.case, self.search.expression, self.search.filter, self.search.previous,
            self.search.next, self.copy, self.save, self.clear,
        )  # fmt: skip
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def reduce(self) -> None:
        """Leave out what asks the source for other lines: for a log that is here already."""
        for tool in (self.stamps, self.outputs, self.range, self.clear):
            tool.hide()
        self._reduced = True
        self._fit()

    def show_range(self, chosen: LogRange) -> None:
        self.range.set_range(chosen)

    def minimumSizeHint(self) -> QSize:
        """That of two rows, so that a panel can be made as narrow as they are."""
        left, search, right = (part.minimumSizeHint().width() for part in self._parts)
        if self._reduced:
            return QSize(_LEAST_ROW, super().minimumSizeHint().height())
        margins = self._grid.contentsMargins()
        wide = max(left + self._grid.horizontalSpacing() + right, search)
        return QSize(wide + margins.left() + margins.right(), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._reduced:
            # One row always; copying and saving are in the menu and on keys, too.
            self._arrange(1)
            self._parts[2].setVisible(self.width() >= _REDUCED_ROW)
            self.search.set_narrow(self.width() < _NARROW_ROW)
        else:
            self._arrange(1 if self.width() >= _ONE_ROW else 2)

    def _arrange(self, rows: int) -> None:
        if rows == self._rows:
            return
        self._rows = rows
        left, search, right = self._parts
        for part in self._parts:
            self._grid.removeWidget(part)
        self._grid.addWidget(left, 0, 0)
        self._grid.addWidget(right, 0, 2, Qt.AlignmentFlag.AlignRight)
        if rows == 1:
            self._grid.addWidget(search, 0, 1)
        else:
            self._grid.addWidget(search, 1, 0, 1, 3)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for widget in widgets:
        layout.addWidget(widget)
    return row
