"""Objects as table rows, as `kubectl get` prints them. Source: kubectl's output for each resource; printers of the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import condition, dig, seconds_of
from dockdesk.sandbox.kube.selectors import written

Item = Mapping[str, Any]
Cell = Callable[[Item, float], Any]
# (name, type, priority, cell): priority 1 is for -o wide.
Column = tuple[str, str, int, Cell]

_NONE = "<none>"


def age_of(text: Any, now: float) -> str:
    """How long ago, as Kubernetes writes durations."""
    if not text:
        return "<unknown>"
    seconds = max(int(now - seconds_of(text)), 0)
    if seconds < 120:
        return f"{seconds}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    return f"{days // 365}y{days % 365}d"


def _at(*path: str | int, otherwise: Any = "") -> Cell:
    def cell(item: Item, _now: float) -> Any:
        value = dig(item, *path)
        return otherwise if value is None else value

    return cell


def _name(item: Item, _now: float) -> Any:
    return item["metadata"].get("name", "")


def _age(item: Item, now: float) -> str:
    return age_of(item["metadata"].get("creationTimestamp"), now)


def _count(*path: str) -> Cell:
    return lambda item, _now: len(dig(item, *path) or ())


def _containers(field: str, *path: str) -> Cell:
    where = path or ("spec", "template", "spec")
    return lambda item, _now: ",".join(
        str(container.get(field, "")) for container in dig(item, *where, "containers") or ()
    )


def _selector(*path: str) -> Cell:
    def cell(item: Item, _now: float) -> str:
        value = dig(item, *path)
        if not isinstance(value, Mapping):
            return _NONE
        if "matchLabels" in value or "matchExpressions" in value:
            return written(value) or _NONE
        return ",".join(f"{key}={text}" for key, text in value.items()) or _NONE

    return cell


def pod_reason(item: Item) -> str:
    """What the STATUS column says of a pod."""
    status = item.get("status") or {}
    reason = status.get("reason") or status.get("phase") or "Unknown"
    waiting_init = False
    inits = status.get("initContainerStatuses") or ()
    for number, container in enumerate(inits):
        state = container.get("state") or {}
        if dig(state, "terminated", "exitCode") == 0:
            continue
        if terminated := state.get("terminated"):
            reason = "Init:" + (
                terminated.get("reason") or f"ExitCode:{terminated.get('exitCode')}"
            )
        elif (waiting := dig(state, "waiting", "reason")) and waiting != "PodInitializing":
            reason = f"Init:{waiting}"
        else:
            reason = f"Init:{number}/{len(inits)}"
        waiting_init = True
        break
    if not waiting_init:
        reason = _container_reason(status, reason)
    if item["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return str(reason)


def _container_reason(status: Item, reason: str) -> str:
    running = False
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        if found := dig(state, "waiting", "reason"):
            reason = found
        elif terminated := state.get("terminated"):
            reason = terminated.get("reason") or f"ExitCode:{terminated.get('exitCode')}"
        elif container.get("ready") and state.get("running"):
            running = True
    if reason == "Completed" and running:
        ready = any(
            entry.get("type") == "Ready" and entry.get("status") == "True"
            for entry in status.get("conditions") or ()
        )
        return "Running" if ready else "NotReady"
    return reason


def _pod_ready(item: Item, _now: float) -> str:
    statuses = dig(item, "status", "containerStatuses") or ()
    return f"{sum(bool(entry.get('ready')) for entry in statuses)}/{len(dig(item, 'spec', 'containers') or ())}"


def _restarts(item: Item, now: float) -> str:
    statuses = dig(item, "status", "containerStatuses") or ()
    count = sum(entry.get("restartCount", 0) for entry in statuses)
    last = max(
        (dig(entry, "lastState", "terminated", "finishedAt") or "" for entry in statuses),
        default="",
    )
    return f"{count} ({age_of(last, now)} ago)" if count and last else str(count)


def _node_status(item: Item, _now: float) -> str:
    text = {"True": "Ready", "False": "NotReady"}.get(
        condition(item, "Ready").get("status", ""), "NotReady"
    )
    return text + (",SchedulingDisabled" if dig(item, "spec", "unschedulable") else "")


def _node_roles(item: Item, _now: float) -> str:
    prefix = "node-role.kubernetes.io/"
    return (
        ",".join(
            sorted(
                key[len(prefix) :]
                for key in item["metadata"].get("labels") or {}
                if key.startswith(prefix)
            )
        )
        or _NONE
    )


def _address(kind: str) -> Cell:
    return lambda item, _now: next(
        (
            entry["address"]
            for entry in dig(item, "status", "addresses") or ()
            if entry["type"] == kind
        ),
        _NONE,
    )


def _service_ports(item: Item, _now: float) -> str:
    parts = []
    for port in dig(item, "spec", "ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        parts.append(f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(parts) or _NONE


def _service_address(item: Item, _now: float) -> str:
    found = [
        entry.get("ip") or entry.get("hostname")
        for entry in dig(item, "status", "loadBalancer", "ingress") or ()
    ]
    if found:
        return ",".join(found)
    return "<pending>" if dig(item, "spec", "type") == "LoadBalancer" else _NONE


def _hpa_targets(item: Item, _now: float) -> str:
    parts = []
    current = dig(item, "status", "currentMetrics") or ()
    for number, metric in enumerate(dig(item, "spec", "metrics") or ()):
        kind = metric.get("type", "")
        field = kind[:1].lower() + kind[1:]
        name = dig(metric, field, "name") or dig(metric, field, "metric", "name")
        target = dig(metric, field, "target") or {}
        known = dig(current, number, field, "current") or {} if isinstance(current, list) else {}
        if "averageUtilization" in target:
            value = known.get("averageUtilization")
            now_text, wanted = (
                "<unknown>" if value is None else f"{value}%",
                f"{target['averageUtilization']}%",
            )
        else:
            now_text = str(known.get("averageValue") or known.get("value") or "<unknown>")
            wanted = str(target.get("averageValue") or target.get("value"))
        parts.append(
            f"{name}: {now_text}/{wanted}"
            if kind in {"Resource", "ContainerResource"}
            else f"{now_text}/{wanted}"
        )
    return ", ".join(parts) or _NONE


def _job_status(item: Item, _now: float) -> str:
    for word, text in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition(item, word).get("status") == "True":
            return text
    return "Terminating" if item["metadata"].get("deletionTimestamp") else "Running"


def _job_duration(item: Item, now: float) -> str:
    start, end = dig(item, "status", "startTime"), dig(item, "status", "completionTime")
    if not start:
        return ""
    return age_of(start, seconds_of(end) if end else now)


def _endpoints(item: Item, _now: float) -> str:
    found = [
        f"{address['ip']}:{port.get('port')}"
        for subset in item.get("subsets") or ()
        for address in subset.get("addresses") or ()
        for port in subset.get("ports") or ()
    ]
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "") or _NONE


def _event_object(item: Item, _now: float) -> str:
    about = item.get("involvedObject") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


_NAME: Column = ("Name", "string", 0, _name)
_AGE: Column = ("Age", "string", 0, _age)
_WIDE: tuple[Column, ...] = (
    ("Containers", "string", 1, _containers("name")),
    ("Images", "string", 1, _containers("image")),
    ("Selector", "string", 1, _selector("spec", "selector")),
)
_YES_NO: Cell = lambda item, _now: str(bool(dig(item, "spec", "suspend")))  # noqa: E731

COLUMNS: Mapping[tuple[str, str], Sequence[Column]] = {
    ("", "pods"): (
        _NAME,
        ("Ready", "string", 0, _pod_ready),
        ("Status", "string", 0, lambda item, _now: pod_reason(item)),
        ("Restarts", "string", 0, _restarts),
        _AGE,
        ("IP", "string", 1, _at("status", "podIP", otherwise=_NONE)),
        ("Node", "string", 1, _at("spec", "nodeName", otherwise=_NONE)),
        ("Nominated Node", "string", 1, _at("status", "nominatedNodeName", otherwise=_NONE)),
        ("Readiness Gates", "string", 1, lambda _item, _now: _NONE),
    ),
    ("", "nodes"): (
        _NAME,
        ("Status", "string", 0, _node_status),
        ("Roles", "string", 0, _node_roles),
        _AGE,
        ("Version", "string", 0, _at("status", "nodeInfo", "kubeletVersion")),
        ("Internal-IP", "string", 1, _address("InternalIP")),
        ("External-IP", "string", 1, _address("ExternalIP")),
        ("OS-Image", "string", 1, _at("status", "nodeInfo", "osImage")),
        ("Kernel-Version", "string", 1, _at("status", "nodeInfo", "kernelVersion")),
        ("Container-Runtime", "string", 1, _at("status", "nodeInfo", "containerRuntimeVersion")),
    ),
    ("apps", "deployments"): (
        _NAME,
        ("Ready", "string", 0, lambda item, _now: f"{dig(item, 'status', 'readyReplicas') or 0}/{dig(item, 'spec', 'replicas') or 0}"),
        ("Up-to-date", "integer", 0, _at("status", "updatedReplicas", otherwise=0)),
        ("Available", "integer", 0, _at("status", "availableReplicas", otherwise=0)),
        _AGE,
        *_WIDE,
    ),
    ("apps", "replicasets"): (
        _NAME,
        ("Desired", "integer", 0, _at("spec", "replicas", otherwise=0)),
        ("Current", "integer", 0, _at("status", "replicas", otherwise=0)),
        ("Ready", "integer", 0, _at("status", "readyReplicas", otherwise=0)),
        _AGE,
        *_WIDE,
    ),
    ("apps", "statefulsets"): (
        _NAME,
        ("Ready", "string", 0, lambda item, _now: f"{dig(item, 'status', 'readyReplicas') or 0}/{dig(item, 'spec', 'replicas') or 0}"),
        _AGE,
        *_WIDE[:2],
    ),
    ("apps", "daemonsets"): (
        _NAME,
        ("Desired", "integer", 0, _at("status", "desiredNumberScheduled", otherwise=0)),
        ("Current", "integer", 0, _at("status", "currentNumberScheduled", otherwise=0)),
        ("Ready", "integer", 0, _at("status", "numberReady", otherwise=0)),
        ("Up-to-date", "integer", 0, _at("status", "updatedNumberScheduled", otherwise=0)),
        ("Available", "integer", 0, _at("status", "numberAvailable", otherwise=0)),
        ("Node Selector", "string", 0, _selector("spec", "template", "spec", "nodeSelector")),
        _AGE,
        *_WIDE,
    ),
    ("apps", "controllerrevisions"): (
        _NAME,
        ("Controller", "string", 0, lambda item, _now: "/".join(str(dig(item, "metadata", "ownerReferences", 0, part) or "").lower() for part in ("kind", "name"))),
        ("Revision", "integer", 0, _at("revision", otherwise=0)),
        _AGE,
    ),
    ("batch", "jobs"): (
        _NAME,
        ("Status", "string", 0, _job_status),
        ("Completions", "string", 0, lambda item, _now: f"{dig(item, 'status', 'succeeded') or 0}/{dig(item, 'spec', 'completions') or 1}"),
        ("Duration", "string", 0, _job_duration),
        _AGE,
        *_WIDE,
    ),
    ("batch", "cronjobs"): (
        _NAME,
        ("Schedule", "string", 0, _at("spec", "schedule")),
        ("Timezone", "string", 0, _at("spec", "timeZone", otherwise=_NONE)),
        ("Suspend", "boolean", 0, _YES_NO),
        ("Active", "integer", 0, _count("status", "active")),
        ("Last Schedule", "string", 0, lambda item, now: age_of(dig(item, "status", "lastScheduleTime"), now) if dig(item, "status", "lastScheduleTime") else _NONE),
        _AGE,
        ("Containers", "string", 1, _containers("name", "spec", "jobTemplate", "spec", "template", "spec")),
        ("Images", "string", 1, _containers("image", "spec", "jobTemplate", "spec", "template", "spec")),
    ),
    ("", "services"): (
        _NAME,
        ("Type", "string", 0, _at("spec", "type")),
        ("Cluster-IP", "string", 0, _at("spec", "clusterIP", otherwise=_NONE)),
        ("External-IP", "string", 0, _service_address),
        ("Port(s)", "string", 0, _service_ports),
        _AGE,
        ("Selector", "string", 1, _selector("spec", "selector")),
    ),
    ("", "endpoints"): (_NAME, ("Endpoints", "string", 0, _endpoints), _AGE),
    ("", "namespaces"): (_NAME, ("Status", "string", 0, _at("status", "phase")), _AGE),
    ("", "configmaps"): (_NAME, ("Data", "integer", 0, _count("data")), _AGE),
    ("", "secrets"): (_NAME, ("Type", "string", 0, _at("type")), ("Data", "integer", 0, _count("data")), _AGE),
    ("", "events"): (
        ("Last Seen", "string", 0, lambda item, now: age_of(item.get("lastTimestamp") or item.get("eventTime"), now)),
        ("Type", "string", 0, _at("type")),
        ("Reason", "string", 0, _at("reason")),
        ("Object", "string", 0, _event_object),
        ("Subobject", "string", 1, _at("involvedObject", "fieldPath")),
        ("Source", "string", 1, lambda item, _now: ", ".join(filter(None, (dig(item, "source", "component"), dig(item, "source", "host"))))),
        ("Message", "string", 0, _at("message")),
        ("First Seen", "string", 1, lambda item, now: age_of(item.get("firstTimestamp"), now)),
        ("Count", "integer", 1, _at("count", otherwise=1)),
        ("Name", "string", 1, _name),
    ),
    ("", "persistentvolumeclaims"): (
        _NAME,
        ("Status", "string", 0, _at("status", "phase")),
        ("Volume", "string", 0, _at("spec", "volumeName")),
        ("Capacity", "string", 0, _at("status", "capacity", "storage")),
        ("Access Modes", "string", 0, lambda item, _now: _modes(dig(item, "status", "accessModes"))),
        ("StorageClass", "string", 0, _at("spec", "storageClassName")),
        ("VolumeAttributesClass", "string", 0, lambda _item, _now: "<unset>"),
        _AGE,
        ("VolumeMode", "string", 1, _at("spec", "volumeMode", otherwise="Filesystem")),
    ),
    ("", "persistentvolumes"): (
        _NAME,
        ("Capacity", "string", 0, _at("spec", "capacity", "storage")),
        ("Access Modes", "string", 0, lambda item, _now: _modes(dig(item, "spec", "accessModes"))),
        ("Reclaim Policy", "string", 0, _at("spec", "persistentVolumeReclaimPolicy")),
        ("Status", "string", 0, _at("status", "phase")),
        ("Claim", "string", 0, lambda item, _now: "/".join(str(dig(item, "spec", "claimRef", part) or "") for part in ("namespace", "name"))),
        ("StorageClass", "string", 0, _at("spec", "storageClassName")),
        ("Reason", "string", 0, _at("status", "reason")),
        _AGE,
    ),
    ("autoscaling", "horizontalpodautoscalers"): (
        _NAME,
        ("Reference", "string", 0, lambda item, _now: f"{dig(item, 'spec', 'scaleTargetRef', 'kind')}/{dig(item, 'spec', 'scaleTargetRef', 'name')}"),
        ("Targets", "string", 0, _hpa_targets),
        ("MinPods", "string", 0, lambda item, _now: str(dig(item, "spec", "minReplicas"))),
        ("MaxPods", "integer", 0, _at("spec", "maxReplicas")),
        ("Replicas", "integer", 0, _at("status", "currentReplicas", otherwise=0)),
        _AGE,
    ),
    ("policy", "poddisruptionbudgets"): (
        _NAME,
        ("Min Available", "string", 0, lambda item, _now: str(_at("spec", "minAvailable", otherwise="N/A")(item, 0))),
        ("Max Unavailable", "string", 0, lambda item, _now: str(_at("spec", "maxUnavailable", otherwise="N/A")(item, 0))),
        ("Allowed Disruptions", "integer", 0, _at("status", "disruptionsAllowed", otherwise=0)),
        _AGE,
    ),
    ("networking.k8s.io", "ingresses"): (
        _NAME,
        ("Class", "string", 0, _at("spec", "ingressClassName", otherwise=_NONE)),
        ("Hosts", "string", 0, lambda item, _now: ",".join(rule.get("host") or "*" for rule in dig(item, "spec", "rules") or ()) or "*"),
        ("Address", "string", 0, lambda item, _now: ",".join(entry.get("ip") or entry.get("hostname") or "" for entry in dig(item, "status", "loadBalancer", "ingress") or ())),
        ("Ports", "string", 0, lambda item, _now: "80, 443" if dig(item, "spec", "tls") else "80"),
        _AGE,
    ),
    ("storage.k8s.io", "storageclasses"): (
        _NAME,
        ("Provisioner", "string", 0, _at("provisioner")),
        ("ReclaimPolicy", "string", 0, _at("reclaimPolicy", otherwise="Delete")),
        ("VolumeBindingMode", "string", 0, _at("volumeBindingMode", otherwise="Immediate")),
        ("AllowVolumeExpansion", "boolean", 0, _at("allowVolumeExpansion", otherwise=False)),
        _AGE,
    ),
    ("apiextensions.k8s.io", "customresourcedefinitions"): (
        _NAME,
        ("Created At", "date", 0, _at("metadata", "creationTimestamp")),
    ),
}  # fmt: skip


def _modes(modes: Any) -> str:
    short = {
        "ReadWriteOnce": "RWO",
        "ReadOnlyMany": "ROX",
        "ReadWriteMany": "RWX",
        "ReadWriteOncePod": "RWOP",
    }
    return ",".join(short.get(mode, mode) for mode in modes or ())


def _columns(kind: Kind) -> Sequence[Column]:
    if kind.custom is not None and kind.custom.get("additionalPrinterColumns"):
        return [_NAME, *(_custom(column) for column in kind.custom["additionalPrinterColumns"])]
    return COLUMNS.get(kind.key, (_NAME, _AGE))


def _custom(column: Mapping[str, Any]) -> Column:
    """A column of a custom resource: its jsonPath, as far as it is plain members and indices."""
    steps = [
        int(index) if index else name.replace("\\.", ".")
        for name, index in re.findall(
            r"\.((?:\\.|[^.\[\]\\])+)|\[(\d+)\]", str(column.get("jsonPath", ""))
        )
    ]

    def cell(item: Item, now: float) -> Any:
        value = dig(item, *steps)
        if column.get("type") == "date":
            return age_of(value, now) if value else _NONE
        return value

    return (
        str(column.get("name", "")),
        str(column.get("type", "string")),
        int(column.get("priority") or 0),
        cell,
    )


def columns_of(kind: Kind) -> list[dict[str, Any]]:
    """The columnDefinitions of a Table."""
    return [
        {
            "name": name,
            "type": shape,
            "format": "name" if cell is _name else "",
            "description": "",
            "priority": priority,
        }
        for name, shape, priority, cell in _columns(kind)
    ]


def rows_of(kind: Kind, items: Sequence[Item], now: float) -> list[list[Any]]:
    """The cells of each object."""
    columns = _columns(kind)
    return [[cell(item, now) for _, _, _, cell in columns] for item in items]
