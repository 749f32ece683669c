"""EKS's state as its API shows it. Source: docs.aws.amazon.com/eks/latest/APIReference/API_Types.html"""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.aws.eks.model import (
    ADDONS,
    VERSIONS,
    Access,
    Addon,
    EksCluster,
    NodeGroup,
    Profile,
)
from dockdesk.sandbox.aws.values import ACCOUNT, arn, hex_id, uuid_of, when


def _region(cluster: EksCluster) -> str:
    return cluster.arn.split(":")[3]


def subnets(region: str) -> list[str]:
    """Those of the region's network."""
    return [f"subnet-{hex_id(17, 'subnet', f'{region}{letter}')}" for letter in "abc"]


def _arn(cluster: EksCluster, kind: str, name: str) -> str:
    number = uuid_of(cluster.name, name)
    return arn("eks", _region(cluster), f"{kind}/{cluster.name}/{name}/{number}")


def cluster(item: EksCluster, now: float) -> dict[str, Any]:
    region = _region(item)
    number = item.endpoint.partition("//")[2].partition(".")[0]
    return {
        "name": item.name,
        "arn": item.arn,
        "createdAt": when(item.life.created),
        "version": item.version,
        "endpoint": item.endpoint,
        "roleArn": item.role or arn("iam", "", f"role/eks-{item.name}"),
        "resourcesVpcConfig": {
            "subnetIds": item.subnets or subnets(region),
            "securityGroupIds": [],
            "clusterSecurityGroupId": f"sg-{hex_id(17, 'sg', item.name)}",
            "vpcId": f"vpc-{hex_id(17, 'vpc')}",
            "endpointPublicAccess": item.public,
            "endpointPrivateAccess": item.private,
            "publicAccessCidrs": item.cidrs if item.public else [],
        },
        "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16", "ipFamily": "ipv4"},
        "logging": {
            "clusterLogging": [{"types": ["api", "audit", "authenticator"], "enabled": True}]
        },
        "identity": {"oidc": {"issuer": f"https://oidc.eks.{region}.amazonaws.com/id/{number}"}},
        "status": item.status(now),
        "certificateAuthority": {"data": item.certificate},
        "platformVersion": "eks.9",
        "tags": item.tags,
        "health": {"issues": item.issues},
        "accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"},
        "upgradePolicy": {"supportType": "STANDARD"},
    }


def node_group(owner: EksCluster, item: NodeGroup, now: float) -> dict[str, Any]:
    status = item.life.status(now)
    if status == "ACTIVE" and item.issues:
        status = "DEGRADED"
    version = item.version or owner.version
    group = f"eks-{item.name}-{uuid_of(owner.name, item.name)}"
    shown: dict[str, Any] = {
        "nodegroupName": item.name,
        "nodegroupArn": _arn(owner, "nodegroup", item.name),
        "clusterName": owner.name,
        "version": version,
        "releaseVersion": f"{version}.1-20260115",
        "createdAt": when(item.life.created),
        "modifiedAt": when(item.life.changed or item.life.created),
        "status": status,
        "capacityType": item.capacity,
        "scalingConfig": {"minSize": item.low, "maxSize": item.high, "desiredSize": item.desired},
        "instanceTypes": item.kinds,
        "subnets": item.subnets or subnets(_region(owner)),
        "amiType": item.image,
        "nodeRole": item.role or arn("iam", "", "role/eks-node"),
        "labels": item.labels,
        "resources": {"autoScalingGroups": [{"name": group}]},
        "diskSize": item.disk,
        "health": {"issues": item.issues},
        "updateConfig": {"maxUnavailable": 1},
        "tags": item.tags,
    }
    if item.taints:
        shown["taints"] = item.taints
    return shown


def profile(owner: EksCluster, item: Profile, now: float) -> dict[str, Any]:
    return {
        "fargateProfileName": item.name,
        "fargateProfileArn": _arn(owner, "fargateprofile", item.name),
        "clusterName": owner.name,
        "createdAt": when(item.life.created),
        "podExecutionRoleArn": item.role or arn("iam", "", "role/eks-fargate"),
        "subnets": item.subnets or subnets(_region(owner)),
        "selectors": item.selectors,
        "status": item.life.status(now),
        "tags": item.tags,
        "health": {"issues": []},
    }


def addon(owner: EksCluster, item: Addon, now: float) -> dict[str, Any]:
    shown = {
        "addonName": item.name,
        "clusterName": owner.name,
        "status": item.life.status(now),
        "addonVersion": item.version,
        "health": {"issues": []},
        "addonArn": _arn(owner, "addon", item.name),
        "createdAt": when(item.life.created),
        "modifiedAt": when(item.life.changed or item.life.created),
        "tags": item.tags,
    }
    if item.configuration:
        shown["configurationValues"] = item.configuration
    if item.role:
        shown["serviceAccountRoleArn"] = item.role
    return shown


def access(owner: EksCluster, item: Access) -> dict[str, Any]:
    kind, _, name = item.principal.rpartition(":")[2].partition("/")
    return {
        "clusterName": owner.name,
        "principalArn": item.principal,
        "kubernetesGroups": item.groups,
        "accessEntryArn": _arn(owner, f"access-entry/{kind}", name),
        "createdAt": when(item.created),
        "modifiedAt": when(item.created),
        "tags": item.tags,
        "username": item.user or item.principal,
        "type": item.kind,
    }


def versions(now: float, wanted: list[str]) -> list[dict[str, Any]]:
    newest = [item for item, (release, _, __) in VERSIONS.items() if release <= now]
    return [
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


def addon_versions(name: str, version: str) -> list[dict[str, Any]]:
    """What can be added, for a version of Kubernetes or for all."""
    kubernetes = [version] if version else list(VERSIONS)
    return [
        {
            "addonName": known,
            "type": kind,
            "publisher": "eks",
            "owner": "aws",
            "addonVersions": [
                {
                    "addonVersion": newest,
                    "architecture": ["amd64", "arm64"],
                    "compatibilities": [
                        {
                            "clusterVersion": one,
                            "platformVersions": ["*"],
                            "defaultVersion": True,
                        }
                        for one in kubernetes
                    ],
                    "requiresConfiguration": False,
                }
            ],
        }
        for known, (newest, kind) in ADDONS.items()
        if name in {"", known}
    ]


CREATOR = f"arn:aws:iam::{ACCOUNT}:user/sandbox"
