"""Controllers that keep house: garbage, namespaces, and custom resources."""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.kube.admission import Admission
from dockdesk.sandbox.kube.cluster import Cluster, Controller
from dockdesk.sandbox.kube.deleting import FOREGROUND, ORPHAN, Options, delete, finalized
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import (
    Object,
    condition,
    dig,
    name_of,
    namespace_of,
    uid_of,
    with_condition,
)
from dockdesk.sandbox.kube.store import Change, Store


class Garbage:
    """Owners and what they own. Source: Kubernetes documentation, "Garbage Collection"."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store: Store = cluster.store
        cluster.store.observers.append(self._notice)

    def _notice(self, change: Change) -> None:
        item, uid = change.object, uid_of(change.object)
        if change.word == "DELETED":
            if self._store.dependents(uid):
                self._cluster.later(0.0, lambda: self._collect(uid))
            for owner in item["metadata"].get("ownerReferences") or ():
                self._wake_owner(str(owner.get("uid", "")), owner, namespace_of(item))
        elif item["metadata"].get("deletionTimestamp") and item["metadata"].get("finalizers"):
            kind = change.kind
            self._cluster.later(0.0, lambda: self._finish(kind, namespace_of(item), name_of(item)))

    def _wake_owner(self, uid: str, owner: dict[str, Any], namespace: str) -> None:
        kind = self._cluster.kinds.of_object(
            str(owner.get("apiVersion", "")), str(owner.get("kind", ""))
        )
        if kind is None:
            return
        found = self._store.find(
            kind, namespace if kind.namespaced else "", str(owner.get("name", ""))
        )
        if (
            found is not None
            and uid_of(found) == uid
            and found["metadata"].get("deletionTimestamp")
        ):
            self._cluster.later(
                0.0, lambda: self._finish(kind, namespace_of(found), name_of(found))
            )

    def _collect(self, uid: str) -> None:
        """An owner is gone: so goes what nobody else owns."""
        for kind, item in self._store.dependents(uid):
            left = [
                owner
                for owner in item["metadata"]["ownerReferences"]
                if owner.get("uid") != uid and self._exists(owner, item)
            ]
            if left:
                self._store.set_meta(kind, item, ownerReferences=left)
            else:
                delete(self._cluster, kind, item, Options())

    def _exists(self, owner: dict[str, Any], item: Object) -> bool:
        kind = self._cluster.kinds.of_object(
            str(owner.get("apiVersion", "")), str(owner.get("kind", ""))
        )
        if kind is None:
            return False
        found = self._store.find(
            kind, namespace_of(item) if kind.namespaced else "", str(owner.get("name", ""))
        )
        return found is not None and uid_of(found) == owner.get("uid")

    def _finish(self, kind: Kind, namespace: str, name: str) -> None:
        """What the finalizers orphan and foregroundDeletion ask for."""
        item = self._store.find(kind, namespace, name)
        if item is None or not item["metadata"].get("deletionTimestamp"):
            return
        finalizers = list(item["metadata"].get("finalizers") or ())
        if ORPHAN in finalizers:
            for below, dependent in self._store.dependents(uid_of(item)):
                left = [
                    owner
                    for owner in dependent["metadata"]["ownerReferences"]
                    if owner.get("uid") != uid_of(item)
                ]
                self._store.set_meta(below, dependent, ownerReferences=left or None)
            finalizers.remove(ORPHAN)
        if FOREGROUND in finalizers:
            left_over = self._store.dependents(uid_of(item))
            for below, dependent in left_over:
                if not dependent["metadata"].get("deletionTimestamp"):
                    delete(self._cluster, below, dependent, Options(propagation="Foreground"))
            if not self._store.dependents(uid_of(item)):
                finalizers.remove(FOREGROUND)
        if finalizers != (item["metadata"].get("finalizers") or []):
            finalized(
                self._cluster, kind, self._store.set_meta(kind, item, finalizers=finalizers or None)
            )


class Namespaces(Controller):
    name = "Namespace"

    def __init__(self, cluster: Cluster, admission: Admission) -> None:
        super().__init__(cluster)
        self._admission = admission

    def reconcile(self, namespace: str, name: str) -> None:
        item = self.store.find(self.kind, "", name)
        if item is None:
            return
        if not item["metadata"].get("deletionTimestamp"):
            self._furnish(name)
            return
        left = 0
        for kind in list(self.cluster.kinds):
            if not kind.namespaced:
                continue
            for found in list(self.store.all(kind, name)):
                if delete(self.cluster, kind, found, Options(propagation="Background")) is not None:
                    left += 1
        if left or item["metadata"].get("finalizers"):
            self.look_later(0.5, namespace, name)
            return
        self.store.drop(self.kind, "", name)

    def _furnish(self, name: str) -> None:
        """What every namespace has."""
        for kind_name, given, more in (
            ("ServiceAccount", "default", {}),
            (
                "ConfigMap",
                "kube-root-ca.crt",
                {"data": {"ca.crt": "a simulation: there is no certificate\n"}},
            ),
        ):
            kind = self.cluster.kind(kind_name)
            if self.store.find(kind, name, given) is None:
                self._admission.create(
                    kind, {"metadata": {"name": given, "namespace": name}, **more}
                )


class CustomResources(Controller):
    """Serves what CustomResourceDefinitions define."""

    group, name = "apiextensions.k8s.io", "CustomResourceDefinition"

    def notice(self, change: Change) -> None:
        if change.kind.key != self.kind.key:
            return
        spec = change.object.get("spec") or {}
        group, plural = str(spec.get("group")), str(dig(spec, "names", "plural"))
        if change.word == "DELETED":
            for kind in [
                kind
                for kind in self.cluster.kinds
                if kind.key == (group, plural) and kind.custom is not None
            ]:
                self.store.remove_shelf(kind)
            self.cluster.kinds.remove(group, plural)
            return
        for version in spec.get("versions") or ():
            if version.get("served"):
                self.cluster.kinds.add(self._kind(spec, version))
        self.enqueue(change.object)

    @staticmethod
    def _kind(spec: dict[str, Any], version: dict[str, Any]) -> Kind:
        names, parts = spec["names"], version.get("subresources") or {}
        return Kind(
            spec["group"], version["name"], names["kind"], names["plural"], spec.get("scope") == "Namespaced",
            tuple(names.get("shortNames") or ()), "status" in parts, "scale" in parts, tuple(names.get("categories") or ()),
            custom=version,
        )  # fmt: skip

    def reconcile(self, namespace: str, name: str) -> None:
        item = self.store.find(self.kind, namespace, name)
        if item is None or condition(item, "Established"):
            return
        now, names = self.cluster.now(), item["spec"]["names"]
        conditions = with_condition(
            (), "NamesAccepted", True, "NoConflicts", "no conflicts found", now
        )
        conditions = with_condition(
            conditions,
            "Established",
            True,
            "InitialNamesAccepted",
            "the initial names have been accepted",
            now,
        )
        stored = [version["name"] for version in item["spec"]["versions"] if version.get("storage")]
        accepted = {"singular": names["kind"].lower(), "listKind": f"{names['kind']}List", **names}
        self.store.set_status(
            self.kind,
            item,
            {"conditions": conditions, "acceptedNames": accepted, "storedVersions": stored},
        )
