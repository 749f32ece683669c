"""Who uses an image or a volume, kept current from the containers alone: listing images anew is far dearer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from dockdesk.core.resources.containers import Container
from dockdesk.core.resources.engine import Volume
from dockdesk.core.resources.images import Image

R = TypeVar("R", Image, Volume)

Change = tuple[Container | None, Container | None]
"""A container before and after: None where it did not exist, or no longer does."""


def images_after(images: Mapping[str, Image], changes: Iterable[Change]) -> dict[str, Image]:
    """Those of ``images`` whose ``used_by`` differs after ``changes``, by id."""
    by_tag = {tag: image.id for image in images.values() for tag in image.tags}
    by_id = {_bare(image.id): image.id for image in images.values()}

    def used(container: Container) -> Iterable[str]:
        if container.image_id:
            key = by_id.get(_bare(container.image_id))
        else:
            key = by_tag.get(container.image)
        return () if key is None else (key,)

    return _adjusted(images, changes, used)


def volumes_after(volumes: Mapping[str, Volume], changes: Iterable[Change]) -> dict[str, Volume]:
    """Those of ``volumes`` whose ``used_by`` differs after ``changes``, by name."""

    def used(container: Container) -> Iterable[str]:
        return [mount.name for mount in container.mounts if mount.name in volumes]

    return _adjusted(volumes, changes, used)


def _adjusted(
    rows: Mapping[str, R],
    changes: Iterable[Change],
    used: Callable[[Container], Iterable[str]],
) -> dict[str, R]:
    users: dict[str, set[str]] = {}
    changes = list(changes)
    # All that left come first: a container may have been replaced by another of its name.
    for container, _ in changes:
        if container is not None:
            for key in used(container):
                users.setdefault(key, set(rows[key].used_by)).discard(container.name)
    for _, container in changes:
        if container is not None:
            for key in used(container):
                users.setdefault(key, set(rows[key].used_by)).add(container.name)
    return {
        key: replace(rows[key], used_by=tuple(sorted(names)))
        for key, names in users.items()
        if names != set(rows[key].used_by)
    }


def _bare(id: str) -> str:
    return id.removeprefix("sha256:")
