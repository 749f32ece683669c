"""What workload controllers have in common: pods made from templates, counted, and chosen to go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.deleting import delete
from dockdesk.sandbox.kube.objects import (
    Object,
    clone,
    condition,
    dig,
    name_of,
    namespace_of,
    owned_by,
    seconds_of,
)
from dockdesk.sandbox.kube.status import KubeError

_ENDED = {"Succeeded", "Failed"}


def is_live(pod: Mapping[str, Any]) -> bool:
    """Not ended and not about to."""
    return (
        not pod["metadata"].get("deletionTimestamp") and dig(pod, "status", "phase") not in _ENDED
    )


def is_ready(pod: Mapping[str, Any]) -> bool:
    return condition(pod, "Ready").get("status") == "True"


@dataclass(frozen=True, slots=True)
class Counts:
    """Pods of a workload. ``soon``: seconds until one more counts as available, 0 where none waits."""

    total: int
    ready: int
    available: int
    soon: float = 0.0


def count(pods: Sequence[Object], min_ready: float, now: float) -> Counts:
    ready = available = 0
    soon = 0.0
    for pod in pods:
        if not is_ready(pod):
            continue
        ready += 1
        age = now - seconds_of(condition(pod, "Ready").get("lastTransitionTime"))
        if age >= min_ready:
            available += 1
        else:
            left = min_ready - age
            soon = min(soon, left) if soon else left
    return Counts(len(pods), ready, available, soon)


def first_to_go(pod: Object) -> tuple[Any, ...]:
    """Order of deletion: not scheduled, not ready, cheap, restarted often, young ones first."""
    cost = int(
        (pod["metadata"].get("annotations") or {}).get(
            "controller.kubernetes.io/pod-deletion-cost", "0"
        )
        or 0
    )
    restarts = sum(
        entry.get("restartCount", 0) for entry in dig(pod, "status", "containerStatuses") or ()
    )
    return (
        bool(dig(pod, "spec", "nodeName")),
        dig(pod, "status", "phase") == "Running",
        is_ready(pod),
        cost,
        -restarts,
        -seconds_of(pod["metadata"].get("creationTimestamp")),
        name_of(pod),
    )


class PodMaker(Controller):
    """A controller that makes pods of a template."""

    component = "controller-manager"

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster)
        self.admission = admission
        self.pods = cluster.kind("Pod")
        self.quiet = False  # while the past is made, nobody records events

    def make_pod(
        self,
        owner: Object,
        template: Mapping[str, Any],
        name: str = "",
        labels: Mapping[str, str] | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> Object | None:
        """Create a pod; None where the API refuses it, which is told as an event."""
        meta = template.get("metadata") or {}
        made: Object = {
            "metadata": {
                "namespace": namespace_of(owner),
                "labels": {**(meta.get("labels") or {}), **(labels or {})},
                "ownerReferences": owned_by(owner),
            },
            "spec": {**clone(template["spec"]), **(spec or {})},
        }
        if meta.get("annotations"):
            made["metadata"]["annotations"] = dict(meta["annotations"])
        if name:
            made["metadata"]["name"] = name
        else:
            made["metadata"]["generateName"] = f"{name_of(owner)}-"
        try:
            pod = self.admission.create(self.pods, made)
        except KubeError as error:
            self.tell(owner, "FailedCreate", f"Error creating: {error.message}", True)
            return None
        self.tell(owner, "SuccessfulCreate", f"Created pod: {name_of(pod)}")
        return pod

    def delete_pod(self, owner: Object, pod: Object) -> None:
        if not pod["metadata"].get("deletionTimestamp"):
            delete(self.cluster, self.pods, pod)
            self.tell(owner, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def tell(self, item: Object, reason: str, message: str, warning: bool = False) -> None:
        if not self.quiet:
            self.cluster.tell(item, reason, message, self.component, warning)

    def owned_pods(self, owner: Object) -> list[Object]:
        return self.store.owned(owner, self.pods)


def same_template(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    """Whether two pod templates differ in nothing but pod-template-hash."""

    def plain(template: Mapping[str, Any]) -> dict[str, Any]:
        meta = {
            key: value
            for key, value in (template.get("metadata") or {}).items()
            if key != "creationTimestamp"
        }
        labels = {
            key: value
            for key, value in (meta.get("labels") or {}).items()
            if key != "pod-template-hash"
        }
        return {**template, "metadata": {**meta, "labels": labels}}

    return plain(first) == plain(second)
