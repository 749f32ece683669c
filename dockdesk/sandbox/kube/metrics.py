"""metrics.k8s.io: what pods and nodes use. Source: kubernetes/metrics v1beta1; metrics-server's resolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.http import Request, Response, Router, json_response
from dockdesk.sandbox.kube.access import Access, forbidden
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.kubelet import Kubelet
from dockdesk.sandbox.kube.listing import Lister, selection_of
from dockdesk.sandbox.kube.load import Load
from dockdesk.sandbox.kube.objects import (
    Object,
    dig,
    labels_of,
    name_of,
    namespace_of,
    rfc3339,
    uid_of,
)
from dockdesk.sandbox.kube.status import not_found

RESOLUTION = 15.0
_NODE_CPU, _NODE_MEMORY = 0.06, 620 << 20  # what a node's own services use


class Metrics:
    """Usage of containers, from the load on them."""

    def __init__(self, cluster: Cluster, kubelet: Kubelet, load: Load) -> None:
        self._cluster = cluster
        self._kubelet = kubelet
        self._load = load

    def sampled(self) -> float:
        """When the newest sample was taken."""
        return self._cluster.now() // RESOLUTION * RESOLUTION

    def usage(self, pod: Mapping[str, Any]) -> dict[str, dict[str, float]] | None:
        """Container → its cores and bytes; None where there is no sample of the pod yet."""
        life = self._kubelet.lives.get(uid_of(pod))
        at = self.sampled()
        found: dict[str, dict[str, float]] = {}
        for item in life.containers if life else ():
            run = item.last
            if (
                item.init
                or not item.running
                or run is None
                or run.started > at
                or item.behaviour is None
            ):
                continue
            program = item.behaviour.program
            found[item.name] = {
                "cpu": self._load.cores(pod, item.spec, program, at),
                "memory": self._load.memory(pod, item.spec, program, run.started, at),
            }
        return found or None

    def pod(self, pod: Object) -> Object | None:
        usage = self.usage(pod)
        if usage is None:
            return None
        return {
            "kind": "PodMetrics",
            "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": _meta(pod, self._cluster.now()),
            "timestamp": rfc3339(self.sampled()),
            "window": "15s",
            "containers": [
                {
                    "name": name,
                    "usage": {
                        "cpu": f"{round(values['cpu'] * 1e9)}n",
                        "memory": f"{round(values['memory'] / 1024)}Ki",
                    },
                }
                for name, values in usage.items()
            ],
        }

    def nodes(self, nodes: list[Object], pods: list[Object]) -> list[Object]:
        used: dict[str, list[float]] = {}
        for pod in pods:
            total = used.setdefault(str(dig(pod, "spec", "nodeName")), [0.0, 0.0])
            for values in (self.usage(pod) or {}).values():
                total[0] += values["cpu"]
                total[1] += values["memory"]
        found = []
        for node in nodes:
            if name_of(node) in self._kubelet.down:
                continue
            cpu, memory = used.get(name_of(node), [0.0, 0.0])
            cpu += _NODE_CPU + self._load.slow_nodes.get(name_of(node), 0.0) * 2
            usage = {
                "cpu": f"{round(cpu * 1e9)}n",
                "memory": f"{round((memory + _NODE_MEMORY) / 1024)}Ki",
            }
            found.append(
                {
                    "kind": "NodeMetrics",
                    "apiVersion": "metrics.k8s.io/v1beta1",
                    "metadata": _meta(node, self._cluster.now()),
                    "timestamp": rfc3339(self.sampled()),
                    "window": "20s",
                    "usage": usage,
                }
            )
        return found


def _meta(item: Object, now: float) -> dict[str, Any]:
    meta = {"name": name_of(item), "creationTimestamp": rfc3339(now)}
    if namespace_of(item):
        meta["namespace"] = namespace_of(item)
    return {**meta, "labels": dict(labels_of(item))}


class MetricsApi:
    def __init__(self, cluster: Cluster, access: Access, metrics: Metrics, lister: Lister) -> None:
        self._cluster = cluster
        self._access = access
        self._metrics = metrics
        self._lister = lister
        self._pods, self._nodes = cluster.kind("Pod"), cluster.kind("Node")

    def add_to(self, router: Router) -> None:
        base = "/apis/metrics.k8s.io/v1beta1"
        router.add("GET", f"{base}/nodes", self._all_nodes)
        router.add("GET", f"{base}/nodes/{{name}}", self._one_node)
        router.add("GET", f"{base}/pods", self._all_pods)
        router.add("GET", f"{base}/namespaces/{{namespace}}/pods", self._all_pods)
        router.add("GET", f"{base}/namespaces/{{namespace}}/pods/{{name}}", self._one_pod)

    def _allow(self, verb: str, resource: str, request: Request) -> None:
        user = self._access.user_of(request)
        namespace = request.params.get("namespace", "")
        if not user.may(verb, "metrics.k8s.io", resource, namespace):
            raise forbidden(
                user, verb, "metrics.k8s.io", resource, namespace, request.params.get("name", "")
            )

    def _select(self, kind: Kind, request: Request) -> list[Object]:
        selection = selection_of(kind, request.params.get("namespace", ""), request)
        return [stored.object for stored in self._lister.select(kind, selection)]

    def _list(self, kind: str, items: list[Object]) -> Response:
        head = {"kind": f"{kind}List", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}}
        return json_response({**head, "items": items})

    async def _all_pods(self, request: Request) -> Response:
        self._allow("list", "pods", request)
        found = (self._metrics.pod(pod) for pod in self._select(self._pods, request))
        return self._list("PodMetrics", [item for item in found if item is not None])

    async def _one_pod(self, request: Request) -> Response:
        self._allow("get", "pods", request)
        name = request.params["name"]
        pod = self._cluster.store.find(self._pods, request.params["namespace"], name)
        found = self._metrics.pod(pod) if pod is not None else None
        if found is None:
            raise not_found("pods", "metrics.k8s.io", f"{request.params['namespace']}/{name}")
        return json_response(found)

    async def _all_nodes(self, request: Request) -> Response:
        self._allow("list", "nodes", request)
        pods = list(self._cluster.store.all(self._pods))
        return self._list(
            "NodeMetrics", self._metrics.nodes(self._select(self._nodes, request), pods)
        )

    async def _one_node(self, request: Request) -> Response:
        self._allow("get", "nodes", request)
        node = self._cluster.store.find(self._nodes, "", request.params["name"])
        pods = [
            pod
            for pod in self._cluster.store.all(self._pods)
            if dig(pod, "spec", "nodeName") == request.params["name"]
        ]
        found = self._metrics.nodes([node], pods) if node is not None else []
        if not found:
            raise not_found("nodes", "metrics.k8s.io", request.params["name"])
        return json_response(found[0])
