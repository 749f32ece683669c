"""A build while it runs and after: its steps, the log of one, and all of them over time."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.builds.records import project_of
from dockdesk.core.refs import ResourceRef
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.build_advice import Told, failure_of, look_into
from dockdesk.ui.panes.dockerfiles.build_banner import BuildBanner
from dockdesk.ui.panes.dockerfiles.build_header import BuildHeader, RunChoice
from dockdesk.ui.panes.dockerfiles.build_log import StepLog
from dockdesk.ui.panes.dockerfiles.build_steps import STATES, StepItems, state_words
from dockdesk.ui.panes.dockerfiles.views import DocumentView
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.log.panel import LogPanel
from dockdesk.ui.widgets.splitter import Splitter
from dockdesk.ui.widgets.steps.gantt import GanttChart
from dockdesk.ui.widgets.steps.items import clock_text
from dockdesk.ui.widgets.steps.step_list import StepList

if TYPE_CHECKING:
    from dockdesk.bridge.build_run import BuildRun
    from dockdesk.ui.panes.dockerfiles.document import OpenDocument

_REFRESH_MS = 150
_CLOCK_MS = 500
_LOG_BYTES = 64 << 20
_LOW = 170  # pixels


def project_of_document(document: OpenDocument) -> str:
    """Under which name the builds of a document are kept; see `core.builds.records.project_of`."""
    if document.path is not None:
        return str(document.path)
    folder = document.context_folder
    return str(folder / "Dockerfile") if folder is not None else ""


class BuildView(DocumentView):
    """Shows the newest build of the document in front, or another one that the user chose.

    ``run`` is the build that is shown. It follows the step that runs until the user chooses one.
    """

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.run: BuildRun | None = None
        self._project = ""
        self._items: StepItems | None = None
        self._changed: set[str] = set()
        self._follows = True
        self._late = 0.0  # seconds that the builder's clock is behind this one
        self._latest = 0.0
        self._told: dict[int, Told] = {}
        theme = context.theme
        self.header = BuildHeader(theme)
        self.banner = BuildBanner(theme)
        self.steps = StepList(theme, self._clock)
        self.steps.setAccessibleName("Steps of the build")
        self.gantt = GanttChart(theme, self._clock)
        self.gantt.setAccessibleName("Steps of the build over time")
        self.panel = LogPanel(theme, context.jobs, context.pulse, self, _LOG_BYTES)
        self.panel.toolbar.reduce()
        self.log = StepLog(context, self.panel)
        self.empty = EmptyState(theme, "hammer")
        self._lay_out()
        self._refresh_timer = self._timer(_REFRESH_MS, self._refresh, single=True)
        self._clock_timer = self._timer(_CLOCK_MS, self._show_head)
        self._connect()
        self._show_run(None)

    def _timer(self, interval: int, slot: Any, single: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(single)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def _lay_out(self) -> None:
        self.pages = QStackedWidget()
        self.pages.addWidget(self.panel)
        self.pages.addWidget(self.gantt)
        self._across = Splitter(Qt.Orientation.Horizontal, (1, 1))
        self._across.addWidget(self.steps)
        self._across.addWidget(self.pages)
        self._across.setSizes([420, 480])
        self.steps.setMinimumWidth(180)
        self.pages.setMinimumWidth(220)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.header, self.banner, self._across):
            column.addWidget(widget, 1 if widget is self._across else 0)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(whole)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _connect(self) -> None:
        builds, header, context = self.context.builds, self.header, self.context
        builds.started.connect(self._on_started)
        builds.ended.connect(self._on_any_ended)
        header.stop_asked.connect(lambda: self.run.cancel() if self.run is not None else None)
        header.again_asked.connect(lambda: context.navigator.trigger("build.again"))
        header.image_asked.connect(self._open_image)
        header.run_asked.connect(self._run_image)
        header.run_chosen.connect(self._on_run_chosen)
        header.page_chosen.connect(self._on_page_chosen)
        self.steps.chosen.connect(self._on_step_chosen)
        self.gantt.chosen.connect(self._on_step_chosen)
        self.steps.activated.connect(self._go_to_step)
        self.gantt.activated.connect(self._go_to_step)

    # Which build.

    def set_document(self, document: OpenDocument | None) -> None:
        super().set_document(document)
        project = project_of_document(document) if document is not None else ""
        if project != self._project or self.run is None:
            self._project = project
            self._show_run(self.context.builds.of_project(project) if project else None)

    def shown(self) -> None:
        self._refresh()
        self._show_head()
        self._run_clock()

    def hidden(self) -> None:
        self._clock_timer.stop()
        self._refresh_timer.stop()

    def _on_started(self, run: BuildRun) -> None:
        self._show_choices()
        if project_of(run.spec) == self._project:
            self._show_run(run)

    def _on_any_ended(self, _run: BuildRun) -> None:
        self._show_choices()

    def _on_run_chosen(self, number: int) -> None:
        run = next((run for run in self.context.builds.runs if run.number == number), None)
        if run is not None:
            self._show_run(run)

    def _show_run(self, run: BuildRun | None) -> None:
        if self.run is not None:
            self.run.changed.disconnect(self._on_changed)
            self.run.ended.disconnect(self._on_ended)
            self.run.destroyed.disconnect(self._on_forgotten)
        self.run = run
        self._follows, self._late, self._latest = True, 0.0, 0.0
        self.banner.hide()
        self._fit_log()
        self.log.show(None, "")
        self._stack.setCurrentIndex(0 if run is None else 1)
        self._show_choices()
        if run is None:
            self._items = None
            self._show_nothing()
            return
        run.changed.connect(self._on_changed)
        run.ended.connect(self._on_ended)
        run.destroyed.connect(self._on_forgotten)
        self._items = StepItems(run.place)
        self._changed = set(run.progress.steps)
        self.steps.choose("")
        self.gantt.choose("")
        self._refresh()
        self._show_head()
        self._run_clock()
        if run.over:
            self._on_ended()

    def _on_forgotten(self) -> None:
        """Too old to be kept."""
        self.run = None
        self._show_run(None)

    def _show_nothing(self) -> None:
        build = StateButton(
            "Build…", lambda: self.context.navigator.trigger("build.run"), "primary", "hammer"
        )
        self.empty.show_message(
            "hammer",
            "Not built in this window yet",
            "Steps, logs and times of a build will appear here.",
            (build,) if self.document is not None else (),
        )

    def _show_choices(self) -> None:
        self.header.set_choices(
            [
                RunChoice(
                    run.number,
                    f"{time.strftime('%H:%M:%S', time.localtime(run.at))}   {_name(run)}   "
                    f"{STATES[run.state][2].lower()}",
                    run.state,
                )
                for run in self.context.builds.runs
            ]
        )

    # What is new.

    def _on_changed(self, digests: Collection[str]) -> None:
        self._changed |= set(digests)
        run = self.run
        ended = run.progress.ended if run is not None else None
        if ended is not None and ended > self._latest:
            late = time.time() - ended
            self._late = late if not self._latest else min(self._late, late)
            self._latest = ended
        if self.isVisible() and not self._refresh_timer.isActive():
            self._refresh_timer.start()

    def _clock(self) -> float:
        """Now, on the builder's clock; when the build is over, its end."""
        run = self.run
        if run is not None and run.over and run.progress.ended is not None:
            return run.progress.ended
        return time.time() - self._late

    def _refresh(self) -> None:
        run, items = self.run, self._items
        if run is None or items is None:
            return
        changed, self._changed = self._changed, set()
        listed = items.update(run.progress, changed)
        self.steps.set_items(listed)
        if self._follows:
            self._follow()
        self.log.update()
        if self.pages.currentWidget() is self.gantt:
            critical = run.progress.critical_path() if run.over else ()
            self.gantt.set_steps(listed, critical)

    def _follow(self) -> None:
        """Choose the step that began last of those that run, or the one that failed."""
        run = self.run
        if run is None:
            return
        failed = run.progress.failed()
        running = [
            step
            for step in run.progress.steps.values()
            if step.state == "running" and step.step.name
        ]
        own = [step for step in running if not step.internal] or running
        newest = failed or max(own, key=lambda step: step.step.started or 0.0, default=None)
        if newest is None and not self.steps.key and run.over:
            steps = run.progress.in_order()
            newest = max(steps, key=lambda s: (bool(s.log), not s.internal, s.order), default=None)
        if newest is not None:
            self._choose(newest.step.digest)

    def _choose(self, key: str) -> None:
        self.steps.choose(key)
        self.gantt.choose(key)
        self.log.show(self.run, key)

    def _on_step_chosen(self, key: str) -> None:
        self._follows = False
        self._choose(key)

    def _on_page_chosen(self, page: str) -> None:
        timeline = page == "timeline"
        self.pages.setCurrentWidget(self.gantt if timeline else self.panel)
        self.steps.setVisible(not timeline)  # the chart has its own labels, and needs the width
        self._refresh()

    def _on_ended(self) -> None:
        run = self.run
        if run is None:
            return
        self._changed |= set(run.progress.steps)
        self._refresh()
        self._show_head()
        self._run_clock()
        if run.state == "failed" and run.error is not None:
            self._tell_failure(run)

    def _run_clock(self) -> None:
        if self.run is not None and not self.run.over and self.isVisible():
            self._clock_timer.start()
        else:
            self._clock_timer.stop()

    def _show_head(self) -> None:
        run = self.run
        if run is None:
            return
        progress = run.progress
        words = [
            f"{STATES[run.state][2]} · {clock_text(run.seconds)}",
            state_words(run.state, progress.counted(), progress.cached_share()),
        ]
        if run.result is not None and run.result.method == "classic":
            words.append("without BuildKit")
        image = run.state == "ok" and run.in_engine
        self.header.show_build(
            _name(run), run.state, " · ".join(filter(None, words)), progress.fraction(), image
        )

    # What failed.

    def _tell_failure(self, run: BuildRun) -> None:
        error = run.error
        if error is None:
            return
        failure = failure_of(error, run.progress, run.text, run.failed_line(), run.spec)
        told = self._told.get(run.number)
        lines = failure.lines
        advice = told.advice if told is not None else None
        hint = f"{advice.title}. {advice.text}" if advice is not None else error.hint
        self.banner.say(error.title, error.detail, lines, hint, self._ways_out(run, told))
        self._fit_log()
        if told is None:
            self.context.jobs.submit(
                self, lambda _work: look_into(failure), partial(self._on_told, run.number)
            )

    def _on_told(self, number: int, told: Told) -> None:
        self._told[number] = told
        if self.run is not None and self.run.number == number:
            self._tell_failure(self.run)

    def _ways_out(self, run: BuildRun, told: Told | None) -> list[StateButton]:
        found = []
        if (line := run.failed_line()) is not None:
            go = partial(self._go_to_line, run, line)
            found.append(StateButton(f"Go to line {line + 1}", go, icon="file-code"))
        if told is not None and told.ignore_file is not None:
            file = told.ignore_file
            found.append(
                StateButton(
                    f"Open {file.name}",
                    lambda: self.context.navigator.open(
                        ResourceRef("dockerfile", str(file), file.name)
                    ),
                    icon="eye-off",
                )
            )
        change = partial(self.context.navigator.trigger, "build.run")
        found.append(StateButton("Change…", change, icon="adjustments"))
        if told is not None and told.advice is not None and told.advice.code == "disk":
            found.append(
                StateButton(
                    "Disk", lambda: self.context.navigator.show_pane("disk"), icon="database"
                )
            )
        return found

    def _go_to_step(self, key: str) -> None:
        run = self.run
        step = run.progress.steps.get(key) if run is not None else None
        place = run.place(step) if run is not None and step is not None else None
        if run is not None and place is not None:
            self._go_to_line(run, place.line)

    def _go_to_line(self, run: BuildRun, line: int) -> None:
        if self.document is not None and project_of(run.spec) == self._project:
            self.document.go_to(line)
        else:
            path = Path(project_of(run.spec))
            self.context.navigator.open(ResourceRef("dockerfile", str(path), path.name))

    # What came out.

    def _open_image(self) -> None:
        result = self.run.result if self.run is not None else None
        if self.run is not None and result is not None:
            self.context.navigator.open(ResourceRef("image", result.image, _name(self.run)))

    def _run_image(self) -> None:
        result = self.run.result if self.run is not None else None
        image = self.context.session.images.get(result.image) if result is not None else None
        if image is not None:
            self.context.navigator.trigger("container.run", [image])
        elif result is not None:
            self._open_image()

    # Its size.

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_log()

    def _fit_log(self) -> None:
        """In a low place the log's lines matter more than its tools, which keys and its menu have too."""
        room = self.height() - self.header.sizeHint().height()
        if not self.banner.isHidden():
            room -= self.banner.heightForWidth(self.width())
        low = room < _LOW
        self.panel.toolbar.setVisible(not low)
        self.panel.status.setVisible(not low)

    # What is remembered.

    def focus_filter(self) -> bool:
        self.header.pages.set_current("log")
        self.panel.toolbar.show()
        self.panel.focus_search()
        return True

    def brought_forward(self) -> None:
        if self.run is not None:
            self.steps.setFocus()

    def save_state(self) -> Mapping[str, Any]:
        return {"page": self.header.pages.current(), "sizes": self._across.sizes()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if state.get("page") in {"log", "timeline"}:
            self.header.pages.set_current(str(state["page"]))
        sizes = state.get("sizes")
        if isinstance(sizes, list) and len(sizes) == 2 and all(type(n) is int for n in sizes):
            self._across.setSizes(sizes)


def _name(run: BuildRun) -> str:
    spec = run.spec
    return spec.tags[0] if spec.tags else spec.context.name or "build"
