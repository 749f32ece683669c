"""Services' endpoints and disruption budgets: who may serve, and how many must."""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import (
    Object,
    dig,
    labels_of,
    name_of,
    namespace_of,
    owned_by,
    share,
    uid_of,
    with_condition,
)
from dockdesk.sandbox.kube.pods import is_live, is_ready
from dockdesk.sandbox.kube.selectors import of_object
from dockdesk.sandbox.kube.store import Change


class Services(Controller):
    """Endpoints and endpoint slices of services."""

    name = "Service"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._pods, self._endpoints = cluster.kind("Pod"), cluster.kind("Endpoints")
        self._slices = cluster.kind("EndpointSlice", "discovery.k8s.io")

    def notice(self, change: Change) -> None:
        if change.kind.key == self.kind.key:
            self.enqueue(change.object)
        elif change.kind.key == self._pods.key and self._matters(change):
            labels = labels_of(change.object)
            for service in self.store.all(self.kind, namespace_of(change.object)):
                selector = dig(service, "spec", "selector")
                if selector and all(labels.get(key) == value for key, value in selector.items()):
                    self.enqueue(service)

    @staticmethod
    def _matters(change: Change) -> bool:
        """Whether a pod's address or readiness changed."""
        if change.old is None or change.word == "DELETED":
            return True
        before, after = change.old.object, change.object
        return (
            is_ready(before) != is_ready(after)
            or is_live(before) != is_live(after)
            or dig(before, "status", "podIP") != dig(after, "status", "podIP")
            or labels_of(before) != labels_of(after)
        )

    def reconcile(self, namespace: str, name: str) -> None:
        service = self.store.find(self.kind, namespace, name)
        if service is None:
            self.store.drop(self._endpoints, namespace, name)
            return
        selector = dig(service, "spec", "selector")
        if not selector:
            return
        matches = of_object({"matchLabels": selector})
        pods = [
            pod
            for pod in self.store.all(self._pods, namespace)
            if matches(labels_of(pod))
            and dig(pod, "status", "podIP")
            and dig(pod, "status", "phase") not in {"Succeeded", "Failed"}
        ]
        self._write(self._endpoints, self._endpoints_of(service, pods))
        self._write(self._slices, self._slice_of(service, pods))

    def _write(self, kind: Kind, made: Object) -> None:
        known = self.store.find(kind, namespace_of(made), name_of(made))
        if known is None:
            self.store.add(kind, made)
        else:
            self.store.replace(kind, {**made, "metadata": dict(known["metadata"])})

    @staticmethod
    def _port(pod: Object, port: dict[str, Any]) -> int:
        target = port.get("targetPort", port.get("port"))
        if isinstance(target, int):
            return target
        for container in pod["spec"]["containers"]:
            for known in container.get("ports") or ():
                if known.get("name") == target:
                    return int(known["containerPort"])
        return int(port.get("port") or 0)

    def _ports(self, service: Object, pods: list[Object]) -> list[dict[str, Any]]:
        ports = []
        for port in dig(service, "spec", "ports") or ():
            number = self._port(pods[0], port) if pods else port.get("port")
            ports.append(
                {
                    **({"name": port["name"]} if port.get("name") else {}),
                    "port": number,
                    "protocol": port.get("protocol", "TCP"),
                }
            )
        return ports

    def _endpoints_of(self, service: Object, pods: list[Object]) -> Object:
        groups: dict[str, list[dict[str, Any]]] = {"addresses": [], "notReadyAddresses": []}
        for pod in pods:
            good = is_ready(pod) and is_live(pod)
            groups["addresses" if good else "notReadyAddresses"].append(
                {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"],
                 "targetRef": {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": uid_of(pod)}}
            )  # fmt: skip
        subset = {key: value for key, value in groups.items() if value}
        subsets = [{**subset, "ports": self._ports(service, pods)}] if subset else []
        meta = {
            "name": name_of(service),
            "namespace": namespace_of(service),
            "labels": dict(labels_of(service)),
        }
        return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}

    def _slice_of(self, service: Object, pods: list[Object]) -> Object:
        nodes = {
            name_of(node): labels_of(node) for node in self.store.all(self.cluster.kind("Node"))
        }
        endpoints = []
        for pod in pods:
            good, going = is_ready(pod), bool(pod["metadata"].get("deletionTimestamp"))
            zone = nodes.get(pod["spec"]["nodeName"], {}).get("topology.kubernetes.io/zone", "")
            endpoints.append(
                {"addresses": [pod["status"]["podIP"]], "conditions": {"ready": good and not going, "serving": good, "terminating": going},
                 "nodeName": pod["spec"]["nodeName"], "zone": zone,
                 "targetRef": {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": uid_of(pod)}}
            )  # fmt: skip
        meta = {
            "name": f"{name_of(service)}-sandbox",
            "namespace": namespace_of(service),
            "labels": {
                "kubernetes.io/service-name": name_of(service),
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": owned_by(service),
        }
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4",
                "endpoints": endpoints, "ports": self._ports(service, pods)}  # fmt: skip


class Budgets(Controller):
    """Pod disruption budgets. Source: Kubernetes documentation, "Disruptions"."""

    group, name = "policy", "PodDisruptionBudget"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._pods = cluster.kind("Pod")

    def notice(self, change: Change) -> None:
        if change.kind.key == self.kind.key:
            self.enqueue(change.object)
        elif change.kind.key == self._pods.key:
            for budget in self.covering(change.object):
                self.enqueue(budget)

    def covering(self, pod: Object) -> list[Object]:
        """The budgets that a pod counts for."""
        return [
            budget
            for budget in self.store.all(self.kind, namespace_of(pod))
            if of_object(dig(budget, "spec", "selector"))(labels_of(pod))
        ]

    def reconcile(self, namespace: str, name: str) -> None:
        budget = self.store.find(self.kind, namespace, name)
        if budget is None:
            return
        matches = of_object(dig(budget, "spec", "selector"))
        pods = [
            pod
            for pod in self.store.all(self._pods, namespace)
            if matches(labels_of(pod)) and is_live(pod)
        ]
        expected, healthy = self._expected(pods), sum(map(is_ready, pods))
        spec = budget["spec"]
        if spec.get("maxUnavailable") is not None:
            desired = max(expected - share(spec["maxUnavailable"], expected, True), 0)
        else:
            least = spec.get("minAvailable")
            desired = share(1 if least is None else least, expected, True)
        allowed = max(healthy - desired, 0)
        status = dict(budget.get("status") or {})
        status.update(
            observedGeneration=budget["metadata"].get("generation", 1),
            currentHealthy=healthy,
            desiredHealthy=desired,
            disruptionsAllowed=allowed,
            expectedPods=expected,
            conditions=with_condition(
                status.get("conditions") or (), "DisruptionAllowed", allowed > 0,
                "SufficientPods" if allowed else "InsufficientPods", "", self.cluster.now(),
            ),
        )  # fmt: skip
        self.store.set_status(self.kind, budget, status)

    def _expected(self, pods: list[Object]) -> int:
        """How many there should be: what their owners want."""
        sizes: dict[str, int] = {}
        for pod in pods:
            owner = next(
                (
                    entry
                    for entry in pod["metadata"].get("ownerReferences") or ()
                    if entry.get("controller")
                ),
                None,
            )
            kind = (
                self.cluster.kinds.of_object(owner["apiVersion"], owner["kind"]) if owner else None
            )
            found = (
                self.store.find(kind, namespace_of(pod), owner["name"])
                if kind is not None and owner
                else None
            )
            if found is None:
                sizes[uid_of(pod)] = 1
            else:
                sizes[uid_of(found)] = int(dig(found, "spec", "replicas") or 0) or len(pods)
        return sum(sizes.values())
