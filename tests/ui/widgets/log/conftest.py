"""A log panel with its streams in the test's hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import LogChunk
from dockdesk.ui.widgets.log.panel import LogPanel

TIMEOUT = 10_000


class Fed:
    """A panel of one source or several, and what a user sees of it."""

    def __init__(self, panel: LogPanel, qtbot: Any) -> None:
        self.panel = panel
        self.qtbot = qtbot
        self.sinks: dict[str, Any] = {}

    def open(self, *labels: str) -> None:
        self.panel.set_sources([LogSource(label, label) for label in labels])
        self.sinks = {label: self.panel.sink_for(label) for label in labels}

    def put(self, data: bytes | str, stream: int = 1, label: str = "") -> None:
        raw = data.encode() if isinstance(data, str) else data
        self.sinks[label or next(iter(self.sinks))].put([LogChunk(stream, raw)])

    def texts(self) -> list[str]:
        """The lines on screen."""
        if not self.panel.view.isVisible():
            return []
        return [text for _, text in self.panel.view.lines_drawn()]

    def until(self, condition: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=TIMEOUT)

    def until_shown(self, text: str) -> None:
        self.until(lambda: any(text in line for line in self.texts()))

    def search(self, text: str) -> None:
        """Type into the field, and wait for the answer."""
        field = self.panel.toolbar.search.field
        field.setFocus()
        field.clear()
        if text.isascii():
            self.qtbot.keyClicks(field, text)
        else:
            field.insert(text)  # QTest knows no keys for it
        self.until(lambda: self.panel.search.ready or self.panel.toolbar.search.problem)

    def count(self) -> str:
        return self.panel.toolbar.search.count.text()


@pytest.fixture
def panel(qtbot: Any, theme: Any, jobs: Any, pulse: Any) -> Iterator[LogPanel]:
    made = LogPanel(theme, jobs, pulse)
    qtbot.addWidget(made)
    made.resize(1000, 400)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.search.close()
    made.feed.close()


@pytest.fixture
def fed(panel: LogPanel, qtbot: Any) -> Fed:
    made = Fed(panel, qtbot)
    made.open("web")
    return made
