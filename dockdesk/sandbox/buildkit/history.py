"""What the engine remembers of builds. Source: moby/buildkit, solver/llbsolver/history.go."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dockdesk.sandbox.buildkit.journal import Journal
from dockdesk.wire.buildkit import COMPLETE, DELETED, STARTED, BuildHistoryEvent, BuildHistoryRecord

_KEPT = 60
_KEPT_BYTES = 24 << 20


@dataclass(slots=True)
class Remembered:
    record: BuildHistoryRecord
    journal: Journal
    over: bool = False


@dataclass(slots=True)
class Memory:
    """Builds by their ref, the oldest first."""

    builds: OrderedDict[str, Remembered] = field(default_factory=OrderedDict)
    _listeners: set[asyncio.Queue[BuildHistoryEvent]] = field(default_factory=set)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, record: BuildHistoryRecord, journal: Journal) -> None:
        self.builds[record.ref] = Remembered(record, journal)
        begun, self._begun = self._begun, asyncio.Event()
        begun.set()
        self._tell(STARTED, record)

    def finish(self, record: BuildHistoryRecord) -> None:
        if record.ref not in self.builds:
            return
        held = self.builds[record.ref]
        held.record, held.over = record, True
        self._tell(COMPLETE, record)
        self._forget_some()

    def change(self, ref: str, change: Callable[[BuildHistoryRecord], BuildHistoryRecord]) -> None:
        held = self.builds[ref]
        held.record = change(held.record)
        self._tell(COMPLETE if held.over else STARTED, held.record)

    def pin(self, ref: str, pinned: bool) -> None:
        self.change(ref, lambda record: replace(record, pinned=pinned))

    def delete(self, ref: str) -> None:
        self._tell(DELETED, self.builds.pop(ref).record)

    def _forget_some(self) -> None:
        while True:
            kept = [held for held in self.builds.values() if held.over and not held.record.pinned]
            size = sum(held.journal.size for held in kept)
            if len(kept) <= 1 or (len(kept) <= _KEPT and size <= _KEPT_BYTES):
                return
            self.delete(kept[0].record.ref)

    def events(self, active_only: bool, ref: str, limit: int) -> list[BuildHistoryEvent]:
        """What is known now, the newest first."""
        found = [
            BuildHistoryEvent(COMPLETE if held.over else STARTED, held.record)
            for held in reversed(self.builds.values())
            if not (active_only and held.over) and (not ref or held.record.ref == ref)
        ]
        return found[:limit] if limit > 0 else found

    def listen(self) -> asyncio.Queue[BuildHistoryEvent]:
        queue: asyncio.Queue[BuildHistoryEvent] = asyncio.Queue()
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[BuildHistoryEvent]) -> None:
        self._listeners.discard(queue)

    def _tell(self, kind: int, record: BuildHistoryRecord) -> None:
        for queue in self._listeners:
            queue.put_nowait(BuildHistoryEvent(kind, record))

    async def wait_for(self, ref: str, seconds: float) -> Journal | None:
        """A build's journal, which may be about to begin."""
        deadline = asyncio.get_running_loop().time() + seconds
        while ref not in self.builds:
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._begun.wait(), max(left, 0))
            except TimeoutError:
                return None
        return self.builds[ref].journal
