"""Docker Hub: its registry for images, its own API for all that is around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.client import LIBRARY
from dockdesk.backends.registries.convert import (
    is_digest,
    mapping,
    objects,
    seconds,
    text,
    usual,
    whole,
)
from dockdesk.backends.registries.deleting import TagTarget
from dockdesk.backends.registries.distribution import DELETION_TAGS, DistributionRegistry
from dockdesk.backends.registries.http import SIDE_BY_SIDE, Http
from dockdesk.backends.registries.hub_api import LARGEST_PAGE, HubClient, repository_path
from dockdesk.backends.registries.together import side_by_side
from dockdesk.core.errors import DockDeskError, LoginNeededError, NotFoundError
from dockdesk.core.registry_ports import FindsCredentials
from dockdesk.core.resources.registries import (
    DELETE_TAG,
    NAMESPACES,
    RATE_LIMIT,
    README,
    SEARCH,
    TAG_TIMES,
    Platform,
    RateLimit,
    Registry,
    Repository,
    RepositoryPage,
    RepositoryQuery,
    Tag,
    TagImage,
    TagPage,
    TagQuery,
)
from dockdesk.core.work import Work

# The first is what the documentation names for asking; asking without pulling costs nothing.
_LIMIT_IMAGES = ("ratelimitpreview/test", "library/hello-world")


class HubRegistry(DistributionRegistry):
    """Images by the distribution API, where official ones stand below library/; the rest by `HubClient`."""

    def __init__(
        self,
        registry: Registry,
        credentials: FindsCredentials,
        cache: DigestCache,
        http: Http | None = None,
    ) -> None:
        super().__init__(registry, credentials, cache, http)
        self.api = HubClient(registry, credentials, self.client.http)

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({NAMESPACES, SEARCH, TAG_TIMES, README, RATE_LIMIT, DELETE_TAG})

    def ping(self, work: Work) -> str:
        name = super().ping(work)
        title = f"{self.registry.name} could not be reached"
        if (
            self.api.user()
        ):  # the registry gives tokens to anybody: whether the login is right, the API says
            self.api.get("/v2/user", work, title=title, known=True)
        return name

    # --- repositories ---

    def namespaces(self, work: Work) -> list[str]:
        user = self.api.user()
        if not user:
            return []
        title = "Your organisations could not be listed"
        query = {"page_size": str(LARGEST_PAGE)}
        found, _, _ = self.api.page("/v2/user/orgs", query, work, title=title, known=True)
        return [user, *(name for item in found if (name := text(item.get("orgname"))))]

    def repositories(self, query: RepositoryQuery, work: Work, cursor: str = "") -> RepositoryPage:
        title = "Repositories could not be listed"
        namespace = query.namespace or self.api.user()
        if not namespace:
            raise LoginNeededError(
                title,
                "Docker Hub has too many to list.",
                "Log in to see your own, or search.",
                self.registry.host,
            )
        values = {
            "page": cursor,
            "page_size": str(min(max(query.page_size, 1), LARGEST_PAGE)),
            "ordering": "-last_updated" if query.order == "updated" else "name",
            "name": query.text,
        }
        found, following, total = self.api.page(
            f"/v2/namespaces/{quote(namespace, safe='')}/repositories", values, work, title=title
        )
        wanted = query.text.casefold()
        items = [repository_from(item) for item in found]
        return RepositoryPage(
            tuple(item for item in items if item.name and wanted in item.name.casefold()),
            following,
            total if not wanted else -1,
        )

    def repository(self, name: str, work: Work) -> Repository:
        title = f"{name} could not be read"
        return repository_from(self.api.get(repository_path(name), work, title=title))

    def search(self, text: str, work: Work, cursor: str = "") -> RepositoryPage:
        values = {"query": text, "page": cursor, "page_size": str(LARGEST_PAGE // 4)}
        found, following, total = self.api.page(
            "/v2/search/repositories", values, work, title="The search failed"
        )
        items = [hit_from(item) for item in found]
        return RepositoryPage(tuple(item for item in items if item.name), following, total)

    # --- tags ---

    def tags(self, repository: str, query: TagQuery, work: Work, cursor: str = "") -> TagPage:
        values = {
            "page": cursor,
            "page_size": str(min(max(query.page_size, 1), LARGEST_PAGE)),
            "ordering": "name" if query.order == "name" else "last_updated",
            "name": query.text,
        }
        found, following, total = self.api.page(
            f"{repository_path(repository)}/tags",
            values,
            work,
            title=f"Tags of {repository} could not be listed",
        )
        items = [tag_from(item) for item in found]
        return TagPage(tuple(item for item in items if item.name), following, total)

    def tag(self, repository: str, name: str, work: Work) -> Tag:
        path = f"{repository_path(repository)}/tags/{quote(name, safe='')}"
        title = f"{repository}:{name} could not be read"
        return tag_from(self.api.get(path, work, title=title))

    def _tag_targets(self, repository: str, work: Work) -> tuple[list[TagTarget], int]:
        """From the API's pages, which tell digests: a hundred tags a request."""
        found: list[Tag] = []
        cursor, total, more = "", 0, True
        while more and len(found) < DELETION_TAGS:
            page = self.tags(repository, TagQuery(page_size=LARGEST_PAGE), work, cursor)
            found += page.items
            total = max(page.total, len(found))
            cursor, more = page.next, bool(page.next)

        def one(tag: Tag, work: Work) -> TagTarget | None:
            if tag.digest:
                return TagTarget(tag.name, tag.digest, tuple(image.digest for image in tag.images))
            return self.tag_target(repository, tag.name, work)

        def task(tag: Tag) -> Any:
            return lambda work: one(tag, work)

        targets: list[TagTarget | None] = side_by_side(
            work, [task(tag) for tag in found], SIDE_BY_SIDE
        )
        there = [target for target in targets if target is not None]
        return there, total - (len(targets) - len(there))

    def delete_tag(self, repository: str, tag: str, work: Work) -> None:
        namespace, _, name = self.client.full_name(repository).partition("/")
        path = "/".join(quote(part, safe="") for part in (namespace, name, "tags", tag))
        title = f"{repository}:{tag} could not be deleted"
        self.api.send("DELETE", f"/v2/repositories/{path}/", work, title=title, known=True)

    def rate_limit(self, work: Work) -> RateLimit | None:
        problem: DockDeskError | None = None
        for name in _LIMIT_IMAGES:
            before, self.client.limit = self.client.limit, None
            try:
                self.reader.lookup(name, "latest", work)
            except (NotFoundError, LoginNeededError) as error:
                problem = error
            if self.client.limit is not None:
                return self.client.limit
            self.client.limit = before
        if problem is not None and self.client.limit is None:
            raise problem
        return self.client.limit


# --- answers ---


def repository_from(value: Mapping[str, Any]) -> Repository:
    namespace, name = text(value.get("namespace")), text(value.get("name"))
    private = value.get("is_private")
    rights = mapping(value.get("permissions"))
    return Repository(
        f"{namespace}/{name}" if namespace and name else name,
        text(value.get("description")),
        text(value.get("full_description")),
        whole(value.get("star_count")),
        whole(value.get("pull_count")),
        namespace == LIBRARY,
        private if isinstance(private, bool) else None,
        seconds(value.get("last_updated")),
        seconds(value.get("date_registered")),
        whole(value.get("storage_size")),
        rights.get("write") is True if rights else None,
        rights.get("admin") is True if rights else None,
        tuple(text(item.get("name")) for item in objects(value.get("categories"))),
    )


def hit_from(value: Mapping[str, Any]) -> Repository:
    name = text(value.get("repo_name"))
    official = value.get("is_official") is True
    return Repository(
        f"{LIBRARY}/{name}" if official and name and "/" not in name else name,
        text(value.get("short_description")),
        stars=whole(value.get("star_count")),
        pulls=whole(value.get("pull_count")),
        official=official,
        private=False,
    )


def tag_from(value: Mapping[str, Any]) -> Tag:
    images = tuple(_image_from(item) for item in objects(value.get("images")))
    pushed = seconds(value.get("tag_last_pushed")) or seconds(value.get("last_updated"))
    digest = text(value.get("digest"))
    size = whole(value.get("full_size"))
    if size < 0 and images:
        size = images[usual(image.platform for image in images)].size
    return Tag(
        text(value.get("name")),
        digest if is_digest(digest) else "",
        text(value.get("media_type")),
        pushed,
        seconds(value.get("tag_last_pulled")),
        0.0,
        size,
        text(value.get("last_updater_username")),
        images,
    )


def _image_from(value: Mapping[str, Any]) -> TagImage:
    return TagImage(
        Platform(
            text(value.get("os")),
            text(value.get("architecture")),
            text(value.get("variant")),
            text(value.get("os_version")),
        ),
        text(value.get("digest")),
        whole(value.get("size")),
        seconds(value.get("last_pushed")),
        seconds(value.get("last_pulled")),
    )
