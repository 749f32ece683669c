"""What the engine's answers hold: JSON, bytes, or the explanation of a failure."""

from __future__ import annotations

import json as json_module
from typing import Any

import msgspec

from dockdesk.core.errors import NotSupportedError


def content(body: bytes, kind: str, wanted: Any) -> Any:
    """A body as JSON (as ``wanted``, where given), as bytes, or None if it is empty. ``kind`` is its Content-Type.

    Podman sends some JSON with no type, or as plain text.
    """
    if not body:
        return None
    guessed = (not kind or kind.startswith("text/plain")) and body[:1] in b"{["
    if wanted is not None or guessed or kind.startswith("application/json"):
        return decode(body, wanted)
    return body


def decode(body: bytes, wanted: Any) -> Any:
    try:
        if wanted is None:
            return msgspec.json.decode(body)
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise NotSupportedError(
            "The engine's answer is not understood", str(error), "Is this a container engine?"
        ) from error
    except msgspec.DecodeError:
        # Broken UTF-8 and the like, which Go's encoder never writes but proxies and other engines do.
        try:
            value = json_module.loads(body.decode("utf-8", "replace"))
        except ValueError as error:
            raise NotSupportedError(
                "The engine's answer is not understood", str(error), "Is this a container engine?"
            ) from error
        return value if wanted is None else msgspec.convert(value, wanted)


def error_message(body: bytes) -> str:
    """The explanation in an error's body: Docker's {"message"}, Podman's {"cause", "message"}, or text."""
    try:
        value = json_module.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")[:4096]
    if isinstance(value, dict):
        return str(value.get("message") or value.get("cause") or "")
    return str(value)
