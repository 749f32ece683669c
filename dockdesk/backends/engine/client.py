"""Talks to one engine: plain requests through the docker SDK, streams over sockets of their own.

Sources: Docker Engine API v1.41 to v1.47; docker SDK for Python, APIClient.
"""

from __future__ import annotations

import json as json_module
import socket
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal
from urllib.parse import quote, urlencode

import docker
import docker.errors
import docker.tls
import msgspec
import requests
import urllib3.exceptions

from dockdesk.backends.engine.connections import Transport, transport_for
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.errors import (
    api_error,
    connection_error,
    lost_error,
    timeout_error,
)
from dockdesk.backends.engine.wire import ProtocolError, ResponseReader, chunks, request_head, shut
from dockdesk.core.errors import (
    CancelledError,
    DockDeskError,
    InvalidInputError,
    NotSupportedError,
    UnreachableError,
)
from dockdesk.core.work import SilentWork, Work

# The newest API whose answers are understood. On a newer engine fields vanish from newer versions.
HIGHEST_API = "1.47"
LOWEST_API = "1.40"
USER_AGENT = "DockDesk"
DEFAULT_TIMEOUT = 60
RECEIVE = 262_144  # bytes a read

_FAILURES = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    docker.errors.DockerException,
    OSError,
)

Method = Literal["GET", "HEAD", "POST", "PUT", "DELETE"]
Params = Mapping[str, Any]


def quoted(part: str) -> str:
    """An id, a name or an image reference as part of a path.

    Raise InvalidInputError for what would become another path, such as an empty name: DELETE /containers/ is not
    what anybody meant.
    """
    if not part or any(step in {"", ".", ".."} for step in part.split("/")):
        raise InvalidInputError(f"“{part}” is not a name", "", "Give an id or a name.")
    return quote(part, safe="/:@")


def query(params: Params | None) -> str:
    """A query string: None is left out, flags are true/false, dicts (such as filters) are JSON, lists repeat."""
    pairs: list[tuple[str, str]] = []
    for name, value in (params or {}).items():
        if value is None:
            continue
        many = value if isinstance(value, (list, tuple)) else (value,)
        for item in many:
            if isinstance(item, bool):
                text = "true" if item else "false"
            elif isinstance(item, Mapping):
                text = json_module.dumps(item, separators=(",", ":"))
            else:
                text = str(item)
            pairs.append((name, text))
    return urlencode(pairs)


def version_key(version: str) -> tuple[int, ...]:
    """An API version as numbers that compare; raise ValueError for anything else."""
    return tuple(int(part) for part in version.split("."))


def negotiate(server: str, minimum: str) -> str:
    """The version to speak: the server's own, at most the highest tested, at least what it still accepts."""
    version = min(server, HIGHEST_API, key=version_key)
    with suppress(ValueError):
        version = max(version, minimum, key=version_key)
    return version


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """What GET /version tells. ``podman`` is true for Podman's service, which speaks most of Docker's API."""

    product: str
    version: str
    api: str
    minimum_api: str
    podman: bool
    raw: Mapping[str, Any]


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
        self._sdk: docker.APIClient | None = None
        self._sdk_options = dict(transport.sdk_options)
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
            raw = _decode(answer.read(), None)
        self.server = _server_version(raw, served_by, self.endpoint)
        self.api_version = negotiate(self.server.api, self.server.minimum_api)
        if version_key(self.api_version) < version_key(LOWEST_API):
            raise NotSupportedError(
                f"The engine of “{self.endpoint.name}” is too old",
                f"It speaks API {self.api_version}; DockDesk needs {LOWEST_API}.",
                "Update the engine (Docker 19.03 or newer).",
            )
        with self._lock:
            self._sdk = None

    @property
    def podman(self) -> bool:
        return self.server.podman

    def speaks(self, version: str) -> bool:
        """Whether the agreed API version is ``version`` or newer."""
        return version_key(self.api_version) >= version_key(version)

    @property
    def sdk(self) -> docker.APIClient:
        """The SDK's client, for its helpers. Its exceptions are not translated: see `translated`."""
        with self._lock:
            if self._closed:
                raise _closed_error(self.endpoint)
            if self._sdk is None:
                options = dict(self._sdk_options)
                if (tls := options.pop("tls", None)) is not None:
                    options["tls"] = docker.tls.TLSConfig(**tls)
                    if not tls["verify"]:
                        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                self._sdk = docker.APIClient(
                    version=self.api_version,
                    timeout=DEFAULT_TIMEOUT,
                    user_agent=USER_AGENT,
                    max_pool_size=32,
                    **options,
                )
                # Proxies and CA bundles of the environment are meant for the web, not for the engine.
                self._sdk.trust_env = False
            return self._sdk

    # --- Plain requests ---

    def get(self, path: str, params: Params | None = None, **options: Any) -> Any:
        """GET; parsed JSON, or bytes where the engine answers no JSON. ``options`` as `request` takes."""
        return self.request("GET", path, params, **options)

    def post(self, path: str, params: Params | None = None, **options: Any) -> Any:
        return self.request("POST", path, params, **options)

    def put(self, path: str, params: Params | None = None, **options: Any) -> Any:
        return self.request("PUT", path, params, **options)

    def delete(self, path: str, params: Params | None = None, **options: Any) -> Any:
        return self.request("DELETE", path, params, **options)

    def head(
        self, path: str, params: Params | None = None, *, title: str = ""
    ) -> Mapping[str, str]:
        """The headers of an answer, names in lower case."""
        response = self._send("HEAD", path, params, None, None, DEFAULT_TIMEOUT, title)
        return {name.lower(): value for name, value in response.headers.items()}

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
        if work is not None:
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
                return _content(answer.read(), answer.headers.get("content-type", ""), type)
        body, sent = _body(json, data, headers)
        response = self._send(method, path, params, body, sent, timeout, title)
        return _content(response.content, response.headers.get("Content-Type", ""), type)

    def translated(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a method of `sdk` with its failures translated."""
        try:
            return function(*args, **options)
        except _FAILURES as error:
            raise self._failure(error, "") from error

    # --- Streams ---

    def stream(
        self,
        method: Method,
        path: str,
        params: Params | None = None,
        *,
        json: Any = None,
        data: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
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
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        title: str = "",
        work: Work | None = None,
        versioned: bool = True,
    ) -> Exchange:
        """As `stream`, but return before the answer: some engines hold it back until there is something to say."""
        body, sent = _body(json, data, headers)
        target = (f"/v{self.api_version}" if versioned else "") + path
        if text := query(params):
            target = f"{target}?{text}"
        exchange = Exchange(self, method, timeout, title, work or SilentWork())
        with self._lock:
            if self._closed:
                raise _closed_error(self.endpoint)
            self._open.add(exchange)
        try:
            exchange.send(self._transport, target, body, sent)
        except BaseException:
            exchange.close()
            raise
        return exchange

    def close(self) -> None:
        """End every request that runs and release sockets and tunnels. Any thread; twice is harmless."""
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

    def _send(
        self,
        method: Method,
        path: str,
        params: Params | None,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str] | None,
        timeout: float | None,
        title: str,
    ) -> requests.Response:
        self._transport.ensure(SilentWork())
        sdk = self.sdk
        url = f"{sdk.base_url}/v{self.api_version}{path}"
        if text := query(params):
            url = f"{url}?{text}"
        try:
            response: requests.Response = sdk.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=(DEFAULT_TIMEOUT, timeout),
                allow_redirects=False,
            )
        except _FAILURES as error:
            raise self._failure(error, title) from error
        if response.status_code >= 400:
            raise api_error(response.status_code, _message(response.content), title)
        return response

    def _failure(self, error: BaseException, title: str) -> DockDeskError:
        if isinstance(error, requests.exceptions.Timeout):
            return timeout_error(self.endpoint)
        if isinstance(error, docker.errors.APIError) and error.status_code is not None:
            return api_error(error.status_code, str(error.explanation or ""), title)
        return self.explained(connection_error(self.endpoint, error))

    def explained(self, error: DockDeskError) -> DockDeskError:
        """``error``, or the tunnel's own reason for it where there is one."""
        if isinstance(error, UnreachableError):
            reason = self._transport.reason()
            if reason is not None:
                return reason
        return error


class Exchange:
    """One request on a socket of its own, and its answer. Owned by one thread; only `abort` is for any thread.

    ``headers`` has lower-case names. Iterating gives the body in pieces as they arrive.
    """

    def __init__(
        self, client: EngineClient, method: str, timeout: float | None, title: str, work: Work
    ) -> None:
        self.reader = ResponseReader(bodyless=method == "HEAD")
        self._client = client
        self._method = method
        self._timeout = timeout
        self._title = title
        self._work = work
        self._sock: socket.socket | None = None
        self._pieces: list[bytes] = []
        self._aborted = False
        self._scope = ExitStack()

    @property
    def status(self) -> int:
        return self.reader.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.reader.headers

    def send(
        self,
        transport: Transport,
        target: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
    ) -> None:
        """Connect and send the request."""
        self._work.check()
        sock = self._sock = transport.open(self._work)
        self._scope.enter_context(self._work.on_cancel(self.abort))
        if self._aborted:
            raise CancelledError
        sock.settimeout(self._timeout)
        sent = {"Host": transport.host, "User-Agent": USER_AGENT, "Connection": "close", **headers}
        if isinstance(body, bytes):
            sent["Content-Length"] = str(len(body))
        elif body is not None:
            sent["Transfer-Encoding"] = "chunked"
        elif self._method in {"POST", "PUT"}:
            sent["Content-Length"] = "0"
        head = request_head(self._method, target, sent)
        if body is None or isinstance(body, bytes):
            self._transmit(head + (body or b""))
        elif self._transmit(head):
            # Written so that a failure of the source, such as a file that vanished, is not taken for the engine's.
            pieces = chunks(body)
            while (piece := next(pieces, None)) is not None and self._transmit(piece):
                pass

    def answer(self) -> None:
        """Wait for the answer's head; raise the failure that it stands for."""
        while not self.reader.head_done:
            self._receive()
        if self.reader.status >= 400:
            raise api_error(self.reader.status, _message(self.read()), self._title)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            pieces, self._pieces = self._pieces, []
            yield from pieces
            if self.reader.complete:
                if self._pieces:
                    continue
                return
            self._receive()

    def read(self) -> bytes:
        """All that is left of the body."""
        return b"".join(self)

    def json_lines(self) -> Iterator[Any]:
        """The body as JSON values, one a line, as pull, push and load answer."""
        rest = b""
        for piece in self:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.strip():
                    yield _decode(line, None)
        if rest.strip():
            yield _decode(rest, None)

    def detach(self) -> tuple[socket.socket, list[bytes]]:
        """Hand the socket over to the caller, with what of the body was received already."""
        sock = self._connected
        self._sock = None
        pieces, self._pieces = self._pieces, []
        self.close()
        if self._aborted:
            sock.close()
            raise CancelledError
        return sock, pieces

    def abort(self) -> None:
        """End it now; whoever waits for it gets CancelledError. Any thread."""
        self._aborted = True
        if (sock := self._sock) is not None:
            shut(sock)

    def close(self) -> None:
        self._scope.close()
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _transmit(self, data: bytes) -> bool:
        try:
            self._connected.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            if self._aborted:
                raise CancelledError from None
            return False  # the engine refused before it had read everything: its answer says why
        except OSError as error:
            raise self._broken(error) from error
        return True

    @property
    def _connected(self) -> socket.socket:
        if self._sock is None:
            raise CancelledError
        return self._sock

    def _receive(self) -> None:
        try:
            data = self._connected.recv(RECEIVE)
        except OSError as error:
            raise self._broken(error) from error
        if self._aborted:
            raise CancelledError
        try:
            if data:
                self._pieces += self.reader.feed(data)
            elif not self.reader.finish():
                raise self._client.explained(lost_error(self._client.endpoint))
        except ProtocolError as error:
            raise UnreachableError(
                f"“{self._client.endpoint.name}” is no container engine",
                f"It answered, but {error}.",
                "Check the address and whether it wants TLS.",
            ) from error

    def _broken(self, error: OSError) -> DockDeskError:
        if self._aborted:
            return CancelledError()
        return self._client.explained(connection_error(self._client.endpoint, error))


def _body(
    json: Any, data: bytes | Iterable[bytes] | None, headers: Mapping[str, str] | None
) -> tuple[bytes | Iterable[bytes] | None, dict[str, str]]:
    sent = dict(headers or {})
    if json is not None:
        sent["Content-Type"] = "application/json"
        return msgspec.json.encode(json), sent
    if data is not None:
        sent.setdefault("Content-Type", "application/x-tar")
    return data, sent


def _content(body: bytes, kind: str, wanted: Any) -> Any:
    if not body:
        return None
    if wanted is not None or kind.startswith("application/json"):
        return _decode(body, wanted)
    return body


def _decode(body: bytes, wanted: Any) -> Any:
    try:
        if wanted is None:
            return msgspec.json.decode(body)
        return msgspec.json.decode(body, type=wanted)
    except msgspec.ValidationError as error:
        raise NotSupportedError(
            "The engine's answer is not understood", str(error), "Is this a container engine?"
        ) from error
    except msgspec.DecodeError:
        # Broken UTF-8 and the like, which Go's encoder never writes but proxies and other engines do.
        try:
            value = json_module.loads(body.decode("utf-8", "replace"))
        except ValueError as error:
            raise NotSupportedError(
                "The engine's answer is not understood", str(error), "Is this a container engine?"
            ) from error
        return value if wanted is None else msgspec.convert(value, wanted)


def _message(body: bytes) -> str:
    """The explanation in an error's body: Docker's {"message"}, Podman's {"cause", "message"}, or text."""
    try:
        value = json_module.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")[:4096]
    if isinstance(value, dict):
        return str(value.get("message") or value.get("cause") or "")
    return str(value)


def _server_version(raw: Any, served_by: str, endpoint: Endpoint) -> ServerVersion:
    if not isinstance(raw, dict) or not isinstance(raw.get("ApiVersion"), str):
        raise UnreachableError(
            f"“{endpoint.name}” is no container engine",
            "It answered, but not as an engine does.",
            "Check the address.",
        )
    components: Sequence[Any] = raw.get("Components") or ()
    names = [str(part.get("Name", "")) for part in components if isinstance(part, dict)]
    podman = served_by.startswith("Libpod/") or any("Podman" in name for name in names)
    try:
        version_key(raw["ApiVersion"])
    except ValueError:
        raise UnreachableError(
            f"“{endpoint.name}” is no container engine",
            f"It claims API version “{raw['ApiVersion']}”.",
        ) from None
    return ServerVersion(
        "Podman" if podman else "Docker Engine",
        str(raw.get("Version", "")),
        raw["ApiVersion"],
        str(raw.get("MinAPIVersion", "")),
        podman,
        raw,
    )


def _closed_error(endpoint: Endpoint) -> UnreachableError:
    return UnreachableError(f"“{endpoint.name}” was disconnected", "", "Connect to it again.")
