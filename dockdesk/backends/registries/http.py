"""HTTP with one registry and what it leads to: pooled, bounded, patient, and ended at once when cancelled.

Built on urllib3. Requests that are answered in one piece are tried again where that may help; streams are not: who
moves a blob knows how to go on.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import urllib3
from urllib3 import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from dockdesk import __version__
from dockdesk.backends.registries.addresses import (
    is_private,
    netloc,
    origin,
    proxy_for,
    shown,
)
from dockdesk.backends.registries.certificates import (
    HostCertificates,
    certificate_folders,
    certificates_for,
    tls_context,
)
from dockdesk.backends.registries.failures import (
    retry_after,
    sentence,
    throttled,
    told,
    unreached,
)
from dockdesk.core.errors import NotSupportedError, RemoteError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.registries import Registry
from dockdesk.core.work import Work

SIDE_BY_SIDE = 8
ATTEMPTS = 4
PATIENCE = 60.0  # longer waits than this, in seconds, are the user's to decide
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
PIECE = 1 << 16
_HOPS = 5
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 10.0
_AGAIN = {429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
# What urllib3 and the sockets below it raise while a request is under way.
TROUBLE = (exceptions.HTTPError, http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in one piece. ``headers`` takes names in any case; ``url`` is where it came from in the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str = field(repr=False)


class _Call:
    """The socket of a request that is under way, so that another thread can cut it off."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None
        self._socket: Any = None

    def use(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def keep_socket(self) -> None:
        """The connection lets go of its socket once it knows that no other answer follows."""
        if self._connection is not None:
            self._socket = self._connection.sock

    def cut(self) -> None:
        connection = self._connection
        sock = self._socket or (connection.sock if connection is not None else None)
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not the method of TLS sockets: it takes away what another thread is just reading with.
                plain = isinstance(sock, socket.socket)
                (socket.socket.shutdown if plain else type(sock).shutdown)(sock, socket.SHUT_RDWR)


_under_way = threading.local()


class _Tells(HTTPConnection):
    """Tells the call that is under way in this thread which connection it uses."""

    call: _Call | None = None

    def _begin(self) -> None:
        self.call = getattr(_under_way, "call", None)
        if self.call is not None:
            self.call.use(self)

    def connect(self) -> None:
        self._begin()
        super().connect()

    def request(self, *arguments: Any, **named: Any) -> None:
        self._begin()
        super().request(*arguments, **named)

    def getresponse(self) -> Any:
        if self.call is not None:
            self.call.keep_socket()
            self.call = None
        return super().getresponse()


class _Secure(_Tells, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Tells


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class Stream:
    """An answer whose body is read piece by piece, inside `Http.stream`."""

    def __init__(self, response: urllib3.BaseHTTPResponse, url: str, work: Work) -> None:
        self._response = response
        self._work = work
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.url = url

    def pieces(self) -> Iterator[bytes]:
        for piece in self._response.stream(PIECE, decode_content=False):
            self._work.check()
            if piece:
                yield piece

    def read(self, limit: int) -> bytes:
        """All of the body; raise RemoteError for more than ``limit`` bytes."""
        found: list[bytes] = []
        size = 0
        for piece in self.pieces():
            size += len(piece)
            if size > limit:
                raise RemoteError(
                    "The registry's answer is too long", f"More than {limit} bytes came."
                )
            found.append(piece)
        return b"".join(found)


class Http:
    """Thread-safe. ``folders`` are certs.d folders; ``pause`` waits, and is replaced by tests."""

    def __init__(
        self,
        registry: Registry,
        folders: Sequence[Path] | None = None,
        attempts: int = ATTEMPTS,
        pause: Callable[[float, Work], None] | None = None,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        self._registry = registry
        self._folders = certificate_folders() if folders is None else tuple(folders)
        self._attempts = attempts
        self._pause = pause or wait
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=read_timeout)
        self._slots = threading.BoundedSemaphore(SIDE_BY_SIDE)
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str, int], urllib3.PoolManager] = {}
        self._not_before: dict[tuple[str, str, int], float] = {}

    def close(self) -> None:
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for manager in pools:
            # Clearing alone leaves sockets open for as long as something, say a traceback, still holds a pool.
            for key in manager.pools.keys():  # noqa: SIM118 - it is no dict, and can't be walked
                with contextlib.suppress(KeyError):
                    manager.pools[key].close()
            manager.clear()

    # --- answers in one piece ---

    def send(
        self,
        method: str,
        url: str,
        work: Work,
        *,
        title: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int = 4 << 20,
        repeat: bool = True,
    ) -> Answer:
        """The answer, whatever its status: who asked knows what it means. Raise DockDeskError where there is none.

        Statuses that ask for patience, and cut connections, are tried again unless ``repeat`` is False. A Retry-After
        is obeyed, also by the other requests to that host; one beyond PATIENCE raises RateLimitedError.
        """
        for left in reversed(range(self._attempts if repeat else 1)):
            work.check()
            self._be_patient(url, work)
            delay = self._delay(left)
            try:
                with self._slot(work), self.stream(method, url, work, headers, body) as stream:
                    content = b"" if method == "HEAD" else stream.read(limit)
                    answer = Answer(stream.status, stream.headers, content, stream.url)
            except TROUBLE as error:
                work.check()
                if not left or not _may_pass(error):
                    raise unreached(title, self._host(url), error) from None
            else:
                if answer.status not in _AGAIN or not repeat:
                    return answer
                asked = self._asked_to_wait(answer, url, title)
                if not left:
                    return answer
                delay = max(asked, delay) if asked is not None else delay
            self._pause(delay, work)
        raise AssertionError("unreachable")

    def _asked_to_wait(self, answer: Answer, url: str, title: str) -> float | None:
        """Seconds to wait that an answer asks for. Raise RateLimitedError where they are many."""
        asked = retry_after(answer.headers)
        if asked is None:
            return None
        if asked > PATIENCE:
            if answer.status != 429:
                return PATIENCE
            who = (answer.headers.get("Docker-RateLimit-Source") or "").strip()
            detail = sentence(told(answer.body)[1])
            raise throttled(title, self._host(url), answer.headers, detail, _user_in(who))
        with self._lock:
            until = time.monotonic() + asked
            self._not_before[origin(url)] = max(self._not_before.get(origin(url), 0.0), until)
        return asked

    def _be_patient(self, url: str, work: Work) -> None:
        with self._lock:
            left = self._not_before.get(origin(url), 0.0) - time.monotonic()
        if left > 0:
            self._pause(left, work)

    def _delay(self, left: int) -> float:
        """Longer each time, and never the same for two who began together."""
        done = self._attempts - 1 - left
        longest = min(_FIRST_DELAY * float(2**done), _LONGEST_DELAY)
        return longest * (0.5 + random.random() / 2)

    @contextlib.contextmanager
    def _slot(self, work: Work) -> Iterator[None]:
        while not self._slots.acquire(timeout=0.1):
            work.check()
        try:
            yield
        finally:
            self._slots.release()

    # --- streams ---

    @contextlib.contextmanager
    def stream(
        self,
        method: str,
        url: str,
        work: Work,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[bytes] | None = None,
    ) -> Iterator[Stream]:
        """A request whose answer is read inside. Raises what urllib3 raises (TROUBLE), and CancelledError.

        GET and HEAD follow redirects; a login goes no further than the server it is for.
        """
        call = _Call()
        response: urllib3.BaseHTTPResponse | None = None
        with work.on_cancel(call.cut):
            before = getattr(_under_way, "call", None)
            _under_way.call = call
            try:
                work.check()
                response, url = self._opened(method, url, dict(headers or {}), body)
                yield Stream(response, url, work)
            except TROUBLE:
                work.check()  # a wait that was cut off is no failure
                raise
            finally:
                _under_way.call = before
                if response is not None:
                    _let_go(response)

    def _opened(
        self, method: str, url: str, headers: dict[str, str], body: bytes | Iterable[bytes] | None
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        for _ in range(_HOPS):
            response = self._pool(url).urlopen(
                method,
                url,
                body=body,
                headers={"User-Agent": _AGENT, "Accept-Encoding": "identity", **headers},
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout,
            )
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or method not in {"GET", "HEAD"} or not target:
                return response, url
            _let_go(response)
            url, headers = redirected(url, target, headers)
        raise RemoteError(
            "The registry leads in circles", f"{shown(url)} redirects again and again."
        )

    def _pool(self, url: str) -> urllib3.PoolManager:
        key = origin(url)
        with self._lock:
            pool = self._pools.get(key)
        if pool is not None:
            return pool
        made = self._made_pool(url)
        with self._lock:
            return self._pools.setdefault(key, made)

    def _made_pool(self, url: str) -> urllib3.PoolManager:
        # Connections beyond these are made, and not kept; what bounds requests is `_slots`.
        options: dict[str, Any] = {"num_pools": 2, "maxsize": SIDE_BY_SIDE, "block": False}
        if origin(url)[0] == "https":
            options["ssl_context"] = self._context(netloc(url))
        proxy = proxy_for(url)
        pool: urllib3.PoolManager
        if proxy is None:
            pool = urllib3.PoolManager(**options)
        else:
            pool = self._proxied(proxy, options)
        pool.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
        return pool

    def _proxied(self, proxy: str, options: dict[str, Any]) -> urllib3.PoolManager:
        try:
            parsed = urllib3.util.parse_url(proxy)
            headers = urllib3.make_headers(proxy_basic_auth=parsed.auth) if parsed.auth else None
            return urllib3.ProxyManager(
                proxy, proxy_headers=headers, proxy_ssl_context=None, **options
            )
        except (exceptions.HTTPError, ValueError):
            # Without the cause: its text quotes the address, with its password.
            raise NotSupportedError(
                "The proxy can't be used",
                "HTTPS_PROXY or ALL_PROXY name no HTTP proxy.",
                "Set them to http://host:port.",
            ) from None

    def _context(self, host: str) -> Any:
        registry = self._registry
        own = certificates_for(host, self._folders)
        trusted = [Path(registry.ca_file)] if registry.ca_file else []
        if host != registry.host:
            # Its token service, and where its blobs are, may be signed by the same authority.
            of_registry: HostCertificates = certificates_for(registry.host, self._folders)
            trusted += of_registry.authorities
        return tls_context(host, own, trusted)

    @staticmethod
    def _host(url: str) -> str:
        return netloc(url)


_AGENT = f"DockDesk/{__version__}"


def redirected(url: str, target: str, headers: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Where a redirect leads, and what may be sent there. Raise RemoteError for a place that is not safe."""
    following = urljoin(url, target)
    try:
        safe = is_private(following) or not is_private(url)
        same = origin(following) == origin(url)
    except ValueError:
        raise RemoteError(
            "The registry leads nowhere", "It redirects to what is no web address."
        ) from None
    if not safe:
        raise RemoteError(
            "The registry leads out of TLS",
            f"{shown(url)} redirects to {shown(following)}, where others could read along.",
        )
    if not same:
        headers = {name: value for name, value in headers.items() if name != "Authorization"}
    return following, headers


def wait(seconds: float, work: Work) -> None:
    """Wait, or raise CancelledError as soon as the user asks to stop."""
    stopped = threading.Event()
    with work.on_cancel(stopped.set):
        stopped.wait(seconds)
    work.check()


def _let_go(response: urllib3.BaseHTTPResponse) -> None:
    """Give its connection back where nothing is left to read of it, else close it: the rest may be gigabytes."""
    with contextlib.suppress(*TROUBLE):
        length = getattr(response, "length_remaining", None)
        if length is not None and 0 <= length <= PIECE:
            response.drain_conn()
            response.release_conn()
        else:
            response.close()


def _may_pass(error: BaseException) -> bool:
    """Whether trying again may help: not where a certificate is unknown, or a name."""
    return not isinstance(
        error, (exceptions.SSLError, exceptions.NameResolutionError, exceptions.LocationValueError)
    )


def _user_in(source: str) -> str:
    """Docker Hub counts by address for anybody, by user else."""
    return "" if not source or source.replace(".", "").isdecimal() or ":" in source else source
