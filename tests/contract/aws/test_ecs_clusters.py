"""ECS clusters, their hosts and their tags, as the sandbox and its judges have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, fargate, lacks, refused


def _described(ecs: Any, name: str, *include: str) -> Any:
    (found,) = ecs.describe_clusters(clusters=[name], include=list(include))["clusters"]
    return found


def test_a_new_cluster_is_empty_and_listed(ecs: Any, cloud: Cloud) -> None:
    name = cloud.name("cluster")
    made = ecs.create_cluster(clusterName=name)["cluster"]
    assert made["clusterArn"].endswith(f":cluster/{name}")
    assert made["status"] == "ACTIVE"
    found = _described(ecs, name)
    assert found["clusterArn"] == made["clusterArn"]
    counts = ("runningTasksCount", "pendingTasksCount", "activeServicesCount")
    assert [found[key] for key in counts] == [0, 0, 0]
    assert found["registeredContainerInstancesCount"] == 0
    assert made["clusterArn"] in ecs.list_clusters()["clusterArns"]


def test_a_cluster_is_known_by_name_and_by_arn(ecs: Any, cluster: str) -> None:
    arn = _described(ecs, cluster)["clusterArn"]
    assert _described(ecs, arn)["clusterName"] == cluster
    assert ecs.list_services(cluster=arn)["serviceArns"] == []


def test_making_a_cluster_again_changes_nothing(ecs: Any, cluster: str) -> None:
    again = ecs.create_cluster(clusterName=cluster)["cluster"]
    assert again["clusterName"] == cluster
    arns = ecs.list_clusters()["clusterArns"]
    assert arns.count(again["clusterArn"]) == 1


def test_clusters_that_are_not_there_are_failures(ecs: Any, cluster: str) -> None:
    answer = ecs.describe_clusters(clusters=["none-such", cluster])
    assert [item["clusterName"] for item in answer["clusters"]] == [cluster]
    (failure,) = answer["failures"]
    assert failure["reason"] == "MISSING"
    assert failure["arn"].endswith("cluster/none-such")


@lacks(moto="answers an empty list", ministack="answers an empty list")
def test_what_needs_a_cluster_says_that_there_is_none(ecs: Any) -> None:
    for call in (ecs.list_services, ecs.list_tasks, ecs.list_container_instances):
        with refused("ClusterNotFoundException"):
            call(cluster="none-such")
    with refused("ClusterNotFoundException"):
        ecs.delete_cluster(cluster="none-such")


@lacks(moto="lists what is deleted")
def test_an_empty_cluster_can_be_deleted(ecs: Any, cluster: str) -> None:
    gone = ecs.delete_cluster(cluster=cluster)["cluster"]
    assert gone["status"] == "INACTIVE"
    assert gone["clusterArn"] not in ecs.list_clusters()["clusterArns"]


@lacks(moto="deletes it all the same", ministack="deletes it all the same")
def test_a_cluster_with_services_stays(ecs: Any, cluster: str, service: str) -> None:
    with refused("ClusterContainsServicesException"):
        ecs.delete_cluster(cluster=cluster)


@lacks(moto="has no UpdateClusterSettings")
def test_settings_can_be_chosen_and_changed(ecs: Any, cloud: Cloud) -> None:
    name = cloud.name("cluster")
    ecs.create_cluster(
        clusterName=name, settings=[{"name": "containerInsights", "value": "enabled"}]
    )
    setting = {"name": "containerInsights", "value": "enabled"}
    assert _described(ecs, name, "SETTINGS")["settings"] == [setting]
    setting["value"] = "disabled"
    ecs.update_cluster_settings(cluster=name, settings=[setting])
    assert _described(ecs, name, "SETTINGS")["settings"] == [setting]


def test_capacity_providers_are_put(ecs: Any, cluster: str) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 2, "base": 1}]
    ecs.put_cluster_capacity_providers(
        cluster=cluster,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=strategy,
    )
    found = _described(ecs, cluster)
    assert set(found["capacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
    assert found["defaultCapacityProviderStrategy"] == strategy


@lacks(moto="ignores the size of a page", ministack="ignores the size of a page")
def test_clusters_come_in_pages(ecs: Any, cloud: Cloud) -> None:
    names = [cloud.name("paged") for _ in range(5)]
    for name in names:
        ecs.create_cluster(clusterName=name)
    pages = list(ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["clusterArns"]) <= 2 for page in pages)
    arns = [arn for page in pages for arn in page["clusterArns"]]
    assert len(arns) == len(set(arns))
    assert set(names) <= {arn.rpartition("/")[2] for arn in arns}


# --- tags ---


def test_tags_of_a_cluster_come_and_go(ecs: Any, cloud: Cloud) -> None:
    name = cloud.name("tagged")
    arn = ecs.create_cluster(clusterName=name, tags=[{"key": "team", "value": "web"}])["cluster"][
        "clusterArn"
    ]
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "test"}])
    tags = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert {(tag["key"], tag["value"]) for tag in tags} == {("team", "web"), ("stage", "test")}
    ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
    tags = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "stage", "value": "test"}]
    assert _described(ecs, name, "TAGS")["tags"] == tags


def test_tags_are_shown_only_when_asked_for(ecs: Any, cloud: Cloud) -> None:
    name = cloud.name("tagged")
    ecs.create_cluster(clusterName=name, tags=[{"key": "team", "value": "web"}])
    assert not _described(ecs, name).get("tags")


def test_a_tag_that_is_put_again_changes(ecs: Any, cloud: Cloud, family: str) -> None:
    arn = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]["taskDefinitionArn"]
    for value in ("one", "two"):
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "version", "value": value}])
    tags = ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    assert tags == [{"key": "version", "value": "two"}]


# --- hosts ---


@pytest.fixture
def host(cloud: Cloud, ecs: Any, cluster: str) -> str:
    """The ARN of a container instance that has registered with ``cluster``."""
    ec2_id = "i-0123456789abcdef0"
    if cloud.kind == "moto":  # which wants the instance to exist
        ec2 = cloud.client("ec2")
        image = ec2.describe_images()["Images"][0]["ImageId"]
        ec2_id = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0][
            "InstanceId"
        ]
    document = {
        "instanceId": ec2_id,
        "instanceType": "m6i.large",
        "availabilityZone": "eu-central-1a",
        "region": "eu-central-1",
        "accountId": "123456789012",
        "privateIp": "10.0.0.9",
        "architecture": "x86_64",
        "imageId": "ami-12345678",
        "version": "2017-09-30",
        "pendingTime": "2026-01-05T11:00:00Z",
        "kernelId": None,
        "ramdiskId": None,
        "billingProducts": None,
    }
    answer = ecs.register_container_instance(
        cluster=cluster,
        instanceIdentityDocument=json.dumps(document),
        totalResources=[
            {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": 7680},
        ],
    )
    return str(answer["containerInstance"]["containerInstanceArn"])


_NO_HOSTS = "has no container instances"


@lacks(ministack=_NO_HOSTS)
def test_a_host_registers_and_is_seen(ecs: Any, cluster: str, host: str) -> None:
    assert ecs.list_container_instances(cluster=cluster)["containerInstanceArns"] == [host]
    assert _described(ecs, cluster)["registeredContainerInstancesCount"] == 1
    answer = ecs.describe_container_instances(cluster=cluster, containerInstances=[host])
    (found,) = answer["containerInstances"]
    assert found["containerInstanceArn"] == host
    assert found["status"] == "ACTIVE"
    assert found["agentConnected"] is True
    assert found["ec2InstanceId"].startswith("i-")
    assert found["runningTasksCount"] == found["pendingTasksCount"] == 0
    for key in ("registeredResources", "remainingResources"):
        assert {"CPU", "MEMORY"} <= {item["name"] for item in found[key]}


@lacks(moto="has another ARN for it", ministack=_NO_HOSTS)
def test_hosts_that_are_not_there_are_failures(ecs: Any, cluster: str, host: str) -> None:
    none = host[:-4] + "0000"
    answer = ecs.describe_container_instances(cluster=cluster, containerInstances=[none])
    assert answer["containerInstances"] == []
    assert answer["failures"] == [{"arn": none, "reason": "MISSING"}]


@lacks(ministack=_NO_HOSTS)
def test_a_host_drains_and_comes_back(ecs: Any, cluster: str, host: str) -> None:
    for status in ("DRAINING", "ACTIVE"):
        answer = ecs.update_container_instances_state(
            cluster=cluster, containerInstances=[host], status=status
        )
        assert answer["containerInstances"][0]["status"] == status
        found = ecs.list_container_instances(cluster=cluster, status=status)
        assert found["containerInstanceArns"] == [host]


@lacks(moto="deletes it all the same", ministack=_NO_HOSTS)
def test_a_cluster_with_hosts_stays_until_they_are_gone(ecs: Any, cluster: str, host: str) -> None:
    with refused("ClusterContainsContainerInstancesException"):
        ecs.delete_cluster(cluster=cluster)
    gone = ecs.deregister_container_instance(cluster=cluster, containerInstance=host)
    assert gone["containerInstance"]["status"] == "INACTIVE"
    assert ecs.list_container_instances(cluster=cluster)["containerInstanceArns"] == []
    assert ecs.delete_cluster(cluster=cluster)["cluster"]["status"] == "INACTIVE"


@lacks(moto="has a size of its own for every host", ministack=_NO_HOSTS)
def test_a_task_on_a_host_takes_its_share(ecs: Any, cloud: Cloud, cluster: str, host: str) -> None:
    family = cloud.name("family")
    container = {"name": "a", "image": "nginx:1.27-alpine", "cpu": 512, "memory": 1024}
    ecs.register_task_definition(family=family, containerDefinitions=[container])
    (task,) = ecs.run_task(cluster=cluster, taskDefinition=family)["tasks"]
    assert task["containerInstanceArn"] == host

    def left() -> int:
        answer = ecs.describe_container_instances(cluster=cluster, containerInstances=[host])
        resources = answer["containerInstances"][0]["remainingResources"]
        return int(next(item["integerValue"] for item in resources if item["name"] == "CPU"))

    assert left() == 2048 - 512
    ecs.stop_task(cluster=cluster, task=task["taskArn"])
    cloud.until(lambda: left() == 2048, "the task's share is free again")


def test_where_there_is_no_host_nothing_runs_on_ec2(ecs: Any, cluster: str, family: str) -> None:
    assert ecs.list_container_instances(cluster=cluster)["containerInstanceArns"] == []
    assert ecs.list_tasks(cluster=cluster, launchType="EC2")["taskArns"] == []
    assert fargate(family)["requiresCompatibilities"] == ["FARGATE"]
