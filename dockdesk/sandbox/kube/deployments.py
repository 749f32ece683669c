"""Deployments and their replica sets. Source: Kubernetes documentation, "Deployments" and "ReplicaSet"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.cluster import Cluster
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
    share,
    template_hash,
    with_condition,
)
from dockdesk.sandbox.kube.pods import PodMaker, count, first_to_go, is_live, same_template

REVISION = "deployment.kubernetes.io/revision"
_HISTORY = "deployment.kubernetes.io/revision-history"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MOST = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    _HISTORY,
    _DESIRED,
    _MOST,
}


class ReplicaSets(PodMaker):
    """Keeps as many pods as are wanted. ``bulk`` makes the missing ones where very many are made at once."""

    group, name = "apps", "ReplicaSet"
    component = "replicaset-controller"
    bulk: Callable[[Object, int], None] | None = None

    def reconcile(self, namespace: str, name: str) -> None:
        owner = self.store.find(self.kind, namespace, name)
        if owner is None:
            return
        pods = [pod for pod in self.owned_pods(owner) if is_live(pod)]
        wanted = int(owner["spec"].get("replicas") or 0)
        if self.bulk is not None and not pods and wanted:
            self.bulk(owner, wanted)
            pods = [pod for pod in self.owned_pods(owner) if is_live(pod)]
        if not owner["metadata"].get("deletionTimestamp"):
            for _ in range(wanted - len(pods)):
                made = self.make_pod(owner, owner["spec"]["template"])
                if made is None:
                    self.look_later(10.0, namespace, name)
                    break
                pods.append(made)
            if len(pods) > wanted:
                for pod in sorted(pods, key=first_to_go)[: len(pods) - wanted]:
                    self.delete_pod(owner, pod)
                pods = [pod for pod in self.owned_pods(owner) if is_live(pod)]
        counts = count(pods, float(owner["spec"].get("minReadySeconds") or 0), self.cluster.now())
        if counts.soon:
            self.look_later(counts.soon, namespace, name)
        status: dict[str, Any] = {
            "replicas": counts.total,
            "fullyLabeledReplicas": counts.total,
            "readyReplicas": counts.ready,
            "availableReplicas": counts.available,
            "observedGeneration": owner["metadata"].get("generation", 1),
        }
        self.store.set_status(
            self.kind,
            owner,
            {key: value for key, value in status.items() if value or key == "replicas"},
        )


def _size(item: Object) -> int:
    return int(item["spec"].get("replicas") or 0)


def _available(item: Object) -> int:
    return int(dig(item, "status", "availableReplicas") or 0)


def _revision(item: Object) -> int:
    text = (item["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if str(text).isdigit() else 0


class Deployments(PodMaker):
    group, name = "apps", "Deployment"
    component = "deployment-controller"

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster, admission)
        self._sets = cluster.kind("ReplicaSet", "apps")

    def reconcile(self, namespace: str, name: str) -> None:
        deployment = self.store.find(self.kind, namespace, name)
        if deployment is None:
            return
        sets = self.store.owned(deployment, self._sets)
        if deployment["metadata"].get("deletionTimestamp"):
            return
        paused = bool(deployment["spec"].get("paused"))
        new = next(
            (
                item
                for item in sorted(sets, key=_revision, reverse=True)
                if same_template(item["spec"]["template"], deployment["spec"]["template"])
            ),
            None,
        )
        if not paused:
            new = self._new_set(deployment, sets, new)
            deployment = self.store.get(self.kind, namespace, name).object
            sets = self.store.owned(deployment, self._sets)
        old = [item for item in sets if new is None or name_of(item) != name_of(new)]
        if paused or self._is_resized(deployment, sets):
            self._resize(deployment, new, old)
        elif dig(deployment, "spec", "strategy", "type") == "Recreate":
            self._recreate(deployment, new, old)
        elif new is not None:
            self._roll(deployment, new, old)
        sets = self.store.owned(deployment, self._sets)
        new = next(
            (item for item in sets if new is not None and name_of(item) == name_of(new)), None
        )
        self._tell_status(deployment, sets, new)
        self._forget_old(deployment, sets, new)

    # --- Revisions ---

    def _new_set(self, deployment: Object, sets: list[Object], new: Object | None) -> Object:
        """The replica set of the template as it is now, with the newest revision."""
        others = [item for item in sets if new is None or name_of(item) != name_of(new)]
        newest = max((_revision(item) for item in others), default=0) + 1
        if new is None:
            new = self._make_set(deployment, newest)
            if new is None:
                raise RuntimeError(f"no replica set for {name_of(deployment)}")
        elif _revision(new) < newest:
            annotations = dict(new["metadata"].get("annotations") or {})
            past = annotations.get(_HISTORY)
            annotations[_HISTORY] = f"{past},{_revision(new)}" if past else str(_revision(new))
            annotations[REVISION] = str(newest)
            new = self.store.set_meta(self._sets, new, annotations=annotations)
        for field in ("minReadySeconds",):
            if new["spec"].get(field) != deployment["spec"].get(field):
                spec = {key: value for key, value in new["spec"].items() if key != field}
                if field in deployment["spec"]:
                    spec[field] = deployment["spec"][field]
                new = self.store.replace(
                    self._sets, {**new, "metadata": dict(new["metadata"]), "spec": spec}
                )
        if (deployment["metadata"].get("annotations") or {}).get(REVISION) != str(_revision(new)):
            annotations = {
                **(deployment["metadata"].get("annotations") or {}),
                REVISION: str(_revision(new)),
            }
            self.store.set_meta(self.kind, deployment, annotations=annotations)
        return new

    def _make_set(self, deployment: Object, revision: int) -> Object | None:
        spec = deployment["spec"]
        template = clone(spec["template"])
        collisions = 0
        while True:
            mark = template_hash(spec["template"], collisions)
            name = f"{name_of(deployment)}-{mark}"
            if self.store.find(self._sets, namespace_of(deployment), name) is None:
                break
            collisions += 1
        labels = {**(dig(template, "metadata", "labels") or {}), "pod-template-hash": mark}
        template.setdefault("metadata", {})["labels"] = labels
        selector = clone(spec["selector"])
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), "pod-template-hash": mark}
        copied = {
            key: value
            for key, value in (deployment["metadata"].get("annotations") or {}).items()
            if key not in _NOT_COPIED
        }
        most = _size(deployment) + self._surge(deployment)
        made: Object = {
            "metadata": {
                "name": name,
                "namespace": namespace_of(deployment),
                "labels": labels,
                "annotations": {
                    **copied,
                    REVISION: str(revision),
                    _DESIRED: str(_size(deployment)),
                    _MOST: str(most),
                },
                "ownerReferences": owned_by(deployment),
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
        if spec.get("minReadySeconds"):
            made["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        return self.admission.create(self._sets, made)

    def _forget_old(self, deployment: Object, sets: list[Object], new: Object | None) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit")
        if limit is None or not self._is_complete(deployment, new):
            return
        idle = [
            item
            for item in sets
            if (new is None or name_of(item) != name_of(new))
            and not _size(item)
            and not dig(item, "status", "replicas")
        ]
        for item in sorted(idle, key=_revision)[: max(len(idle) - int(limit), 0)]:
            delete(self.cluster, self._sets, item)

    # --- Scaling ---

    def _surge(self, deployment: Object) -> int:
        rolling = dig(deployment, "spec", "strategy", "rollingUpdate")
        if rolling is None:
            return 0
        return self._limits(deployment)[0]

    @staticmethod
    def _limits(deployment: Object) -> tuple[int, int]:
        """maxSurge and maxUnavailable in pods; never both 0."""
        rolling = dig(deployment, "spec", "strategy", "rollingUpdate") or {}
        size = _size(deployment)
        surge = share(rolling.get("maxSurge", "25%"), size, True)
        down = share(rolling.get("maxUnavailable", "25%"), size, False)
        return surge, 1 if not surge and not down else down

    def _is_resized(self, deployment: Object, sets: list[Object]) -> bool:
        """Whether the count was changed since the replica sets were sized."""
        for item in sets:
            known = (item["metadata"].get("annotations") or {}).get(_DESIRED)
            if _size(item) and known is not None and known != str(_size(deployment)):
                return True
        return False

    def _resize(self, deployment: Object, new: Object | None, old: list[Object]) -> None:
        """A changed count: the one active replica set takes it, several share it in proportion."""
        active = [item for item in [*([new] if new else []), *old] if _size(item)]
        if not active:
            if new is not None and not deployment["spec"].get("paused"):
                self._set_size(deployment, new, _size(deployment))
            return
        if len(active) == 1:
            self._set_size(deployment, active[0], _size(deployment))
            return
        surge, _ = self._limits(deployment)
        total, allowed = (
            sum(map(_size, active)),
            _size(deployment) + surge if _size(deployment) else 0,
        )
        left = allowed - total
        for number, item in enumerate(sorted(active, key=_size, reverse=True)):
            part = (
                left
                if number == len(active) - 1
                else round(_size(item) * allowed / max(total, 1)) - _size(item)
            )
            part = max(min(part, left), 0) if left > 0 else min(max(part, left), 0)
            left -= part
            self._set_size(deployment, item, max(_size(item) + part, 0))

    def _recreate(self, deployment: Object, new: Object | None, old: list[Object]) -> None:
        for item in old:
            self._set_size(deployment, item, 0)
        if any(
            pod
            for item in old
            for pod in self.owned_pods(item)
            if dig(pod, "status", "phase") not in {"Succeeded", "Failed"}
        ):
            self.look_later(0.5, namespace_of(deployment), name_of(deployment))
            return
        if new is not None:
            self._set_size(deployment, new, _size(deployment))

    def _roll(self, deployment: Object, new: Object, old: list[Object]) -> None:
        wanted, (surge, down) = _size(deployment), self._limits(deployment)
        total = _size(new) + sum(map(_size, old))
        if _size(new) > wanted:
            self._set_size(deployment, new, wanted)
            return
        if _size(new) < wanted and total < wanted + surge:
            self._set_size(deployment, new, min(_size(new) + wanted + surge - total, wanted))
            return
        new_now = self.store.get(self._sets, namespace_of(new), name_of(new)).object
        unavailable_new = _size(new_now) - _available(new_now)
        room = total - (wanted - down) - unavailable_new
        for item in sorted(old, key=_revision):
            # What is not available anyway goes first.
            sick = min(max(_size(item) - _available(item), 0), max(room, 0))
            if sick:
                self._set_size(deployment, item, _size(item) - sick)
                room -= sick
        available = _available(new_now) + sum(map(_available, old))
        spare = available - (wanted - down)
        for item in sorted(old, key=_revision):
            item = self.store.get(self._sets, namespace_of(item), name_of(item)).object
            part = min(_size(item), max(spare, 0))
            if part:
                self._set_size(deployment, item, _size(item) - part)
                spare -= part

    def _set_size(self, deployment: Object, item: Object, size: int) -> None:
        item = self.store.get(self._sets, namespace_of(item), name_of(item)).object
        annotations = {
            **(item["metadata"].get("annotations") or {}),
            _DESIRED: str(_size(deployment)),
            _MOST: str(_size(deployment) + self._surge(deployment)),
        }
        before = _size(item)
        meta = {**item["metadata"], "annotations": annotations}
        if before == size:
            if annotations != item["metadata"].get("annotations"):
                self.store.replace(self._sets, {**item, "metadata": meta})
            return
        meta["generation"] = meta.get("generation", 1) + 1
        self.store.replace(
            self._sets, {**item, "metadata": meta, "spec": {**item["spec"], "replicas": size}}
        )
        word = "up" if size > before else "down"
        self.tell(
            deployment,
            "ScalingReplicaSet",
            f"Scaled {word} replica set {name_of(item)} from {before} to {size}",
        )

    # --- Status ---

    @staticmethod
    def _is_complete(deployment: Object, new: Object | None) -> bool:
        status, wanted = deployment.get("status") or {}, _size(deployment)
        return new is not None and all(
            int(status.get(key) or 0) == wanted
            for key in ("updatedReplicas", "replicas", "availableReplicas")
        )

    def _tell_status(self, deployment: Object, sets: list[Object], new: Object | None) -> None:
        def added(field: str) -> int:
            return sum(int(dig(item, "status", field) or 0) for item in sets)

        wanted, now = _size(deployment), self.cluster.now()
        available, total = added("availableReplicas"), added("replicas")
        updated = int(dig(new, "status", "replicas") or 0)
        _, down = self._limits(deployment)
        before = deployment.get("status") or {}
        status: dict[str, Any] = {
            "observedGeneration": deployment["metadata"].get("generation", 1),
            "replicas": total,
            "updatedReplicas": updated,
            "readyReplicas": added("readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(max(wanted, total) - available, 0),
        }
        status = {key: value for key, value in status.items() if value}
        conditions = list(before.get("conditions") or ())
        enough = available >= wanted - (
            down if dig(deployment, "spec", "strategy", "type") != "Recreate" else 0
        )
        conditions = with_condition(
            conditions, "Available", enough,
            "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            f"Deployment {'has' if enough else 'does not have'} minimum availability.", now, True,
        )  # fmt: skip
        shown = {**deployment, "status": {**status, "conditions": conditions}}
        status["conditions"] = self._progress(shown, before, new, conditions)
        self.store.set_status(self.kind, deployment, status)

    def _progress(
        self,
        deployment: Object,
        before: dict[str, Any],
        new: Object | None,
        conditions: list[Object],
    ) -> list[Object]:
        now, at = self.cluster.now(), (namespace_of(deployment), name_of(deployment))
        old = condition(deployment, "Progressing")
        if deployment["spec"].get("paused"):
            return with_condition(
                conditions,
                "Progressing",
                "Unknown",
                "DeploymentPaused",
                "Deployment is paused",
                now,
                True,
            )
        name = name_of(new) if new is not None else ""
        if self._is_complete(deployment, new):
            text = f'ReplicaSet "{name}" has successfully progressed.'
            return with_condition(
                conditions, "Progressing", True, "NewReplicaSetAvailable", text, now, True
            )
        status = deployment["status"]
        moved = any(
            int(status.get(key) or 0) > int(before.get(key) or 0)
            for key in ("updatedReplicas", "readyReplicas", "availableReplicas")
        ) or int(status.get("replicas") or 0) - int(status.get("updatedReplicas") or 0) < int(
            before.get("replicas") or 0
        ) - int(before.get("updatedReplicas") or 0)
        text = f'ReplicaSet "{name}" is progressing.'
        limit = float(deployment["spec"].get("progressDeadlineSeconds") or 600)
        if (
            moved
            or not old
            or old.get("reason") == "DeploymentPaused"
            or name not in str(old.get("message"))
        ):
            self.look_later(limit + 0.5, *at)
            fresh = [entry for entry in conditions if entry["type"] != "Progressing"]
            since = old.get("lastTransitionTime") if old.get("status") == "True" else None
            made = with_condition(fresh, "Progressing", True, "ReplicaSetUpdated", text, now, True)
            if since:
                made[-1]["lastTransitionTime"] = since
            return made
        if old.get("reason") == "NewReplicaSetAvailable":
            # It was done once; that some pods are missing now is no new rollout.
            return conditions
        if old.get("status") == "True" and now - seconds_of(old.get("lastUpdateTime")) >= limit:
            text = f'ReplicaSet "{name}" has timed out progressing.'
            return with_condition(
                conditions, "Progressing", False, "ProgressDeadlineExceeded", text, now, True
            )
        return conditions
