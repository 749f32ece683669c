"""Talks to one engine: what changes something through the docker SDK, the rest over sockets of its own.

Sources: Docker Engine API v1.41 to v1.47; docker SDK for Python, APIClient.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from dockdesk.backends.engine.answers import content, decode
from dockdesk.backends.engine.connections import Transport, transport_for
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.errors import disconnected_error
from dockdesk.backends.engine.exchange import Exchange
from dockdesk.backends.engine.paths import Method, Params, query
from dockdesk.backends.engine.paths import quoted as quoted
from dockdesk.backends.engine.server import (
    HIGHEST_API,
    LOWEST_API,
    ServerVersion,
    negotiate,
    server_version,
    version_key,
)
from dockdesk.core.errors import (
    DockDeskError,
    InvalidInputError,
    NotSupportedError,
    UnreachableError,
)
from dockdesk.core.work import SilentWork, Work

if TYPE_CHECKING:
    from dockdesk.backends.engine.sdk import SdkSession

DEFAULT_TIMEOUT = 60


class EngineClient:
    """One engine. Thread-safe; every failure is a DockDeskError.

    ``title`` in every call says what could not be done, such as “Could not start web”, should it fail.
    """

    def __init__(self, endpoint: Endpoint, transport: Transport) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[Exchange] = weakref.WeakSet()
        self._closed = False
        self._sdk: SdkSession | None = None
        self.server = ServerVersion("", "", HIGHEST_API, "", False, {})
        self.api_version = HIGHEST_API

    @classmethod
    def connect(cls, endpoint: Endpoint, work: Work | None = None) -> EngineClient:
        """Reach the engine and agree on a version; can be cancelled. Raise DockDeskError."""
        if endpoint.problem:
            raise InvalidInputError(f"“{endpoint.name}” can't be used", endpoint.problem)
        client = cls(endpoint, transport_for(endpoint))
        try:
            client.greet(work or SilentWork())
        except BaseException:
            client.close()
            raise
        return client

    def greet(self, work: Work) -> None:
        """Ask for the engine's version and settle the API version. Again after it was restarted: it may be another."""
        with self.stream("GET", "/version", versioned=False, work=work, timeout=20.0) as answer:
            served_by = answer.headers.get("server", "")
            raw = decode(answer.read(), None)
        self.server = server_version(raw, served_by, self.endpoint)
        version = negotiate(self.server.api, self.server.minimum_api)
        if version_key(version) < version_key(LOWEST_API):
            raise NotSupportedError(
                f"The engine of “{self.endpoint.name}” is too old",
                f"It speaks API {version}; DockDesk needs {LOWEST_API}.",
                "Update the engine (Docker 19.03 or newer).",
            )
        with self._lock:
            outdated = self._sdk if version != self.api_version else None
            if outdated is not None:
                self._sdk = None
            self.api_version = version
        if outdated is not None:
            outdated.close()

    def within_reach(self) -> Endpoint:
        """Where another process of this computer reaches the engine: through the same tunnel, where there is one."""
        return self._transport.within_reach()

    @property
    def podman(self) -> bool:
        return self.server.podman

    def speaks(self, version: str) -> bool:
        """Whether the agreed API version is ``version`` or newer."""
        return version_key(self.api_version) >= version_key(version)

    # --- Plain requests ---

    def get(self, path: str, params: Params | None = None, **options: Any) -> Any:
        """GET; parsed JSON, or bytes where the engine answers no JSON. ``options`` as `request` takes."""
        return self.request("GET", path, params, **options)

    def post(self, path: str, params: Params | None = None, **options: Any) -> Any:
        return self.request("POST", path, params, **options)

    def delete(self, path: str, params: Params | None = None, **options: Any) -> Any:
        return self.request("DELETE", path, params, **options)

    def head(
        self, path: str, params: Params | None = None, *, title: str = ""
    ) -> Mapping[str, str]:
        """The headers of an answer, names in lower case."""
        headers, _ = self._ask("HEAD", path, params, None, None, None, DEFAULT_TIMEOUT, title, None)
        return headers

    def request(
        self,
        method: Method,
        path: str,
        params: Params | None = None,
        *,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        title: str = "",
        type: Any = None,
        work: Work | None = None,
    ) -> Any:
        """One request and its whole answer: JSON (as ``type``, which msgspec converts to), bytes, or None if empty.

        ``timeout`` is how long the engine may be silent, in seconds. With ``work`` the request can be cancelled at any
        moment.
        """
        answered, body = self._ask(method, path, params, json, data, headers, timeout, title, work)
        return content(body, answered.get("content-type", ""), type)

    # --- Streams ---

    def stream(
        self,
        method: Method,
        path: str,
        params: Params | None = None,
        *,
        json: Any = None,
        data: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str | tuple[str, ...]] | None = None,
        timeout: float | None = None,
        title: str = "",
        work: Work | None = None,
        versioned: bool = True,
    ) -> Exchange:
        """Send a request on a socket of its own; return once its answer begins. Use it as a context manager.

        ``data`` may be an iterable: it is sent in chunks while it is read. ``timeout`` is how long the engine may be
        silent, None for ever. Cancelling ``work`` ends it at once, with CancelledError.
        """
        exchange = self.send(
            method,
            path,
            params,
            json=json,
            data=data,
            headers=headers,
            timeout=timeout,
            title=title,
            work=work,
            versioned=versioned,
        )
        try:
            exchange.answer()
        except BaseException:
            exchange.close()
            raise
        return exchange

    def hijack(
        self,
        path: str,
        params: Params | None = None,
        *,
        json: Any = None,
        title: str = "",
        work: Work | None = None,
    ) -> Exchange:
        """POST and take the connection over: raw bytes both ways, as exec and attach do.

        Hand it on with `Exchange.detach`.
        """
        exchange = self.stream(
            "POST",
            path,
            params,
            json=json,
            headers={"Connection": "Upgrade", "Upgrade": "tcp"},
            timeout=DEFAULT_TIMEOUT,
            title=title,
            work=work,
        )
        if not exchange.reader.upgraded:
            exchange.close()
            raise NotSupportedError(
                title or "This engine can't do that", "It did not open a two-way connection."
            )
        return exchange

    def send(
        self,
        method: Method,
        path: str,
        params: Params | None = None,
        *,
        json: Any = None,
        data: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str | tuple[str, ...]] | None = None,
        timeout: float | None = None,
        title: str = "",
        work: Work | None = None,
        versioned: bool = True,
    ) -> Exchange:
        """As `stream`, but return before the answer: some engines hold it back until there is something to say."""
        body, sent = _body(json, data, headers)
        target = self._target(path, params, versioned)
        exchange = Exchange(
            self.endpoint, self.explained, method, timeout, title, work or SilentWork()
        )
        with self._lock:
            if self._closed:
                raise disconnected_error(self.endpoint)
            self._open.add(exchange)
        try:
            exchange.send(self._transport, target, body, sent)
        except BaseException:
            exchange.close()
            raise
        return exchange

    def close(self) -> None:
        """End every stream that runs and release sockets and tunnels. Any thread; twice is harmless."""
        with self._lock:
            self._closed = True
            sdk, self._sdk = self._sdk, None
            running = list(self._open)
        for exchange in running:
            exchange.abort()
        if sdk is not None:
            sdk.close()
        self._transport.close()

    # --- Within ---

    def _ask(
        self,
        method: Method,
        path: str,
        params: Params | None,
        json: Any,
        data: bytes | None,
        headers: Mapping[str, str] | None,
        timeout: float | None,
        title: str,
        work: Work | None,
    ) -> tuple[Mapping[str, str], bytes]:
        """Headers, names in lower case, and body of an answer.

        A question to an engine on this computer needs no kept connection, and so no SDK, which takes longer to import
        than a list takes to come. With ``work`` the socket has to be its own, to be shut by whoever cancels.
        """
        if work is not None or (method in {"GET", "HEAD"} and self._transport.local):
            with self.stream(
                method,
                path,
                params,
                json=json,
                data=data,
                headers=headers,
                timeout=timeout,
                title=title,
                work=work,
            ) as answer:
                return answer.headers, answer.read()
        body, sent = _body(json, data, headers)
        return self._session().send(method, self._target(path, params), body, sent, timeout, title)

    def _session(self) -> SdkSession:
        from dockdesk.backends.engine.sdk import SdkSession

        with self._lock:
            if self._closed:
                raise disconnected_error(self.endpoint)
            if self._sdk is None:
                self._sdk = SdkSession(
                    self.endpoint,
                    self._transport,
                    self.api_version,
                    self.explained,
                    DEFAULT_TIMEOUT,
                )
            return self._sdk

    def _target(self, path: str, params: Params | None, versioned: bool = True) -> str:
        target = (f"/v{self.api_version}" if versioned else "") + path
        return f"{target}?{text}" if (text := query(params)) else target

    def explained(self, error: DockDeskError) -> DockDeskError:
        """``error``, or the tunnel's own reason for it where there is one."""
        if isinstance(error, UnreachableError):
            reason = self._transport.reason()
            if reason is not None:
                return reason
        return error


def _body(
    json: Any, data: bytes | Iterable[bytes] | None, headers: Mapping[str, Any] | None
) -> tuple[bytes | Iterable[bytes] | None, dict[str, Any]]:
    sent = dict(headers or {})
    if json is not None:
        sent["Content-Type"] = "application/json"
        return msgspec.json.encode(json), sent
    if data is not None:
        sent.setdefault("Content-Type", "application/x-tar")
    return data, sent
