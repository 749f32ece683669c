"""The log of the chosen step, in the panel that all logs have."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from dockdesk.bridge.build_run import BuildRun
from dockdesk.core.builds.progress import StepProgress
from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import LogChunk
from dockdesk.core.streams import Sink
from dockdesk.core.units import bytes_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.widgets.log.panel import LogPanel
from dockdesk.ui.widgets.steps.items import clock_text

_AT_ONCE = 128 * 1024  # bytes that the store takes within a fraction of a frame


class StepLog(QObject):
    """Feeds ``panel`` with what a step of a build has written, and writes on."""

    def __init__(self, context: UiContext, panel: LogPanel) -> None:
        super().__init__(panel)
        self._context = context
        self.panel = panel
        self._run: BuildRun | None = None
        self._key = ""
        self._taken = 0  # bytes of the step's log, those dropped included
        self._told: set[str] = set()  # ids of the statuses that have their line
        self._sink: Sink[LogChunk] | None = None
        self._busy = False
        self._ended = False

    @property
    def key(self) -> str:
        return self._key

    def show(self, run: BuildRun | None, key: str) -> None:
        """Show another step's log; "" for none."""
        if run is self._run and key == self._key:
            self.update()
            return
        self._run, self._key = run, key
        self._taken, self._ended, self._busy = 0, False, False
        self._told = set()
        if run is None or not key:
            self._sink = None
            self.panel.set_sources(())
            self.panel.set_words("", "No step is chosen")
            return
        self.panel.set_sources([LogSource(key)])
        self._sink = self.panel.sink_for(key)
        self.panel.connected()
        self.update()

    def update(self) -> None:
        """Write what is new."""
        run, sink = self._run, self._sink
        step = run.progress.steps.get(self._key) if run is not None else None
        if run is None or step is None or sink is None or self._ended:
            return
        self._set_words(run, step)
        if self._busy:
            return  # comes back when the worker is done
        data = self._news(step)
        if len(data) > _AT_ONCE:
            self._busy = True
            self._context.jobs.submit(
                self,
                lambda _work: sink.put([LogChunk(1, data)]),
                partial(self._on_written, sink),
                question="step log",
            )
            return
        if data:
            sink.put([LogChunk(1, data)])
        if run.over or step.step.completed is not None or step.step.error:
            self._end(run, step, sink)

    def _on_written(self, sink: Sink[LogChunk], _result: object) -> None:
        if sink is self._sink:
            self._busy = False
            self.update()

    def _news(self, step: StepProgress) -> bytes:
        parts = []
        for id, status in step.statuses.items():
            if status.completed is not None and id not in self._told:
                self._told.add(id)
                amount = f"  {bytes_text(status.current)}" if status.current else ""
                parts.append(f"{status.name or id}{amount}\n".encode())
        start = self._taken - step.log_dropped
        if start < 0:
            lost = bytes_text(-start)
            parts.append(
                f"\x1b[33m… {lost} of this step's output were not kept …\x1b[0m\n".encode()
            )
            start = 0
        if start < len(step.log):
            parts.append(bytes(memoryview(step.log)[start:]))
        self._taken = step.log_dropped + len(step.log)
        return b"".join(parts)

    def _end(self, run: BuildRun, step: StepProgress, sink: Sink[LogChunk]) -> None:
        """A step may be heard of again after it ended; only a build that is over adds nothing more."""
        if not run.over:
            return
        self._ended = True
        if step.state == "failed":
            lead = b"" if not step.log or step.log.endswith(b"\n") else b"\n"
            text = f"\x1b[31m{step.step.error}\x1b[0m\n".encode()
            sink.put([LogChunk(1, lead + text)])
        sink.ended(None)

    def _set_words(self, run: BuildRun, step: StepProgress) -> None:
        took = clock_text(step.seconds(run.progress.ended or run.at))
        if step.state == "cached":
            self.panel.set_words(
                "From the cache", "From the cache", "It did not have to run again."
            )
        elif step.state == "running":
            self.panel.set_words("", "No output yet", "What the step prints will appear here.")
        elif step.state == "waiting":
            self.panel.set_words("", "Not begun", "It waits for other steps.")
        elif step.state == "cancelled":
            self.panel.set_words("Stopped", "Stopped", "It ended with the build.")
        else:
            word = "Failed" if step.state == "failed" else "Done"
            self.panel.set_words(f"{word} in {took}", "No output", "The step printed nothing.")
