"""What DockDesk asks of registries, in small capabilities.

Every method blocks and is called on a worker thread; those that take a Work can be cancelled at any moment. All raise
DockDeskError kinds only: LoginNeededError where a login would help, RateLimitedError where waiting would. Repositories
are named without the registry's host; a reference is a tag or a digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from dockdesk.core.resources.registries import (
    Account,
    Attachment,
    Copied,
    Credential,
    Deletion,
    Descriptor,
    ImagePlace,
    KeepingPlace,
    Manifest,
    RateLimit,
    Registry,
    RegistryImage,
    Repository,
    RepositoryPage,
    RepositoryQuery,
    Retagged,
    Tag,
    TagPage,
    TagQuery,
)
from dockdesk.core.work import Work


class FindsCredentials(Protocol):
    """Where a registry's client gets its login from; asked anew for each token. Thread-safe."""

    def credential(self, registry: Registry, repository: str = "") -> tuple[Credential | None, str]:
        """The login, and why there is none where something is wrong on the way to one. Never raises.

        ``repository`` narrows it for files that keep logins by namespace.
        """

    def refused(self, registry: Registry) -> None:
        """Hear that a registry did not take what was given: a login that can be renewed is, when next asked for."""


class ConnectsRegistry(Protocol):
    @property
    def registry(self) -> Registry: ...

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do beyond reading manifests and blobs: words of resources/registries.py. Does not block."""

    def ping(self, work: Work) -> str:
        """Return the user's name there (empty: anonymous) if the registry answers and takes the login."""

    def close(self) -> None: ...


class BrowsesRepositories(Protocol):
    def namespaces(self, work: Work) -> list[str]:
        """Owners whose repositories can be listed, one's own first; empty where the registry has one list for all."""

    def repositories(self, query: RepositoryQuery, work: Work, cursor: str = "") -> RepositoryPage:
        """A page. Raise NotSupportedError where the registry lists nothing: its repositories must be named."""

    def repository(self, name: str, work: Work) -> Repository: ...


class SearchesRepositories(Protocol):
    def search(self, text: str, work: Work, cursor: str = "") -> RepositoryPage:
        """Public repositories, the best first, with stars, pulls and descriptions."""


class ReadsTags(Protocol):
    def tags(self, repository: str, query: TagQuery, work: Work, cursor: str = "") -> TagPage:
        """A page of tags in one request, as far as the registry has pages."""

    def tag(self, repository: str, name: str, work: Work) -> Tag:
        """All that can be known of one tag: for the rows that are looked at."""


class ReadsManifests(Protocol):
    """Manifests and configurations are kept by digest: none is fetched twice."""

    def resolve(self, repository: str, reference: str, work: Work) -> Descriptor:
        """What a reference names now, without counting as a pull."""

    def manifest(self, repository: str, reference: str, work: Work) -> Manifest: ...

    def image(self, repository: str, reference: str, work: Work) -> RegistryImage:
        """The manifest with all its platforms, their configurations, and attachments of its index."""

    def attachments(self, repository: str, digest: str, work: Work) -> list[Attachment]:
        """What refers to a manifest: OCI referrers, else their fallback tag, and cosign's tags."""


class PullsBlobs(Protocol):
    def read_blob(
        self, repository: str, descriptor: Descriptor, work: Work, limit: int = 4 << 20
    ) -> bytes:
        """A blob's content, checked against its digest. Raise NotSupportedError for one above ``limit`` bytes."""

    def download_blob(
        self, repository: str, descriptor: Descriptor, target: Path, work: Work
    ) -> int:
        """Write a blob to ``target``, whole and checked or not at all; returns its bytes."""


class ChangesTags(Protocol):
    def retag(self, repository: str, reference: str, tag: str, work: Work) -> Retagged:
        """Let ``tag`` name what ``reference`` names, over what it named before."""

    def deletion(self, repository: str, reference: str, work: Work) -> Deletion:
        """What `delete_manifest` would take with it. Changes nothing."""

    def delete_manifest(self, repository: str, digest: str, work: Work) -> None:
        """Delete a manifest, and with it all tags that name it."""

    def delete_tag(self, repository: str, tag: str, work: Work) -> None:
        """Delete a tag alone. Raise NotSupportedError where only its manifest can be deleted."""


class TellsRateLimit(Protocol):
    def rate_limit(self, work: Work) -> RateLimit | None:
        """Pulls left, without using one; None where the registry tells no limit."""


class RegistryConnection(
    ConnectsRegistry,
    BrowsesRepositories,
    SearchesRepositories,
    ReadsTags,
    ReadsManifests,
    PullsBlobs,
    ChangesTags,
    TellsRateLimit,
    Protocol,
):
    """All of one registry. What it can't do raises NotSupportedError; ``capabilities`` tells before."""


class ConnectsRegistries(Protocol):
    def connection(self, registry: Registry) -> RegistryConnection:
        """The connection to a registry, the same one each time. Does not block."""

    def verify(self, registry: Registry, credential: Credential, work: Work) -> str:
        """Try a login before it is kept; returns the user's name there. Raise PermissionDeniedError if refused."""

    def forget(self, registry: Registry) -> None:
        """Drop the tokens of a registry, after a login there changed."""

    def close(self) -> None: ...


class CopiesImages(Protocol):
    def copy(
        self,
        source: ImagePlace,
        target: ImagePlace,
        work: Work,
        platforms: Sequence[str] = (),
        attachments: bool = False,
    ) -> Copied:
        """Copy between registries, or repositories, without an engine; a part of ``work`` a blob.

        The whole index, or only ``platforms`` of it (which makes a new one); ``attachments`` takes its referrers along.
        The tag is set last: until then nothing has changed for those who pull. What has arrived already is not sent
        again, so that a copy that failed is resumed by asking once more.
        """


class KeepsAccounts(FindsCredentials, Protocol):
    """The logins of the user: those of docker and Podman, and DockDesk's own."""

    def accounts(self) -> list[Account]:
        """All logins there are, without their secrets. May start credential helpers."""

    def places(self, registry: Registry) -> list[KeepingPlace]:
        """Where a login could be kept, the best first."""

    def keep(self, registry: Registry, credential: Credential, place: str) -> KeepingPlace:
        """Keep a login in one of `places`; returns where it is now. It replaces DockDesk's own for that registry."""

    def log_out(self, registry: Registry) -> list[str]:
        """Remove the login from every place it stands in; returns those places, in words.

        All places are tried; what failed is raised then.
        """
