"""The resources that the simulated API serves, built in and custom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource. ``fields`` are the field selectors it knows besides metadata.name and metadata.namespace."""

    group: str
    version: str
    name: str
    plural: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    status: bool = False
    scale: bool = False
    categories: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    generation: bool = False
    verbs: tuple[str, ...] = VERBS
    custom: Mapping[str, Any] | None = field(default=None, hash=False, compare=False)
    # Group and plural: what the store files it under.
    key: tuple[str, str] = field(default=("", ""), init=False, hash=False, compare=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.name.lower()

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.group, self.plural))


_ALL = ("all",)
_EVENT_FIELDS = (
    *(f"involvedObject.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")),
    "reason",
    "reportingComponent",
    "source",
    "type",
)  # fmt: skip

BUILT_IN: tuple[Kind, ...] = (
    Kind("", "v1", "ConfigMap", "configmaps", short=("cm",)),
    Kind("", "v1", "Endpoints", "endpoints", short=("ep",)),
    Kind("", "v1", "Event", "events", short=("ev",), fields=_EVENT_FIELDS),
    Kind("", "v1", "LimitRange", "limitranges", short=("limits",)),
    Kind("", "v1", "Namespace", "namespaces", False, ("ns",), True, fields=("status.phase",)),
    Kind("", "v1", "Node", "nodes", False, ("no",), True, fields=("spec.unschedulable",)),
    Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True, ("pvc",), True),
    Kind("", "v1", "PersistentVolume", "persistentvolumes", False, ("pv",), True),
    Kind(
        "", "v1", "Pod", "pods", True, ("po",), True, categories=_ALL,
        fields=(
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.nominatedNodeName",
        ),
    ),
    Kind("", "v1", "ReplicationController", "replicationcontrollers", True, ("rc",), True, True, _ALL, generation=True),
    Kind("", "v1", "ResourceQuota", "resourcequotas", True, ("quota",), True),
    Kind("", "v1", "Secret", "secrets", fields=("type",)),
    Kind("", "v1", "Service", "services", True, ("svc",), True, categories=_ALL, fields=("spec.clusterIP", "spec.type")),
    Kind("", "v1", "ServiceAccount", "serviceaccounts", short=("sa",)),
    Kind("apps", "v1", "ControllerRevision", "controllerrevisions"),
    Kind("apps", "v1", "DaemonSet", "daemonsets", True, ("ds",), True, categories=_ALL, generation=True),
    Kind("apps", "v1", "Deployment", "deployments", True, ("deploy",), True, True, _ALL, generation=True),
    Kind("apps", "v1", "ReplicaSet", "replicasets", True, ("rs",), True, True, _ALL, ("status.replicas",), True),
    Kind("apps", "v1", "StatefulSet", "statefulsets", True, ("sts",), True, True, _ALL, generation=True),
    Kind("batch", "v1", "CronJob", "cronjobs", True, ("cj",), True, categories=_ALL, generation=True),
    Kind("batch", "v1", "Job", "jobs", True, (), True, categories=_ALL, fields=("status.successful",), generation=True),
    Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True, ("hpa",), True, categories=_ALL),
    # Shown by `conversion`; the store knows v2 alone.
    Kind("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True, ("hpa",), True, categories=_ALL),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True, ("pdb",), True, generation=True),
    Kind("networking.k8s.io", "v1", "Ingress", "ingresses", True, ("ing",), True, generation=True),
    Kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses", False),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True, ("netpol",), generation=True),
    Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", False, ("sc",)),
    Kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", False, ("pc",)),
    Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False),
    Kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False),
    Kind("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Kind(
        "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False, ("crd", "crds"), True,
        generation=True,
    ),
)  # fmt: skip


class Kinds:
    """Resources by group, version and plural; custom ones come and go."""

    def __init__(self) -> None:
        self._kinds = {(kind.group, kind.version, kind.plural): kind for kind in BUILT_IN}
        # Where there are several versions, objects are kept in the first.
        self._of = {(kind.group, kind.name): kind for kind in reversed(BUILT_IN)}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        return self._kinds.get((group, version, plural))

    def of(self, group: str, name: str) -> Kind:
        """By the name in an object's ``kind``. Raises KeyError."""
        return self._of[group, name]

    def of_object(self, api_version: str, name: str) -> Kind | None:
        return self._of.get((api_version.rpartition("/")[0], name))

    def add(self, kind: Kind) -> None:
        self._kinds[kind.group, kind.version, kind.plural] = kind
        self._of.setdefault((kind.group, kind.name), kind)

    def remove(self, group: str, plural: str) -> None:
        """Take a custom resource away, in all its versions."""
        for key in [key for key in self._kinds if (key[0], key[2]) == (group, plural)]:
            kind = self._kinds.pop(key)
            self._of.pop((kind.group, kind.name), None)

    def versions(self) -> dict[str, list[str]]:
        """Group → its versions, in the order of registration; the core group is left out."""
        found: dict[str, list[str]] = {}
        for kind in self:
            if kind.group:
                versions = found.setdefault(kind.group, [])
                if kind.version not in versions:
                    versions.append(kind.version)
        return found
