"""Image references taken apart as the engine's requests want them. Source: distribution/reference, its grammar."""

from __future__ import annotations

from dockdesk.core.errors import InvalidInputError

HUB = "docker.io"


def split_reference(reference: str) -> tuple[str, str]:
    """Repository, and tag or digest; “latest” where neither is given. Raise InvalidInputError."""
    name = reference.strip()
    if not name or any(character.isspace() for character in name) or "//" in name:
        raise InvalidInputError(
            f"“{reference}” names no image", "", "Write it as repository:tag.", "image"
        )
    repository, at, digest = name.partition("@")
    head, colon, tag = repository.rpartition(":")
    # A colon before a slash belongs to a registry's port.
    tagged = bool(colon) and "/" not in tag
    if at:
        return (head if tagged else repository), digest
    return (head, tag) if tagged else (name, "latest")


def registry_of(reference: str) -> str:
    """The host, with port, of the registry that a reference means; docker.io where none is named."""
    first, slash, _ = reference.strip().partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return HUB if first in {"index.docker.io", "registry-1.docker.io"} else first
    return HUB
