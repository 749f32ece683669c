"""Port forwarding, and what answers behind a simulated port: a small web server, or a redis that knows PING.

Two channels a port: data, and errors; each begins with the port's number. Source: the kubelet's WebSocket port forwarding
(v4.channel.k8s.io), as the official Python client speaks it. `tunnel` has the SPDY that kubectl speaks.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dockdesk.sandbox.engine.filesystem import FileSystem
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.kube.containers import PodContainer
from dockdesk.sandbox.kube.websocket import WebSocket

_ROOT = "/usr/share/nginx/html"
_MOST = 1 << 20


@dataclass(slots=True)
class Web:
    """An HTTP/1.1 server over bytes: a page of the container's files, or what the service says of itself."""

    container: PodContainer
    _taken: bytes = b""
    closed: bool = False

    def feed(self, data: bytes) -> bytes:
        """The answers to all requests that are whole by now."""
        self._taken += data
        answers = b""
        while not self.closed and b"\r\n\r\n" in self._taken:
            head, _, rest = self._taken.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > _MOST or len(first.split(" ")) != 3:
                self.closed = True
                return answers + _response(400, "text/plain", b"bad request\n", True)
            if len(rest) < int(length):
                break
            self._taken = rest[int(length) :]
            answers += self._answer(first, headers)
        if len(self._taken) > _MOST:
            self.closed = True
        return answers

    def _answer(self, first: str, headers: Mapping[str, str]) -> bytes:
        method, target, _ = first.split(" ")
        path = target.partition("?")[0]
        self.closed = headers.get("connection", "").lower() == "close"
        files = self.container.files
        if files.get(_ROOT) is not None:
            status, kind, body = _file(files, path)
        elif path in {"/healthz", "/readyz", "/livez"}:
            status, kind, body = 200, "text/plain", b"ok\n"
        else:
            said = {
                "service": self.container.host["container"],
                "host": self.container.config["Hostname"],
                "path": path,
            }
            status, kind, body = (
                200,
                "application/json",
                json.dumps({**said, "simulated": True}).encode() + b"\n",
            )
        return _response(status, kind, b"" if method == "HEAD" else body, self.closed, len(body))


def _file(files: FileSystem, path: str) -> tuple[int, str, bytes]:
    try:
        _, node = files.find(_ROOT + (path if path != "/" else "/index.html"))
    except HttpError:
        return 404, "text/html", b"<h1>404 Not Found</h1>\n"
    return (
        (404, "text/html", b"<h1>404 Not Found</h1>\n")
        if node.is_folder
        else (200, "text/html", node.data)
    )


def _response(status: int, kind: str, body: bytes, closes: bool, size: int | None = None) -> bytes:
    reason = {200: "OK", 400: "Bad Request", 404: "Not Found"}[status]
    head = f"HTTP/1.1 {status} {reason}\r\nServer: dockdesk-sandbox\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {len(body) if size is None else size}\r\n" + (
        "Connection: close\r\n" if closes else ""
    )
    return head.encode() + b"\r\n" + body


@dataclass(slots=True)
class Redis:
    """As much of redis as `redis-cli ping` needs."""

    closed: bool = False
    _taken: bytes = field(default=b"")

    def feed(self, data: bytes) -> bytes:
        self._taken += data
        if not self._taken.endswith(b"\n"):
            return b""
        asked, self._taken = self._taken.upper(), b""
        return (
            b"+PONG\r\n" if b"PING" in asked else b"-ERR the sandbox simulates nothing but PING\r\n"
        )


@dataclass(slots=True)
class Mute:
    """Takes a connection, and hangs up on the first word: a protocol that is not simulated."""

    closed: bool = False

    def feed(self, _data: bytes) -> bytes:
        self.closed = True
        return b""


Service = Web | Redis | Mute


def service_of(container: PodContainer) -> Service:
    style = container.program.logs
    return Redis() if style == "redis" else Mute() if style == "postgres" else Web(container)


async def forward(
    socket: WebSocket,
    ports: list[int],
    listening: set[int],
    make: Callable[[], Service],
    gone: asyncio.Event,
) -> None:
    """Serve the ports of one forwarding until the client, or the pod, is gone."""
    services: dict[int, Service] = {}
    for number, port in enumerate(ports):
        for channel in (2 * number, 2 * number + 1):
            await socket.send(channel, struct.pack("<H", port))
        if port in listening:
            services[2 * number] = make()
        else:
            text = f"failed to forward port {port}: dial tcp4 127.0.0.1:{port}: connect: connection refused"
            await socket.send(2 * number + 1, text.encode())
    ending = asyncio.create_task(gone.wait())
    try:
        while services:
            reading = asyncio.create_task(socket.receive())
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
                break
            message = reading.result()
            if message is None:
                return
            service = services.get(message[0]) if message else None
            if service is None:
                continue
            if answer := service.feed(message[1:]):
                await socket.send(message[0], answer)
            if service.closed:
                del services[message[0]]
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
    await socket.close()
