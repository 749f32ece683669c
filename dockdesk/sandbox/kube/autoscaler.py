"""The horizontal pod autoscaler, v2. Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.metrics import Metrics
from dockdesk.sandbox.kube.objects import (
    Object,
    dig,
    labels_of,
    millis,
    name_of,
    namespace_of,
    quantity,
    rfc3339,
    uid_of,
    with_condition,
)
from dockdesk.sandbox.kube.pods import is_live, is_ready
from dockdesk.sandbox.kube.selectors import of_object
from dockdesk.sandbox.kube.store import Change

SYNC_SECONDS = 15.0
TOLERANCE = 0.1
MEASURED = {"cpu", "memory"}
_DOWN_WINDOW = 300.0
_UP_POLICIES = (
    {"type": "Percent", "value": 100, "periodSeconds": 15},
    {"type": "Pods", "value": 4, "periodSeconds": 15},
)
_DOWN_POLICIES = ({"type": "Percent", "value": 100, "periodSeconds": 15},)
_COMPONENT = "horizontal-pod-autoscaler"


@dataclass(slots=True)
class Memory:
    """What an autoscaler remembers: (time, recommendation) and (time, change of replicas)."""

    recommended: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=500))
    changes: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=500))


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric: the replicas it asks for, and how its current value is told. ``problem`` where it can't be read."""

    wanted: int
    current: Mapping[str, Any] | None
    problem: tuple[str, str] | None = None
    what: str = ""


class Autoscaler(Controller):
    group, name = "autoscaling", "HorizontalPodAutoscaler"

    def __init__(self, cluster: Cluster, metrics: Metrics) -> None:
        super().__init__(cluster)
        self._metrics = metrics
        self._pods = cluster.kind("Pod")
        self._memory: dict[str, Memory] = {}

    def notice(self, change: Change) -> None:
        """It acts every fifteen seconds; only a new or changed spec is looked at before."""
        if change.kind.key != self.kind.key:
            return
        if change.word == "DELETED":
            self._memory.pop(uid_of(change.object), None)
        elif change.old is None or change.old.object.get("spec") != change.object.get("spec"):
            self.enqueue(change.object)

    def start(self) -> None:
        self.cluster.later(SYNC_SECONDS, self._sync)

    def _sync(self) -> None:
        for item in self.store.all(self.kind):
            self.enqueue(item)
        self.cluster.later(SYNC_SECONDS, self._sync)

    def reconcile(self, namespace: str, name: str) -> None:
        item = self.store.find(self.kind, namespace, name)
        if item is None:
            return
        now = self.cluster.now()
        reference = item["spec"]["scaleTargetRef"]
        kind = self.cluster.kinds.of_object(
            str(reference.get("apiVersion", "apps/v1")), str(reference["kind"])
        )
        target = (
            self.store.find(kind, namespace, str(reference["name"]))
            if kind is not None and kind.scale
            else None
        )
        status: dict[str, Any] = dict(item.get("status") or {})
        if kind is None or target is None:
            text = f'the HPA controller was unable to get the target\'s current scale: {str(reference["kind"]).lower()}s.apps "{reference["name"]}" not found'
            self._condition(status, "AbleToScale", False, "FailedGetScale", text)
            self._tell(item, "FailedGetScale", text, True)
            self.store.set_status(self.kind, item, status)
            return
        self._condition(
            status,
            "AbleToScale",
            True,
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        )
        current = int(target["spec"].get("replicas") or 0)
        status["currentReplicas"] = int(dig(target, "status", "replicas") or 0)
        wanted = current
        if current == 0 and int(item["spec"].get("minReplicas") or 1) > 0:
            self._condition(
                status,
                "ScalingActive",
                False,
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero",
            )
        else:
            wanted = self._decide(item, target, current, status, now)
        status["desiredReplicas"] = wanted
        if wanted != current:
            self._scale(item, kind, target, current, wanted, status, now)
        self.store.set_status(self.kind, item, status)

    def _decide(
        self, item: Object, target: Object, current: int, status: dict[str, Any], now: float
    ) -> int:
        """Replicas that are wanted, after limits, stabilisation and policies."""
        spec = item["spec"]
        pods = self._pods_of(target)
        readings = [self._read(metric, pods, current) for metric in spec.get("metrics") or ()]
        status["currentMetrics"] = [
            dict(reading.current) for reading in readings if reading.current is not None
        ]
        good = [reading for reading in readings if reading.problem is None]
        bad = next((reading.problem for reading in readings if reading.problem is not None), None)
        if bad is not None and (not good or max(one.wanted for one in good) < current):
            self._condition(status, "ScalingActive", False, *bad)
            self._tell(item, bad[0], bad[1], True)
            return current
        best = max(good, key=lambda one: one.wanted)
        self._condition(
            status,
            "ScalingActive",
            True,
            "ValidMetricFound",
            f"the HPA was able to successfully calculate a replica count from {best.what}",
        )
        memory = self._memory.setdefault(uid_of(item), Memory())
        least, most = int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])
        return self._limited(status, spec, memory, current, best.wanted, least, most, now)

    def _pods_of(self, target: Object) -> list[Object]:
        matches = of_object(dig(target, "spec", "selector"))
        return [
            pod
            for pod in self.store.all(self._pods, namespace_of(target))
            if is_live(pod) and matches(labels_of(pod))
        ]

    # --- Metrics ---

    def _read(self, metric: Mapping[str, Any], pods: list[Object], current: int) -> Reading:
        kind = str(metric.get("type"))
        if kind not in {"Resource", "ContainerResource"}:
            name = dig(metric, kind[:1].lower() + kind[1:], "metric", "name")
            text = f"the HPA was unable to compute the replica count: unable to get metric {name}: no custom metrics API (custom.metrics.k8s.io) registered"
            return Reading(current, None, (f"FailedGet{kind}Metric", text))
        part = "resource" if kind == "Resource" else "containerResource"
        source = metric.get(part) or {}
        name, container = str(source.get("name")), str(source.get("container", ""))
        target = source.get("target") or {}
        used: dict[str, float] = {}
        asked: dict[str, float] = {}
        for pod in pods:
            usage = self._metrics.usage(pod) if name in MEASURED else None
            if usage is not None and is_ready(pod):
                used[uid_of(pod)] = sum(
                    values[name] for at, values in usage.items() if not container or at == container
                )
            requests = [
                dig(one, "resources", "requests", name) or dig(one, "resources", "limits", name)
                for one in pod["spec"]["containers"]
                if not container or one["name"] == container
            ]
            if any(amount is None for amount in requests) and "averageUtilization" in target:
                text = f"the HPA was unable to compute the replica count: failed to get {name} utilization: missing request for {name} in container {pod['spec']['containers'][0]['name']} of Pod {name_of(pod)}"
                return Reading(current, None, ("FailedGetResourceMetric", text))
            asked[uid_of(pod)] = sum(quantity(amount) for amount in requests if amount is not None)
        if not used:
            text = f"the HPA was unable to compute the replica count: failed to get {name} utilization: unable to get metrics for resource {name}: no metrics returned from resource metrics API"
            return Reading(current, None, ("FailedGetResourceMetric", text))
        return self._replicas(metric, part, name, target, used, asked, current)

    def _replicas(
        self,
        metric: Mapping[str, Any],
        part: str,
        name: str,
        target: Mapping[str, Any],
        used: Mapping[str, float],
        asked: Mapping[str, float],
        current: int,
    ) -> Reading:
        """The ratio of what is used to what is aimed at, over the pods; what is unknown is taken so that it dampens."""
        mean = sum(used.values()) / len(used)
        value: dict[str, Any] = {"averageValue": _amount(name, mean)}
        if "averageUtilization" in target:
            basis = sum(asked[uid] for uid in used)
            percent = sum(used.values()) / basis * 100 if basis else 0.0
            value["averageUtilization"] = int(percent)
            aim = float(target["averageUtilization"]) / 100
            ratio = percent / 100 / aim  # which is checked not to be 0
            expected = {uid: asked[uid] * aim for uid in asked}
            what = f"{name} resource utilization (percentage of request)"
        else:
            aim = quantity(target.get("averageValue", 1))
            ratio = mean / aim if aim else 1.0
            expected = dict.fromkeys(asked, aim)
            what = f"{name} resource"
        told = {"type": metric["type"], part: {"name": name, "current": value}}
        if part == "containerResource":
            told[part]["container"] = metric[part].get("container")
        missing = [uid for uid in asked if uid not in used]
        if abs(ratio - 1) <= TOLERANCE:
            return Reading(current, told, None, what)
        if missing:
            # Missing pods would use nothing where more are wanted, and all they should where fewer are.
            total = sum(used.values()) + (
                sum(expected[uid] for uid in missing) if ratio < 1 else 0.0
            )
            goal = sum(expected.values())
            damped = total / goal if goal else 1.0
            if abs(damped - 1) <= TOLERANCE or (damped > 1) != (ratio > 1):
                return Reading(current, told, None, what)
            wanted = math.ceil(damped * len(asked))
            wanted = max(wanted, current) if damped > 1 else min(wanted, current)
            return Reading(wanted, told, None, what)
        return Reading(math.ceil(ratio * len(used)), told, None, what)

    # --- Behaviour ---

    def _limited(
        self,
        status: dict[str, Any],
        spec: Mapping[str, Any],
        memory: Memory,
        current: int,
        raw: int,
        least: int,
        most: int,
        now: float,
    ) -> int:
        up, down = dig(spec, "behavior", "scaleUp") or {}, dig(spec, "behavior", "scaleDown") or {}
        up_window = float(up.get("stabilizationWindowSeconds") or 0)
        window = down.get("stabilizationWindowSeconds")
        down_window = _DOWN_WINDOW if window is None else float(window)
        memory.recommended.append((now, raw))
        lowest = min(value for at, value in memory.recommended if at >= now - up_window)
        highest = max(value for at, value in memory.recommended if at >= now - down_window)
        wanted = min(max(current, lowest), highest) if lowest <= highest else current
        if wanted != raw:
            self._condition(
                status,
                "AbleToScale",
                True,
                "ScaleDownStabilized" if wanted > raw else "ScaleUpStabilized",
                f"recent recommendations were {'higher' if wanted > raw else 'lower'} than current one, applying the {'highest' if wanted > raw else 'lowest'} recent recommendation",
            )
        else:
            self._condition(
                status,
                "AbleToScale",
                True,
                "ReadyForNewScale",
                "recommended size matches current size",
            )
        limited = wanted
        if wanted > current:
            limited = min(wanted, self._allowed(up, _UP_POLICIES, memory, current, now, True))
        elif wanted < current:
            limited = max(wanted, self._allowed(down, _DOWN_POLICIES, memory, current, now, False))
        bounded = min(max(limited, least), most)
        if bounded < limited or (bounded == most and wanted > most):
            self._condition(
                status,
                "ScalingLimited",
                True,
                "TooManyReplicas",
                "the desired replica count is more than the maximum replica count",
            )
        elif bounded > limited:
            self._condition(
                status,
                "ScalingLimited",
                True,
                "TooFewReplicas",
                "the desired replica count is less than the minimum replica count",
            )
        elif limited != wanted:
            reason, rate = (
                ("ScaleUpLimit", "increasing faster than the maximum scale rate")
                if wanted > current
                else ("ScaleDownLimit", "decreasing faster than the maximum scale rate")
            )
            self._condition(
                status, "ScalingLimited", True, reason, f"the desired replica count is {rate}"
            )
        else:
            self._condition(
                status,
                "ScalingLimited",
                False,
                "DesiredWithinRange",
                "the desired count is within the acceptable range",
            )
        return bounded

    @staticmethod
    def _allowed(
        rules: Mapping[str, Any], usual: Any, memory: Memory, current: int, now: float, up: bool
    ) -> int:
        """How far the policies let it go from here."""
        select = rules.get("selectPolicy") or "Max"
        if select == "Disabled":
            return current
        limits = []
        for policy in rules.get("policies") or usual:
            period = float(policy["periodSeconds"])
            moved = sum(
                change for at, change in memory.changes if at > now - period and (change > 0) == up
            )
            start = current - moved
            value = int(policy["value"])
            if policy["type"] == "Pods":
                limits.append(start + value if up else start - value)
            else:
                limits.append(
                    math.ceil(start * (1 + value / 100)) if up else int(start * (1 - value / 100))
                )
        if up:
            return max(max(limits) if select == "Max" else min(limits), current)
        return min(min(limits) if select == "Max" else max(limits), current)

    def _scale(
        self,
        item: Object,
        kind: Kind,
        target: Object,
        current: int,
        wanted: int,
        status: dict[str, Any],
        now: float,
    ) -> None:
        meta = dict(target["metadata"])
        meta["generation"] = meta.get("generation", 1) + 1
        self.store.replace(
            kind, {**target, "metadata": meta, "spec": {**target["spec"], "replicas": wanted}}
        )
        self._memory.setdefault(uid_of(item), Memory()).changes.append((now, wanted - current))
        status["lastScaleTime"] = rfc3339(now)
        values = dig(status, "currentMetrics", 0, "resource") or {}
        word = "above" if wanted > current else "below"
        reason = (
            f"{values.get('name', 'cpu')} resource utilization (percentage of request) {word} target"
            if wanted > current
            else "All metrics below target"
        )
        self._condition(
            status,
            "AbleToScale",
            True,
            "SucceededRescale",
            f"the HPA controller was able to update the target scale to {wanted}",
        )
        self._tell(item, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")

    def _condition(
        self, status: dict[str, Any], kind: str, state: bool, reason: str, message: str
    ) -> None:
        status["conditions"] = with_condition(
            status.get("conditions") or (), kind, state, reason, message, self.cluster.now()
        )

    def _tell(self, item: Object, reason: str, message: str, warning: bool = False) -> None:
        self.cluster.tell(item, reason, message, _COMPONENT, warning)


def _amount(name: str, value: float) -> str:
    return millis(value) if name == "cpu" else str(round(value))
