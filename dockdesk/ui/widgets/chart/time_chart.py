"""A chart of quantities over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dockdesk.bridge.jobs import Jobs
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.chart.canvas import ChartCanvas
from dockdesk.ui.widgets.chart.export import Table, write_csv, write_png
from dockdesk.ui.widgets.chart.legend import Legend
from dockdesk.ui.widgets.chart.model import Band, ChartModel, Event, Line, Threshold
from dockdesk.ui.widgets.chart.range import TimeRange
from dockdesk.ui.widgets.chart.samples import Samples
from dockdesk.ui.widgets.chart.units import Unit, value_text
from dockdesk.ui.widgets.plain import one_line


class _Value(QWidget):
    """The newest value. A label would have the whole page laid out anew with every sample."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.text = ""

    def show_text(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.setAccessibleName(text)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self._theme.font("body", tabular=True))
        painter.setPen(self._theme.colour("muted"))
        room = self.rect()
        text = painter.fontMetrics().elidedText(
            self.text, Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class TimeChart(QWidget):
    """Several series on one time axis: live and sliding, or a range of the past.

    Drawn with QPainter alone. pyqtgraph was measured and left out: with numpy it takes 380 ms to import, most of it
    with the interpreter locked, and its path for a thick line over noisy data 14 ms a frame against 2 ms for segments
    (lines.py). Minima and maxima are kept as samples come (samples.py), so a day at one sample a second is as quick to
    draw as a minute.

    With ``jobs`` the chart can be saved as a picture and as CSV, off the GUI thread. Times are seconds since 1970.
    """

    saved = Signal(object)  # the Path of what was saved

    def __init__(
        self,
        theme: Theme,
        unit: Unit = Unit.COUNT,
        title: str = "",
        jobs: Jobs | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._unit = unit
        self._model = ChartModel()
        self._range = TimeRange()
        self._title = QLabel(one_line(title))
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._value = _Value(theme)
        self._canvas = ChartCanvas(theme, self._model, self._range, unit, self)
        self._canvas.setAccessibleName(title or "Chart")
        self._legend = Legend(theme, self._model, unit, self)
        self._pause = self._tool("player-pause", "Pause", self._on_pause_clicked)
        self._back = self._tool(
            "rotate-clockwise", "Back to the whole range (double click)", self.reset
        )
        self._save = self._tool("download", "Save…", self._on_save_clicked)
        self._lay_out()
        self._canvas.moved.connect(self._show_state)
        self._legend.toggled.connect(self._on_toggled)
        theme.changed.connect(self._dress)
        self._dress()
        self._legend.sync()
        self._show_state()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title)
        head.addWidget(self._value, 1)
        for tool in (self._back, self._pause, self._save):
            head.addWidget(tool)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._legend)
        column.addWidget(self._canvas, 1)

    def _tool(self, icon: str, tip: str, clicked: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(self._theme.icon(icon, "muted", 16))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda: clicked())
        return button

    # --- Series ---

    def add_series(
        self,
        key: str,
        name: str,
        *,
        colour: int | None = None,
        filled: bool | None = None,
        stepped: bool = False,
        capacity: int = 100_000,
        gap_after: float = 15.0,
    ) -> None:
        """Have a line for ``key``. ``colour`` counts into the theme's series colours, else the next free one.

        ``capacity`` samples are kept; ``gap_after`` seconds without one the line is broken. By default the areas of up
        to two lines are filled. A ``stepped`` line holds each value until the next sample: for counts.
        """
        if key in self._model.lines:
            self._model.lines[key].name = one_line(name)
            self._legend.sync()
            return
        used = {line.colour for line in self._model.lines.values()}
        free = next(number for number in range(len(used) + 1) if number not in used)
        number = free if colour is None else colour
        line = Line(key, one_line(name), Samples(capacity, gap_after), number, filled, stepped)
        self._model.lines[key] = line
        self._legend.sync()
        self._canvas.refresh()

    def remove_series(self, key: str) -> None:
        if self._model.lines.pop(key, None) is not None:
            self._legend.sync()
            self._show_value()
            self._canvas.refresh()

    def append(self, key: str, time: float, value: float | None) -> None:
        """Add a sample to a line; None for one that is missing."""
        line = self._model.lines[key]
        if line.samples.append(time, value):
            self._range.saw(time)
            self._changed()

    def set_samples(self, key: str, times: Sequence[float], values: Sequence[float | None]) -> None:
        """Give a line a whole history instead of what it has."""
        samples = self._model.lines[key].samples
        samples.replace(times, values)
        if samples.last_time is not None:
            self._range.saw(samples.last_time)
        self._changed()

    def clear(self) -> None:
        """Forget all samples and events; the lines stay."""
        for line in self._model.lines.values():
            line.samples.replace((), ())
        self._model.events.clear()
        self._changed()

    # --- Marks ---

    def set_band(self, low: float, high: float, label: str = "") -> None:
        """Show a range that is meant to be kept."""
        self._model.band = Band(low, high, one_line(label))
        self._canvas.refresh()

    def clear_band(self) -> None:
        self._model.band = None
        self._canvas.refresh()

    def set_thresholds(self, thresholds: Sequence[Threshold]) -> None:
        """Show values that matter, such as a limit, as dashed lines."""
        self._model.thresholds = [replace(each, label=one_line(each.label)) for each in thresholds]
        self._canvas.refresh()

    def set_events(self, events: Sequence[Event]) -> None:
        """Mark what happened, such as deployments."""
        shown = [replace(event, label=one_line(event.label)) for event in events]
        self._model.events = sorted(shown, key=lambda event: event.time)
        self._canvas.refresh()

    def add_event(self, event: Event) -> None:
        self.set_events([*self._model.events, event])

    def set_high(self, high: float | None) -> None:
        """Fix the upper end of the value axis, such as 100 %; None follows the data."""
        self._canvas.painter_of_chart.fixed_high = high
        self._canvas.refresh()

    # --- Time ---

    def follow(self, seconds: float) -> None:
        """Show the last ``seconds``, sliding as samples come."""
        self._range.follow(seconds)
        self._moved()

    def show_range(self, start: float, end: float) -> None:
        """Show a range of the past."""
        self._range.fix(start, end)
        self._moved()

    def reset(self) -> None:
        """Undo zooming and panning."""
        self._range.reset()
        self._moved()

    def set_paused(self, paused: bool) -> None:
        """Stand still; samples are kept and shown when it goes on."""
        if paused != self._range.paused:
            self._range.pause(paused)
            self._moved()

    @property
    def paused(self) -> bool:
        return self._range.paused

    @property
    def shown_range(self) -> tuple[float, float]:
        return self._range.current()

    @property
    def live(self) -> bool:
        return self._range.live

    def set_tools_visible(self, visible: bool) -> None:
        """Whether the title row has its buttons: small charts do without."""
        for tool in (self._pause, self._save, self._back):
            tool.setProperty("unwanted", not visible)
        self._show_state()

    # --- Files ---

    def picture(self) -> QImage:
        """The chart as it stands, on the panel's colour."""
        scale = max(2.0, self.devicePixelRatioF())
        size = self.size()
        image = QImage(
            round((size.width() + 24) * scale),
            round((size.height() + 24) * scale),
            QImage.Format.Format_RGB32,
        )
        image.setDevicePixelRatio(scale)
        image.fill(self._theme.colour("panel"))
        tools = [tool for tool in (self._pause, self._save, self._back) if tool.isVisible()]
        for tool in tools:
            tool.hide()
        painter = QPainter(image)
        flags = QWidget.RenderFlag.DrawChildren | QWidget.RenderFlag.IgnoreMask
        with self._canvas.printed(scale):
            self.render(painter, QPoint(12, 12), renderFlags=flags)
        painter.end()
        for tool in tools:
            tool.show()
        return image

    def table(self) -> Table:
        """A copy of all samples."""
        lines = list(self._model.lines.values())
        return Table([line.name for line in lines], [line.samples.rows() for line in lines])

    def save_picture(self, path: Path) -> None:
        """Write a PNG in the background; `saved` or a notice follows."""
        image = self.picture()
        self._submit(lambda: write_png(image, path))

    def save_csv(self, path: Path) -> None:
        """Write a CSV in the background; `saved` or a notice follows."""
        table = self.table()
        self._submit(lambda: write_csv(table, path))

    def _submit(self, write: Callable[[], Path]) -> None:
        if self._jobs is None:
            raise RuntimeError("a chart without jobs cannot save")
        self._jobs.submit(self, lambda _work: write(), self.saved.emit, title="Save chart")

    def _on_save_clicked(self) -> None:
        self._save_menu().popup(self._save.mapToGlobal(QPoint(0, self._save.height())))

    def _save_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Picture (PNG)…", lambda: self._ask_where("png", self.save_picture))
        menu.addAction("Data (CSV)…", lambda: self._ask_where("csv", self.save_csv))
        return menu

    def _ask_where(self, kind: str, save: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self, "Save chart")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(kind)
        dialog.setNameFilter(f"{kind.upper()} (*.{kind})")
        dialog.selectFile(f"{self._title.text() or 'chart'}.{kind}".replace("/", "-"))
        dialog.fileSelected.connect(lambda name: save(Path(name)))
        dialog.open()

    # --- Show ---

    def _changed(self) -> None:
        if self._range.paused or not self.isVisible():
            return
        self._legend.show_values()
        self._show_value()
        self._canvas.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._legend.show_values()
        self._show_value()

    def _moved(self) -> None:
        self._canvas.refresh()
        self._show_state()

    def _on_toggled(self) -> None:
        self._canvas.refresh()

    def _on_pause_clicked(self) -> None:
        self.set_paused(not self.paused)

    def _show_state(self) -> None:
        paused = self._range.paused
        self._pause.setIcon(
            self._theme.icon("player-play" if paused else "player-pause", "muted", 16)
        )
        self._pause.setToolTip("Go on" if paused else "Pause")
        wanted = not self._pause.property("unwanted")
        self._pause.setVisible(wanted)
        self._back.setVisible(wanted and self._range.zoomed)
        self._save.setVisible(wanted and self._jobs is not None)
        if not paused:
            self._changed()

    def _show_value(self) -> None:
        """The newest value beside the title, where there is one line."""
        lines = list(self._model.lines.values())
        newest = lines[0].samples.last_value if len(lines) == 1 else None
        self._value.show_text("" if newest is None else value_text(newest, self._unit))

    def _dress(self) -> None:
        self._title.setFont(self._theme.font("strong"))
        self._title.setVisible(bool(self._title.text()))
        self._value.update()
