"""Image references taken apart."""

from __future__ import annotations

import pytest

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.references import (
    reference_parts,
    registry_of,
    repository_path,
    split_reference,
)

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", "latest")),
        ("nginx:1.27", ("nginx", "1.27")),
        (" nginx:1.27 ", ("nginx", "1.27")),
        ("acme/api:2", ("acme/api", "2")),
        ("localhost:5000/api", ("localhost:5000/api", "latest")),
        ("localhost:5000/api:2", ("localhost:5000/api", "2")),
        (f"nginx@{DIGEST}", ("nginx", DIGEST)),
        (f"localhost:5000/api:2@{DIGEST}", ("localhost:5000/api", DIGEST)),
        ("[::1]:5000/api:2", ("[::1]:5000/api", "2")),
    ],
)
def test_split(reference: str, parts: tuple[str, str]) -> None:
    assert split_reference(reference) == parts


@pytest.mark.parametrize("typed", ["", "nginx:", "a b:", "a//b"])
def test_what_is_typed_has_parts_too(typed: str) -> None:
    assert reference_parts(typed) == (typed.rstrip(":"), "latest")


@pytest.mark.parametrize("reference", ["", "  ", "a b", "a//b", "a\nb"])
def test_nonsense(reference: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        split_reference(reference)
    assert caught.value.field == "image"


@pytest.mark.parametrize(
    ("reference", "registry", "path"),
    [
        ("nginx:1", "docker.io", "docker.io/library/nginx"),
        ("acme/api", "docker.io", "docker.io/acme/api"),
        ("docker.io/acme/api", "docker.io", "docker.io/acme/api"),
        ("index.docker.io/library/nginx", "docker.io", "docker.io/library/nginx"),
        ("ghcr.io/acme/api:2", "ghcr.io", "ghcr.io/acme/api"),
        ("localhost/api", "localhost", "localhost/api"),
        ("localhost:5000/a/b/c:x", "localhost:5000", "localhost:5000/a/b/c"),
        (f"quay.io/a/b@{DIGEST}", "quay.io", "quay.io/a/b"),
    ],
)
def test_registries(reference: str, registry: str, path: str) -> None:
    assert registry_of(reference) == registry
    assert repository_path(reference) == path
