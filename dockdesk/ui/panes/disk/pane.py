"""The disk pane: `docker system df` as a chart and a list, the largest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout

from dockdesk.core.errors import DockDeskError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import DiskSlice, DiskUsage, EngineEvent
from dockdesk.core.units import bytes_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import EmptyText, ListDescription, StatCard
from dockdesk.ui.list_pane import ListPane, ListState
from dockdesk.ui.pane import Handler
from dockdesk.ui.panes.disk.actions import ACTIONS
from dockdesk.ui.panes.disk.columns import COLUMNS, DiskRow
from dockdesk.ui.widgets.cards import Card
from dockdesk.ui.widgets.chart import Part, UsageBar

_SETTLE_MS = 1500
_EVENTS = frozenset(
    {"destroy", "delete", "prune", "pull", "import", "load", "create", "untag", "remove"}
)
_SLICES = {
    "images": "Images",
    "containers": "Containers",
    "volumes": "Volumes",
    "build cache": "Build cache",
}
_KINDS = {"images": "image", "containers": "container", "volumes": "volume"}

DESCRIPTION: ListDescription[DiskRow] = ListDescription(
    id="disk",
    title="Disk",
    icon="chart-donut",
    kind="disk",
    noun=("thing", "things"),
    columns=COLUMNS,
    key=lambda row: row.key,
    name=lambda row: row.item.name,
    actions=ACTIONS,
    empty=EmptyText(
        "Nothing on disk", "Images, containers, volumes and build cache will be listed here."
    ),
    sort=("size", True),
    activate="disk.open",
)


def rows_of(usage: DiskUsage) -> list[DiskRow]:
    """All items, each with its share of the largest."""
    largest = max((item.size for item in usage.items), default=0) or 1
    return [DiskRow(item, max(item.size, 0) / largest) for item in usage.items]


def use_text(part: DiskSlice) -> str:
    """What a card says of a kind of things: how much of it can go, else how many are in use."""
    if part.reclaimable:
        return f"{bytes_text(part.reclaimable)} can be freed"
    if not part.count:
        return "nothing there"
    return f"{'all' if part.active >= part.count else part.active} of {part.count} in use"


class DiskPane(ListPane[DiskRow]):
    """Measured when it is opened and after changes: measuring makes the engine walk its disk, so it is no polling."""

    def __init__(self, context: UiContext) -> None:
        super().__init__(context, DESCRIPTION)
        self._stale = True
        environment = context.session.environment
        self._measured = environment.id if environment is not None else ""
        self._bar = UsageBar(context.theme)
        self._chart = Card(context.theme)
        self._chart.body.addWidget(self._bar)
        self._chart.hide()
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(2, self._chart)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._measure)
        context.session.event_arrived.connect(self._on_event)
        context.session.state_changed.connect(self._on_state_changed)

    def shown(self) -> None:
        super().shown()
        if self._stale:
            self._measure()

    def hidden(self) -> None:
        super().hidden()
        self._settle.stop()

    def reload(self) -> None:
        if not self.model.total:
            self.set_state(ListState.LOADING)
        self._measure()

    def handlers(self) -> Mapping[str, Handler]:
        return {"disk.open": self._open}

    def _open(self, rows: Sequence[Any]) -> None:
        item = rows[0].item
        self.context.navigator.open(ResourceRef(_KINDS[item.kind], item.id, item.name))

    def _measure(self) -> None:
        session = self.context.session
        engine, environment = session.backend, session.environment
        if engine is None or environment is None:
            return
        self._stale = False
        self.context.jobs.submit(
            self,
            lambda _work: engine.disk_usage(),
            self._on_measured,
            self._on_failed,
            lane=environment.id,
            question="disk",
            long=True,
        )

    def _on_measured(self, usage: DiskUsage) -> None:
        self.set_rows(rows_of(usage))
        self._bar.set_parts(
            [
                Part(_SLICES.get(s.kind, s.kind), s.size, s.reclaimable)
                for s in usage.slices
                if s.size > 0
            ]
        )
        self._chart.setVisible(usage.size > 0)
        self.set_cards(
            [
                StatCard(
                    part.kind,
                    _SLICES.get(part.kind, part.kind),
                    bytes_text(part.size),
                    use_text(part),
                    "warn" if part.reclaimable > part.size / 2 and part.reclaimable else "neutral",
                )
                for part in usage.slices
            ]
        )

    def _on_failed(self, error: DockDeskError) -> None:
        self._stale = True
        self.show_failure(error)

    def _on_event(self, event: EngineEvent) -> None:
        if event.action not in _EVENTS:
            return
        self._stale = True
        if self.isVisible():
            self._settle.start()

    def _on_state_changed(self, _state: object) -> None:
        self._stale = True
        environment = self.context.session.environment
        measured = environment.id if environment is not None else ""
        if measured != self._measured:
            # What is shown is on the disk of another engine.
            self._measured = measured
            self.set_rows(())
            self._chart.hide()
            self.set_cards(())
            self.set_state(ListState.LOADING)
        if self.isVisible():
            self._measure()
