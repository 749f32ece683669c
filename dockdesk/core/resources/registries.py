"""Registries and what is in them: accounts, repositories, tags, manifests, attachments.

Sources: OCI image specification 1.1, OCI distribution specification 1.1; distribution, "Image Manifest V2, Schema 2";
Docker Hub API. Times are seconds since 1970, 0.0 for unknown or never; sizes are bytes as stored (compressed), -1 for
unknown. Names, descriptions and annotations come from outside: plain text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.core.references import HUB

DISTRIBUTION = "distribution"
DOCKER_HUB = "hub"
ECR = "ecr"
ECR_PUBLIC = "ecr-public"

# What a connection can do beyond reading manifests and blobs: members of its ``capabilities``.
CATALOG = "catalog"  # lists all its repositories
NAMESPACES = "namespaces"  # lists repositories by owner
SEARCH = "search"
TAG_TIMES = (
    "tag-times"  # its pages of tags are sorted and filtered by the registry, with times and digests
)
README = "readme"
RATE_LIMIT = "rate-limit"
DELETE_TAG = "delete-tag"  # a tag goes without its manifest; others may know it too: trying tells

# Kinds of manifests.
IMAGE = "image"
INDEX = "index"
ARTIFACT = "artifact"
SCHEMA1 = "schema1"
UNKNOWN = "unknown"

# Kinds of attachments.
PROVENANCE = "provenance"
SBOM = "sbom"
SIGNATURE = "signature"
ATTESTATION = "attestation"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Registry:
    """Where a registry is. ``host`` is as in an image's name, with port.

    ``kind`` is DISTRIBUTION, DOCKER_HUB, ECR or ECR_PUBLIC. ``plain_http`` is the user's plain choice to go without
    TLS; on the loopback it is found out. ``ca_file`` is a certificate authority of the registry's own, besides those of
    certs.d. ``endpoint`` and ``api`` are base URLs that differ from what follows from the host: of the registry itself,
    and of Docker Hub's own API.
    """

    host: str
    kind: str = DISTRIBUTION
    title: str = ""
    plain_http: bool = False
    ca_file: str = ""
    endpoint: str = ""
    api: str = ""

    @property
    def name(self) -> str:
        return self.title or ("Docker Hub" if self.kind == DOCKER_HUB else self.host)


HUB_REGISTRY = Registry(
    HUB,
    DOCKER_HUB,
    "Docker Hub",
    False,
    "",
    "https://registry-1.docker.io",
    "https://hub.docker.com",
)


_HUB_HOSTS = frozenset({HUB, "index.docker.io", "registry-1.docker.io", "hub.docker.com"})


def registry_for(host: str) -> Registry:
    """A registry by its host alone, as an image's name has it."""
    return HUB_REGISTRY if host in _HUB_HOSTS else Registry(host)


@dataclass(frozen=True, slots=True)
class Credential:
    """A login at a registry: a user with a password or access token, or a token instead. Never shown, never logged.

    ``identity_token`` is exchanged for access tokens (OAuth 2 refresh token), ``registry_token`` is one itself.
    ``source`` says where it was found, in the user's words.
    """

    username: str = ""
    secret: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A login that exists. ``place`` is one of KEYRING, SESSION, DOCKER_FILE, DOCKER_HELPER, PODMAN; ``source`` says it
    in words, such as the helper's name or the file's path. ``expires`` 0.0: not known to."""

    registry: Registry
    username: str
    place: str
    source: str
    expires: float = 0.0

    @property
    def host(self) -> str:
        return self.registry.host


KEYRING = "keyring"
SESSION = "session"
DOCKER_FILE = "docker-file"
DOCKER_HELPER = "docker-helper"
PODMAN = "podman"


@dataclass(frozen=True, slots=True)
class KeepingPlace:
    """Where a login would be kept. ``safe`` is False where whoever reads a file would have it; ``note`` says what the
    user should know before."""

    place: str
    source: str
    safe: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)

    @property
    def known(self) -> bool:
        """False for what is no image to run, such as BuildKit's attestations (unknown/unknown)."""
        return bool(self.os or self.architecture) and self.os != "unknown"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of something it refers to."""

    media_type: str
    digest: str
    size: int
    platform: Platform | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it is stored: ``data`` are its very bytes. ``kind``: IMAGE, INDEX, ARTIFACT, SCHEMA1 or UNKNOWN."""

    digest: str
    media_type: str
    kind: str
    size: int
    data: bytes = field(repr=False)
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    subject: Descriptor | None = None
    artifact_type: str = ""

    @property
    def layers_size(self) -> int:
        return sum(max(layer.size, 0) for layer in self.layers)


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One step of a build; ``layer`` is None for steps that changed settings only."""

    created: float
    created_by: str
    comment: str = ""
    layer: Descriptor | None = None


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """An image's configuration. ``raw`` is the whole file; ``history`` has the layers joined to their steps."""

    digest: str
    platform: Platform
    created: float = 0.0
    author: str = ""
    env: tuple[tuple[str, str], ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    stop_signal: str = ""
    exposed: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    history: tuple[HistoryStep, ...] = ()
    diff_ids: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something about an image: in its index (BuildKit), as a referrer (OCI 1.1), or under a tag (cosign).

    ``kind`` is PROVENANCE, SBOM, SIGNATURE, ATTESTATION or OTHER; ``content`` is what to read of ``manifest``.
    """

    kind: str
    subject: str
    manifest: str
    content: Descriptor
    predicate_type: str = ""
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlatformImage:
    """The image for one platform. ``config`` is None where it is no image's configuration, ``problem`` says why."""

    platform: Platform
    manifest: Manifest
    config: ImageConfig | None = None
    attachments: tuple[Attachment, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RegistryImage:
    """All that a tag or digest leads to. ``note`` says what is unusual, such as an old or unknown kind of manifest."""

    repository: str
    reference: str
    top: Manifest
    images: tuple[PlatformImage, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    note: str = ""

    @property
    def digest(self) -> str:
        return self.top.digest

    def for_platform(self, platform: str) -> PlatformImage | None:
        return next((image for image in self.images if str(image.platform) == platform), None)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of a registry; what is not known is empty, None or -1. ``name`` is without the registry's host.

    ``readme`` is Markdown from outside. ``extra`` holds what only one kind of registry has, under its own names.
    """

    name: str
    description: str = ""
    readme: str = ""
    stars: int = -1
    pulls: int = -1
    official: bool = False
    private: bool | None = None
    updated: float = 0.0
    created: float = 0.0
    size: int = -1
    may_write: bool | None = None
    may_delete: bool | None = None
    categories: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TagImage:
    """One platform of a tag, where the registry lists them with the tags."""

    platform: Platform
    digest: str
    size: int
    pushed: float = 0.0
    pulled: float = 0.0


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag. Where ``digest`` is empty only the name is known so far; `ReadsTags.tag` finds out the rest.

    ``size`` is that of the image for this computer's usual platform, else of the first.
    """

    name: str
    digest: str = ""
    media_type: str = ""
    pushed: float = 0.0
    pulled: float = 0.0
    created: float = 0.0
    size: int = -1
    by: str = ""
    images: tuple[TagImage, ...] = ()

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(str(image.platform) for image in self.images if image.platform.known)


@dataclass(frozen=True, slots=True)
class RepositoryPage:
    """A page of a list. ``next`` is the cursor for the page after it, empty at the end; ``total`` -1 for unknown."""

    items: tuple[Repository, ...]
    next: str = ""
    total: int = -1


@dataclass(frozen=True, slots=True)
class TagPage:
    """As `RepositoryPage`."""

    items: tuple[Tag, ...]
    next: str = ""
    total: int = -1


@dataclass(frozen=True, slots=True)
class TagQuery:
    """Which tags: those that hold ``text``, ``order`` by "pushed" (newest first) or "name".

    A registry without times sorts by name whatever is asked for.
    """

    text: str = ""
    order: str = "pushed"
    page_size: int = 100


@dataclass(frozen=True, slots=True)
class RepositoryQuery:
    """Which repositories: of a namespace (empty: all there are), that hold ``text``."""

    namespace: str = ""
    text: str = ""
    order: str = "name"  # or "updated", where the registry knows times
    page_size: int = 100


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Pulls left: ``remaining`` of ``limit`` in ``window`` seconds, counted for ``source`` (an address or a user)."""

    limit: int
    remaining: int
    window: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """What would go with a manifest: all tags that name it, images that nothing else would name, and attachments.

    ``broken`` are tags that stay, but lose a platform: their index refers to the manifest.
    ``complete`` is False where there were too many tags to look at all: ``checked`` of ``total`` were.
    """

    digest: str
    tags: tuple[str, ...]
    orphans: tuple[Descriptor, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    broken: tuple[str, ...] = ()
    checked: int = 0
    total: int = 0

    @property
    def complete(self) -> bool:
        return self.checked >= self.total


@dataclass(frozen=True, slots=True)
class Retagged:
    """A tag that was set; ``previous`` is the digest it named before, empty where it is new."""

    tag: str
    digest: str
    previous: str = ""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did: counts of blobs, and bytes that were sent."""

    digest: str
    tag: str
    previous: str = ""
    blobs: int = 0
    mounted: int = 0
    present: int = 0
    sent: int = 0
    skipped: tuple[
        str, ...
    ] = ()  # layers that may not be distributed: they stay where their URLs lead


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """An image in a registry: ``reference`` is a tag or digest."""

    registry: Registry
    repository: str
    reference: str = "latest"

    def __str__(self) -> str:
        joint = "@" if ":" in self.reference else ":"
        return f"{self.registry.host}/{self.repository}{joint}{self.reference}"
