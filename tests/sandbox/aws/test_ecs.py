"""Services, deployments and tasks behave as ECS documents them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import World

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}


def service_of(ecs: Any, cluster: str, name: str) -> dict[str, Any]:
    (found,) = ecs.describe_services(cluster=cluster, services=[name])["services"]
    return dict(found)


def cpu_of(world: World, cloudwatch: Any, cluster: str, name: str, minutes: int = 3) -> float:
    """The average CPU of the last minutes."""
    points = cloudwatch.get_metric_statistics(
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[
            {"Name": "ClusterName", "Value": cluster},
            {"Name": "ServiceName", "Value": name},
        ],
        StartTime=datetime.fromtimestamp(world.now - 60 * (minutes + 2), UTC),
        EndTime=datetime.fromtimestamp(world.now, UTC),
        Period=60,
        Statistics=["Average"],
    )["Datapoints"]
    assert points
    return float(sum(point["Average"] for point in points) / len(points))


def new_revision(ecs: Any, family: str, image: str) -> str:
    body = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    kept = {
        name: body[name]
        for name in (
            "family",
            "networkMode",
            "requiresCompatibilities",
            "cpu",
            "memory",
            "executionRoleArn",
        )
        if name in body
    }
    containers = [{**item, "image": image} for item in body["containerDefinitions"]]
    made = ecs.register_task_definition(containerDefinitions=containers, **kept)["taskDefinition"]
    assert made["revision"] == body["revision"] + 1
    return str(made["taskDefinitionArn"])


def test_scaling_out_lowers_the_processor_load(world: World, ecs: Any, cloudwatch: Any) -> None:
    world.live(300)
    before = cpu_of(world, cloudwatch, "shop-prod", "payments")
    ecs.update_service(cluster="shop-prod", service="payments", desiredCount=6)
    shown = service_of(ecs, "shop-prod", "payments")
    assert (shown["desiredCount"], shown["runningCount"]) == (6, 3)
    world.until(lambda: service_of(ecs, "shop-prod", "payments")["runningCount"] == 6)
    world.live(420)
    assert cpu_of(world, cloudwatch, "shop-prod", "payments") < before * 0.65
    messages = [item["message"] for item in service_of(ecs, "shop-prod", "payments")["events"]]
    assert any("has started 3 tasks: (task " in text for text in messages)
    assert messages[0] == "(service payments) has reached a steady state."


def test_new_tasks_take_time_and_pass_through_their_states(world: World, ecs: Any) -> None:
    ecs.update_service(cluster="shop-prod", service="payments", desiredCount=4)
    old = set(ecs.list_tasks(cluster="shop-prod", serviceName="payments")["taskArns"])
    world.live(5)
    (arn,) = set(ecs.list_tasks(cluster="shop-prod", serviceName="payments")["taskArns"]) - old
    seen = []
    for _ in range(30):
        (task,) = ecs.describe_tasks(cluster="shop-prod", tasks=[arn])["tasks"]
        seen.append(task["lastStatus"])
        world.live(5)
    order = list(dict.fromkeys(seen))
    assert order[0] == "PROVISIONING"
    assert order[-1] == "RUNNING"
    assert order == [
        name for name in ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING") if name in order
    ]
    assert task["createdAt"] < task["pullStartedAt"] < task["pullStoppedAt"] < task["startedAt"]
    assert (task["startedAt"] - task["createdAt"]).total_seconds() > 15


def test_scaling_in_drains_and_leaves_stopped_tasks(world: World, ecs: Any) -> None:
    ecs.update_service(cluster="shop-prod", service="payments", desiredCount=1)
    world.until(lambda: service_of(ecs, "shop-prod", "payments")["runningCount"] == 1)
    world.live(60)
    arns = ecs.list_tasks(cluster="shop-prod", desiredStatus="STOPPED")["taskArns"]
    stopped = ecs.describe_tasks(cluster="shop-prod", tasks=arns)["tasks"]
    assert len(stopped) == 2
    for task in stopped:
        assert task["stopCode"] == "ServiceSchedulerInitiated"
        assert task["stoppedReason"].startswith(
            "Scaling activity initiated by (deployment ecs-svc/"
        )
        assert task["containers"][0]["lastStatus"] == "STOPPED"
        assert task["stoppingAt"] <= task["stoppedAt"]
    world.live(2 * 3600)
    assert ecs.list_tasks(cluster="shop-prod", desiredStatus="STOPPED")["taskArns"] == []


def test_a_deployment_rolls_within_its_percentages(world: World, ecs: Any) -> None:
    arn = new_revision(
        ecs,
        "shop-prod-payments",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/payments:2.14.1",
    )
    ecs.update_service(
        cluster="shop-prod",
        service="payments",
        taskDefinition=arn,
        deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 150},
    )
    began = service_of(ecs, "shop-prod", "payments")
    assert [item["status"] for item in began["deployments"]] == ["PRIMARY", "ACTIVE"]
    assert began["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    for _ in range(120):
        world.live(5)
        shown = service_of(ecs, "shop-prod", "payments")
        tasks = ecs.list_tasks(cluster="shop-prod", serviceName="payments")["taskArns"]
        described = ecs.describe_tasks(cluster="shop-prod", tasks=tasks)["tasks"]
        assert len(described) <= 4
        assert sum(task["lastStatus"] == "RUNNING" for task in described) >= 3
        if (
            shown["deployments"][0]["rolloutState"] == "COMPLETED"
            and len(shown["deployments"]) == 1
        ):
            break
    assert shown["taskDefinition"] == arn
    assert {task["taskDefinitionArn"] for task in described} == {arn}
    (record,) = ecs.list_service_deployments(
        cluster="shop-prod", service="payments", status=["SUCCESSFUL"]
    )["serviceDeployments"][:1]
    assert record["status"] == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/checkout:no-such-tag",
            "CannotPullContainerError",
        ),
        (
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/checkout:2.15.0-rc1",
            "Task failed ELB health checks",
        ),
    ],
)
def test_a_bad_image_trips_the_circuit_breaker_and_is_rolled_back(
    world: World, ecs: Any, image: str, reason: str
) -> None:
    good = service_of(ecs, "shop-prod", "checkout")["taskDefinition"]
    bad = new_revision(ecs, "shop-prod-checkout", image)
    ecs.update_service(cluster="shop-prod", service="checkout", taskDefinition=bad)

    def rolled_back() -> bool:
        shown = service_of(ecs, "shop-prod", "checkout")
        assert shown["runningCount"] >= shown["desiredCount"]
        first = shown["deployments"][0]
        return (
            len(shown["deployments"]) == 1
            and first["taskDefinition"] == good
            and first["rolloutState"] == "COMPLETED"
        )

    world.until(rolled_back)
    messages = " ".join(
        item["message"] for item in service_of(ecs, "shop-prod", "checkout")["events"]
    )
    assert "deployment failed: tasks failed to start." in messages
    assert "rolling back to deployment ecs-svc/" in messages
    arns = ecs.list_tasks(
        cluster="shop-prod", desiredStatus="STOPPED", family="shop-prod-checkout"
    )["taskArns"]
    stopped = ecs.describe_tasks(cluster="shop-prod", tasks=arns)["tasks"]
    assert any(task["stoppedReason"].startswith(reason) for task in stopped)
    records = ecs.list_service_deployments(cluster="shop-prod", service="checkout")[
        "serviceDeployments"
    ]
    assert {"SUCCESSFUL", "ROLLBACK_SUCCESSFUL"} <= {item["status"] for item in records}


def test_without_a_breaker_a_bad_deployment_goes_on_failing(world: World, ecs: Any) -> None:
    bad = new_revision(
        ecs,
        "shop-staging-checkout",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/checkout:nope",
    )
    ecs.update_service(cluster="shop-staging", service="checkout", taskDefinition=bad)
    world.live(1200)
    shown = service_of(ecs, "shop-staging", "checkout")
    assert shown["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    assert shown["deployments"][0]["failedTasks"] >= 5
    assert shown["runningCount"] == 1
    assert any("unable to consistently start tasks" in item["message"] for item in shown["events"])


def test_no_room_is_said_and_hosts_are_added(world: World, ecs: Any) -> None:
    hosts = ecs.list_container_instances(cluster="platform")["containerInstanceArns"]
    ecs.update_service(cluster="platform", service="reports", desiredCount=30)
    world.live(60)
    messages = [item["message"] for item in service_of(ecs, "platform", "reports")["events"]]
    assert any(
        "was unable to place a task because no container instance met" in text for text in messages
    )
    world.live(900)
    assert len(ecs.list_container_instances(cluster="platform")["containerInstanceArns"]) > len(
        hosts
    )


def test_draining_a_host_moves_its_tasks(world: World, ecs: Any) -> None:
    (host, *_) = ecs.list_container_instances(cluster="platform")["containerInstanceArns"]
    ecs.update_container_instances_state(
        cluster="platform", containerInstances=[host], status="DRAINING"
    )
    world.live(600)
    (shown,) = ecs.describe_container_instances(cluster="platform", containerInstances=[host])[
        "containerInstances"
    ]
    assert shown["runningTasksCount"] == 0
    services = ecs.list_services(cluster="platform", maxResults=100)["serviceArns"]
    for item in ecs.describe_services(cluster="platform", services=services)["services"]:
        assert item["runningCount"] == item["desiredCount"], item["serviceName"]


def test_a_service_lives_and_dies(world: World, ecs: Any, cloudwatch: Any) -> None:
    ecs.create_cluster(
        clusterName="lab", settings=[{"name": "containerInsights", "value": "enabled"}]
    )
    ecs.register_task_definition(
        family="hello",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "hello", "image": "nginx:alpine"}],
    )
    ecs.create_service(
        cluster="lab",
        serviceName="hello",
        taskDefinition="hello",
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    world.until(
        lambda: service_of(ecs, "lab", "hello")["deployments"][0]["rolloutState"] == "COMPLETED"
    )
    world.live(300)
    assert 5 < cpu_of(world, cloudwatch, "lab", "hello") < 95
    with pytest.raises(ClientError, match="cannot be stopped while it is scaled above 0"):
        ecs.delete_service(cluster="lab", service="hello")
    with pytest.raises(ClientError) as caught:
        ecs.delete_cluster(cluster="lab")
    assert caught.value.response["Error"]["Code"] == "ClusterContainsServicesException"
    ecs.delete_service(cluster="lab", service="hello", force=True)
    world.until(lambda: service_of(ecs, "lab", "hello")["status"] == "INACTIVE")
    ecs.delete_cluster(cluster="lab")


def test_a_task_is_run_and_ends_by_itself(world: World, ecs: Any) -> None:
    run = ecs.run_task(
        cluster="shop-prod",
        taskDefinition="shop-prod-api",
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        count=2,
        startedBy="me",
    )
    assert len(run["tasks"]) == 2
    ecs.stop_task(cluster="shop-prod", task=run["tasks"][0]["taskArn"], reason="enough")
    world.live(300)
    described = ecs.describe_tasks(
        cluster="shop-prod", tasks=[task["taskArn"] for task in run["tasks"]]
    )["tasks"]
    assert [task["lastStatus"] for task in described] == ["STOPPED", "STOPPED"]
    assert (described[0]["stopCode"], described[0]["stoppedReason"]) == ("UserInitiated", "enough")
    assert (described[1]["stopCode"], described[1]["containers"][0]["exitCode"]) == (
        "EssentialContainerExited",
        0,
    )


def test_execute_command_needs_to_be_enabled(ecs: Any) -> None:
    def run(service: str) -> Any:
        (task, *_) = ecs.list_tasks(cluster="shop-prod", serviceName=service)["taskArns"]
        return ecs.execute_command(
            cluster="shop-prod", task=task, command="/bin/sh", interactive=True
        )

    assert run("api")["session"]["sessionId"].startswith("ecs-execute-command-")
    with pytest.raises(ClientError, match="execute command was not enabled"):
        run("web")


def test_the_same_seed_tells_the_same_story() -> None:
    told = []
    for _ in range(2):
        world = World()
        try:
            ecs = world.client("ecs")
            ecs.update_service(cluster="shop-prod", service="web", desiredCount=12)
            for _ in range(len(told) * 6 + 6):
                world.live(600 / (len(told) * 6 + 6))
            shown = service_of(ecs, "shop-prod", "web")
            tasks = ecs.list_tasks(cluster="shop-prod")["taskArns"]
            told.append(
                (sorted(tasks), [(item["message"], item["createdAt"]) for item in shown["events"]])
            )
        finally:
            world.close()
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": "300"},
        {"memory": "100"},
        {"networkMode": "bridge"},
        {"family": "no spaces"},
        {"containerDefinitions": []},
    ],
    ids=["cpu", "memory", "network", "family", "containers"],
)
def test_definitions_that_can_not_run_are_refused(ecs: Any, change: dict[str, Any]) -> None:
    known = ecs.describe_task_definition(taskDefinition="shop-prod-web")["taskDefinition"]
    names = ("networkMode", "requiresCompatibilities", "cpu", "memory", "containerDefinitions")
    good = {"family": "new", **{name: known[name] for name in names}}
    ecs.register_task_definition(**good)
    with pytest.raises(ClientError) as caught:
        ecs.register_task_definition(**{**good, **change})
    assert caught.value.response["Error"]["Code"] == "ClientException"
