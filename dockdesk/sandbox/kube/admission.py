"""What becomes of an object before it is stored: defaults, addresses, first status, checks."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.kube import validate
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import Object, dig, name_of, namespace_of, number_of, quantity
from dockdesk.sandbox.kube.status import KubeError, not_found

_SERVER_META = (
    "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "managedFields", "generation",
)  # fmt: skip
_FIRST_STATUS: Mapping[str, Mapping[str, Any]] = {
    "Namespace": {"phase": "Active"},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
}


class Admission:
    """Prepares objects for the store; also those that controllers make."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._store = cluster.store

    def prepare(self, kind: Kind, item: Object) -> Object:
        """A new object, ready to be stored. Raises KubeError 400, 403, 404 or 422."""
        meta = item["metadata"]
        for field in _SERVER_META:
            meta.pop(field, None)
        if not meta.get("name") and isinstance(meta.get("generateName"), str):
            meta["name"] = meta["generateName"] + self._cluster.suffix(meta["generateName"])
        item["apiVersion"], item["kind"] = kind.api_version, kind.name
        if kind.namespaced:
            self._check_namespace(namespace_of(item), name_of(item), kind)
        else:
            meta.pop("namespace", None)
        if kind.status and kind.name != "CustomResourceDefinition":
            item.pop("status", None)
        validate.fill_in(kind, item)
        self._by_kind(kind, item)
        validate.check(kind, item)
        return item

    def _check_namespace(self, namespace: str, name: str, kind: Kind) -> None:
        found = self._store.find(self._cluster.kind("Namespace"), "", namespace)
        if found is None:
            raise not_found("namespaces", "", namespace)
        if found["metadata"].get("deletionTimestamp") and kind.name != "Event":
            text = f'{kind.plural} "{name}" is forbidden: unable to create new content in namespace {namespace} because it is being terminated'
            raise KubeError(
                403,
                text,
                details={"name": name, "kind": kind.plural},
                causes=[
                    (
                        "NamespaceTerminating",
                        f"namespace {namespace} is being terminated",
                        "metadata.namespace",
                    )
                ],
            )

    def _by_kind(self, kind: Kind, item: Object) -> None:
        if kind.custom is None and kind.name in _FIRST_STATUS:
            item["status"] = dict(_FIRST_STATUS[kind.name])
        if kind.key == ("", "pods"):
            self._admit_pod(item)
        elif kind.key == ("", "services"):
            self._admit_service(item)
        elif kind.key == ("", "secrets"):
            _fold_strings(item)
        elif kind.key == ("", "persistentvolumeclaims"):
            item["spec"].setdefault("storageClassName", "gp3")
            item["spec"].setdefault("volumeMode", "Filesystem")
        elif kind.key == ("", "namespaces"):
            labels = item["metadata"].setdefault("labels", {})
            labels["kubernetes.io/metadata.name"] = name_of(item)

    def _admit_pod(self, item: Object) -> None:
        spec = item["spec"]
        spec.setdefault("serviceAccountName", "default")
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
        spec.setdefault("enableServiceLinks", True)
        spec.setdefault("priority", 0)
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        tolerations = spec.setdefault("tolerations", [])
        for word in ("not-ready", "unreachable"):
            key = f"node.kubernetes.io/{word}"
            if not any(entry.get("key") == key for entry in tolerations):
                tolerations.append(
                    {
                        "key": key,
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": 300,
                    }
                )
        item["status"] = {"phase": "Pending", "qosClass": qos_class(spec)}

    def _admit_service(self, item: Object) -> None:
        spec = item["spec"]
        number = number_of(self._cluster.seed, namespace_of(item), name_of(item))
        if spec["type"] == "ExternalName":
            return
        if not spec.get("clusterIP"):
            taken = {
                dig(other, "spec", "clusterIP")
                for other in self._store.all(self._cluster.kind("Service"))
            }
            while (address := f"10.100.{number >> 8 & 255}.{number & 255 or 1}") in taken:
                number += 1
            spec["clusterIP"] = address
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        if spec["type"] in {"NodePort", "LoadBalancer"}:
            for position, port in enumerate(spec.get("ports") or ()):
                port.setdefault("nodePort", 30000 + (number + position) % 2768)
        if spec["type"] == "LoadBalancer":
            host = f"a{number:016x}-{number % 10**9}.elb.eu-central-1.amazonaws.example"
            item["status"] = {"loadBalancer": {"ingress": [{"hostname": host}]}}

    def create(self, kind: Kind, item: Object, created: float | None = None) -> Object:
        """Prepare and store, for controllers."""
        return self._store.add(kind, self.prepare(kind, item), created)


def _fold_strings(item: Object) -> None:
    data = dict(item.get("data") or {})
    for key, text in (item.pop("stringData", None) or {}).items():
        data[key] = base64.b64encode(str(text).encode()).decode()
    if data:
        item["data"] = data
    item.setdefault("type", "Opaque")


def changed(kind: Kind, item: Object) -> None:
    """Defaults of an object that is changed, in place."""
    validate.fill_in(kind, item)
    if kind.key == ("", "secrets"):
        _fold_strings(item)


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, as the kubelet decides it."""
    any_set, guaranteed = False, True
    for container in spec.get("containers") or ():
        requests = dig(container, "resources", "requests") or {}
        limits = dig(container, "resources", "limits") or {}
        any_set = any_set or bool(requests or limits)
        for name in ("cpu", "memory"):
            limit = limits.get(name)
            if limit is None or quantity(requests.get(name, limit)) != quantity(limit):
                guaranteed = False
    return "Guaranteed" if any_set and guaranteed else "Burstable" if any_set else "BestEffort"
