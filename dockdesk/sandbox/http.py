"""HTTP/1.1 as the simulated APIs need it: chunked both ways, endless answers, and hijacked connections.

Web frameworks hide the socket that Docker's attach, exec and session calls take over, so this speaks HTTP itself.
Source: RFC 9110 and 9112; Engine API, "hijacking".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import select
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_log = logging.getLogger(__name__)

HEADER_LIMIT = 1 << 16
BODY_LIMIT = 64 << 20
_IDLE_SECONDS = 120.0
_HANGUP_SECONDS = 2.0
_TLS_SECONDS = 1.0


class HttpError(Exception):
    """An answer that is an error; the API in front of it gives it its own shape."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass(slots=True)
class Request:
    """One request. ``path`` is decoded and without its query; header names are in lower case.

    ``params`` are what the route's pattern caught. The body is read on demand, once.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    params: dict[str, str] = field(default_factory=dict)
    raw_target: str = ""
    _read: bool = False

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def flag(self, name: str, default: bool = False) -> bool:
        """A query parameter as docker writes booleans: 1, true, True."""
        text = self.first(name)
        return text.lower() in {"1", "true", "t", "yes"} if text else default

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces, whatever way it is framed."""
        if self._read:
            return
        self._read = True
        if "100-continue" in self.headers.get("expect", "").lower():
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self.writer.drain()
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            async for chunk in read_chunked(self.reader):
                yield chunk
            return
        left = _length(self.headers)
        while left > 0:
            chunk = await self.reader.read(min(left, 1 << 16))
            if not chunk:
                raise ConnectionResetError("the body ended early")
            left -= len(chunk)
            yield chunk

    async def body(self, limit: int = BODY_LIMIT) -> bytes:
        """The whole body; raises HttpError 413 above ``limit`` bytes."""
        parts, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                raise HttpError(413, "the request body is too large")
            parts.append(chunk)
        return b"".join(parts)

    async def json(self) -> Any:
        """The body as JSON, None where there is none; raises HttpError 400."""
        data = await self.body()
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise HttpError(400, f"invalid JSON: {error}") from None

    async def hijack(self, status: int = 101, headers: Mapping[str, str] | None = None) -> None:
        """Take the connection over: sends the head of the answer; from then on the streams are the handler's."""
        connection = self.writer.transport.get_protocol()
        if isinstance(connection, _Connection):
            connection.taken = True
        reason = "UPGRADED" if status == 101 else HTTPStatus(status).phrase
        lines = [f"HTTP/1.1 {status} {reason}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        await self.writer.drain()

    async def detach(self, headers: Mapping[str, str]) -> tuple[socket.socket, bytes]:
        """Take the connection out of this server's hands: its socket, and what came over it already.

        For protocols of other libraries, on threads of theirs. The socket is the caller's to close.
        """
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        await self.hijack(101, headers)
        while transport.get_write_buffer_size():
            await asyncio.sleep(0.001)
        transport.pause_reading()
        self.reader.feed_eof()
        received = await self.reader.read()
        own = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
        connection = transport.get_protocol()
        if isinstance(connection, _Connection):
            connection.taken = False
        transport.abort()
        return own, received


@dataclass(slots=True)
class Response:
    """An answer: all of its body, or an iterator of pieces that is sent as it yields.

    Pieces are sent chunked, unless the headers tell a Content-Length: then the iterator yields just as many bytes.
    """

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    hijacked: bool = False


HIJACKED = Response(hijacked=True)


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Response(status, text.encode(), headers=headers or {})


Handler = Callable[[Request], Awaitable[Response]]
ErrorShape = Callable[[HttpError], Response]


class Router:
    """Paths to handlers. A pattern's {name} catches one segment, {name+} one or more."""

    def __init__(self, error: ErrorShape) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._error = error

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        parts = []
        for piece in re.split(r"(\{\w+\+?\})", pattern):
            if piece.startswith("{"):
                name = piece[1:-1]
                parts.append(
                    f"(?P<{name[:-1]}>.+?)" if name.endswith("+") else f"(?P<{name}>[^/]+)"
                )
            else:
                parts.append(re.escape(piece))
        self._routes.append((method, re.compile("".join(parts)), handler))

    async def __call__(self, request: Request) -> Response:
        try:
            return await self._dispatch(request)
        except HttpError as error:
            return self._error(error)

    async def _dispatch(self, request: Request) -> Response:
        allowed = False
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match is None:
                continue
            if method != request.method and not (method == "GET" and request.method == "HEAD"):
                allowed = True
                continue
            request.params = match.groupdict()
            return await handler(request)
        raise HttpError(
            405 if allowed else 404, "method not allowed" if allowed else "page not found"
        )


class _Connection(asyncio.StreamReaderProtocol):
    """A connection that ends the task behind it when its client is gone: what waits may have nothing to say for hours.

    While an answer is streamed the end of the client's own stream counts as that, as HTTP servers take it. On a
    connection that was taken over it is only half of one, and the other half is looked for now and then. What a client
    asked for in one piece is done all the same.
    """

    def __init__(self, reader: asyncio.StreamReader, connected: Connected) -> None:
        self.streaming = self.taken = False
        self.task: asyncio.Task[None] | None = None
        self._transport: asyncio.BaseTransport | None = None
        self._look: asyncio.TimerHandle | None = None
        super().__init__(reader, lambda reader, writer: connected(reader, writer, self))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        super().connection_made(transport)

    def eof_received(self) -> bool | None:
        if self.streaming:
            self._gone()
        self._look_again()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._look is not None:
            self._look.cancel()
        self._transport = None
        self._gone()

    def stream(self) -> None:
        """From now on nothing but an answer is left of this request."""
        self.streaming = True
        if self._look is not None:
            self._gone()

    def _gone(self) -> None:
        if self.task is not None and (self.streaming or self.taken):
            self.task.cancel()

    def _look_again(self) -> None:
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(_HANGUP_SECONDS, self._on_look)

    def _on_look(self) -> None:
        raw = self._transport.get_extra_info("socket") if self._transport is not None else None
        if raw is None or raw.fileno() < 0:
            return
        poll = select.poll()
        poll.register(raw.fileno(), 0)
        if poll.poll(0):  # hung up or failed: it is told without being asked for
            self._gone()
        else:
            self._look_again()


Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter, _Connection], Awaitable[None]]


class Server:
    """Serves one handler on unix sockets and loopback ports; `close` ends every connection."""

    def __init__(self, handler: Handler, name: str) -> None:
        self._handler = handler
        self._name = name
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def _connection(self) -> _Connection:
        return _Connection(asyncio.StreamReader(limit=HEADER_LIMIT), self._on_connect)

    async def listen_unix(self, path: Path) -> None:
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_unix_server(self._connection, str(path)))
        path.chmod(0o600)

    async def listen_loopback(self, port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listen on 127.0.0.1; returns the port."""
        loop = asyncio.get_running_loop()
        patience = _TLS_SECONDS if tls is not None else None  # for clients that don't say goodbye
        server = await loop.create_server(
            self._connection, "127.0.0.1", port, ssl=tls, ssl_shutdown_timeout=patience
        )
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()

    def drop_connections(self) -> None:
        """End every open connection, as a restarting daemon does; new ones are accepted at once."""
        for task in list(self._connections):
            task.cancel()

    async def _on_connect(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: _Connection,
    ) -> None:
        task = connection.task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._serve_one(reader, writer, connection):
                pass
        except (
            ConnectionError,
            asyncio.IncompleteReadError,
            TimeoutError,
            asyncio.LimitOverrunError,
        ):
            _log.debug("%s: a client went away", self._name)
        except asyncio.CancelledError:
            _log.debug("%s: a connection was ended", self._name)
        finally:
            connection.task = None
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(
                ConnectionError, ssl.SSLError, TimeoutError, asyncio.CancelledError
            ):
                await writer.wait_closed()

    async def _serve_one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        connection: _Connection,
    ) -> bool:
        """Answer one request; whether the connection may carry another."""
        connection.streaming = False
        async with asyncio.timeout(_IDLE_SECONDS):
            head = await _read_head(reader)
        if head is None:
            return False
        try:
            request = _parse(head, reader, writer)
        except (ValueError, UnicodeDecodeError):
            writer.write(
                b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            await writer.drain()
            return False
        try:
            response = await self._handler(request)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            raise
        except Exception:  # noqa: BLE001 - one bad request must not end the world
            _log.exception("%s: %s %s failed", self._name, request.method, request.path)
            response = json_response({"message": "internal error of the sandbox"}, 500)
        if response.hijacked:
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        if not request._read and (
            _length(request.headers) or "transfer-encoding" in request.headers
        ):
            keep = False
        if not isinstance(response.body, bytes):
            connection.stream()
        await _send(writer, response, request.method == "HEAD", keep)
        return keep


async def _read_head(reader: asyncio.StreamReader) -> bytes | None:
    try:
        first = await reader.readexactly(1)
        if not first.isalpha():
            # A client that tries TLS first waits for an answer before it tries without.
            return first
        return first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None


def _parse(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    if not version.startswith("HTTP/1."):
        raise ValueError(version)
    headers: dict[str, str] = {}
    for line in lines:
        name, separator, value = line.partition(":")
        if separator:
            key = name.strip().lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    _length(headers)
    return Request(
        method, unquote(parts.path) or "/", query, headers, reader, writer, raw_target=target
    )


def _length(headers: Mapping[str, str]) -> int:
    length = int(headers.get("content-length") or 0)
    if length < 0:
        raise ValueError("negative length")
    return length


async def read_chunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """A chunked body's pieces. Raises HttpError 400 where it is malformed, ConnectionResetError where it ends early."""
    while True:
        try:
            size = int((await reader.readuntil(b"\r\n")).split(b";")[0].strip(), 16)
        except ValueError:
            raise HttpError(400, "malformed chunk") from None
        if size < 0:
            raise HttpError(400, "malformed chunk")
        if size == 0:
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass
            return
        while size:
            data = await reader.read(min(size, 1 << 16))
            if not data:
                raise ConnectionResetError("the body ended early")
            size -= len(data)
            yield data
        await reader.readexactly(2)


async def _send(
    writer: asyncio.StreamWriter, response: Response, head_only: bool, keep: bool
) -> None:
    whole = isinstance(response.body, bytes)
    headers = {
        "Content-Type": response.content_type,
        "Server": "DockDesk-Sandbox",
        **response.headers,
    }
    if response.status in {204, 304} or (whole and not response.body and response.status < 400):
        headers.pop("Content-Type", None)
    if isinstance(response.body, bytes):
        if response.status != 204:
            headers.setdefault("Content-Length", str(len(response.body)))
    elif "Content-Length" not in headers:
        headers["Transfer-Encoding"] = "chunked"
    if not keep:
        headers["Connection"] = "close"
    phrase = HTTPStatus(response.status).phrase
    lines = [
        f"HTTP/1.1 {response.status} {phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
    if isinstance(response.body, bytes):
        if not head_only:
            writer.write(response.body)
        await writer.drain()
        return
    body, framed = response.body, "Transfer-Encoding" in headers
    try:
        await writer.drain()
        if head_only:
            return
        async for chunk in body:
            if chunk:
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if framed else chunk)
                await writer.drain()
        if framed:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()
