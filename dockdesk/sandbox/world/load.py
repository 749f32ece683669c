"""What traffic does to whoever serves it: processor, memory, latency and errors, as pure functions.

A task with ``vcpu`` processors that gets ``share`` requests a second needs ``idle + share × cost`` processors. Latency
grows as in an M/M/1 queue, and what exceeds the processors there are fails. Source: Kleinrock, Queueing Systems I.
"""

from __future__ import annotations

from dockdesk.core.records import dataclass
from dockdesk.sandbox.world.traffic import Traffic

_FULLEST = 0.985


@dataclass(frozen=True, slots=True)
class Workload:
    """One service's program. ``cost`` and ``idle`` in vCPU (seconds a request), memory in MiB, ``latency`` in seconds.

    ``bursts``: may use more than its share of a processor, up to twice, as on a host that has idle ones.
    """

    traffic: Traffic
    cost: float
    idle: float = 0.01
    memory: float = 200.0
    memory_per_rate: float = 1.0
    latency: float = 0.04
    bursts: bool = False

    def demand(self, share: float) -> float:
        """Processors that one task wants."""
        return self.idle + share * self.cost

    def used(self, share: float, vcpu: float) -> float:
        """Percent of its processors that one task uses; above 100 only where it may burst."""
        most = 200.0 if self.bursts else 100.0
        return min(self.demand(share) / vcpu * 100.0, most)

    def answer_time(self, share: float, vcpu: float) -> float:
        """Seconds until a request is answered, on average."""
        full = min(self.demand(share) / (vcpu * (2.0 if self.bursts else 1.0)), _FULLEST)
        return self.latency / (1.0 - full)

    def failing(self, share: float, vcpu: float) -> float:
        """Requests a second that one task cannot answer."""
        most = vcpu * (2.0 if self.bursts else 1.0)
        excess = self.demand(share) - most
        return min(excess / self.cost, share) if excess > 0 and self.cost else 0.0

    def memory_used(self, share: float) -> float:
        """MiB of one task."""
        return self.memory + self.memory_per_rate * share


def calibrated(
    traffic: Traffic,
    tasks: float,
    vcpu: float,
    percent: float,
    idle: float = 0.01,
    **more: float | bool,
) -> Workload:
    """A workload whose ``tasks`` run at ``percent`` of their processors when the traffic is at its mean."""
    share = traffic.mean / max(tasks, 1)
    cost = max(vcpu * percent / 100.0 - idle, 0.001) / share if share else 0.0
    return Workload(traffic, cost, idle, **more)  # type: ignore[arg-type]
