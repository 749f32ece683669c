"""What the simulated EKS knows. Times are the world's seconds since 1970, 0 where it never happened."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass

DAY = 86_400.0
# How long what begins takes, in s.
CLUSTER_SECONDS, GROUP_SECONDS, PROFILE_SECONDS, ADDON_SECONDS = 540.0, 120.0, 60.0, 40.0
UPDATE_SECONDS, VERSION_SECONDS = 90.0, 480.0
# version → (release, end of standard support, end of extended support), seconds since 1970.
VERSIONS = {
    "1.30": (1_716_422_400.0, 1_753_228_800.0, 1_784_764_800.0),
    "1.31": (1_727_308_800.0, 1_764_115_200.0, 1_795_651_200.0),
    "1.32": (1_737_590_400.0, 1_774_224_000.0, 1_805_760_000.0),
    "1.33": (1_748_476_800.0, 1_785_369_600.0, 1_816_905_600.0),
    "1.34": (1_759_363_200.0, 1_796_169_600.0, 1_827_705_600.0),
}
ADDONS = {
    "vpc-cni": ("v1.19.2-eksbuild.1", "networking"),
    "coredns": ("v1.11.4-eksbuild.2", "networking"),
    "kube-proxy": ("v1.32.0-eksbuild.2", "networking"),
    "metrics-server": ("v0.7.2-eksbuild.1", "observability"),
    "aws-ebs-csi-driver": ("v1.38.1-eksbuild.1", "storage"),
    "aws-efs-csi-driver": ("v2.1.4-eksbuild.1", "storage"),
    "eks-pod-identity-agent": ("v1.3.4-eksbuild.1", "security"),
    "amazon-cloudwatch-observability": ("v3.2.0-eksbuild.1", "observability"),
}


@dataclass(slots=True)
class Life:
    """When something was made, last changed, and is to be gone; each takes ``takes`` seconds."""

    created: float
    takes: float
    changed: float = 0.0
    deleting: float = 0.0

    def status(self, now: float) -> str:
        if self.deleting:
            return "DELETING"
        if now - self.created < self.takes:
            return "CREATING"
        return "UPDATING" if self.changed and now - self.changed < UPDATE_SECONDS else "ACTIVE"

    def over(self, now: float) -> bool:
        return bool(self.deleting) and now - self.deleting >= self.takes / 2


@dataclass(slots=True)
class NodeGroup:
    name: str
    life: Life
    low: int
    high: int
    desired: int
    kinds: list[str]
    capacity: str = "ON_DEMAND"
    issues: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[dict[str, Any]] = field(default_factory=list)
    subnets: list[str] = field(default_factory=list)
    role: str = ""
    image: str = "AL2023_x86_64_STANDARD"
    disk: int = 40
    tags: dict[str, str] = field(default_factory=dict)
    version: str = ""  # empty: its cluster's


@dataclass(slots=True)
class Profile:
    """A Fargate profile."""

    name: str
    life: Life
    selectors: list[dict[str, Any]]
    subnets: list[str] = field(default_factory=list)
    role: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Addon:
    name: str
    life: Life
    version: str
    configuration: str = ""
    role: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Access:
    """Who may do what: an access entry."""

    principal: str
    created: float
    groups: list[str] = field(default_factory=list)
    kind: str = "STANDARD"
    user: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class EksCluster:
    """``upgrade`` is the version that it is on its way to, until ``upgraded``."""

    name: str
    arn: str
    life: Life
    version: str
    endpoint: str
    certificate: str = ""
    public: bool = True
    private: bool = True
    cidrs: list[str] = field(default_factory=lambda: ["0.0.0.0/0"])
    subnets: list[str] = field(default_factory=list)
    role: str = ""
    upgrade: str = ""
    upgraded: float = 0.0
    node_groups: dict[str, NodeGroup] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)
    access: dict[str, Access] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    updates: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def pass_time(self, now: float) -> None:
        """Let go of what is deleted, and arrive where an upgrade leads."""
        self.node_groups = {k: one for k, one in self.node_groups.items() if not one.life.over(now)}
        self.profiles = {k: one for k, one in self.profiles.items() if not one.life.over(now)}
        self.addons = {k: one for k, one in self.addons.items() if not one.life.over(now)}
        if self.upgrade and now >= self.upgraded:
            self.version, self.upgrade = self.upgrade, ""
        for key in list(self.updates)[:-100]:
            del self.updates[key]

    def status(self, now: float) -> str:
        return "UPDATING" if self.upgrade else self.life.status(now)
