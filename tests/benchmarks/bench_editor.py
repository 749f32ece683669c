"""The Dockerfile editor on 2,000 lines: from a key to its paint, opening, and the time until problems are told.

The floor of a key is that of a bare QPlainTextEdit with the same text in the same font.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
from bench_tour import dockerfile, load_later
from harness import FRAME_MS, Report, percentile, spin, spin_until, stalls
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QPlainTextEdit

from dockdesk.bridge.builds import BuildRuns
from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.settings import Settings
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.actions.runner import ActionRunner
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.pane import DockerfilesPane
from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.viewport import know_all_widgets

_SWITCH_INTERVAL_S = 0.0005  # as the program sets it
LINES = 2000
KEYS = 150
USUAL = 60  # lines of a usual file


class _Nobody:
    """Stands for the window around the pane: nothing is asked or shown here."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_named: None


def type_keys(widget: QPlainTextEdit, count: int) -> list[float]:
    """Ms from each key to the end of its paint."""
    taken = []
    for number in range(count):
        char = "abcdefg hij"[number % 11]
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, char)
        start = time.perf_counter()
        QApplication.sendEvent(widget, event)
        widget.viewport().repaint()
        taken.append((time.perf_counter() - start) * 1000)
        spin(0.01)
    return taken


class Bench:
    def __init__(self, report: Report, folder: Path) -> None:
        self.report = report
        self.folder = folder
        theme = Theme(LIGHT)
        theme.apply(harness.application())
        self.jobs, self.pulse = Jobs(), Pulse()
        session = EngineSession(self.jobs, self.pulse)
        audit, nobody = AuditLog(self.jobs), _Nobody()
        self.context = UiContext(
            theme,
            self.jobs,
            self.pulse,
            session,
            StatsFeed(session, self.jobs, self.pulse),
            ActionRunner(self.jobs, session, audit, nobody, nobody),
            nobody,
            nobody,
            Settings(),
            audit,
            builds=BuildRuns(self.jobs, self.pulse),
            data=folder / "data",
        )
        self.pane = DockerfilesPane(self.context)
        self.pane.resize(1400, 900)
        self.pane.show()
        spin(0.3)
        load_later()
        know_all_widgets()
        for step in self.pane.preparations():  # as the program does while nothing else happens
            step()
        spin(0.3)

    def open(self, name: str, lines: int) -> Any:
        path = self.folder / name
        path.write_text(dockerfile(lines), "utf-8")
        self.pane.workspace.open(path)
        spin_until(lambda: self.pane.workspace.document_of(path) is not None)
        return self.pane.workspace.document_of(path)

    def until_checked(self, document: Any) -> None:
        spin_until(lambda: document.analysis.text == document.text() and not self.jobs.busy())

    def keys(self) -> None:
        with stalls() as meter:
            document = self.open("Dockerfile", LINES)
            spin_until(lambda: not document.editor.highlighter.busy)
            self.until_checked(document)
            spin(0.2)
        self.report.add(
            "open 2,000 lines: work of the GUI thread at a stretch",
            meter.busy,
            "ms",
            limit=FRAME_MS,
            note=f"once; stall {meter.longest:.1f} ms by the clock",
        )
        bare = QPlainTextEdit()
        bare.setFont(document.editor.font())
        bare.resize(document.editor.size())
        bare.setPlainText(document.text())
        bare.show()
        spin(0.2)
        for name, line in (("at the top", 20), ("at the end", LINES - 3)):
            floor = percentile(self._typed(bare, line), 0.95)
            document.editor.go_to(line, 0)
            spin(0.2)
            taken = type_keys(document.editor, KEYS)
            self.report.add(
                f"key to paint, 2,000 lines, {name}: 95 of 100",
                percentile(taken, 0.95),
                "ms",
                limit=FRAME_MS,
                floor=floor,
                peer="a bare QPlainTextEdit",
            )
        with stalls() as idle:
            spin(2.0)
        with stalls() as meter:
            for _ in range(40):
                type_keys(document.editor, 1)
                spin(0.05)
            self.until_checked(document)
        self.report.add(
            "typing with checks, 2,000 lines: stall, 99 of 100",
            meter.share(),
            "ms",
            limit=FRAME_MS,
            floor=idle.share(),
            peer="an idle window",
            note=f"own work at a stretch: {meter.busy:.1f} ms",
        )
        bare.close()

    def _typed(self, bare: QPlainTextEdit, line: int) -> list[float]:
        cursor = bare.textCursor()
        cursor.setPosition(bare.document().findBlockByNumber(line).position())
        bare.setTextCursor(cursor)
        spin(0.1)
        return type_keys(bare, KEYS)

    def lint(self, name: str, lines: int, limit: float | None) -> None:
        document = self.open(f"{lines}.Dockerfile", lines)
        self.until_checked(document)
        document.editor.go_to(3, 0)
        taken = [self._until_told(document) for _ in range(5)]
        self.report.add(name, min(taken), "ms", limit=limit, note=f"worst of 5: {max(taken):.0f}")

    def _until_told(self, document: Any) -> float:
        document.editor.insertPlainText("X")
        start = time.perf_counter()
        found: Callable[[], bool] = lambda: document.analysis.text == document.text()  # noqa: E731
        spin_until(found)
        taken = (time.perf_counter() - start) * 1000
        self.until_checked(document)
        return taken

    def close(self) -> None:
        self.pane.hide()
        spin_until(lambda: not self.jobs.busy())
        self.pane.close()
        self.context.stats.close()
        self.context.session.close()
        self.jobs.close()
        self.pulse.close()


def run(report: Report) -> None:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(report, Path(name))
        try:
            bench.keys()
            bench.lint(f"last key to problems, {USUAL} lines, own rules", USUAL, 300)
            bench.lint("last key to problems, 2,000 lines, own rules", LINES, 300)
        finally:
            bench.close()


if __name__ == "__main__":
    harness.main("editor", run)
