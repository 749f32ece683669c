"""What the API server fills in and refuses when objects are written.

Sources: the defaults and validation that the Kubernetes API reference states for each field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.kube.cron import Schedule
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import Object, dig, name_of, quantity
from dockdesk.sandbox.kube.selectors import of_object
from dockdesk.sandbox.kube.status import KubeError, invalid
from dockdesk.sandbox.kube.validate_more import (
    Problems,
    check_autoscaler,
    check_claim_templates,
    check_definition,
)

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PERCENT = re.compile(r"[0-9]{1,9}%")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_TEMPLATED = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}
_IMMUTABLE = {"Deployment": ("selector",), "StatefulSet": ("selector", "serviceName", "volumeClaimTemplates"),
              "DaemonSet": ("selector",), "ReplicaSet": ("selector",), "Job": ("template", "selector")}  # fmt: skip
_WITH_SPEC = {
    "Pod", "CronJob", "PodDisruptionBudget", "CustomResourceDefinition", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "Ingress",
}  # fmt: skip
_FREE_NAMES = {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Event"}


def _setdefaults(target: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def fill_in(kind: Kind, item: Object) -> None:
    """Set the defaults of a new or changed object, in place."""
    spec = item.get("spec")
    if kind.custom is not None:
        return
    if not isinstance(spec, dict):
        if kind.name not in {"HorizontalPodAutoscaler", "Service", "Namespace", "Node"}:
            return
        spec = item["spec"] = {}
    if kind.name in _TEMPLATED:
        _fill_workload(kind, spec)
        _fill_pod(spec.get("template", {}).get("spec"), kind.name == "Job")
    elif kind.name == "Pod":
        _fill_pod(spec, False)
    elif kind.name == "CronJob":
        _setdefaults(
            spec,
            {
                "concurrencyPolicy": "Allow",
                "suspend": False,
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 1,
            },
        )
        _fill_pod(dig(spec, "jobTemplate", "spec", "template", "spec"), True)
    elif kind.name == "Service":
        _fill_service(spec)
    elif kind.name == "Namespace":
        _setdefaults(spec, {"finalizers": ["kubernetes"]})
    elif kind.name == "HorizontalPodAutoscaler":
        _setdefaults(spec, {"minReplicas": 1})
        if not spec.get("metrics"):
            target = {"type": "Utilization", "averageUtilization": 80}
            spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _fill_workload(kind: Kind, spec: dict[str, Any]) -> None:
    if kind.name in {"Deployment", "ReplicaSet", "StatefulSet"}:
        _setdefaults(spec, {"replicas": 1})
    if kind.name == "Deployment":
        _setdefaults(spec, {"revisionHistoryLimit": 10, "progressDeadlineSeconds": 600})
        strategy = spec.setdefault("strategy", {})
        _setdefaults(strategy, {"type": "RollingUpdate"})
        if strategy["type"] == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            _setdefaults(rolling, {"maxSurge": "25%", "maxUnavailable": "25%"})
    elif kind.name == "StatefulSet":
        _setdefaults(spec, {"revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady"})
        strategy = spec.setdefault("updateStrategy", {})
        _setdefaults(strategy, {"type": "RollingUpdate"})
        if strategy["type"] == "RollingUpdate":
            _setdefaults(strategy.setdefault("rollingUpdate", {}), {"partition": 0})
    elif kind.name == "DaemonSet":
        _setdefaults(spec, {"revisionHistoryLimit": 10})
        strategy = spec.setdefault("updateStrategy", {})
        _setdefaults(strategy, {"type": "RollingUpdate"})
        if strategy["type"] == "RollingUpdate":
            _setdefaults(
                strategy.setdefault("rollingUpdate", {}), {"maxSurge": 0, "maxUnavailable": 1}
            )
    elif kind.name == "Job":
        _setdefaults(spec, {"backoffLimit": 6, "suspend": False, "completionMode": "NonIndexed"})
        if spec.get("parallelism") is None:
            spec["parallelism"] = 1
            _setdefaults(spec, {"completions": 1})
    if isinstance(spec.get("template"), dict):
        spec["template"].setdefault("metadata", {}).pop("creationTimestamp", None)


def _fill_pod(spec: Any, job: bool) -> None:
    if not isinstance(spec, dict):
        return
    _setdefaults(
        spec,
        {
            "restartPolicy": "Never" if job and "restartPolicy" not in spec else "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    )
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            if not isinstance(container, dict):
                continue
            tag = str(container.get("image", "")).rpartition("/")[2].partition(":")[2]
            _setdefaults(
                container,
                {
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "Always" if tag in {"", "latest"} else "IfNotPresent",
                },
            )
            for port in container.get("ports") or ():
                port.setdefault("protocol", "TCP")
            for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
                if isinstance(container.get(probe), dict):
                    limits = {
                        "timeoutSeconds": 1,
                        "periodSeconds": 10,
                        "successThreshold": 1,
                        "failureThreshold": 3,
                    }
                    _setdefaults(container[probe], limits)


def _fill_service(spec: dict[str, Any]) -> None:
    _setdefaults(spec, {"type": "ClusterIP", "sessionAffinity": "None"})
    if spec["type"] != "ExternalName":
        _setdefaults(
            spec,
            {
                "internalTrafficPolicy": "Cluster",
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
            },
        )
    for port in spec.get("ports") or ():
        if isinstance(port, dict):
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))


def check(kind: Kind, item: Object, old: Mapping[str, Any] | None = None) -> None:
    """Raises KubeError 400 for values of the wrong type, 422 for values that are not allowed."""
    problems: Problems = []
    _check_name(kind, item, problems)
    _check_labels(item["metadata"], "metadata", problems)
    if kind.custom is None and kind.name not in {"Event", "Endpoints", "EndpointSlice"}:
        _check_spec(kind, item, problems)
        if old is not None:
            _check_immutable(kind, item, old, problems)
    if problems:
        raise invalid(kind.name, kind.group, name_of(item), problems)


def _check_name(kind: Kind, item: Object, problems: Problems) -> None:
    name = item["metadata"].get("name")
    if not name:
        problems.append(
            (
                "FieldValueRequired",
                "metadata.name",
                "Required value: name or generateName is required",
            )
        )
    elif not isinstance(name, str):
        raise _wrong_type(kind, "metadata.name", "string", name)
    elif kind.name in {"Namespace", "Service"}:
        if not _LABEL_NAME.fullmatch(name):
            text = f"Invalid value: \"{name}\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
            problems.append(("FieldValueInvalid", "metadata.name", text))
    elif kind.name not in _FREE_NAMES and not _SUBDOMAIN.fullmatch(name):
        text = f"Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        problems.append(("FieldValueInvalid", "metadata.name", text))


def _check_labels(meta: Any, where: str, problems: Problems) -> None:
    for field in ("labels", "annotations"):
        values = meta.get(field)
        if values is None:
            continue
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise KubeError(
                400,
                f"json: cannot unmarshal into Go struct field ObjectMeta.{where}.{field} of type string",
            )
        if field == "labels":
            problems += [
                ("FieldValueInvalid", f"{where}.labels", f'Invalid value: "{value}": a valid label must be an empty string or consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must start and end with an alphanumeric character')
                for value in values.values()
                if not _LABEL_VALUE.fullmatch(value)
            ]  # fmt: skip


def _wrong_type(kind: Kind, field: str, wanted: str, value: Any) -> KubeError:
    found = {str: "string", bool: "bool", dict: "object", list: "array"}.get(type(value), "number")
    return KubeError(
        400,
        f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: json: cannot unmarshal {found} into Go struct field {kind.name}Spec.{field} of type {wanted}',
    )


def _whole(
    kind: Kind, spec: Mapping[str, Any], field: str, problems: Problems, least: int = 0
) -> None:
    value = spec.get(field)
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(kind, f"spec.{field}", "int32", value)
    if value < least:
        text = f"Invalid value: {value}: must be greater than or equal to {least}"
        problems.append(("FieldValueInvalid", f"spec.{field}", text))


def _check_spec(kind: Kind, item: Object, problems: Problems) -> None:
    spec = item.get("spec")
    if spec is None:
        if kind.name in _TEMPLATED | _WITH_SPEC:
            problems.append(("FieldValueRequired", "spec", "Required value"))
        return
    if not isinstance(spec, dict):
        raise _wrong_type(kind, "spec", f"{kind.name}Spec", spec)
    _check_shares(spec, problems)
    for field in (
        "replicas",
        "parallelism",
        "completions",
        "backoffLimit",
        "minReadySeconds",
        "revisionHistoryLimit",
    ):
        _whole(kind, spec, field, problems)
    if kind.name in _TEMPLATED:
        _check_template(kind, spec, problems)
        check_claim_templates(spec, problems)
    elif kind.name == "Pod":
        _check_pod(kind, spec, "spec", problems)
    elif kind.name == "CronJob":
        try:
            Schedule(str(spec.get("schedule", "")))
        except ValueError as error:
            problems.append(
                (
                    "FieldValueInvalid",
                    "spec.schedule",
                    f'Invalid value: "{spec.get("schedule", "")}": {error}',
                )
            )
        pod = dig(spec, "jobTemplate", "spec", "template", "spec")
        _check_pod(kind, pod, "spec.jobTemplate.spec.template.spec", problems)
    elif kind.name == "CustomResourceDefinition":
        check_definition(name_of(item), spec, problems)
    elif kind.name == "HorizontalPodAutoscaler":
        check_autoscaler(spec, problems)
    elif kind.name == "Service" and spec.get("type") not in {
        "ClusterIP",
        "NodePort",
        "LoadBalancer",
        "ExternalName",
    }:
        problems.append(
            ("FieldValueNotSupported", "spec.type", f'Unsupported value: "{spec.get("type")}"')
        )


def _check_shares(spec: Mapping[str, Any], problems: Problems) -> None:
    """Counts that may be percentages."""
    places = [
        ("spec", spec),
        ("spec.strategy.rollingUpdate", dig(spec, "strategy", "rollingUpdate")),
    ]
    places.append(
        ("spec.updateStrategy.rollingUpdate", dig(spec, "updateStrategy", "rollingUpdate"))
    )
    for where, holder in places:
        for field in ("maxSurge", "maxUnavailable", "minAvailable"):
            value = holder.get(field) if isinstance(holder, dict) else None
            good = value is None or (isinstance(value, int) and value >= 0)
            if not good and not (isinstance(value, str) and _PERCENT.fullmatch(value)):
                text = f"Invalid value: \"{value}\": a valid percent string must be a numeric string followed by an ending '%'"
                problems.append(("FieldValueInvalid", f"{where}.{field}", text))


def _check_template(kind: Kind, spec: Mapping[str, Any], problems: Problems) -> None:
    template = spec.get("template")
    if not isinstance(template, dict):
        problems.append(("FieldValueRequired", "spec.template", "Required value"))
        return
    _check_labels(template.get("metadata") or {}, "spec.template.metadata", problems)
    if kind.name != "Job":
        selector = spec.get("selector")
        labels = dig(template, "metadata", "labels") or {}
        if not isinstance(selector, dict) or not (
            selector.get("matchLabels") or selector.get("matchExpressions")
        ):
            problems.append(("FieldValueRequired", "spec.selector", "Required value"))
        elif not of_object(selector)(labels):
            text = "Invalid value: `selector` does not match template `labels`"
            problems.append(("FieldValueInvalid", "spec.template.metadata.labels", text))
        policy = dig(template, "spec", "restartPolicy")
        if policy not in {None, "Always"}:
            problems.append(
                (
                    "FieldValueNotSupported",
                    "spec.template.spec.restartPolicy",
                    f'Unsupported value: "{policy}": supported values: "Always"',
                )
            )
    elif dig(template, "spec", "restartPolicy") not in {"Never", "OnFailure"}:
        problems.append(
            (
                "FieldValueNotSupported",
                "spec.template.spec.restartPolicy",
                'Unsupported value: "Always": supported values: "OnFailure", "Never"',
            )
        )
    _check_pod(kind, template.get("spec"), "spec.template.spec", problems)


def _check_pod(kind: Kind, spec: Any, where: str, problems: Problems) -> None:
    containers = dig(spec, "containers")
    if not containers:
        problems.append(("FieldValueRequired", f"{where}.containers", "Required value"))
        return
    if not isinstance(containers, list) or not all(isinstance(c, dict) for c in containers):
        raise _wrong_type(kind, f"{where}.containers", "[]v1.Container", containers)
    seen: set[Any] = set()
    for number, container in enumerate(containers):
        at = f"{where}.containers[{number}]"
        name = container.get("name")
        if not name:
            problems.append(("FieldValueRequired", f"{at}.name", "Required value"))
        elif not isinstance(name, str) or not _LABEL_NAME.fullmatch(name):
            problems.append(
                (
                    "FieldValueInvalid",
                    f"{at}.name",
                    f"Invalid value: \"{name}\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'",
                )
            )
        elif name in seen:
            problems.append(("FieldValueDuplicate", f"{at}.name", f'Duplicate value: "{name}"'))
        seen.add(name)
        _check_texts(kind, container, at)
        if not container.get("image"):
            problems.append(("FieldValueRequired", f"{at}.image", "Required value"))
        for word in ("requests", "limits"):
            for resource, amount in (dig(container, "resources", word) or {}).items():
                try:
                    quantity(amount)
                except ValueError as error:
                    raise KubeError(
                        400,
                        f"unable to parse quantity's suffix in {at}.resources.{word}.{resource}: {error}",
                    ) from None


def _check_texts(kind: Kind, container: Mapping[str, Any], at: str) -> None:
    """What YAML likes to read as numbers and booleans."""
    for field in ("image", "imagePullPolicy", "workingDir"):
        if not isinstance(container.get(field, ""), str):
            raise _wrong_type(kind, f"{at}.{field}", "string", container[field])
    for field in ("command", "args"):
        for word in container.get(field) or ():
            if not isinstance(word, str):
                raise _wrong_type(kind, f"{at}.{field}", "string", word)
    for entry in container.get("env") or ():
        if not isinstance(entry, dict) or not isinstance(entry.get("value", ""), str):
            value = entry.get("value") if isinstance(entry, dict) else entry
            raise _wrong_type(kind, f"{at}.env.value", "string", value)


def _check_immutable(kind: Kind, item: Object, old: Mapping[str, Any], problems: Problems) -> None:
    for field in _IMMUTABLE.get(kind.name, ()):
        before, after = dig(old, "spec", field), dig(item, "spec", field)
        if before is not None and before != after:
            problems.append(
                ("FieldValueInvalid", f"spec.{field}", "Invalid value: field is immutable")
            )
    if kind.name == "Pod" and old.get("spec") != item.get("spec"):
        before, after = _without_free_parts(old["spec"]), _without_free_parts(item["spec"])
        if before != after:
            text = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.terminationGracePeriodSeconds`,`spec.tolerations`"
            problems.append(("FieldValueForbidden", "spec", text))
    if kind.name == "Secret" and old.get("immutable") and old.get("data") != item.get("data"):
        problems.append(
            ("FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set")
        )


def _without_free_parts(spec: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in spec.items()
        if name
        not in {
            "activeDeadlineSeconds",
            "tolerations",
            "terminationGracePeriodSeconds",
            "ephemeralContainers",
        }
    }
    for field in ("containers", "initContainers"):
        if isinstance(kept.get(field), list):
            kept[field] = [{**item, "image": ""} for item in kept[field]]
    return kept
