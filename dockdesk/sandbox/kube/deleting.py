"""Deletion: grace, finalizers and propagation. Source: Kubernetes documentation, "Garbage Collection", "Finalizers"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.http import Request
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import Object, dig, name_of, namespace_of, rfc3339, uid_of
from dockdesk.sandbox.kube.status import KubeError, invalid, stale

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_FINALIZER = {"Foreground": FOREGROUND, "Orphan": ORPHAN}


@dataclass(frozen=True, slots=True)
class Options:
    """DeleteOptions. ``grace`` None: what the object itself says."""

    grace: int | None = None
    propagation: str = "Background"
    uid: str = ""
    version: str = ""
    dry_run: bool = False


def options_of(request: Request, body: Any) -> Options:
    """DeleteOptions from body and query. Raises KubeError 400 and 422."""
    given = body if isinstance(body, dict) else {}
    grace_text = request.first("gracePeriodSeconds") or given.get("gracePeriodSeconds")
    if grace_text is not None and not str(grace_text).lstrip("-").isdigit():
        raise KubeError(400, f"gracePeriodSeconds is not a number: {str(grace_text)[:40]}")
    policy = request.first("propagationPolicy") or given.get("propagationPolicy")
    orphans = request.first("orphanDependents") or given.get("orphanDependents")
    if not policy:
        policy = "Orphan" if str(orphans).lower() == "true" else "Background"
    if policy not in {"Background", "Foreground", "Orphan"}:
        text = f'Unsupported value: "{str(policy)[:40]}": supported values: "Foreground", "Background", "Orphan", "nil"'
        raise invalid(
            "DeleteOptions",
            "meta.k8s.io",
            "",
            [("FieldValueNotSupported", "propagationPolicy", text)],
        )
    dry = request.first("dryRun") or dig(given, "dryRun", 0)
    conditions = given.get("preconditions") or {}
    return Options(
        None if grace_text is None else max(int(grace_text), 0),
        str(policy),
        str(conditions.get("uid") or ""),
        str(conditions.get("resourceVersion") or ""),
        dry == "All",
    )


def delete(
    cluster: Cluster, kind: Kind, item: Object, options: Options = Options()
) -> Object | None:
    """Begin, or finish, an object's deletion: its state while it goes on, None when it is gone.

    Raises KubeError 409 where the preconditions are not met.
    """
    store, meta = cluster.store, item["metadata"]
    if options.uid and options.uid != uid_of(item):
        raise KubeError(
            409,
            f'Operation cannot be fulfilled on {kind.plural} "{name_of(item)}": Precondition failed: UID in precondition: {options.uid}, UID in object meta: {uid_of(item)}',
        )
    if options.version and options.version != meta.get("resourceVersion"):
        raise stale(kind.plural, kind.group, name_of(item))
    if options.dry_run:
        return item if kind.key == ("", "pods") else None
    finalizers = list(meta.get("finalizers") or ())
    wanted = _FINALIZER.get(options.propagation)
    if (
        wanted
        and wanted not in finalizers
        and (store.dependents(uid_of(item)) or options.propagation == "Foreground")
    ):
        finalizers.append(wanted)
    grace = _grace(kind, item, options)
    namespace_left = kind.key == ("", "namespaces")
    if not finalizers and not grace and not namespace_left:
        store.drop(kind, namespace_of(item), name_of(item))
        return None
    if meta.get("deletionTimestamp") and not (
        options.grace is not None and grace < int(meta.get("deletionGracePeriodSeconds") or 0)
    ):
        return store.set_meta(kind, item, finalizers=finalizers or None)
    changed: dict[str, Any] = {
        "deletionTimestamp": rfc3339(cluster.now() + grace),
        "deletionGracePeriodSeconds": grace,
        "finalizers": finalizers or None,
    }
    after = store.set_meta(kind, item, **changed)
    if namespace_left:
        after = store.set_status(
            kind, after, {**(after.get("status") or {}), "phase": "Terminating"}
        )
    return after


def _grace(kind: Kind, item: Object, options: Options) -> int:
    """Seconds that the kubelet has for a pod; nothing else waits."""
    if kind.key != ("", "pods") or dig(item, "status", "phase") in {"Succeeded", "Failed"}:
        return 0
    if not dig(item, "spec", "nodeName"):
        return 0
    if options.grace is not None:
        return options.grace
    return int(dig(item, "spec", "terminationGracePeriodSeconds") or 0)


def finalized(cluster: Cluster, kind: Kind, item: Object) -> bool:
    """Remove an object whose deletion has begun and that nothing holds any more; whether it is gone."""
    meta = item["metadata"]
    if (
        not meta.get("deletionTimestamp")
        or meta.get("finalizers")
        or meta.get("deletionGracePeriodSeconds")
    ):
        return False
    if kind.key == ("", "namespaces"):
        return False
    cluster.store.drop(kind, namespace_of(item), name_of(item))
    return True
