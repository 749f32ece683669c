"""One region with all its APIs, by the names that requests are signed for."""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.aws.cloud import Cloud
from dockdesk.sandbox.aws.cloudwatch.api import CloudWatchApi, alarm_of
from dockdesk.sandbox.aws.ecr.api import EcrApi
from dockdesk.sandbox.aws.ecs.api_clusters import ClustersApi
from dockdesk.sandbox.aws.ecs.api_services import ServicesApi
from dockdesk.sandbox.aws.ecs.api_tasks import TasksApi
from dockdesk.sandbox.aws.ecs.exec import Sessions
from dockdesk.sandbox.aws.eks.api import EksApi
from dockdesk.sandbox.aws.identity import IamApi, StsApi
from dockdesk.sandbox.aws.logs.api import LogsApi
from dockdesk.sandbox.aws.logs.store import LogStore
from dockdesk.sandbox.aws.network import Ec2Api, ElbApi
from dockdesk.sandbox.aws.past import tell_past
from dockdesk.sandbox.aws.scaling.api import ScalingApi
from dockdesk.sandbox.aws.scaling.engine import Target
from dockdesk.sandbox.aws.values import Api, Params
from dockdesk.sandbox.world.clock import Clock


class _EcsApi(Api):
    invalid = "InvalidParameterException"

    def __init__(self, *parts: Api) -> None:
        self.operations = {name: call for part in parts for name, call in part.operations.items()}


class Region:
    """``apis`` are by service: ecs, ecr, application-autoscaling, monitoring, logs, sts, iam, eks, ec2, elasticloadbalancing.

    ``registry`` is the address of the registry that serves ECR's images; it can be set until somebody asks.
    """

    def __init__(self, clock: Clock, seed: int, name: str) -> None:
        self.cloud = cloud = Cloud(clock, seed, name)
        self.registry = f"https://{cloud.ecr.host}"
        now = cloud.now
        self.eks = EksApi(name, now)
        self.sessions = Sessions(now)
        self.scaling = ScalingApi(name, cloud.ecs, cloud.scaling, cloud.alarms, now, self._tell)
        self.logs = LogStore(name, cloud.ecs)
        self.apis: dict[str, Api] = {
            "ecs": _EcsApi(
                ClustersApi(cloud.ecs, now),
                ServicesApi(cloud.ecs, cloud.scheduler, now, cloud.make_service),
                TasksApi(cloud.ecs, cloud.scheduler, self.sessions, now),
            ),
            "ecr": EcrApi(cloud.ecr, now, lambda: self.registry),
            "application-autoscaling": self.scaling,
            "monitoring": CloudWatchApi(cloud.metrics, cloud.alarms, now, self._tell_all),
            "logs": LogsApi(self.logs, now),
            "sts": StsApi(now),
            "iam": IamApi(now),
            "eks": self.eks,
            "ec2": Ec2Api(cloud),
            "elasticloadbalancing": ElbApi(cloud),
        }

    def _tell(self, target: Target) -> None:
        tell_past(target, self.cloud.scaling, self.cloud.alarms)

    def _tell_all(self) -> None:
        for target in self.cloud.scaling.targets.values():
            self._tell(target)

    def call(self, service: str, operation: str, **params: Any) -> Any:
        """An operation that answers at once, called from within."""
        return self.apis[service].operations[operation](Params(params))

    def put_alarm(self, body: dict[str, Any]) -> None:
        now = self.cloud.now()
        self.cloud.alarms.put(alarm_of(Params(body), self.cloud.alarms, now), now)
