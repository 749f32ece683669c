"""What a registry answers, or does not answer, in the words of DockDeskError.

Source: OCI distribution specification 1.1, "Error Codes"; Docker Hub API.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from urllib3 import exceptions

from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    LoginNeededError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RateLimitedError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.plaintext import one_line

_TEXT_LIMIT = 500
_SECRET = re.compile(
    r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}|\beyJ[\w-]{6,}(?:\.[\w-]+){0,2}|\bdckr_[a-z]+_[\w-]+"
)
_LIMIT = re.compile(r"\s*(\d{1,12})\s*(?:;\s*w=(\d{1,9}))?")
_CODES_OF_NOTHING = {"NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "BLOB_UPLOAD_UNKNOWN"}


def told(body: bytes) -> tuple[str, str]:
    """The first error code of an answer and its text, one line each; empty where it says nothing that is understood."""
    try:
        value = json.loads(body[: 1 << 16])
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(value, dict):
        return "", ""
    errors = value.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        entry = errors[0]
        code, text = entry.get("code"), entry.get("message")
        detail = entry.get("detail")
        words = text if isinstance(text, str) else ""
        if isinstance(detail, str) and detail and detail not in words:
            words = f"{words} ({detail})" if words else detail
        return clean(code) if isinstance(code, str) else "", clean(words)
    for key in ("message", "detail", "details", "error_description", "error"):
        if isinstance(value.get(key), str) and value[key]:
            return "", clean(value[key])
    return "", ""


def clean(text: str) -> str:
    """Text of a registry as it may be shown: one line, of bounded length, without anything that looks like a token."""
    return one_line(_SECRET.sub("…", text[: 4 * _TEXT_LIMIT]))[:_TEXT_LIMIT]


def sentence(text: str) -> str:
    """A remote's words as a sentence of their own."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…" else f"{text}."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as an answer asks, None where it does not. Source: RFC 9110, 10.2.3; X-Retry-After of the Hub."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isdecimal():
        return float(min(int(value[:12]), 10**9))
    if value:
        try:
            return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
        except (ValueError, TypeError, OverflowError):
            return None
    stamp = (headers.get("X-Retry-After") or "").strip()
    if stamp.isdecimal():
        return max(float(int(stamp[:12])) - time.time(), 0.0)
    return None


def limit_of(headers: Mapping[str, str], name: str) -> tuple[int, float] | None:
    """A limit as in ``RateLimit-Limit: 100;w=21600``: count and seconds."""
    found = _LIMIT.match(headers.get(name) or "")
    return (int(found[1]), float(found[2] or 0)) if found else None


def refused(
    title: str, host: str, status: int, headers: Mapping[str, str], body: bytes, who: str = ""
) -> DockDeskError:
    """The error for a status of 400 or more. ``who`` is the user that asked, empty for nobody."""
    code, text = told(body)
    detail = sentence(text)
    if status == 401:
        return login_needed(title, host, detail, who)
    if status == 403:
        return _denied(title, host, detail, who)
    if status == 429 or code == "TOOMANYREQUESTS":
        return throttled(title, host, headers, detail, who)
    if status == 404 or code in _CODES_OF_NOTHING:
        hint = "Check the name; a private repository looks the same to who may not see it."
        return NotFoundError(title, detail or f"{host} does not have it.", hint)
    if status == 405 or code == "UNSUPPORTED":
        return NotSupportedError(title, detail or f"{host} does not offer this.")
    if status in {409, 412}:
        return ConflictError(title, detail or f"{host} says that it is in another state.")
    if status >= 500:
        detail = detail or f"{host} answered with status {status}."
        return RemoteError(title, detail, "The registry has a problem. Try again later.")
    if status in {400, 413, 416}:
        return InvalidInputError(title, detail or f"{host} does not take it (status {status}).")
    return RemoteError(title, detail or f"{host} answered with status {status}.")


def login_needed(title: str, host: str, detail: str, who: str) -> LoginNeededError:
    if who:
        detail = detail or f"{host} does not take the login of {who}."
        hint = "Log in again: the password or token may be wrong, expired or too narrow."
    else:
        detail = detail or f"{host} wants a login."
        hint = f"Log in to {host}."
    return LoginNeededError(title, detail, hint, host)


def _denied(title: str, host: str, detail: str, who: str) -> PermissionDeniedError:
    if not who:
        return login_needed(title, host, detail or f"{host} refused it to anybody.", "")
    hint = f"Ask the owner for access for {who}, or log in as somebody else."
    return PermissionDeniedError(title, detail or f"{host} refused it to {who}.", hint)


def throttled(
    title: str, host: str, headers: Mapping[str, str], detail: str, who: str
) -> RateLimitedError:
    wait = retry_after(headers)
    until = time.time() + wait if wait is not None else 0.0
    parts = [detail or f"{host} takes no more requests for now."]
    if (limit := limit_of(headers, "RateLimit-Limit")) is not None:
        hours = f" in {limit[1] / 3600:g} h" if limit[1] else ""
        parts.append(f"The limit is {limit[0]}{hours}.")
    hint = "Try again later."
    if wait is not None:
        minutes = int(wait // 60) + 1
        hint = (
            f"Try again in {minutes} min." if minutes < 120 else f"Try again in {minutes // 60} h."
        )
    if not who:
        hint += " Logged in, one may ask more often."
    return RateLimitedError(title, " ".join(parts), hint, until)


def unreached(title: str, host: str, error: Exception) -> DockDeskError:
    """The error for an exception of urllib3 or a socket; their texts quote URLs, so only their kinds are told."""
    if (reason := _certificate(error)) is not None:
        return unknown_certificate(title, host, reason)
    if isinstance(error, exceptions.SSLError) or _caused_by(error, ssl.SSLError):
        return UnreachableError(
            title,
            f"{host} does not speak TLS as expected.",
            "If it is a registry without TLS, allow plain HTTP for it.",
        )
    if isinstance(error, exceptions.ProxyError):
        return UnreachableError(
            title, "The proxy refused or did not answer.", "Check HTTPS_PROXY and NO_PROXY."
        )
    if isinstance(error, exceptions.NameResolutionError):
        return UnreachableError(
            title, f"There is no computer called {host}.", "Check the name and the network."
        )
    if isinstance(error, exceptions.TimeoutError) and not isinstance(
        error, exceptions.NewConnectionError
    ):
        return UnreachableError(
            title, f"{host} did not answer in time.", "Check the network, then try again."
        )
    if isinstance(error, exceptions.NewConnectionError):
        return UnreachableError(
            title, f"{host} takes no connections.", "Check that it runs, and its port."
        )
    return UnreachableError(
        title, f"The connection to {host} was cut off.", "Check the network, then try again."
    )


def unknown_certificate(title: str, host: str, reason: str) -> UnreachableError:
    hint = (
        f"If you trust it, save its authority's certificate as /etc/docker/certs.d/{host}/ca.crt, "
        "or choose the file in the registry's settings."
    )
    return UnreachableError(title, f"The certificate of {host} is not trusted: {reason}.", hint)


def _certificate(error: BaseException) -> str | None:
    found = _caused_by(error, ssl.SSLCertVerificationError)
    if found is None:
        return None
    message = getattr(found, "verify_message", "") or "it can't be verified"
    return one_line(str(message))[:200].rstrip(".")


def _caused_by(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        if isinstance(item, kind):
            return item
        seen.add(id(item))
        waiting += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]
    return None
