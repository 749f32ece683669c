"""Logins at a registry: challenges, tokens of token services, and where a password may go.

Sources: distribution, "Token Authentication Specification", "OAuth2 Token Authentication", "Token Scope Documentation";
RFC 9110 (challenges), RFC 6750 (bearer), RFC 7617 (basic).
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any
from urllib.parse import urlencode, urlsplit

from dockdesk.backends.registries.addresses import is_private, netloc, origin, shown
from dockdesk.backends.registries.failures import login_needed, refused, sentence, told
from dockdesk.backends.registries.http import Answer, Http
from dockdesk.core.errors import DockDeskError, LoginNeededError, RemoteError
from dockdesk.core.records import dataclass
from dockdesk.core.registry_ports import FindsCredentials
from dockdesk.core.resources.registries import Credential, Registry
from dockdesk.core.work import Work

CLIENT = "dockdesk"
_PARAMETER = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]{1,64})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)\s*,?')
_SCHEME = re.compile(r"\s*([!#$%&'*+.^_`|~\w-]{1,64})(?:\s+|$)")
_SHORTEST = 60.0  # what a token holds that does not say how long
_EARLY = 15.0  # a token is renewed so long before it ends: a request takes a while to arrive
_TOKEN_LIMIT = 1 << 20
_LOGIN_HOLDS = 60.0
_LOGINS = 500


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a server wants to be asked: ``scheme`` in lower case, ``parameters`` with names in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    until: float = 0.0  # on the monotonic clock


def challenges(header: str) -> list[Challenge]:
    """The challenges of a WWW-Authenticate header, several in one too. What makes no sense is left out."""
    found: list[tuple[str, dict[str, str]]] = []
    at = 0
    header = header[:8192]
    while at < len(header):
        parameter = _PARAMETER.match(header, at)
        if parameter is not None and found:
            value = parameter[2]
            if value.startswith('"'):
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            found[-1][1].setdefault(parameter[1].lower(), value)
            at = parameter.end()
            continue
        scheme = _SCHEME.match(header, at)
        if scheme is None:
            at += 1
            continue
        found.append((scheme[1].lower(), {}))
        at = scheme.end()
    return [Challenge(name, parameters) for name, parameters in found]


def merged_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes with the actions of each resource in one, sorted: what a token is kept under."""
    actions: dict[str, set[str]] = {}
    for scope in (part for text in scopes for part in text.split()):
        resource, colon, wanted = scope.rpartition(":")
        if colon and resource:
            actions.setdefault(resource, set()).update(item for item in wanted.split(",") if item)
    return tuple(f"{name}:{','.join(sorted(items))}" for name, items in sorted(actions.items()))


def scope_for(repository: str, *actions: str) -> str:
    return f"repository:{repository}:{','.join(actions)}"


class Authorizer:
    """Gives requests their Authorization header, and answers challenges: once a request, so that no refusal repeats.

    Tokens are kept by what they are for until they end. A password leaves only for the registry itself or for a token
    service that a challenge named which nobody on the way could have forged (TLS, or this computer). Thread-safe.
    """

    def __init__(
        self,
        registry: Registry,
        credentials: FindsCredentials,
        http: Http,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._fetching: dict[tuple[str, ...], threading.Lock] = {}
        self._tokens: dict[tuple[str, ...], _Token] = {}
        self._refreshed: dict[str, str] = {}  # identity tokens that were replaced by the service
        self._logins: dict[str, tuple[float, tuple[Credential | None, str]]] = {}
        self._basic = False

    def forget(self) -> None:
        """Drop all tokens: the login changed."""
        with self._lock:
            self._tokens.clear()
            self._refreshed.clear()
            self._logins.clear()
            self._basic = False

    def login(self, repository: str = "", anew: bool = False) -> tuple[Credential | None, str]:
        """Who asks, and what is wrong where nobody is found.

        Asking the credential stores may start a program each time, so the answer holds for a while, unless ``anew``.
        """
        now = self._clock()
        with self._lock:
            until, known = self._logins.get(repository, (0.0, (None, "")))
        if not anew and now < until:
            return known
        found = self._credentials.credential(self._registry, repository)
        with self._lock:
            if len(self._logins) >= _LOGINS:
                self._logins.clear()
            self._logins[repository] = (now + _LOGIN_HOLDS, found)
        return found

    def who(self, repository: str = "") -> str:
        """The user's name, in words where there is only a token; empty for nobody."""
        credential, _ = self.login(repository)
        return _name(credential)

    def header(self, scopes: tuple[str, ...], repository: str = "") -> str:
        """What is known to be needed; empty where nothing is known yet."""
        with self._lock:
            kept = self._tokens.get(scopes)
            basic = self._basic
        if kept is not None and kept.until - _EARLY > self._clock():
            return f"Bearer {kept.value}"
        if basic:
            credential, _ = self.login(repository)
            return basic_header(credential) if credential is not None else ""
        return ""

    def answer(
        self,
        answer: Answer,
        scopes: tuple[str, ...],
        sent: str,
        work: Work,
        title: str,
        repository: str = "",
    ) -> str:
        """The header for one more try after a 401. Raise LoginNeededError where there is no use in one.

        ``sent`` is the header that was refused: a token that others have renewed meanwhile is taken as it is.
        """
        offered = challenges(answer.headers.get("WWW-Authenticate") or "")
        bearer = next((item for item in offered if item.scheme == "bearer"), None)
        if bearer is not None:
            return self._bearer(bearer, answer, scopes, sent, work, title, repository)
        if any(item.scheme == "basic" for item in offered):
            return self._plain(answer, sent, title, repository)
        raise self._refusal(title, answer, repository)

    def renewed(self, sent: str, repository: str) -> str:
        """The header for one more try after a 403, where the login has been renewed since; empty where it has not.

        ECR answers so when the twelve hours of its passwords are over.
        """
        if not sent.startswith("Basic "):
            return ""
        self._credentials.refused(self._registry)
        credential, _ = self.login(repository, anew=True)
        header = basic_header(credential) if credential is not None and credential.secret else ""
        return header if header != sent else ""

    # --- basic ---

    def _plain(self, answer: Answer, sent: str, title: str, repository: str) -> str:
        if sent:
            self._credentials.refused(self._registry)
        credential, problem = self.login(repository, anew=True)
        if credential is None or not credential.secret:
            raise self._refusal(title, answer, repository, problem)
        header = basic_header(credential)
        if header == sent or not self._may_have_password(answer.url):
            raise self._refusal(title, answer, repository, problem)
        with self._lock:
            self._basic = True
        return header

    def _may_have_password(self, url: str) -> bool:
        """The registry itself, where the connection is private or plain HTTP was chosen."""
        return is_private(url) or (self._registry.plain_http and self._is_registry(url))

    def _is_registry(self, url: str) -> bool:
        return netloc(url) == self._registry.host

    # --- bearer ---

    def _bearer(
        self,
        challenge: Challenge,
        answer: Answer,
        scopes: tuple[str, ...],
        sent: str,
        work: Work,
        title: str,
        repository: str,
    ) -> str:
        with self._lock:
            fetching = self._fetching.setdefault(scopes, threading.Lock())
        while not fetching.acquire(timeout=0.1):
            work.check()
        try:
            current = self.header(scopes, repository)
            if current and current != sent and current.startswith("Bearer "):
                return current
            with self._lock:
                self._tokens.pop(scopes, None)
            asked = merged_scopes([*scopes, challenge.parameters.get("scope", "")])
            token = self._fetch(challenge, answer, asked, work, title, repository)
            if f"Bearer {token.value}" == sent:
                raise self._refusal(title, answer, repository)
            with self._lock:
                self._tokens[scopes] = token
            return f"Bearer {token.value}"
        finally:
            fetching.release()

    def _fetch(
        self,
        challenge: Challenge,
        answer: Answer,
        scopes: tuple[str, ...],
        work: Work,
        title: str,
        repository: str,
    ) -> _Token:
        credential, problem = self.login(repository, anew=True)
        if credential is not None and credential.registry_token:
            return _Token(credential.registry_token, self._clock() + _SHORTEST)
        realm = self._realm(challenge, answer, title)
        service = challenge.parameters.get("service", "")
        safe = self._safe_for_login(realm, answer.url)
        if credential is not None and not safe:
            raise RemoteError(
                title,
                f"{shown(realm)} asks for the login, but the way there can be read or forged.",
                "Nothing was sent. Use the registry over TLS.",
            )
        if credential is not None and credential.identity_token:
            reply = self._refresh(realm, service, scopes, credential, work, title)
        else:
            reply = self._ask(realm, service, scopes, credential, work, title)
        if reply.status >= 400:
            raise self._token_refused(reply, title, credential, problem)
        return self._read(reply, credential, title)

    def _realm(self, challenge: Challenge, answer: Answer, title: str) -> str:
        realm = challenge.parameters.get("realm", "")
        try:
            origin(realm)
        except ValueError:
            host = netloc(answer.url)
            raise RemoteError(
                title, f"{host} wants a token, but does not say from where.", "Try again later."
            ) from None
        return realm

    def _safe_for_login(self, realm: str, challenged: str) -> bool:
        if is_private(challenged) and is_private(realm):
            return True
        # Plain HTTP was chosen for this very server; that says nothing of others.
        return self._registry.plain_http and self._is_registry(realm)

    def _ask(
        self,
        realm: str,
        service: str,
        scopes: tuple[str, ...],
        credential: Credential | None,
        work: Work,
        title: str,
    ) -> Answer:
        query = [("service", service)] if service else []
        query += [("scope", scope) for scope in scopes]
        headers = {}
        if credential is not None and credential.secret:
            query.append(("account", credential.username))
            headers["Authorization"] = basic_header(credential)
        joint = "&" if urlsplit(realm).query else "?"
        url = f"{realm}{joint}{urlencode(query)}" if query else realm
        return self._http.send("GET", url, work, title=title, headers=headers, limit=_TOKEN_LIMIT)

    def _refresh(
        self,
        realm: str,
        service: str,
        scopes: tuple[str, ...],
        credential: Credential,
        work: Work,
        title: str,
    ) -> Answer:
        with self._lock:
            token = self._refreshed.get(credential.identity_token, credential.identity_token)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "service": service,
            "client_id": CLIENT,
            "access_type": "offline",
        }
        if scopes:
            form["scope"] = " ".join(scopes)
        return self._http.send(
            "POST",
            realm,
            work,
            title=title,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urlencode(form).encode(),
            limit=_TOKEN_LIMIT,
        )

    def _read(self, reply: Answer, credential: Credential | None, title: str) -> _Token:
        value = _object(reply.body)
        token = value.get("token") or value.get("access_token")
        if not isinstance(token, str) or not token or not token.isprintable():
            raise RemoteError(title, f"{netloc(reply.url)} gave no token.", "Try again later.")
        replaced = value.get("refresh_token")
        if credential is not None and credential.identity_token and isinstance(replaced, str):
            with self._lock:
                self._refreshed[credential.identity_token] = replaced or credential.identity_token
        seconds = value.get("expires_in")
        lasts = float(seconds) if isinstance(seconds, int | float) else _SHORTEST
        # Some services tell less than the specification allows; a longer wish than a day is an error of theirs.
        return _Token(token, self._clock() + min(max(lasts, _SHORTEST), 86_400.0))

    # --- refusals ---

    def _token_refused(
        self, reply: Answer, title: str, credential: Credential | None, problem: str
    ) -> DockDeskError:
        host = self._registry.host
        if reply.status in {400, 401, 403} and credential is not None:
            detail = sentence(told(reply.body)[1])
            return login_needed(title, host, detail, _name(credential))
        if reply.status in {401, 403}:
            return login_needed(title, host, problem, "")
        return refused(
            title, netloc(reply.url), reply.status, reply.headers, reply.body, _name(credential)
        )

    def _refusal(
        self, title: str, answer: Answer, repository: str, problem: str = ""
    ) -> LoginNeededError:
        detail = sentence(told(answer.body)[1])
        who = self.who(repository)
        return login_needed(title, self._registry.host, problem or detail, who)


def basic_header(credential: Credential) -> str:
    pair = f"{credential.username}:{credential.secret}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _name(credential: Credential | None) -> str:
    if credential is None:
        return ""
    return credential.username or "this token"


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        # Without the cause: its text quotes the answer, which may hold a token.
        return {}
    return value if isinstance(value, dict) else {}
