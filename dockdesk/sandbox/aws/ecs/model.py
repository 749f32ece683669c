"""What the simulated ECS knows. Times are the world's seconds since 1970, 0 where it never happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.values import AwsError, arn, hex_id, uuid_of
from dockdesk.sandbox.world.load import Workload
from dockdesk.sandbox.world.traffic import unit

if TYPE_CHECKING:
    from dockdesk.sandbox.aws.history import History

EVENTS_KEPT = 100
STOPPED_SECONDS = 3600.0


@dataclass(slots=True)
class TaskDefinition:
    """One revision. ``body`` is what was registered, as the API takes it."""

    arn: str
    family: str
    revision: int
    body: dict[str, Any]
    registered: float
    status: str = "ACTIVE"
    deregistered: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def containers(self) -> list[dict[str, Any]]:
        containers: list[dict[str, Any]] = self.body.get("containerDefinitions") or []
        return containers

    @property
    def images(self) -> list[str]:
        return [str(container.get("image") or "") for container in self.containers]

    @property
    def cpu(self) -> int:
        """CPU units: 1024 are one vCPU."""
        own = int(self.body.get("cpu") or 0)
        return own or sum(int(container.get("cpu") or 0) for container in self.containers) or 256

    @property
    def memory(self) -> int:
        """MiB."""
        own = int(self.body.get("memory") or 0)
        return (
            own
            or sum(
                int(container.get("memory") or container.get("memoryReservation") or 0)
                for container in self.containers
            )
            or 512
        )


@dataclass(slots=True)
class ContainerInstance:
    """An EC2 host of a cluster. ``cpu`` in units, ``memory`` in MiB: what it registered."""

    id: str
    arn: str
    ec2_id: str
    zone: str
    ip: str
    kind: str
    cpu: int
    memory: int
    registered: float
    status: str = "ACTIVE"
    connected: bool = True
    provider: str = ""
    tasks: dict[str, Task] = field(default_factory=dict)

    @property
    def cpu_left(self) -> int:
        return self.cpu - sum(task.definition.cpu for task in self.tasks.values())

    @property
    def memory_left(self) -> int:
        return self.memory - sum(task.definition.memory for task in self.tasks.values())


@dataclass(slots=True)
class Deployment:
    """One rollout of one revision. ``streak``: tasks that failed since the last one that became healthy."""

    id: str
    definition: TaskDefinition
    created: float
    updated: float
    desired: int
    status: str = "PRIMARY"
    state: str = "IN_PROGRESS"
    reason: str = ""
    failed: int = 0
    streak: int = 0
    tripped: bool = False
    rollback_of: str = ""
    finished: float = 0.0
    outcome: str = "IN_PROGRESS"
    source: str = ""
    next_start: float = 0.0
    force: bool = False

    @property
    def number(self) -> str:
        return self.id.rpartition("/")[2]


@dataclass(slots=True)
class Task:
    """A task. ``plan`` holds what happens to it next: (time, status), soonest first."""

    id: str
    arn: str
    cluster: Cluster
    definition: TaskDefinition
    group: str
    launch: str
    provider: str
    zone: str
    ip: str
    created: float
    started_by: str = ""
    service: Service | None = None
    deployment: Deployment | None = None
    instance: ContainerInstance | None = None
    status: str = "PROVISIONING"
    desired: str = "RUNNING"
    plan: deque[tuple[float, str]] = field(default_factory=deque)
    fate: str = "ok"
    connected: float = 0.0
    pull_started: float = 0.0
    pull_stopped: float = 0.0
    started: float = 0.0
    serving: float = 0.0
    stopping: float = 0.0
    execution_stopped: float = 0.0
    stopped: float = 0.0
    stop_code: str = ""
    stop_reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    digests: tuple[str, ...] = ()  # of its containers' images, as they were when it started
    overrides: dict[str, Any] = field(default_factory=dict)
    can_exec: bool = False
    protected_until: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Neither stopped nor on its way there."""
        return self.desired == "RUNNING"

    @property
    def serves(self) -> bool:
        return self.serving > 0 and self.desired == "RUNNING"

    @property
    def serves_load_balancer(self) -> bool:
        return self.serves and self.service is not None and bool(self.service.target_group)

    @property
    def health(self) -> str:
        """As the containers' own health checks see it."""
        if not any(container.get("healthCheck") for container in self.definition.containers):
            return "UNKNOWN"
        if self.fate == "unhealthy" and self.started:
            return "UNHEALTHY"
        return "HEALTHY" if self.serving else "UNKNOWN"


@dataclass(slots=True)
class Service:
    """A service. ``body`` is its configuration as the API takes it; ``busy``: the scheduler has something to do."""

    name: str
    arn: str
    cluster: Cluster
    body: dict[str, Any]
    desired: int
    created: float
    workload: Workload
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    past: list[Deployment] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    events: deque[tuple[str, float, str]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    tags: dict[str, str] = field(default_factory=dict)
    history: History | None = None
    busy: bool = True
    steady_told: float = 0.0
    complained: float = 0.0
    deleted: float = 0.0
    log_style: str = "access"
    balancer: str = ""  # app/name/id of the load balancer in front of it

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def definition(self) -> TaskDefinition:
        return self.primary.definition

    @property
    def launch(self) -> str:
        """EC2, FARGATE or EXTERNAL; the provider decides where there is one."""
        for item in self.body.get("capacityProviderStrategy") or ():
            return (
                "FARGATE" if str(item.get("capacityProvider", "")).startswith("FARGATE") else "EC2"
            )
        return str(self.body.get("launchType") or "EC2")

    @property
    def running(self) -> int:
        return sum(task.status == "RUNNING" for task in self.tasks.values())

    @property
    def pending(self) -> int:
        return sum(
            task.status in {"PROVISIONING", "PENDING", "ACTIVATING"} and task.live
            for task in self.tasks.values()
        )

    @property
    def target_group(self) -> str:
        """The ARN of its target group, empty without a load balancer."""
        for item in self.body.get("loadBalancers") or ():
            return str(item.get("targetGroupArn") or "")
        return ""

    def tell(self, now: float, text: str) -> None:
        """An event in the service's history."""
        number = len(self.events) + int(now * 1000)
        self.events.appendleft(
            (uuid_of(self.arn, number, text), now, f"(service {self.name}) {text}")
        )


@dataclass(slots=True)
class Cluster:
    name: str
    arn: str
    created: float
    status: str = "ACTIVE"
    insights: str = "disabled"
    providers: list[str] = field(default_factory=list)
    strategy: list[dict[str, Any]] = field(default_factory=list)
    configuration: dict[str, Any] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    instances: dict[str, ContainerInstance] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    stopped: dict[str, Task] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    wanting_since: float = 0.0
    most_instances: int = 0
    attended: bool = True


class EcsState:
    """All of ECS in one region; its methods look things up and raise the API's own errors."""

    def __init__(self, region: str, seed: int) -> None:
        self.region = region
        self.seed = seed
        self.clusters: dict[str, Cluster] = {}
        self.families: dict[str, list[TaskDefinition]] = {}
        self.providers: dict[str, dict[str, Any]] = {}
        self.account_settings: dict[str, str] = {}
        self.by_target_group: dict[str, Service] = {}  # by targetgroup/name/id
        self._counter = 0

    def new_key(self) -> int:
        self._counter += 1
        return self._counter

    def new_id(self) -> str:
        return hex_id(32, self.seed, self.region, "id", self.new_key())

    def new_deployment_id(self) -> str:
        return (
            f"ecs-svc/{int(unit(self.seed, self.region, 'deployment', self.new_key()) * 9e18):019d}"
        )

    def arn(self, resource: str) -> str:
        return arn("ecs", self.region, resource)

    def services(self) -> Iterator[Service]:
        for cluster in self.clusters.values():
            yield from cluster.services.values()

    def find_cluster(self, name: str) -> Cluster | None:
        short = (name or "default").rpartition("/")[2]
        cluster = self.clusters.get(short)
        return (
            cluster
            if cluster is None or not name.startswith("arn:") or name == cluster.arn
            else None
        )

    def cluster(self, name: str) -> Cluster:
        """By name or ARN, the default one for none."""
        cluster = self.find_cluster(name)
        if cluster is None or cluster.status != "ACTIVE":
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return cluster

    def find_service(self, cluster: Cluster, name: str) -> Service | None:
        service = cluster.services.get(name.rpartition("/")[2])
        return (
            service
            if service is None or not name.startswith("arn:") or name == service.arn
            else None
        )

    def service(self, cluster: Cluster, name: str) -> Service:
        """Raises ServiceNotFoundException, ServiceNotActiveException."""
        service = self.find_service(cluster, name)
        if service is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if service.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return service

    def definition(self, name: str) -> TaskDefinition:
        """By ``family``, ``family:revision`` or ARN; the newest active revision for a family alone."""
        text = name.rpartition("/")[2]
        family, _, revision = text.partition(":")
        known = self.families.get(family, [])
        if revision:
            for item in known:
                if str(item.revision) == revision and (
                    not name.startswith("arn:") or name == item.arn
                ):
                    return item
        else:
            for item in reversed(known):
                if item.status == "ACTIVE":
                    return item
        raise AwsError("ClientException", "Unable to describe task definition.")

    def register(
        self, body: Mapping[str, Any], now: float, tags: Mapping[str, str]
    ) -> TaskDefinition:
        family = str(body["family"])
        known = self.families.setdefault(family, [])
        revision = known[-1].revision + 1 if known else 1
        item = TaskDefinition(
            self.arn(f"task-definition/{family}:{revision}"),
            family,
            revision,
            dict(body),
            now,
            tags=dict(tags),
        )
        known.append(item)
        return item
