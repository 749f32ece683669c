"""JSON values with their secrets masked: no Qt here, this runs on worker threads."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dockdesk.core.masking import holds_secret, masked_urls, masked_value, masked_words

Path = tuple[str | int, ...]
"""Names and numbers from the top down, as `dockdesk.models.tree_model` has them."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PAIRS = frozenset({"Env", "env", "environment"})
_COMMANDS = frozenset({"Cmd", "Args", "Entrypoint", "Test"})


def masked(value: Any, revealed: Collection[Path] = (), path: Path = ()) -> Any:
    """A copy of ``value`` that holds no secret but those at ``revealed``.

    Secrets are judged by their names, also in lists of NAME=value, as engines list environments, and in commands.
    """
    if isinstance(value, Mapping):
        return {
            str(name): masked(inner, revealed, (*path, str(name))) for name, inner in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        if path and path[-1] in _COMMANDS and all(isinstance(word, str) for word in value):
            shown = zip(value, masked_words(value), strict=True)
            return [
                word if (*path, number) in revealed else hidden
                for number, (word, hidden) in enumerate(shown)
            ]
        return [masked(inner, revealed, (*path, number)) for number, inner in enumerate(value)]
    if not isinstance(value, str) or path in revealed:
        return value
    if len(path) > 1 and path[-2] in _PAIRS:
        name, equals, inside = value.partition("=")
        if equals:
            return f"{name}={masked_value(name, inside)}"
    key = path[-1] if path else 0
    if isinstance(key, str) and holds_secret(key, value):
        return masked_value(key, value)
    return masked_urls(value)


def value_at(value: Any, path: Path) -> Any:
    """What stands at a path; None where nothing does (any more)."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def path_text(path: Path) -> str:
    """The path as jq writes it, such as ``.Mounts[0].Source`` or ``.Labels["a.b"]``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]" if text else f".[{key}]"
        elif _PLAIN_NAME.match(key):
            text += f".{key}"
        else:
            text += f"{'' if text else '.'}[{json.dumps(key, ensure_ascii=False)}]"
    return text or "."


def json_text(value: Any) -> str:
    """Indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def plain_text(value: Any) -> str:
    """A value as it is copied: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json_text(value)
