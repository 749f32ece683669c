"""Task definitions and tasks, as the sandbox and its judges have them."""

from __future__ import annotations

from typing import Any

from tests.contract.aws.conftest import Cloud, fargate, lacks, refused

# --- task definitions ---


def test_revisions_count_up(ecs: Any, cloud: Cloud) -> None:
    family = cloud.name("family")
    made = [ecs.register_task_definition(**fargate(family))["taskDefinition"] for _ in range(3)]
    assert [item["revision"] for item in made] == [1, 2, 3]
    assert made[0]["taskDefinitionArn"].endswith(f":task-definition/{family}:1")
    assert {item["status"] for item in made} == {"ACTIVE"}
    newest = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert newest["revision"] == 3
    second = ecs.describe_task_definition(taskDefinition=f"{family}:2")["taskDefinition"]
    assert second["taskDefinitionArn"] == made[1]["taskDefinitionArn"]
    by_arn = ecs.describe_task_definition(taskDefinition=made[0]["taskDefinitionArn"])
    assert by_arn["taskDefinition"]["revision"] == 1


def test_what_was_registered_comes_back(ecs: Any, cloud: Cloud) -> None:
    container = {
        "name": "api",
        "image": "example.com/api:1",
        "cpu": 128,
        "memory": 256,
        "memoryReservation": 128,
        "essential": True,
        "command": ["serve", "--all"],
        "environment": [{"name": "A", "value": "1"}],
        "secrets": [
            {"name": "S", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/s"}
        ],
        "healthCheck": {"command": ["CMD", "true"], "interval": 15, "timeout": 5, "retries": 3},
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/x"}},
        "dockerLabels": {"a": "b"},
    }
    family = cloud.name("family")
    more = {
        "executionRoleArn": "arn:aws:iam::123456789012:role/exec",
        "taskRoleArn": "arn:aws:iam::123456789012:role/task",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "volumes": [{"name": "data", "host": {}}],
    }
    ecs.register_task_definition(**fargate(family, containerDefinitions=[container], **more))
    found = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    for name, value in container.items():
        assert found["containerDefinitions"][0][name] == value, name
    for name in ("executionRoleArn", "taskRoleArn", "runtimePlatform"):
        assert found[name] == more[name]
    assert found["volumes"][0]["name"] == "data"
    assert (found["cpu"], found["memory"], found["networkMode"]) == ("256", "512", "awsvpc")
    assert found["requiresCompatibilities"] == ["FARGATE"]


@lacks(moto="ignores the order")
def test_definitions_are_listed_by_family_and_order(ecs: Any, cloud: Cloud) -> None:
    family = cloud.name("listed")
    for _ in range(3):
        ecs.register_task_definition(**fargate(family))

    def revisions(**more: Any) -> list[int]:
        arns = ecs.list_task_definitions(familyPrefix=family, **more)["taskDefinitionArns"]
        return [int(arn.rpartition(":")[2]) for arn in arns]

    assert revisions() == [1, 2, 3]
    assert revisions(sort="DESC") == [3, 2, 1]
    families = ecs.list_task_definition_families(familyPrefix=family)["families"]
    assert families == [family]


@lacks(
    moto="shows the newest revision, active or not",
    ministack="shows the newest revision, active or not",
)
def test_a_deregistered_revision_is_inactive(ecs: Any, cloud: Cloud) -> None:
    family = cloud.name("family")
    for _ in range(2):
        ecs.register_task_definition(**fargate(family))
    gone = ecs.deregister_task_definition(taskDefinition=f"{family}:2")["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    newest = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert newest["revision"] == 1
    still = ecs.describe_task_definition(taskDefinition=f"{family}:2")["taskDefinition"]
    assert still["status"] == "INACTIVE"
    inactive = ecs.list_task_definitions(familyPrefix=family, status="INACTIVE")
    assert len(inactive["taskDefinitionArns"]) == 1
    assert ecs.register_task_definition(**fargate(family))["taskDefinition"]["revision"] == 3


@lacks(ministack="deletes active revisions")
def test_only_inactive_revisions_can_be_deleted(ecs: Any, family: str) -> None:
    answer = ecs.delete_task_definitions(taskDefinitions=[f"{family}:1"])
    assert answer["taskDefinitions"] == []
    assert len(answer["failures"]) == 1
    ecs.deregister_task_definition(taskDefinition=f"{family}:1")
    answer = ecs.delete_task_definitions(taskDefinitions=[f"{family}:1"])
    assert answer["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"
    assert answer["failures"] == []


def test_a_definition_that_is_not_there(ecs: Any) -> None:
    for name in ("none-such", "none-such:7"):
        with refused("ClientException"):
            ecs.describe_task_definition(taskDefinition=name)


def test_a_definition_has_tags(ecs: Any, cloud: Cloud) -> None:
    family = cloud.name("family")
    tags = [{"key": "team", "value": "web"}]
    ecs.register_task_definition(**fargate(family, tags=tags))
    found = ecs.describe_task_definition(taskDefinition=family, include=["TAGS"])
    assert found["tags"] == tags


# --- tasks ---


def _run(ecs: Any, cluster: str, family: str, network: dict[str, Any], **more: Any) -> Any:
    return ecs.run_task(
        cluster=cluster,
        taskDefinition=family,
        launchType="FARGATE",
        networkConfiguration=network,
        **more,
    )


@lacks(moto="its tasks never run")
def test_a_task_begins_to_run(
    ecs: Any, cloud: Cloud, cluster: str, family: str, network: dict[str, Any]
) -> None:
    answer = _run(ecs, cluster, family, network, startedBy="me", group="batch", count=2)
    assert answer["failures"] == []
    assert len(answer["tasks"]) == 2
    first = answer["tasks"][0]
    assert first["taskArn"].split(":task/")[1].split("/")[0] == cluster
    assert first["taskDefinitionArn"].endswith(f"/{family}:1")
    assert (first["startedBy"], first["group"]) == ("me", "batch")
    assert (first["launchType"], first["desiredStatus"]) == ("FARGATE", "RUNNING")
    assert first["containers"][0]["name"] == "web"
    arns = {task["taskArn"] for task in answer["tasks"]}
    assert set(ecs.list_tasks(cluster=cluster)["taskArns"]) == arns
    assert set(ecs.list_tasks(cluster=cluster, startedBy="me")["taskArns"]) == arns
    assert set(ecs.list_tasks(cluster=cluster, family=family)["taskArns"]) == arns
    assert ecs.list_tasks(cluster=cluster, startedBy="you")["taskArns"] == []

    def running() -> bool:
        shown = ecs.describe_tasks(cluster=cluster, tasks=list(arns))["tasks"]
        return {task["lastStatus"] for task in shown} == {"RUNNING"}

    cloud.until(running, "both tasks run")
    assert ecs.describe_clusters(clusters=[cluster])["clusters"][0]["runningTasksCount"] == 2


@lacks(moto="its stopped tasks have no code")
def test_a_task_is_stopped_with_a_reason(
    ecs: Any, cloud: Cloud, cluster: str, family: str, network: dict[str, Any]
) -> None:
    arn = _run(ecs, cluster, family, network)["tasks"][0]["taskArn"]
    told = ecs.stop_task(cluster=cluster, task=arn, reason="enough of it")["task"]
    assert told["desiredStatus"] == "STOPPED"

    def stopped() -> Any:
        (task,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
        return task if task["lastStatus"] == "STOPPED" else None

    task = cloud.until(stopped, "it has stopped")
    assert task["stoppedReason"] == "enough of it"
    assert task["stopCode"] == "UserInitiated"
    assert arn in ecs.list_tasks(cluster=cluster, desiredStatus="STOPPED")["taskArns"]
    assert arn not in ecs.list_tasks(cluster=cluster)["taskArns"]


def test_overrides_and_tags_come_back(
    ecs: Any, cluster: str, family: str, network: dict[str, Any]
) -> None:
    overrides = {
        "containerOverrides": [
            {"name": "web", "command": ["x"], "environment": [{"name": "A", "value": "2"}]}
        ]
    }
    tags = [{"key": "run", "value": "1"}]
    arn = _run(ecs, cluster, family, network, overrides=overrides, tags=tags)["tasks"][0]["taskArn"]
    (task,) = ecs.describe_tasks(cluster=cluster, tasks=[arn], include=["TAGS"])["tasks"]
    told = task["overrides"]["containerOverrides"][0]
    assert (told["name"], told["command"]) == ("web", ["x"])
    assert task["tags"] == tags


@lacks(moto="tells of no failures")
def test_tasks_that_are_not_there_are_failures(ecs: Any, cluster: str) -> None:
    answer = ecs.describe_tasks(cluster=cluster, tasks=["0" * 32])
    assert answer["tasks"] == []
    (failure,) = answer["failures"]
    assert failure["reason"] == "MISSING"
    assert failure["arn"].endswith("0" * 32)
    with refused("InvalidParameterException"):
        ecs.stop_task(cluster=cluster, task="0" * 32)


@lacks(ministack="does not check it")
def test_tasks_need_a_network_where_their_mode_is_awsvpc(
    ecs: Any, cluster: str, family: str
) -> None:
    with refused("InvalidParameterException"):
        ecs.run_task(cluster=cluster, taskDefinition=family, launchType="FARGATE")


def test_a_task_of_nothing(ecs: Any, cluster: str, network: dict[str, Any]) -> None:
    with refused("ClientException", "InvalidParameterException"):
        _run(ecs, cluster, "none-such", network)
