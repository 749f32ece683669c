"""Images in the engine's JSON, turned into core's values.

Sources: Engine API v1.41 to v1.55, ImageList, ImageInspect, ImageHistory; Podman 4.3 where it differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from dockdesk.backends.engine.convert import ListedContainer
from dockdesk.backends.engine.values import (
    HELPER_LABEL,
    labels,
    leaf_name,
    mapping,
    moment,
    pairs,
    real_tags,
    records,
    strings,
    text,
    whole,
)
from dockdesk.core.resources.images import Image, ImageDetail, ImageLayer


class ListedImage(Struct, rename="pascal", gc=False):
    """One entry of GET /images/json."""

    id: str
    repo_tags: list[str] | None = None
    repo_digests: list[str] | None = None
    created: int | float | str | None = None
    size: int = 0
    shared_size: int = -1
    labels: dict[str, str] | None = None

    @property
    def hidden(self) -> bool:
        return HELPER_LABEL in (self.labels or {})


ImageList = list[ListedImage]


class ImageUsers:
    """Which containers were made from which image, looked up by image id, and by tag for stores whose ids differ."""

    def __init__(self, containers: Iterable[ListedContainer]) -> None:
        self._by_id: dict[str, list[str]] = {}
        self._by_name: dict[str, list[str]] = {}
        for container in containers:
            if container.hidden:
                continue
            name = leaf_name(container.names) or container.id[:12]
            if container.image_id:
                self._by_id.setdefault(bare(container.image_id), []).append(name)
            elif container.image:
                self._by_name.setdefault(container.image, []).append(name)

    def of(self, id: str, tags: Iterable[str]) -> tuple[str, ...]:
        names = set(self._by_id.get(bare(id), ()))
        for tag in tags:
            names.update(self._by_name.get(tag, ()))
        return tuple(sorted(names))


def bare(id: str) -> str:
    """An image id without its algorithm, which Podman leaves out at times."""
    return id.removeprefix("sha256:")


def images_from(
    listed: Iterable[ListedImage], users: ImageUsers, sizes_shared: bool = True
) -> list[Image]:
    """The image list, without DockDesk's own. ``sizes_shared`` is False where the engine's figure means nothing."""
    made = []
    for item in listed:
        if item.hidden:
            continue
        tags = real_tags(item.repo_tags)
        made.append(
            Image(
                id=item.id,
                tags=tags,
                digests=real_tags(item.repo_digests),
                created=moment(item.created),
                size=item.size,
                shared=item.shared_size if sizes_shared else -1,
                used_by=users.of(item.id, tags),
                labels=item.labels or {},
            )
        )
    return made


def image_detail_from(raw: Mapping[str, Any], history: Any, users: ImageUsers) -> ImageDetail:
    """What GET /images/{name}/json and …/history tell of one image."""
    config = mapping(raw.get("Config"))
    id = text(raw.get("Id"))
    tags = real_tags(raw.get("RepoTags"))
    return ImageDetail(
        image=Image(
            id=id,
            tags=tags,
            digests=real_tags(raw.get("RepoDigests")),
            created=moment(raw.get("Created")),
            size=whole(raw.get("Size")),
            used_by=users.of(id, tags),
            labels=labels(config.get("Labels")),
        ),
        raw=raw,
        layers=tuple(_layer(entry) for entry in records(history)),
        architecture="/".join(
            filter(None, (text(raw.get("Architecture")), text(raw.get("Variant"))))
        ),
        os=text(raw.get("Os")),
        environment=pairs(config.get("Env")),
        command=strings(config.get("Cmd")),
        entrypoint=strings(config.get("Entrypoint")),
        exposed=tuple(sorted(mapping(config.get("ExposedPorts")))),
        volumes=tuple(sorted(mapping(config.get("Volumes")))),
        user=text(config.get("User")),
        working_dir=text(config.get("WorkingDir")),
    )


def _layer(entry: Mapping[str, Any]) -> ImageLayer:
    return ImageLayer(
        id=text(entry.get("Id")),
        created=moment(entry.get("Created")),
        created_by=text(entry.get("CreatedBy")),
        size=whole(entry.get("Size")),
        comment=text(entry.get("Comment")),
        tags=real_tags(entry.get("Tags")),
    )


def removed_from(raw: Any) -> list[str]:
    """What DELETE /images/{name} and the prune say was untagged and deleted, in order."""
    made = []
    for entry in records(raw):
        name = text(entry.get("Untagged")) or text(entry.get("Deleted"))
        if name:
            made.append(name)
    return made
