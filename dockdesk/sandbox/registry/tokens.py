"""Bearer tokens as registries issue them: signed, for some repositories and actions, valid for minutes.

Time is real, not the world's: clients count the seconds they were told with their own clock.
Source: distribution, "Token Authentication Specification" and "Token Authentication Implementation"; RFC 7519.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TOKEN_SECONDS = 300
REFRESH_SECONDS = 90 * 86_400


class TokenError(Exception):
    """A token that counts for nothing: forged, expired or for somebody else."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A resource and what is to be done with it: ``repository:acme/api:pull,push``."""

    kind: str
    name: str
    actions: frozenset[str]

    def __str__(self) -> str:
        # In the order that registries write them.
        order = {"pull": 0, "push": 1, "delete": 2}
        actions = sorted(self.actions, key=lambda action: order.get(action, 9))
        return f"{self.kind}:{self.name}:{','.join(actions)}"


def parse_scopes(texts: Iterable[str]) -> list[Scope]:
    """Scopes of a request, several in one text too; what is none is left out, as the specification asks."""
    found = []
    for text in (part for value in texts for part in value.split()):
        kind, _, rest = text.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind and name:
            # A class, as in repository(plugin), says nothing about access.
            wanted = frozenset(part for part in actions.split(",") if part)
            found.append(Scope(kind.partition("(")[0], name, wanted))
    return found


class Tokens:
    """Signs and checks. ``seconds`` is how long an access token holds; ``audience`` the service it is for."""

    def __init__(self, audience: str, now: Callable[[], float] = time.time) -> None:
        self.seconds = TOKEN_SECONDS
        self.audience = audience
        self.now = now
        self._key = secrets.token_bytes(32)

    def forget(self) -> None:
        """Make all tokens worthless that were issued so far."""
        self._key = secrets.token_bytes(32)

    def issue(self, subject: str, seconds: float, claims: Mapping[str, Any]) -> str:
        now = self.now()
        payload = {
            "iss": "dockdesk-sandbox",
            "sub": subject,
            "aud": self.audience,
            "iat": int(now),
            "nbf": int(now) - 5,
            "exp": now + seconds,
            "jti": secrets.token_hex(8),
            **claims,
        }
        body = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(payload)}"
        return f"{body}.{self._signature(body)}"

    def read(self, token: str, kind: str) -> Mapping[str, Any]:
        """The claims of a token of a kind ("access", "refresh", "hub"). Raises TokenError."""
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            raise TokenError("forged")
        text = body.partition(".")[2]
        claims: Mapping[str, Any] = json.loads(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
        if claims["aud"] != self.audience or claims.get("kind") != kind:
            raise TokenError("for something else")
        if claims["exp"] < self.now():
            raise TokenError("expired")
        return claims

    def _signature(self, body: str) -> str:
        return _text(hmac.new(self._key, body.encode(), hashlib.sha256).digest())


def _encoded(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
