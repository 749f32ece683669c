"""The two ways a registry asks who is there: tokens of its token service, as Docker Hub, and HTTP basic, as ECR.

Source: distribution, "Token Authentication Specification", "OAuth2 Token Authentication"; RFC 6750, 7617.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

from dockdesk.sandbox.http import Request, Response, json_response
from dockdesk.sandbox.registry.accounts import ANYBODY, Accounts, Login
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.tokens import (
    REFRESH_SECONDS,
    Scope,
    TokenError,
    Tokens,
    parse_scopes,
)

_LOOPBACK = re.compile(r"(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])(:\d{1,5})?")
_FORM_LIMIT = 1 << 16


class Access(Protocol):
    """Whether a request may do what it asks for."""

    def check(self, request: Request, scopes: list[Scope]) -> Login:
        """Who asks. Raises RegistryError UNAUTHORIZED with a challenge, or DENIED."""

    def allowed(self, login: Login, repository: str) -> set[str]:
        """What somebody may do with a repository."""


def basic(request: Request) -> tuple[str, str] | None:
    """User and secret of a basic Authorization header, None where there is none."""
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def base_url(request: Request, port: int) -> str:
    """The address the client used, as far as it is this computer's."""
    host = request.headers.get("host", "")
    return f"http://{host if _LOOPBACK.fullmatch(host) else f'127.0.0.1:{port}'}"


class BasicAccess:
    """Every request carries user and password. ``verify`` tells who that is, ``realm`` names the place to the user.

    ``allowed`` says what a login may do with a repository.
    """

    def __init__(
        self,
        realm: str,
        verify: Callable[[str, str], Login | None],
        allowed: Callable[[Login, str], set[str]],
    ) -> None:
        self._realm = realm
        self._verify = verify
        self._allowed = allowed

    def allowed(self, login: Login, repository: str) -> set[str]:
        return self._allowed(login, repository)

    def check(self, request: Request, scopes: list[Scope]) -> Login:
        given = basic(request)
        login = self._verify(*given) if given is not None else None
        if login is None:
            challenge = {"Www-Authenticate": f'Basic realm="{self._realm}"'}
            raise RegistryError("UNAUTHORIZED", headers=challenge)
        for scope in scopes:
            if scope.kind == "repository" and not scope.actions <= self._allowed(login, scope.name):
                raise RegistryError("DENIED")
        return login


class TokenAccess:
    """Requests carry a token from `token`, the token service. ``port`` is where that is reached."""

    def __init__(self, accounts: Accounts, tokens: Tokens) -> None:
        self.accounts = accounts
        self.tokens = tokens
        self.port = 0

    def allowed(self, login: Login, repository: str) -> set[str]:
        return self.accounts.allowed(login, repository)

    def check(self, request: Request, scopes: list[Scope]) -> Login:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise self._challenge(request, scopes, "")
        try:
            claims = self.tokens.read(value.strip(), "access")
        except TokenError:
            raise self._challenge(request, scopes, "invalid_token") from None
        granted = {
            (item["type"], item["name"]): set(item["actions"]) for item in claims.get("access", ())
        }
        for scope in scopes:
            if not scope.actions <= granted.get((scope.kind, scope.name), set()):
                raise self._challenge(request, scopes, "insufficient_scope")
        return Login(str(claims["sub"]), bool(claims.get("writes")))

    def _challenge(self, request: Request, scopes: list[Scope], error: str) -> RegistryError:
        parts = [
            f'Bearer realm="{base_url(request, self.port)}/token"',
            f'service="{self.tokens.audience}"',
        ]
        if scopes:
            parts.append(f'scope="{" ".join(map(str, scopes))}"')
        if error:
            parts.append(f'error="{error}"')
        detail = [
            {"Type": scope.kind, "Class": "", "Name": scope.name, "Action": action}
            for scope in scopes
            for action in sorted(scope.actions)
        ]
        headers = {"Www-Authenticate": ",".join(parts)}
        return RegistryError("UNAUTHORIZED", detail or None, headers=headers)

    async def token(self, request: Request) -> Response:
        """GET /token: by basic authorization, or for anybody."""
        given = basic(request)
        login = ANYBODY if given is None else self.accounts.login(*given)
        if login is None:
            return json_response({"details": "incorrect username or password"}, 401)
        offline = request.first("offline_token").lower() in {"1", "true"}
        return self._grant(login, parse_scopes(request.query.get("scope", ())), offline)

    async def oauth(self, request: Request) -> Response:
        """POST /token: OAuth 2, with a password or a refresh token in a form."""
        form = parse_qs((await request.body(_FORM_LIMIT)).decode("utf-8", "replace"))
        first = {name: values[0] for name, values in form.items()}
        login: Login | None
        match first.get("grant_type"):
            case "password":
                login = self.accounts.login(first.get("username", ""), first.get("password", ""))
            case "refresh_token":
                login = self._refreshed(first.get("refresh_token", ""))
            case _:
                return json_response({"error": "unsupported_grant_type"}, 400)
        if login is None:
            return json_response({"details": "incorrect username or password"}, 401)
        offline = first.get("access_type") == "offline"
        return self._grant(login, parse_scopes(form.get("scope", ())), offline)

    def _refreshed(self, token: str) -> Login | None:
        try:
            claims = self.tokens.read(token, "refresh")
        except TokenError:
            return None
        return Login(str(claims["sub"]), bool(claims.get("writes")))

    def _grant(self, login: Login, scopes: list[Scope], offline: bool) -> Response:
        access = []
        for scope in scopes:
            actions = self._granted(login, scope)
            if actions:
                access.append({"type": scope.kind, "name": scope.name, "actions": sorted(actions)})
        claims = {"kind": "access", "access": access, "writes": login.writes}
        token = self.tokens.issue(login.name, self.tokens.seconds, claims)
        answer: dict[str, Any] = {
            "token": token,
            "access_token": token,
            "expires_in": self.tokens.seconds,
            "issued_at": datetime.fromtimestamp(self.tokens.now(), UTC).isoformat(),
        }
        if offline and login.name:
            answer["refresh_token"] = self.tokens.issue(
                login.name, REFRESH_SECONDS, {"kind": "refresh", "writes": login.writes}
            )
        return json_response(answer, headers={"Cache-Control": "no-store"})

    def _granted(self, login: Login, scope: Scope) -> set[str]:
        if scope.kind == "registry":
            return {"*"} if scope.name == "catalog" else set()
        if scope.kind != "repository":
            return set()
        allowed = self.accounts.allowed(login, scope.name)
        return allowed if "*" in scope.actions else allowed & scope.actions
