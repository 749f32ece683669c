"""Docker Hub's own HTTP API, request by request: what the distribution API does not know of a repository.

Source: docs.docker.com/reference/api/hub/latest.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from dockdesk.backends.registries.addresses import is_private, netloc
from dockdesk.backends.registries.convert import mapping, parsed, whole
from dockdesk.backends.registries.failures import login_needed, refused, sentence, told
from dockdesk.backends.registries.http import Answer, Http
from dockdesk.core.errors import PermissionDeniedError, RemoteError
from dockdesk.core.registry_ports import FindsCredentials
from dockdesk.core.resources.registries import Credential, Registry
from dockdesk.core.work import Work

LARGEST_PAGE = 100
_SHORTEST = 60.0
_EARLY = 20.0
_LIMIT = 16 << 20


class HubClient:
    """Logs in with the user's password or access token and keeps the API's own token until it ends. Thread-safe."""

    def __init__(
        self,
        registry: Registry,
        credentials: FindsCredentials,
        http: Http,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry = registry
        self._credentials = credentials
        self._http = http
        self._clock = clock
        self._base = (registry.api or "https://hub.docker.com").rstrip("/")
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self._token = ""
        self._until = 0.0
        self._user = ""

    def forget(self) -> None:
        with self._lock:
            self._token, self._until, self._user = "", 0.0, ""

    def user(self) -> str:
        """The user's name, empty for nobody. A token that only the registry understands is nobody here."""
        credential = self._login()
        return credential.username if credential is not None else ""

    def _login(self) -> Credential | None:
        found, _ = self._credentials.credential(self._registry)
        return found if found is not None and found.secret and found.username else None

    # --- requests ---

    def send(
        self,
        method: str,
        path: str,
        work: Work,
        *,
        title: str,
        body: Mapping[str, Any] | None = None,
        known: bool = False,
    ) -> Answer:
        """An answer, with the user's token where there is a login. ``known``: a login is needed."""
        token = self._current(work, title)
        if known and not token:
            raise login_needed(title, self._registry.host, "", "")
        answer = self._once(method, path, work, title, body, token)
        if answer.status == 401 and token:
            self._drop(token)
            answer = self._once(method, path, work, title, body, self._current(work, title))
        if answer.status >= 400:
            raise refused(
                title, netloc(self._base), answer.status, answer.headers, answer.body, self.user()
            )
        return answer

    def get(self, path: str, work: Work, *, title: str, known: bool = False) -> Mapping[str, Any]:
        return self.object(self.send("GET", path, work, title=title, known=known), title)

    def page(
        self, path: str, query: Mapping[str, str], work: Work, *, title: str, known: bool = False
    ) -> tuple[list[Mapping[str, Any]], str, int]:
        """Entries of a page; the number of the next one, empty at the end; and how many there are in all.

        The address of the next page that the answer gives is not followed, only counted.
        """
        words = urlencode({name: value for name, value in query.items() if value})
        value = self.get(f"{path}?{words}" if words else path, work, title=title, known=known)
        listed = value.get("results")
        if not isinstance(listed, list):
            raise RemoteError(title, f"{netloc(self._base)} answered with no list.")
        number = query.get("page") or "1"
        following = str(int(number) + 1) if value.get("next") and listed else ""
        return [mapping(item) for item in listed], following, whole(value.get("count"))

    def object(self, answer: Answer, title: str) -> Mapping[str, Any]:
        value = parsed(answer.body)
        if not value:
            raise RemoteError(title, f"{netloc(self._base)} answered with something unknown.")
        return value

    def _once(
        self,
        method: str,
        path: str,
        work: Work,
        title: str,
        body: Mapping[str, Any] | None,
        token: str,
    ) -> Answer:
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return self._http.send(
            method, self._base + path, work, title=title, headers=headers, body=data, limit=_LIMIT
        )

    # --- the token ---

    def _current(self, work: Work, title: str) -> str:
        credential = self._login()
        if credential is None:
            return ""
        while not self._fetching.acquire(timeout=0.1):
            work.check()
        try:
            with self._lock:
                if self._user == credential.username and self._until - _EARLY > self._clock():
                    return self._token
            token = self._fetch(credential, work, title)
            with self._lock:
                self._token, self._user = token, credential.username
                self._until = _expiry(token) or self._clock() + _SHORTEST
            return token
        finally:
            self._fetching.release()

    def _drop(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._token, self._until = "", 0.0

    def _fetch(self, credential: Credential, work: Work, title: str) -> str:
        if not is_private(self._base):
            raise PermissionDeniedError(
                title, "The password would go out unencrypted.", "Use an address with https://."
            )
        body = {"identifier": credential.username, "secret": credential.secret}
        answer = self._once("POST", "/v2/auth/token", work, title, body, "")
        if answer.status == 404:
            body = {"username": credential.username, "password": credential.secret}
            answer = self._once("POST", "/v2/users/login", work, title, body, "")
        if answer.status in {400, 401, 403}:
            detail = sentence(told(answer.body)[1])
            raise login_needed(title, self._registry.host, detail, credential.username)
        if answer.status >= 400:
            raise refused(
                title, netloc(self._base), answer.status, answer.headers, answer.body, "you"
            )
        value = parsed(answer.body)
        token = value.get("access_token") or value.get("token")
        if not isinstance(token, str) or not token or not token.isprintable():
            raise RemoteError(title, f"{netloc(self._base)} gave no token.", "Try again later.")
        return token


def repository_path(name: str) -> str:
    """A repository's place in the API: official images belong to the namespace library."""
    namespace, slash, rest = name.partition("/")
    if not slash:
        namespace, rest = "library", name
    return f"/v2/namespaces/{quote(namespace, safe='')}/repositories/{quote(rest, safe='')}"


def _expiry(token: str) -> float:
    """When a token says it ends (RFC 7519), 0.0 where it does not say."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        value = parsed(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error):
        return 0.0
    expires = value.get("exp")
    return float(expires) if isinstance(expires, int | float) else 0.0
