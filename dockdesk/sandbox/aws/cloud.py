"""One region of the simulated AWS: all its services' state, and how its time passes.

Time passes in steps of five seconds of the world's time, whatever the speed and whoever asks in between, so that the same
seed and the same requests tell the same story.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.aws.cloudwatch.alarms import Alarms
from dockdesk.sandbox.aws.cloudwatch.series import Metrics, group_suffix
from dockdesk.sandbox.aws.ecr.model import EcrState
from dockdesk.sandbox.aws.ecs.lifecycle import begin_stop
from dockdesk.sandbox.aws.ecs.model import Cluster, ContainerInstance, EcsState, Service
from dockdesk.sandbox.aws.ecs.scheduler import Scheduler
from dockdesk.sandbox.aws.history import History, TaskLoad, measure
from dockdesk.sandbox.aws.scaling.engine import ScalingEngine
from dockdesk.sandbox.aws.values import ZONE_LETTERS, hex_id, uuid_of
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.load import calibrated
from dockdesk.sandbox.world.scenarios import Conditions
from dockdesk.sandbox.world.traffic import Spike, Traffic

STEP = 5.0
# What a world that was asleep lives through at once at most, in seconds.
_CATCH_UP = 6 * 3600.0
_SPIKE_SECONDS = 3 * 3600.0
_SPIKE_RISE = 180.0
_LAUNCH_SECONDS = 120.0


class Cloud:
    """A region. `advance` lets its time pass up to the clock's; every request calls it first."""

    def __init__(self, clock: Clock, seed: int, region: str) -> None:
        self.clock = clock
        self.seed = seed
        self.region = region
        self.conditions = Conditions()
        self.spike: Spike | None = None
        self.leaking: set[str] = set()  # names of the services that leak in that scenario
        self.noisy_host: ContainerInstance | None = None
        self._leak_began = 0.0
        self.down: str = ""  # the zone that is out
        self.started = math.floor(clock.now() / STEP) * STEP
        self._lived = self.started
        self._stepping = False
        self.ecs = EcsState(region, seed)
        self.ecr = EcrState(region)
        self.scheduler = Scheduler(self.ecs, self.ecr.fate, self.ecr.digest_of, self.zones)
        self.scaling = ScalingEngine(self.ecs, self.scheduler.set_desired)
        self.metrics = Metrics(self.ecs)
        self.alarms = Alarms(region, self.metrics, self.scaling.on_alarm)

    def now(self) -> float:
        """The world's time; inside a step, that of the step."""
        return self._lived if self._stepping else max(self.clock.now(), self._lived)

    @property
    def start_minute(self) -> int:
        return int(self.started // 60)

    def zones(self) -> list[str]:
        """The zones that are up."""
        return [zone for zone in self.all_zones() if zone != self.down]

    def all_zones(self) -> list[str]:
        return [f"{self.region}{letter}" for letter in ZONE_LETTERS]

    # --- time ---

    def advance(self) -> None:
        until = self.clock.now()
        if until - self._lived > _CATCH_UP:
            self._lived = math.floor((until - _CATCH_UP) / STEP) * STEP
        self._stepping = True
        try:
            while self._lived + STEP <= until:
                self._lived += STEP
                self._step(self._lived)
        finally:
            self._stepping = False

    def _step(self, now: float) -> None:
        self.scheduler.step(now)
        if now % 60 == 0:
            self._record(int(now // 60) - 1, now)
            self.alarms.evaluate(now)
            self.scaling.minute(now)
            self.scheduler.minute(now)
            self._size_hosts(now)

    def _record(self, minute: int, now: float) -> None:
        """What the minute that has just ended was like."""
        for cluster in self.ecs.clusters.values():
            if not cluster.attended:
                continue
            for service in cluster.services.values():
                if service.history is not None and service.status == "ACTIVE":
                    service.history.record(minute, self._measure(service, minute, now))

    def _measure(self, service: Service, minute: int, now: float) -> Any:
        assert service.history is not None
        definition = service.definition
        tasks = []
        for task in list(service.tasks.values()):
            if task.status != "RUNNING":
                continue
            leaked = self._leaked(service, task.started, now)
            host = task.instance
            stolen = self.conditions.noisy if host is not None and host is self.noisy_host else 0.0
            if leaked and service.workload.memory_used(0) + leaked > definition.memory:
                begin_stop(
                    task,
                    now,
                    "EssentialContainerExited",
                    "Essential container in task exited",
                    137,
                    "OutOfMemoryError: Container killed due to memory usage",
                )
                continue
            tasks.append(TaskLoad(task.id, task.serves, stolen, leaked))
        rate = service.workload.traffic.rate(minute * 60 + 30) * self.factor(
            service, minute * 60 + 30
        )
        return measure(
            service.workload,
            minute,
            rate,
            tasks,
            definition.cpu / 1024,
            definition.memory,
            service.desired,
            service.pending,
        )

    def _leaked(self, service: Service, since: float, now: float) -> float:
        if not self.conditions.leak or service.name not in self.leaking:
            return 0.0
        return max(now - max(since, self._leak_began), 0.0) / 60 * self.conditions.leak

    def factor(self, service: Service, time: float) -> float:
        """How many times its usual traffic a service gets."""
        if self.spike is None or not service.target_group:
            return 1.0
        return self.spike.at(time)

    def _size_hosts(self, now: float) -> None:
        """Managed scaling of EC2 capacity: a host more when tasks found no room for two minutes."""
        for cluster in self.ecs.clusters.values():
            if not cluster.wanting_since or not cluster.most_instances:
                continue
            if now - cluster.wanting_since >= _LAUNCH_SECONDS:
                cluster.wanting_since = 0.0
                if len(cluster.instances) < cluster.most_instances:
                    self.add_host(cluster, now)
                    for service in cluster.services.values():
                        service.busy = True

    # --- making things ---

    def add_host(
        self,
        cluster: Cluster,
        now: float,
        kind: str = "m6i.xlarge",
        cpu: int = 4096,
        memory: int = 15_731,
    ) -> ContainerInstance:
        """An EC2 instance that registers with a cluster."""
        host_id = self.ecs.new_id()
        zones = self.zones()
        counts = {
            zone: sum(host.zone == zone for host in cluster.instances.values()) for zone in zones
        }
        zone = min(zones, key=lambda name: counts[name])
        net = ZONE_LETTERS.index(zone[-1]) + 1
        host = ContainerInstance(
            host_id,
            self.ecs.arn(f"container-instance/{cluster.name}/{host_id}"),
            f"i-{hex_id(17, self.seed, host_id)}",
            zone,
            f"10.0.{net * 16}.{20 + len(cluster.instances)}",
            kind,
            cpu,
            memory,
            now,
            provider=next(
                (name for name in cluster.providers if not name.startswith("FARGATE")), ""
            ),
        )
        cluster.instances[host_id] = host
        return host

    def make_service(
        self, cluster: Cluster, name: str, body: dict[str, Any], count: int, now: float
    ) -> Service:
        """A service that somebody creates: its load is a guess, its past is empty."""
        traffic = Traffic(self.seed, f"{cluster.name}/{name}", 8.0 * max(count, 1))
        workload = calibrated(
            traffic, max(count, 1), 0.25, 45.0, bursts=body.get("launchType") == "EC2"
        )
        service = Service(
            name,
            self.ecs.arn(f"service/{cluster.name}/{name}"),
            cluster,
            body,
            count,
            now,
            workload,
        )
        service.history = History(
            service.arn, workload, 0.25, 512, count, None, self.start_minute, born=int(now // 60)
        )
        self.index(service)
        return service

    def index(self, service: Service) -> None:
        if service.target_group:
            self.ecs.by_target_group[group_suffix(service.target_group)] = service

    def id(self, *key: object) -> str:
        return uuid_of(self.seed, self.region, *key)

    # --- scenarios ---

    def play(self, conditions: Conditions) -> None:
        """Live under other conditions from now on. What needs the shop's own names is done by `scenes`."""
        self.advance()
        now = self.now()
        self.conditions = conditions
        self.spike = (
            Spike(now, _SPIKE_SECONDS, conditions.traffic, _SPIKE_RISE)
            if conditions.traffic != 1.0
            else None
        )
        self._leak_began = now
        self.noisy_host = self._busiest_host() if conditions.noisy else None
        self._zone(f"{self.region}b" if conditions.zone_down else "", now)

    def _busiest_host(self) -> ContainerInstance | None:
        hosts = [
            host for cluster in self.ecs.clusters.values() for host in cluster.instances.values()
        ]
        return max(hosts, key=lambda host: len(host.tasks), default=None)

    def _zone(self, down: str, now: float) -> None:
        self.down = down
        for cluster in self.ecs.clusters.values():
            for host in cluster.instances.values():
                host.connected = host.zone != down
            if not cluster.attended:
                continue
            for task in list(cluster.tasks.values()):
                if task.zone == down:
                    _lose(task)
                    reason = (
                        f"Task failed ELB health checks in (target-group {task.service.target_group})"
                        if task.service is not None and task.service.target_group
                        else "Host unreachable: its availability zone is impaired"
                    )
                    begin_stop(task, now, "ServiceSchedulerInitiated", reason)
            for service in cluster.services.values():
                service.busy = True

    def describe(self) -> Mapping[str, int]:
        """How much there is, for logs and tests."""
        return {
            "clusters": len(self.ecs.clusters),
            "services": sum(1 for _ in self.ecs.services()),
            "tasks": sum(len(cluster.tasks) for cluster in self.ecs.clusters.values()),
        }


def _lose(task: Any) -> None:
    """A task on a host that is gone drains nothing."""
    task.serving = 0.0
