"""What the theme costs: at the start, and in a full window when it changes from light to dark."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QGridLayout,
    QLineEdit,
    QPlainTextEdit,
    QStackedWidget,
    QTreeWidget,
    QWidget,
)

from dockdesk.ui.theme import DARK, Theme
from dockdesk.ui.theme.palette import make_palette
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.labels import PlainLabel
from tests.benchmarks.harness import FRAME_MS, Report, application, main, spin, stalls

_PAGES = 8
_CHANGES = 6


def _page(theme: Theme) -> QWidget:
    page = QWidget()
    grid = QGridLayout(page)
    for number in range(80):
        tone = ("neutral", "muted", "good", "bad")[number % 4]
        label = PlainLabel(theme, f"label {number}", "body", tone)
        grid.addWidget(label, number // 8, number % 8)
    made: list[QWidget] = []
    for _ in range(8):
        made += [IconButton(theme, "refresh", "Reload"), Button(theme, "Prune", "trash")]
        made += [QLineEdit("text"), QComboBox()]
    for number, widget in enumerate(made):
        grid.addWidget(widget, 10 + number // 8, number % 8)
    grid.addWidget(QPlainTextEdit("line\n" * 100), 20, 0, 1, 4)
    grid.addWidget(QTreeWidget(), 20, 4, 1, 4)
    return page


def run(report: Report) -> None:
    app = application()
    start = time.perf_counter()
    theme = Theme()
    theme.apply(app)
    report.add(
        "fonts, palette and style at the start",
        (time.perf_counter() - start) * 1000,
        "ms",
        limit=20,
    )

    window = QStackedWidget()
    for _ in range(_PAGES):
        window.addWidget(_page(theme))
    window.resize(1440, 900)
    window.show()
    spin(0.5)
    report.add("widgets in the window", len(QApplication.allWidgets()), "", at_least=1000)

    with stalls() as idle:
        spin(1.0)
    longest, settled = 0.0, 0.0
    for number in range(_CHANGES):
        with stalls() as meter:
            begun = time.perf_counter()
            theme.set_mode("light" if number % 2 else "dark")
            while theme.changing():
                spin(0.005)
            settled = max(settled, (time.perf_counter() - begun) * 1000)
        longest = max(longest, meter.longest)
    report.add("longest stall of a change", longest, "ms", limit=FRAME_MS, floor=idle.longest)
    report.add("change seen everywhere after", settled, "ms")

    # What was avoided: replacing the style sheet polishes every widget at once.
    sheet = app.styleSheet()
    begun = time.perf_counter()
    app.setPalette(make_palette(DARK))
    app.setStyleSheet(sheet + " ")
    report.add("a new style sheet instead", (time.perf_counter() - begun) * 1000, "ms")
    window.close()


if __name__ == "__main__":
    main("theme", run)
