"""Autoscalers in the older version of their API, autoscaling/v1, which `kubectl autoscale` and many files still speak.

They are stored as v2; what v1 has no fields for is kept aside in annotations, as the API server does it.
Source: kubernetes/pkg/apis/autoscaling/v1 conversion.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from dockdesk.sandbox.http import Response
from dockdesk.sandbox.kube.objects import Object, dig, encoded

OLD, NEW, KIND = "autoscaling/v1", "autoscaling/v2", "HorizontalPodAutoscaler"
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"


def _is_cpu(metric: Any) -> bool:
    return (
        dig(metric, "type") == "Resource"
        and dig(metric, "resource", "name") == "cpu"
        and dig(metric, "resource", "target", "averageUtilization") is not None
    )


def newer(item: Object) -> Object:
    """A v1 autoscaler as v2; anything else as it is."""
    if (item.get("apiVersion"), item.get("kind")) != (OLD, KIND):
        return item
    meta = dict(item["metadata"])
    annotations = dict(meta.get("annotations") or {})
    aside = {
        name: annotations.pop(name, "") for name in (_METRICS, _BEHAVIOR, _CONDITIONS, _CURRENT)
    }
    if annotations:
        meta["annotations"] = annotations
    else:
        meta.pop("annotations", None)
    given = item.get("spec")
    spec = dict(given) if isinstance(given, dict) else {}
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = _read(aside[_METRICS]) or []
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    if behavior := _read(aside[_BEHAVIOR]):
        spec["behavior"] = behavior
    return {**item, "apiVersion": NEW, "metadata": meta, "spec": spec}


def _read(text: Any) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, TypeError):
        return None


def older(item: Object) -> Object:
    """A v2 autoscaler as v1; anything else as it is."""
    if (item.get("apiVersion"), item.get("kind")) != (NEW, KIND):
        return item
    spec, status = dict(item.get("spec") or {}), dict(item.get("status") or {})
    annotations = dict(item["metadata"].get("annotations") or {})
    metrics = list(spec.pop("metrics", None) or ())
    cpu = next((metric for metric in metrics if _is_cpu(metric)), None)
    if cpu is not None:
        metrics.remove(cpu)
        spec["targetCPUUtilizationPercentage"] = cpu["resource"]["target"]["averageUtilization"]
    current = list(status.pop("currentMetrics", None) or ())
    for metric in current:
        percent = dig(metric, "resource", "current", "averageUtilization")
        if dig(metric, "resource", "name") == "cpu" and percent is not None:
            status["currentCPUUtilizationPercentage"] = percent
    for name, value in (
        (_METRICS, metrics),
        (_BEHAVIOR, spec.pop("behavior", None)),
        (_CONDITIONS, status.pop("conditions", None)),
        (_CURRENT, current),
    ):
        if value:
            annotations[name] = encoded(value).decode()
    meta = {**item["metadata"], **({"annotations": annotations} if annotations else {})}
    made = {**item, "apiVersion": OLD, "metadata": meta, "spec": spec}
    return {**made, "status": status} if "status" in item else made


def _shown(value: Any) -> Any:
    """An answer's JSON in the older version: an object, a list, an event of a watch."""
    if not isinstance(value, dict):
        return value
    if value.get("kind") == f"{KIND}List":
        return {
            **value,
            "apiVersion": OLD,
            "items": [older({"apiVersion": NEW, "kind": KIND, **item}) for item in value["items"]],
        }
    if "object" in value and "type" in value and "kind" not in value:
        return {**value, "object": _shown(value["object"])}
    return older(value) if "metadata" in value else value


def in_older(response: Response) -> Response:
    """An answer about v2 autoscalers for somebody who asked for v1."""
    body = response.body
    if isinstance(body, bytes):
        response.body = encoded(_shown(json.loads(body))) if body else body
    else:
        response.body = _lines(body)
    return response


async def _lines(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A watch's events; each piece is whole lines."""
    async for piece in body:
        yield b"".join(
            encoded(_shown(json.loads(line))) + b"\n" for line in piece.splitlines() if line
        )
