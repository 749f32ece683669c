"""Predictive scaling: what load is to come, hour by hour, and the capacity that takes.

The forecast is what the traffic model expects, for the next two days: better than AWS's, which learns from the past.
Source: docs.aws.amazon.com/autoscaling/application/userguide/predictive-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from typing import Any

from dockdesk.sandbox.aws.ecs.model import Service
from dockdesk.sandbox.aws.values import BadInputError, Params

HOUR = 3600.0
AHEAD_SECONDS = 48 * HOUR
LONGEST_SECONDS = 30 * 86_400.0
# Less past than this is too little to forecast from.
LEAST_PAST_SECONDS = 24 * HOUR
BUFFER_SECONDS = 300
_PAIRS = ("ECSServiceCPUUtilization", "ECSServiceMemoryUtilization", "ALBRequestCount")
_SAMPLES = 4


def check_predictive(settings: Params) -> None:
    """Raises BadInputError for a configuration that AWS would refuse, or whose metrics are not simulated."""
    specifications = settings.inners("MetricSpecifications")
    if len(specifications) != 1:
        raise BadInputError("MetricSpecifications must hold exactly one specification")
    one = specifications[0]
    if one.number("TargetValue") <= 0:
        raise BadInputError("TargetValue must be positive")
    kind = one.inner("PredefinedMetricPairSpecification").text("PredefinedMetricType")
    if kind not in _PAIRS:
        raise BadInputError(
            "This simulation forecasts predefined metric pairs only: " + ", ".join(_PAIRS)
        )
    if settings.text("Mode", "ForecastOnly") not in {"ForecastOnly", "ForecastAndScale"}:
        raise BadInputError("Mode must be ForecastOnly or ForecastAndScale")
    settings.whole("SchedulingBufferTime", BUFFER_SECONDS, 0, 3600)
    if settings.text("MaxCapacityBreachBehavior", "HonorMaxCapacity") not in {
        "HonorMaxCapacity",
        "IncreaseMaxCapacity",
    }:
        raise BadInputError("MaxCapacityBreachBehavior is unknown")
    settings.whole("MaxCapacityBuffer", 0, 0, 100)


def load(service: Service, kind: str, hour: float) -> float:
    """The load of the hour that begins then: percent over all tasks, or requests a minute."""
    workload, definition = service.workload, service.definition
    rates = [workload.traffic.rate(hour + HOUR * (n + 0.5) / _SAMPLES) for n in range(_SAMPLES)]
    rate = sum(rates) / _SAMPLES
    count = max(service.desired, 1)
    if kind == "ALBRequestCount":
        return rate * 60
    if kind == "ECSServiceMemoryUtilization":
        used = workload.memory * count + workload.memory_per_rate * rate
        return used / definition.memory * 100
    return (workload.idle * count + rate * workload.cost) / (definition.cpu / 1024) * 100


def capacity(service: Service, settings: Params, hour: float) -> int:
    """The least tasks that the hour takes."""
    one = settings.inners("MetricSpecifications")[0]
    kind = one.inner("PredefinedMetricPairSpecification").text("PredefinedMetricType")
    return max(math.ceil(load(service, kind, hour) / one.number("TargetValue")), 1)


def hours(start: float, end: float, now: float) -> list[float]:
    """The full hours from ``start`` to ``end`` that a forecast knows. Raises BadInputError."""
    if start >= end:
        raise BadInputError("StartTime must be before EndTime")
    if end - start > LONGEST_SECONDS:
        raise BadInputError("The time between StartTime and EndTime must not exceed 30 days")
    first = math.ceil(start / HOUR)
    last = math.floor(min(end, now + AHEAD_SECONDS) / HOUR)
    return [number * HOUR for number in range(first, last + 1)]


def forecast(
    service: Service, settings: Params, start: float, end: float, now: float
) -> tuple[list[float], list[float], list[float]]:
    """Hours, their load, and the capacity that it takes; empty where there is too little past."""
    known = hours(start, end, now)
    if now - service.created < LEAST_PAST_SECONDS:
        return [], [], []
    one = settings.inners("MetricSpecifications")[0]
    kind = one.inner("PredefinedMetricPairSpecification").text("PredefinedMetricType")
    loads = [load(service, kind, hour) for hour in known]
    return known, loads, [float(capacity(service, settings, hour)) for hour in known]


def ceiling(settings: Params, most: int, wanted: int) -> int:
    """The maximum capacity that holds for a forecast: the target's, or more where the policy may raise it."""
    if settings.text("MaxCapacityBreachBehavior") != "IncreaseMaxCapacity" or wanted < most:
        return most
    return math.ceil(wanted * (1 + settings.whole("MaxCapacityBuffer", 0) / 100))


def specification(settings: Params) -> dict[str, Any]:
    return dict(settings.inners("MetricSpecifications")[0].values)
