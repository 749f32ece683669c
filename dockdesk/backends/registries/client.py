"""The distribution API of one registry, request by request; `distribution.py` makes of them what ports promise.

Source: OCI distribution specification 1.1; distribution 2.8, "HTTP API V2".
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from urllib3 import exceptions

from dockdesk.backends.registries.addresses import is_loopback, netloc, origin
from dockdesk.backends.registries.auth import Authorizer, merged_scopes, scope_for
from dockdesk.backends.registries.convert import ACCEPT, parsed
from dockdesk.backends.registries.failures import (
    limit_of,
    login_needed,
    refused,
    sentence,
    told,
    unreached,
)
from dockdesk.backends.registries.http import TROUBLE, Answer, Http, Stream
from dockdesk.core.errors import DockDeskError, PermissionDeniedError, RemoteError
from dockdesk.core.registry_ports import FindsCredentials
from dockdesk.core.resources.registries import DOCKER_HUB, RateLimit, Registry
from dockdesk.core.work import Work

PULL = ("pull",)
PUSH = ("pull", "push")
DELETE = ("delete",)
LIBRARY = "library"
CATALOG_SCOPE = "registry:catalog:*"
_LIST_LIMIT = 16 << 20
_ERROR_LIMIT = 1 << 16


class DistributionClient:
    """Thread-safe. ``http`` and ``auth`` are shared with whoever else talks to the same registry."""

    def __init__(
        self, registry: Registry, credentials: FindsCredentials, http: Http | None = None
    ) -> None:
        self.registry = registry
        self.http = http or Http(registry)
        self.auth = Authorizer(registry, credentials, self.http)
        self.limit: RateLimit | None = None  # as the last answer told it
        self._lock = threading.Lock()
        self._base = registry.endpoint.rstrip("/")
        if not self._base and not is_loopback(registry.host):
            self._base = f"{'http' if registry.plain_http else 'https'}://{registry.host}"

    @property
    def host(self) -> str:
        return self.registry.host

    def base(self, work: Work, title: str) -> str:
        """The registry's address. On the loopback TLS is tried first, and plain HTTP where nobody speaks TLS."""
        with self._lock:
            if self._base:
                return self._base
        secure = f"https://{self.host}"
        found = secure
        if self.registry.plain_http:
            found = f"http://{self.host}"
        else:
            try:
                with self.http.stream("GET", f"{secure}/v2/", work):
                    pass
            except exceptions.NewConnectionError as error:
                raise unreached(title, self.host, error) from None
            except TROUBLE as error:
                if not _no_tls(error):
                    raise unreached(title, self.host, error) from None
                found = f"http://{self.host}"
        with self._lock:
            self._base = self._base or found
        return found

    # --- requests ---

    def send(
        self,
        method: str,
        path: str,
        work: Work,
        *,
        title: str,
        repository: str = "",
        actions: tuple[str, ...] = PULL,
        source: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = _LIST_LIMIT,
        accept: tuple[int, ...] = (),
        repeat: bool = True,
    ) -> Answer:
        """The answer to a request on a repository, with the login it needs. ``path`` may be a URL of this registry.

        Statuses of 400 or more raise, but for those in ``accept``. ``source`` is a repository to mount a blob from.
        """
        url = urljoin(self.base(work, title) + "/", path)
        scopes = self.scopes(repository, actions, source)

        def once(authorization: str) -> Answer:
            given = dict(headers or {})
            if authorization and self._is_here(url):
                given["Authorization"] = authorization
            return self.http.send(
                method,
                url,
                work,
                title=title,
                headers=given,
                body=body,
                limit=limit,
                repeat=repeat,
            )

        answer = self._with_login(once, scopes, work, title, repository)
        self._note_limit(answer.headers)
        if answer.status >= 400 and answer.status not in accept:
            raise self.refusal(answer, title, repository)
        return answer

    def _with_login(
        self,
        once: Callable[[str], Answer],
        scopes: tuple[str, ...],
        work: Work,
        title: str,
        repository: str,
    ) -> Answer:
        """Ask, and once more with a login where that is wanted; never a third time."""
        sent = self.auth.header(scopes, repository)
        answer = once(sent)
        header = self._header_for_more(answer, scopes, sent, work, title, repository)
        if not header:
            return answer
        answer = once(header)
        if answer.status == 401:
            raise self._still_refused(answer, title, repository)
        return answer

    def _header_for_more(
        self,
        answer: Answer,
        scopes: tuple[str, ...],
        sent: str,
        work: Work,
        title: str,
        repository: str,
    ) -> str:
        """What to send with one more try, empty where none is of use. Raise LoginNeededError."""
        if not self._is_here(answer.url):
            return ""
        if answer.status == 401:
            return self.auth.answer(answer, scopes, sent, work, title, repository)
        return self.auth.renewed(sent, repository) if answer.status == 403 else ""

    def _still_refused(self, answer: Answer, title: str, repository: str) -> DockDeskError:
        who = self.auth.who(repository)
        detail = sentence(told(answer.body)[1])
        if who and "insufficient_scope" in (answer.headers.get("WWW-Authenticate") or ""):
            return PermissionDeniedError(
                title,
                f"{who} may not do this at {self.host}. {detail}".strip(),
                "Ask the owner for access, use a token that allows it, or log in as somebody else.",
            )
        return login_needed(title, self.host, detail, who)

    def refusal(self, answer: Answer, title: str, repository: str = "") -> DockDeskError:
        who = self.auth.who(repository)
        return refused(title, netloc(answer.url), answer.status, answer.headers, answer.body, who)

    @contextlib.contextmanager
    def stream(
        self,
        method: str,
        url: str,
        work: Work,
        *,
        title: str,
        repository: str,
        actions: tuple[str, ...] = PULL,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], bytes | Iterable[bytes]] | None = None,
    ) -> Iterator[Stream]:
        """As `send`, but the answer is read piece by piece, and urllib3's errors come through: see `Http.stream`.

        ``body`` is called for each try.
        """
        url = urljoin(self.base(work, title) + "/", url)
        scopes = self.scopes(repository, actions)
        sent = self.auth.header(scopes, repository)
        for again in (True, False):
            given = dict(headers or {})
            if sent and self._is_here(url):
                given["Authorization"] = sent
            content = body() if body is not None else None
            with self.http.stream(method, url, work, given, content) as stream:
                self._note_limit(stream.headers)
                if stream.status < 400:
                    yield stream
                    return
                answer = Answer(
                    stream.status, stream.headers, stream.read(_ERROR_LIMIT), stream.url
                )
            more = ""
            if again:
                more = self._header_for_more(answer, scopes, sent, work, title, repository)
            elif answer.status == 401 and self._is_here(answer.url):
                raise self._still_refused(answer, title, repository)
            if not more:
                raise self.refusal(answer, title, repository)
            sent = more

    def scopes(
        self, repository: str, actions: tuple[str, ...], source: str = ""
    ) -> tuple[str, ...]:
        if not repository:
            return (CATALOG_SCOPE,) if actions == ("*",) else ()
        wanted = [scope_for(self.full_name(repository), *actions)]
        if source:
            wanted.append(scope_for(self.full_name(source), "pull"))
        return merged_scopes(wanted)

    def _is_here(self, url: str) -> bool:
        """Whether a URL is the registry's own: uploads may lead elsewhere, and logins must not follow."""
        with self._lock:
            base = self._base
        return bool(base) and origin(url) == origin(base)

    def _note_limit(self, headers: Mapping[str, str]) -> None:
        limit, left = limit_of(headers, "RateLimit-Limit"), limit_of(headers, "RateLimit-Remaining")
        if limit is not None and left is not None:
            source = (headers.get("Docker-RateLimit-Source") or "")[:100]
            self.limit = RateLimit(limit[0], left[0], limit[1], source)

    # --- lists ---

    def page(
        self,
        path: str,
        key: str,
        query: Mapping[str, str],
        work: Work,
        *,
        title: str,
        repository: str = "",
        actions: tuple[str, ...] = PULL,
    ) -> tuple[list[str], str]:
        """Names of a page, and ``last`` of the next page's query, empty at the end."""
        words = "&".join(
            f"{name}={quote(value, safe='')}" for name, value in query.items() if value
        )
        answer = self.send(
            "GET",
            f"{path}?{words}" if words else path,
            work,
            title=title,
            repository=repository,
            actions=actions,
        )
        value = parsed(answer.body)
        listed = value.get(key)
        if listed is None and key in value:  # a repository whose tags are all gone
            listed = []
        if not isinstance(listed, list):
            raise RemoteError(
                title, f"{self.host} answered with something that is no list.", "Try again later."
            )
        names = [item for item in listed if isinstance(item, str) and item]
        return names, _next(answer.headers, names, query.get("last", ""))

    def path(self, repository: str, rest: str) -> str:
        return f"/v2/{quote(self.full_name(repository))}/{rest}"

    def full_name(self, repository: str) -> str:
        """Docker Hub keeps its official images, which are named without a namespace, in one called library."""
        short = self.registry.kind == DOCKER_HUB and repository and "/" not in repository
        return f"{LIBRARY}/{repository}" if short else repository

    def manifest_path(self, repository: str, reference: str) -> str:
        return self.path(repository, f"manifests/{quote(reference, safe=':')}")

    def blob_path(self, repository: str, digest: str) -> str:
        return self.path(repository, f"blobs/{quote(digest, safe=':')}")

    def get_manifest(self, repository: str, reference: str, work: Work, title: str) -> Answer:
        return self.send(
            "GET",
            self.manifest_path(repository, reference),
            work,
            title=title,
            repository=repository,
            headers={"Accept": ACCEPT},
            limit=4 << 20,
        )

    def head_manifest(
        self, repository: str, reference: str, work: Work, title: str, absent: bool = False
    ) -> Answer | None:
        """What is told of a manifest without sending it; None where it is absent and that is no failure."""
        answer = self.send(
            "HEAD",
            self.manifest_path(repository, reference),
            work,
            title=title,
            repository=repository,
            headers={"Accept": ACCEPT},
            accept=(404,) if absent else (),
        )
        return None if answer.status == 404 else answer


def _next(headers: Mapping[str, str], names: list[str], last: str) -> str:
    """Where the next page begins, as a Link header tells it. Source: RFC 8288."""
    link = headers.get("Link") or ""
    begin, end = link.find("<"), link.find(">")
    if begin < 0 or end < begin or "next" not in link[end:]:
        return ""
    query: dict[str, Any] = dict(parse_qsl(urlsplit(link[begin + 1 : end]).query))
    following = str(query.get("last") or "") or (names[-1] if names else "")
    # A page that leads to itself would be read for ever.
    return "" if following == last or not names else following


def _no_tls(error: Exception) -> bool:
    """Whether the other end speaks something else: it cut the connection, or its answer is no TLS."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return False
        seen = seen.__cause__ or seen.__context__
    if isinstance(error, exceptions.ConnectTimeoutError):
        return False
    return isinstance(error, exceptions.SSLError | exceptions.ProtocolError | OSError)
