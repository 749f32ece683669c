"""The volumes pane."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.resources.engine import Volume
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription, StatCard
from dockdesk.ui.facts_view import FactsView, pair_facts, time_text
from dockdesk.ui.following_pane import FollowingPane
from dockdesk.ui.pane import DetailView, Handler
from dockdesk.ui.panes.volumes.actions import ACTIONS
from dockdesk.ui.panes.volumes.columns import COLUMNS
from dockdesk.ui.widgets.files import FileBrowser, FileSource
from dockdesk.ui.widgets.key_values import Fact


def _given(_rows: Sequence[Any], values: Values) -> Sequence[Call]:
    """The calls are planned where the files were dropped."""
    calls: Sequence[Call] = values["calls"]
    return calls


_UPLOAD: Action[Any] = Action(
    "volume.upload", "Upload files", "upload", _given, Danger.CHANGES, on_rows=False
)
_DOWNLOAD: Action[Any] = Action(
    "volume.download", "Download files", "download", _given, on_rows=False
)


class FilesView(DetailView[Volume]):
    """The files of a volume, whether a container uses it or not."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._volume: Volume | None = None
        self.browser = FileBrowser(context.theme, context.jobs, self)
        self.browser.upload_asked.connect(self._on_upload_asked)
        self.browser.download_asked.connect(self._on_download_asked)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.addWidget(self.browser)
        context.session.state_changed.connect(self._on_state_changed)

    def set_rows(self, rows: Sequence[Volume]) -> None:
        self._volume = rows[0] if rows else None
        if self.isVisible():
            self._update()

    def shown(self) -> None:
        self._update()

    def focus_filter(self) -> bool:
        self.browser.focus_filter()
        return True

    def _on_state_changed(self) -> None:
        if self.isVisible():
            self._update()

    def _update(self) -> None:
        session, volume = self.context.session, self._volume
        engine, environment = session.backend, session.environment
        if volume is None or engine is None or environment is None:
            return
        self.browser.set_source(
            FileSource(
                f"{environment.id}/{volume.name}",
                partial(engine.list_volume_files, volume.name),
                partial(engine.read_volume_file, volume.name),
                partial(engine.download_from_volume, volume.name),
                lane=environment.id,
            )
        )
        reason = environment.refusal(Danger.CHANGES)
        self.browser.set_may_upload(reason is None, reason or "")

    def _on_upload_asked(self, sources: list[Path], folder: str) -> None:
        volume = self._volume
        if volume is None:
            return
        calls = [upload_call(volume.name, sources, folder)]
        self.context.runner.trigger(
            _UPLOAD, (), {"calls": calls}, done=lambda _results: self.browser.reload()
        )

    def _on_download_asked(self, entries: list[FileEntry], folder: Path) -> None:
        volume = self._volume
        if volume is not None:
            calls = [download_call(volume.name, entry.path, folder) for entry in entries]
            self.context.runner.trigger(_DOWNLOAD, (), {"calls": calls})


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
                Fact("Size", bytes_text(row.size) if row.size >= 0 else "not measured; see Disk"),
                Fact("Created", time_text(row.created)),
                Fact("Mount point", row.mountpoint, mono=True),
                Fact("Scope", row.scope),
            ],
        )
        self.set_card("In use by", [Fact("container", name) for name in row.used_by[:50]])
        self.set_card("Labels", pair_facts(sorted(row.labels.items())))
        self.set_card("Driver options", pair_facts(sorted(row.options.items())))


DESCRIPTION: ListDescription[Volume] = ListDescription(
    id="volumes",
    title="Volumes",
    icon="database",
    kind="volume",
    noun=("volume", "volumes"),
    columns=COLUMNS,
    key=lambda volume: volume.name,
    name=lambda volume: volume.name,
    actions=ACTIONS,
    tabs=(
        DetailTab("files", "Files", FilesView, "folder"),
        DetailTab("summary", "Summary", SummaryView, "info-circle"),
    ),
    empty=EmptyText(
        "No volumes yet",
        "A volume keeps data outside containers, so that it outlives them. Create one and mount it in a run.",
        "volume.create",
    ),
    sort=("name", False),
)


class VolumesPane(FollowingPane[Volume]):
    def __init__(self, context: UiContext) -> None:
        session = context.session
        super().__init__(
            context,
            DESCRIPTION,
            "volumes",
            session.volumes_changed,
            lambda: session.volumes.values(),
        )

    def handlers(self) -> Mapping[str, Handler]:
        return {"volume.copy_name": _copy_names}

    def after_rows(self) -> None:
        volumes = list(self.context.session.volumes.values())
        unused = [volume for volume in volumes if not volume.used_by]
        cards = [
            StatCard("count", "Volumes", str(len(volumes)), f"{len(volumes) - len(unused)} in use"),
            StatCard("unused", "Unused", str(len(unused)), "that no container mounts"),
        ]
        measured = [volume for volume in volumes if volume.size >= 0]
        if measured:
            size = bytes_text(sum(volume.size for volume in measured))
            cards.append(
                StatCard("size", "Size", size, f"{len(measured)} of {len(volumes)} measured")
            )
        self.set_cards(cards)


def _copy_names(rows: Sequence[Volume]) -> None:
    QGuiApplication.clipboard().setText("\n".join(volume.name for volume in rows))
