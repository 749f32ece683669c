"""Errors in the distribution specification's shape. Source: OCI distribution specification 1.1, "Error Codes"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.http import HttpError, Response, json_response

API_VERSION = {"Docker-Distribution-Api-Version": "registry/2.0"}

# Code → status and the text that registries send with it.
_CODES: Mapping[str, tuple[int, str]] = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (404, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DENIED": (403, "requested access to the resource is denied"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": (400, "invalid number of results requested"),
    "RANGE_INVALID": (416, "invalid content range"),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "TAG_INVALID": (400, "manifest tag did not match URI"),
    "TOOMANYREQUESTS": (429, "too many requests"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNKNOWN": (500, "unknown error"),
    "UNSUPPORTED": (405, "The operation is unsupported."),
}


class RegistryError(HttpError):
    """One error of the API by its code; ``detail`` is what the registry adds for the curious."""

    def __init__(
        self,
        code: str,
        detail: Any = None,
        message: str = "",
        status: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        usual, text = _CODES[code]
        super().__init__(status or usual, message or text, code)
        self.detail = detail
        self.headers = dict(headers or {})


def error_response(error: HttpError) -> Response:
    """The answer for an error, also for those of HTTP itself."""
    if not isinstance(error, RegistryError):
        codes = {404: "UNSUPPORTED", 405: "UNSUPPORTED", 413: "SIZE_INVALID"}
        error = RegistryError(codes.get(error.status, "UNKNOWN"), None, error.message, error.status)
    entry = {"code": error.code, "message": error.message}
    if error.detail is not None:
        entry["detail"] = error.detail
    return json_response({"errors": [entry]}, error.status, {**API_VERSION, **error.headers})
