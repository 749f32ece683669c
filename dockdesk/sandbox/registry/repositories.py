"""What the registry holds: repositories with their manifests, tags and blobs; some of it is made when first asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dockdesk.sandbox.engine.layers import sha256
from dockdesk.sandbox.engine.recipes import Package
from dockdesk.sandbox.registry.blobs import Blobs, is_digest
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.manifests import INDEXES, Manifest, parse

LONGEST_NAME = 255
SEEDED_BY = "builder"  # who pushed what was there from the beginning
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def is_name(text: str) -> bool:
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


@dataclass(slots=True)
class Tag:
    """A tag of a repository. Times in the world's seconds since 1970, ``pulled`` 0 for never."""

    digest: str
    pushed: float
    pulled: float = 0.0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Tags that name one image, which ``make`` makes when somebody asks for it. ``pushed`` as in `Tag`."""

    tags: tuple[str, ...]
    pushed: float
    make: Callable[[], Package] = field(compare=False)


@dataclass(slots=True)
class About:
    """What Docker Hub tells of a repository beyond its content."""

    description: str = ""
    full_description: str = ""
    private: bool = False
    official: bool = False
    stars: int = 0
    pulls: int = 0
    created: float = 0.0
    categories: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Repository:
    name: str
    about: About
    tags: dict[str, Tag] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    releases: dict[str, Release] = field(default_factory=dict)
    pulled: dict[str, float] = field(default_factory=dict)  # digest → when
    pushed: dict[str, float] = field(default_factory=dict)

    @property
    def updated(self) -> float:
        times = [tag.pushed for tag in self.tags.values()]
        times += [release.pushed for release in self.releases.values()]
        return max(times, default=self.about.created)

    def tag_names(self) -> list[str]:
        """All tags, sorted."""
        return sorted({*self.tags, *self.releases})


class Repositories:
    """All repositories by name. ``now`` gives the world's time."""

    def __init__(self, blobs: Blobs, now: Callable[[], float]) -> None:
        self.blobs = blobs
        self.now = now
        self._all: dict[str, Repository] = {}

    def __iter__(self) -> Iterator[Repository]:
        return iter(sorted(self._all.values(), key=lambda item: item.name))

    def canonical(self, name: str) -> str:
        """The name it is stored under: official images need no library/ before them."""
        full = f"library/{name}"
        return full if name not in self._all and "/" not in name and full in self._all else name

    def find(self, name: str) -> Repository | None:
        return self._all.get(self.canonical(name))

    def get(self, name: str) -> Repository:
        """A repository. Raises RegistryError NAME_UNKNOWN."""
        found = self.find(name)
        if found is None:
            raise RegistryError("NAME_UNKNOWN", {"name": name})
        return found

    def open(self, name: str) -> Repository:
        """A repository to write to, made where it is missing. Raises RegistryError NAME_INVALID."""
        if not is_name(name):
            raise RegistryError("NAME_INVALID", {"name": name})
        name = self.canonical(name)
        if name not in self._all:
            self._all[name] = Repository(name, About(created=self.now()))
        return self._all[name]

    def remove(self, name: str) -> None:
        """Forget a repository and all that is in it alone. Raises RegistryError NAME_UNKNOWN."""
        repository = self.get(name)
        del self._all[repository.name]
        for digest in [*repository.blobs, *repository.manifests]:
            self.blobs.unlink(digest)

    # --- blobs ---

    def add_blob(self, repository: Repository, digest: str) -> None:
        """Say that a stored blob belongs to a repository too."""
        if digest not in repository.blobs:
            repository.blobs.add(digest)
            self.blobs.link(digest)

    def remove_blob(self, repository: Repository, digest: str) -> None:
        """Raises RegistryError BLOB_UNKNOWN."""
        if digest not in repository.blobs:
            raise RegistryError("BLOB_UNKNOWN")
        repository.blobs.discard(digest)
        self.blobs.unlink(digest)

    def blob(self, repository: Repository, digest: str) -> int:
        """The size of a blob of a repository. Raises RegistryError BLOB_UNKNOWN."""
        if digest not in repository.blobs and digest not in repository.manifests:
            self._make_until(repository, digest)
        if digest not in repository.blobs and digest not in repository.manifests:
            raise RegistryError("BLOB_UNKNOWN", digest)
        size = self.blobs.size(digest)
        if size is None:
            raise RegistryError("BLOB_UNKNOWN", digest)
        return size

    # --- manifests ---

    def manifest(self, repository: Repository, reference: str) -> Manifest:
        """By tag or digest. Raises RegistryError MANIFEST_UNKNOWN."""
        if is_digest(reference):
            if reference not in repository.manifests:
                self._make_until(repository, reference)
            if reference in repository.manifests:
                return repository.manifests[reference]
            detail = {"Name": repository.name, "Revision": reference}
            raise RegistryError("MANIFEST_UNKNOWN", detail)
        self.make(repository, reference)
        tag = repository.tags.get(reference)
        if tag is None:
            raise RegistryError("MANIFEST_UNKNOWN", {"Tag": reference})
        return repository.manifests[tag.digest]

    def put(
        self, repository: Repository, reference: str, kind: str, data: bytes, by: str = ""
    ) -> Manifest:
        """Store a manifest under a tag or its digest. Raises RegistryError."""
        found = sha256(data)
        if is_digest(reference) and reference != found:
            raise RegistryError("DIGEST_INVALID")
        manifest = parse(found, kind, data)
        for digest in manifest.blobs:
            if digest not in repository.blobs:
                raise RegistryError("MANIFEST_BLOB_UNKNOWN", digest)
        for digest in manifest.children:
            if digest not in repository.manifests:
                raise RegistryError("MANIFEST_BLOB_UNKNOWN", digest)
        self._keep(repository, manifest, data, self.now())
        if not is_digest(reference):
            self.make(repository, reference)
            repository.tags[reference] = Tag(found, self.now(), by=by)
        return manifest

    def untag(self, repository: Repository, tag: str) -> None:
        """Raises RegistryError MANIFEST_UNKNOWN."""
        if repository.releases.pop(tag, None) is None and tag not in repository.tags:
            raise RegistryError("MANIFEST_UNKNOWN", {"Tag": tag})
        repository.tags.pop(tag, None)

    def remove_manifest(self, repository: Repository, digest: str) -> None:
        """A manifest and the tags that name it. Raises RegistryError MANIFEST_UNKNOWN."""
        self.manifest(repository, digest)
        del repository.manifests[digest]
        for name in [name for name, tag in repository.tags.items() if tag.digest == digest]:
            del repository.tags[name]
        self.blobs.unlink(digest)

    def referrers(self, repository: Repository, digest: str) -> list[Manifest]:
        """Manifests that are about another, such as signatures."""
        return [item for item in repository.manifests.values() if item.subject == digest]

    def children(self, repository: Repository, manifest: Manifest) -> list[Manifest]:
        """The images of an index that are there, or the image itself."""
        if manifest.kind not in INDEXES:
            return [manifest]
        found = (repository.manifests.get(digest) for digest in manifest.children)
        return [item for item in found if item is not None]

    # --- what is made on demand ---

    def add_seeded(self, name: str, about: About, releases: Mapping[str, Release]) -> None:
        """A repository whose images are made when they are asked for."""
        self._all[name] = Repository(name, about, releases=dict(releases))

    def make(self, repository: Repository, tag: str) -> None:
        """Make the image of a tag that is only announced so far; its other tags become real with it."""
        release = repository.releases.get(tag)
        if release is None:
            return
        made = release.make()
        for blob in made.blobs:
            self.add_blob(repository, self.blobs.put(blob))
        for kind, data in made.manifests:
            manifest = parse(sha256(data), kind, data)
            self._keep(repository, manifest, data, release.pushed)
        for name in release.tags:
            if repository.releases.get(name) is release:
                del repository.releases[name]
                repository.tags[name] = Tag(made.digest, release.pushed, by=SEEDED_BY)

    def _make_until(self, repository: Repository, digest: str) -> None:
        """Make what is announced until a digest is there: nobody can know which tag it belongs to."""
        while repository.releases:
            if digest in repository.manifests or digest in repository.blobs:
                return
            self.make(repository, next(iter(repository.releases)))

    def _keep(self, repository: Repository, manifest: Manifest, data: bytes, now: float) -> None:
        if manifest.digest not in repository.manifests:
            self.blobs.put(data)
            self.blobs.link(manifest.digest)
            repository.manifests[manifest.digest] = manifest
        repository.pushed[manifest.digest] = now
