"""An engine in memory: the whole of core.ports.Engine, quick and obedient, with faults on demand.

It holds the stack of a small shop (twelve containers, three of them stopped), so that pictures and tests of different
panes tell the same story. Every change emits the event a real engine would.
"""

from __future__ import annotations

from dockdesk.core.errors import CancelledError
from dockdesk.core.resources.engine import (
    DiskItem,
    DiskSlice,
    DiskUsage,
    EngineEvent,
    EngineInfo,
    PruneReport,
)
from dockdesk.core.streams import Sink
from tests.fake_containers import FakeContainers
from tests.fake_state import CAPABILITIES
from tests.fake_streams import FakeExec, FakeSubscription
from tests.fake_world import GIB, NOW

__all__ = ["CAPABILITIES", "FakeEngine", "FakeExec", "FakeSubscription"]


class FakeEngine(FakeContainers):
    """See `FakeState` for what tests can turn."""

    # ConnectsEngine

    def info(self) -> EngineInfo:
        self._enter("info")
        return EngineInfo(
            "Docker Engine", "27.3.1", "1.47", "Debian GNU/Linux 12", "x86_64", "6.1.0", 8, 16 * GIB,
            "overlay2", "/var/lib/docker", "workshop", self.capabilities,
        )  # fmt: skip

    def ping(self) -> None:
        self._enter("ping")

    def events(
        self, sink: Sink[EngineEvent], since: float | None = None
    ) -> FakeSubscription[EngineEvent]:
        self._enter("events", since)
        stream = FakeSubscription(sink, self._event_streams.remove)
        self._event_streams.append(stream)
        return stream

    def disk_usage(self) -> DiskUsage:
        self._enter("disk_usage")
        with self._lock:
            pictures, disks = list(self._images.values()), list(self._volumes.values())
            boxes = list(self._containers.values())
        items = [
            DiskItem("images", i.id, i.name, i.size, not i.used_by, ", ".join(i.used_by), i.created)
            for i in pictures
        ]
        items += [
            DiskItem(
                "volumes", v.name, v.name, v.size, not v.used_by, ", ".join(v.used_by), v.created
            )
            for v in disks
        ]
        items += [
            DiskItem("containers", c.id, c.name, 1_200_000, not c.running, "", c.created)
            for c in boxes
        ]
        items.append(
            DiskItem("build cache", "cache1", "COPY . /app", self._build_cache, True, "", NOW)
        )
        kinds = ("images", "containers", "volumes", "build cache")
        slices = []
        for kind in kinds:
            mine = [item for item in items if item.kind == kind]
            free = [item for item in mine if item.reclaimable]
            slices.append(
                DiskSlice(kind, len(mine), len(mine) - len(free),
                          sum(i.size for i in mine), sum(i.size for i in free))
            )  # fmt: skip
        return DiskUsage(tuple(slices), tuple(items))

    def prune_build_cache(self, all_of_it: bool = False) -> PruneReport:
        self._enter("prune_build_cache", all_of_it)
        freed, self._build_cache = self._build_cache, 0
        return PruneReport(("cache1",) if freed else (), freed)

    def close(self) -> None:
        self.closed = True
        self.drop(CancelledError())
