"""Errors as the Kubernetes API tells them: a Status object.

Source: k8s.io/apimachinery meta/v1 Status, and Kubernetes API conventions, "Response Status Kind".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.sandbox.http import HttpError, Response, json_response

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotImplemented",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class KubeError(HttpError):
    """An answer that is a Status. ``causes`` are (reason, message, field)."""

    def __init__(
        self,
        status: int,
        message: str,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
        causes: Sequence[tuple[str, str, str]] = (),
        retry_after: int = 0,
    ) -> None:
        super().__init__(status, message, reason or _REASONS.get(status, "Unknown"))
        self.details = dict(details or {})
        if causes:
            self.details["causes"] = [
                {
                    "reason": cause,
                    "message": text,
                    **({"field": field} if field else {}),
                }
                for cause, text, field in causes
            ]
        self.retry_after = retry_after
        if retry_after:
            self.details["retryAfterSeconds"] = retry_after


def status_object(error: HttpError) -> dict[str, Any]:
    """The Status of an error."""
    value: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.code or _REASONS.get(error.status, "Unknown"),
    }
    if isinstance(error, KubeError) and error.details:
        value["details"] = error.details
    value["code"] = error.status
    return value


def status_response(error: HttpError) -> Response:
    headers = {}
    if isinstance(error, KubeError) and error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="dockdesk-sandbox"'
    return json_response(status_object(error), error.status, headers)


def success(name: str, group: str, plural: str, uid: str) -> dict[str, Any]:
    """What a delete answers when the object is gone at once."""
    details = {"name": name, "kind": plural, "uid": uid}
    if group:
        details["group"] = group
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def qualified(plural: str, group: str) -> str:
    """How messages name a resource: ``deployments.apps``."""
    return f"{plural}.{group}" if group else plural


def _details(plural: str, group: str, name: str) -> dict[str, Any]:
    return {"name": name, **({"group": group} if group else {}), "kind": plural}


def not_found(plural: str, group: str, name: str) -> KubeError:
    return KubeError(
        404,
        f'{qualified(plural, group)} "{name}" not found',
        details=_details(plural, group, name),
    )


def no_such_path() -> KubeError:
    return KubeError(404, "the server could not find the requested resource")


def already_exists(plural: str, group: str, name: str) -> KubeError:
    return KubeError(
        409,
        f'{qualified(plural, group)} "{name}" already exists',
        "AlreadyExists",
        _details(plural, group, name),
    )


def stale(plural: str, group: str, name: str) -> KubeError:
    return KubeError(
        409,
        f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
        details=_details(plural, group, name),
    )


def invalid(
    kind: str, group: str, name: str, problems: Sequence[tuple[str, str, str]]
) -> KubeError:
    """422. ``problems`` are (cause reason, field, what is wrong)."""
    texts = [f"{field}: {text}" for _, field, text in problems]
    whole = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    return KubeError(
        422,
        f'{qualified(kind, group)} "{name}" is invalid: {whole}',
        details=_details(kind, group, name),
        causes=[(reason, text, field) for reason, field, text in problems],
    )


def expired(message: str) -> KubeError:
    return KubeError(410, message, "Expired")
