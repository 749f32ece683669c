"""Watch mode: what is saved is built, and its container runs anew, until that is turned off."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.engine_session import SessionState
from dockdesk.bridge.watching import ContextWatcher
from dockdesk.core.columns import Tone
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildResult
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import files
from dockdesk.ui.panes.dockerfiles.build_desk import BuildDesk
from dockdesk.ui.panes.dockerfiles.build_plan import BuildRequest
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.files import FileContent, from_screen
from dockdesk.ui.panes.dockerfiles.launch_plan import Running
from dockdesk.ui.panes.dockerfiles.launching import Launcher, runnable


@dataclass(frozen=True, slots=True)
class WatchState:
    """What is going on. ``word`` is off, starting, watching, building, restarting, waiting (for the engine) or failed.

    ``text`` says it in a sentence, ``detail`` what came before. ``at`` is when it began, in seconds since 1970.
    """

    word: str = "off"
    text: str = ""
    detail: str = ""
    tone: Tone = "muted"
    at: float = 0.0
    url: str = ""

    @property
    def on(self) -> bool:
        return self.word != "off"


class WatchDesk(QObject):
    """Watches one document's context at a time. ``changed`` tells of another ``state``."""

    changed = Signal()

    def __init__(
        self, context: UiContext, builds: BuildDesk, launcher: Launcher, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._builds = builds
        self._launcher = launcher
        self.state = WatchState()
        self.document: OpenDocument | None = None
        self.files: list[str] = []  # the newest changes, as they are called in the context
        self._pending = False
        self._busy = False
        self._begun = 0.0
        self._round = 0  # so that what a round before began is not heard of any more
        self._image = ""
        self._container = ""
        self._url = ""
        self.ready = False  # changes from now on are seen
        self.watcher = ContextWatcher(context.jobs, self)
        self.watcher.started.connect(self._on_watching)
        self.watcher.changed.connect(self._on_files_changed)
        self.watcher.failed.connect(self._on_watch_failed)
        context.session.state_changed.connect(self._on_session_changed)
        launcher.starting.connect(self._on_starting)

    # On and off.

    def toggle(self, document: OpenDocument | None) -> None:
        """Watch a document's context, or stop where it is watched already."""
        if self.state.on and (document is None or document is self.document):
            self.stop()
        elif document is not None:
            self.start(document)

    def start(self, document: OpenDocument) -> None:
        """Build and run it now, and again after each change of what is sent."""
        folder = document.context_folder
        if document.path is None or folder is None:
            self._context.notices.show(
                "Save the Dockerfile first",
                "What is watched is the folder that it is in.",
                tone="info",
            )
            return
        self.stop()
        self._round += 1
        self.document = document
        document.destroyed.connect(self._on_document_gone)
        document.moved.connect(self._on_moved)
        self.watcher.start(folder, document.path, self._outputs())
        self._set("starting", f"Looking at {folder.name}")
        self._pending = True
        self._go_on()

    def stop(self) -> None:
        """Watch nothing; a build that runs is left to itself, the container too."""
        self.watcher.stop()
        document, self.document = self.document, None
        if document is not None:
            document.destroyed.disconnect(self._on_document_gone)
            document.moved.disconnect(self._on_moved)
        self._round += 1
        self._pending = self._busy = self.ready = False
        self._url = self._container = ""
        self.files = []
        if self.state.on:
            self._set("off", "")

    def build_now(self) -> None:
        """Build although nothing changed."""
        if self.state.on:
            self._pending = True
            self._go_on()

    def close(self) -> None:
        """Watch nothing, and wait for the thread's end."""
        self.stop()
        self.watcher.close()

    # What happens.

    def _on_watching(self) -> None:
        self.ready = True
        if self.state.word == "starting":
            self._set("watching", "Watching for changes")

    def _on_files_changed(self, paths: frozenset[str]) -> None:
        document = self.document
        folder = document.context_folder if document is not None else None
        if folder is None:
            return
        self.files = sorted(os.path.relpath(path, folder) for path in paths)
        self._pending = True
        self._go_on()

    def _on_watch_failed(self, error: DockDeskError) -> None:
        self.stop()
        self._context.notices.failure(error)

    def _on_moved(self) -> None:
        """It has another context: that is watched from now on."""
        document = self.document
        if document is not None and document.path is not None and document.context_folder:
            self.watcher.start(document.context_folder, document.path, self._outputs())

    def _on_document_gone(self) -> None:
        self.document = None
        self.stop()

    def _on_session_changed(self, _state: object) -> None:
        if not self.state.on:
            return
        if self._context.session.state is SessionState.CONNECTED:
            if self.state.word == "waiting":
                self._set("watching", "Watching for changes")
            self._go_on()
        elif not self._busy:
            self._set("waiting", "Waiting for the engine", tone="warn")

    def _go_on(self) -> None:
        """Begin the build that is due, unless one runs: then it is the next one."""
        document = self.document
        if not self._pending or self._busy or document is None:
            return
        if self._context.session.state is not SessionState.CONNECTED:
            self._set("waiting", "Waiting for the engine", tone="warn")
            return
        self._pending, self._busy = False, True
        self._begun = time.time()
        self._set("building", "Building", self._because().strip(), "info")
        self._builds.request_then(document, runnable, partial(self._build, self._round))

    def _build(self, round: int, request: BuildRequest) -> None:
        """What is saved is built: the editor may hear of it later than the watch."""
        if round != self._round:
            return
        document = self.document
        path = document.path if document is not None else None
        failed = partial(self._on_failed, round, "The build failed")
        if path is None:
            failed(None)
            return

        def begin(content: FileContent) -> None:
            if round == self._round:
                spec = replace(request.spec, text=None)
                saved = replace(request, spec=spec, text=from_screen(content.text), unsaved=False)
                done = partial(self._on_built, round, saved)
                self._launcher.build(saved, done, failed)

        self._context.jobs.submit(
            self, lambda _work: files.read(path), begin, failed, lane="files", question="saved"
        )

    def _on_built(self, round: int, request: BuildRequest, result: BuildResult) -> None:
        if round != self._round:
            return
        if self._pending:
            # It is out of date already: the next one is run.
            self._busy = False
            self._go_on()
            return
        if result.image and result.image == self._image and self._still_runs():
            self._rest("Nothing changed in the image", "good")
            return
        self._image = result.image
        self._launcher.launch(
            request,
            result,
            partial(self._on_launched, round),
            partial(self._on_failed, round, "The container did not start"),
        )

    def _on_starting(self, image: str) -> None:
        if self._busy and self.state.word == "building":
            self._set("restarting", f"Starting {image}", tone="info")

    def _on_launched(self, round: int, running: Running) -> None:
        if round == self._round:
            self._url = running.url or self._url
            took = time.time() - self._begun
            word = "restarted" if self._container else "started"
            self._container = running.id
            self._rest(f"{running.name} {word} at {_clock()}, in {took:.1f} s", "good")

    def _on_failed(self, round: int, title: str, error: DockDeskError | None) -> None:
        if round != self._round:
            return
        self._image = ""
        if isinstance(error, CancelledError):
            title = "The build was stopped"
        elif error is None:
            title = "It could not begin"
        kept = error.hint if error is not None and "before" in error.hint else ""
        if title == "The build failed":
            kept = "The container runs as before."
        self._busy = False
        self._set("failed", f"{title} at {_clock()}", kept, "bad")
        self._go_on()

    def _still_runs(self) -> bool:
        container = self._context.session.containers.get(self._container)
        return container is not None and container.running

    def _rest(self, detail: str, tone: Tone) -> None:
        self._busy = False
        why = self._because()
        self._set("watching", detail, f"{why}Watching for changes", tone)
        self._go_on()

    def _because(self) -> str:
        if not self.files:
            return ""
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{self.files[0]}{more} changed. "

    def _outputs(self) -> list[str]:
        """What the last build of it wrote into files."""
        document = self.document
        if document is None:
            return []
        found = []
        for run in self._context.builds.runs:
            found += [output.path for output in run.spec.outputs if output.path]
        return found

    def _set(self, word: str, text: str, detail: str = "", tone: Tone = "muted") -> None:
        self.state = WatchState(word, text, detail, tone, time.time(), self._url)
        self.changed.emit()


def _clock() -> str:
    return time.strftime("%H:%M:%S")
