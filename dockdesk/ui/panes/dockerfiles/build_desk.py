"""Builds of the pane's documents: asks for what is to be built, has it built, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from dockdesk.core import preferences
from dockdesk.core.builds.records import project_of
from dockdesk.core.errors import BuildError, DockDeskError
from dockdesk.core.resources.builds import BuildResult, BuildSpec
from dockdesk.core.work import Work
from dockdesk.dockerfile.problems import Problem
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.build_facts import FileFacts, facts_of
from dockdesk.ui.panes.dockerfiles.build_form import default_tag, spec_of, values_of
from dockdesk.ui.panes.dockerfiles.build_plan import BuildRequest, build_action
from dockdesk.ui.panes.dockerfiles.build_presets import BuildPresets, KeptBuilds
from dockdesk.ui.panes.dockerfiles.context_alerts import ContextAlerts, detail_of, title_of
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.widgets.steps.items import clock_text

if TYPE_CHECKING:
    from dockdesk.bridge.build_run import BuildRun
    from dockdesk.ui.panes.dockerfiles.workspace import Workspace

Adjust = Callable[[BuildSpec], BuildSpec]
Then = Callable[[BuildRequest, BuildResult], None]

_ERROR_CODE = "build"


class BuildDesk(QObject):
    """``shown`` asks for the view of builds: one that the user asked for has begun.

    ``seen`` tells whether a build is on the screen, where it says itself what came of it.
    """

    shown = Signal()

    def __init__(self, context: UiContext, workspace: Workspace, window: QWidget) -> None:
        super().__init__(window)
        self._context = context
        self._workspace = workspace
        self._window = window
        self.alerts = ContextAlerts(context.jobs, self)
        self.presets = BuildPresets(context.data)
        self._last: dict[str, BuildSpec] = {}  # by project, with the secrets that are not kept
        self._asked: BuildSpec | None = None
        self.seen: Callable[[BuildRun], bool] = lambda _run: False
        context.builds.started.connect(self._on_started)
        context.builds.ended.connect(self._on_ended)

    # Asking.

    def open_form(
        self,
        document: OpenDocument | None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask how a document is to be built; ``values`` are what was typed before."""
        if (document := self._buildable(document)) is None:
            return
        self._look(document, partial(self._open, document, values))

    def build_again(self, document: OpenDocument | None) -> None:
        """Build as it was built last; asks where it never was."""
        if (document := self._buildable(document)) is None:
            return

        def go_on(facts: FileFacts, kept: KeptBuilds) -> None:
            spec = self._last.get(_project(document)) or kept.last
            if spec is None:
                self._open(document, None, facts, kept)
                return
            save = bool(self._context.settings.get(preferences.BUILD_SAVES))
            values = {**values_of(spec, facts), "save_first": save}
            self._submit(document, facts, values, None)

        self._look(document, go_on)

    def build(self, document: OpenDocument, spec: BuildSpec) -> None:
        """Build a document with given settings, such as those of an earlier build, as it stands now."""

        def go_on(facts: FileFacts, _kept: KeptBuilds) -> None:
            self._submit(document, facts, values_of(spec, facts), None)

        self._look(document, go_on)

    def build_then(self, document: OpenDocument | None, adjust: Adjust, then: Then) -> None:
        """Build without a form: as it was built last, else as its folder suggests, ``adjust``ed; ``then`` go on."""

        def go_on(document: OpenDocument, facts: FileFacts, request: BuildRequest) -> None:
            self._begin(document, facts, request, None, then)
            if warnings := self.alerts.warnings_of(document):
                self._context.notices.show(
                    title_of(warnings), detail_of(warnings), "See Context beside the text.", "warn"
                )

        self._prepare(document, adjust, go_on)

    def request_then(
        self, document: OpenDocument, adjust: Adjust, then: Callable[[BuildRequest], None]
    ) -> None:
        """What `build_then` would build, as the file stands now."""
        self._prepare(document, adjust, lambda _document, _facts, request: then(request))

    def _prepare(
        self,
        document: OpenDocument | None,
        adjust: Adjust,
        go_on: Callable[[OpenDocument, FileFacts, BuildRequest], None],
    ) -> None:
        if (document := self._buildable(document)) is None:
            return
        if document.context_folder is None:
            self._workspace.save_as(document, lambda: self._prepare(document, adjust, go_on))
            return

        def looked(facts: FileFacts, kept: KeptBuilds) -> None:
            request = self._request(document, facts, self._first_values(document, facts, kept))
            if request is not None:
                spec = adjust(request.spec)
                go_on(document, facts, replace(request, spec=spec))

        self._look(document, looked)

    def _buildable(self, document: OpenDocument | None) -> OpenDocument | None:
        if document is not None and document.kind == kinds.DOCKERFILE:
            return document
        others = [d for d in self._workspace.documents() if d.kind == kinds.DOCKERFILE]
        if document is not None and len(others) == 1:
            return others[0]  # beside its .dockerignore or Compose file
        self._context.notices.show(
            "No Dockerfile is open",
            "Open the Dockerfile, or the folder of the project, that is to be built.",
            tone="info",
        )
        return None

    def _look(self, document: OpenDocument, go_on: Any) -> None:
        """Read the file as it stands, and what is kept of its project; on a worker."""
        text, path, presets = document.text(), document.path, self.presets

        def look(_work: Work) -> tuple[FileFacts, KeptBuilds]:
            from dockdesk.dockerfile.syntax import parse

            return facts_of(parse(text)), presets.load(path) if path is not None else KeptBuilds()

        def failed(error: DockDeskError) -> None:
            # What is kept can't be read: a build needs it not.
            self._context.notices.failure(error)
            analysed = document.analysis.document
            go_on(facts_of(analysed), KeptBuilds())

        self._context.jobs.submit(
            document, look, lambda found: go_on(*found), failed, question="build form"
        )

    def _open(
        self,
        document: OpenDocument,
        values: Mapping[str, Any] | None,
        facts: FileFacts,
        kept: KeptBuilds,
    ) -> None:
        from dockdesk.ui.panes.dockerfiles.build_dialog import BuildDialog, BuildFile

        file = BuildFile(document.name, document.text(), facts, document.path, document.modified)
        typed = values is not None
        if values is None:
            values = self._first_values(document, facts, kept)
        dialog = BuildDialog(
            self._context, file, values, self.presets, self._window.window(), typed=typed
        )
        dialog.menu.set_found(kept.presets)
        dialog.submitted.connect(lambda typed, filled: self._submit(document, facts, typed, filled))
        if warnings := self.alerts.warnings_of(document):
            dialog.tell(title_of(warnings), "warn", detail_of(warnings))
        dialog.open_soon()

    def _first_values(
        self, document: OpenDocument, facts: FileFacts, kept: KeptBuilds
    ) -> dict[str, Any]:
        folder = document.context_folder
        spec = self._last.get(_project(document)) or kept.last
        if spec is not None:
            values = values_of(spec, facts)
            if document.has_own_context and folder is not None:
                values["context"] = str(folder)
        else:
            values = {
                "context": str(folder) if folder is not None else "",
                "tags": default_tag(folder) if folder is not None else "",
                "ssh": " ".join(facts.ssh),
            }
        values["save_first"] = bool(self._context.settings.get(preferences.BUILD_SAVES))
        return values

    # Building.

    def _submit(
        self, document: OpenDocument, facts: FileFacts, values: Mapping[str, Any], filled: Any
    ) -> None:
        """Save first, where that is wanted, then build."""
        save = bool(values.get("save_first")) and document.modified
        if filled is not None and "save_first" in values:
            wanted = bool(values.get("save_first"))
            if wanted != bool(self._context.settings.get(preferences.BUILD_SAVES)):
                self._context.settings.set(preferences.BUILD_SAVES, wanted)
        if save:
            self._workspace.save(document, lambda: self._start(document, facts, values, filled))
        else:
            self._start(document, facts, values, filled)

    def _start(
        self, document: OpenDocument, facts: FileFacts, values: Mapping[str, Any], filled: Any
    ) -> None:
        request = self._request(document, facts, values)
        if request is not None:
            self._begin(document, facts, request, filled)

    def _request(
        self, document: OpenDocument, facts: FileFacts, values: Mapping[str, Any]
    ) -> BuildRequest | None:
        """What the values describe; None, once the user was told, where that can't be built."""
        path = str(document.path) if document.path is not None else ""
        text = document.text()
        unsaved = document.modified or not path
        try:
            spec = spec_of(values, facts, path, text)
        except ValueError as error:
            self._context.notices.show("The build can't begin", str(error), tone="warn")
            return None
        if spec.builder and not unsaved:
            spec = replace(spec, text=None)  # so that buildx finds a <Dockerfile>.dockerignore, too
        classic = "buildkit" not in self._context.session.capabilities
        return BuildRequest(spec, text, unsaved, classic)

    def _begin(
        self,
        document: OpenDocument,
        facts: FileFacts,
        request: BuildRequest,
        filled: Any,
        then: Then | None = None,
    ) -> None:
        environment = self._context.session.environment
        name = environment.name if environment is not None else ""
        builds = self._context.builds

        def build(spec: BuildSpec, text: str, backend: Any, work: Work) -> BuildResult:
            return builds.begin(spec, text, name, work).execute(backend, work)

        def done(results: Sequence[BuildResult]) -> None:
            if then is not None:
                then(request, results[0])
            else:
                self._on_built(request, results)

        values = values_of(request.spec, facts)
        self._asked = request.spec
        self._remember(document, request.spec)
        self._context.runner.trigger(
            build_action(build),
            (),
            {"request": request},
            done=done,
            edit=lambda: self.open_form(document, values),
            filled=filled,
            shown=lambda _error: self._is_seen(request),
        )

    def _remember(self, document: OpenDocument, spec: BuildSpec) -> None:
        self._last[_project(document)] = spec
        if document.path is None:
            return
        document.set_context_folder(spec.context if spec.context != document.path.parent else None)
        path, presets = document.path, self.presets
        self._context.jobs.submit(
            self,
            lambda _work: presets.remember(path, spec),
            None,
            self._context.notices.failure,
            order="build settings",
        )

    # What came of it.

    def _on_started(self, run: BuildRun) -> None:
        document = self._document_of(run)
        if document is not None:
            document.set_build("", (), ())
        if run.spec is self._asked:
            self.shown.emit()

    def _on_ended(self, run: BuildRun) -> None:
        document = self._document_of(run)
        if document is not None:
            document.set_build(run.text, _problems(run), tuple(run.progress.warnings))

    def _is_seen(self, request: BuildRequest) -> bool:
        run = next((r for r in self._context.builds.runs if r.spec is request.spec), None)
        return run is not None and self.seen(run)

    def _on_built(self, request: BuildRequest, results: Sequence[BuildResult]) -> None:
        if self._is_seen(request):
            return
        result = results[0]
        run = next((r for r in self._context.builds.runs if r.spec is request.spec), None)
        detail = f"In {clock_text(run.seconds)}" if run is not None else ""
        actions = []
        if result.image:
            actions.append(NoticeAction("Run…", lambda: self._run(result)))
        self._context.notices.show(f"Built {request.name}", detail, "", "good", actions)

    def _run(self, result: BuildResult) -> None:
        image = self._context.session.images.get(result.image)
        if image is not None:
            self._context.navigator.trigger("container.run", [image])

    def _document_of(self, run: BuildRun) -> OpenDocument | None:
        project = project_of(run.spec)
        return next((d for d in self._workspace.documents() if _project(d) == project), None)


def _project(document: OpenDocument) -> str:
    from dockdesk.ui.panes.dockerfiles.build_view import project_of_document

    return project_of_document(document)


def _problems(run: BuildRun) -> tuple[Problem, ...]:
    """The failure at its line."""
    line = run.failed_line()
    error = run.error
    if line is None or error is None or run.state != "failed":
        return ()
    lines = run.text.split("\n")
    if line >= len(lines):
        return ()
    text = lines[line]
    begin = len(text) - len(text.lstrip())
    said = error.detail.strip().splitlines()
    message = error.title if not said else f"{error.title}: {said[-1][:300]}"
    why = error.hint or "The last build failed here."
    hint = why if isinstance(error, BuildError) or error.hint else ""
    return (Problem(line, begin, line, len(text), _ERROR_CODE, "bad", message, hint, "build"),)
