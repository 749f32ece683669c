"""What the API server refuses in autoscalers, claim templates and definitions of custom resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.kube.objects import dig, quantity

Problems = list[tuple[str, str, str]]

_SOURCES = ("Resource", "ContainerResource", "Pods", "Object", "External")


def _required(problems: Problems, field: str) -> None:
    problems.append(("FieldValueRequired", field, "Required value"))


def _invalid(problems: Problems, field: str, value: Any, text: str) -> None:
    problems.append(("FieldValueInvalid", field, f"Invalid value: {value!r}: {text}"))


def check_autoscaler(spec: Mapping[str, Any], problems: Problems) -> None:
    """Limits, target, metrics and behaviour of a HorizontalPodAutoscaler."""
    least, most = spec.get("minReplicas"), spec.get("maxReplicas")
    if least is not None and least < 1:
        _invalid(problems, "spec.minReplicas", least, "must be greater than or equal to 1")
    if most is None:
        _required(problems, "spec.maxReplicas")
    elif most < max(least or 1, 1):
        _invalid(
            problems, "spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"
        )
    for field in ("kind", "name"):
        if not dig(spec, "scaleTargetRef", field):
            _required(problems, f"spec.scaleTargetRef.{field}")
    for number, metric in enumerate(spec.get("metrics") or ()):
        _check_metric(metric, f"spec.metrics[{number}]", problems)
    for word in ("scaleUp", "scaleDown"):
        _check_rules(dig(spec, "behavior", word) or {}, f"spec.behavior.{word}", problems)


def _check_metric(metric: Mapping[str, Any], where: str, problems: Problems) -> None:
    kind = str(metric.get("type") or "")
    if kind not in _SOURCES:
        problems.append(("FieldValueNotSupported", f"{where}.type", f'Unsupported value: "{kind}"'))
        return
    part = kind[:1].lower() + kind[1:]
    source = metric.get(part)
    if not isinstance(source, dict):
        _required(problems, f"{where}.{part}")
        return
    if kind.endswith("Resource") and not source.get("name"):
        _required(problems, f"{where}.{part}.name")
    target = source.get("target") or {}
    percent, amount = (
        target.get("averageUtilization"),
        target.get("averageValue") or target.get("value"),
    )
    if percent is not None and percent < 1:
        _invalid(
            problems, f"{where}.{part}.target.averageUtilization", percent, "must be greater than 0"
        )
    elif percent is None and (amount is None or quantity(amount) <= 0):
        _required(problems, f"{where}.{part}.target.averageUtilization")


def _check_rules(rules: Mapping[str, Any], where: str, problems: Problems) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None and not 0 <= window <= 3600:
        _invalid(problems, f"{where}.stabilizationWindowSeconds", window, "must be from 0 to 3600")
    if rules.get("selectPolicy") not in {None, "", "Max", "Min", "Disabled"}:
        _invalid(
            problems, f"{where}.selectPolicy", rules["selectPolicy"], "must be Max, Min or Disabled"
        )
    for number, policy in enumerate(rules.get("policies") or ()):
        at = f"{where}.policies[{number}]"
        if policy.get("type") not in {"Pods", "Percent"}:
            _invalid(problems, f"{at}.type", policy.get("type"), "must be Pods or Percent")
        if not (policy.get("value") or 0) > 0:
            _invalid(problems, f"{at}.value", policy.get("value"), "must be greater than zero")
        if not 0 < (policy.get("periodSeconds") or 0) <= 1800:
            _invalid(
                problems,
                f"{at}.periodSeconds",
                policy.get("periodSeconds"),
                "must be from 1 to 1800",
            )


def check_claim_templates(spec: Mapping[str, Any], problems: Problems) -> None:
    """A stateful set's volumeClaimTemplates."""
    for number, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
        at = f"spec.volumeClaimTemplates[{number}]"
        if not dig(claim, "metadata", "name"):
            _required(problems, f"{at}.metadata.name")
        if not dig(claim, "spec", "resources", "requests", "storage"):
            _required(problems, f"{at}.spec.resources[storage]")


def check_definition(name: str, spec: Mapping[str, Any], problems: Problems) -> None:
    """A CustomResourceDefinition: its names and versions."""
    names = spec.get("names")
    plural = dig(names, "plural")
    for field, value in (
        ("group", spec.get("group")),
        ("names.plural", plural),
        ("names.kind", dig(names, "kind")),
    ):
        if not value or not isinstance(value, str):
            _required(problems, f"spec.{field}")
    if name != f"{plural}.{spec.get('group')}":
        _invalid(problems, "metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    for field in ("shortNames", "categories"):
        values = dig(names, field)
        if values is not None and (
            not isinstance(values, list) or not all(isinstance(one, str) for one in values)
        ):
            _invalid(problems, f"spec.names.{field}", values, "must be a list of texts")
    if spec.get("scope") not in {"Namespaced", "Cluster"}:
        _invalid(problems, "spec.scope", spec.get("scope"), "must be Namespaced or Cluster")
    versions = spec.get("versions")
    if not isinstance(versions, list) or not all(isinstance(one, dict) for one in versions):
        _required(problems, "spec.versions")
        return
    for number, version in enumerate(versions):
        if not isinstance(version.get("name"), str) or not version["name"]:
            _required(problems, f"spec.versions[{number}].name")
        columns = version.get("additionalPrinterColumns") or []
        if not isinstance(columns, list) or not all(_is_column(column) for column in columns):
            _invalid(
                problems,
                f"spec.versions[{number}].additionalPrinterColumns",
                columns,
                "must have name, type and jsonPath",
            )
        parts = version.get("subresources") or {}
        if not isinstance(parts, dict):
            _invalid(problems, f"spec.versions[{number}].subresources", parts, "must be an object")
    if sum(version.get("storage") is True for version in versions) != 1:
        _invalid(
            problems,
            "spec.versions",
            [one.get("name") for one in versions],
            "must have exactly one version marked as storage version",
        )


def _is_column(column: Any) -> bool:
    if not isinstance(column, dict) or isinstance(column.get("priority"), bool):
        return False
    return all(
        isinstance(column.get(field), str) for field in ("name", "type", "jsonPath")
    ) and isinstance(column.get("priority", 0), int)
