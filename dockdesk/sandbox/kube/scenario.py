"""What the world's scenarios do to the cluster."""

from __future__ import annotations

from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.kubelet import Kubelet
from dockdesk.sandbox.kube.load import Load, Strain, workload_of
from dockdesk.sandbox.kube.nodes import Nodes
from dockdesk.sandbox.kube.objects import Object, clone, dig, labels_of, name_of
from dockdesk.sandbox.world.scenarios import Conditions

_LEAKING = ("shop", "media")
_DEPLOYED = ("shop", "checkout")
_GOOD_IMAGE, _BAD_IMAGE = "acme/checkout:2.1.5", "acme/checkout:2.2.0-broken"
_DEAD_ZONE = "eu-central-1b"


class Story:
    """Plays conditions: traffic, a leak, a bad deploy, a noisy neighbour, a zone that is gone."""

    def __init__(self, cluster: Cluster, load: Load, kubelet: Kubelet, nodes: Nodes) -> None:
        self._cluster = cluster
        self._load = load
        self._kubelet = kubelet
        self._nodes = nodes
        self._traffic = 1.0
        self._broken = False

    def play(self, conditions: Conditions) -> None:
        """Live under these conditions from now on; what the last ones broke is mended."""
        if conditions.traffic != 1.0 or self._traffic != 1.0:
            self._traffic = conditions.traffic
            self._load.spike(conditions.traffic)
        self._leak(conditions.leak)
        self._deploy(conditions.bad_deploy)
        self._neighbour(conditions.noisy)
        self._zone(conditions.zone_down)

    def _leak(self, rate: float) -> None:
        if rate:
            self._load.strains[_LEAKING] = Strain(rate, self._cluster.now())
        elif self._load.strains.pop(_LEAKING, None) is None:
            return
        kind = self._cluster.kind("Pod")
        for pod in list(self._cluster.store.all(kind, _LEAKING[0])):
            if workload_of(pod) == _LEAKING:
                self._kubelet.reconsider(pod)

    def _deploy(self, bad: bool) -> None:
        """Roll a release out that never gets ready, and back."""
        if not bad and not self._broken:
            return
        self._broken = bad
        kind = self._cluster.kind("Deployment", "apps")
        found = self._cluster.store.find(kind, *_DEPLOYED)
        if found is None:
            return
        item: Object = clone(found)
        container = item["spec"]["template"]["spec"]["containers"][0]
        if container["image"] == _BAD_IMAGE if bad else container["image"] != _BAD_IMAGE:
            return  # it is so already, or somebody has mended it
        container["image"] = _BAD_IMAGE if bad else _GOOD_IMAGE
        item["metadata"]["generation"] += 1
        self._cluster.store.replace(kind, item)

    def _neighbour(self, share: float) -> None:
        self._load.slow_nodes.clear()
        if share:
            first = next(self._cluster.store.all(self._nodes.kind), None)
            if first is not None:
                self._load.slow_nodes[name_of(first)] = share

    def _zone(self, down: bool) -> None:
        for node in list(self._cluster.store.all(self._nodes.kind)):
            name = name_of(node)
            if (
                down
                and labels_of(node).get("topology.kubernetes.io/zone") == _DEAD_ZONE
                and name not in self._kubelet.down
            ):
                self._kubelet.down.add(name)
                self._nodes.set_reachable(name, False)
            elif not down and name in self._kubelet.down:
                self._kubelet.down.discard(name)
                self._nodes.set_reachable(name, True)
                kind = self._cluster.kind("Pod")
                for pod in list(self._cluster.store.all(kind)):
                    if dig(pod, "spec", "nodeName") == name:
                        self._kubelet.enqueue(pod)
