"""Each scenario is felt through the APIs, and ends when another is played."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dockdesk.sandbox.aws.seed import EXTRA_CLUSTERS, EXTRA_SERVICES
from tests.sandbox.aws.conftest import World
from tests.sandbox.aws.test_ecs import service_of


def _metric(
    world: World,
    cloudwatch: Any,
    name: str,
    service: str,
    cluster: str,
    stat: str,
    namespace: str = "AWS/ECS",
) -> float:
    """The value of the last ten minutes."""
    points = cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[
            {"Name": "ClusterName", "Value": cluster},
            {"Name": "ServiceName", "Value": service},
        ],
        StartTime=datetime.fromtimestamp(world.now - 600, UTC),
        EndTime=datetime.fromtimestamp(world.now, UTC),
        Period=600,
        Statistics=[stat],
    )["Datapoints"]
    return float(points[-1][stat])


def test_a_calm_day_is_calm(world: World, ecs: Any, cloudwatch: Any) -> None:
    world.live(2 * 3600)
    for cluster in ("shop-prod", "shop-staging", "platform"):
        names = ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]
        for start in range(0, len(names), 10):
            for item in ecs.describe_services(cluster=cluster, services=names[start : start + 10])[
                "services"
            ]:
                assert item["runningCount"] == item["desiredCount"], item["serviceName"]
                assert len(item["deployments"]) == 1
        stopped = ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
        for task in ecs.describe_tasks(cluster=cluster, tasks=stopped)["tasks"] if stopped else ():
            assert task["stoppedReason"].startswith("Scaling activity")


def test_a_bad_deploy_fails_and_is_rolled_back(world: World, ecs: Any) -> None:
    good = service_of(ecs, "shop-prod", "checkout")["taskDefinition"]
    world.play("bad-deploy")
    shown = service_of(ecs, "shop-prod", "checkout")
    assert shown["taskDefinition"] != good
    assert shown["deployments"][0]["rolloutState"] == "IN_PROGRESS"
    world.until(lambda: service_of(ecs, "shop-prod", "checkout")["taskDefinition"] == good)


def test_a_memory_leak_ends_in_kills(world: World, ecs: Any, cloudwatch: Any) -> None:
    world.live(600)
    before = _metric(world, cloudwatch, "MemoryUtilization", "checkout", "shop-prod", "Average")
    world.play("memory-leak")
    world.live(900)
    assert (
        _metric(world, cloudwatch, "MemoryUtilization", "checkout", "shop-prod", "Average")
        > before + 10
    )
    world.live(2400)
    arns = ecs.list_tasks(
        cluster="shop-prod", desiredStatus="STOPPED", family="shop-prod-checkout"
    )["taskArns"]
    killed = [
        task
        for task in ecs.describe_tasks(cluster="shop-prod", tasks=arns)["tasks"]
        if task["containers"][0].get("exitCode") == 137
    ]
    assert killed
    assert killed[0]["containers"][0]["reason"].startswith("OutOfMemoryError: Container killed")
    assert killed[0]["stopCode"] == "EssentialContainerExited"
    world.play("calm")
    world.live(900)
    shown = service_of(ecs, "shop-prod", "checkout")
    assert shown["runningCount"] == shown["desiredCount"]


def test_a_noisy_neighbour_makes_one_host_slow(world: World, ecs: Any, cloudwatch: Any) -> None:
    def busiest(services: set[str]) -> dict[str, float]:
        return {
            name: _metric(world, cloudwatch, "CPUUtilization", name, "platform", "Maximum")
            for name in services
        }

    world.live(660)
    names = {
        arn.rpartition("/")[2]
        for arn in ecs.list_services(cluster="platform", maxResults=100)["serviceArns"]
    }
    before = busiest(names)
    world.play("noisy-neighbour")
    host = world.aws.home.cloud.noisy_host
    assert host is not None
    world.live(900)
    after = busiest(names)
    there = {task.group.removeprefix("service:") for task in host.tasks.values()}
    busy = {name for name in there if before[name] > 30}
    assert busy
    assert all(after[name] > before[name] + 15 for name in busy)
    elsewhere = names - there
    assert all(abs(after[name] - before[name]) < 15 for name in elsewhere)


def test_a_zone_goes_and_its_tasks_move(world: World, ecs: Any) -> None:
    def zones() -> set[str]:
        tasks = ecs.list_tasks(cluster="shop-prod", serviceName="api")["taskArns"]
        return {
            task["availabilityZone"]
            for task in ecs.describe_tasks(cluster="shop-prod", tasks=tasks)["tasks"]
        }

    assert len(zones()) == 3
    world.play("az-outage")
    world.live(600)
    assert zones() == {"eu-central-1a", "eu-central-1c"}
    shown = service_of(ecs, "shop-prod", "api")
    assert shown["runningCount"] == shown["desiredCount"]
    hosts = ecs.list_container_instances(cluster="platform")["containerInstanceArns"]
    described = ecs.describe_container_instances(cluster="platform", containerInstances=hosts)[
        "containerInstances"
    ]
    assert {item["agentConnected"] for item in described} == {True, False}
    states = {
        item["ZoneName"]: item["State"]
        for item in world.client("ec2").describe_availability_zones()["AvailabilityZones"]
    }
    assert states["eu-central-1b"] == "impaired"
    world.play("calm")
    world.live(60)
    described = ecs.describe_container_instances(cluster="platform", containerInstances=hosts)[
        "containerInstances"
    ]
    assert {item["agentConnected"] for item in described} == {True}


def test_huge_can_be_listed_whole(world: World, ecs: Any) -> None:
    world.play("huge")
    clusters = [
        arn for page in ecs.get_paginator("list_clusters").paginate() for arn in page["clusterArns"]
    ]
    assert len(clusters) == EXTRA_CLUSTERS + 3
    names = {
        arn
        for cluster in clusters
        for page in ecs.get_paginator("list_services").paginate(
            cluster=cluster, PaginationConfig={"PageSize": 100}
        )
        for arn in page["serviceArns"]
    }
    assert len(names) == EXTRA_SERVICES
    ecs.update_service(cluster="team-000", service="service-00", desiredCount=4)
    world.live(300)
    assert service_of(ecs, "team-000", "service-00")["runningCount"] == 4
    world.play("huge")
    assert len(ecs.list_clusters(maxResults=100)["clusterArns"]) == 100
