"""The EKS clusters that the simulated AWS begins with: one well, one that is behind and has an issue."""

from __future__ import annotations

from dockdesk.sandbox.aws.eks.api import EksApi
from dockdesk.sandbox.aws.eks.model import (
    DAY,
    GROUP_SECONDS,
    PROFILE_SECONDS,
    Life,
    NodeGroup,
    Profile,
)


def furnish(api: EksApi, now: float) -> None:
    shop = api.add("shop-k8s", "1.33", now - 220 * DAY)
    shop.tags = {"environment": "prod"}
    shop.node_groups["general"] = NodeGroup(
        "general",
        Life(now - 219 * DAY, GROUP_SECONDS),
        3,
        12,
        5,
        ["m6i.large"],
        labels={"pool": "general"},
    )
    shop.node_groups["spot"] = NodeGroup(
        "spot",
        Life(now - 100 * DAY, GROUP_SECONDS),
        0,
        20,
        4,
        ["c6i.large", "c5.large"],
        "SPOT",
        labels={"pool": "spot"},
    )
    shop.profiles["batch"] = Profile(
        "batch",
        Life(now - 219 * DAY, PROFILE_SECONDS),
        [{"namespace": "batch", "labels": {"compute": "fargate"}}],
    )
    old = api.add("tools-k8s", "1.31", now - 500 * DAY)
    old.public = False
    tools = NodeGroup("tools", Life(now - 499 * DAY, GROUP_SECONDS), 1, 4, 2, ["t3.large"])
    tools.issues = [
        {
            "code": "AsgInstanceLaunchFailures",
            "message": "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit allows.",
            "resourceIds": ["eks-tools"],
        }
    ]
    old.node_groups["tools"] = tools
