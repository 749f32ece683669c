"""Metrics as minutes: what a service's minutes mean in each namespace, and what clients put there themselves.

Sources: docs.aws.amazon.com: AmazonECS available_cloudwatch_metrics, Container-Insights-metrics-ECS, and the
Application Load Balancer's load-balancer-cloudwatch-metrics.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Protocol

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.ecs.model import Cluster, EcsState, Service
from dockdesk.sandbox.aws.history import Minute
from dockdesk.sandbox.aws.values import BadInputError

Dimensions = tuple[tuple[str, str], ...]
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
_KEPT_MINUTES = 15 * 24 * 60
_MOST_PUT = 5000


@dataclass(frozen=True, slots=True)
class Stat:
    """The statistics of one period of one metric."""

    count: float
    sum: float
    low: float
    high: float

    def value(self, statistic: str) -> float:
        """Raises BadInputError for a statistic that does not exist."""
        mean = self.sum / self.count if self.count else 0.0
        known = {
            "Average": mean,
            "Sum": self.sum,
            "Minimum": self.low,
            "Maximum": self.high,
            "SampleCount": self.count,
        }
        if statistic in known:
            return known[statistic]
        match = _PERCENTILE.fullmatch(statistic)
        if match is None:
            raise BadInputError(f"The value {statistic} for parameter Stat is not supported.")
        share = float(match[1]) / 100
        # Only the ends and the middle are known: what lies between is taken as straight.
        if share <= 0.5:
            return self.low + (mean - self.low) * share * 2
        return mean + (self.high - mean) * (share * 2 - 1)


def combined(stats: Iterable[Stat]) -> Stat | None:
    """The statistics of several periods together; None of none."""
    count = total = 0.0
    low, high = float("inf"), float("-inf")
    for stat in stats:
        count += stat.count
        total += stat.sum
        low, high = min(low, stat.low), max(high, stat.high)
    return Stat(count, total, low, high) if count else None


class Series(Protocol):
    """A metric with its dimensions: its unit, and its statistics in a minute (seconds since 1970 // 60)."""

    @property
    def unit(self) -> str: ...

    def at(self, minute: int) -> Stat | None: ...


def _spread(count: float, mean: float, low: float, high: float) -> Stat | None:
    return Stat(count, mean * count, low, high) if count else None


def _gauge(value: float) -> Stat:
    return Stat(1, value, value, value)


def _requests(rate: float) -> Stat | None:
    count = round(rate * 60)
    return Stat(count, count, 1, 1) if count > 0 else None


Meaning = Callable[[Minute, Service], Stat | None]

_SERVICE: dict[tuple[str, str], tuple[str, Meaning]] = {
    ("AWS/ECS", "CPUUtilization"): (
        "Percent",
        lambda m, _: _spread(m.running, m.cpu, m.cpu_min, m.cpu_max),
    ),
    ("AWS/ECS", "MemoryUtilization"): (
        "Percent",
        lambda m, _: _spread(m.running, m.memory, m.memory_min, m.memory_max),
    ),
}
_INSIGHTS: dict[str, tuple[str, Meaning]] = {
    "DesiredTaskCount": ("Count", lambda m, _: _gauge(m.desired)),
    "RunningTaskCount": ("Count", lambda m, _: _gauge(m.running)),
    "PendingTaskCount": ("Count", lambda m, _: _gauge(m.pending)),
    "DeploymentCount": ("Count", lambda _, s: _gauge(len(s.deployments))),
    "CpuReserved": ("None", lambda m, s: _gauge(m.running * s.definition.cpu)),
    "CpuUtilized": ("None", lambda m, s: _gauge(m.running * s.definition.cpu * m.cpu / 100)),
    "MemoryReserved": ("Megabytes", lambda m, s: _gauge(m.running * s.definition.memory)),
    "MemoryUtilized": (
        "Megabytes",
        lambda m, s: _gauge(m.running * s.definition.memory * m.memory / 100),
    ),
    "NetworkRxBytes": ("Bytes/Second", lambda m, _: _gauge(m.rate * 900)),
    "NetworkTxBytes": ("Bytes/Second", lambda m, _: _gauge(m.rate * 14_000)),
}
_BALANCER: dict[str, tuple[str, Meaning]] = {
    "RequestCount": ("Count", lambda m, _: _requests(m.rate)),
    "RequestCountPerTarget": (
        "Count",
        lambda m, _: Stat(1, m.rate * 60 / m.healthy, 0, m.rate * 60) if m.healthy else None,
    ),
    "TargetResponseTime": (
        "Seconds",
        lambda m, _: (
            _spread(round(m.rate * 60), m.latency, m.latency * 0.3, m.latency_max)
            if m.healthy
            else None
        ),
    ),
    "HTTPCode_Target_2XX_Count": (
        "Count",
        lambda m, _: _requests(m.rate - m.errors) if m.healthy else None,
    ),
    "HTTPCode_Target_5XX_Count": ("Count", lambda m, _: _requests(m.errors) if m.healthy else None),
    "HTTPCode_ELB_5XX_Count": ("Count", lambda m, _: None if m.healthy else _requests(m.rate)),
    "HealthyHostCount": ("Count", lambda m, _: _gauge(m.healthy)),
    "UnHealthyHostCount": ("Count", lambda m, _: _gauge(m.unhealthy)),
}


_SUMS = ("CpuReserved", "CpuUtilized", "MemoryReserved", "MemoryUtilized")
_OF_CLUSTERS = (*_SUMS, "TaskCount", "ServiceCount")


@dataclass(frozen=True, slots=True)
class ServiceSeries:
    """A metric told by the minutes of one service or, in sum, of several."""

    services: tuple[Service, ...]
    unit: str
    meaning: Meaning
    adds: bool = False

    def at(self, minute: int) -> Stat | None:
        stats = []
        for service in self.services:
            lived = service.history.at(minute) if service.history else None
            stat = self.meaning(lived, service) if lived is not None else None
            if stat is not None:
                stats.append(stat)
        if self.adds and stats:
            return _gauge(sum(stat.sum for stat in stats))
        return combined(stats)


@dataclass(frozen=True, slots=True)
class ReservedSeries:
    """What a cluster's tasks reserve of its hosts, in percent, as it is now."""

    cluster: Cluster
    what: str
    unit: str = "Percent"

    def at(self, minute: int) -> Stat | None:  # noqa: ARG002 - told as of now
        hosts = self.cluster.instances.values()
        if self.what == "cpu":
            whole, left = sum(host.cpu for host in hosts), sum(host.cpu_left for host in hosts)
        else:
            whole, left = (
                sum(host.memory for host in hosts),
                sum(host.memory_left for host in hosts),
            )
        return _gauge((whole - left) / whole * 100) if whole else None


@dataclass(slots=True)
class PutSeries:
    """What clients put."""

    unit: str
    minutes: dict[int, Stat] = field(default_factory=dict)

    def at(self, minute: int) -> Stat | None:
        return self.minutes.get(minute)

    def add(self, minute: int, stat: Stat) -> None:
        self.minutes[minute] = (
            combined(item for item in (self.minutes.get(minute), stat) if item) or stat
        )
        if len(self.minutes) > _KEPT_MINUTES:
            del self.minutes[min(self.minutes)]


class Metrics:
    """Finds and lists the metrics of a region."""

    def __init__(self, ecs: EcsState) -> None:
        self._ecs = ecs
        self.put: dict[tuple[str, str, Dimensions], PutSeries] = {}

    def series_to_put(self, key: tuple[str, str, Dimensions], unit: str) -> PutSeries:
        """Where clients put what they measured; of too many metrics the oldest is forgotten."""
        series = self.put.get(key)
        if series is None:
            series = self.put[key] = PutSeries(unit)
            if len(self.put) > _MOST_PUT:
                del self.put[next(iter(self.put))]
        return series

    def find(self, namespace: str, name: str, dimensions: Mapping[str, str]) -> Series | None:
        key = (namespace, name, tuple(sorted(dimensions.items())))
        if key in self.put:
            return self.put[key]
        names = set(dimensions)
        if names == {"ClusterName", "ServiceName"}:
            cluster = self._ecs.clusters.get(dimensions["ClusterName"])
            service = cluster.services.get(dimensions["ServiceName"]) if cluster else None
            return _of_service(service, namespace, name) if service else None
        if names == {"ClusterName"}:
            cluster = self._ecs.clusters.get(dimensions["ClusterName"])
            return _of_cluster(cluster, namespace, name) if cluster else None
        if namespace == "AWS/ApplicationELB" and name in _BALANCER:
            return self._of_balancer(name, dimensions)
        return None

    def _of_balancer(self, name: str, dimensions: Mapping[str, str]) -> Series | None:
        unit, meaning = _BALANCER[name]
        if "TargetGroup" in dimensions:
            service = self._ecs.by_target_group.get(dimensions["TargetGroup"])
            found: tuple[Service, ...] = (service,) if service else ()
        elif set(dimensions) == {"LoadBalancer"}:
            found = tuple(
                service
                for service in self._ecs.by_target_group.values()
                if service.balancer == dimensions["LoadBalancer"]
            )
        else:
            found = ()
        return ServiceSeries(found, unit, meaning) if found else None

    def list(self, namespace: str = "", name: str = "") -> Iterator[tuple[str, str, Dimensions]]:
        """All metrics: (namespace, name, dimensions), those of one namespace or name where given."""
        for key in self.put:
            if namespace in {"", key[0]} and name in {"", key[1]}:
                yield key
        for cluster in self._ecs.clusters.values():
            for space, metric, dimensions in _names_of_cluster(cluster):
                if namespace in {"", space} and name in {"", metric}:
                    yield space, metric, dimensions
            for service in cluster.services.values():
                for space, metric, dimensions in _names_of(service):
                    if namespace in {"", space} and name in {"", metric}:
                        yield space, metric, dimensions


def _names_of_cluster(cluster: Cluster) -> Iterator[tuple[str, str, Dimensions]]:
    if not cluster.services:
        return
    one = (("ClusterName", cluster.name),)
    for space, metric in _SERVICE:
        yield space, metric, one
    if cluster.instances:
        for metric in ("CPUReservation", "MemoryReservation"):
            yield "AWS/ECS", metric, one
    if cluster.insights != "disabled":
        for metric in _OF_CLUSTERS:
            yield "ECS/ContainerInsights", metric, one


def _names_of(service: Service) -> Iterator[tuple[str, str, Dimensions]]:
    both = (("ClusterName", service.cluster.name), ("ServiceName", service.name))
    for space, metric in _SERVICE:
        yield space, metric, both
    if service.cluster.insights != "disabled":
        for metric in _INSIGHTS:
            yield "ECS/ContainerInsights", metric, both
    if service.target_group:
        group = (
            ("LoadBalancer", service.balancer),
            ("TargetGroup", group_suffix(service.target_group)),
        )
        for metric in _BALANCER:
            yield "AWS/ApplicationELB", metric, group


def _of_service(service: Service, namespace: str, name: str) -> Series | None:
    if (namespace, name) in _SERVICE:
        return ServiceSeries((service,), *_SERVICE[(namespace, name)])
    if (
        namespace == "ECS/ContainerInsights"
        and name in _INSIGHTS
        and service.cluster.insights != "disabled"
    ):
        return ServiceSeries((service,), *_INSIGHTS[name])
    return None


def _of_cluster(cluster: Cluster, namespace: str, name: str) -> Series | None:
    services = tuple(cluster.services.values())
    if (namespace, name) in _SERVICE:
        return ServiceSeries(services, *_SERVICE[(namespace, name)])
    if (
        namespace == "AWS/ECS"
        and name in {"CPUReservation", "MemoryReservation"}
        and cluster.instances
    ):
        return ReservedSeries(cluster, "cpu" if name.startswith("CPU") else "memory")
    if namespace == "ECS/ContainerInsights" and cluster.insights != "disabled":
        if name in _SUMS:
            return ServiceSeries(services, *_INSIGHTS[name], adds=True)
        if name == "TaskCount":
            return ServiceSeries(services, "Count", lambda m, _: _gauge(m.running), adds=True)
        if name == "ServiceCount":
            return ServiceSeries(services, "Count", lambda _, __: _gauge(1), adds=True)
    return None


def group_suffix(target_group: str) -> str:
    """``targetgroup/name/id`` of a target group's ARN, as metrics call it."""
    return target_group.rpartition(":")[2]
