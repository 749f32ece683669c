"""Build and run as one action: the image built, a container of it started or made anew, and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from dockdesk.bridge.jobs import Job, JobState
from dockdesk.core.actions import Action, Call, Danger
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildOutput, BuildResult, BuildSpec
from dockdesk.core.work import Work
from dockdesk.runspec.renewal import Renewed, renew, run_and_prove
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.panes.dockerfiles import launch_plan
from dockdesk.ui.panes.dockerfiles.build_desk import BuildDesk
from dockdesk.ui.panes.dockerfiles.build_form import default_tag
from dockdesk.ui.panes.dockerfiles.build_plan import BuildRequest, build_action
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.launch_plan import Launch, Running

Launched = Callable[[Running], None]
Failed = Callable[[DockDeskError | None], None]

RUN: Action[Any] = Action(
    "container.run_built", "Run", "player-play", danger=Danger.CHANGES, on_rows=False
)
RENEW: Action[Any] = Action(
    "container.renew", "Replace", "refresh", danger=Danger.CHANGES, on_rows=False
)


class Launcher(QObject):
    """Builds and runs. ``starting`` tells that a build is done and its container is being started."""

    starting = Signal(str)  # the image

    def __init__(self, context: UiContext, builds: BuildDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._builds = builds
        self._last: dict[str, str] = {}  # by project: the container that was last run
        self._waiting: dict[int, tuple[Job, Failed]] = {}
        context.jobs.job_changed.connect(self._on_job_changed)

    # Asked by the user.

    def build_and_run(self, document: OpenDocument | None) -> None:
        """Build a document as it was built last, or as its folder suggests; run it, and show the container."""
        self._builds.build_then(document, runnable, partial(self._on_built, document))

    def _on_built(
        self, document: OpenDocument | None, request: BuildRequest, result: BuildResult
    ) -> None:
        def launched(running: Running) -> None:
            ref = ResourceRef("container", running.id, running.name)
            navigator = self._context.navigator
            actions = [NoticeAction("Show", lambda: navigator.open(ref))]
            if running.url:
                actions.insert(0, NoticeAction("Open in the browser", partial(_open, running.url)))
            self._context.notices.show(
                f"{running.name} is running", running.url, "", "good", tuple(actions)
            )
            navigator.open(ref)

        def failed(error: DockDeskError | None) -> None:
            """The runner has said why."""

        del document
        self.launch(request, result, launched, failed)

    # Steps, also for others.

    def build(
        self,
        request: BuildRequest,
        done: Callable[[BuildResult], None],
        failed: Failed,
    ) -> bool:
        """Build without a question; False where the environment refuses. ``failed`` gets None for a refusal."""
        environment = self._context.session.environment
        name = environment.name if environment is not None else ""
        builds = self._context.builds

        def build(spec: BuildSpec, text: str, backend: Any, work: Work) -> BuildResult:
            return builds.begin(spec, text, name, work).execute(backend, work)

        action = build_action(build)
        assert action.plan is not None
        calls = action.plan((), {"request": request})
        return self._run(action, calls, lambda results: done(results[0]), failed)

    def launch(
        self, request: BuildRequest, result: BuildResult, done: Launched, failed: Failed
    ) -> None:
        """Run what was built: in the place of its container, where there is one."""
        session = self._context.session
        engine, environment = session.backend, session.environment
        if engine is None or environment is None:
            failed(None)
            return
        project = str(request.project)
        image = request.spec.tags[0] if request.spec.tags else result.image
        host = launch_plan.host_of(environment.address)
        last = self._last.get(project, "")
        self.starting.emit(image)

        def work(_work: Work) -> Launch:
            return launch_plan.plan(engine, project, image, result.image, last, host == "localhost")

        self._context.jobs.submit(
            self,
            work,
            lambda launch: self._start(launch, project, host, done, failed),
            partial(self._say_and_fail, failed),
            lane=environment.id,
        )

    def _start(
        self, launch: Launch, project: str, host: str, done: Launched, failed: Failed
    ) -> None:
        before = launch.instead
        target = ResourceRef(
            "container",
            before.id if before is not None else "*new",
            before.name if before is not None else launch.spec.name,
        )

        def run(engine: Any, work: Work) -> Renewed:
            if before is not None:
                return renew(engine, before.id, launch.image, work)
            return run_and_prove(engine, launch.spec, work)

        def started(results: Sequence[Renewed]) -> None:
            renewed = results[0]
            self._last[project] = renewed.id
            if renewed.warning:
                self._context.notices.show(f"{renewed.name} runs", renewed.warning, tone="warn")
            ports = launch.spec.ports if before is None else ()
            url = launch_plan.url_of(before, ports, host)
            done(Running(renewed.id, renewed.name, url))

        action = RUN if before is None else RENEW
        self._run(action, [Call(target, run, launch_plan.equivalent_of(launch))], started, failed)

    def _run(
        self,
        action: Action[Any],
        calls: Sequence[Call],
        done: Callable[[Sequence[Any]], None],
        failed: Failed,
    ) -> bool:
        jobs = self._context.runner.run(action, calls, done)
        for job in jobs:
            self._waiting[job.number] = (job, failed)
        if not jobs:
            failed(None)
        return bool(jobs)

    def _on_job_changed(self, job: Job) -> None:
        if job.number not in self._waiting or not job.state.over:
            return
        _job, failed = self._waiting.pop(job.number)
        if job.state is not JobState.DONE:
            failed(job.error or CancelledError())

    def _say_and_fail(self, failed: Failed, error: DockDeskError) -> None:
        self._context.notices.failure(error)
        failed(error)


def runnable(spec: BuildSpec) -> BuildSpec:
    """The build with a result that can be run: an image in the engine, with a name."""
    if all(output.kind != "image" for output in spec.outputs):
        spec = replace(spec, outputs=(BuildOutput(),))
    return spec if spec.tags else replace(spec, tags=(default_tag(spec.context),))


def _open(url: str) -> None:
    QDesktopServices.openUrl(QUrl(url))
