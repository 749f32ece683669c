"""The JSON of Docker Hub's API. Source: docs.docker.com/reference/api/hub/latest, schemas tag, image and page."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dockdesk.sandbox.registry.accounts import DELETE, PULL, PUSH
from dockdesk.sandbox.registry.manifests import INDEXES, Manifest
from dockdesk.sandbox.registry.repositories import Repository

ORDERS: Mapping[str, Callable[[Repository], Any]] = {
    "last_updated": lambda item: (item.updated, item.name),
    "name": lambda item: item.name,
    "pull_count": lambda item: (item.about.pulls, item.name),
}
_MONTH = 30 * 86_400.0


def when(time: float) -> str | None:
    """A time as the site writes it, None for never."""
    if time <= 0:
        return None
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def number(*key: str) -> int:
    """An id that depends on the name alone."""
    return zlib.crc32("/".join(key).encode())


def user(name: str) -> dict[str, Any]:
    return {
        "id": f"{number('user', name):032x}",
        "username": name,
        "full_name": "",
        "location": "",
        "company": "",
        "profile_url": "",
        "gravatar_url": "",
        "date_joined": "2020-01-01T00:00:00.000000Z",
        "type": "User",
    }


def organisation(name: str) -> dict[str, Any]:
    return {**user(name), "orgname": name, "type": "Org"}


def _names(item: Repository) -> tuple[str, str]:
    namespace, _, name = item.name.partition("/")
    return (namespace, name) if name else ("library", namespace)


def found(item: Repository) -> dict[str, Any]:
    """A hit of the search: official images without their namespace."""
    return {
        "repo_name": item.name.removeprefix("library/"),
        "short_description": item.about.description,
        "star_count": item.about.stars,
        "pull_count": item.about.pulls,
        "repo_owner": "",
        "is_automated": False,
        "is_official": item.about.official,
    }


def line(item: Repository) -> dict[str, Any]:
    """A repository in a namespace's list."""
    namespace, name = _names(item)
    return {
        "name": name,
        "namespace": namespace,
        "repository_type": "image",
        "status": 1,
        "status_description": "active",
        "description": item.about.description,
        "is_private": item.about.private,
        "star_count": item.about.stars,
        "pull_count": item.about.pulls,
        "last_updated": when(item.updated),
        "last_modified": when(item.updated),
        "date_registered": when(item.about.created),
        "affiliation": "",
        "media_types": sorted({manifest.kind for manifest in item.manifests.values()}),
        "content_types": ["image"],
        "categories": [{"name": label, "slug": slug} for label, slug in item.about.categories],
        "storage_size": sum(manifest.layers_size() for manifest in item.manifests.values()),
    }


def repository(item: Repository, allowed: set[str]) -> dict[str, Any]:
    """One repository with its long description; ``permissions`` are those of who asks."""
    namespace, _ = _names(item)
    return {
        "user": namespace,
        **line(item),
        "is_automated": False,
        "collaborator_count": 0,
        "hub_user": namespace,
        "has_starred": False,
        "full_description": item.about.full_description or None,
        "permissions": {
            "read": PULL in allowed,
            "write": PUSH in allowed,
            "admin": DELETE in allowed,
        },
        "immutable_tags_settings": {"enabled": False, "rules": [".*"]},
    }


def pushed(item: Repository, name: str) -> float:
    """When a tag was pushed, also where its image has not been made yet."""
    release = item.releases.get(name)
    return release.pushed if release is not None else item.tags[name].pushed


def tag(
    item: Repository,
    name: str,
    manifest: Manifest,
    children: Sequence[Manifest],
    configs: Mapping[str, Mapping[str, Any]],
    now: float,
) -> dict[str, Any]:
    """A tag with its images; ``configs`` are the configuration files of ``children`` by digest."""
    held = item.tags[name]
    platforms = {
        str(entry["digest"]): entry.get("platform") or {}
        for entry in (manifest.value.get("manifests") or () if manifest.kind in INDEXES else ())
    }
    images = [
        _image(item, child, platforms.get(child.digest) or configs.get(child.digest) or {})
        for child in children
    ]
    # The site tells the size of one image: that for amd64, where there is one.
    sizes = [image["size"] for image in images if image["architecture"] == "amd64"]
    sizes += [image["size"] for image in images]
    used = max(held.pushed, held.pulled)
    return {
        "creator": number("user", held.by),
        "id": number("tag", item.name, name),
        "images": images,
        "last_updated": when(held.pushed),
        "last_updater": number("user", held.by),
        "last_updater_username": held.by,
        "name": name,
        "repository": number("repository", item.name),
        "full_size": sizes[0] if sizes else 0,
        "v2": True,
        "tag_status": "active" if now - used < _MONTH else "inactive",
        "tag_last_pulled": when(held.pulled),
        "tag_last_pushed": when(held.pushed),
        "media_type": manifest.kind,
        "content_type": "image",
        "digest": manifest.digest,
    }


def _image(item: Repository, child: Manifest, platform: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "architecture": str(platform.get("architecture") or "unknown"),
        "features": "",
        "variant": platform.get("variant"),
        "digest": child.digest,
        "os": str(platform.get("os") or "unknown"),
        "os_features": "",
        "os_version": platform.get("os.version"),
        "size": child.layers_size(),
        "status": "active",
        "last_pulled": when(item.pulled.get(child.digest, 0.0)),
        "last_pushed": when(item.pushed.get(child.digest, 0.0)),
    }
