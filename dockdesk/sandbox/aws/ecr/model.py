"""What the simulated ECR knows."""

from __future__ import annotations

import hashlib
from dataclasses import field
from typing import Protocol

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.ecr.content import image_content
from dockdesk.sandbox.aws.values import ACCOUNT, AwsError, arn

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"


def digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class EcrImage:
    """``fate`` is what becomes of a task that runs it: ok, crashes, unhealthy. ``size`` in bytes, compressed.

    ``made_as`` is the tag that an image of the beginning was built as.
    """

    digest: str
    manifest: str
    media_type: str
    size: int
    pushed: float
    tags: list[str] = field(default_factory=list)
    pulled: float = 0.0
    fate: str = "ok"
    scanned: float = 0.0
    made_as: str = ""


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


class Observer(Protocol):
    """Whoever holds the content: the registry."""

    def refresh(self, repository: Repository) -> None: ...

    def created(self, repository: Repository) -> None: ...

    def deleted(self, repository: Repository) -> None: ...

    def put(self, repository: Repository, image: EcrImage, tag: str) -> None: ...

    def untagged(self, repository: Repository, tag: str) -> None: ...

    def removed(self, repository: Repository, digest: str) -> None: ...


class EcrState:
    """All repositories of a region's registry. ``host`` is that in their images' names."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.host = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com"
        self.repositories: dict[str, Repository] = {}
        self.observer: Observer | None = None

    def create(self, name: str, now: float) -> Repository:
        repository = Repository(
            name, arn("ecr", self.region, f"repository/{name}"), f"{self.host}/{name}", now
        )
        self.repositories[name] = repository
        if self.observer is not None:
            self.observer.created(repository)
        return repository

    def delete(self, repository: Repository) -> None:
        del self.repositories[repository.name]
        if self.observer is not None:
            self.observer.deleted(repository)

    def repository(self, name: str) -> Repository:
        """Raises RepositoryNotFoundException."""
        if name not in self.repositories:
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'",
            )
        return self._fresh(self.repositories[name])

    def all(self) -> list[Repository]:
        """Sorted by name."""
        return [self._fresh(self.repositories[name]) for name in sorted(self.repositories)]

    def _fresh(self, repository: Repository) -> Repository:
        if self.observer is not None:
            self.observer.refresh(repository)
        return repository

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
        manifest, _ = image_content(repository.name, tag, now)
        image = EcrImage(digest(manifest), manifest, MANIFEST, size, now, fate=fate, made_as=tag)
        image = repository.images.setdefault(image.digest, image)
        put_tag(repository, image, tag)
        if repository.scan_on_push:
            image.scanned = now + 20
        return image

    def find(self, reference: str) -> EcrImage | None:
        """The image of a reference to this registry, None where there is none."""
        host, _, rest = reference.partition("/")
        name, at, wanted = rest.partition("@")
        if not at:
            name, _, wanted = rest.partition(":")
        else:
            name = name.partition(":")[0]
        repository = self.repositories.get(name)
        if host != self.host or repository is None:
            return None
        self._fresh(repository)
        return repository.images.get(wanted) if at else repository.by_tag(wanted or "latest")

    def fate(self, reference: str) -> str:
        """What becomes of a task with this image: ok, crashes, unhealthy or cannot_pull.

        Images of other registries are all good: whether they exist is not known here.
        """
        if reference.partition("/")[0] != self.host:
            return "ok"
        image = self.find(reference)
        return image.fate if image is not None else "cannot_pull"

    def digest_of(self, reference: str) -> str:
        """The digest that a reference names now; of other registries' images a made-up one."""
        image = self.find(reference)
        return image.digest if image is not None else digest(f"elsewhere {reference}")


def put_tag(repository: Repository, image: EcrImage, tag: str) -> None:
    for other in repository.images.values():
        if tag in other.tags:
            other.tags.remove(tag)
    image.tags.append(tag)
