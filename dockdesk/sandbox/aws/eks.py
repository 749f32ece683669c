"""EKS: clusters, node groups, Fargate profiles, add-ons and access. Source: docs.aws.amazon.com/eks/latest/APIReference/"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.values import (
    ACCOUNT,
    Api,
    AwsError,
    BadInputError,
    Params,
    arn,
    hex_id,
    listing,
    page,
    uuid_of,
    when,
)

DAY = 86_400.0
Call = Callable[[Params], Mapping[str, Any]]
_UPDATE_SECONDS = 90.0
# version → (release, end of standard support, end of extended support), as days of 2024 and after, seconds since 1970.
VERSIONS = {
    "1.30": (1_716_422_400.0, 1_753_228_800.0, 1_784_764_800.0),
    "1.31": (1_727_308_800.0, 1_764_115_200.0, 1_795_651_200.0),
    "1.32": (1_737_590_400.0, 1_774_224_000.0, 1_805_760_000.0),
    "1.33": (1_748_476_800.0, 1_785_369_600.0, 1_816_905_600.0),
    "1.34": (1_759_363_200.0, 1_796_169_600.0, 1_827_705_600.0),
}
_ADDONS = {
    "vpc-cni": "v1.19.2-eksbuild.1",
    "coredns": "v1.11.4-eksbuild.2",
    "kube-proxy": "v1.32.0-eksbuild.2",
    "metrics-server": "v0.7.2-eksbuild.1",
    "aws-ebs-csi-driver": "v1.38.1-eksbuild.1",
}


@dataclass(slots=True)
class NodeGroup:
    name: str
    created: float
    low: int
    high: int
    desired: int
    kinds: list[str]
    capacity: str = "ON_DEMAND"
    changed: float = 0.0
    issues: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class EksCluster:
    name: str
    arn: str
    created: float
    version: str
    endpoint: str
    certificate: str = ""
    public: bool = True
    node_groups: dict[str, NodeGroup] = field(default_factory=dict)
    profiles: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    addons: dict[str, str] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


class EksApi(Api):
    """Endpoints lead nowhere, by a name that is reserved for that, until `serve` tells of one."""

    invalid = "InvalidParameterException"

    def __init__(self, region: str, now: Callable[[], float]) -> None:
        self._region = region
        self._now = now
        self.clusters: dict[str, EksCluster] = {}
        one = r"/clusters/(?P<name>[^/]+)"
        routes: tuple[tuple[str, str, Call], ...] = (
            ("GET", "/clusters", self._list_clusters),
            ("GET", one, lambda params: {"cluster": self._cluster(self._find(params))}),
            (
                "GET",
                f"{one}/node-groups",
                lambda params: self._names(params, "nodegroups", self._find(params).node_groups),
            ),
            ("GET", f"{one}/node-groups/(?P<nodegroupName>[^/]+)", self._describe_group),
            (
                "POST",
                f"{one}/node-groups/(?P<nodegroupName>[^/]+)/update-config",
                self._update_group,
            ),
            (
                "GET",
                f"{one}/fargate-profiles",
                lambda params: self._names(
                    params, "fargateProfileNames", self._find(params).profiles
                ),
            ),
            (
                "GET",
                f"{one}/fargate-profiles/(?P<fargateProfileName>[^/]+)",
                self._describe_profile,
            ),
            (
                "GET",
                f"{one}/addons",
                lambda params: self._names(params, "addons", self._find(params).addons),
            ),
            ("GET", f"{one}/addons/(?P<addonName>[^/]+)", self._describe_addon),
            ("GET", f"{one}/access-entries", self._list_access),
            (
                "GET",
                f"{one}/updates",
                lambda params: self._names(params, "updateIds", self._find(params).updates),
            ),
            ("GET", f"{one}/updates/(?P<updateId>[^/]+)", self._describe_update),
            (
                "POST",
                f"{one}/insights",
                lambda params: {"insights": []} if self._find(params) else {},
            ),
            ("GET", "/cluster-versions", self._versions),
        )
        self._routes = [
            (method, re.compile(pattern), handler) for method, pattern, handler in routes
        ]
        self.operations = {}

    def route(
        self, method: str, path: str
    ) -> tuple[Callable[[Params], Mapping[str, Any]], dict[str, str]] | None:
        """The operation at a path, and what its path names."""
        for known, pattern, handler in self._routes:
            match = pattern.fullmatch(path)
            if match is not None and known == method:
                return handler, match.groupdict()
        return None

    def add(self, name: str, version: str, created: float, endpoint: str = "") -> EksCluster:
        number = hex_id(32, self._region, name).upper()
        cluster = EksCluster(
            name,
            arn("eks", self._region, f"cluster/{name}"),
            created,
            version,
            endpoint or f"https://{number}.gr7.{self._region}.eks.invalid",
            addons=dict(list(_ADDONS.items())[:4]),
        )
        self.clusters[name] = cluster
        return cluster

    def serve(self, name: str, endpoint: str, certificate: str) -> None:
        """Say where a cluster's Kubernetes API is served; ``certificate`` is its authority's, as PEM."""
        self.clusters[name].endpoint = endpoint
        self.clusters[name].certificate = base64.b64encode(certificate.encode()).decode()

    def _find(self, params: Params) -> EksCluster:
        name = params.need("name")
        if name not in self.clusters:
            raise AwsError(
                "ResourceNotFoundException",
                f"No cluster found for name: {name}.",
                404,
                clusterName=name,
            )
        return self.clusters[name]

    @staticmethod
    def _names(params: Params, key: str, names: Mapping[str, Any]) -> Mapping[str, Any]:
        shown, token = page(list(names), params, 100, "maxResults", "nextToken")
        return listing(key, shown, token)

    def _list_clusters(self, params: Params) -> Mapping[str, Any]:
        return self._names(params, "clusters", self.clusters)

    def _cluster(self, item: EksCluster) -> dict[str, Any]:
        number = item.endpoint.partition("//")[2].partition(".")[0]
        return {
            "name": item.name,
            "arn": item.arn,
            "createdAt": when(item.created),
            "version": item.version,
            "endpoint": item.endpoint,
            "roleArn": arn("iam", "", f"role/eks-{item.name}"),
            "resourcesVpcConfig": {
                "subnetIds": [
                    f"subnet-{hex_id(17, 'subnet', f'{self._region}{letter}')}" for letter in "abc"
                ],
                "securityGroupIds": [],
                "clusterSecurityGroupId": f"sg-{hex_id(17, 'sg', item.name)}",
                "vpcId": f"vpc-{hex_id(17, 'vpc')}",
                "endpointPublicAccess": item.public,
                "endpointPrivateAccess": True,
                "publicAccessCidrs": ["0.0.0.0/0"] if item.public else [],
            },
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
            "logging": {
                "clusterLogging": [{"types": ["api", "audit", "authenticator"], "enabled": True}]
            },
            "identity": {
                "oidc": {"issuer": f"https://oidc.eks.{self._region}.amazonaws.com/id/{number}"}
            },
            "status": "ACTIVE",
            "certificateAuthority": {"data": item.certificate},
            "platformVersion": "eks.9",
            "tags": item.tags,
            "health": {"issues": item.issues},
            "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
            "upgradePolicy": {"supportType": "STANDARD"},
        }

    def _group(self, params: Params) -> tuple[EksCluster, NodeGroup]:
        cluster, name = self._find(params), params.need("nodegroupName")
        if name not in cluster.node_groups:
            raise AwsError(
                "ResourceNotFoundException",
                f"No node group found for name: {name}.",
                404,
                clusterName=cluster.name,
                nodegroupName=name,
            )
        return cluster, cluster.node_groups[name]

    def _describe_group(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._group(params)
        updating = self._now() - item.changed < _UPDATE_SECONDS
        status = "UPDATING" if updating else "DEGRADED" if item.issues else "ACTIVE"
        return {
            "nodegroup": {
                "nodegroupName": item.name,
                "nodegroupArn": arn(
                    "eks",
                    self._region,
                    f"nodegroup/{cluster.name}/{item.name}/{uuid_of(cluster.name, item.name)}",
                ),
                "clusterName": cluster.name,
                "version": cluster.version,
                "releaseVersion": f"{cluster.version}.1-20260115",
                "createdAt": when(item.created),
                "modifiedAt": when(item.changed or item.created),
                "status": status,
                "capacityType": item.capacity,
                "scalingConfig": {
                    "minSize": item.low,
                    "maxSize": item.high,
                    "desiredSize": item.desired,
                },
                "instanceTypes": item.kinds,
                "subnets": [
                    f"subnet-{hex_id(17, 'subnet', f'{self._region}{letter}')}" for letter in "abc"
                ],
                "amiType": "AL2023_x86_64_STANDARD",
                "nodeRole": arn("iam", "", "role/eks-node"),
                "labels": item.labels,
                "resources": {
                    "autoScalingGroups": [
                        {"name": f"eks-{item.name}-{uuid_of(cluster.name, item.name)}"}
                    ]
                },
                "diskSize": 40,
                "health": {"issues": item.issues},
                "updateConfig": {"maxUnavailable": 1},
                "tags": {},
            }
        }

    def _update_group(self, params: Params) -> Mapping[str, Any]:
        cluster, item = self._group(params)
        told = params.inner("scalingConfig")
        low, high = told.whole("minSize", item.low, 0), told.whole("maxSize", item.high, 1)
        desired = told.whole("desiredSize", item.desired, 0)
        if not low <= desired <= high:
            raise BadInputError(
                f"desired capacity {desired} must be between minimum {low} and maximum {high}"
            )
        item.low, item.high, item.desired, item.changed = low, high, desired, self._now()
        key = uuid_of(cluster.name, item.name, item.changed)
        cluster.updates[key] = {
            "id": key,
            "type": "ConfigUpdate",
            "params": [{"type": "DesiredSize", "value": str(desired)}],
            "createdAt": when(item.changed),
            "errors": [],
        }
        return {"update": {**cluster.updates[key], "status": "InProgress"}}

    def _describe_update(self, params: Params) -> Mapping[str, Any]:
        found = self._find(params).updates.get(params.need("updateId"))
        if found is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"No update found for ID: {params.text('updateId')}",
                404,
            )
        done = self._now() - found["createdAt"] >= _UPDATE_SECONDS
        return {"update": {**found, "status": "Successful" if done else "InProgress"}}

    def _describe_profile(self, params: Params) -> Mapping[str, Any]:
        cluster, name = self._find(params), params.need("fargateProfileName")
        if name not in cluster.profiles:
            raise AwsError(
                "ResourceNotFoundException",
                f"No Fargate Profile found with name: {name}.",
                404,
                clusterName=cluster.name,
            )
        return {
            "fargateProfile": {
                "fargateProfileName": name,
                "fargateProfileArn": arn(
                    "eks",
                    self._region,
                    f"fargateprofile/{cluster.name}/{name}/{uuid_of(cluster.name, name)}",
                ),
                "clusterName": cluster.name,
                "createdAt": when(cluster.created + DAY),
                "podExecutionRoleArn": arn("iam", "", "role/eks-fargate"),
                "subnets": [
                    f"subnet-{hex_id(17, 'subnet', f'{self._region}{letter}')}" for letter in "abc"
                ],
                "selectors": cluster.profiles[name],
                "status": "ACTIVE",
                "tags": {},
                "health": {"issues": []},
            }
        }

    def _describe_addon(self, params: Params) -> Mapping[str, Any]:
        cluster, name = self._find(params), params.need("addonName")
        if name not in cluster.addons:
            raise AwsError(
                "ResourceNotFoundException",
                f"No addon: {name} found in cluster: {cluster.name}",
                404,
                clusterName=cluster.name,
                addonName=name,
            )
        return {
            "addon": {
                "addonName": name,
                "clusterName": cluster.name,
                "status": "ACTIVE",
                "addonVersion": cluster.addons[name],
                "health": {"issues": []},
                "addonArn": arn(
                    "eks",
                    self._region,
                    f"addon/{cluster.name}/{name}/{uuid_of(cluster.name, name)}",
                ),
                "createdAt": when(cluster.created + 600),
                "modifiedAt": when(cluster.created + 40 * DAY),
                "tags": {},
            }
        }

    def _list_access(self, params: Params) -> Mapping[str, Any]:
        self._find(params)
        return {
            "accessEntries": [
                f"arn:aws:iam::{ACCOUNT}:user/sandbox",
                arn("iam", "", "role/eks-node"),
            ]
        }

    def _versions(self, params: Params) -> Mapping[str, Any]:
        now = self._now()
        wanted = params.items("clusterVersions")
        newest = [item for item, (release, _, __) in VERSIONS.items() if release <= now]
        return {
            "clusterVersions": [
                {
                    "clusterVersion": name,
                    "clusterType": "eks",
                    "defaultPlatformVersion": "eks.9",
                    "defaultVersion": bool(newest) and name == newest[-1],
                    "releaseDate": when(release),
                    "endOfStandardSupportDate": when(standard),
                    "endOfExtendedSupportDate": when(extended),
                    "status": "standard-support"
                    if now < standard
                    else "extended-support"
                    if now < extended
                    else "unsupported",
                    "kubernetesPatchVersion": f"{name}.4",
                }
                for name, (release, standard, extended) in VERSIONS.items()
                if not wanted or name in wanted
            ]
        }


def furnish(api: EksApi, now: float) -> None:
    """Two clusters: one well, one that is behind and has an issue."""
    shop = api.add("shop-k8s", "1.33", now - 220 * DAY)
    shop.tags = {"environment": "prod"}
    shop.node_groups["general"] = NodeGroup(
        "general", now - 219 * DAY, 3, 12, 5, ["m6i.large"], labels={"pool": "general"}
    )
    shop.node_groups["spot"] = NodeGroup(
        "spot",
        now - 100 * DAY,
        0,
        20,
        4,
        ["c6i.large", "c5.large"],
        "SPOT",
        labels={"pool": "spot"},
    )
    shop.profiles["batch"] = [{"namespace": "batch", "labels": {"compute": "fargate"}}]
    old = api.add("tools-k8s", "1.31", now - 500 * DAY)
    old.public = False
    old.node_groups["tools"] = NodeGroup("tools", now - 499 * DAY, 1, 4, 2, ["t3.large"])
    old.node_groups["tools"].issues = [
        {
            "code": "AsgInstanceLaunchFailures",
            "message": "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit allows.",
            "resourceIds": ["eks-tools"],
        }
    ]
