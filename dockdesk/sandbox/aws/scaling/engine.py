"""Application Auto Scaling at work: alarms and schedules move services between their bounds.

Sources: docs.aws.amazon.com/autoscaling/application/userguide/ target-tracking-scaling-policy-overview.html,
step-scaling-policy-overview.html and application-auto-scaling-scaling-activities.html (reasons for not scaling).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.cloudwatch.alarms import Alarm, Alarms
from dockdesk.sandbox.aws.ecs.model import EcsState, Service
from dockdesk.sandbox.aws.scaling import predictive
from dockdesk.sandbox.aws.scaling.schedule import Due
from dockdesk.sandbox.aws.values import Params, uuid_of, when

ACTIVITIES_KEPT = 500
_AGAIN_SECONDS = 300.0
_CLOSE = 0.9


@dataclass(slots=True)
class Policy:
    """``configuration`` is the step or the target tracking configuration, as the API takes it."""

    name: str
    arn: str
    kind: str
    configuration: dict[str, Any]
    created: float
    alarms: list[str] = field(default_factory=list)
    out_until: float = 0.0
    in_until: float = 0.0
    out_count: int = 0
    wants_in: float = 0.0
    quiet_until: float = 0.0


@dataclass(slots=True)
class Scheduled:
    name: str
    arn: str
    expression: str
    zone: str
    action: dict[str, Any]
    created: float
    due: Due
    start: float = 0.0
    end: float = 0.0
    done: bool = False


@dataclass(slots=True)
class Target:
    """A scalable target: one ECS service."""

    resource: str
    arn: str
    low: int
    high: int
    created: float
    suspended: dict[str, bool] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    scheduled: dict[str, Scheduled] = field(default_factory=dict)
    activities: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=ACTIVITIES_KEPT))
    tags: dict[str, str] = field(default_factory=dict)
    told: bool = False
    predicted: int = 0  # the least capacity that a forecast asks for now


class ScalingEngine:
    """Scales through ``set_desired(service, count, now)``."""

    def __init__(self, ecs: EcsState, set_desired: Callable[[Service, int, float], None]) -> None:
        self._ecs = ecs
        self._set_desired = set_desired
        self.targets: dict[str, Target] = {}
        self._by_policy: dict[str, tuple[Target, Policy]] = {}
        self.alarms: Alarms | None = None
        self._last_minute = 0.0

    def index(self, target: Target, policy: Policy) -> None:
        self._by_policy[policy.arn] = (target, policy)

    def forget(self, policy: Policy) -> None:
        self._by_policy.pop(policy.arn, None)

    def service_of(self, target: Target) -> Service | None:
        _, cluster, name = target.resource.split("/")
        found = self._ecs.clusters.get(cluster)
        service = found.services.get(name) if found else None
        return service if service is not None and service.status == "ACTIVE" else None

    # --- policies ---

    def on_alarm(self, alarm: Alarm, action: str, now: float) -> None:
        """An alarm is in ALARM, and names a policy. Called in every evaluation while that lasts."""
        found = self._by_policy.get(action)
        if found is None:
            return
        target, policy = found
        service = self.service_of(target)
        if service is None or alarm.value is None:
            return
        if policy.kind == "TargetTrackingScaling":
            wanted = self._track(target, policy, alarm, service, now)
        else:
            wanted = self._step(policy, alarm, service)
        if wanted is not None:
            self._move(target, policy, alarm, service, wanted, now)

    def _track(
        self, target: Target, policy: Policy, alarm: Alarm, service: Service, now: float
    ) -> int | None:
        goal = Params(policy.configuration).number("TargetValue")
        base = max(service.running, 1)
        if alarm.comparison.startswith("Greater"):
            return (
                max(math.ceil(base * alarm.value / goal), service.desired) if alarm.value else None
            )
        policy.wants_in = now
        if policy.configuration.get("DisableScaleIn"):
            return None
        trackers = [
            p
            for p in target.policies.values()
            if p.kind == policy.kind and not p.configuration.get("DisableScaleIn")
        ]
        if any(now - other.wants_in > 90 for other in trackers):
            return None  # it scales in only when every policy wants to
        needed = math.ceil(service.desired * (alarm.value or 0.0) / (goal * _CLOSE))
        # In goes gradually: a tenth at a time.
        return min(
            max(needed, service.desired - max(math.ceil(service.desired / 10), 1)), service.desired
        )

    def _step(self, policy: Policy, alarm: Alarm, service: Service) -> int | None:
        settings = Params(policy.configuration)
        distance = (alarm.value or 0.0) - alarm.threshold
        for step in settings.inners("StepAdjustments"):
            low = (
                step.number("MetricIntervalLowerBound", -math.inf)
                if "MetricIntervalLowerBound" in step
                else -math.inf
            )
            high = (
                step.number("MetricIntervalUpperBound")
                if "MetricIntervalUpperBound" in step
                else math.inf
            )
            # Above the threshold the lower bound belongs to the step, below it the upper one.
            inside = low <= distance < high if distance >= 0 else low < distance <= high
            if not inside:
                continue
            by = step.number("ScalingAdjustment")
            kind = settings.text("AdjustmentType")
            if kind == "ExactCapacity":
                return max(int(by), 0)
            if kind == "PercentChangeInCapacity":
                by = _whole_percent(service.desired * by / 100)
                least = settings.whole("MinAdjustmentMagnitude", 1)
                by = math.copysign(max(abs(by), least), by) if by else 0
            return max(service.desired + int(by), 0)
        return None

    def _move(
        self,
        target: Target,
        policy: Policy,
        alarm: Alarm,
        service: Service,
        wanted: int,
        now: float,
    ) -> None:
        out = wanted > service.desired
        grows = (
            alarm.comparison.startswith("Greater")
            if policy.kind == "TargetTrackingScaling"
            else wanted >= service.desired
        )
        if target.suspended.get(
            "DynamicScalingOutSuspended" if grows else "DynamicScalingInSuspended"
        ):
            return
        cause = f"monitor alarm {alarm.name} in state ALARM triggered policy {policy.name}"
        bounded = min(max(wanted, target.low, target.predicted), max(target.high, target.predicted))
        if bounded == service.desired:
            if now >= policy.quiet_until:
                policy.quiet_until = now + _AGAIN_SECONDS
                self._not_scaled(target, service, cause, wanted, grows, now)
            return
        if out and now < policy.out_until and bounded <= policy.out_count:
            return
        if not out and now < max(policy.in_until, policy.out_until):
            return
        settings = Params(policy.configuration)
        if policy.kind == "TargetTrackingScaling":
            policy.out_until = (
                now + settings.number("ScaleOutCooldown", 300.0) if out else policy.out_until
            )
            policy.in_until = (
                now + settings.number("ScaleInCooldown", 300.0) if not out else policy.in_until
            )
        else:
            pause = now + settings.number("Cooldown", 300.0)
            policy.out_until, policy.in_until = (
                (pause, policy.in_until) if out else (policy.out_until, pause)
            )
        policy.out_count = bounded if out else 0
        self._set_desired(service, bounded, now)
        self.record(
            target,
            f"Setting desired count to {bounded}.",
            cause,
            now,
            f"Successfully set desired count to {bounded}. Change successfully fulfilled by ecs.",
        )

    def _not_scaled(
        self, target: Target, service: Service, cause: str, wanted: int, grows: bool, now: float
    ) -> None:
        reason: dict[str, Any] = {"CurrentCapacity": service.desired}
        if grows and service.desired >= target.high:
            reason |= {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": target.high}
        elif not grows and service.desired <= target.low:
            reason |= {"Code": "AlreadyAtMinCapacity", "MinCapacity": target.low}
        elif wanted == service.desired and not grows:
            return  # nothing to do yet: the alarm only says that there is room
        else:
            reason |= {"Code": "AlreadyAtDesiredCapacity"}
        self.record(
            target,
            "Attempting to scale due to alarm triggered",
            cause,
            now,
            "Failed to set desired count.",
            [reason],
        )

    def record(
        self,
        target: Target,
        text: str,
        cause: str,
        now: float,
        message: str,
        reasons: list[dict[str, Any]] | None = None,
    ) -> None:
        activity = {
            "ActivityId": uuid_of(target.resource, now, text, cause),
            "ServiceNamespace": "ecs",
            "ResourceId": target.resource,
            "ScalableDimension": "ecs:service:DesiredCount",
            "Description": text,
            "Cause": cause,
            "StartTime": when(now),
            "EndTime": when(now + (0 if reasons else 33)),
            "StatusCode": "Failed" if reasons else "Successful",
            "StatusMessage": message,
        }
        if reasons:
            activity["NotScaledReasons"] = reasons
        target.activities.appendleft(activity)

    # --- bounds and schedules ---

    def hold(self, target: Target, now: float, cause: str = "") -> None:
        """Bring the service within its bounds, as happens when they change."""
        service = self.service_of(target)
        if service is None:
            return
        if service.desired < target.low:
            count, why = target.low, "minimum capacity was set to {}"
        elif service.desired > target.high:
            count, why = target.high, "maximum capacity was set to {}"
        else:
            return
        self._set_desired(service, count, now)
        message = (
            f"Successfully set desired count to {count}. Change successfully fulfilled by ecs."
        )
        self.record(
            target, f"Setting desired count to {count}.", cause or why.format(count), now, message
        )

    def minute(self, now: float) -> None:
        """Run the schedules that are due; to be called at every full minute."""
        before = self._last_minute or now - 60
        self._last_minute = now
        for target in self.targets.values():
            self._foresee(target, now)
            for item in list(target.scheduled.values()):
                if (item.start and now < item.start) or (item.end and now > item.end):
                    continue
                if not item.done and item.due(before, now):
                    item.done = item.expression.startswith("at(")
                    self._run(target, item, now)

    def _foresee(self, target: Target, now: float) -> None:
        """Hold what the forecasts of the policies that may scale ask for, some minutes before the hour."""
        wanted, cause = 0, ""
        service = self.service_of(target)
        for policy in target.policies.values():
            settings = Params(policy.configuration)
            if policy.kind != "PredictiveScaling" or settings.text("Mode") != "ForecastAndScale":
                continue
            if service is None or now - service.created < predictive.LEAST_PAST_SECONDS:
                continue
            early = settings.whole("SchedulingBufferTime", predictive.BUFFER_SECONDS)
            hour = (now + early) // predictive.HOUR * predictive.HOUR
            needed = predictive.capacity(service, settings, hour)
            needed = min(needed, predictive.ceiling(settings, target.high, needed))
            if needed > wanted:
                wanted, cause = needed, f"predictive scaling policy {policy.name} forecast the load"
        target.predicted = wanted
        if service is not None and service.desired < wanted:
            self._set_desired(service, wanted, now)
            text = f"Setting desired count to {wanted}."
            done = (
                f"Successfully set desired count to {wanted}. Change successfully fulfilled by ecs."
            )
            self.record(target, text, cause, now, done)

    def _run(self, target: Target, item: Scheduled, now: float) -> None:
        if target.suspended.get("ScheduledScalingSuspended"):
            return
        action = Params(item.action)
        target.low = action.whole("MinCapacity", target.low)
        target.high = max(action.whole("MaxCapacity", target.high), target.low)
        bounds = " and ".join(
            f"{name} capacity to {value}"
            for name, value in (
                ("min", item.action.get("MinCapacity")),
                ("max", item.action.get("MaxCapacity")),
            )
            if value is not None
        )
        cause = f"scheduled action name {item.name} was triggered"
        self.record(target, f"Setting {bounds}.", cause, now, f"Successfully set {bounds}.")
        self.hold(target, now, cause)


def _whole_percent(change: float) -> float:
    """Rounded as the documentation has it: away from zero below 1, towards zero above."""
    if -1 < change < 1:
        return math.copysign(1, change) if change else 0
    return math.trunc(change)
