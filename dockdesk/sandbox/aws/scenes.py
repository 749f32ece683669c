"""Scenarios as the shop plays them: which service gets the bad release, and which one leaks."""

from __future__ import annotations

from dockdesk.sandbox.aws import seed
from dockdesk.sandbox.aws.region import Region
from dockdesk.sandbox.world.scenarios import Conditions

_LEAKS = "checkout"
_BAD = ("shop-prod", "checkout")


def play(region: Region, conditions: Conditions) -> None:
    """Begin what needs the shop's own names; the rest is the cloud's doing."""
    cloud = region.cloud
    cloud.leaking = {_LEAKS} if conditions.leak else set()
    if conditions.huge:
        seed.enlarge(region)
    if conditions.bad_deploy:
        _release(region)


def _release(region: Region) -> None:
    """Register the next revision with an image that fails its health checks, and deploy it."""
    cloud = region.cloud
    cluster = cloud.ecs.clusters.get(_BAD[0])
    service = cluster.services.get(_BAD[1]) if cluster else None
    if service is None or service.status != "ACTIVE":
        return
    body = dict(service.definition.body)
    bad = f"{cloud.ecr.host}/shop/{service.name}:{seed.BAD_TAG}"
    body["containerDefinitions"] = [
        {**container, "image": bad if position == 0 else container["image"]}
        for position, container in enumerate(service.definition.containers)
    ]
    definition = cloud.ecs.register(body, cloud.now(), {"service": service.name})
    cloud.scheduler.deploy(service, definition, cloud.now())
