"""Tasks and task definitions of ECS's API."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.ecs import present
from dockdesk.sandbox.aws.ecs.exec import PATH, Sessions
from dockdesk.sandbox.aws.ecs.lifecycle import begin_stop
from dockdesk.sandbox.aws.ecs.model import Cluster, EcsState, Task, TaskDefinition
from dockdesk.sandbox.aws.ecs.scheduler import Scheduler
from dockdesk.sandbox.aws.values import (
    Api,
    AwsError,
    BadInputError,
    Params,
    listing,
    page,
    tag_list,
    tags_of,
    when,
)

_FAMILY = re.compile(r"[a-zA-Z0-9_-]{1,255}")
# Fargate's sizes: CPU units → the least and the most memory in MiB.
_FARGATE = {
    256: (512, 2048),
    512: (1024, 4096),
    1024: (2048, 8192),
    2048: (4096, 16_384),
    4096: (8192, 30_720),
    8192: (16_384, 61_440),
    16_384: (32_768, 122_880),
}
_STATUSES = ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS")


class TasksApi(Api):
    invalid = "InvalidParameterException"

    def __init__(
        self,
        state: EcsState,
        scheduler: Scheduler,
        sessions: Sessions,
        now: Callable[[], float],
    ) -> None:
        self._state = state
        self._sessions = sessions
        self._scheduler = scheduler
        self._now = now
        self.operations = {
            "ListTasks": self._list,
            "DescribeTasks": self._describe,
            "RunTask": self._run,
            "StopTask": self._stop,
            "UpdateTaskProtection": self._protect,
            "GetTaskProtection": self._get_protection,
            "ExecuteCommand": self._execute,
            "ListTaskDefinitions": self._list_definitions,
            "ListTaskDefinitionFamilies": self._list_families,
            "DescribeTaskDefinition": self._describe_definition,
            "RegisterTaskDefinition": self._register,
            "DeregisterTaskDefinition": self._deregister,
            "DeleteTaskDefinitions": self._delete_definitions,
        }

    # --- tasks ---

    def _list(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        status = params.text("desiredStatus", "RUNNING")
        if status not in {"RUNNING", "PENDING", "STOPPED"}:
            raise BadInputError("desiredStatus is invalid.")
        tasks: list[Task] = [task for task in cluster.tasks.values() if task.desired == status]
        if status == "STOPPED":
            tasks += cluster.stopped.values()
        if "serviceName" in params:
            name = self._state.service(cluster, params.text("serviceName")).name
            tasks = [task for task in tasks if task.group == f"service:{name}"]
        if "family" in params:
            tasks = [task for task in tasks if task.definition.family == params.text("family")]
        if "startedBy" in params:
            tasks = [task for task in tasks if task.started_by == params.text("startedBy")]
        if "launchType" in params:
            tasks = [task for task in tasks if task.launch == params.text("launchType")]
        if "containerInstance" in params:
            host = params.text("containerInstance").rpartition("/")[2]
            tasks = [
                task for task in tasks if task.instance is not None and task.instance.id == host
            ]
        shown, token = page([task.arn for task in tasks], params, 100, "maxResults", "nextToken")
        return listing("taskArns", shown, token)

    def _find(self, cluster: Cluster, name: str) -> Task | None:
        key = name.rpartition("/")[2]
        return cluster.tasks.get(key) or cluster.stopped.get(key)

    def _some(self, params: Params) -> tuple[list[Task], list[dict[str, str]]]:
        cluster = self._state.cluster(params.text("cluster"))
        names = params.texts("tasks")
        if not names:
            raise BadInputError("Tasks cannot be empty.")
        if len(names) > 100:
            raise BadInputError("Tasks cannot have more than 100 items.")
        found, failures = [], []
        for name in names:
            task = self._find(cluster, name)
            if task is None:
                arn = (
                    name
                    if name.startswith("arn:")
                    else self._state.arn(f"task/{cluster.name}/{name}")
                )
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(task)
        return found, failures

    def _describe(self, params: Params) -> Mapping[str, Any]:
        found, failures = self._some(params)
        include = set(params.texts("include"))
        return {"tasks": [present.task(task, include) for task in found], "failures": failures}

    def _run(self, params: Params) -> Mapping[str, Any]:
        cluster, now = self._state.cluster(params.text("cluster")), self._now()
        definition = self._state.definition(params.need("taskDefinition"))
        count = params.whole("count", 1, 1, 10)
        launch, provider = params.text("launchType"), ""
        for item in params.inners("capacityProviderStrategy") or [
            Params(one) for one in cluster.strategy if not launch
        ]:
            provider = item.need("capacityProvider")
            launch = "FARGATE" if provider.startswith("FARGATE") else "EC2"
            break
        launch = launch or "EC2"
        if launch == "FARGATE" and "FARGATE" not in (
            definition.body.get("requiresCompatibilities") or ()
        ):
            raise BadInputError("Task definition does not support launch_type FARGATE.")
        if (
            definition.body.get("networkMode") == "awsvpc"
            and not params.inner("networkConfiguration").values
        ):
            raise BadInputError(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified."
            )
        tasks, failures = [], []
        for _ in range(count):
            task = self._scheduler.start_task(
                cluster,
                definition,
                now,
                launch=launch,
                provider=provider,
                group=params.text("group", f"family:{definition.family}"),
                runs_for=90.0,
            )
            if task is None:
                failures.append(
                    {
                        "arn": self._state.arn(f"container-instance/{cluster.name}"),
                        "reason": "RESOURCE:CPU",
                    }
                )
                continue
            task.started_by = params.text("startedBy")
            task.overrides = dict(params.inner("overrides").values)
            task.tags = tags_of(params)
            task.can_exec = params.flag("enableExecuteCommand")
            tasks.append(present.task(task, {"TAGS"}))
        return {"tasks": tasks, "failures": failures}

    def _stop(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        task = self._find(cluster, params.need("task"))
        if task is None:
            raise BadInputError("The referenced task was not found.")
        begin_stop(
            task, self._now(), "UserInitiated", params.text("reason", "Task stopped by user")
        )
        return {"task": present.task(task, set())}

    def _protect(self, params: Params) -> Mapping[str, Any]:
        found, failures = self._some(params)
        minutes = params.whole("expiresInMinutes", 120, 1, 2880)
        for task in found:
            task.protected_until = (
                self._now() + minutes * 60 if params.flag("protectionEnabled") else 0.0
            )
        return {"protectedTasks": [self._protection(task) for task in found], "failures": failures}

    def _get_protection(self, params: Params) -> Mapping[str, Any]:
        found, failures = self._some(params)
        return {"protectedTasks": [self._protection(task) for task in found], "failures": failures}

    def _protection(self, task: Task) -> dict[str, Any]:
        on = task.protected_until > self._now()
        shown: dict[str, Any] = {"taskArn": task.arn, "protectionEnabled": on}
        if on:
            shown["expirationDate"] = when(task.protected_until)
        return shown

    def _execute(self, params: Params) -> Mapping[str, Any]:
        cluster = self._state.cluster(params.text("cluster"))
        task = self._find(cluster, params.need("task"))
        try:
            words = shlex.split(params.need("command"))
        except ValueError as error:
            raise BadInputError(f"The command can't be understood: {error}") from None
        if not words:
            raise BadInputError("command can not be blank.")
        if not params.flag("interactive"):
            raise BadInputError("Interactive is the only mode supported currently.")
        if task is None:
            raise BadInputError("The referenced task was not found.")
        if not task.can_exec or task.status != "RUNNING":
            raise BadInputError(
                "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
            )
        names = [str(body.get("name") or "main") for body in task.definition.containers]
        name = params.text("container", names[0])
        if name not in names:
            raise BadInputError(f"The container '{name}' was not found in the task.")
        session = self._sessions.open(task, name, params.need("command"))
        host = params.headers.get("host", "")
        return {
            "clusterArn": cluster.arn,
            "containerArn": present.task(task, set())["containers"][names.index(name)][
                "containerArn"
            ],
            "containerName": name,
            "interactive": True,
            "session": {
                "sessionId": session.id,
                "streamUrl": f"ws://{host}{PATH}{session.id}?role=publish_subscribe",
                "tokenValue": session.token,
            },
            "taskArn": task.arn,
        }

    # --- task definitions ---

    def _all(self, params: Params) -> list[TaskDefinition]:
        prefix, status = params.text("familyPrefix"), params.text("status", "ACTIVE")
        if status not in _STATUSES:
            raise BadInputError("status is invalid.")
        found = [
            item
            for family, revisions in sorted(self._state.families.items())
            for item in revisions
            if prefix in {"", family} and item.status == status
        ]
        return found[::-1] if params.text("sort") == "DESC" else found

    def _list_definitions(self, params: Params) -> Mapping[str, Any]:
        arns = [item.arn for item in self._all(params)]
        shown, token = page(arns, params, 100, "maxResults", "nextToken")
        return listing("taskDefinitionArns", shown, token)

    def _list_families(self, params: Params) -> Mapping[str, Any]:
        prefix, status = params.text("familyPrefix"), params.text("status", "ALL")
        names = [
            family
            for family, revisions in sorted(self._state.families.items())
            if family.startswith(prefix)
            and (
                status == "ALL"
                or any(item.status == "ACTIVE" for item in revisions) == (status == "ACTIVE")
            )
        ]
        shown, token = page(names, params, 100, "maxResults", "nextToken")
        return listing("families", shown, token)

    def _describe_definition(self, params: Params) -> Mapping[str, Any]:
        item = self._state.definition(params.need("taskDefinition"))
        answer: dict[str, Any] = {"taskDefinition": present.definition(item)}
        if "TAGS" in params.texts("include"):
            answer["tags"] = tag_list(item.tags)
        return answer

    def _register(self, params: Params) -> Mapping[str, Any]:
        family = params.need("family")
        if not _FAMILY.fullmatch(family):
            raise AwsError("ClientException", "Family contains invalid characters.")
        containers = params.inners("containerDefinitions")
        if not containers:
            raise AwsError("ClientException", "Container list cannot be empty.")
        body = {name: value for name, value in params.values.items() if name != "tags"}
        body |= _sizes(params)
        fargate = "FARGATE" in params.texts("requiresCompatibilities")
        for item in containers:
            item.need("name")
            item.need("image")
            item.whole("cpu", 0, 0)
            if "memory" not in item and "memoryReservation" not in item and "memory" not in params:
                raise AwsError(
                    "ClientException",
                    "Invalid setting for container '"
                    + item.text("name")
                    + "'. At least one of 'memory' or 'memoryReservation' must be specified.",
                )
            item.whole("memory", 128, 4)
            item.inners("portMappings")
        if fargate:
            _check_fargate(Params(body))
        params.inners("volumes")
        body["containerDefinitions"] = [
            {
                "cpu": 0,
                "portMappings": [],
                "essential": True,
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                **item.values,
            }
            for item in containers
        ]
        made = self._state.register(body, self._now(), tags_of(params))
        return {"taskDefinition": present.definition(made), "tags": tag_list(made.tags)}

    def _deregister(self, params: Params) -> Mapping[str, Any]:
        name = params.need("taskDefinition")
        if ":" not in name.rpartition("/")[2]:
            raise BadInputError("Task definition revision must be specified.")
        item = self._state.definition(name)
        item.status, item.deregistered = "INACTIVE", self._now()
        return {"taskDefinition": present.definition(item)}

    def _delete_definitions(self, params: Params) -> Mapping[str, Any]:
        gone, failures = [], []
        for name in params.texts("taskDefinitions"):
            item = self._state.definition(name)
            if item.status == "ACTIVE":
                failures.append(
                    {
                        "arn": item.arn,
                        "reason": "The specified task definition is still in ACTIVE status. Please deregister the target and try again.",
                    }
                )
                continue
            item.status = "DELETE_IN_PROGRESS"
            gone.append(present.definition(item))
        return {"taskDefinitions": gone, "failures": failures}


def _sizes(params: Params) -> dict[str, str]:
    """The task's CPU and memory as plain numbers; ``1 vCPU`` and ``2 GB`` are allowed."""
    sizes = {}
    for name in ("cpu", "memory"):
        text = params.text(name)
        if not text:
            continue
        number, _, unit = text.partition(" ")
        try:
            value = float(number) * (1024 if unit.lower() in {"vcpu", "gb"} else 1)
        except ValueError:
            value = 0
        if value <= 0 or value != int(value):
            raise AwsError(
                "ClientException",
                f"Invalid '{name}' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
            )
        sizes[name] = str(int(value))
    return sizes


def _check_fargate(params: Params) -> None:
    if params.text("networkMode") != "awsvpc":
        raise AwsError("ClientException", "Fargate only supports network mode ‘awsvpc’.")
    try:
        cpu, memory = int(params.text("cpu", "0")), int(params.text("memory", "0"))
    except ValueError:
        raise AwsError("ClientException", "Invalid 'cpu' or 'memory' setting for task.") from None
    low, high = _FARGATE.get(cpu, (0, 0))
    if not low <= memory <= high or not high:
        raise AwsError(
            "ClientException",
            "No Fargate configuration exists for given values: "
            + f"{cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values.",
        )
