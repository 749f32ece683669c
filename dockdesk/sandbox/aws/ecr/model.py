"""What the simulated ECR knows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.aws.values import ACCOUNT, AwsError, arn
from dockdesk.sandbox.world.traffic import unit

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class EcrImage:
    """``fate`` is what becomes of a task that runs it: ok, crashes, unhealthy. ``size`` in bytes, compressed."""

    digest: str
    manifest: str
    media_type: str
    size: int
    pushed: float
    tags: list[str] = field(default_factory=list)
    pulled: float = 0.0
    fate: str = "ok"
    scanned: float = 0.0


@dataclass(slots=True)
class Repository:
    name: str
    arn: str
    uri: str
    created: float
    immutable: bool = False
    scan_on_push: bool = True
    images: dict[str, EcrImage] = field(default_factory=dict)
    policy: str = ""
    lifecycle: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def by_tag(self, tag: str) -> EcrImage | None:
        return next((image for image in self.images.values() if tag in image.tags), None)


class EcrState:
    """All repositories of a region's registry."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.host = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com"
        self.repositories: dict[str, Repository] = {}

    def create(self, name: str, now: float) -> Repository:
        repository = Repository(
            name, arn("ecr", self.region, f"repository/{name}"), f"{self.host}/{name}", now
        )
        self.repositories[name] = repository
        return repository

    def repository(self, name: str) -> Repository:
        """Raises RepositoryNotFoundException."""
        if name not in self.repositories:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'",
            )
        return self.repositories[name]

    def push(
        self,
        repository: Repository,
        tag: str,
        now: float,
        *,
        size: int = 48_000_000,
        fate: str = "ok",
    ) -> EcrImage:
        """An image that somebody's build pushed; a tag that was there moves to it."""
        manifest = made_up_manifest(f"{repository.name}:{tag}:{fate}", size)
        image = EcrImage(digest(manifest), manifest, MANIFEST, size, now, fate=fate)
        image = repository.images.setdefault(image.digest, image)
        put_tag(repository, image, tag)
        if repository.scan_on_push:
            image.scanned = now + 20
        return image

    def fate(self, reference: str) -> str:
        """What becomes of a task with this image: ok, crashes, unhealthy or cannot_pull.

        Images of other registries are all good: whether they exist is not known here.
        """
        host, _, rest = reference.partition("/")
        if host != self.host:
            return "ok"
        name, at, wanted = rest.partition("@")
        if not at:
            name, _, wanted = rest.partition(":")
        repository = self.repositories.get(name)
        if repository is None:
            return "cannot_pull"
        image = repository.images.get(wanted) if at else repository.by_tag(wanted or "latest")
        return image.fate if image is not None else "cannot_pull"


def put_tag(repository: Repository, image: EcrImage, tag: str) -> None:
    for other in repository.images.values():
        if tag in other.tags:
            other.tags.remove(tag)
    image.tags.append(tag)


def made_up_manifest(key: str, size: int) -> str:
    """A manifest of four layers that sum up to ``size``."""
    shares = [0.1 + unit(key, number) for number in range(4)]
    layers: list[dict[str, Any]] = [
        {
            "mediaType": _LAYER,
            "size": int(size * share / sum(shares)),
            "digest": digest(f"{key}/{number}"),
        }
        for number, share in enumerate(shares)
    ]
    config = {"mediaType": CONFIG, "size": 7023, "digest": digest(f"{key}/config")}
    return json.dumps(
        {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}, indent=3
    )
