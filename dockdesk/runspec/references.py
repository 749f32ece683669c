"""Image references in their parts. Source: distribution/reference."""

from __future__ import annotations


def split_reference(reference: str) -> tuple[str, str]:
    """Repository, and tag or digest; the tag is latest where there is neither."""
    repository, separator, digest = reference.partition("@")
    if separator:
        return split_reference(repository)[0] if ":" in repository.rpartition("/")[
            2
        ] else repository, digest
    head, slash, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}", tag or "latest"
