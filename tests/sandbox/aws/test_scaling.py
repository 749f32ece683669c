"""Alarms fire, and Application Auto Scaling acts on them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import World
from tests.sandbox.aws.test_ecs import service_of

NAMED = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/shop-prod/payments",
    "ScalableDimension": "ecs:service:DesiredCount",
}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _activities(scaling: Any, resource: str, everything: bool = False) -> list[dict[str, Any]]:
    found = scaling.describe_scaling_activities(
        ServiceNamespace="ecs", ResourceId=resource, IncludeNotScaledActivities=everything
    )
    return list(found["ScalingActivities"])


def test_target_tracking_follows_a_spike_out_and_in(
    world: World, ecs: Any, scaling: Any, cloudwatch: Any
) -> None:
    world.live(120)
    before = service_of(ecs, "shop-prod", "web")["desiredCount"]
    world.play("spike")
    world.live(1500)
    during = service_of(ecs, "shop-prod", "web")
    assert during["desiredCount"] > before * 2
    assert during["runningCount"] == during["desiredCount"]
    recent = [
        item
        for item in _activities(scaling, "service/shop-prod/web")
        if item["StartTime"] > _time(world.now - 1500)
    ]
    assert recent
    assert recent[0]["Description"].startswith("Setting desired count to ")
    assert "AlarmHigh" in recent[0]["Cause"]
    (alarm,) = cloudwatch.describe_alarms(
        AlarmNamePrefix="TargetTracking-service/shop-prod/web-AlarmHigh"
    )["MetricAlarms"]
    history = cloudwatch.describe_alarm_history(
        AlarmName=alarm["AlarmName"], HistoryItemType="StateUpdate"
    )
    summaries = [
        item["HistorySummary"]
        for item in history["AlarmHistoryItems"]
        if item["Timestamp"] > _time(world.now - 1500)
    ]
    assert "Alarm updated from OK to ALARM" in summaries
    world.play("calm")
    world.until(
        lambda: service_of(ecs, "shop-prod", "web")["desiredCount"] < during["desiredCount"] * 0.8,
        120,
    )
    # In goes gradually: never more than about a tenth at once.
    counts = [
        int(item["Description"].removeprefix("Setting desired count to ").rstrip("."))
        for item in reversed(_activities(scaling, "service/shop-prod/web"))
        if item["StartTime"] > _time(world.now - 7200) and "AlarmLow" in item["Cause"]
    ]
    assert counts
    for earlier, later in itertools.pairwise(counts):
        assert later >= earlier - max(-(-earlier // 10), 1)


def test_at_the_maximum_it_says_why_it_did_not_scale(world: World, ecs: Any, scaling: Any) -> None:
    world.play("spike")
    world.live(3600)
    shown = _activities(scaling, "service/shop-prod/catalog", everything=True)
    reasons = [item["NotScaledReasons"][0] for item in shown if "NotScaledReasons" in item]
    assert {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 12, "CurrentCapacity": 12} in reasons
    assert all(
        "NotScaledReasons" not in item for item in _activities(scaling, "service/shop-prod/catalog")
    )


def test_suspended_scaling_does_not_act(world: World, ecs: Any, scaling: Any) -> None:
    named = {**NAMED, "ResourceId": "service/shop-prod/web"}
    scaling.register_scalable_target(**named, SuspendedState={"DynamicScalingOutSuspended": True})
    before = service_of(ecs, "shop-prod", "web")["desiredCount"]
    world.play("spike")
    world.live(1200)
    assert service_of(ecs, "shop-prod", "web")["desiredCount"] == before
    scaling.register_scalable_target(**named, SuspendedState={"DynamicScalingOutSuspended": False})
    world.until(lambda: service_of(ecs, "shop-prod", "web")["desiredCount"] > before)


def test_a_target_is_registered_tracked_and_deregistered(
    world: World, ecs: Any, scaling: Any, cloudwatch: Any
) -> None:
    scaling.register_scalable_target(**NAMED, MinCapacity=5, MaxCapacity=9)
    assert service_of(ecs, "shop-prod", "payments")["desiredCount"] == 5
    assert "minimum capacity" in _activities(scaling, NAMED["ResourceId"])[0]["Cause"]
    policy = scaling.put_scaling_policy(
        **NAMED,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 8.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
            },
            "ScaleOutCooldown": 30,
        },
    )
    names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
    alarms = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert sorted((item["EvaluationPeriods"], item["Threshold"]) for item in alarms) == [
        (3, 8.0),
        (15, 7.2),
    ]
    world.until(lambda: service_of(ecs, "shop-prod", "payments")["desiredCount"] == 9)
    scaling.deregister_scalable_target(**NAMED)
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []
    assert (
        scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=NAMED["ResourceId"])[
            "ScalingPolicies"
        ]
        == []
    )


def test_a_step_policy_acts_by_its_steps(
    world: World, ecs: Any, scaling: Any, cloudwatch: Any
) -> None:
    scaling.register_scalable_target(**NAMED, MinCapacity=2, MaxCapacity=20)
    policy = scaling.put_scaling_policy(
        **NAMED,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "PercentChangeInCapacity",
            "Cooldown": 300,
            "MetricAggregationType": "Maximum",
            "StepAdjustments": [
                {
                    "MetricIntervalLowerBound": 0.0,
                    "MetricIntervalUpperBound": 10.0,
                    "ScalingAdjustment": 10,
                },
                {"MetricIntervalLowerBound": 10.0, "ScalingAdjustment": 100},
            ],
        },
    )
    cloudwatch.put_metric_alarm(
        AlarmName="queue",
        AlarmActions=[policy["PolicyARN"]],
        Namespace="Shop",
        MetricName="Backlog",
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=100,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[{"MetricName": "Backlog", "Value": 150, "Timestamp": _time(world.now)}],
    )
    world.live(120)
    assert service_of(ecs, "shop-prod", "payments")["desiredCount"] == 6
    assert (
        "queue in state ALARM triggered policy steps"
        in _activities(scaling, NAMED["ResourceId"])[0]["Cause"]
    )
    assert cloudwatch.describe_alarms(AlarmNames=["queue"])["MetricAlarms"][0]["StateValue"] == "OK"


def test_a_scheduled_action_moves_the_bounds(world: World, ecs: Any, scaling: Any) -> None:
    scaling.register_scalable_target(**NAMED, MinCapacity=2, MaxCapacity=10)
    at = _time(world.now + 600).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scaling.put_scheduled_action(
        **NAMED, ScheduledActionName="soon", Schedule=at, ScalableTargetAction={"MinCapacity": 7}
    )
    world.live(500)
    assert service_of(ecs, "shop-prod", "payments")["desiredCount"] == 3
    world.live(200)
    assert service_of(ecs, "shop-prod", "payments")["desiredCount"] == 7
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[NAMED["ResourceId"]]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (7, 10)
    assert "scheduled action name soon was triggered" in {
        item["Cause"] for item in _activities(scaling, NAMED["ResourceId"])
    }
    world.live(3600)
    scaling.delete_scheduled_action(**NAMED, ScheduledActionName="soon")


@pytest.mark.parametrize(
    "more",
    [
        {"Schedule": "cron(61 * * * ? *)"},
        {"Schedule": "cron(* * * ? *)"},
        {"Schedule": "rate(0 minutes)"},
        {"Schedule": "at(tomorrow)"},
        {"Schedule": "rate(5 minutes)", "Timezone": "Mars/Olympus"},
    ],
)
def test_schedules_that_aws_refuses_are_refused(scaling: Any, more: dict[str, str]) -> None:
    scaling.register_scalable_target(**NAMED, MinCapacity=2, MaxCapacity=10)
    with pytest.raises(ClientError) as caught:
        scaling.put_scheduled_action(
            **NAMED, ScheduledActionName="x", ScalableTargetAction={"MinCapacity": 1}, **more
        )
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_an_alarm_without_data_says_so(world: World, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName="silence",
        Namespace="Shop",
        MetricName="Nothing",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=2,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    world.live(300)
    assert (
        cloudwatch.describe_alarms(AlarmNames=["silence"])["MetricAlarms"][0]["StateValue"]
        == "INSUFFICIENT_DATA"
    )
    cloudwatch.set_alarm_state(AlarmName="silence", StateValue="ALARM", StateReason="by hand")
    assert cloudwatch.describe_alarms(StateValue="ALARM", AlarmNamePrefix="sil")["MetricAlarms"]
    cloudwatch.delete_alarms(AlarmNames=["silence"])
    with pytest.raises(ClientError):
        cloudwatch.delete_alarms(AlarmNames=["silence"])


# --- predictive scaling ---


def _predictive(scaling: Any, service: str, goal: float, **more: Any) -> dict[str, str]:
    named = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": f"service/shop-prod/{service}",
    }
    pair = {"PredefinedMetricType": "ECSServiceCPUUtilization"}
    scaling.put_scaling_policy(
        **named,
        PolicyName="ahead",
        PolicyType="PredictiveScaling",
        PredictiveScalingPolicyConfiguration={
            "MetricSpecifications": [
                {"TargetValue": goal, "PredefinedMetricPairSpecification": pair}
            ],
            **more,
        },
    )
    return named


def test_a_forecast_follows_the_day(world: World, scaling: Any) -> None:
    named = _predictive(scaling, "web", 60.0, Mode="ForecastOnly")
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs", PolicyNames=["ahead"])[
        "ScalingPolicies"
    ]
    assert policy["PredictiveScalingPolicyConfiguration"]["Mode"] == "ForecastOnly"
    start, end = (datetime.fromtimestamp(world.now + shift, UTC) for shift in (0, 10 * 86_400))
    found = scaling.get_predictive_scaling_forecast(
        **named, PolicyName="ahead", StartTime=start, EndTime=end
    )
    (load,) = found["LoadForecast"]
    assert 47 <= len(load["Values"]) <= 49  # two days, whatever is asked for
    assert all(time.minute == 0 for time in load["Timestamps"])
    assert max(load["Values"]) > 1.5 * min(load["Values"])
    needed = found["CapacityForecast"]["Values"]
    assert all(count * 60 >= value for count, value in zip(needed, load["Values"], strict=True))


def test_a_forecast_scales_before_the_load_is_there(world: World, ecs: Any, scaling: Any) -> None:
    before = service_of(ecs, "shop-prod", "payments")["desiredCount"]
    scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId="service/shop-prod/payments",
        MinCapacity=1,
        MaxCapacity=before + 4,
    )
    named = _predictive(scaling, "payments", 8.0, Mode="ForecastAndScale")
    world.live(120)
    assert service_of(ecs, "shop-prod", "payments")["desiredCount"] == before + 4
    activity = scaling.describe_scaling_activities(
        ServiceNamespace="ecs", ResourceId=named["ResourceId"]
    )["ScalingActivities"][0]
    assert "predictive scaling policy ahead" in activity["Cause"]


@pytest.mark.parametrize(
    "change",
    [
        {"MetricSpecifications": []},
        {"Mode": "Perhaps"},
        {"MaxCapacityBuffer": 200},
        {"MetricSpecifications": [{"TargetValue": 5.0}]},
    ],
)
def test_predictive_policies_that_can_not_be(scaling: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as caught:
        _predictive(scaling, "web", 60.0, **change)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
