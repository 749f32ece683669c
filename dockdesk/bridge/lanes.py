"""Which job may run next: bounds for each remote, order for each resource, a fair turn for all. No Qt, no threads."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import field
from enum import Enum
from typing import Generic, Protocol, TypeVar

from dockdesk.core.records import dataclass


class Queued(Protocol):
    """What the lanes look at in a job; none of it changes while they know the job."""

    number: int
    lane: str
    order: str
    long: bool


J = TypeVar("J", bound=Queued)


class _Kind(Enum):
    READ = "read"
    WRITE = "write"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many jobs run side by side: of one lane, and of all lanes together."""

    lane_reads: int = 4
    lane_writes: int = 8
    lane_long: int = 12
    short: int = 32
    long: int = 16

    def of_lane(self, kind: _Kind) -> int:
        return {
            _Kind.READ: self.lane_reads,
            _Kind.WRITE: self.lane_writes,
            _Kind.LONG: self.lane_long,
        }[kind]

    def of_all(self, kind: _Kind) -> int:
        return self.long if kind is _Kind.LONG else self.short


@dataclass(slots=True)
class _Queue(Generic[J]):
    """The jobs of one lane and kind that nothing but a bound holds back, first come first served."""

    kind: _Kind
    ready: deque[J] = field(default_factory=deque)
    running: int = 0


class Lanes(Generic[J]):
    """Hands out jobs one at a time; every call costs the same however many jobs wait.

    Jobs of an equal ``order`` run strictly in the order in which they came, never two at once. Lanes take turns, so
    that one with a thousand jobs in it doesn't hold up one with a single job.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._queues: OrderedDict[tuple[str, _Kind], _Queue[J]] = OrderedDict()
        self._orders: dict[str, deque[J]] = {}
        self._waiting: dict[int, J] = {}
        self._running: dict[int, J] = {}
        self._counts = {True: 0, False: 0}

    @property
    def waiting(self) -> list[J]:
        """The jobs that wait, oldest first."""
        return list(self._waiting.values())

    @property
    def running(self) -> list[J]:
        """The jobs that run, in the order in which they started."""
        return list(self._running.values())

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._running)

    def add(self, job: J) -> None:
        """Let ``job`` wait for its turn."""
        self._waiting[job.number] = job
        if job.order:
            line = self._orders.setdefault(job.order, deque())
            line.append(job)
            if len(line) > 1:
                return
        self._queue(job).ready.append(job)

    def take(self) -> J | None:
        """The next job that may run now, counted as running from here on; None if none may."""
        for key, queue in self._queues.items():
            self._skip_dropped(queue)
            if not queue.ready or queue.running >= self._bounds.of_lane(queue.kind):
                continue
            if self._counts[queue.kind is _Kind.LONG] >= self._bounds.of_all(queue.kind):
                continue
            job = queue.ready.popleft()
            del self._waiting[job.number]
            self._running[job.number] = job
            queue.running += 1
            self._counts[job.long] += 1
            self._queues.move_to_end(key)
            return job
        return None

    def drop(self, job: J) -> bool:
        """Forget a job that waits; False if it doesn't, because it runs or ran."""
        if self._waiting.pop(job.number, None) is None:
            return False
        if job.order and self._orders[job.order][0] is job:
            self._advance(job.order)
        self._tidy(job, self._queue(job))
        return True

    def finish(self, job: J) -> None:
        """Make room for the next one."""
        if self._running.pop(job.number, None) is None:
            return
        queue = self._queue(job)
        queue.running -= 1
        self._counts[job.long] -= 1
        if job.order:
            self._advance(job.order)
        self._tidy(job, queue)

    def _advance(self, order: str) -> None:
        """Take the first of an order's line out, and make its next that still waits ready."""
        line = self._orders[order]
        line.popleft()
        while line and line[0].number not in self._waiting:
            line.popleft()
        if line:
            self._queue(line[0]).ready.append(line[0])
        else:
            del self._orders[order]

    def _skip_dropped(self, queue: _Queue[J]) -> None:
        while queue.ready and queue.ready[0].number not in self._waiting:
            queue.ready.popleft()

    def _tidy(self, job: J, queue: _Queue[J]) -> None:
        self._skip_dropped(queue)
        if not queue.ready and not queue.running:
            del self._queues[job.lane, queue.kind]

    def _queue(self, job: J) -> _Queue[J]:
        kind = _Kind.LONG if job.long else _Kind.WRITE if job.order else _Kind.READ
        key = (job.lane, kind)
        if (queue := self._queues.get(key)) is None:
            queue = self._queues[key] = _Queue(kind)
        return queue
