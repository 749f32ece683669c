"""What a task goes through, from PROVISIONING to STOPPED, and how it ends.

Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

from __future__ import annotations

from collections import deque

from dockdesk.sandbox.aws.ecs.model import (
    Cluster,
    ContainerInstance,
    Deployment,
    Service,
    Task,
    TaskDefinition,
)
from dockdesk.sandbox.world.traffic import unit

SERVING = "SERVING"
ENDING = "ENDING"
_HEALTH_SECONDS = 20.0
_DRAIN_SECONDS = 20.0


def new_task(
    task_id: str,
    arn: str,
    cluster: Cluster,
    definition: TaskDefinition,
    now: float,
    *,
    launch: str,
    provider: str,
    zone: str,
    fate: str = "ok",
    service: Service | None = None,
    deployment: Deployment | None = None,
    instance: ContainerInstance | None = None,
    group: str = "",
    runs_for: float = 0.0,
) -> Task:
    """A task at its beginning, with its plan made; it is added to its cluster, service and instance."""
    host = int(unit(task_id, "ip") * 250) + 4
    net = {"a": 1, "b": 2, "c": 3}.get(zone[-1:], 1)
    task = Task(
        task_id,
        arn,
        cluster,
        definition,
        group or (f"service:{service.name}" if service else f"family:{definition.family}"),
        launch,
        provider,
        zone,
        f"10.0.{net * 16 + int(unit(task_id, 'net') * 15)}.{host}",
        now,
        started_by=deployment.id if deployment else "",
        service=service,
        deployment=deployment,
        instance=instance,
        fate=fate,
    )
    pull = now + (9 + 5 * unit(task_id, "p") if launch == "FARGATE" else 0.6)
    ready = pull + (
        8 + 12 * unit(task_id, "q") if launch == "FARGATE" else 3 + 5 * unit(task_id, "q")
    )
    if fate == "cannot_pull":
        task.plan = deque([(pull, "PENDING"), (pull + 6, ENDING)])
    else:
        task.plan = deque([(pull, "PENDING"), (ready, "ACTIVATING"), (ready + 1.5, "RUNNING")])
        if fate == "crashes":
            task.plan.append((ready + 6 + 6 * unit(task_id, "c"), ENDING))
        elif fate == "unhealthy":
            task.plan.append((ready + 60 + 15 * unit(task_id, "h"), ENDING))
        else:
            balanced = service is not None and bool(service.target_group)
            task.plan.append((ready + (_HEALTH_SECONDS if balanced else 4.0), SERVING))
            if runs_for:
                task.plan.append((ready + max(runs_for, 5.0), ENDING))
    cluster.tasks[task_id] = task
    if service is not None:
        service.tasks[task_id] = task
        service.busy = True
    if instance is not None:
        instance.tasks[task_id] = task
    return task


def settled(task: Task, started: float) -> None:
    """The task has been running and serving since ``started``."""
    task.created = started - 32
    task.connected, task.pull_started, task.pull_stopped = started - 22, started - 20, started - 6
    task.started, task.serving, task.status = started, started + _HEALTH_SECONDS, "RUNNING"
    task.plan.clear()


def begin_stop(
    task: Task, now: float, code: str, reason: str, exit_code: int | None = None, why: str = ""
) -> None:
    """Stop it as ECS does: drain, signal, clean up. Does nothing to a task that stops already."""
    if not task.live:
        return
    balanced = task.serves_load_balancer
    task.desired = "STOPPED"
    task.stop_code, task.stop_reason = code, reason
    ended = exit_code is not None or not task.started
    task.exit_code = exit_code if exit_code is not None else (143 if task.started else None)
    task.container_reason = why
    moment = now
    plan: list[tuple[float, str]] = []
    if balanced and not ended:
        plan.append((moment, "DEACTIVATING"))
        moment += _DRAIN_SECONDS
    plan.append((moment, "STOPPING"))
    moment += 0.5 if ended else 2.5
    if task.launch == "FARGATE":
        plan.append((moment, "DEPROVISIONING"))
        moment += 8
    plan.append((moment, "STOPPED"))
    task.plan = deque(plan)
    task.serving = 0.0
    if task.service is not None:
        task.service.busy = True


def advance(task: Task, now: float) -> str:
    """Let a task's time pass; returns ENDING when its own end has come and the scheduler must say why."""
    while task.plan and task.plan[0][0] <= now:
        moment, status = task.plan.popleft()
        if status == ENDING:
            return ENDING
        if status == SERVING:
            task.serving = moment
            continue
        task.status = status
        if status == "PENDING":
            task.connected = task.pull_started = moment
        elif status == "ACTIVATING":
            task.pull_stopped = moment
        elif status == "RUNNING":
            task.started = moment
        elif status == "STOPPING":
            task.stopping = moment
        elif status == "DEPROVISIONING":
            task.execution_stopped = moment
        elif status == "STOPPED":
            task.stopped = moment
            task.execution_stopped = task.execution_stopped or moment
            task.stopping = task.stopping or moment
            _leave(task)
    return ""


def _leave(task: Task) -> None:
    cluster = task.cluster
    cluster.tasks.pop(task.id, None)
    cluster.stopped[task.id] = task
    if task.instance is not None:
        task.instance.tasks.pop(task.id, None)
    if task.service is not None:
        task.service.tasks.pop(task.id, None)
        task.service.busy = True
