"""What the steps of a build wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.records import dataclass
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.ui.panes.builds.content import BuildContent, ContentView, content_of
from dockdesk.ui.panes.builds.log_text import shown_part, whole_log
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.panes.builds.steps_tab import instruction_of, state_of
from dockdesk.ui.widgets.splitter import Splitter
from dockdesk.ui.widgets.steps.items import StepItem
from dockdesk.ui.widgets.steps.step_list import StepList
from dockdesk.ui.widgets.text_view import TextView

_ALL = "all"


@dataclass(frozen=True, slots=True)
class LogShown:
    """The steps that wrote something, and the text of the chosen one."""

    content: BuildContent
    text: str


class LogView(ContentView[LogShown]):
    """On the left the steps that wrote something, on the right what the chosen one did."""

    def make_content(self) -> QWidget:
        theme = self.context.theme
        self.steps = StepList(theme)
        self.steps.setMinimumWidth(180)
        self.steps.chosen.connect(self._on_chosen)
        self.text = TextView(theme)
        self.text.setAccessibleName("Log")
        self._chosen = _ALL
        self._content: BuildContent | None = None
        split = Splitter(Qt.Orientation.Horizontal, (1, 3))
        split.addWidget(self.steps)
        split.addWidget(self.text)
        split.setSizes([260, 760])
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(1_000)
        self._again.timeout.connect(self.refresh)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(split)
        self.setFocusProxy(self.text)
        return page

    def work(self, row: BuildRow) -> tuple[str, Callable[[Work], LogShown]]:
        lane, fetch = content_of(self.context, row)
        if self._shown is None or self._shown[0] != row.key:
            failed = row.record is not None and next(
                (step.digest for step in row.record.steps if state_of(step) == "failed"), ""
            )
            self._chosen = failed or _ALL
        only = "" if self._chosen == _ALL else self._chosen

        def shown(work: Work) -> LogShown:
            content = fetch(work)
            return LogShown(content, shown_part(whole_log(content.steps, content.logs, only)))

        return lane, shown

    def present(self, row: BuildRow, data: LogShown) -> None:
        content = self._content = data.content
        wrote = [step for step in content.steps if content.logs.get(step.digest) or step.error]
        if not wrote:
            if not row.over:
                self.say("Nothing written yet", "What the steps write comes here.", "loader-2")
            elif row.past is not None or content.kept:
                self.say("Nothing was written", "All came from the cache, or was silent.")
            else:
                self.say(
                    "The log is not kept",
                    "Logs are kept for the newest builds of a project. Steps that came from the cache write none.",
                )
        else:
            self.steps.set_items(_items(content, wrote))
            self.steps.choose(self._chosen)
            if data.text != self.text.text():
                self.text.set_text(data.text, keep_place=not row.over)
        if not row.over and self.isVisible():
            self._again.start()

    def hidden(self) -> None:
        self._again.stop()

    def choose(self, key: str) -> None:
        """Show the log of a step, or of all for “all”."""
        self.steps.choose(key)
        self._on_chosen(key)

    def _on_chosen(self, key: str) -> None:
        content = self._content
        self._chosen = key
        if content is None:
            return
        only = "" if key == _ALL else key
        self.context.jobs.submit(
            self,
            lambda _work: shown_part(whole_log(content.steps, content.logs, only)),
            lambda text: self.text.set_text(text or "It wrote nothing."),
            question="log text",
        )


def _items(content: BuildContent, wrote: Sequence[object]) -> list[StepItem]:
    items = [StepItem(_ALL, "All steps", state="done")]
    for step in content.steps:
        if step not in wrote:
            continue
        state = {"ran": "done", "stopped": "cancelled", "not reached": "waiting"}.get(
            state_of(step), state_of(step)
        )
        log = content.logs.get(step.digest, b"")
        items.append(
            StepItem(
                step.digest,
                instruction_of(step),
                state=state,
                amount=bytes_text(len(log)) if log else "",
                note=step.error,
            )
        )
    return items
