"""What pods use: a workload's traffic spread over its ready pods, as processor time and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dockdesk.sandbox.engine.catalogue import MIB, Program
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.objects import (
    condition,
    controller_of,
    dig,
    name_of,
    namespace_of,
    quantity,
    uid_of,
)
from dockdesk.sandbox.kube.store import Change
from dockdesk.sandbox.world.traffic import Spike, Traffic, unit

_MEAN = 8.0
SPIKE_SECONDS = 1800.0

Workload = tuple[str, str]  # namespace, name of what its owner made at last: a Deployment, say


@dataclass(slots=True)
class Strain:
    """What a scenario does to one workload: MiB a minute that it leaks, since when."""

    leak: float
    since: float


def workload_of(pod: Mapping[str, Any]) -> Workload:
    """Whose traffic a pod serves."""
    owner = controller_of(pod)
    if owner is None:
        return namespace_of(pod), name_of(pod)
    name = str(owner.get("name", ""))
    if owner.get("kind") == "ReplicaSet" and "pod-template-hash" in (
        pod["metadata"].get("labels") or {}
    ):
        name = name.rpartition("-")[0]
    return namespace_of(pod), name


class Load:
    """Reads the store's changes to know who is ready."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._ready: dict[Workload, set[str]] = {}
        self._traffic: dict[Workload, Traffic] = {}
        self.strains: dict[Workload, Strain] = {}
        self.slow_nodes: dict[
            str, float
        ] = {}  # node → share of its processors that a neighbour takes
        cluster.store.observers.append(self._notice)

    def _notice(self, change: Change) -> None:
        if change.kind.key != ("", "pods"):
            return
        pod = change.object
        ready = change.word != "DELETED" and condition(pod, "Ready").get("status") == "True"
        workload = workload_of(pod)
        if ready:
            self._ready.setdefault(workload, set()).add(uid_of(pod))
        elif serving := self._ready.get(workload):
            serving.discard(uid_of(pod))
            if not serving:
                del self._ready[workload]
        if change.word == "DELETED" and (controller_of(pod) or {}).get("kind") in {None, "Job"}:
            self._traffic.pop(workload, None)  # its name will not come again

    def set_traffic(self, workload: Workload, mean: float, phase: float = 0.0) -> None:
        """Requests a second to a workload, over a week."""
        name = "/".join(workload)
        self._traffic[workload] = Traffic(self._cluster.seed, name, mean, phase=phase)

    def traffic(self, workload: Workload) -> Traffic:
        found = self._traffic.get(workload)
        if found is None:
            self.set_traffic(workload, _MEAN)
            found = self._traffic[workload]
        return found

    def spike(self, factor: float) -> None:
        """So many times the traffic from now on for half an hour; 1 ends it."""
        now = self._cluster.now()
        for workload, traffic in self._traffic.items():
            spikes = (Spike(now, SPIKE_SECONDS, factor),) if factor > 1 else ()
            self._traffic[workload] = replace(traffic, spikes=spikes)

    def share(self, pod: Mapping[str, Any], now: float) -> float:
        """Requests a second to one pod."""
        workload = workload_of(pod)
        serving = self._ready.get(workload)
        if not serving or uid_of(pod) not in serving:
            return 0.0
        return self.traffic(workload).rate(now) / len(serving)

    def cores(
        self, pod: Mapping[str, Any], container: Mapping[str, Any], program: Program, now: float
    ) -> float:
        """Processor cores that a running container uses at a time."""
        noise = 0.85 + 0.3 * unit(uid_of(pod), container.get("name"), int(now / 15))
        wanted = (program.cpu + program.cpu_per_request * self.share(pod, now)) * noise / 100
        taken = self.slow_nodes.get(str(dig(pod, "spec", "nodeName")), 0.0)
        wanted *= 1 + taken
        limit = dig(container, "resources", "limits", "cpu")
        return min(wanted, quantity(limit)) if limit else min(wanted, 4.0)

    def memory(
        self,
        pod: Mapping[str, Any],
        container: Mapping[str, Any],
        program: Program,
        started: float,
        now: float,
    ) -> float:
        """Bytes that a container that runs since ``started`` uses."""
        breathing = 1 + 0.03 * (unit(uid_of(pod), container.get("name"), int(now / 15)) - 0.5)
        return program.memory * breathing + self._leaked(pod, program, started, now)

    def _leaked(
        self, pod: Mapping[str, Any], program: Program, started: float, now: float
    ) -> float:
        leaked = program.leak * (now - started)
        if strain := self.strains.get(workload_of(pod)):
            leaked += strain.leak * MIB / 60 * max(now - max(started, strain.since), 0)
        return leaked

    def full_at(
        self, pod: Mapping[str, Any], container: Mapping[str, Any], program: Program, started: float
    ) -> float:
        """When a container that started then is over its memory limit; infinity where it never is."""
        limit = dig(container, "resources", "limits", "memory")
        if not limit:
            return float("inf")
        room = quantity(limit) - program.memory
        if room <= 0:
            return started + 2.0
        rate, since = program.leak, started
        if strain := self.strains.get(workload_of(pod)):
            rate, since = rate + strain.leak * MIB / 60, max(started, strain.since)
        return since + room / rate if rate > 0 else float("inf")
