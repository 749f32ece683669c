"""Application Auto Scaling's API. Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.cloudwatch.alarms import Alarms
from dockdesk.sandbox.aws.cloudwatch.api import alarm_of
from dockdesk.sandbox.aws.ecs.model import EcsState, Service
from dockdesk.sandbox.aws.scaling.checks import METRICS, check_steps, check_tracking
from dockdesk.sandbox.aws.scaling.engine import Policy, ScalingEngine, Scheduled, Target
from dockdesk.sandbox.aws.scaling.predictive import check_predictive, forecast, specification
from dockdesk.sandbox.aws.scaling.schedule import due
from dockdesk.sandbox.aws.values import (
    Api,
    AwsError,
    BadInputError,
    Params,
    arn,
    listing,
    page,
    uuid_of,
    when,
)

_DIMENSION = "ecs:service:DesiredCount"


class ScalingApi(Api):
    """``before_history(target)`` lets the past of a target be told before somebody reads it."""

    def __init__(
        self,
        region: str,
        ecs: EcsState,
        engine: ScalingEngine,
        alarms: Alarms,
        now: Callable[[], float],
        before_history: Callable[[Target], None],
    ) -> None:
        self._region = region
        self._ecs = ecs
        self._engine = engine
        self._alarms = alarms
        self._now = now
        self._before_history = before_history
        self.operations = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "GetPredictiveScalingForecast": self._forecast,
            "PutScheduledAction": self._put_scheduled,
            "DeleteScheduledAction": self._delete_scheduled,
            "DescribeScheduledActions": self._describe_scheduled,
            "DescribeScalingActivities": self._describe_activities,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    # --- looking things up ---

    @staticmethod
    def _namespace(params: Params) -> str:
        space = params.need("ServiceNamespace")
        if space not in {
            "ecs",
            "dynamodb",
            "lambda",
            "rds",
            "elasticache",
            "kafka",
            "ec2",
            "sagemaker",
            "custom-resource",
        }:
            raise BadInputError(
                f"1 validation error detected: Value '{space}' at 'serviceNamespace' failed to satisfy constraint: Member must satisfy enum value set"
            )
        return space

    def _service(self, params: Params) -> Service:
        self._namespace(params)
        resource, dimension = params.need("ResourceId"), params.need("ScalableDimension")
        parts = resource.split("/")
        if dimension != _DIMENSION:
            raise BadInputError(
                f"Unsupported service namespace, resource type or scalable dimension: {dimension}"
            )
        if len(parts) != 3 or parts[0] != "service":
            raise BadInputError(f"Unsupported resource type: {resource}")
        cluster = self._ecs.clusters.get(parts[1])
        service = cluster.services.get(parts[2]) if cluster else None
        if service is None or service.status != "ACTIVE":
            raise BadInputError(f"ECS service doesn't exist: {resource}")
        return service

    def _target(self, params: Params) -> Target:
        self._namespace(params)
        resource = params.need("ResourceId")
        target = self._engine.targets.get(resource)
        if target is None or params.need("ScalableDimension") != _DIMENSION:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scalable target found for service namespace: ecs, resource ID: {resource}, scalable dimension: {params.text('ScalableDimension')}",
            )
        return target

    def _targets(self, params: Params) -> list[Target]:
        if self._namespace(params) != "ecs":
            return []
        resource, dimension = (
            params.text("ResourceId"),
            params.text("ScalableDimension", _DIMENSION),
        )
        found = self._engine.targets.values() if dimension == _DIMENSION else ()
        return [target for target in found if resource in {"", target.resource}]

    # --- scalable targets ---

    def _register(self, params: Params) -> Mapping[str, Any]:
        service = self._service(params)
        resource, now = params.need("ResourceId"), self._now()
        target = self._engine.targets.get(resource)
        fresh = target is None
        if target is None:
            if "MinCapacity" not in params or "MaxCapacity" not in params:
                raise BadInputError(
                    "MinCapacity and MaxCapacity are required for new scalable targets"
                )
            name = uuid_of(resource, now).replace("-", "")[:24]
            target = Target(
                resource,
                arn("application-autoscaling", self._region, f"scalable-target/{name}"),
                0,
                0,
                now,
            )
        low = params.whole("MinCapacity", target.low, 0)
        high = params.whole("MaxCapacity", target.high, 0)
        if low > high:
            raise BadInputError("Maximum capacity cannot be less than minimum capacity")
        target.low, target.high = low, high
        if fresh:
            target.told = True
            self._engine.targets[resource] = target
            tags = params.inner("Tags").values
            target.tags = {str(key): str(value) for key, value in tags.items()}
        state = params.inner("SuspendedState")
        for name in (
            "DynamicScalingInSuspended",
            "DynamicScalingOutSuspended",
            "ScheduledScalingSuspended",
        ):
            if name in state:
                target.suspended[name] = state.flag(name)
        if service.desired:
            self._engine.hold(target, now)
        return {"ScalableTargetARN": target.arn}

    def _deregister(self, params: Params) -> Mapping[str, Any]:
        target = self._target(params)
        for policy in list(target.policies.values()):
            self._drop_policy(target, policy)
        del self._engine.targets[target.resource]
        return {}

    def _describe_targets(self, params: Params) -> Mapping[str, Any]:
        wanted = set(params.texts("ResourceIds"))
        self._namespace(params)
        found = [
            {
                "ServiceNamespace": "ecs",
                "ResourceId": target.resource,
                "ScalableDimension": _DIMENSION,
                "MinCapacity": target.low,
                "MaxCapacity": target.high,
                "RoleARN": arn(
                    "iam",
                    "",
                    "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
                ),
                "CreationTime": when(target.created),
                "SuspendedState": {
                    name: target.suspended.get(name, False)
                    for name in (
                        "DynamicScalingInSuspended",
                        "DynamicScalingOutSuspended",
                        "ScheduledScalingSuspended",
                    )
                },
                "ScalableTargetARN": target.arn,
            }
            for target in self._targets(Params({**params.values, "ResourceId": None}))
            if not wanted or target.resource in wanted
        ]
        return self._page("ScalableTargets", found, params)

    @staticmethod
    def _page(name: str, found: list[Any], params: Params) -> Mapping[str, Any]:
        shown, token = page(found, params, 50, "MaxResults", "NextToken")
        return listing(name, shown, token, "NextToken")

    # --- policies ---

    def _put_policy(self, params: Params) -> Mapping[str, Any]:
        name, now = params.need("PolicyName"), self._now()
        target = self._target(params)
        policy = target.policies.get(name)
        kind = params.text("PolicyType", policy.kind if policy else "StepScaling")
        if policy is not None and kind != policy.kind:
            raise BadInputError("The type of a scaling policy cannot be changed")
        if kind == "TargetTrackingScaling":
            settings = params.inner("TargetTrackingScalingPolicyConfiguration")
            check_tracking(settings)
        elif kind == "StepScaling":
            settings = params.inner("StepScalingPolicyConfiguration")
            check_steps(settings)
        elif kind == "PredictiveScaling":
            settings = params.inner("PredictiveScalingPolicyConfiguration")
            check_predictive(settings)
        else:
            raise BadInputError(f"Unsupported policy type: {kind}")
        if policy is None:
            number = uuid_of(target.resource, name, now)
            policy = target.policies[name] = Policy(
                name,
                arn(
                    "autoscaling",
                    self._region,
                    f"scalingPolicy:{number}:resource/ecs/{target.resource}:policyName/{name}",
                ),
                kind,
                {},
                now,
            )
        policy.configuration = dict(settings.values)
        self._engine.index(target, policy)
        if kind == "TargetTrackingScaling":
            self._make_alarms(target, policy, now)
        return {"PolicyARN": policy.arn, "Alarms": self._alarm_list(policy)}

    def _make_alarms(self, target: Target, policy: Policy, now: float) -> None:
        """The two alarms that target tracking makes and owns: 3 minutes above, 15 minutes below 90 %."""
        for name in policy.alarms:
            if name in self._alarms.all:
                self._alarms.delete(name, now)
        settings = Params(policy.configuration)
        goal = settings.number("TargetValue")
        policy.alarms = []
        for side, comparison, periods, threshold in (
            ("High", "GreaterThanThreshold", 3, goal),
            ("Low", "LessThanThreshold", 15, goal * 0.9),
        ):
            name = f"TargetTracking-{target.resource}-Alarm{side}-{uuid_of(policy.arn, side)}"
            body = {
                "AlarmName": name,
                "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}.",
                "ActionsEnabled": True,
                "AlarmActions": [policy.arn],
                "EvaluationPeriods": periods,
                "Threshold": threshold,
                "ComparisonOperator": comparison,
                **self._metric_of(target, settings),
            }
            self._alarms.put(alarm_of(Params(body), self._alarms, now), now)
            policy.alarms.append(name)

    def _metric_of(self, target: Target, settings: Params) -> dict[str, Any]:
        _, cluster, service = target.resource.split("/")
        custom = settings.inner("CustomizedMetricSpecification")
        if "Metrics" in custom:
            return {"Metrics": [_as_query(item) for item in custom.items("Metrics")]}
        if custom.values:
            return {
                **custom.given("MetricName", "Namespace", "Dimensions", "Unit", "Statistic"),
                "Period": custom.whole("Period", 60),
            }
        known = settings.inner("PredefinedMetricSpecification")
        kind = known.need("PredefinedMetricType")
        namespace, metric = METRICS[kind]
        if kind == "ALBRequestCountPerTarget":
            balancer, _, group = known.need("ResourceLabel").partition("/targetgroup/")
            named = {"TargetGroup": f"targetgroup/{group}", "LoadBalancer": balancer}
        else:
            named = {"ClusterName": cluster, "ServiceName": service}
        return {
            "Namespace": namespace,
            "MetricName": metric,
            "Statistic": "Sum" if kind.startswith("ALB") else "Average",
            "Period": 60,
            "Dimensions": [{"Name": key, "Value": value} for key, value in named.items()],
        }

    def _alarm_list(self, policy: Policy) -> list[dict[str, str]]:
        names = policy.alarms or [
            alarm.name
            for alarm in self._alarms.all.values()
            if policy.arn in alarm.actions("ALARM")
        ]
        return [{"AlarmName": name, "AlarmARN": self._alarms.arn(name)} for name in names]

    def _drop_policy(self, target: Target, policy: Policy) -> None:
        for name in policy.alarms:
            if name in self._alarms.all:
                self._alarms.delete(name, self._now())
        self._engine.forget(policy)
        del target.policies[policy.name]

    def _delete_policy(self, params: Params) -> Mapping[str, Any]:
        target = self._target(params)
        policy = target.policies.get(params.need("PolicyName"))
        if policy is None:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scaling policy found for service namespace: ecs, resource ID: {target.resource}, scalable dimension: {_DIMENSION}: {params.text('PolicyName')}",
            )
        self._drop_policy(target, policy)
        return {}

    def _describe_policies(self, params: Params) -> Mapping[str, Any]:
        names = set(params.texts("PolicyNames"))
        found = []
        for target in self._targets(params):
            for policy in target.policies.values():
                if names and policy.name not in names and policy.arn not in names:
                    continue
                key = f"{policy.kind}PolicyConfiguration"
                found.append(
                    {
                        "PolicyARN": policy.arn,
                        "PolicyName": policy.name,
                        "ServiceNamespace": "ecs",
                        "ResourceId": target.resource,
                        "ScalableDimension": _DIMENSION,
                        "PolicyType": policy.kind,
                        key: policy.configuration,
                        "Alarms": self._alarm_list(policy),
                        "CreationTime": when(policy.created),
                    }
                )
        return self._page("ScalingPolicies", found, params)

    def _forecast(self, params: Params) -> Mapping[str, Any]:
        target, now = self._target(params), self._now()
        policy = target.policies.get(params.need("PolicyName"))
        service = self._engine.service_of(target)
        if policy is None or policy.kind != "PredictiveScaling" or service is None:
            raise BadInputError(
                f"No predictive scaling policy found for resource ID: {target.resource}: {params.text('PolicyName')}"
            )
        settings = Params(policy.configuration)
        start, end = params.time("StartTime"), params.time("EndTime")
        hours, loads, capacities = forecast(service, settings, start, end, now)
        times = [when(hour) for hour in hours]
        told = {
            "Timestamps": times,
            "Values": loads,
            "MetricSpecification": specification(settings),
        }
        return {
            "LoadForecast": [told],
            "CapacityForecast": {"Timestamps": times, "Values": capacities},
            "UpdateTime": when(now // 21_600 * 21_600),
        }

    # --- scheduled actions ---

    def _put_scheduled(self, params: Params) -> Mapping[str, Any]:
        target, now = self._target(params), self._now()
        name = params.need("ScheduledActionName")
        old = target.scheduled.get(name)
        expression = params.text("Schedule", old.expression if old else "")
        if not expression:
            raise BadInputError("Schedule is required for new scheduled actions")
        zone = params.text("Timezone", old.zone if old else "UTC")
        action = dict(params.inner("ScalableTargetAction").values) or (old.action if old else {})
        if not action:
            raise BadInputError("ScalableTargetAction must set a minimum or a maximum capacity")
        bounds = Params(action)
        if bounds.whole("MinCapacity", 0, 0) > bounds.whole("MaxCapacity", 2**31, 0):
            raise BadInputError("Maximum capacity cannot be less than minimum capacity")
        created = old.created if old else now
        target.scheduled[name] = Scheduled(
            name,
            arn(
                "autoscaling",
                self._region,
                f"scheduledAction:{uuid_of(target.resource, name)}:resource/ecs/{target.resource}:scheduledActionName/{name}",
            ),
            expression,
            zone,
            action,
            created,
            due(expression, zone, created),
            params.time("StartTime", 0.0),
            params.time("EndTime", 0.0),
        )
        return {}

    def _delete_scheduled(self, params: Params) -> Mapping[str, Any]:
        target = self._target(params)
        if target.scheduled.pop(params.need("ScheduledActionName"), None) is None:
            raise AwsError(
                "ObjectNotFoundException",
                f"No scheduled action found for resource ID: {target.resource}: {params.text('ScheduledActionName')}",
            )
        return {}

    def _describe_scheduled(self, params: Params) -> Mapping[str, Any]:
        names = set(params.texts("ScheduledActionNames"))
        found = []
        for target in self._targets(params):
            for item in target.scheduled.values():
                if names and item.name not in names:
                    continue
                shown: dict[str, Any] = {
                    "ScheduledActionName": item.name,
                    "ScheduledActionARN": item.arn,
                    "ServiceNamespace": "ecs",
                    "Schedule": item.expression,
                    "Timezone": item.zone,
                    "ResourceId": target.resource,
                    "ScalableDimension": _DIMENSION,
                    "ScalableTargetAction": item.action,
                    "CreationTime": when(item.created),
                }
                if item.start:
                    shown["StartTime"] = when(item.start)
                if item.end:
                    shown["EndTime"] = when(item.end)
                found.append(shown)
        return self._page("ScheduledActions", found, params)

    # --- history and tags ---

    def _describe_activities(self, params: Params) -> Mapping[str, Any]:
        targets = self._targets(params)
        for target in targets:
            self._before_history(target)
        everything = params.flag("IncludeNotScaledActivities")
        found = [
            activity
            for target in targets
            for activity in target.activities
            if everything or "NotScaledReasons" not in activity
        ]
        found.sort(key=lambda activity: activity["StartTime"], reverse=True)
        return self._page("ScalingActivities", found, params)

    def _by_arn(self, params: Params) -> Target:
        name = params.need("ResourceARN")
        for target in self._engine.targets.values():
            if target.arn == name:
                return target
        raise AwsError(
            "ResourceNotFoundException", f"The resource doesn't exist: {name}", ResourceName=name
        )

    def _list_tags(self, params: Params) -> Mapping[str, Any]:
        return {"Tags": self._by_arn(params).tags}

    def _tag(self, params: Params) -> Mapping[str, Any]:
        target = self._by_arn(params)
        target.tags |= {str(key): str(value) for key, value in params.inner("Tags").values.items()}
        return {}

    def _untag(self, params: Params) -> Mapping[str, Any]:
        target = self._by_arn(params)
        for key in params.texts("TagKeys"):
            target.tags.pop(key, None)
        return {}


def _as_query(item: Any) -> dict[str, Any]:
    """A TargetTrackingMetricDataQuery as CloudWatch takes it: it has no period of its own."""
    told = Params(item)
    query = dict(told.values)
    if "MetricStat" in told:
        query["MetricStat"] = {**told.inner("MetricStat").values, "Period": 60}
    return query
