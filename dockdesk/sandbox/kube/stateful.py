"""Stateful sets and daemon sets. Source: Kubernetes documentation, "StatefulSets" and "DaemonSet"."""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.deleting import delete
from dockdesk.sandbox.kube.objects import (
    Object,
    clone,
    dig,
    labels_of,
    name_of,
    namespace_of,
    owned_by,
    share,
    template_hash,
)
from dockdesk.sandbox.kube.pods import PodMaker, count, is_live, is_ready
from dockdesk.sandbox.kube.scheduler import refusal
from dockdesk.sandbox.kube.store import Change

_HASH = "controller-revision-hash"
_UNSCHEDULABLE = (
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
)


class Revisioned(PodMaker):
    """Keeps ControllerRevisions of its template."""

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster, admission)
        self._revisions = cluster.kind("ControllerRevision", "apps")

    def revision_of(self, owner: Object) -> tuple[str, int]:
        """The hash of the template as it is, and the newest revision's number; it is recorded where it is new."""
        mark = template_hash(owner["spec"]["template"])
        past = sorted(
            self.store.owned(owner, self._revisions), key=lambda item: int(item.get("revision", 0))
        )
        newest = int(past[-1]["revision"]) if past else 0
        name = f"{name_of(owner)}-{mark}"
        known = next((item for item in past if name_of(item) == name), None)
        if known is not None:
            if known["revision"] != newest:
                newest += 1
                self.store.replace(
                    self._revisions,
                    {**known, "metadata": dict(known["metadata"]), "revision": newest},
                )
            return mark, newest
        newest += 1
        template = clone(owner["spec"]["template"])
        made: Object = {
            "metadata": {
                "name": name,
                "namespace": namespace_of(owner),
                "labels": {**labels_of(owner["spec"]["template"]), _HASH: mark}
                if "metadata" in owner["spec"]["template"]
                else {_HASH: mark},
                "ownerReferences": owned_by(owner),
            },
            "data": {"spec": {"template": {**template, "$patch": "replace"}}},
            "revision": newest,
        }
        self.admission.create(self._revisions, made)
        limit = int(owner["spec"].get("revisionHistoryLimit") or 10)
        in_use = {labels_of(pod).get(_HASH) for pod in self.owned_pods(owner)}
        for item in past[: max(len(past) - limit, 0)]:
            if labels_of(item).get(_HASH) not in in_use:
                delete(self.cluster, self._revisions, item)
        return mark, newest


class StatefulSets(Revisioned):
    group, name = "apps", "StatefulSet"
    component = "statefulset-controller"

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster, admission)
        self._claims = cluster.kind("PersistentVolumeClaim")

    def reconcile(self, namespace: str, name: str) -> None:
        owner = self.store.find(self.kind, namespace, name)
        if owner is None:
            return
        mark, _ = self.revision_of(owner)
        if not owner["metadata"].get("deletionTimestamp"):
            self._move(owner, mark)
        self._tell_status(owner, mark)

    @staticmethod
    def _number(pod: Object) -> int:
        text = name_of(pod).rpartition("-")[2]
        return int(text) if text.isdigit() else -1

    def _move(self, owner: Object, mark: str) -> None:
        """One step at a time, as OrderedReady has it; Parallel does all at once."""
        spec = owner["spec"]
        wanted, ordered = (
            int(spec.get("replicas") or 0),
            spec.get("podManagementPolicy") != "Parallel",
        )
        first = int(dig(spec, "ordinals", "start") or 0)
        pods = {self._number(pod): pod for pod in self.owned_pods(owner)}
        for pod in list(pods.values()):
            if dig(pod, "status", "phase") in {"Succeeded", "Failed"} and is_live(
                {**pod, "status": {}}
            ):
                self.delete_pod(owner, pod)
                return
        for number in range(first, first + wanted):
            if number not in pods:
                self._make(owner, number, mark)
                if ordered:
                    return
            elif ordered and not (is_ready(pods[number]) and is_live(pods[number])):
                if self._is_stuck(owner, pods[number], mark):
                    self.delete_pod(owner, pods[number])
                return
        beyond = sorted((number for number in pods if number >= first + wanted), reverse=True)
        for number in beyond:
            self.delete_pod(owner, pods[number])
            if ordered:
                return
        if beyond or dig(spec, "updateStrategy", "type") == "OnDelete":
            return
        start = max(int(dig(spec, "updateStrategy", "rollingUpdate", "partition") or 0), first)
        for number in range(first + wanted - 1, start - 1, -1):
            if number not in pods or not is_live(pod := pods[number]):
                return
            if labels_of(pod).get(_HASH) != mark:
                self.delete_pod(owner, pod)
                return
            if not is_ready(pod):
                return

    def _is_stuck(self, owner: Object, pod: Object, mark: str) -> bool:
        """An outdated pod that never got ready may be replaced at once."""
        partition = int(dig(owner, "spec", "updateStrategy", "rollingUpdate", "partition") or 0)
        return is_live(pod) and labels_of(pod).get(_HASH) != mark and self._number(pod) >= partition

    def _make(self, owner: Object, number: int, mark: str) -> None:
        spec, name = owner["spec"], f"{name_of(owner)}-{number}"
        partition = int(dig(spec, "updateStrategy", "rollingUpdate", "partition") or 0)
        template = spec["template"]
        current = str(dig(owner, "status", "currentRevision") or "")
        if number < partition and current:
            old = self.store.find(self._revisions, namespace_of(owner), current)
            if old is not None:
                template = {
                    key: value
                    for key, value in old["data"]["spec"]["template"].items()
                    if key != "$patch"
                }
                mark = str(labels_of(old).get(_HASH, mark))
        volumes = list(template["spec"].get("volumes") or ())
        for claim in spec.get("volumeClaimTemplates") or ():
            claim_name = f"{claim['metadata']['name']}-{name}"
            if self.store.find(self._claims, namespace_of(owner), claim_name) is None:
                meta = {
                    "name": claim_name,
                    "namespace": namespace_of(owner),
                    "labels": dict(labels_of(template)),
                }
                self.admission.create(
                    self._claims, {"metadata": meta, "spec": clone(claim["spec"])}
                )
                self.tell(
                    owner,
                    "SuccessfulCreate",
                    f"create Claim {claim_name} Pod {name} in StatefulSet {name_of(owner)} success",
                )
            volumes.append(
                {
                    "name": claim["metadata"]["name"],
                    "persistentVolumeClaim": {"claimName": claim_name},
                }
            )
        labels = {
            _HASH: mark,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(number),
        }
        more: dict[str, Any] = {"hostname": name, "subdomain": spec.get("serviceName", "")}
        if volumes:
            more["volumes"] = volumes
        self.make_pod(owner, template, name, labels, more)

    def _tell_status(self, owner: Object, mark: str) -> None:
        pods = [pod for pod in self.owned_pods(owner) if is_live(pod)]
        counts = count(pods, float(owner["spec"].get("minReadySeconds") or 0), self.cluster.now())
        updated = sum(labels_of(pod).get(_HASH) == mark for pod in pods)
        before, revision = owner.get("status") or {}, f"{name_of(owner)}-{mark}"
        done = updated == counts.total == int(owner["spec"].get("replicas") or 0) == counts.ready
        current = (
            revision if done or not before.get("currentRevision") else before["currentRevision"]
        )
        status: dict[str, Any] = {
            "observedGeneration": owner["metadata"].get("generation", 1),
            "replicas": counts.total,
            "readyReplicas": counts.ready,
            "availableReplicas": counts.available,
            "currentReplicas": sum(
                f"{name_of(owner)}-{labels_of(pod).get(_HASH)}" == current for pod in pods
            ),
            "updatedReplicas": updated,
            "currentRevision": current,
            "updateRevision": revision,
            "collisionCount": 0,
        }
        kept = {
            key: value
            for key, value in status.items()
            if value or key in {"replicas", "availableReplicas", "collisionCount"}
        }
        self.store.set_status(self.kind, owner, kept)


class DaemonSets(Revisioned):
    group, name = "apps", "DaemonSet"
    component = "daemonset-controller"

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster, admission)
        self._nodes = cluster.kind("Node")

    def notice(self, change: Change) -> None:
        super().notice(change)
        if change.kind.key == self._nodes.key:
            for owner in self.store.all(self.kind):
                self.enqueue(owner)

    def reconcile(self, namespace: str, name: str) -> None:
        owner = self.store.find(self.kind, namespace, name)
        if owner is None:
            return
        mark, _ = self.revision_of(owner)
        spec = owner["spec"]["template"]["spec"]
        wanted = [
            name_of(node)
            for node in self.store.all(self._nodes)
            if not refusal(spec, node, _UNSCHEDULABLE)
        ]
        if not owner["metadata"].get("deletionTimestamp"):
            self._place(owner, wanted, mark)
            self._roll(owner, wanted, mark)
        self._tell_status(owner, wanted, mark)

    @staticmethod
    def _node(pod: Object) -> str:
        """Where a pod is, or has to go."""
        term = dig(
            pod,
            "spec",
            "affinity",
            "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution",
            "nodeSelectorTerms",
            0,
        )
        return str(dig(pod, "spec", "nodeName") or dig(term, "matchFields", 0, "values", 0) or "")

    def _place(self, owner: Object, wanted: list[str], mark: str) -> None:
        there: dict[str, Object] = {}
        for pod in self.owned_pods(owner):
            node = self._node(pod)
            if not is_live(pod):
                there.setdefault(node, pod)
                if dig(pod, "status", "phase") in {"Failed", "Succeeded"}:
                    self.delete_pod(owner, pod)
            elif node not in wanted:
                self.delete_pod(owner, pod)
            else:
                there[node] = pod
        for node in wanted:
            if node not in there:
                field = {"key": "metadata.name", "operator": "In", "values": [node]}
                required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
                affinity = {
                    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
                }
                spec = owner["spec"]["template"]["spec"]
                more = [
                    {
                        "key": key,
                        "operator": "Exists",
                        "effect": "NoSchedule" if "unsched" in key else "NoExecute",
                    }
                    for key in _UNSCHEDULABLE
                ]
                tolerations = [*(spec.get("tolerations") or ()), *more]
                self.make_pod(
                    owner,
                    owner["spec"]["template"],
                    "",
                    {_HASH: mark},
                    {"affinity": affinity, "tolerations": tolerations},
                )

    def _roll(self, owner: Object, wanted: list[str], mark: str) -> None:
        if dig(owner, "spec", "updateStrategy", "type") == "OnDelete":
            return
        pods = [pod for pod in self.owned_pods(owner) if is_live(pod)]
        most = share(
            dig(owner, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable") or 1,
            len(wanted),
            True,
        )
        old = [pod for pod in pods if labels_of(pod).get(_HASH) != mark]
        for pod in old:
            if not is_ready(pod):
                self.delete_pod(owner, pod)
        room = max(most, 1) - (len(wanted) - sum(is_ready(pod) for pod in pods))
        for pod in [pod for pod in old if is_ready(pod)][: max(room, 0)]:
            self.delete_pod(owner, pod)

    def _tell_status(self, owner: Object, wanted: list[str], mark: str) -> None:
        pods = [pod for pod in self.owned_pods(owner) if is_live(pod) and self._node(pod) in wanted]
        counts = count(pods, float(owner["spec"].get("minReadySeconds") or 0), self.cluster.now())
        status: dict[str, Any] = {
            "currentNumberScheduled": counts.total,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": len(wanted),
            "numberReady": counts.ready,
            "observedGeneration": owner["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum(labels_of(pod).get(_HASH) == mark for pod in pods),
            "numberAvailable": counts.available,
            "numberUnavailable": len(wanted) - counts.available,
        }
        optional = {"updatedNumberScheduled", "numberAvailable", "numberUnavailable"}
        self.store.set_status(
            self.kind,
            owner,
            {key: value for key, value in status.items() if value or key not in optional},
        )
