"""Signature version 4: who signed a request, whether truly, and when; and signing, for clients without an SDK.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote

from dockdesk.core.records import dataclass

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW_SECONDS = 300.0
_DATE = "%Y%m%dT%H%M%SZ"
_SCOPE = re.compile(r"([^/\s,]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_PARTS = re.compile(r"(\w+)=([^,\s]+)")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Signed:
    """What a request says of its signature. ``headers`` are the names that are signed; ``lasts`` in s, when presigned."""

    key: str
    day: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    date: str
    lasts: float = 0.0

    @property
    def time(self) -> float | None:
        """When it was signed, in seconds since 1970; None where that can't be read."""
        try:
            return datetime.strptime(self.date, _DATE).replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None


def read(target: str, headers: Mapping[str, str]) -> Signed | None:
    """From the Authorization header or a presigned address; None where there is neither."""
    given = headers.get("authorization", "")
    if given.startswith(ALGORITHM):
        parts = dict(_PARTS.findall(given))
        date, lasts = headers.get("x-amz-date", ""), 0.0
    else:
        query = {name: values[0] for name, values in parse_qs(target.partition("?")[2]).items()}
        parts = {
            name: query.get(f"X-Amz-{name}", "")
            for name in ("Credential", "SignedHeaders", "Signature")
        }
        date, expires = query.get("X-Amz-Date", ""), query.get("X-Amz-Expires", "")
        lasts = float(expires) if expires.isdigit() else 0.0
    scope = _SCOPE.fullmatch(parts.get("Credential", ""))
    if scope is None:
        return None
    names = tuple(parts.get("SignedHeaders", "").lower().split(";"))
    key, day, region, service = scope.groups()
    return Signed(key, day, region, service, names, parts.get("Signature", ""), date, lasts)


def matches(
    signed: Signed, secret: str, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Whether the signature is that of this request with this secret."""
    presigned = bool(signed.lasts)
    payload = (
        _EMPTY
        if presigned
        else headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
    )
    right = _signature(signed, secret, method, target, headers, payload)
    return hmac.compare_digest(right.encode(), signed.signature.encode("utf-8", "replace"))


def in_time(signed: Signed, now: float) -> bool:
    """Whether it was signed within five minutes of ``now``, or lasts until then."""
    time = signed.time
    return time is not None and -SKEW_SECONDS <= now - time <= max(SKEW_SECONDS, signed.lasts)


def sign(
    key: str,
    secret: str,
    region: str,
    service: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
) -> dict[str, str]:
    """The headers of a signed request; ``headers`` must name the host, in lower case as the others."""
    date = datetime.fromtimestamp(now, UTC).strftime(_DATE)
    all_headers = {**headers, "x-amz-date": date}
    names = tuple(sorted(all_headers))
    signed = Signed(key, date[:8], region, service, names, "", date)
    right = _signature(
        signed, secret, method, target, all_headers, hashlib.sha256(body).hexdigest()
    )
    scope = f"{key}/{date[:8]}/{region}/{service}/aws4_request"
    value = f"{ALGORITHM} Credential={scope}, SignedHeaders={';'.join(names)}, Signature={right}"
    return {**all_headers, "authorization": value}


def _signature(
    signed: Signed, secret: str, method: str, target: str, headers: Mapping[str, str], payload: str
) -> str:
    path, _, query = target.partition("?")
    pairs = sorted(
        (name, value)
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)
        if name != "X-Amz-Signature"
    )
    lines = [
        method,
        quote(path or "/", safe="/~"),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in signed.headers),
        "",
        ";".join(signed.headers),
        payload,
    ]
    scope = f"{signed.day}/{signed.region}/{signed.service}/aws4_request"
    canonical = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    text = "\n".join((ALGORITHM, signed.date, scope, canonical))
    key = f"AWS4{secret}".encode()
    for part in (signed.day, signed.region, signed.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
