"""The volumes pane."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication

from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.engine import DiskUsage, EngineEvent, Volume
from dockdesk.core.units import bytes_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription, StatCard
from dockdesk.ui.following_pane import FollowingPane
from dockdesk.ui.pane import Handler
from dockdesk.ui.panes.volumes.actions import ACTIONS
from dockdesk.ui.panes.volumes.columns import COLUMNS
from dockdesk.ui.panes.volumes.details import FilesView, InspectView, SummaryView

_log = logging.getLogger(__name__)

SETTLE_MS = 1500
_CHANGES_SIZES = frozenset({"create", "destroy", "prune"})

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
        DetailTab("inspect", "Inspect", InspectView, "list-tree"),
    ),
    empty=EmptyText(
        "No volumes yet",
        "A volume keeps data outside containers, so that it outlives them. Create one and mount it in a run.",
        "volume.create",
    ),
    sort=("name", False),
)


class Sizes:
    """What volumes were measured at. Rows keep being the same objects while nothing about them changes."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._rows: dict[str, tuple[Volume, Volume]] = {}

    def take(self, usage: DiskUsage) -> None:
        self._sizes = {item.id: item.size for item in usage.items if item.kind == "volumes"}

    def clear(self) -> None:
        self._sizes.clear()

    def of(self, volumes: Iterable[Volume]) -> list[Volume]:
        """The volumes with their sizes, where those were measured."""
        found: dict[str, tuple[Volume, Volume]] = {}
        for volume in volumes:
            size = self._sizes.get(volume.name, -1) if volume.size < 0 else volume.size
            known = self._rows.get(volume.name)
            if known is None or known[0] is not volume or known[1].size != size:
                known = (volume, volume if size == volume.size else replace(volume, size=size))
            found[volume.name] = known
        self._rows = found
        return [sized for _listed, sized in found.values()]


class VolumesPane(FollowingPane[Volume]):
    """The list is there at once; sizes, for which the engine walks its disk, follow when it is looked at."""

    def __init__(self, context: UiContext) -> None:
        session = context.session
        self._sizes = Sizes()
        self._stale = True
        super().__init__(
            context,
            DESCRIPTION,
            "volumes",
            session.volumes_changed,
            lambda: self._sizes.of(session.volumes.values()),
        )
        self._settle_sizes = QTimer(self)
        self._settle_sizes.setSingleShot(True)
        self._settle_sizes.setInterval(SETTLE_MS)
        self._settle_sizes.timeout.connect(self._measure)
        session.event_arrived.connect(self._on_event)
        session.state_changed.connect(self._on_state_changed)

    def handlers(self) -> Mapping[str, Handler]:
        return {"volume.copy_name": _copy_names}

    def shown(self) -> None:
        super().shown()
        if self._stale:
            self._measure()

    def hidden(self) -> None:
        super().hidden()
        self._settle_sizes.stop()

    def reload(self) -> None:
        super().reload()
        self._measure()

    def after_rows(self) -> None:
        volumes = list(self.model.rows())
        unused = [volume for volume in volumes if not volume.used_by]
        cards = [
            StatCard("count", "Volumes", str(len(volumes)), f"{len(volumes) - len(unused)} in use"),
            StatCard("unused", "Unused", str(len(unused)), "that no container mounts"),
        ]
        measured = [volume for volume in volumes if volume.size >= 0]
        if measured:
            total = bytes_text(sum(volume.size for volume in measured))
            free = bytes_text(sum(volume.size for volume in measured if not volume.used_by))
            partly = "" if len(measured) == len(volumes) else f"{len(measured)} of {len(volumes)}: "
            cards.append(StatCard("size", "Size", total, f"{partly}{free} in unused ones"))
        self.set_cards(cards)

    # Sizes.

    def _measure(self) -> None:
        session = self.context.session
        engine, environment = session.backend, session.environment
        if engine is None or environment is None or "disk_usage" not in session.capabilities:
            return
        self._stale = False
        self.context.jobs.submit(
            self,
            lambda _work: engine.disk_usage(),
            self._on_measured,
            self._on_measure_failed,
            lane=environment.id,
            question="sizes",
            long=True,
        )

    def _on_measured(self, usage: DiskUsage) -> None:
        self._sizes.take(usage)
        self.show_rows()

    def _on_measure_failed(self, error: DockDeskError) -> None:
        """Sizes stay open; the list itself is fine, so this is no reason for more than a line in the log."""
        self._stale = True
        _log.info("volumes could not be measured: %s", error)

    def _on_event(self, event: EngineEvent) -> None:
        if event.kind != "volume" or event.action not in _CHANGES_SIZES:
            return
        self._stale = True
        if self.isVisible():
            self._settle_sizes.start()

    def _on_state_changed(self, _state: object) -> None:
        """Another engine, or the same after a while: what was measured may no longer hold."""
        self._stale = True
        if self.context.session.backend is None:
            self._sizes.clear()
        elif self.isVisible():
            self._measure()


def _copy_names(rows: Sequence[Volume]) -> None:
    QGuiApplication.clipboard().setText("\n".join(volume.name for volume in rows))
