"""What the tabs beside the volume list show."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dockdesk.core.actions import Call, Equivalent
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.resources.engine import Volume
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.ui.facts_view import FactsView, pair_facts, time_text
from dockdesk.ui.files_view import BrowsingView
from dockdesk.ui.raw_view import RawView
from dockdesk.ui.widgets.files import FileSource
from dockdesk.ui.widgets.key_values import Fact

MOST_USERS = 50


class FilesView(BrowsingView[Volume]):
    """The files of a volume, whether a container uses it or not."""

    kind = "volume"

    def source(self, engine: Any, row: Volume, lane: str) -> FileSource:
        return FileSource(
            f"{lane}/{row.name}",
            partial(engine.list_volume_files, row.name),
            partial(engine.read_volume_file, row.name),
            partial(engine.download_from_volume, row.name),
            lane=lane,
        )

    def upload(self, row: Volume, sources: Sequence[Path], folder: str) -> Call:
        return upload_call(row.name, sources, folder)

    def download(self, row: Volume, entry: FileEntry, folder: Path) -> Call:
        return download_call(row.name, entry.path, folder)


def upload_call(name: str, sources: Sequence[Path], folder: str) -> Call:
    """Docker has no command for it: a container that mounts the volume does the copying."""
    lines = [
        f"docker run --rm -v {shlex.quote(f'{name}:/volume')} -v {shlex.quote(f'{path.parent}:/from:ro')} busybox "
        f"cp -r {shlex.quote(f'/from/{path.name}')} {shlex.quote('/volume' + folder)}"
        for path in sources
    ]
    return Call(
        ResourceRef("volume", name, name),
        lambda engine, work: engine.upload_to_volume(name, sources, folder, work),
        Equivalent("\n".join(lines), "", f"PUT /containers/{{id}}/archive?path={folder}"),
    )


def download_call(name: str, path: str, folder: Path) -> Call:
    return Call(
        ResourceRef("volume", name, f"{name}:{posixpath.basename(path)}"),
        lambda engine, work: engine.download_from_volume(name, path, folder, work),
        Equivalent(
            f"docker run --rm -v {shlex.quote(f'{name}:/volume:ro')} -v {shlex.quote(f'{folder}:/to')} busybox "
            f"cp -r {shlex.quote('/volume' + path)} /to/",
            "",
            f"GET /containers/{{id}}/archive?path={path}",
        ),
    )


class SummaryView(FactsView[Volume, Volume]):
    """The list tells all there is: nothing is asked of the engine."""

    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        return (
            (("General", ""), ("In use by", "No container uses it.")),
            (("Labels", "It has none."), ("Driver options", "It has none.")),
        )

    def key(self, row: Volume) -> str:
        return row.name

    def stamp(self, row: Volume) -> Any:
        return row

    def fetch(self, engine: Any, row: Volume, work: Work) -> Volume:  # noqa: ARG002
        return row

    def present(self, row: Volume, data: Volume) -> None:  # noqa: ARG002
        self.set_card(
            "General",
            [
                Fact("Name", row.name, mono=True),
                Fact("Driver", row.driver),
                Fact("Size", bytes_text(row.size) if row.size >= 0 else "not measured"),
                Fact("Created", time_text(row.created)),
                Fact("Mount point", row.mountpoint, mono=True),
                Fact("Scope", row.scope),
            ],
        )
        self.set_card(
            "In use by",
            [
                Fact("container", name, link=ResourceRef("container", "", name))
                for name in row.used_by[:MOST_USERS]
            ],
        )
        self.set_card("Labels", pair_facts(sorted(row.labels.items())))
        self.set_card("Driver options", pair_facts(sorted(row.options.items())))


class InspectView(RawView[Volume]):
    """The list holds the engine's whole answer: nothing is asked again."""

    def key(self, row: Volume) -> str:
        return row.name

    def stamp(self, row: Volume) -> Any:
        return row

    def fetch(self, engine: Any, row: Volume, work: Work) -> Mapping[str, Any]:  # noqa: ARG002
        return row.raw
