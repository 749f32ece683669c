"""The service scheduler: keeps the desired count, rolls deployments, and breaks their circuit when they fail.

Sources: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ deployment-type-ecs.html (minimum and maximum
healthy percent), deployment-circuit-breaker.html (threshold: half the desired count, 3 to 200) and
service-event-messages-list.html.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dockdesk.sandbox.aws.ecs import placement
from dockdesk.sandbox.aws.ecs.lifecycle import ENDING, advance, begin_stop, new_task
from dockdesk.sandbox.aws.ecs.model import (
    STOPPED_SECONDS,
    Cluster,
    Deployment,
    EcsState,
    Service,
    Task,
    TaskDefinition,
)

_STEADY_SECONDS = 6 * 3600.0
_COMPLAIN_SECONDS = 60.0
_MOST_AT_ONCE = 10
_INACTIVE_SECONDS = 3600.0


class Scheduler:
    """Moves every service of a region. ``fate`` tells what becomes of an image, ``zones`` which zones are up."""

    def __init__(
        self,
        state: EcsState,
        fate: Callable[[str], str],
        digest_of: Callable[[str], str],
        zones: Callable[[], Sequence[str]],
    ) -> None:
        self._state = state
        self._fate = fate
        self._digest_of = digest_of
        self._zones = zones

    # --- what the API asks for ---

    def deploy(
        self,
        service: Service,
        definition: TaskDefinition,
        now: float,
        *,
        force: bool = False,
        rollback_of: str = "",
    ) -> Deployment:
        """Begin a deployment; the one before goes on until its tasks are replaced."""
        deployment = Deployment(
            self._state.new_deployment_id(),
            definition,
            now,
            now,
            service.desired,
            force=force,
            rollback_of=rollback_of,
        )
        deployment.reason = f"ECS deployment {deployment.id} in progress."
        if rollback_of:
            deployment.reason = (
                f"ECS deployment circuit breaker: rolling back to deploymentId {deployment.id}."
            )
        for old in service.deployments:
            if old.status == "PRIMARY":
                old.status, old.updated = "ACTIVE", now
                deployment.source = old.number
                if old.state == "IN_PROGRESS":
                    old.outcome = "STOPPED"
                    old.finished = now
        service.deployments.insert(0, deployment)
        service.past.insert(0, deployment)
        del service.past[50:]
        service.busy = True
        return deployment

    def set_desired(self, service: Service, count: int, now: float) -> None:
        if count == service.desired:
            return
        service.desired = count
        service.primary.desired = count
        service.primary.updated = now
        service.busy = True

    def start_task(
        self,
        cluster: Cluster,
        definition: TaskDefinition,
        now: float,
        *,
        service: Service | None = None,
        deployment: Deployment | None = None,
        launch: str = "",
        provider: str = "",
        group: str = "",
        runs_for: float = 0.0,
    ) -> Task | None:
        """Place one task; None where no host has room."""
        others = service.tasks.values() if service else ()
        zones = self._zones()
        launch = launch or (service.launch if service else "FARGATE")
        instance = None
        if launch == "FARGATE":
            provider = provider or (
                placement.choose_provider(
                    service.body.get("capacityProviderStrategy") or (), others
                )
                if service
                else ""
            )
            zone = placement.choose_zone(zones, others)
        else:
            daemon = service is not None and service.body.get("schedulingStrategy") == "DAEMON"
            instance = placement.choose_instance(cluster, definition, others, zones, daemon)
            if instance is None:
                cluster.wanting_since = cluster.wanting_since or now
                return None
            zone, provider = instance.zone, instance.provider
        task_id = self._state.new_id()
        fates = [self._fate(image) for image in definition.images]
        fate = next((item for item in fates if item != "ok"), "ok")
        task = new_task(
            task_id,
            self._state.arn(f"task/{cluster.name}/{task_id}"),
            cluster,
            definition,
            now,
            launch=launch,
            provider=provider,
            zone=zone,
            fate=fate,
            service=service,
            deployment=deployment,
            instance=instance,
            group=group,
            runs_for=runs_for,
        )
        task.digests = tuple(self._digest_of(image) for image in definition.images)
        return task

    # --- time passes ---

    def step(self, now: float) -> None:
        for cluster in list(self._state.clusters.values()):
            for service in list(cluster.services.values()):
                if service.busy:
                    self._service_step(service, now)
            if cluster.attended:
                self._loose_tasks(cluster, now)

    def minute(self, now: float) -> None:
        """What is seldom due."""
        for cluster in self._state.clusters.values():
            if not cluster.attended and not cluster.stopped:
                continue
            for task in [t for t in cluster.stopped.values() if now - t.stopped > STOPPED_SECONDS]:
                del cluster.stopped[task.id]
            for service in list(cluster.services.values()):
                if service.status == "INACTIVE":
                    if now - service.deleted > _INACTIVE_SECONDS:
                        del cluster.services[service.name]
                elif not service.busy and now - service.steady_told >= _STEADY_SECONDS:
                    service.steady_told = now
                    service.tell(now, "has reached a steady state.")

    def _loose_tasks(self, cluster: Cluster, now: float) -> None:
        for task in [t for t in cluster.tasks.values() if t.service is None and t.plan]:
            if advance(task, now) == ENDING:
                self._end(task, now)

    def _service_step(self, service: Service, now: float) -> None:
        failed: list[Task] = []
        for task in list(service.tasks.values()):
            was = task.serving
            if advance(task, now) == ENDING:
                self._end(task, now)
                failed.append(task)
            elif task.serving and not was and task.deployment is not None:
                task.deployment.streak = 0
                if service.target_group:
                    service.tell(
                        now, f"registered 1 targets in (target-group {service.target_group})"
                    )
        if service.status == "DRAINING":
            self._drain(service, now)
            return
        if service.status != "ACTIVE":
            service.busy = False
            return
        for task in failed:
            self._count_failure(service, task, now)
        if service.body.get("schedulingStrategy") == "DAEMON":
            self.set_desired(service, len(placement.usable(service.cluster, self._zones())), now)
        self._balance(service, now)
        self._conclude(service, now)

    def _end(self, task: Task, now: float) -> None:
        """A task's own end: its image, its program or its health."""
        image = task.definition.images[0] if task.definition.images else ""
        if task.fate == "cannot_pull":
            text = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
            task.pull_stopped = 0.0
            begin_stop(task, now, "TaskFailedToStart", text, why=text)
        elif task.fate == "crashes":
            begin_stop(
                task, now, "EssentialContainerExited", "Essential container in task exited", 1
            )
        elif task.fate == "unhealthy" and task.service is not None and task.service.target_group:
            group = task.service.target_group
            task.service.tell(
                now,
                f"(port {port_of(task)}) is unhealthy in (target-group {group}) due to (reason Health checks failed with these codes: [502])",
            )
            begin_stop(
                task,
                now,
                "ServiceSchedulerInitiated",
                f"Task failed ELB health checks in (target-group {group})",
            )
        elif task.fate == "unhealthy":
            begin_stop(
                task, now, "ServiceSchedulerInitiated", "Task failed container health checks"
            )
        else:
            begin_stop(
                task, now, "EssentialContainerExited", "Essential container in task exited", 0
            )

    def _count_failure(self, service: Service, task: Task, now: float) -> None:
        deployment = task.deployment
        if deployment is None or deployment.state != "IN_PROGRESS":
            return
        deployment.failed += 1
        deployment.streak += 1
        deployment.updated = now
        deployment.next_start = now + min(5.0 * deployment.streak, 120.0)
        breaker = (service.body.get("deploymentConfiguration") or {}).get(
            "deploymentCircuitBreaker"
        ) or {}
        if deployment.status != "PRIMARY":
            return
        if breaker.get("enable") and deployment.streak >= breaker_threshold(service.desired):
            self._trip(service, deployment, now, bool(breaker.get("rollback")))
        elif deployment.streak >= 5 and now - service.complained > 300:
            service.complained = now
            service.tell(
                now,
                "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
            )

    def _trip(self, service: Service, deployment: Deployment, now: float, rollback: bool) -> None:
        deployment.state, deployment.tripped, deployment.updated = "FAILED", True, now
        deployment.reason = "ECS deployment circuit breaker: tasks failed to start."
        deployment.finished, deployment.outcome = now, "STOPPED"
        service.tell(now, f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
        good = next((item for item in service.past if item.state == "COMPLETED"), None)
        if not rollback or good is None or deployment.rollback_of:
            deployment.desired = 0
            return
        again = self.deploy(service, good.definition, now, rollback_of=deployment.number)
        deployment.outcome = "ROLLBACK_IN_PROGRESS"
        service.tell(now, f"rolling back to deployment {again.id}.")

    def _balance(self, service: Service, now: float) -> None:
        """Start what is missing and stop what is too much, within the deployment's percentages."""
        primary = service.primary
        settings = service.body.get("deploymentConfiguration") or {}
        least = math.ceil(service.desired * int(settings.get("minimumHealthyPercent", 100)) / 100)
        most = math.floor(service.desired * int(settings.get("maximumPercent", 200)) / 100)
        live = [task for task in service.tasks.values() if task.live]
        new = [task for task in live if task.deployment is primary]
        old = [task for task in live if task.deployment is not primary]
        wanted = primary.desired if primary.state != "FAILED" else 0
        if primary.state == "FAILED":
            self._keep_old(service, new, old, now)
            return
        missing = min(
            wanted - len(new),
            max(most, service.desired if not old else 1) - len(live),
            _MOST_AT_ONCE,
        )
        if missing > 0 and now >= primary.next_start:
            self._start(service, primary, missing, now)
        healthy = [task for task in live if task.serves]
        spare = len(healthy) - least
        victims = [task for task in old if not task.serves]
        victims += sorted((task for task in old if task.serves), key=lambda t: t.created)[
            : max(spare, 0)
        ]
        if len(new) > wanted:
            victims += surplus(new, len(new) - wanted)
        self._stop(service, victims, now)

    def _keep_old(self, service: Service, new: list[Task], old: list[Task], now: float) -> None:
        """A deployment failed and is not rolled back: the one before it stays as it is."""
        self._stop(service, new, now)
        before = next((item for item in service.deployments[1:] if item.state == "COMPLETED"), None)
        if before is not None and len(old) < service.desired and now >= before.next_start:
            self._start(service, before, min(service.desired - len(old), _MOST_AT_ONCE), now)

    def _start(self, service: Service, deployment: Deployment, count: int, now: float) -> None:
        started = []
        for _ in range(count):
            task = self.start_task(
                service.cluster, deployment.definition, now, service=service, deployment=deployment
            )
            if task is None:
                if now - service.complained >= _COMPLAIN_SECONDS:
                    service.complained = now
                    service.tell(
                        now, placement.no_room(service, self._zones(), deployment.definition)
                    )
                break
            task.tags = dict(service.tags) if service.body.get("propagateTags") == "SERVICE" else {}
            task.can_exec = bool(service.body.get("enableExecuteCommand"))
            started.append(task)
        if started:
            service.tell(
                now,
                f"has started {len(started)} tasks: {' '.join(f'(task {t.id})' for t in started)}.",
            )

    def _stop(self, service: Service, victims: Sequence[Task], now: float) -> None:
        victims = [task for task in victims if task.protected_until <= now]
        if not victims:
            return
        draining = [task for task in victims if task.serves_load_balancer]
        if draining:
            service.tell(
                now,
                f"deregistered {len(draining)} targets in (target-group {service.target_group})",
            )
            service.tell(now, f"has begun draining connections on {len(draining)} tasks.")
        for task in victims:
            number = task.deployment.id if task.deployment else ""
            begin_stop(
                task,
                now,
                "ServiceSchedulerInitiated",
                f"Scaling activity initiated by (deployment {number})",
            )
        names = " ".join(f"(task {task.id})" for task in victims)
        service.tell(now, f"has stopped {len(victims)} running tasks: {names}.")

    def _conclude(self, service: Service, now: float) -> None:
        """Is the deployment complete, and is there nothing left to do?"""
        primary = service.primary
        live = [task for task in service.tasks.values() if task.live]
        for old in service.deployments[1:]:
            old.desired = sum(task.deployment is old for task in live)
        done = len(live) == service.desired and all(
            task.serves and task.deployment is primary for task in live
        )
        if done and primary.state == "IN_PROGRESS":
            primary.state, primary.updated, primary.finished = "COMPLETED", now, now
            primary.reason = f"ECS deployment {primary.id} completed."
            primary.outcome = "SUCCESSFUL"
            for failed in service.past:
                if primary.rollback_of and failed.number == primary.rollback_of:
                    failed.outcome = "ROLLBACK_SUCCESSFUL"
            service.tell(now, f"(deployment {primary.id}) deployment completed.")
        if primary.state == "COMPLETED" and len(service.deployments) > 1:
            kept = {id(task.deployment) for task in service.tasks.values()}
            service.deployments[1:] = [item for item in service.deployments[1:] if id(item) in kept]
        moving = any(task.plan for task in service.tasks.values())
        stuck = primary.state == "FAILED" and not any(task.deployment is primary for task in live)
        if moving or not (done or (stuck and len(live) == service.desired)):
            return
        service.busy = False
        if done:
            service.steady_told = now
            service.tell(now, "has reached a steady state.")

    def _drain(self, service: Service, now: float) -> None:
        for task in service.tasks.values():
            begin_stop(task, now, "ServiceSchedulerInitiated", "Service was deleted")
        if not service.tasks:
            service.status, service.deleted, service.busy = "INACTIVE", now, False
            service.deployments[1:] = []
            service.primary.desired = 0


def breaker_threshold(desired: int) -> int:
    """Failed tasks that trip the circuit breaker."""
    return min(max(math.ceil(desired / 2), 3), 200)


def surplus(tasks: Sequence[Task], count: int) -> list[Task]:
    """Whom to stop when scaling in: those that don't serve yet, then from the fullest zone, the newest first."""
    left = sorted(tasks, key=lambda task: (not task.serves, task.created))
    chosen: list[Task] = []
    while len(chosen) < count and left:
        if not left[-1].serves:
            chosen.append(left.pop())
            continue
        zones = [task.zone for task in left]
        fullest = max(sorted(set(zones)), key=zones.count)
        victim = next(task for task in reversed(left) if task.zone == fullest)
        left.remove(victim)
        chosen.append(victim)
    return chosen


def port_of(task: Task) -> int:
    for container in task.definition.containers:
        for mapping in container.get("portMappings") or ():
            return int(mapping.get("containerPort") or 80)
    return 80
