"""Time charts: making, drawing, following live samples, panning; beside pyqtgraph where it is installed."""

from __future__ import annotations

import importlib.util
import math
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QGridLayout, QWidget

from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.chart import Sparkline, TimeChart, Unit
from tests.benchmarks.harness import (
    FRAME_MS,
    Report,
    application,
    best_of,
    cpu,
    main,
    rss_mib,
    spin,
    stalls,
)

_DAY = 86_400
_NOW = 1_760_000_000.0


def _noisy(count: int, seed: int) -> list[float]:
    chooser = random.Random(seed)
    return [
        50 + 30 * math.sin(number / 400 + seed) + chooser.uniform(-8, 8) for number in range(count)
    ]


def _chart(theme: Theme, lines: int, samples: int) -> TimeChart:
    chart = TimeChart(theme, Unit.PERCENT, "CPU")
    chart.resize(900, 320)
    times = [_NOW - samples + number for number in range(samples)]
    for number in range(lines):
        chart.add_series(str(number), f"container-{number}")
        chart.set_samples(str(number), times, _noisy(samples, number))
    chart.show_range(_NOW - samples, _NOW)
    return chart


def _drawing(theme: Theme, report: Report) -> None:
    made: list[TimeChart] = []
    report.add(
        "making a chart", best_of(lambda: made.append(TimeChart(theme)), 20), "ms", limit=FRAME_MS
    )
    for chart in made:
        chart.deleteLater()
    for lines, samples, name in (
        (1, 600, "10 min"),
        (4, 600, "10 min"),
        (4, _DAY, "a day"),
        (8, _DAY, "a day"),
    ):
        chart = _chart(theme, lines, samples)
        chart.show()
        spin(0.05)
        canvas = chart._canvas

        def draw(canvas: object = canvas) -> None:
            canvas.refresh()  # type: ignore[attr-defined]
            canvas.repaint()  # type: ignore[attr-defined]

        report.add(
            f"drawing {lines} lines of {name} at 1 Hz", best_of(draw, 10), "ms", limit=FRAME_MS
        )
        canvas._set_hover(400.0)
        report.add(
            f"moving the crosshair over {lines} lines of {name}", best_of(canvas.repaint, 10), "ms"
        )
        chart.close()
        chart.deleteLater()


def _panning(theme: Theme, report: Report) -> None:
    chart = _chart(theme, 4, _DAY)
    chart.show()
    spin(0.1)
    timer = QTimer()
    timer.setInterval(16)
    steps = iter(range(10_000))

    def pan() -> None:
        next(steps)
        chart._range.pan(-30)
        chart._canvas.refresh()

    timer.timeout.connect(pan)
    with stalls() as meter:
        timer.start()
        spin(2.0)
        timer.stop()
    report.add("panning 4 lines of a day: longest stall", meter.longest, "ms", limit=FRAME_MS)
    report.add("panning 4 lines of a day: GUI thread busy at a stretch", meter.busy, "ms")
    chart.close()
    chart.deleteLater()


def _live(theme: Theme, report: Report) -> None:
    """A hundred small charts, each with a new sample a second."""
    page = QWidget()
    grid = QGridLayout(page)
    start = time.perf_counter()
    charts = [TimeChart(theme, Unit.PERCENT, f"c{number}") for number in range(100)]
    for number, chart in enumerate(charts):
        chart.add_series("cpu", "cpu")
        grid.addWidget(chart, number // 10, number % 10)
    report.add("making 100 charts", (time.perf_counter() - start) * 1000, "ms")
    page.resize(2000, 1600)
    for chart in charts:
        chart.set_samples("cpu", [_NOW - 300 + n for n in range(300)], _noisy(300, 1))
        chart.follow(300)
    page.show()
    spin(1.0)
    turn = iter(range(1_000_000))

    def sample() -> None:
        number = next(turn)
        charts[number % 100].append("cpu", _NOW + number / 100, 50 + number % 30)

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(sample)
    with stalls() as meter, cpu() as used:
        timer.start()
        spin(3.0)
        timer.stop()
    report.add("100 charts at 1 Hz: CPU", used.percent, "% of a core", limit=40)
    report.add("100 charts at 1 Hz: longest stall", meter.longest, "ms", limit=FRAME_MS)
    report.add("100 charts at 1 Hz: GUI thread busy at a stretch", meter.busy, "ms")
    page.hide()
    with cpu() as used:
        timer.start()
        spin(2.0)
        timer.stop()
    report.add("100 hidden charts at 1 Hz: CPU", used.percent, "% of a core", limit=5)
    page.deleteLater()


def _sparklines(theme: Theme, report: Report) -> None:
    page = QWidget()
    grid = QGridLayout(page)
    sparks = [Sparkline(theme) for _ in range(200)]
    for number, spark in enumerate(sparks):
        spark.set_values(_noisy(60, number))
        grid.addWidget(spark, number // 10, number % 10)
    page.resize(1200, 800)
    page.show()
    spin(0.2)
    report.add("painting 200 sparklines", best_of(lambda: page.grab(), 5), "ms")
    page.close()
    page.deleteLater()


_PEER = """
import time, sys
from PySide6.QtWidgets import QApplication
app = QApplication([])
start = time.perf_counter()
import numpy as np, pyqtgraph as pg
imported = (time.perf_counter() - start) * 1000
pg.setConfigOptions(antialias=True)
plot = pg.PlotWidget()
plot.resize(900, 320)
for number in range(4):
    x = np.arange(86400.0)
    y = 50 + 30 * np.sin(x / 400 + number) + np.random.default_rng(number).uniform(-8, 8, 86400)
    curve = plot.plot(x, y, pen=pg.mkPen("b", width=1.5), fillLevel=0, brush=(0, 0, 255, 40))
    curve.setDownsampling(auto=True, method="peak")
    curve.setClipToView(True)
plot.show()
for _ in range(5):
    app.processEvents()
best = 1e9
for turn in range(8):
    plot.setXRange(turn, 86400 + turn, padding=0)
    start = time.perf_counter()
    plot.viewport().repaint()
    best = min(best, (time.perf_counter() - start) * 1000)
print(imported, best)
"""


def _peer(report: Report) -> None:
    if importlib.util.find_spec("pyqtgraph") is None:
        return
    done = subprocess.run(
        [sys.executable, "-c", _PEER], capture_output=True, text=True, check=True, timeout=120
    )
    imported, drawing = map(float, done.stdout.split()[-2:])
    report.add("pyqtgraph: importing it and numpy", imported, "ms", peer="pyqtgraph")
    report.add("pyqtgraph: drawing 4 lines of a day at 1 Hz", drawing, "ms", peer="pyqtgraph")


def run(report: Report) -> None:
    theme = Theme(LIGHT)
    theme.apply(application())
    before = rss_mib()
    _drawing(theme, report)
    _panning(theme, report)
    _live(theme, report)
    _sparklines(theme, report)
    report.add("memory taken by all of these", rss_mib() - before, "MiB")
    _peer(report)


if __name__ == "__main__":
    main("charts", run)
