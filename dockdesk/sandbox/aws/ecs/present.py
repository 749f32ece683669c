"""ECS's state as its API shows it. Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Types.html"""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.aws.ecs.model import (
    Cluster,
    ContainerInstance,
    Deployment,
    Service,
    Task,
    TaskDefinition,
)
from dockdesk.sandbox.aws.values import ACCOUNT, arn, hex_id, tag_list, uuid_of, when

_SERVICE_FIELDS = (
    "loadBalancers",
    "serviceRegistries",
    "capacityProviderStrategy",
    "platformVersion",
    "deploymentConfiguration",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
)
_DEFINITION_FIELDS = (
    "containerDefinitions",
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)


def cluster(item: Cluster, include: set[str]) -> dict[str, Any]:
    tasks = item.tasks.values()
    shown: dict[str, Any] = {
        "clusterArn": item.arn,
        "clusterName": item.name,
        "status": item.status,
        "registeredContainerInstancesCount": len(item.instances),
        "runningTasksCount": sum(task.status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(
            task.status in {"PROVISIONING", "PENDING", "ACTIVATING"} for task in tasks
        ),
        "activeServicesCount": sum(
            service.status == "ACTIVE" for service in item.services.values()
        ),
        "statistics": _statistics(item) if "STATISTICS" in include else [],
        "tags": tag_list(item.tags) if "TAGS" in include else [],
        "settings": [{"name": "containerInsights", "value": item.insights}]
        if "SETTINGS" in include
        else [],
        "capacityProviders": list(item.providers),
        "defaultCapacityProviderStrategy": list(item.strategy),
    }
    if item.configuration and "CONFIGURATIONS" in include:
        shown["configuration"] = item.configuration
    return shown


def _statistics(item: Cluster) -> list[dict[str, str]]:
    counts: dict[str, int] = {}
    for kind in ("EC2", "Fargate"):
        tasks = [
            task
            for task in item.tasks.values()
            if (task.launch == "FARGATE") == (kind == "Fargate")
        ]
        services = [
            s for s in item.services.values() if (s.launch == "FARGATE") == (kind == "Fargate")
        ]
        counts[f"running{kind}TasksCount"] = sum(task.status == "RUNNING" for task in tasks)
        counts[f"pending{kind}TasksCount"] = len(tasks) - counts[f"running{kind}TasksCount"]
        counts[f"active{kind}ServiceCount"] = sum(s.status == "ACTIVE" for s in services)
        counts[f"draining{kind}ServiceCount"] = sum(s.status == "DRAINING" for s in services)
    return [{"name": name, "value": str(value)} for name, value in counts.items()]


def deployment(item: Deployment, service: Service) -> dict[str, Any]:
    tasks = [task for task in service.tasks.values() if task.deployment is item]
    shown: dict[str, Any] = {
        "id": item.id,
        "status": item.status,
        "taskDefinition": item.definition.arn,
        "desiredCount": item.desired,
        "pendingCount": sum(
            t.live and t.status in {"PROVISIONING", "PENDING", "ACTIVATING"} for t in tasks
        ),
        "runningCount": sum(task.status == "RUNNING" for task in tasks),
        "failedTasks": item.failed,
        "createdAt": when(item.created),
        "updatedAt": when(item.updated),
        "rolloutState": item.state,
        "rolloutStateReason": item.reason,
    }
    for name in ("capacityProviderStrategy", "networkConfiguration"):
        if service.body.get(name):
            shown[name] = service.body[name]
    if "capacityProviderStrategy" not in shown:
        shown["launchType"] = service.launch
    if service.launch == "FARGATE":
        shown |= {"platformVersion": "1.4.0", "platformFamily": "Linux"}
    return shown


def service(item: Service, include: set[str]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "serviceArn": item.arn,
        "serviceName": item.name,
        "clusterArn": item.cluster.arn,
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": item.status,
        "desiredCount": item.desired,
        "runningCount": item.running,
        "pendingCount": item.pending,
        "taskDefinition": item.definition.arn,
        "deploymentConfiguration": {},
        "deployments": [deployment(one, item) for one in item.deployments]
        if item.status == "ACTIVE"
        else [],
        "events": [
            {"id": key, "createdAt": when(time), "message": text} for key, time, text in item.events
        ],
        "createdAt": when(item.created),
        "createdBy": arn("iam", "", "role/deployer"),
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": item.body.get("schedulingStrategy") or "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        **{name: item.body[name] for name in _SERVICE_FIELDS if item.body.get(name) is not None},
    }
    if "capacityProviderStrategy" not in shown:
        shown["launchType"] = item.launch
    if item.launch == "FARGATE":
        shown |= {"platformVersion": "LATEST", "platformFamily": "Linux"}
    role = arn("iam", "", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS")
    if item.target_group:
        shown["roleArn"] = role
    if "TAGS" in include:
        shown["tags"] = tag_list(item.tags)
    return shown


def definition(item: TaskDefinition) -> dict[str, Any]:
    compatible = list(dict.fromkeys(["EC2", *(item.body.get("requiresCompatibilities") or ())]))
    shown: dict[str, Any] = {
        "taskDefinitionArn": item.arn,
        "volumes": [],
        "placementConstraints": [],
        **{name: item.body[name] for name in _DEFINITION_FIELDS if item.body.get(name) is not None},
        "revision": item.revision,
        "status": item.status,
        "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.19"}],
        "compatibilities": compatible,
        "registeredAt": when(item.registered),
        "registeredBy": arn("iam", "", "role/deployer"),
    }
    if item.deregistered:
        shown["deregisteredAt"] = when(item.deregistered)
    return shown


def task(item: Task, include: set[str]) -> dict[str, Any]:
    region = item.arn.split(":")[3]
    zone = item.zone
    shown: dict[str, Any] = {
        "taskArn": item.arn,
        "clusterArn": item.cluster.arn,
        "taskDefinitionArn": item.definition.arn,
        "overrides": item.overrides
        or {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "lastStatus": item.status,
        "desiredStatus": item.desired,
        "healthStatus": item.health,
        "cpu": str(item.definition.cpu),
        "memory": str(item.definition.memory),
        "containers": [
            _container(item, body, region, position)
            for position, body in enumerate(item.definition.containers)
        ],
        "version": 1
        + len([t for t in (item.connected, item.started, item.stopping, item.stopped) if t]),
        "connectivity": "DISCONNECTED"
        if item.status in {"PROVISIONING", "STOPPED"}
        else "CONNECTED",
        "group": item.group,
        "launchType": item.launch,
        "availabilityZone": zone,
        "createdAt": when(item.created),
        "attachments": [_interface(item)]
        if item.definition.body.get("networkMode") == "awsvpc"
        else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "enableExecuteCommand": item.can_exec,
        "tags": tag_list(item.tags) if "TAGS" in include else [],
    }
    if item.started_by:
        shown["startedBy"] = item.started_by
    if item.provider:
        shown["capacityProviderName"] = item.provider
    if item.instance is not None:
        shown["containerInstanceArn"] = item.instance.arn
    if item.launch == "FARGATE":
        shown |= {
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "ephemeralStorage": {"sizeInGiB": 20},
        }
    times = {
        "connectivityAt": item.connected,
        "pullStartedAt": item.pull_started,
        "pullStoppedAt": item.pull_stopped,
        "startedAt": item.started,
        "stoppingAt": item.stopping,
        "executionStoppedAt": item.execution_stopped,
        "stoppedAt": item.stopped,
    }
    shown |= {name: when(time) for name, time in times.items() if time}
    if item.stop_code:
        shown |= {"stopCode": item.stop_code, "stoppedReason": item.stop_reason}
    return shown


def _container(item: Task, body: dict[str, Any], region: str, position: int) -> dict[str, Any]:
    status = item.status if item.status in {"RUNNING", "STOPPED"} else "PENDING"
    if item.execution_stopped or item.status == "DEPROVISIONING":
        status = "STOPPED"
    elif item.started and status == "PENDING":
        status = "RUNNING"
    name = str(body.get("name") or "main")
    shown: dict[str, Any] = {
        "containerArn": arn(
            "ecs", region, f"container/{item.cluster.name}/{item.id}/{uuid_of(item.id, name)}"
        ),
        "taskArn": item.arn,
        "name": name,
        "image": str(body.get("image") or ""),
        "lastStatus": status,
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": item.health if body.get("healthCheck") else "UNKNOWN",
        "cpu": str(body.get("cpu") or 0),
        "managedAgents": [],
    }
    if item.pull_stopped or item.started:
        shown["runtimeId"] = (
            f"{item.id}-{hex_id(10, item.id, name)}"
            if item.launch == "FARGATE"
            else hex_id(64, item.id, name)
        )
        shown["imageDigest"] = item.digests[position]
    if body.get("memory"):
        shown["memory"] = str(body["memory"])
    if body.get("memoryReservation"):
        shown["memoryReservation"] = str(body["memoryReservation"])
    if item.definition.body.get("networkMode") == "awsvpc" and item.status != "PROVISIONING":
        shown["networkInterfaces"] = [
            {"attachmentId": uuid_of(item.id, "eni"), "privateIpv4Address": item.ip}
        ]
    elif item.instance is not None and item.started:
        shown["networkBindings"] = [
            {
                "bindIP": "0.0.0.0",
                "containerPort": int(mapping.get("containerPort") or 80),
                "hostPort": 32_768 + int(item.id[:4], 16) % 28_000,
                "protocol": "tcp",
            }
            for mapping in body.get("portMappings") or ()
        ]
    if item.can_exec:
        shown["managedAgents"] = [
            {
                "name": "ExecuteCommandAgent",
                "lastStatus": "RUNNING" if status == "RUNNING" else "STOPPED",
            }
        ]
        if item.started:
            shown["managedAgents"][0]["lastStartedAt"] = when(item.started)
    if status == "STOPPED":
        if item.exit_code is not None:
            shown["exitCode"] = item.exit_code
        if item.container_reason:
            shown["reason"] = item.container_reason
    return shown


def _interface(item: Task) -> dict[str, Any]:
    status = {"PROVISIONING": "PRECREATED", "STOPPED": "DELETED"}.get(item.status, "ATTACHED")
    details = {
        "subnetId": f"subnet-{hex_id(17, 'subnet', item.zone)}",
        "networkInterfaceId": f"eni-{hex_id(17, item.id, 'eni')}",
        "macAddress": "06:" + ":".join(hex_id(10, item.id)[i : i + 2] for i in range(0, 10, 2)),
        "privateDnsName": f"ip-{item.ip.replace('.', '-')}.{item.zone[:-1]}.compute.internal",
        "privateIPv4Address": item.ip,
    }
    return {
        "id": uuid_of(item.id, "eni"),
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def instance(item: ContainerInstance, include: set[str]) -> dict[str, Any]:
    def resources(cpu: int, memory: int) -> list[dict[str, Any]]:
        return [
            {
                "name": "CPU",
                "type": "INTEGER",
                "doubleValue": 0.0,
                "longValue": 0,
                "integerValue": cpu,
            },
            {
                "name": "MEMORY",
                "type": "INTEGER",
                "doubleValue": 0.0,
                "longValue": 0,
                "integerValue": memory,
            },
        ]

    tasks = item.tasks.values()
    shown: dict[str, Any] = {
        "containerInstanceArn": item.arn,
        "ec2InstanceId": item.ec2_id,
        "version": 3,
        "versionInfo": {
            "agentVersion": "1.89.2",
            "agentHash": "1f5e5a32",
            "dockerVersion": "DockerVersion: 25.0.6",
        },
        "remainingResources": resources(item.cpu_left, item.memory_left),
        "registeredResources": resources(item.cpu, item.memory),
        "status": item.status,
        "agentConnected": item.connected,
        "runningTasksCount": sum(task.status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(
            task.status in {"PROVISIONING", "PENDING", "ACTIVATING"} for task in tasks
        ),
        "attributes": [
            {"name": "ecs.availability-zone", "value": item.zone},
            {"name": "ecs.instance-type", "value": item.kind},
            {"name": "ecs.os-type", "value": "linux"},
            {"name": "ecs.cpu-architecture", "value": "x86_64"},
        ],
        "registeredAt": when(item.registered),
        "attachments": [],
        "tags": [],
    }
    if item.provider:
        shown["capacityProviderName"] = item.provider
    if "CONTAINER_INSTANCE_HEALTH" in include:
        shown["healthStatus"] = {
            "overallStatus": "OK" if item.connected else "IMPAIRED",
            "details": [],
        }
    return shown


def service_deployment(item: Deployment, owner: Service, region: str) -> dict[str, Any]:
    base = f"{owner.cluster.name}/{owner.name}"
    breaker = (owner.body.get("deploymentConfiguration") or {}).get(
        "deploymentCircuitBreaker"
    ) or {}
    tasks = [task for task in owner.tasks.values() if task.deployment is item]
    shown: dict[str, Any] = {
        "serviceDeploymentArn": arn("ecs", region, f"service-deployment/{base}/{item.number}"),
        "serviceArn": owner.arn,
        "clusterArn": owner.cluster.arn,
        "createdAt": when(item.created),
        "startedAt": when(item.created + 1),
        "updatedAt": when(item.updated),
        "targetServiceRevision": {
            "arn": revision_arn(region, owner, item.number),
            "requestedTaskCount": item.desired,
            "runningTaskCount": sum(task.status == "RUNNING" for task in tasks),
            "pendingTaskCount": sum(
                task.status in {"PROVISIONING", "PENDING", "ACTIVATING"} for task in tasks
            ),
        },
        "status": item.outcome,
        "deploymentConfiguration": owner.body.get("deploymentConfiguration") or {},
        "deploymentCircuitBreaker": {
            "status": ("TRIGGERED" if item.tripped else "MONITORING")
            if breaker.get("enable")
            else "DISABLED",
            "failureCount": item.failed,
            "threshold": min(max(-(-owner.desired // 2), 3), 200),
        },
    }
    if item.reason:
        shown["statusReason"] = item.reason
    if item.finished:
        shown["finishedAt"] = when(item.finished)
    if item.source:
        shown["sourceServiceRevisions"] = [
            {
                "arn": revision_arn(region, owner, item.source),
                "requestedTaskCount": 0,
                "runningTaskCount": 0,
                "pendingTaskCount": 0,
            }
        ]
    if item.tripped:
        shown["rollback"] = {"reason": item.reason, "startedAt": when(item.finished)}
    return shown


def revision_arn(region: str, owner: Service, number: str) -> str:
    return f"arn:aws:ecs:{region}:{ACCOUNT}:service-revision/{owner.cluster.name}/{owner.name}/{number}"
