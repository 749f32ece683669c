"""Very many pods: the huge scenario's teams, made some at a time so that nobody waits for all of them.

Objects are never changed once they are stored, so the pods of one template share most of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.deployments import ReplicaSets
from dockdesk.sandbox.kube.kubelet import Kubelet
from dockdesk.sandbox.kube.objects import (
    Object,
    clone,
    dig,
    name_of,
    namespace_of,
    number_of,
    owned_by,
)
from dockdesk.sandbox.kube.pod_status import addressed, status_of
from dockdesk.sandbox.kube.scheduler import Scheduler
from dockdesk.sandbox.kube.seed_apps import App
from dockdesk.sandbox.kube.seed_basics import make_node

_NAMESPACES, _DEPLOYMENTS = 25, 10
_PODS_A_NODE = 90
_IMAGES = ("nginx:1.27-alpine", "acme/api:2.14.1", "acme/worker:2.14.1", "redis:7-alpine")

# release(app): make or change the workload of an app; settle(): let the controllers do what there is to do.
Release = Callable[[App], None]


class Crowd:
    """Teams with many deployments, all of whose pods run from the beginning."""

    def __init__(
        self,
        cluster: Cluster,
        admission: Admission,
        scheduler: Scheduler,
        kubelet: Kubelet,
        sets: ReplicaSets,
    ) -> None:
        self._cluster = cluster
        self._admission = admission
        self._scheduler = scheduler
        self._kubelet = kubelet
        self._sets = sets

    def grow(self, pods: int, release: Release, start: float = 0.0) -> Iterator[None]:
        """Make nodes, and then one deployment at each step. ``start``: when the world began, for ages; 0: all is new."""
        known = sum(1 for _ in self._cluster.store.all(self._cluster.kind("Node")))
        for number in range(known, 4 + -(-pods // _PODS_A_NODE)):
            make_node(self._cluster, number)
        yield
        each, left = -(-pods // (_NAMESPACES * _DEPLOYMENTS)), pods
        for team in range(_NAMESPACES):
            namespace = f"team-{team:02d}"
            namespaces = self._cluster.kind("Namespace")
            if self._cluster.store.find(namespaces, "", namespace) is None:
                self._admission.create(namespaces, {"metadata": {"name": namespace}})
            for number in range(_DEPLOYMENTS):
                count = min(each, left)
                left -= count
                if start:
                    hours = 1 + number_of(team, number) % 200
                    self._cluster.freeze(start - hours * 3600.0)
                self._sets.bulk = self._make
                try:
                    release(_app(team, number, count))
                finally:
                    self._sets.bulk = None
                yield

    def _make(self, owner: Object, count: int) -> None:
        """Pods of a replica set that are scheduled, started and ready."""
        kind, now = self._cluster.kind("Pod"), self._cluster.now()
        template, name = owner["spec"]["template"], name_of(owner)
        meta: dict[str, Any] = {
            "namespace": namespace_of(owner),
            "generateName": f"{name}-",
            "labels": dict(dig(template, "metadata", "labels") or {}),
            "ownerReferences": owned_by(owner),
        }
        first = self._admission.prepare(
            kind, {"metadata": dict(meta), "spec": clone(template["spec"])}
        )
        shown: dict[str, Any] | None = None
        for node in self._scheduler.places(first["spec"], count):
            spec = {**first["spec"], "nodeName": node}
            made: Object = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {**meta, "name": name + "-" + self._cluster.suffix(name)},
                "spec": spec,
                "status": first["status"],
            }
            uid = self._cluster.store.uid_of_next(namespace_of(made), name_of(made))
            life = self._kubelet.adopt(uid, spec)
            if shown is None:
                shown = status_of(made, life, now)
            made["status"] = addressed(shown, life, node)
            self._cluster.store.add(kind, made)


def _app(team: int, number: int, count: int) -> App:
    return App(
        f"service-{number}",
        ((_IMAGES[(team + number) % len(_IMAGES)], 1),),
        count,
        namespace=f"team-{team:02d}",
        cpu="10m",
        memory="16Mi",
        limit="512Mi",
    )
