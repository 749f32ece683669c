"""Nodes, and the volumes that they mount."""

from __future__ import annotations

from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.deleting import delete
from dockdesk.sandbox.kube.objects import (
    Object,
    condition,
    dig,
    name_of,
    namespace_of,
    rfc3339,
    uid_of,
    with_condition,
)
from dockdesk.sandbox.kube.pods import is_ready
from dockdesk.sandbox.kube.store import Change


class Claims(Controller):
    """Volumes for claims, bound after a moment."""

    name = "PersistentVolumeClaim"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._volumes = cluster.kind("PersistentVolume")
        self._classes = cluster.kind("StorageClass", "storage.k8s.io")

    def notice(self, change: Change) -> None:
        if change.kind.key != self.kind.key:
            return
        item = change.object
        if change.word == "DELETED":
            self.store.drop(self._volumes, "", str(dig(item, "spec", "volumeName") or ""))
        elif change.word == "ADDED":
            self.look_later(1.0, namespace_of(item), name_of(item))

    def reconcile(self, namespace: str, name: str) -> None:
        claim = self.store.find(self.kind, namespace, name)
        if claim is None or dig(claim, "status", "phase") == "Bound":
            return
        spec = claim["spec"]
        storage = self.store.find(self._classes, "", str(spec.get("storageClassName")))
        if storage is None:
            text = f'storageclass.storage.k8s.io "{spec.get("storageClassName")}" not found'
            self.cluster.tell(
                claim, "ProvisioningFailed", text, "persistentvolume-controller", True
            )
            self.look_later(15.0, namespace, name)
            return
        volume = f"pvc-{uid_of(claim)}"
        capacity = {"storage": dig(spec, "resources", "requests", "storage") or "1Gi"}
        reference = {
            "kind": "PersistentVolumeClaim",
            "apiVersion": "v1",
            "namespace": namespace,
            "name": name,
            "uid": uid_of(claim),
        }
        made: Object = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                "capacity": capacity,
                "accessModes": spec.get("accessModes") or ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
                "storageClassName": name_of(storage),
                "volumeMode": spec.get("volumeMode", "Filesystem"),
                "claimRef": reference,
                "csi": {
                    "driver": storage.get("provisioner"),
                    "volumeHandle": f"vol-{uid_of(claim)[:17].replace('-', '')}",
                },
            },
            "status": {"phase": "Bound"},
        }
        if self.store.find(self._volumes, "", volume) is None:
            self.store.add(self._volumes, made)
        status = {
            "phase": "Bound",
            "accessModes": made["spec"]["accessModes"],
            "capacity": capacity,
        }
        bound = {
            **claim,
            "metadata": dict(claim["metadata"]),
            "spec": {**spec, "volumeName": volume},
            "status": status,
        }
        self.store.replace(self.kind, bound)


class Nodes(Controller):
    """Cordons become taints, and a kubelet that is silent is noticed."""

    name = "Node"
    _CORDON = "node.kubernetes.io/unschedulable"
    _SILENT = "node.kubernetes.io/unreachable"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._pods = cluster.kind("Pod")

    def reconcile(self, namespace: str, name: str) -> None:  # noqa: ARG002 - nodes have none
        node = self.store.find(self.kind, "", name)
        if node is None:
            return
        taints = [
            entry
            for entry in dig(node, "spec", "taints") or ()
            if entry["key"] not in {self._CORDON, self._SILENT}
        ]
        if dig(node, "spec", "unschedulable"):
            taints.append({"key": self._CORDON, "effect": "NoSchedule"})
        if condition(node, "Ready").get("status") == "Unknown":
            taints += [
                {"key": self._SILENT, "effect": effect} for effect in ("NoSchedule", "NoExecute")
            ]
        if taints == (dig(node, "spec", "taints") or []):
            return
        spec = {key: value for key, value in node["spec"].items() if key != "taints"}
        if taints:
            spec["taints"] = taints
        self.store.replace(self.kind, {**node, "metadata": dict(node["metadata"]), "spec": spec})

    def set_reachable(self, name: str, reachable: bool) -> None:
        """A node that answers no more: its pods are not ready, and are evicted after five minutes."""
        node = self.store.find(self.kind, "", name)
        if node is None:
            return
        now = self.cluster.now()
        conditions = list(dig(node, "status", "conditions") or ())
        for kind in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"):
            if reachable:
                good = kind == "Ready"
                conditions = with_condition(
                    conditions,
                    kind,
                    good,
                    "KubeletReady"
                    if good
                    else "KubeletHasSufficient" + kind.removesuffix("Pressure"),
                    "kubelet is posting ready status" if good else "",
                    now,
                )
            else:
                conditions = with_condition(
                    conditions,
                    kind,
                    "Unknown",
                    "NodeStatusUnknown",
                    "Kubelet stopped posting node status.",
                    now,
                )
        self.store.set_status(self.kind, node, {**node["status"], "conditions": conditions})
        if reachable:
            return
        self.cluster.tell(
            node,
            "NodeNotReady",
            f"Node {name} status is now: NodeNotReady",
            "node-controller",
            True,
        )
        for pod in list(self.store.all(self._pods)):
            if dig(pod, "spec", "nodeName") == name and is_ready(pod):
                status = dict(pod["status"])
                status["conditions"] = with_condition(
                    status["conditions"], "Ready", False, "NodeNotReady", "", now
                )
                self.store.set_status(self._pods, pod, status)
        self.cluster.later(300.0, lambda: self._evict(name))

    def _evict(self, name: str) -> None:
        node = self.store.find(self.kind, "", name)
        if node is None or condition(node, "Ready").get("status") == "True":
            return
        for pod in list(self.store.all(self._pods)):
            owner = next(
                (entry.get("kind") for entry in pod["metadata"].get("ownerReferences") or ()), ""
            )
            if dig(pod, "spec", "nodeName") == name and owner != "DaemonSet":
                self.cluster.tell(
                    pod,
                    "TaintManagerEviction",
                    f"Marking for deletion Pod {namespace_of(pod)}/{name_of(pod)}",
                    "taint-eviction-controller",
                )
                delete(self.cluster, self._pods, pod)


def heartbeat(cluster: Cluster, down: set[str]) -> None:
    """Nodes say that they live, every five minutes."""
    kind, stamp = cluster.kind("Node"), rfc3339(cluster.now())
    for node in list(cluster.store.all(kind)):
        if name_of(node) in down:
            continue
        conditions = [
            {**entry, "lastHeartbeatTime": stamp}
            for entry in dig(node, "status", "conditions") or ()
        ]
        cluster.store.set_status(kind, node, {**node["status"], "conditions": conditions})
    cluster.later(300.0, lambda: heartbeat(cluster, down))
