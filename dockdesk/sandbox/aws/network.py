"""EC2 and Elastic Load Balancing as far as panes look at them: hosts, zones, networks, targets and their health.

Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/ and .../elasticloadbalancing/latest/APIReference/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from dockdesk.sandbox.aws.cloud import Cloud
from dockdesk.sandbox.aws.ecs.model import ContainerInstance, Service, Task
from dockdesk.sandbox.aws.ecs.scheduler import port_of
from dockdesk.sandbox.aws.values import (
    ACCOUNT,
    Api,
    AwsError,
    Params,
    arn,
    hex_id,
    listing,
    page,
    when,
)

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
VPC = f"vpc-{hex_id(17, 'vpc')}"


class Ec2Api(Api):
    """Answers are named as EC2's XML names them."""

    invalid = "InvalidParameterValue"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.operations = {
            "DescribeInstances": self._instances,
            "DescribeAvailabilityZones": self._zones,
            "DescribeRegions": self._regions,
            "DescribeVpcs": self._vpcs,
            "DescribeSubnets": self._subnets,
            "DescribeSecurityGroups": self._groups,
        }

    def _hosts(self) -> Iterable[ContainerInstance]:
        for cluster in self._cloud.ecs.clusters.values():
            yield from cluster.instances.values()

    def _instances(self, params: Params) -> Mapping[str, Any]:
        wanted = params.texts("InstanceId")
        hosts = {host.ec2_id: host for host in self._hosts()}
        for name in wanted:
            if name not in hosts:
                raise AwsError(
                    "InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist"
                )
        found = [hosts[name] for name in wanted] if wanted else list(hosts.values())
        for one in params.inners("Filter"):
            name, values = one.need("Name"), one.texts("Value")
            found = [host for host in found if _passes(self._flat(host), name, values)]
        most = 1000 if wanted else params.whole("MaxResults", 1000, 5, 1000)
        shown, token = page(
            found, Params({"n": most, **params.given("NextToken")}), 1000, "n", "NextToken"
        )
        reservations = [
            {
                "reservationId": f"r-{host.ec2_id[2:]}",
                "ownerId": ACCOUNT,
                "instancesSet": [self._instance(host)],
            }
            for host in shown
        ]
        return listing("reservationSet", reservations, token, "nextToken")

    def _flat(self, host: ContainerInstance) -> dict[str, Any]:
        """As filters name what an instance is."""
        shown = self._instance(host)
        state, place = shown["instanceState"], shown["placement"]
        return {
            **shown,
            "instanceStateName": state["name"],
            "availabilityZone": place["availabilityZone"],
        }

    def _instance(self, host: ContainerInstance) -> dict[str, Any]:
        up = host.connected
        return {
            "instanceId": host.ec2_id,
            "imageId": f"ami-{hex_id(17, 'ecs-optimized')}",
            "instanceState": {"code": 16, "name": "running"}
            if up
            else {"code": 0, "name": "pending"},
            "privateDnsName": f"ip-{host.ip.replace('.', '-')}.{self._cloud.region}.compute.internal",
            "instanceType": host.kind,
            "launchTime": when(host.registered - 90),
            "placement": {"availabilityZone": host.zone, "groupName": "", "tenancy": "default"},
            "subnetId": f"subnet-{hex_id(17, 'subnet', host.zone)}",
            "vpcId": VPC,
            "privateIpAddress": host.ip,
            "architecture": "x86_64",
            "tagSet": [{"key": "Name", "value": "ecs-host"}],
        }

    def _zones(self, params: Params) -> Mapping[str, Any]:
        region = self._cloud.region
        zones: list[dict[str, Any]] = [
            {
                "zoneName": zone,
                "zoneState": "available" if zone in self._cloud.zones() else "impaired",
                "regionName": region,
                "zoneId": f"sim1-az{number}",
                "groupName": region,
                "optInStatus": "opt-in-not-required",
                "zoneType": "availability-zone",
                "messageSet": [],
            }
            for number, zone in enumerate(self._cloud.all_zones(), 1)
        ]
        return {"availabilityZoneInfo": _chosen(zones, params, "ZoneName", "InvalidParameterValue")}

    def _regions(self, params: Params) -> Mapping[str, Any]:
        regions = [
            {
                "regionName": name,
                "regionEndpoint": f"ec2.{name}.amazonaws.com",
                "optInStatus": "opt-in-not-required",
            }
            for name in REGIONS
        ]
        return {"regionInfo": _chosen(regions, params, "RegionName", "InvalidParameterValue")}

    def _vpcs(self, params: Params) -> Mapping[str, Any]:
        networks = [
            {
                "vpcId": VPC,
                "state": "available",
                "cidrBlock": "10.0.0.0/16",
                "isDefault": False,
                "ownerId": ACCOUNT,
                "tagSet": [{"key": "Name", "value": "shop"}],
            }
        ]
        return {"vpcSet": _chosen(networks, params, "VpcId", "InvalidVpcID.NotFound")}

    def _subnets(self, params: Params) -> Mapping[str, Any]:
        subnets = [
            {
                "subnetId": f"subnet-{hex_id(17, 'subnet', zone)}",
                "state": "available",
                "vpcId": VPC,
                "cidrBlock": f"10.0.{16 * number}.0/20",
                "availableIpAddressCount": 4000,
                "availabilityZone": zone,
                "defaultForAz": False,
                "tagSet": [{"key": "Name", "value": f"private-{zone[-1]}"}],
            }
            for number, zone in enumerate(self._cloud.all_zones(), 1)
        ]
        return {"subnetSet": _chosen(subnets, params, "SubnetId", "InvalidSubnetID.NotFound")}

    def _groups(self, params: Params) -> Mapping[str, Any]:
        groups = [
            {
                "groupId": f"sg-{hex_id(17, 'sg', name)}",
                "groupName": name,
                "groupDescription": f"Tasks of {name}",
                "vpcId": VPC,
                "ownerId": ACCOUNT,
            }
            for name, cluster in self._cloud.ecs.clusters.items()
            if cluster.attended
        ]
        return {"securityGroupInfo": _chosen(groups, params, "GroupId", "InvalidGroup.NotFound")}


def _chosen(
    items: list[dict[str, Any]], params: Params, name: str, missing: str
) -> list[dict[str, Any]]:
    """Those that are asked for by id, and that pass the filters. ``missing`` is the error's code where one isn't there.

    A filter is named like the member that it compares: ``availability-zone`` is ``availabilityZone``.
    """
    key = name[0].lower() + name[1:]
    wanted = params.texts(name)
    for text in wanted:
        if text not in {item[key] for item in items}:
            raise AwsError(missing, f"The {name} '{text}' does not exist")
    found = [item for item in items if not wanted or item[key] in wanted]
    for one in params.inners("Filter"):
        found = [item for item in found if _passes(item, one.need("Name"), one.texts("Value"))]
    return found


def _passes(item: Mapping[str, Any], name: str, values: list[str]) -> bool:
    if name.startswith("tag:") or name == "tag-key":
        tags = {tag["key"]: tag["value"] for tag in item.get("tagSet", ())}
        found = list(tags) if name == "tag-key" else [tags.get(name.partition(":")[2], "")]
    else:
        head, *rest = name.split("-")
        key = head + "".join(part.capitalize() for part in rest)
        if key not in item:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        found = [str(item[key]).lower() if isinstance(item[key], bool) else str(item[key])]
    return any(fnmatchcase(text, value) for text in found for value in values)


class ElbApi(Api):
    invalid = "ValidationError"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.operations = {
            "DescribeLoadBalancers": self._balancers,
            "DescribeTargetGroups": self._target_groups,
            "DescribeTargetHealth": self._health,
            "DescribeListeners": self._listeners,
        }

    def _arn(self, kind: str) -> str:
        return arn("elasticloadbalancing", self._cloud.region, kind)

    def _services(self) -> list[Service]:
        return list(self._cloud.ecs.by_target_group.values())

    def _balancers(self, params: Params) -> Mapping[str, Any]:
        arns, names = params.texts("LoadBalancerArns"), params.texts("Names")
        known: dict[str, Service] = {}
        for service in self._services():
            if service.balancer:
                known.setdefault(service.balancer, service)
        for name in arns:
            if not any(name == self._arn(f"loadbalancer/{key}") for key in known):
                raise AwsError("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
        for name in set(names) - {key.split("/")[1] for key in known}:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
        found = [
            self._balancer(key, service.cluster.created)
            for key, service in known.items()
            if (not arns or self._arn(f"loadbalancer/{key}") in arns)
            and (not names or key.split("/")[1] in names)
        ]
        shown, token = page(found, params, 400, "PageSize", "Marker")
        return listing("LoadBalancers", shown, token, "NextMarker")

    def _balancer(self, key: str, created: float) -> dict[str, Any]:
        _, name, number = key.split("/")
        return {
            "LoadBalancerArn": self._arn(f"loadbalancer/{key}"),
            "DNSName": f"{name}-{number[:10]}.{self._cloud.region}.elb.amazonaws.com",
            "CanonicalHostedZoneId": "Z0SANDBOX00000000",
            "CreatedTime": when(created),
            "LoadBalancerName": name,
            "Scheme": "internet-facing",
            "VpcId": VPC,
            "State": {"Code": "active"},
            "Type": "application",
            "AvailabilityZones": [
                {"ZoneName": zone, "SubnetId": f"subnet-{hex_id(17, 'subnet', zone)}"}
                for zone in self._cloud.all_zones()
            ],
            "IpAddressType": "ipv4",
        }

    def _target_groups(self, params: Params) -> Mapping[str, Any]:
        arns, balancer = params.texts("TargetGroupArns"), params.text("LoadBalancerArn")
        known = {service.target_group: service for service in self._services()}
        names = params.texts("Names")
        if set(names) - {name.split("/")[1] for name in known}:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        for name in arns:
            if name not in known:
                raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        found = [
            {
                "TargetGroupArn": name,
                "TargetGroupName": name.split("/")[1],
                "Protocol": "HTTP",
                "Port": _port(service),
                "VpcId": VPC,
                "HealthCheckProtocol": "HTTP",
                "HealthCheckPort": "traffic-port",
                "HealthCheckEnabled": True,
                "HealthCheckIntervalSeconds": 10,
                "HealthCheckTimeoutSeconds": 5,
                "HealthyThresholdCount": 2,
                "UnhealthyThresholdCount": 3,
                "HealthCheckPath": "/healthz",
                "Matcher": {"HttpCode": "200"},
                "LoadBalancerArns": [self._arn(f"loadbalancer/{service.balancer}")]
                if service.balancer
                else [],
                "TargetType": "ip" if service.launch == "FARGATE" else "instance",
                "ProtocolVersion": "HTTP1",
            }
            for name, service in known.items()
            if (not arns or name in arns)
            and (not names or name.split("/")[1] in names)
            and (not balancer or balancer == self._arn(f"loadbalancer/{service.balancer}"))
        ]
        shown, token = page(found, params, 400, "PageSize", "Marker")
        return listing("TargetGroups", shown, token, "NextMarker")

    def _health(self, params: Params) -> Mapping[str, Any]:
        name = params.need("TargetGroupArn")
        service = next((item for item in self._services() if item.target_group == name), None)
        if service is None:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        told = [_target(task) for task in service.tasks.values() if task.started]
        return {"TargetHealthDescriptions": told}

    def _listeners(self, params: Params) -> Mapping[str, Any]:
        name = params.need("LoadBalancerArn")
        service = next(
            (
                item
                for item in self._services()
                if name == self._arn(f"loadbalancer/{item.balancer}")
            ),
            None,
        )
        if service is None:
            raise AwsError("LoadBalancerNotFound", f"Load balancers '[{name}]' not found")
        action = {"Type": "forward", "TargetGroupArn": service.target_group}
        listener = name.replace(":loadbalancer/", ":listener/") + f"/{hex_id(16, name)}"
        return {
            "Listeners": [
                {
                    "ListenerArn": listener,
                    "LoadBalancerArn": name,
                    "Port": 80,
                    "Protocol": "HTTP",
                    "DefaultActions": [action],
                }
            ]
        }


def _port(service: Service) -> int:
    for item in service.body.get("loadBalancers") or ():
        return int(item.get("containerPort") or 80)
    return 80


def _target(task: Task) -> dict[str, Any]:
    by_host = task.instance is not None and task.definition.body.get("networkMode") != "awsvpc"
    port = 32_768 + int(task.id[:4], 16) % 28_000 if by_host else port_of(task)
    health: dict[str, str] = {"State": "healthy"}
    if not task.live:
        health = {
            "State": "draining",
            "Reason": "Target.DeregistrationInProgress",
            "Description": "Target deregistration is in progress",
        }
    elif task.fate == "unhealthy":
        health = {
            "State": "unhealthy",
            "Reason": "Target.ResponseCodeMismatch",
            "Description": "Health checks failed with these codes: [502]",
        }
    elif not task.serving:
        health = {
            "State": "initial",
            "Reason": "Elb.RegistrationInProgress",
            "Description": "Target registration is in progress",
        }
    return {
        "Target": {
            "Id": task.instance.ec2_id if by_host and task.instance else task.ip,
            "Port": port,
            "AvailabilityZone": task.zone,
        },
        "HealthCheckPort": str(port),
        "TargetHealth": health,
    }
