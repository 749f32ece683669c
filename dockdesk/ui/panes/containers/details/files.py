"""The files of a container."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dockdesk.core.actions import Call, Equivalent
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import FileEntry
from dockdesk.ui.files_view import BrowsingView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.files import FileSource


class FilesView(BrowsingView[ContainerRow]):
    """Works for stopped containers too."""

    kind = "container"

    def source(self, engine: Any, row: ContainerRow, lane: str) -> FileSource:
        id = row.container.id
        return FileSource(
            f"{lane}/{id}",
            partial(engine.list_files, id),
            partial(engine.read_file, id),
            partial(engine.download, id),
            partial(engine.changes, id),
            lane,
        )

    def upload(self, row: ContainerRow, sources: Sequence[Path], folder: str) -> Call:
        id, name = row.container.id, row.container.name
        paths = [str(path) for path in sources]
        target = shlex.quote(f"{name}:{folder}")
        return Call(
            ResourceRef("container", id, name),
            lambda engine, work: engine.upload(id, sources, folder, work),
            Equivalent(
                "\n".join(f"docker cp {shlex.quote(path)} {target}" for path in paths),
                f"client.containers.get({name!r}).put_archive({folder!r}, tar)"
                f"  # {shlex.join(paths)}",
                f"PUT /containers/{name}/archive?path={folder}",
            ),
        )

    def download(self, row: ContainerRow, entry: FileEntry, folder: Path) -> Call:
        id, name = row.container.id, row.container.name
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
