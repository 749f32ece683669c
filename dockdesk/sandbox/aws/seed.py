"""What the simulated AWS holds at the start: a web shop in production, its staging, and a platform on EC2."""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.aws.cast import SPECS, Spec
from dockdesk.sandbox.aws.cloud import Cloud
from dockdesk.sandbox.aws.ecs.lifecycle import new_task, settled
from dockdesk.sandbox.aws.ecs.model import Cluster, Deployment, Service, TaskDefinition
from dockdesk.sandbox.aws.ecs.placement import choose_instance, choose_provider, choose_zone
from dockdesk.sandbox.aws.history import Bounds, History
from dockdesk.sandbox.aws.region import Region
from dockdesk.sandbox.aws.values import Params, arn, hex_id
from dockdesk.sandbox.world.load import calibrated
from dockdesk.sandbox.world.traffic import Traffic, unit

HOUR = 3600.0
DAY = 24 * HOUR
EXTRA_CLUSTERS = 197
EXTRA_SERVICES = 5000
BAD_TAG = "2.15.0-rc1"


def furnish(region: Region, huge: bool = False) -> None:
    """Fill an empty region."""
    cloud = region.cloud
    now = cloud.started
    for name, insights in (
        ("shop-prod", "enabled"),
        ("shop-staging", "disabled"),
        ("platform", "enhanced"),
    ):
        cluster = _cluster(cloud, name, now - 300 * DAY, insights)
        if name == "platform":
            cluster.providers = ["platform-ec2"]
            cluster.strategy = [{"capacityProvider": "platform-ec2", "weight": 1, "base": 0}]
            cluster.most_instances = 10
            for number in range(6):
                cloud.add_host(cluster, now - (12 + 9 * number) * DAY)
            cloud.ecs.providers["platform-ec2"] = _provider(cloud)
        else:
            cluster.providers = ["FARGATE", "FARGATE_SPOT"]
    for spec in SPECS:
        add_service(region, spec, now)
    _releases(cloud, now)
    if huge:
        enlarge(region)


def _cluster(cloud: Cloud, name: str, created: float, insights: str) -> Cluster:
    cluster = Cluster(name, cloud.ecs.arn(f"cluster/{name}"), created, insights=insights)
    cluster.tags = {"environment": name.rpartition("-")[2], "team": name.partition("-")[0]}
    cloud.ecs.clusters[name] = cluster
    return cluster


def _provider(cloud: Cloud) -> dict[str, Any]:
    group = f"autoScalingGroup:{cloud.id('asg')}:autoScalingGroupName/platform-ecs"
    return {
        "autoScalingGroupArn": arn("autoscaling", cloud.region, group),
        "managedScaling": {
            "status": "ENABLED",
            "targetCapacity": 90,
            "minimumScalingStepSize": 1,
            "maximumScalingStepSize": 2,
            "instanceWarmupPeriod": 120,
        },
        "managedTerminationProtection": "DISABLED",
        "managedDraining": "ENABLED",
    }


def image_of(cloud: Cloud, spec: Spec) -> str:
    return spec.image or f"{cloud.ecr.host}/shop/{spec.name}:{spec.tag}"


def _definition_body(cloud: Cloud, spec: Spec, image: str) -> dict[str, Any]:
    fargate = spec.launch.startswith("FARGATE")
    container: dict[str, Any] = {
        "name": spec.name,
        "image": image,
        "cpu": 0 if fargate else spec.cpu,
        "essential": True,
        "portMappings": [
            {"containerPort": spec.port, "hostPort": spec.port if fargate else 0, "protocol": "tcp"}
        ],
        "environment": [{"name": name, "value": value} for name, value in spec.env],
        "secrets": [
            {
                "name": "DATABASE_URL",
                "valueFrom": arn("ssm", cloud.region, f"parameter/{spec.cluster}/database-url"),
            }
        ],
        "mountPoints": [],
        "volumesFrom": [],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": f"/ecs/{spec.cluster}/{spec.name}",
                "awslogs-region": cloud.region,
                "awslogs-stream-prefix": "ecs",
            },
        },
    }
    if not fargate:
        container["memory"] = spec.memory
    if spec.check:
        command = ["CMD-SHELL", f"curl -f http://localhost:{spec.port}/healthz || exit 1"]
        container["healthCheck"] = {"command": command, "interval": 15, "timeout": 5, "retries": 3}
    body: dict[str, Any] = {
        "family": f"{spec.cluster}-{spec.name}",
        "containerDefinitions": [container],
        "networkMode": "awsvpc" if fargate else "bridge",
        "requiresCompatibilities": ["FARGATE" if fargate else "EC2"],
        "executionRoleArn": arn("iam", "", "role/ecsTaskExecutionRole"),
        "taskRoleArn": arn("iam", "", f"role/{spec.cluster}-{spec.name}"),
        "volumes": [],
    }
    if fargate:
        body |= {
            "cpu": str(spec.cpu),
            "memory": str(spec.memory),
            "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        }
    return body


def _revisions(cloud: Cloud, spec: Spec, now: float) -> TaskDefinition:
    """The service's revisions; the newest runs. Earlier ones had earlier images."""
    image = image_of(cloud, spec)
    for back in range(spec.revisions - 1, -1, -1):
        age = (3 + 6 * back + 2 * unit(spec.cluster, spec.name, back)) * DAY
        old = image
        if back and not spec.image:
            old = image.rpartition(":")[0] + f":2.{14 - back % 14}.{back % 3}"
        item = cloud.ecs.register(
            _definition_body(cloud, spec, old), now - age, {"service": spec.name}
        )
        if not spec.image:
            name = f"shop/{spec.name}"
            repository = cloud.ecr.repositories.get(name) or cloud.ecr.create(name, now - 400 * DAY)
            pushed = cloud.ecr.push(
                repository,
                old.rpartition(":")[2],
                now - age - 600,
                size=int(30e6 + 60e6 * unit(name)),
            )
            pushed.pulled = now - age + 60
    return item


def add_service(region: Region, spec: Spec, now: float, attended: bool = True) -> Service:
    """A service that has been running for a while, with its tasks, its past and its policies."""
    cloud = region.cloud
    cluster = cloud.ecs.clusters[spec.cluster]
    definition = _revisions(cloud, spec, now)
    traffic = Traffic(
        cloud.seed,
        f"{spec.cluster}/{spec.name}",
        spec.rate,
        spec.swing,
        phase=unit(spec.name) * HOUR,
    )
    vcpu = spec.cpu / 1024
    workload = calibrated(
        traffic,
        spec.count,
        vcpu,
        spec.percent,
        memory=spec.memory * (0.3 + 0.25 * unit(spec.cluster, spec.name, "memory")),
        memory_per_rate=spec.memory * 0.08 / max(spec.rate / spec.count, 1),
        latency=spec.latency,
        bursts=not spec.launch.startswith("FARGATE"),
    )
    service = Service(
        spec.name,
        cloud.ecs.arn(f"service/{spec.cluster}/{spec.name}"),
        cluster,
        _service_body(cloud, spec),
        spec.count,
        now - spec.age_days * DAY,
        workload,
        log_style=spec.style,
    )
    if spec.balanced:
        service.balancer = f"app/{spec.cluster}/{hex_id(16, cloud.seed, spec.cluster, 'alb')}"
    service.tags = {"service": spec.name, "environment": spec.cluster.rpartition("-")[2]}
    bounds = Bounds(*spec.scaled) if spec.scaled and spec.kind in {"cpu", "requests"} else None
    service.history = History(
        service.arn,
        workload,
        vcpu,
        spec.memory,
        spec.count,
        bounds,
        cloud.start_minute,
        born=int((now - spec.age_days * DAY) // 60),
        idle_count=None if attended else lambda: service.running,
    )
    service.desired = service.history.past_count(cloud.start_minute) if bounds else spec.count
    cluster.services[spec.name] = service
    cloud.index(service)
    _settle(cloud, service, definition, now)
    if spec.scaled:
        _policies(region, spec, service)
    return service


def _service_body(cloud: Cloud, spec: Spec) -> dict[str, Any]:
    body: dict[str, Any] = {
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {"enable": spec.breaker, "rollback": spec.breaker},
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
        },
        "enableExecuteCommand": spec.cluster != "shop-prod" or spec.name == "api",
        "enableECSManagedTags": True,
        "propagateTags": "SERVICE",
        "schedulingStrategy": "DAEMON" if spec.launch == "DAEMON" else "REPLICA",
    }
    if spec.launch == "FARGATE_SPOT":
        body["capacityProviderStrategy"] = [
            {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
            {"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0},
        ]
    elif spec.launch == "FARGATE":
        body["launchType"] = "FARGATE"
    elif spec.launch == "EC2":
        body["capacityProviderStrategy"] = [
            {"capacityProvider": "platform-ec2", "weight": 1, "base": 0}
        ]
        body["placementStrategy"] = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    else:
        body["launchType"] = "EC2"
        body["deploymentConfiguration"] |= {"maximumPercent": 100, "minimumHealthyPercent": 0}
    if spec.launch.startswith("FARGATE"):
        body["networkConfiguration"] = {
            "awsvpcConfiguration": {
                "subnets": [f"subnet-{hex_id(17, 'subnet', zone)}" for zone in cloud.all_zones()],
                "securityGroups": [f"sg-{hex_id(17, 'sg', spec.cluster)}"],
                "assignPublicIp": "DISABLED",
            }
        }
    if spec.balanced:
        group = f"targetgroup/{spec.cluster}-{spec.name}/{hex_id(16, cloud.seed, spec.cluster, spec.name, 'tg')}"
        body["loadBalancers"] = [
            {
                "targetGroupArn": arn("elasticloadbalancing", cloud.region, group),
                "containerName": spec.name,
                "containerPort": spec.port,
            }
        ]
        body["healthCheckGracePeriodSeconds"] = 30
    return body


def _settle(cloud: Cloud, service: Service, definition: TaskDefinition, now: float) -> None:
    """Its tasks run since the last deployment or since it last scaled out, and nothing moves."""
    rolled = definition.registered + 400
    deployment = Deployment(
        cloud.ecs.new_deployment_id(),
        definition,
        rolled,
        rolled + 180,
        service.desired,
        state="COMPLETED",
    )
    deployment.reason = f"ECS deployment {deployment.id} completed."
    deployment.finished, deployment.outcome = rolled + 180, "SUCCESSFUL"
    service.deployments.append(deployment)
    service.past.append(deployment)
    digests = tuple(cloud.ecr.digest_of(image) for image in definition.images)
    daemon = service.body["schedulingStrategy"] == "DAEMON"
    if daemon:
        service.desired = deployment.desired = len(service.cluster.instances)
    for number in range(service.desired):
        others = service.tasks.values()
        launch = service.launch
        host = (
            choose_instance(service.cluster, definition, others, cloud.zones(), daemon)
            if launch == "EC2"
            else None
        )
        if launch == "EC2" and host is None:
            break
        task_id = cloud.ecs.new_id()
        task = new_task(
            task_id,
            cloud.ecs.arn(f"task/{service.cluster.name}/{task_id}"),
            service.cluster,
            definition,
            now,
            launch=launch,
            provider=host.provider
            if host
            else choose_provider(service.body.get("capacityProviderStrategy") or (), others),
            zone=host.zone if host else choose_zone(cloud.zones(), others),
            service=service,
            deployment=deployment,
            instance=host,
        )
        settled(task, max(rolled + 40, now - (number + 1) * 7 * HOUR * (0.5 + unit(task_id))))
        task.digests = digests
        task.can_exec = bool(service.body.get("enableExecuteCommand"))
        task.tags = dict(service.tags)
    service.busy = len(service.tasks) < service.desired
    for back in range(4, 0, -1):
        told = now - back * 6 * HOUR + unit(service.arn) * 5 * HOUR
        if told < now:
            service.tell(told, "has reached a steady state.")
            service.steady_told = told


def _policies(region: Region, spec: Spec, service: Service) -> None:
    cloud = region.cloud
    assert spec.scaled is not None
    low, high, goal = spec.scaled
    resource = f"service/{spec.cluster}/{spec.name}"
    named = {
        "ServiceNamespace": "ecs",
        "ResourceId": resource,
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    call = region.scaling.operations
    call["RegisterScalableTarget"](Params({**named, "MinCapacity": low, "MaxCapacity": high}))
    target = cloud.scaling.targets[resource]
    target.told = False
    target.created = service.created
    if spec.kind == "step":
        _step_policy(region, named, spec, goal)
    elif spec.kind == "requests":
        label = f"{service.balancer}/{service.target_group.rpartition(':')[2]}"
        tracking = {
            "TargetValue": round(spec.rate / spec.count * 60 * 1.3, -1),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": label,
            },
        }
        call["PutScalingPolicy"](
            Params(
                {
                    **named,
                    "PolicyName": "requests-target",
                    "PolicyType": "TargetTrackingScaling",
                    "TargetTrackingScalingPolicyConfiguration": tracking,
                }
            )
        )
    else:
        tracking = {
            "TargetValue": float(goal),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
            },
            "ScaleOutCooldown": 60,
            "ScaleInCooldown": 300,
        }
        call["PutScalingPolicy"](
            Params(
                {
                    **named,
                    "PolicyName": "cpu-target",
                    "PolicyType": "TargetTrackingScaling",
                    "TargetTrackingScalingPolicyConfiguration": tracking,
                }
            )
        )
    if spec.kind == "scheduled":
        for name, cron, least in (
            ("evening", "cron(0 18 * * ? *)", 4),
            ("night", "cron(0 23 * * ? *)", low),
        ):
            call["PutScheduledAction"](
                Params(
                    {
                        **named,
                        "ScheduledActionName": name,
                        "Schedule": cron,
                        "Timezone": "Europe/Berlin",
                        "ScalableTargetAction": {"MinCapacity": least, "MaxCapacity": high},
                    }
                )
            )
    for policy in target.policies.values():
        policy.created = service.created


def _step_policy(region: Region, named: dict[str, str], spec: Spec, goal: float) -> None:
    dimensions = [
        {"Name": "ClusterName", "Value": spec.cluster},
        {"Name": "ServiceName", "Value": spec.name},
    ]
    sides = (
        ("out", "GreaterThanOrEqualToThreshold", goal, [(0, 15, 1), (15, None, 2)], 3),
        ("in", "LessThanOrEqualToThreshold", goal / 2, [(None, 0, -1)], 10),
    )
    for side, comparison, threshold, steps, periods in sides:
        adjustments = [
            {
                "ScalingAdjustment": by,
                **({"MetricIntervalLowerBound": float(low)} if low is not None else {}),
                **({"MetricIntervalUpperBound": float(high)} if high is not None else {}),
            }
            for low, high, by in steps
        ]
        policy = region.scaling.operations["PutScalingPolicy"](
            Params(
                {
                    **named,
                    "PolicyName": f"step-{side}",
                    "PolicyType": "StepScaling",
                    "StepScalingPolicyConfiguration": {
                        "AdjustmentType": "ChangeInCapacity",
                        "Cooldown": 120,
                        "MetricAggregationType": "Average",
                        "StepAdjustments": adjustments,
                    },
                }
            )
        )
        assert isinstance(policy, dict)
        region.put_alarm(
            {
                "AlarmName": f"{spec.cluster}-{spec.name}-cpu-{side}",
                "AlarmDescription": f"CPU of {spec.name}, for its step policy",
                "AlarmActions": [policy["PolicyARN"]],
                "Namespace": "AWS/ECS",
                "MetricName": "CPUUtilization",
                "Dimensions": dimensions,
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": periods,
                "Threshold": float(threshold),
                "ComparisonOperator": comparison,
            }
        )


def _releases(cloud: Cloud, now: float) -> None:
    """Images that nobody runs: one that fails its health checks, a nightly, and what lost its tag."""
    for name in ("web", "api", "checkout"):
        repository = cloud.ecr.repositories[f"shop/{name}"]
        cloud.ecr.push(repository, BAD_TAG, now - 2 * HOUR, fate="unhealthy")
        cloud.ecr.push(repository, "nightly", now - 8 * HOUR)
        cloud.ecr.push(repository, "gone", now - 90 * DAY).tags.clear()
    cloud.ecr.create("shop/tools", now - 200 * DAY)


def enlarge(region: Region) -> None:
    """197 clusters and 5,000 services more. They are simple: told like the past, moved only by requests."""
    cloud = region.cloud
    now = cloud.started
    for number in range(EXTRA_CLUSTERS):
        name = f"team-{number:03d}"
        if name in cloud.ecs.clusters:
            return
        _cluster(cloud, name, now - 200 * DAY, "disabled").attended = False
    for number in range(EXTRA_SERVICES - len(SPECS)):
        cluster = f"team-{number % EXTRA_CLUSTERS:03d}"
        spec = Spec(
            cluster,
            f"service-{number // EXTRA_CLUSTERS:02d}",
            1 + number % 3,
            4 + number % 50,
            20 + number % 60,
            256,
            512,
            image="nginx:1.27-alpine",
            revisions=1,
        )
        add_service(region, spec, now, attended=False)
