"""Paths and query strings of requests to the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote, urlencode

from dockdesk.core.errors import InvalidInputError

Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
Params = Mapping[str, Any]


def quoted(part: str) -> str:
    """An id, a name or an image reference as part of a path.

    Raise InvalidInputError for what would become another path, such as an empty name: DELETE /containers/ is not
    what anybody meant.
    """
    if not part or any(step in {"", ".", ".."} for step in part.split("/")):
        raise InvalidInputError(f"“{part}” is not a name", "", "Give an id or a name.")
    return quote(part, safe="/:@")


def query(params: Params | None) -> str:
    """A query string: None is left out, flags are true/false, dicts (such as filters) are JSON, lists repeat."""
    pairs: list[tuple[str, str]] = []
    for name, value in (params or {}).items():
        if value is None:
            continue
        many = value if isinstance(value, (list, tuple)) else (value,)
        for item in many:
            if isinstance(item, bool):
                text = "true" if item else "false"
            elif isinstance(item, Mapping):
                text = json.dumps(item, separators=(",", ":"))
            else:
                text = str(item)
            pairs.append((name, text))
    return urlencode(pairs)
