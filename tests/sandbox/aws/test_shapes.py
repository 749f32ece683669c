"""Every read operation, called through boto3, answers in the shape that botocore knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.aws import shapes
from tests.sandbox.aws.conftest import World

CLUSTERS = ("shop-prod", "shop-staging", "platform")


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_the_judge_can_fail(ecs: Any) -> None:
    operation = ecs.meta.service_model.operation_model("ListClusters")
    for body in (b'{"clusterArns": "x"}', b'{"clusterArns": [1]}', b'{"clusters": []}'):
        with pytest.raises(shapes.ShapeError):
            shapes.check(operation, {"status_code": 200, "body": body, "headers": {}})


def test_ecs(ecs: Any) -> None:
    arns = ecs.list_clusters()["clusterArns"]
    assert {arn.rpartition("/")[2] for arn in arns} == set(CLUSTERS)
    include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
    described = ecs.describe_clusters(clusters=arns, include=include)["clusters"]
    assert all(item["runningTasksCount"] > 0 for item in described)
    for cluster in CLUSTERS:
        services = [
            arn
            for page in ecs.get_paginator("list_services").paginate(cluster=cluster)
            for arn in page["serviceArns"]
        ]
        shown = ecs.describe_services(cluster=cluster, services=services[:10], include=["TAGS"])
        assert not shown["failures"]
        assert all(item["runningCount"] == item["desiredCount"] for item in shown["services"])
        tasks = ecs.list_tasks(cluster=cluster)["taskArns"]
        shown_tasks = ecs.describe_tasks(cluster=cluster, tasks=tasks[:100], include=["TAGS"])[
            "tasks"
        ]
        assert len(shown_tasks) == len(tasks)
        for service in services:
            deployments = ecs.list_service_deployments(cluster=cluster, service=service)[
                "serviceDeployments"
            ]
            ecs.describe_service_deployments(
                serviceDeploymentArns=[item["serviceDeploymentArn"] for item in deployments]
            )
            ecs.describe_service_revisions(
                serviceRevisionArns=[item["targetServiceRevisionArn"] for item in deployments]
            )
    hosts = ecs.list_container_instances(cluster="platform")["containerInstanceArns"]
    ecs.describe_container_instances(
        cluster="platform", containerInstances=hosts, include=["TAGS", "CONTAINER_INSTANCE_HEALTH"]
    )
    ecs.describe_capacity_providers()
    ecs.list_account_settings(effectiveSettings=True)
    ecs.list_tags_for_resource(resourceArn=arns[0])
    families = ecs.list_task_definition_families()["families"]
    assert "shop-prod-web" in families
    assert len(ecs.list_task_definitions(familyPrefix="shop-prod-web")["taskDefinitionArns"]) == 6
    ecs.describe_task_definition(taskDefinition="shop-prod-web", include=["TAGS"])


def test_pages_join_without_gaps_or_doubles(ecs: Any) -> None:
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster="shop-prod", PaginationConfig={"PageSize": 7}
    )
    arns = [arn for page in pages for arn in page["taskArns"]]
    assert len(arns) == len(set(arns)) == len(ecs.list_tasks(cluster="shop-prod")["taskArns"])


def test_cloudwatch(world: World, cloudwatch: Any) -> None:
    metrics = [
        metric
        for page in cloudwatch.get_paginator("list_metrics").paginate()
        for metric in page["Metrics"]
    ]
    assert len(metrics) > 100
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
        for number, metric in enumerate(metrics[:240])
        for stat in ("p99" if number % 2 else "Average",)
    ]
    data = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=_time(world.now - 3600), EndTime=_time(world.now)
    )["MetricDataResults"]
    assert sum(bool(item["Values"]) for item in data) > 200
    cloudwatch.get_metric_statistics(
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=metrics[0]["Dimensions"],
        StartTime=_time(world.now - 3600),
        EndTime=_time(world.now),
        Period=300,
        Statistics=["Average", "Maximum"],
    )
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    assert len(alarms) > 10
    assert cloudwatch.describe_alarm_history()["AlarmHistoryItems"]
    cloudwatch.describe_alarms_for_metric(
        Namespace="AWS/ECS", MetricName="CPUUtilization", Dimensions=alarms[0]["Dimensions"]
    )


def test_application_auto_scaling(scaling: Any) -> None:
    targets = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert len(targets) > 5
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    activities = scaling.describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    assert len(activities) > 5
    assert scaling.list_tags_for_resource(ResourceARN=targets[0]["ScalableTargetARN"])["Tags"] == {}


def test_identity(world: World) -> None:
    sts = world.client("sts")
    assert sts.get_caller_identity()["Account"] == "123456789012"
    role = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/admin", RoleSessionName="me")
    keys = role["Credentials"]
    again = world.client(
        "sts",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert again.get_caller_identity()["Account"] == "123456789012"
    assert world.client("iam").list_account_aliases()["AccountAliases"] == ["dockdesk-sandbox"]


def test_ecr(world: World) -> None:
    ecr = world.client("ecr")
    repositories = ecr.describe_repositories()["repositories"]
    assert "shop/web" in {item["repositoryName"] for item in repositories}
    images = ecr.describe_images(repositoryName="shop/web")["imageDetails"]
    assert any("2.14.1" in item.get("imageTags", ()) for item in images)
    ids = ecr.list_images(repositoryName="shop/web")["imageIds"]
    assert ecr.batch_get_image(repositoryName="shop/web", imageIds=ids)["images"]
    for item in images:
        ecr.describe_image_scan_findings(
            repositoryName="shop/web", imageId={"imageDigest": item["imageDigest"]}
        )
    assert ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    made = ecr.create_repository(repositoryName="new/one", tags=[{"Key": "a", "Value": "b"}])[
        "repository"
    ]
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == [
        {"Key": "a", "Value": "b"}
    ]
    ecr.put_lifecycle_policy(
        repositoryName="new/one", lifecyclePolicyText='{"rules": []}'.ljust(100)
    )
    ecr.get_lifecycle_policy(repositoryName="new/one")
    ecr.delete_repository(repositoryName="new/one")
    ecr.describe_registry()


def test_eks(world: World) -> None:
    eks = world.client("eks")
    for name in eks.list_clusters()["clusters"]:
        eks.describe_cluster(name=name)
        for group in eks.list_nodegroups(clusterName=name)["nodegroups"]:
            eks.describe_nodegroup(clusterName=name, nodegroupName=group)
        for profile in eks.list_fargate_profiles(clusterName=name)["fargateProfileNames"]:
            eks.describe_fargate_profile(clusterName=name, fargateProfileName=profile)
        for addon in eks.list_addons(clusterName=name)["addons"]:
            eks.describe_addon(clusterName=name, addonName=addon)
        eks.list_access_entries(clusterName=name)
    assert eks.describe_cluster_versions()["clusterVersions"]
    update = eks.update_nodegroup_config(
        clusterName="shop-k8s", nodegroupName="general", scalingConfig={"desiredSize": 7}
    )["update"]
    assert (
        eks.describe_nodegroup(clusterName="shop-k8s", nodegroupName="general")["nodegroup"][
            "status"
        ]
        == "UPDATING"
    )
    world.live(120)
    assert (
        eks.describe_update(name="shop-k8s", updateId=update["id"])["update"]["status"]
        == "Successful"
    )
    group = eks.describe_nodegroup(clusterName="shop-k8s", nodegroupName="general")["nodegroup"]
    assert (group["status"], group["scalingConfig"]["desiredSize"]) == ("ACTIVE", 7)


def test_ec2_and_load_balancers(world: World) -> None:
    ec2, elb = world.client("ec2"), world.client("elbv2")
    reservations = ec2.describe_instances()["Reservations"]
    instances = [item for one in reservations for item in one["Instances"]]
    assert {item["State"]["Name"] for item in instances} == {"running"}
    assert ec2.describe_instances(InstanceIds=[instances[0]["InstanceId"]])["Reservations"]
    assert len(ec2.describe_availability_zones()["AvailabilityZones"]) == 3
    assert ec2.describe_regions()["Regions"]
    assert ec2.describe_vpcs()["Vpcs"]
    assert len(ec2.describe_subnets()["Subnets"]) == 3
    assert ec2.describe_security_groups()["SecurityGroups"]
    balancers = elb.describe_load_balancers()["LoadBalancers"]
    elb.describe_listeners(LoadBalancerArn=balancers[0]["LoadBalancerArn"])
    for group in elb.describe_target_groups()["TargetGroups"]:
        health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
            "TargetHealthDescriptions"
        ]
        assert {item["TargetHealth"]["State"] for item in health} == {"healthy"}


def test_ecs_that_is_seldom_asked(ecs: Any) -> None:
    ecs.put_account_setting(name="containerInsights", value="enabled")
    ecs.update_cluster(
        cluster="shop-prod", settings=[{"name": "containerInsights", "value": "enhanced"}]
    )
    task = ecs.list_tasks(cluster="shop-prod", serviceName="web")["taskArns"][0]
    told = ecs.update_task_protection(
        cluster="shop-prod", tasks=[task], protectionEnabled=True, expiresInMinutes=5
    )
    assert told["protectedTasks"][0]["protectionEnabled"]
    assert ecs.get_task_protection(cluster="shop-prod", tasks=[task])["protectedTasks"]
    ecs.update_service(cluster="shop-prod", service="web", forceNewDeployment=True)
    newest = ecs.list_service_deployments(cluster="shop-prod", service="web")["serviceDeployments"]
    arn = newest[0]["serviceDeploymentArn"]
    assert ecs.stop_service_deployment(serviceDeploymentArn=arn)["serviceDeploymentArn"] == arn


def test_queries_and_identity_that_are_seldom_asked(world: World) -> None:
    logs = world.client("logs")
    query = logs.start_query(
        logGroupName="/ecs/shop-prod/web",
        startTime=int(world.now) - 600,
        endTime=int(world.now),
        queryString="fields @message | limit 1",
    )["queryId"]
    assert query in {item["queryId"] for item in logs.describe_queries()["queries"]}
    assert logs.stop_query(queryId=query)["success"] is False  # it was complete
    key = "AKIAIOSFODNN7EXAMPLE"
    assert world.client("sts").get_access_key_info(AccessKeyId=key)["Account"] == "123456789012"
    assert world.client("iam").get_user()["User"]["UserName"] == "sandbox"


def test_eks_that_is_seldom_asked(world: World) -> None:
    eks = world.client("eks")
    name = "shop-k8s"
    assert eks.describe_addon_versions(addonName="coredns")["addons"][0]["addonVersions"]
    assert eks.list_insights(clusterName=name)["insights"] == []
    eks.update_addon(clusterName=name, addonName="coredns", configurationValues='{"replicas": 3}')
    eks.update_nodegroup_version(clusterName=name, nodegroupName="spot")
    update = eks.update_cluster_config(
        name=name,
        resourcesVpcConfig={"endpointPublicAccess": True, "publicAccessCidrs": ["10.0.0.0/8"]},
    )["update"]
    assert update["id"] in eks.list_updates(name=name)["updateIds"]
    network = eks.describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]
    assert network["publicAccessCidrs"] == ["10.0.0.0/8"]
