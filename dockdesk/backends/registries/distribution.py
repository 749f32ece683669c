"""Any registry of the distribution API behind the ports. What only some registries have is added by subclasses."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from dockdesk.backends.registries.blobs import BlobSource, BlobTarget, download, read_blob
from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.client import DELETE, PUSH, DistributionClient
from dockdesk.backends.registries.convert import is_digest
from dockdesk.backends.registries.deleting import TagTarget, planned
from dockdesk.backends.registries.http import SIDE_BY_SIDE, Http
from dockdesk.backends.registries.images import ImageReader
from dockdesk.backends.registries.together import side_by_side
from dockdesk.core.errors import (
    InvalidInputError,
    LoginNeededError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RemoteError,
)
from dockdesk.core.registry_ports import FindsCredentials
from dockdesk.core.resources.registries import (
    CATALOG,
    INDEX,
    RATE_LIMIT,
    Attachment,
    Deletion,
    Descriptor,
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

PAGES = 50  # read for one answer, at most, while a filter finds nothing
DELETION_TAGS = 1000  # looked at before something is deleted, at most
_LONGEST_PAGE = 1000


class DistributionRegistry:
    """A RegistryConnection (core/registry_ports.py). Thread-safe; blocks, so call it on workers."""

    def __init__(
        self,
        registry: Registry,
        credentials: FindsCredentials,
        cache: DigestCache,
        http: Http | None = None,
    ) -> None:
        self.client = DistributionClient(registry, credentials, http)
        self.reader = ImageReader(self.client, cache)
        self._cache = cache

    @property
    def registry(self) -> Registry:
        return self.client.registry

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({CATALOG, RATE_LIMIT})

    def close(self) -> None:
        self.client.http.close()

    def ping(self, work: Work) -> str:
        title = f"{self.registry.name} could not be reached"
        credential, _ = self.client.auth.login()
        try:
            self.client.send("GET", "/v2/", work, title=title, limit=1 << 20)
        except NotFoundError as error:
            raise NotFoundError(
                title, f"There is no registry at {self.registry.host}.", "Check the address."
            ) from error
        except LoginNeededError:
            # Its token service gave anybody a token; that it allows nothing yet is told by each repository.
            if credential is None and self.client.auth.header(()):
                return ""
            raise
        return self.client.auth.who()

    # --- repositories ---

    def namespaces(self, work: Work) -> list[str]:
        del work
        return []

    def repositories(self, query: RepositoryQuery, work: Work, cursor: str = "") -> RepositoryPage:
        title = f"Repositories of {self.registry.name} could not be listed"
        wanted = query.text.casefold()
        prefix = f"{query.namespace}/" if query.namespace else ""

        def page(last: str) -> tuple[list[str], str]:
            values = {"n": _size(query.page_size), "last": last}
            return self.client.page(
                "/v2/_catalog", "repositories", values, work, title=title, actions=("*",)
            )

        def fits(name: str) -> bool:
            return name.startswith(prefix) and wanted in name.casefold()

        try:
            names, following = _filtered(
                page, fits if wanted or prefix else None, cursor, query.page_size, work
            )
        except (PermissionDeniedError, NotFoundError, NotSupportedError) as error:
            if isinstance(error, LoginNeededError) and not self.client.auth.who():
                raise
            raise NotSupportedError(
                f"{self.registry.name} lists no repositories",
                error.detail,
                "Open a repository by its name.",
            ) from error
        return RepositoryPage(tuple(Repository(name) for name in names), following)

    def repository(self, name: str, work: Work) -> Repository:
        title = f"{name} could not be read"
        self._tag_page(name, {"n": "1"}, work, title)
        return Repository(name)

    def search(self, text: str, work: Work, cursor: str = "") -> RepositoryPage:
        """Among the names of all repositories: such a registry knows nothing else of them."""
        return self.repositories(RepositoryQuery(text=text), work, cursor)

    # --- tags ---

    def tags(self, repository: str, query: TagQuery, work: Work, cursor: str = "") -> TagPage:
        title = f"Tags of {repository} could not be listed"
        wanted = query.text.casefold()

        def page(last: str) -> tuple[list[str], str]:
            return self._tag_page(
                repository, {"n": _size(query.page_size), "last": last}, work, title
            )

        def fits(name: str) -> bool:
            return wanted in name.casefold()

        names, following = _filtered(page, fits if wanted else None, cursor, query.page_size, work)
        total = len(names) if not cursor and not following and not wanted else -1
        return TagPage(tuple(Tag(name) for name in names), following, total)

    def _tag_page(
        self, repository: str, query: dict[str, str], work: Work, title: str
    ) -> tuple[list[str], str]:
        path = self.client.path(repository, "tags/list")
        return self.client.page(path, "tags", query, work, title=title, repository=repository)

    def tag(self, repository: str, name: str, work: Work) -> Tag:
        return self.reader.tag(repository, name, work)

    # --- manifests and blobs ---

    def resolve(self, repository: str, reference: str, work: Work) -> Descriptor:
        return self.reader.resolve(repository, reference, work)

    def manifest(self, repository: str, reference: str, work: Work) -> Manifest:
        return self.reader.manifest(repository, reference, work)

    def image(self, repository: str, reference: str, work: Work) -> RegistryImage:
        return self.reader.image(repository, reference, work)

    def attachments(self, repository: str, digest: str, work: Work) -> list[Attachment]:
        return self.reader.attachments(repository, digest, work)

    def read_blob(
        self, repository: str, descriptor: Descriptor, work: Work, limit: int = 4 << 20
    ) -> bytes:
        title = f"A file of {repository} could not be read"
        return read_blob(BlobSource(self.client, repository, descriptor, title), work, limit)

    def download_blob(
        self, repository: str, descriptor: Descriptor, target: Path, work: Work
    ) -> int:
        title = f"{target.name} could not be saved"
        source = BlobSource(self.client, repository, descriptor, title)
        return download(source, target, work, title)

    # --- changes ---

    def retag(self, repository: str, reference: str, tag: str, work: Work) -> Retagged:
        manifest = self.reader.manifest(repository, reference, work)
        before = self.reader.lookup(repository, tag, work)
        title = f"{repository}:{tag} could not be set"
        digest = self.put_manifest(repository, manifest, tag, work, title)
        return Retagged(tag, digest, before.digest if before is not None else "")

    def put_manifest(
        self, repository: str, manifest: Manifest, reference: str, work: Work, title: str
    ) -> str:
        """Store a manifest under a tag or its digest; returns the digest, which the registry must confirm."""
        if not manifest.data or not manifest.media_type:
            raise InvalidInputError(title, "The manifest to store is empty.")
        answer = self.client.send(
            "PUT",
            self.client.manifest_path(repository, reference),
            work,
            title=title,
            repository=repository,
            actions=PUSH,
            headers={"Content-Type": manifest.media_type},
            body=manifest.data,
        )
        told = answer.headers.get("Docker-Content-Digest") or manifest.digest
        if told != manifest.digest and told.partition(":")[0] == manifest.digest.partition(":")[0]:
            raise RemoteError(
                title,
                f"{self.registry.host} stored it as {told}, not as {manifest.digest}.",
                "Look at what the tag holds now.",
            )
        return manifest.digest

    def blob_target(self, repository: str, title: str) -> BlobTarget:
        return BlobTarget(self.client, repository, title)

    def deletion(self, repository: str, reference: str, work: Work) -> Deletion:
        digest = self.reader.resolve(repository, reference, work).digest
        targets, total = self._tag_targets(repository, work)
        manifest = self.reader.manifest(repository, digest, work)
        attachments = self.reader.attachments(repository, digest, work)
        return planned(manifest, targets, total, attachments)

    def _tag_targets(self, repository: str, work: Work) -> tuple[list[TagTarget], int]:
        """What each tag names, and how many tags there are: more than are looked at where they are very many."""
        names: list[str] = []
        cursor, more = "", True
        while more and len(names) <= DELETION_TAGS:
            query = TagQuery(page_size=_LONGEST_PAGE)
            page = self.tags(repository, query, work, cursor)
            names += [tag.name for tag in page.items]
            cursor, more = page.next, bool(page.next)
        chosen = names[:DELETION_TAGS]
        found = side_by_side(
            work, [partial(self.tag_target, repository, name) for name in chosen], SIDE_BY_SIDE
        )
        there = [item for item in found if item is not None]
        return there, len(names) + more - (len(found) - len(there))

    def tag_target(
        self, repository: str, name: str, work: Work, digest: str = ""
    ) -> TagTarget | None:
        """What a tag names, with the entries of an index; None for one that is gone."""
        media_type = ""
        if not digest:
            told = self.reader.lookup(repository, name, work)
            if told is None:
                return None
            digest, media_type = told.digest, told.media_type
        if media_type and not ("list" in media_type or "index" in media_type):
            return TagTarget(name, digest, ())
        try:
            manifest = self.reader.manifest(repository, digest, work)
        except NotFoundError:
            return None
        entries = manifest.manifests if manifest.kind == INDEX else ()
        return TagTarget(name, digest, tuple(entry.digest for entry in entries))

    def delete_manifest(self, repository: str, digest: str, work: Work) -> None:
        title = f"{repository}@{digest[:19]}… could not be deleted"
        if not is_digest(digest):
            raise InvalidInputError(title, "It is no digest.", "Give a digest, or delete a tag.")
        self._delete(repository, digest, work, title)
        self._cache.drop(digest)

    def delete_tag(self, repository: str, tag: str, work: Work) -> None:
        title = f"{repository}:{tag} could not be deleted"
        try:
            self._delete(repository, tag, work, title)
        except (InvalidInputError, NotSupportedError, NotFoundError) as error:
            if isinstance(error, NotFoundError) and not self._is_there(repository, tag, work):
                raise
            raise NotSupportedError(
                title,
                f"{self.registry.host} deletes no tags alone: {_lower(error.detail)}",
                "Delete its manifest; all tags that name it go with it.",
            ) from error

    def _is_there(self, repository: str, tag: str, work: Work) -> bool:
        return self.reader.lookup(repository, tag, work) is not None

    def _delete(self, repository: str, reference: str, work: Work, title: str) -> None:
        self.client.send(
            "DELETE",
            self.client.manifest_path(repository, reference),
            work,
            title=title,
            repository=repository,
            actions=DELETE,
        )

    def rate_limit(self, work: Work) -> RateLimit | None:
        """As the last answer told it: most registries have none."""
        del work
        return self.client.limit


def _filtered(
    page: Callable[[str], tuple[list[str], str]],
    fits: Callable[[str], bool] | None,
    cursor: str,
    size: int,
    work: Work,
) -> tuple[list[str], str]:
    """Names that fit, from as many pages as it takes to fill one; and where to go on. All fit: one page."""
    if fits is None:
        return page(cursor)
    found: list[str] = []
    for _ in range(PAGES):
        work.check()
        names, cursor = page(cursor)
        found += [name for name in names if fits(name)]
        if not cursor or len(found) >= size:
            break
    return found, cursor


def _size(wanted: int) -> str:
    return str(min(max(wanted, 1), _LONGEST_PAGE))


def _lower(detail: str) -> str:
    return detail[:1].lower() + detail[1:] if detail else "it does not say why."
