"""The files of a container."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.actions import Action, Call, Danger, Equivalent
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container, FileEntry
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.files import FileBrowser, FileSource

UPLOAD: Action[Container] = Action(
    "container.upload", "Upload files", "upload", danger=Danger.CHANGES
)
DOWNLOAD: Action[Container] = Action(
    "container.download", "Download files", "download", danger=Danger.READS
)


class FilesView(DetailView[ContainerRow]):
    """Browses while it is on the screen; works for stopped containers too."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._container: Container | None = None
        self.browser = FileBrowser(context.theme, context.jobs, self)
        self.browser.upload_asked.connect(self._on_upload_asked)
        self.browser.download_asked.connect(self._on_download_asked)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.addWidget(self.browser)
        context.session.state_changed.connect(lambda: self._update() if self.isVisible() else None)

    def set_rows(self, rows: Sequence[ContainerRow]) -> None:
        self._container = rows[0].container if rows else None
        if self.isVisible():
            self._update()

    def shown(self) -> None:
        self._update()

    def focus_filter(self) -> bool:
        self.browser.focus_filter()
        return True

    def _update(self) -> None:
        session, container = self.context.session, self._container
        engine, environment = session.backend, session.environment
        if container is None or engine is None or environment is None:
            return
        id = container.id
        self.browser.set_source(
            FileSource(
                f"{environment.id}/{id}",
                partial(engine.list_files, id),
                partial(engine.read_file, id),
                partial(engine.download, id),
                partial(engine.changes, id),
                environment.id,
            )
        )
        reason = environment.refusal(Danger.CHANGES)
        self.browser.set_may_upload(reason is None, reason or "")

    def _on_upload_asked(self, sources: list[Path], folder: str) -> None:
        container = self._container
        if container is None:
            return
        id, name = container.id, container.name
        words = " ".join(shlex.quote(str(path)) for path in sources)
        call = Call(
            ResourceRef("container", id, name),
            lambda engine, work: engine.upload(id, sources, folder, work),
            Equivalent(
                "\n".join(
                    f"docker cp {shlex.quote(str(path))} {shlex.quote(f'{name}:{folder}')}"
                    for path in sources
                ),
                f"client.containers.get({name!r}).put_archive({folder!r}, tar)  # {words}",
                f"PUT /containers/{name}/archive?path={folder}",
            ),
        )
        self.context.runner.trigger(
            UPLOAD, (), {"calls": [call]}, done=lambda _results: self.browser.reload()
        )

    def _on_download_asked(self, entries: list[FileEntry], folder: Path) -> None:
        container = self._container
        if container is None:
            return
        self.context.runner.run(
            DOWNLOAD, [_download(container, entry, folder) for entry in entries]
        )


def _download(container: Container, entry: FileEntry, folder: Path) -> Call:
    id, name = container.id, container.name
    source = shlex.quote(f"{name}:{entry.path}")
    return Call(
        ResourceRef("container", id, f"{name}:{posixpath.basename(entry.path)}"),
        lambda engine, work: engine.download(id, entry.path, folder, work),
        Equivalent(
            f"docker cp {source} {shlex.quote(str(folder))}",
            f"client.containers.get({name!r}).get_archive({entry.path!r})",
            f"GET /containers/{name}/archive?path={entry.path}",
        ),
    )
