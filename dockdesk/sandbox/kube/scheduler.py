"""The scheduler: which node a pod goes to, and why none. Source: Kubernetes documentation, "Kubernetes Scheduler"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.objects import (
    Object,
    condition,
    dig,
    labels_of,
    name_of,
    namespace_of,
    quantity,
    uid_of,
    with_condition,
)
from dockdesk.sandbox.kube.selectors import of_object
from dockdesk.sandbox.kube.store import Change
from dockdesk.sandbox.world.traffic import unit

_DELAY = 0.2
_AGAIN = 5.0
_ENDED = {"Succeeded", "Failed"}


@dataclass(slots=True)
class Usage:
    """What the pods of a node have asked for."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: int = 0


def requests_of(spec: Mapping[str, Any]) -> tuple[float, float]:
    """Cores and bytes that a pod asks for."""
    cpu = memory = 0.0
    for container in spec.get("containers") or ():
        asked = (
            dig(container, "resources", "requests") or dig(container, "resources", "limits") or {}
        )
        cpu += quantity(asked.get("cpu", 0))
        memory += quantity(asked.get("memory", 0))
    return cpu, memory


def tolerates(tolerations: Any, taint: Mapping[str, Any]) -> bool:
    for entry in tolerations or ():
        if entry.get("effect") not in (None, "", taint.get("effect")):
            continue
        if not entry.get("key") and entry.get("operator") == "Exists":
            return True
        if entry.get("key") == taint.get("key") and (
            entry.get("operator") == "Exists" or entry.get("value", "") == taint.get("value", "")
        ):
            return True
    return False


def refusal(spec: Mapping[str, Any], node: Mapping[str, Any], ignored: tuple[str, ...] = ()) -> str:
    """Why a node is none for a pod, room aside; nothing where it is."""
    for taint in dig(node, "spec", "taints") or ():
        if taint.get("effect") == "PreferNoSchedule" or taint.get("key") in ignored:
            continue
        if not tolerates(spec.get("tolerations"), taint):
            if taint["key"] == "node.kubernetes.io/unschedulable":
                return "node(s) were unschedulable"
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    labels = labels_of(node)
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    required = dig(
        spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    terms = dig(required, "nodeSelectorTerms") or ()
    if terms and not any(_term_fits(term, node) for term in terms):
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def _term_fits(term: Mapping[str, Any], node: Mapping[str, Any]) -> bool:
    for field in term.get("matchFields") or ():
        if field.get("key") == "metadata.name" and name_of(node) not in (field.get("values") or ()):
            return False
    return of_object({"matchExpressions": term.get("matchExpressions") or ()})(labels_of(node))


class Scheduler(Controller):
    name = "Pod"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._nodes = cluster.kind("Node")
        self.usage: dict[str, Usage] = {}
        self._counted: dict[str, tuple[str, float, float]] = {}  # pod uid → node, cores, bytes
        self._waiting: dict[tuple[str, str], None] = {}
        self.instant = False
        self._last = ""

    def notice(self, change: Change) -> None:
        if change.kind.key == self._nodes.key:
            for namespace, name in self._waiting:
                self.look(namespace, name)
        if change.kind.key != self.kind.key:
            return
        pod = change.object
        self._count(pod, change.word == "DELETED")
        if change.word == "ADDED" and not dig(pod, "spec", "nodeName"):
            if self.instant:
                self.enqueue(pod)
            else:
                self.look_later(_DELAY, namespace_of(pod), name_of(pod))

    def _count(self, pod: Object, gone: bool) -> None:
        uid, node = uid_of(pod), dig(pod, "spec", "nodeName")
        ended = gone or dig(pod, "status", "phase") in _ENDED
        if ended and uid in self._counted:
            before, cpu, memory = self._counted.pop(uid)
            usage = self.usage[before]
            usage.cpu, usage.memory, usage.pods = (
                usage.cpu - cpu,
                usage.memory - memory,
                usage.pods - 1,
            )
        elif not ended and node and uid not in self._counted:
            cpu, memory = requests_of(pod["spec"])
            usage = self.usage.setdefault(node, Usage())
            usage.cpu, usage.memory, usage.pods = (
                usage.cpu + cpu,
                usage.memory + memory,
                usage.pods + 1,
            )
            self._counted[uid] = (node, cpu, memory)

    def reconcile(self, namespace: str, name: str) -> None:
        pod = self.store.find(self.kind, namespace, name)
        self._waiting.pop((namespace, name), None)
        if pod is None or dig(pod, "spec", "nodeName") or pod["metadata"].get("deletionTimestamp"):
            return
        chosen, why = self._choose(pod)
        if chosen:
            self._bind(pod, chosen)
            return
        self._waiting[namespace, name] = None
        before = condition(pod, "PodScheduled")
        if before.get("message") != why:
            self.cluster.tell(pod, "FailedScheduling", why, "default-scheduler", warning=True)
            status = dict(pod["status"])
            status["conditions"] = with_condition(
                status.get("conditions") or (),
                "PodScheduled",
                False,
                "Unschedulable",
                why,
                self.cluster.now(),
            )
            self.store.set_status(self.kind, pod, status)
        self.look_later(_AGAIN, namespace, name)

    def _choose(self, pod: Object) -> tuple[str, str]:
        """The node, or why there is none."""
        spec = pod["spec"]
        cpu, memory = requests_of(spec)
        reasons: Counter[str] = Counter()
        best, best_score = "", (float("inf"), 0.0)
        total = 0
        for node in self._in_order():
            total += 1
            why = refusal(spec, node) or self._no_room(node, cpu, memory)
            if why:
                reasons[why] += 1
                continue
            if self.instant:
                self._last = name_of(node)
                return self._last, ""
            usage = self.usage.get(name_of(node)) or Usage()
            load = usage.pods + usage.cpu * 2
            score = (load, unit(self.cluster.seed, uid_of(pod), name_of(node)))
            if score < best_score:
                best, best_score = name_of(node), score
        if best:
            return best, ""
        listed = ", ".join(f"{count} {why}" for why, count in sorted(reasons.items()))
        return (
            "",
            f"0/{total} nodes are available: {listed or 'no nodes available to schedule pods'}.",
        )

    def _in_order(self) -> list[Object]:
        """The nodes; in turns while the past is made, where the first that fits will do."""
        nodes = list(self.store.all(self._nodes))
        if not self.instant:
            return nodes
        at = next((n + 1 for n, node in enumerate(nodes) if name_of(node) == self._last), 0)
        return [*nodes[at:], *nodes[:at]]

    def places(self, spec: Mapping[str, Any], count: int) -> Iterator[str]:
        """Nodes for ``count`` pods at once, in turns; they are counted as the pods are written."""
        cpu, memory = requests_of(spec)
        nodes = [node for node in self.store.all(self._nodes) if not refusal(spec, node)]
        at = next((n + 1 for n, node in enumerate(nodes) if name_of(node) == self._last), 0)
        nodes = [*nodes[at:], *nodes[:at]]
        for _ in range(count):
            found = next((node for node in nodes if not self._no_room(node, cpu, memory)), None)
            if found is None:
                return
            nodes.remove(found)
            nodes.append(found)
            self._last = name_of(found)
            yield self._last

    def _no_room(self, node: Object, cpu: float, memory: float) -> str:
        usage = self.usage.get(name_of(node)) or Usage()
        room = dig(node, "status", "allocatable") or {}
        if usage.pods >= int(room.get("pods", 110)):
            return "Too many pods"
        if cpu and usage.cpu + cpu > quantity(room.get("cpu", 1)) + 1e-9:
            return "Insufficient cpu"
        if memory and usage.memory + memory > quantity(room.get("memory", 1)):
            return "Insufficient memory"
        return ""

    def _bind(self, pod: Object, node: str) -> None:
        if not self.instant:
            text = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}"
            self.cluster.tell(pod, "Scheduled", text, "default-scheduler")
        status = dict(pod["status"])
        status["conditions"] = with_condition(
            status.get("conditions") or (), "PodScheduled", True, "", "", self.cluster.now()
        )
        bound = {
            **pod,
            "metadata": dict(pod["metadata"]),
            "spec": {**pod["spec"], "nodeName": node},
            "status": status,
        }
        self.store.replace(self.kind, bound)
