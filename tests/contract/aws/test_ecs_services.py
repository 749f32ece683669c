"""Services and their deployments, as the sandbox and its judges have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, fargate, lacks, refused


def _shown(ecs: Any, cluster: str, name: str, *include: str) -> Any:
    answer = ecs.describe_services(cluster=cluster, services=[name], include=list(include))
    (found,) = answer["services"]
    return found


def _steady(ecs: Any, cloud: Cloud, cluster: str, name: str) -> Any:
    """The service, once it has as many tasks as it wants, of one deployment."""

    def found() -> Any:
        item = _shown(ecs, cluster, name)
        done = item["runningCount"] == item["desiredCount"] and len(item["deployments"]) == 1
        return item if done and item["deployments"][0]["rolloutState"] == "COMPLETED" else None

    return cloud.until(found, f"{name} is steady")


_NO_TASKS = "its services never start a task"


@lacks(moto="does not count a cluster's services")
def test_a_new_service(ecs: Any, cluster: str, family: str, service: str) -> None:
    found = _shown(ecs, cluster, service)
    assert found["serviceArn"].endswith(f":service/{cluster}/{service}")
    assert found["clusterArn"].endswith(f":cluster/{cluster}")
    assert (found["status"], found["desiredCount"]) == ("ACTIVE", 2)
    assert found["taskDefinition"].endswith(f"/{family}:1")
    assert found["launchType"] == "FARGATE"
    assert found["schedulingStrategy"] == "REPLICA"
    (deployment,) = found["deployments"]
    assert deployment["status"] == "PRIMARY"
    assert deployment["desiredCount"] == 2
    assert deployment["taskDefinition"] == found["taskDefinition"]
    assert ecs.list_services(cluster=cluster)["serviceArns"] == [found["serviceArn"]]
    counts = ecs.describe_clusters(clusters=[cluster])["clusters"][0]
    assert counts["activeServicesCount"] == 1


@lacks(moto=_NO_TASKS, ministack="its tasks name no deployment")
def test_it_gets_its_tasks(ecs: Any, cloud: Cloud, cluster: str, service: str) -> None:
    item = _steady(ecs, cloud, cluster, service)
    assert item["pendingCount"] == 0
    arns = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
    assert len(tasks) == 2
    assert {task["group"] for task in tasks} == {f"service:{service}"}
    assert {task["startedBy"] for task in tasks} == {item["deployments"][0]["id"]}


@lacks(moto=_NO_TASKS, ministack="its services tell no events")
def test_it_tells_what_happened(ecs: Any, cloud: Cloud, cluster: str, service: str) -> None:
    _steady(ecs, cloud, cluster, service)

    def told() -> bool:
        events = _shown(ecs, cluster, service)["events"]
        return any("steady state" in event["message"] for event in events)

    cloud.until(told, "it says that it is steady")


@lacks(moto="does not filter by service")
def test_tasks_are_listed_by_service(
    ecs: Any, cloud: Cloud, cluster: str, family: str, service: str, network: dict[str, Any]
) -> None:
    _steady(ecs, cloud, cluster, service)
    loose = ecs.run_task(
        cluster=cluster, taskDefinition=family, launchType="FARGATE", networkConfiguration=network
    )["tasks"][0]["taskArn"]
    assert loose not in ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    assert loose in ecs.list_tasks(cluster=cluster)["taskArns"]


@lacks(moto=_NO_TASKS)
@pytest.mark.parametrize("count", [0, 1, 4])
def test_it_is_scaled(ecs: Any, cloud: Cloud, cluster: str, service: str, count: int) -> None:
    _steady(ecs, cloud, cluster, service)
    told = ecs.update_service(cluster=cluster, service=service, desiredCount=count)["service"]
    assert told["desiredCount"] == count
    assert len(told["deployments"]) == 1
    _steady(ecs, cloud, cluster, service)
    arns = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
    assert len(arns) == count


@lacks(moto="keeps the family's name for the revision")
def test_a_new_revision_is_a_new_deployment(
    ecs: Any, cluster: str, family: str, service: str
) -> None:
    first = _shown(ecs, cluster, service)["deployments"][0]["id"]
    ecs.register_task_definition(**fargate(family))
    told = ecs.update_service(cluster=cluster, service=service, taskDefinition=family)["service"]
    assert told["taskDefinition"].endswith(f"/{family}:2")
    newest = told["deployments"][0]
    assert newest["status"] == "PRIMARY"
    assert newest["id"] != first
    assert newest["taskDefinition"].endswith(f"/{family}:2")


@lacks(moto=_NO_TASKS)
def test_a_deployment_replaces_every_task(
    ecs: Any, cloud: Cloud, cluster: str, family: str, service: str
) -> None:
    _steady(ecs, cloud, cluster, service)
    old = set(ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"])
    ecs.register_task_definition(**fargate(family))
    ecs.update_service(cluster=cluster, service=service, taskDefinition=family)

    def replaced() -> bool:
        arns = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
        return len(arns) == 2 and not old & set(arns)

    cloud.until(replaced, "all tasks are new")
    item = _steady(ecs, cloud, cluster, service)
    assert item["deployments"][0]["taskDefinition"].endswith(f"/{family}:2")


@lacks(moto=_NO_TASKS)
def test_a_forced_deployment_keeps_the_revision(
    ecs: Any, cloud: Cloud, cluster: str, family: str, service: str
) -> None:
    before = _steady(ecs, cloud, cluster, service)["deployments"][0]["id"]
    told = ecs.update_service(cluster=cluster, service=service, forceNewDeployment=True)["service"]
    assert told["deployments"][0]["id"] != before
    assert told["taskDefinition"].endswith(f"/{family}:1")
    _steady(ecs, cloud, cluster, service)


@lacks(moto=_NO_TASKS, ministack="replaces no task")
def test_a_task_that_is_stopped_is_replaced(
    ecs: Any, cloud: Cloud, cluster: str, service: str
) -> None:
    _steady(ecs, cloud, cluster, service)
    victim = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"][0]
    ecs.stop_task(cluster=cluster, task=victim)

    def replaced() -> bool:
        arns = ecs.list_tasks(cluster=cluster, serviceName=service)["taskArns"]
        return len(arns) == 2 and victim not in arns

    cloud.until(replaced, "another task has taken its place")
    _steady(ecs, cloud, cluster, service)


def test_services_that_are_not_there(ecs: Any, cluster: str) -> None:
    answer = ecs.describe_services(cluster=cluster, services=["none-such"])
    assert answer["services"] == []
    (failure,) = answer["failures"]
    assert failure["reason"] == "MISSING"
    assert failure["arn"].endswith("none-such")
    with refused("ServiceNotFoundException"):
        ecs.update_service(cluster=cluster, service="none-such", desiredCount=1)
    with refused("ServiceNotFoundException"):
        ecs.delete_service(cluster=cluster, service="none-such")


@lacks(ministack="does not check it")
def test_a_service_needs_a_definition_that_is_there(
    ecs: Any, cluster: str, network: dict[str, Any]
) -> None:
    with refused("ClientException"):
        ecs.create_service(
            cluster=cluster,
            serviceName="x",
            taskDefinition="none-such",
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration=network,
        )


@lacks(moto="makes it anew", ministack="has another code for it")
def test_two_services_can_not_have_one_name(
    ecs: Any, cluster: str, family: str, service: str, network: dict[str, Any]
) -> None:
    with refused("InvalidParameterException"):
        ecs.create_service(
            cluster=cluster,
            serviceName=service,
            taskDefinition=family,
            desiredCount=5,
            launchType="FARGATE",
            networkConfiguration=network,
        )


@lacks(moto="lists what is deleted")
def test_a_service_with_tasks_is_deleted_by_force_only(
    ecs: Any, cloud: Cloud, cluster: str, service: str
) -> None:
    with refused("InvalidParameterException"):
        ecs.delete_service(cluster=cluster, service=service)
    told = ecs.delete_service(cluster=cluster, service=service, force=True)["service"]
    assert told["status"] in {"DRAINING", "INACTIVE"}

    def gone() -> bool:
        return bool(_shown(ecs, cluster, service)["status"] == "INACTIVE")

    cloud.until(gone, "it is inactive")
    assert ecs.list_services(cluster=cluster)["serviceArns"] == []


def test_a_service_of_no_tasks_is_deleted(ecs: Any, cluster: str, service: str) -> None:
    ecs.update_service(cluster=cluster, service=service, desiredCount=0)
    told = ecs.delete_service(cluster=cluster, service=service)["service"]
    assert told["status"] in {"DRAINING", "INACTIVE"}


@lacks(moto="forgets the configuration")
def test_percentages_and_breaker_are_kept(
    ecs: Any, cloud: Cloud, cluster: str, family: str, network: dict[str, Any]
) -> None:
    name = cloud.name("service")
    settings = {
        "maximumPercent": 150,
        "minimumHealthyPercent": 50,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    }
    ecs.create_service(
        cluster=cluster,
        serviceName=name,
        taskDefinition=family,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=network,
        deploymentConfiguration=settings,
        tags=[{"key": "a", "value": "b"}],
        enableExecuteCommand=True,
    )
    found = _shown(ecs, cluster, name, "TAGS")
    for key, value in settings.items():
        assert found["deploymentConfiguration"][key] == value
    assert found["tags"] == [{"key": "a", "value": "b"}]
    assert found["enableExecuteCommand"] is True


@lacks(moto="ignores the size of a page", ministack="ignores the size of a page")
def test_services_come_in_pages(
    ecs: Any, cloud: Cloud, cluster: str, family: str, network: dict[str, Any]
) -> None:
    names = {cloud.name("service") for _ in range(13)}
    for name in names:
        ecs.create_service(
            cluster=cluster,
            serviceName=name,
            taskDefinition=family,
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=network,
        )
    assert len(ecs.list_services(cluster=cluster)["serviceArns"]) == 10  # unless asked for more
    pages = ecs.get_paginator("list_services").paginate(cluster=cluster)
    arns = [arn for page in pages for arn in page["serviceArns"]]
    assert {arn.rpartition("/")[2] for arn in arns} == names
    assert len(arns) == 13
    with refused("InvalidParameterException"):
        ecs.describe_services(cluster=cluster, services=sorted(names)[:11])


@lacks(moto="has no service deployments", ministack="has no service deployments")
def test_deployments_are_resources_of_their_own(
    ecs: Any, cloud: Cloud, cluster: str, service: str
) -> None:
    _steady(ecs, cloud, cluster, service)
    (brief,) = ecs.list_service_deployments(cluster=cluster, service=service)["serviceDeployments"]
    assert brief["status"] == "SUCCESSFUL"
    answer = ecs.describe_service_deployments(serviceDeploymentArns=[brief["serviceDeploymentArn"]])
    (told,) = answer["serviceDeployments"]
    assert told["serviceArn"].endswith(f"/{service}")
    revision = told["targetServiceRevision"]["arn"]
    answer = ecs.describe_service_revisions(serviceRevisionArns=[revision])
    assert answer["serviceRevisions"][0]["serviceArn"] == told["serviceArn"]
