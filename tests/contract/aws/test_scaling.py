"""Application Auto Scaling for ECS services, as the sandbox and its judges have it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, lacks, refused

ABSENT = "has no Application Auto Scaling"
ECS = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
TRACKING = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    "ScaleOutCooldown": 60,
    "ScaleInCooldown": 300,
}
STEPS = {
    "AdjustmentType": "ChangeInCapacity",
    "Cooldown": 60,
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 2}],
}

pytestmark = lacks(ministack=ABSENT)


@pytest.fixture
def target(scaling: Any, cluster: str, service: str) -> dict[str, str]:
    """A service that can be scaled between 1 and 6: what names it in calls."""
    named = {**ECS, "ResourceId": f"service/{cluster}/{service}"}
    scaling.register_scalable_target(**named, MinCapacity=1, MaxCapacity=6)
    return named


def _target(scaling: Any, resource: str) -> Any:
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])[
        "ScalableTargets"
    ]
    return found


@lacks(moto="tells of no role")
def test_a_target_is_registered_and_changed(scaling: Any, target: dict[str, str]) -> None:
    found = _target(scaling, target["ResourceId"])
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 6)
    assert found["ScalableDimension"] == target["ScalableDimension"]
    assert found["RoleARN"].startswith("arn:aws:iam::")
    scaling.register_scalable_target(**target, MaxCapacity=9)
    found = _target(scaling, target["ResourceId"])
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 9)


def test_scaling_is_suspended(scaling: Any, target: dict[str, str]) -> None:
    state = {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }
    scaling.register_scalable_target(**target, SuspendedState=state)
    assert _target(scaling, target["ResourceId"])["SuspendedState"] == state


@lacks(moto="keeps its policies")
def test_a_target_is_taken_away(scaling: Any, target: dict[str, str]) -> None:
    scaling.put_scaling_policy(
        **target,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    scaling.deregister_scalable_target(**target)
    answer = scaling.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[target["ResourceId"]]
    )
    assert answer["ScalableTargets"] == []
    answer = scaling.describe_scaling_policies(
        ServiceNamespace="ecs", ResourceId=target["ResourceId"]
    )
    assert answer["ScalingPolicies"] == []
    with refused("ObjectNotFoundException"):
        scaling.deregister_scalable_target(**target)


@lacks(moto="takes policies without a target")
def test_what_is_not_there(scaling: Any, cluster: str) -> None:
    named = {**ECS, "ResourceId": f"service/{cluster}/none"}
    with refused("ObjectNotFoundException"):
        scaling.put_scaling_policy(
            **named,
            PolicyName="x",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    with refused("ObjectNotFoundException"):
        scaling.delete_scaling_policy(**named, PolicyName="x")
    with refused("ObjectNotFoundException"):
        scaling.delete_scheduled_action(**named, ScheduledActionName="x")


def test_a_target_needs_a_service(scaling: Any, cluster: str) -> None:
    with refused("ValidationException"):
        scaling.register_scalable_target(
            **ECS, ResourceId=f"service/{cluster}/none", MinCapacity=1, MaxCapacity=2
        )


@lacks(moto="does not check it")
def test_the_least_is_not_more_than_the_most(scaling: Any, cluster: str, service: str) -> None:
    with refused("ValidationException"):
        scaling.register_scalable_target(
            **ECS, ResourceId=f"service/{cluster}/{service}", MinCapacity=5, MaxCapacity=2
        )


def test_target_tracking_makes_its_alarms(
    scaling: Any, cloudwatch: Any, target: dict[str, str]
) -> None:
    made = scaling.put_scaling_policy(
        **target,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    names = sorted(alarm["AlarmName"] for alarm in made["Alarms"])
    assert len(names) == 2
    shown = cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
    assert {item["ComparisonOperator"] for item in shown} == {
        "GreaterThanThreshold",
        "LessThanThreshold",
    }
    for item in shown:
        (action,) = item["AlarmActions"]
        assert action.startswith(made["PolicyARN"])
        assert (item["Namespace"], item["MetricName"]) == ("AWS/ECS", "CPUUtilization")
    (policy,) = scaling.describe_scaling_policies(
        ServiceNamespace="ecs", ResourceId=target["ResourceId"]
    )["ScalingPolicies"]
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == TRACKING
    assert sorted(alarm["AlarmName"] for alarm in policy["Alarms"]) == names
    scaling.delete_scaling_policy(**target, PolicyName="cpu")
    assert cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"] == []


@lacks(moto="ignores the names that are asked for")
def test_a_step_policy_makes_no_alarm(scaling: Any, target: dict[str, str]) -> None:
    made = scaling.put_scaling_policy(
        **target,
        PolicyName="steps",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration=STEPS,
    )
    assert not made.get("Alarms")
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs", PolicyNames=["steps"])[
        "ScalingPolicies"
    ]
    assert policy["StepScalingPolicyConfiguration"] == STEPS
    scaling.delete_scaling_policy(**target, PolicyName="steps")


def test_a_scheduled_action(scaling: Any, target: dict[str, str]) -> None:
    action = {"MinCapacity": 2, "MaxCapacity": 8}
    scaling.put_scheduled_action(
        **target,
        ScheduledActionName="morning",
        Schedule="cron(0 8 * * ? *)",
        Timezone="Europe/Berlin",
        ScalableTargetAction=action,
    )
    (found,) = scaling.describe_scheduled_actions(
        ServiceNamespace="ecs", ResourceId=target["ResourceId"]
    )["ScheduledActions"]
    assert found["ScheduledActionName"] == "morning"
    assert found["Schedule"] == "cron(0 8 * * ? *)"
    assert found["Timezone"] == "Europe/Berlin"
    assert found["ScalableTargetAction"] == action
    scaling.delete_scheduled_action(**target, ScheduledActionName="morning")
    answer = scaling.describe_scheduled_actions(
        ServiceNamespace="ecs", ResourceId=target["ResourceId"]
    )
    assert answer["ScheduledActions"] == []


@lacks(moto="fails with a 500")
def test_tags_of_a_target(scaling: Any, target: dict[str, str]) -> None:
    arn = _target(scaling, target["ResourceId"])["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"team": "web", "stage": "test"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"stage": "test"}


@lacks(moto="nothing acts, and it has no activities")
def test_bounds_move_the_service(
    scaling: Any, ecs: Any, cloud: Cloud, cluster: str, service: str, target: dict[str, str]
) -> None:
    scaling.register_scalable_target(**target, MinCapacity=4, MaxCapacity=6)

    def moved() -> bool:
        (found,) = ecs.describe_services(cluster=cluster, services=[service])["services"]
        return bool(found["desiredCount"] == 4)

    cloud.until(moved, "it has as many as it must")
    (activity,) = scaling.describe_scaling_activities(
        ServiceNamespace="ecs", ResourceId=target["ResourceId"]
    )["ScalingActivities"]
    assert activity["StatusCode"] == "Successful"
    assert "4" in activity["Description"]
