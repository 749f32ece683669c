"""What the simulated cluster holds when it starts: a web shop, its monitoring, and what every cluster has.

The past is made by the same controllers as the present: time stands still at each moment something was deployed, while
they do their work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.kube.admission import Admission, changed
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.crowd import Crowd
from dockdesk.sandbox.kube.kubelet import Kubelet
from dockdesk.sandbox.kube.load import Load
from dockdesk.sandbox.kube.objects import Object, clone
from dockdesk.sandbox.kube.pods import PodMaker
from dockdesk.sandbox.kube.scheduler import Scheduler
from dockdesk.sandbox.kube.seed_apps import APPS, App, pod_of
from dockdesk.sandbox.kube.seed_basics import basics, policies

HOUR = 3600.0
DAY = 24 * HOUR
_SETTLING = 20
_NODES = 4


@dataclass(frozen=True, slots=True)
class Parts:
    """What the seed is made with."""

    cluster: Cluster
    admission: Admission
    scheduler: Scheduler
    kubelet: Kubelet
    load: Load
    makers: Sequence[PodMaker]
    crowd: Crowd


class Seed:
    """Fills an empty cluster; ``pods`` more in the huge scenario, from the beginning or while it runs."""

    def __init__(self, parts: Parts, pods: int = 0) -> None:
        self._parts = parts
        self._cluster = parts.cluster
        self._huge = pods
        self._start = parts.cluster.now()

    def furnish(self) -> None:
        self._hurry(True)
        self._at(120)
        basics(self._cluster, self.make, _NODES)
        self._settle()
        releases = [
            (age, app, number) for app in APPS for number, (_, age) in enumerate(app.images)
        ]
        for age, app, number in sorted(releases, key=lambda one: -one[0]):
            self._at(age)
            if age < 1:  # recent enough to be seen as it goes
                self._hurry(False)
            self._release(app, number)
            self._settle()
        self._jobs()
        self._at(30)
        policies(self._cluster, self.make)
        self._cluster.freeze(None)
        if self._huge:
            for _ in self.enlarge(self._huge, self._start):
                pass
        self._hurry(False)
        self._settle_all()
        self._cluster.store.compact()

    def _hurry(self, hurry: bool) -> None:
        """Whether things are there at once, and nobody tells of it."""
        self._parts.scheduler.instant = self._parts.kubelet.instant = hurry
        for maker in self._parts.makers:
            maker.quiet = hurry

    def _at(self, days: float) -> None:
        self._cluster.freeze(self._start - days * DAY)

    def _settle(self) -> None:
        """Let the controllers do what there is to do, also what takes some seconds."""
        start = self._cluster.now()
        self._settle_all()
        for seconds in range(2, _SETTLING, 2):
            self._cluster.freeze(start + seconds)
            self._settle_all()

    def _settle_all(self) -> None:
        self._cluster.tick()
        while self._cluster.is_busy:
            self._cluster.tick()

    def make(self, kind: str, group: str, item: Object) -> Object:
        return self._parts.admission.create(self._cluster.kind(kind, group), item)

    def _release(self, app: App, number: int) -> None:
        image = app.images[number][0]
        kind = self._cluster.kind(app.kind, "apps")
        current = self._cluster.store.find(kind, app.namespace, app.name)
        if current is not None:
            template = {**current["spec"]["template"], "spec": pod_of(app, image)}
            item = clone({**current, "spec": {**current["spec"], "template": template}})
            cause = f"kubectl set image {app.kind.lower()}/{app.name} {app.name}={image}"
            item["metadata"].setdefault("annotations", {})["kubernetes.io/change-cause"] = cause
            item["metadata"]["generation"] += 1
            changed(kind, item)
            self._cluster.store.replace(kind, item)
            return
        if app.rate:
            self._parts.load.set_traffic((app.namespace, app.name), app.rate)
        labels = {"app": app.name, "app.kubernetes.io/part-of": app.namespace, "tier": app.tier}
        spec: dict[str, Any] = {
            "selector": {"matchLabels": {"app": app.name}},
            "template": {"metadata": {"labels": labels}, "spec": pod_of(app, image)},
        }
        if app.kind != "DaemonSet":
            spec["replicas"] = app.replicas
        if app.kind == "StatefulSet":
            spec["serviceName"] = app.name
        if app.storage:
            claim = {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "gp3",
                "resources": {"requests": {"storage": app.storage}},
            }
            spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
        self.make(
            app.kind,
            "apps",
            {
                "metadata": {"name": app.name, "namespace": app.namespace, "labels": labels},
                "spec": spec,
            },
        )
        if app.port:
            port = {"name": "http", "port": app.port, "targetPort": app.port}
            shape: dict[str, Any] = {"selector": {"app": app.name}, "ports": [port]}
            if app.name == "ingress-nginx-controller":
                shape["type"] = "LoadBalancer"
            self.make(
                "Service",
                "",
                {
                    "metadata": {"name": app.name, "namespace": app.namespace, "labels": labels},
                    "spec": shape,
                },
            )

    def _jobs(self) -> None:
        def cron(name: str, schedule: str, image: str, command: list[str], **more: Any) -> None:
            container: dict[str, Any] = {
                "name": name,
                "image": image,
                "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
            }
            if command:
                container["command"] = command
            pod = {"restartPolicy": "Never", "containers": [container]}
            job = {"backoffLimit": 1, "template": {"spec": pod}}
            spec = {
                "schedule": schedule,
                "jobTemplate": {"spec": job},
                "concurrencyPolicy": "Forbid",
                **more,
            }
            self.make(
                "CronJob", "batch", {"metadata": {"name": name, "namespace": "shop"}, "spec": spec}
            )

        self._at(30)
        report = ["sh", "-c", "echo counting orders; sleep 20; echo report sent"]
        cron("sales-report", "*/10 * * * *", "alpine:3.21", report)
        cron("nightly-export", "15 2 * * *", "acme/batch:0.9", [])
        cron(
            "cleanup",
            "0 4 * * 0",
            "alpine:3.21",
            ["sh", "-c", "echo nothing to clean"],
            suspend=True,
        )
        migrate = {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "migrate",
                    "image": "acme/api:2.14.1",
                    "command": ["sh", "-c", "echo applying 3 migrations; sleep 8; echo done"],
                }
            ],
        }
        self._cluster.freeze(self._start - 36 * 60)
        self.make(
            "Job",
            "batch",
            {
                "metadata": {"name": "migrate-2-14-1", "namespace": "shop"},
                "spec": {"template": {"spec": migrate}, "backoffLimit": 2},
            },
        )
        for minutes in range(36, 0, -1):
            self._cluster.freeze(self._start - minutes * 60.0)
            self._settle()

    def enlarge(self, pods: int, start: float = 0.0) -> Iterator[None]:
        """So many more pods, a few at each step. ``start`` as in `Crowd.grow`."""

        def release(app: App) -> None:
            self._release(app, 0)
            self._settle_all()

        steps = self._parts.crowd.grow(pods, release, start)
        while True:
            self._hurry(True)
            try:
                next(steps)
            except StopIteration:
                return
            finally:
                self._cluster.freeze(None)
                self._hurry(False)
            yield
