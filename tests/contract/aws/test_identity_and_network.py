"""STS, and what panes look at of EC2 and load balancers, as the sandbox and its judges have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, lacks, refused

ACCOUNT = "123456789012"


def test_who_one_is(cloud: Cloud) -> None:
    told = cloud.client("sts").get_caller_identity()
    assert told["Account"] == ACCOUNT
    assert told["UserId"]
    assert told["Arn"].startswith("arn:aws:")
    assert f"::{ACCOUNT}:" in told["Arn"]


def test_a_role_is_assumed(cloud: Cloud) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/deployer"
    told = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    keys = told["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA")
    assert keys["SecretAccessKey"]
    assert keys["SessionToken"]
    assert 3000 < (keys["Expiration"] - cloud.time()).total_seconds() <= 3700
    assert told["AssumedRoleUser"]["Arn"].endswith(":assumed-role/deployer/me")


def test_a_session_has_keys_of_its_own(cloud: Cloud) -> None:
    keys = cloud.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    assert keys["SessionToken"]
    assert (keys["Expiration"] - cloud.time()).total_seconds() <= 1000


def test_zones_are_of_the_region(cloud: Cloud) -> None:
    zones = cloud.client("ec2").describe_availability_zones()["AvailabilityZones"]
    assert {zone["RegionName"] for zone in zones} == {"eu-central-1"}
    assert {zone["ZoneName"] for zone in zones} >= {"eu-central-1a", "eu-central-1b"}
    assert {zone["State"] for zone in zones} == {"available"}


def test_subnets_lie_in_networks_that_are_there(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    networks = {item["VpcId"] for item in ec2.describe_vpcs()["Vpcs"]}
    subnets = ec2.describe_subnets()["Subnets"]
    assert networks
    assert {item["VpcId"] for item in subnets} <= networks
    some = ec2.describe_subnets(SubnetIds=[subnets[0]["SubnetId"]])["Subnets"]
    assert [item["SubnetId"] for item in some] == [subnets[0]["SubnetId"]]
    found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": ["vpc-none"]}])
    assert found["Subnets"] == []


def test_security_groups_lie_in_networks_that_are_there(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    networks = {item["VpcId"] for item in ec2.describe_vpcs()["Vpcs"]}
    groups = ec2.describe_security_groups()["SecurityGroups"]
    assert {item["VpcId"] for item in groups} <= networks
    one = groups[0]["GroupId"]
    some = ec2.describe_security_groups(GroupIds=[one])["SecurityGroups"]
    assert [item["GroupId"] for item in some] == [one]


@pytest.mark.parametrize(
    ("call", "names", "code"),
    [
        (
            "describe_instances",
            {"InstanceIds": ["i-0123456789abcdef1"]},
            "InvalidInstanceID.NotFound",
        ),
        (
            "describe_subnets",
            {"SubnetIds": ["subnet-0123456789abcdef0"]},
            "InvalidSubnetID.NotFound",
        ),
        ("describe_vpcs", {"VpcIds": ["vpc-0123456789abcdef0"]}, "InvalidVpcID.NotFound"),
        (
            "describe_security_groups",
            {"GroupIds": ["sg-01234567"]},
            "InvalidGroup.NotFound",
        ),
    ],
    ids=["instance", "subnet", "network", "group"],
)
def test_what_is_not_there_has_a_code_of_its_own(
    cloud: Cloud, call: str, names: dict[str, Any], code: str
) -> None:
    with refused(code):
        getattr(cloud.client("ec2"), call)(**names)


@lacks(ministack="answers an empty list for names")
def test_load_balancers_that_are_not_there(cloud: Cloud) -> None:
    elb = cloud.client("elbv2")
    base = f"arn:aws:elasticloadbalancing:eu-central-1:{ACCOUNT}"
    balancer = f"{base}:loadbalancer/app/none/0123456789abcdef"
    group = f"{base}:targetgroup/none/0123456789abcdef"
    for call in (
        lambda: elb.describe_load_balancers(LoadBalancerArns=[balancer]),
        lambda: elb.describe_load_balancers(Names=["none-such"]),
        lambda: elb.describe_listeners(LoadBalancerArn=balancer),
    ):
        with refused("LoadBalancerNotFound"):
            call()
    for call in (
        lambda: elb.describe_target_groups(TargetGroupArns=[group]),
        lambda: elb.describe_target_groups(Names=["none-such"]),
        lambda: elb.describe_target_health(TargetGroupArn=group),
    ):
        with refused("TargetGroupNotFound"):
            call()
