"""What Application Auto Scaling refuses in a policy."""

from __future__ import annotations

import itertools

from dockdesk.sandbox.aws.values import BadInputError, Params

METRICS = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization"),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget"),
}
_ADJUSTMENTS = ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")


def check_tracking(settings: Params) -> None:
    """Raises BadInputError for a target tracking configuration that AWS would refuse."""
    goal = settings.number("TargetValue")
    known, custom = (
        "PredefinedMetricSpecification" in settings,
        "CustomizedMetricSpecification" in settings,
    )
    if known == custom:
        raise BadInputError(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified"
        )
    if goal <= 0:
        raise BadInputError("TargetValue must be positive")
    for name in ("ScaleOutCooldown", "ScaleInCooldown"):
        settings.whole(name, 0, 0)
    if known:
        kind = settings.inner("PredefinedMetricSpecification").need("PredefinedMetricType")
        if kind not in METRICS:
            raise BadInputError(f"Unsupported predefined metric type: {kind}")
        if kind == "ALBRequestCountPerTarget" and "/targetgroup/" not in settings.inner(
            "PredefinedMetricSpecification"
        ).text("ResourceLabel"):
            raise BadInputError(
                "ResourceLabel must name a load balancer and a target group for ALBRequestCountPerTarget"
            )


def check_steps(settings: Params) -> None:
    """Raises BadInputError for a step scaling configuration that AWS would refuse."""
    kind = settings.need("AdjustmentType")
    if kind not in _ADJUSTMENTS:
        raise BadInputError(f"Unsupported adjustment type: {kind}")
    steps = settings.inners("StepAdjustments")
    if not steps:
        raise BadInputError("StepAdjustments must not be empty")
    edges = []
    for step in steps:
        step.whole("ScalingAdjustment")
        low = step.number("MetricIntervalLowerBound", -1e308)
        high = step.number("MetricIntervalUpperBound", 1e308)
        if low >= high:
            raise BadInputError("The lower bound of a step must be less than its upper bound")
        edges.append((low, high))
    edges.sort()
    for (_, high), (low, _) in itertools.pairwise(edges):
        if high != low:
            raise BadInputError("Step adjustment intervals can't overlap or leave a gap")
