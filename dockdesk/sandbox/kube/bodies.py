"""What requests carry: objects as JSON or protobuf, options, and who writes."""

from __future__ import annotations

import json
from typing import Any

from dockdesk.sandbox.http import Request
from dockdesk.sandbox.kube import conversion, deleting, protobuf
from dockdesk.sandbox.kube.objects import Object, encoded
from dockdesk.sandbox.kube.status import KubeError, invalid

_JSON_TYPES = {"", "application/json", "*/*"}


def manager_of(request: Request) -> str:
    """Who writes: fieldManager, or the first part of the User-Agent."""
    agent = request.headers.get("user-agent", "").partition("/")[0]
    return request.first("fieldManager") or agent or "unknown"


def is_dry(request: Request) -> bool:
    """Raises KubeError 422 for a dryRun that is not All."""
    value = request.first("dryRun")
    if value and value != "All":
        text = f'Unsupported value: "{value[:40]}": supported values: "All"'
        raise invalid("Options", "meta.k8s.io", "", [("FieldValueNotSupported", "dryRun", text)])
    return bool(value)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_object(request: Request) -> Object:
    """The body as an object. Raises KubeError 400, 415."""
    media = media_type(request)
    if media == protobuf.MEDIA_TYPE:
        return conversion.newer(as_object(protobuf.decoded(await request.body())))
    if media not in _JSON_TYPES:
        raise KubeError(
            415,
            f"the body of the request was in an unknown format - accepted media types include: application/json (the sandbox reads no {media[:60]})",
        )
    return conversion.newer(as_object(json_of(await request.body())))


def as_object(body: Any) -> Object:
    if not isinstance(body, dict):
        raise KubeError(400, "the object provided is unrecognized (must be of type object)")
    meta = body.setdefault("metadata", {})
    if not isinstance(meta, dict):
        raise KubeError(
            400, "json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta"
        )
    try:
        encoded(body)
    except (ValueError, RecursionError) as error:
        raise KubeError(400, f"the object cannot be stored as JSON: {error}") from None
    return body


async def delete_options(request: Request) -> deleting.Options:
    if media_type(request) == protobuf.MEDIA_TYPE:
        return deleting.options_of(request, protobuf.decoded(await request.body()))
    body = json_of(await request.body() or b"{}") if media_type(request) in _JSON_TYPES else None
    return deleting.options_of(request, body)


def json_of(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise KubeError(
            400,
            f"error parsing the body as JSON, the only form of YAML that the sandbox reads: {error}",
        ) from None


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
