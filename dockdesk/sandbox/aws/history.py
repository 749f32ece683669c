"""What each minute of a service was like: lived minutes are kept, those before the start are told by a pure function.

The past of an autoscaled service follows its load as target tracking would have: out within three minutes, in when
fifteen were quiet. So two weeks can be asked for at once, and cost nothing until they are.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from typing import NamedTuple

from dockdesk.core.records import dataclass
from dockdesk.sandbox.world.load import Workload
from dockdesk.sandbox.world.traffic import unit

KEPT_HOURS = 15 * 24
_FINE_MINUTES = 24 * 60
_COARSE = 5
_WIDTH = 15
_NOTHING = -1.0


class Minute(NamedTuple):
    """One minute of one service. CPU and memory in percent of what a task reserves, over running tasks; latency in s.

    ``rate`` and ``errors`` are requests a second. ``cpu`` and ``memory`` mean nothing where ``running`` is 0.
    """

    rate: float
    desired: float
    running: float
    pending: float
    cpu: float
    cpu_min: float
    cpu_max: float
    memory: float
    memory_min: float
    memory_max: float
    latency: float
    latency_max: float
    errors: float
    healthy: float
    unhealthy: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """How the past was scaled: between ``low`` and ``high`` tasks, towards ``target`` percent of CPU."""

    low: int
    high: int
    target: float


class TaskLoad(NamedTuple):
    """One running task in one minute. ``stolen``: share of its processors that it doesn't get; ``leaked`` MiB."""

    key: str
    serves: bool
    stolen: float = 0.0
    leaked: float = 0.0


def measure(
    workload: Workload,
    minute: int,
    rate: float,
    tasks: Iterable[TaskLoad],
    vcpu: float,
    memory: float,
    desired: int,
    pending: int,
) -> Minute:
    """What the tasks of a service go through in one minute of ``rate`` requests a second."""
    running = list(tasks)
    serving = sum(task.serves for task in running)
    share = rate / serving if serving else 0.0
    cpu, used, latency, errors = [], [], [], 0.0
    for task in running:
        own = share if task.serves else 0.0
        left = vcpu * (1.0 - task.stolen)
        noise = 0.93 + 0.14 * unit(task.key, minute)
        # A task that gets less of its processors is as busy with less work.
        cpu.append(min(workload.used(own, left) * noise, 200.0 if workload.bursts else 100.0))
        used.append(
            min(
                (workload.memory_used(own) * (0.98 + 0.04 * noise) + task.leaked) / memory * 100,
                100.0,
            )
        )
        if task.serves:
            latency.append(workload.answer_time(own, left))
            errors += workload.failing(own, left)
    if not serving:
        errors = rate
    count = len(running)
    return Minute(
        rate,
        desired,
        count,
        pending,
        sum(cpu) / count if count else 0.0,
        min(cpu, default=0.0),
        max(cpu, default=0.0),
        sum(used) / count if count else 0.0,
        min(used, default=0.0),
        max(used, default=0.0),
        sum(latency) / len(latency) if latency else 0.0,
        max(latency, default=0.0) * 1.6,
        errors,
        serving,
        count - serving,
    )


class History:
    """The minutes of one service. A minute's number is seconds since 1970 // 60.

    ``idle_count``, where given, tells how many tasks run now: such a service is not recorded minute by minute, its
    present is told like its past.
    """

    def __init__(
        self,
        key: str,
        workload: Workload,
        vcpu: float,
        memory: float,
        count: int,
        bounds: Bounds | None,
        start: int,
        born: int = 0,
        idle_count: Callable[[], int] | None = None,
    ) -> None:
        self.key = key
        self.workload = workload
        self.vcpu = vcpu
        self.memory = memory
        self.count = count
        self.bounds = bounds
        self.start = start
        self.born = born
        self._idle_count = idle_count
        self._hours: dict[int, array[float]] = {}
        self._told: set[int] = set()
        self._rates: dict[int, float] = {}

    def record(self, minute: int, lived: Minute) -> None:
        hour, inside = divmod(minute, 60)
        block = self._hours.get(hour)
        if block is None:
            block = self._hours[hour] = array("f", [_NOTHING]) * (60 * _WIDTH)
            for old in [key for key in self._hours if key < hour - KEPT_HOURS]:
                del self._hours[old]
        block[inside * _WIDTH : (inside + 1) * _WIDTH] = array("f", lived)

    def at(self, minute: int) -> Minute | None:
        """None before the service existed, and for what is not over yet."""
        if minute < self.born:
            return None
        if self._idle_count is not None and minute >= self.start:
            return self._imagined(minute, self._idle_count())
        hour, inside = divmod(minute, 60)
        if minute < self.start and hour not in self._told:
            self._tell(hour)
        block = self._hours.get(hour)
        if block is None:
            return None
        values = block[inside * _WIDTH : (inside + 1) * _WIDTH]
        return None if values[0] == _NOTHING else Minute(*values)

    def past_count(self, minute: int) -> int:
        """Tasks that ran in a minute before the start."""
        if self.bounds is None:
            return self.count
        room = self.vcpu * self.bounds.target / 100 - self.workload.idle
        busiest = max(self._rate(minute - 3 - back) for back in range(0, 15, 3))
        needed = math.ceil(busiest * self.workload.cost / room) if room > 0 else self.bounds.high
        return min(max(needed, self.bounds.low), self.bounds.high)

    def _tell(self, hour: int) -> None:
        self._told.add(hour)
        if self.start // 60 - hour <= KEPT_HOURS:
            for minute in range(hour * 60, min((hour + 1) * 60, self.start)):
                self.record(minute, self._imagined(minute, self.past_count(minute)))
        self._rates.clear()

    def _imagined(self, minute: int, count: int) -> Minute:
        rate = self._rate(minute)
        # Two tasks stand for all: the least and the most busy one differ by noise alone.
        two = [TaskLoad(f"{self.key}/{number}", True) for number in range(min(count, 2))]
        told = measure(
            self.workload,
            minute,
            rate * len(two) / count if count else rate,
            two,
            self.vcpu,
            self.memory,
            count,
            0,
        )
        return told._replace(
            rate=rate,
            running=count,
            healthy=count,
            errors=told.errors * max(count, 1) / max(len(two), 1),
        )

    def _rate(self, minute: int) -> float:
        """Requests a second in a minute of the past; what is long gone is interpolated."""
        known = self._rates.get(minute)
        if known is None:
            if self.start - minute > _FINE_MINUTES and minute % _COARSE:
                low = minute - minute % _COARSE
                weight = minute % _COARSE / _COARSE
                known = self._rate(low) * (1 - weight) + self._rate(low + _COARSE) * weight
            else:
                known = self.workload.traffic.rate(minute * 60 + 30)
            self._rates[minute] = known
        return known
