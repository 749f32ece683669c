"""What a request of the distribution API asks leave for, as its challenge names it."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.sandbox.registry.accounts import PULL
from dockdesk.sandbox.registry.tokens import Scope

CATALOG = Scope("registry", "catalog", frozenset({"*"}))


def needed(name: str, actions: Sequence[str], source: str = "") -> list[Scope]:
    """The scopes for actions on a repository; ``source`` is one that a blob is mounted from. No name: the catalogue."""
    if not name:
        return [CATALOG]
    scopes = [Scope("repository", name, frozenset(actions))]
    if source:
        scopes.append(Scope("repository", source, frozenset({PULL})))
    return scopes
