"""Image references taken apart. Source: distribution/reference, its grammar."""

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
    return reference_parts(name)


def reference_parts(name: str) -> tuple[str, str]:
    """The same of a name that nobody has checked yet, such as one that is being typed."""
    repository, at, digest = name.partition("@")
    head, colon, tag = repository.rpartition(":")
    # A colon before a slash belongs to a registry's port.
    tagged = bool(colon) and "/" not in tag
    if at:
        return (head if tagged else repository), digest
    return (head, tag or "latest") if tagged else (name, "latest")


def registry_of(reference: str) -> str:
    """The host, with port, of the registry that a reference means; docker.io where none is named."""
    first, slash, _ = reference.strip().partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return HUB if first in {"index.docker.io", "registry-1.docker.io"} else first
    return HUB


def repository_path(reference: str) -> str:
    """Registry and repository in full, without tag or digest: docker.io/library/nginx for nginx:1.27."""
    repository, _ = split_reference(reference)
    registry = registry_of(repository)
    first, slash, rest = repository.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    path = rest if named else repository
    if registry == HUB and "/" not in path:
        path = f"library/{path}"
    return f"{registry}/{path}"
