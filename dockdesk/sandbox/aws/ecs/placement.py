"""Where a task goes: its capacity provider, its zone, and on EC2 its host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dockdesk.sandbox.aws.ecs.model import Cluster, ContainerInstance, Service, Task, TaskDefinition


def choose_provider(strategy: Sequence[Mapping[str, Any]], tasks: Collection[Task]) -> str:
    """The provider of the next task: first each base, then by weight. Empty without a strategy."""
    if not strategy:
        return ""
    counts = Counter(task.provider for task in tasks if task.live)
    for item in strategy:
        if counts[str(item["capacityProvider"])] < int(item.get("base") or 0):
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if int(item.get("weight") or 0) > 0] or list(strategy[:1])

    def fullness(item: Mapping[str, Any]) -> float:
        above = counts[str(item["capacityProvider"])] - int(item.get("base") or 0)
        return (above + 1) / (int(item.get("weight") or 0) or 1)

    return str(min(weighted, key=fullness)["capacityProvider"])


def choose_zone(zones: Sequence[str], tasks: Collection[Task]) -> str:
    """The zone with the fewest of these tasks."""
    counts = Counter(task.zone for task in tasks if task.live)
    return min(zones, key=lambda zone: counts[zone])


def choose_instance(
    cluster: Cluster,
    definition: TaskDefinition,
    tasks: Collection[Task],
    zones: Collection[str],
    daemon: bool = False,
) -> ContainerInstance | None:
    """The host in the zone with the fewest of these tasks, then the emptiest; None where it fits nowhere."""
    counts = Counter(task.zone for task in tasks if task.live)
    taken = {task.instance.id for task in tasks if task.instance is not None and task.live}
    fitting = [
        host
        for host in usable(cluster, zones)
        if host.cpu_left >= definition.cpu
        and host.memory_left >= definition.memory
        and not (daemon and host.id in taken)
    ]
    return min(fitting, key=lambda host: (counts[host.zone], -host.cpu_left), default=None)


def usable(cluster: Cluster, zones: Collection[str]) -> list[ContainerInstance]:
    return [
        host
        for host in cluster.instances.values()
        if host.status == "ACTIVE" and host.connected and host.zone in zones
    ]


def no_room(service: Service, zones: Collection[str], definition: TaskDefinition) -> str:
    """ECS's words for why no host took a task."""
    hosts = usable(service.cluster, zones)
    begin = "was unable to place a task because no container instance met all of its requirements."
    if not hosts:
        return f"{begin} Reason: No Container Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
    best = max(hosts, key=lambda host: (host.cpu_left, host.memory_left))
    lacking = "CPU units" if best.cpu_left < definition.cpu else "memory"
    return f"{begin} The closest matching (container-instance {best.id}) has insufficient {lacking} available. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
