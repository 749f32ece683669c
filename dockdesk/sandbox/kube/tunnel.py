"""Port forwarding in SPDY streams, raw or in a WebSocket: two streams a connection, its data and what went wrong with it.

Source: k8s.io/client-go tools/portforward; the kubelet's portforward.k8s.io.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from dockdesk.sandbox.http import Request
from dockdesk.sandbox.kube.forwarding import Service
from dockdesk.sandbox.kube.spdy import GOAWAY, PING, RST_STREAM, SYN_STREAM, Frame, Framing
from dockdesk.sandbox.kube.status import KubeError
from dockdesk.sandbox.kube.websocket import WebSocket

PROTOCOL = "portforward.k8s.io"
TUNNEL = f"SPDY/3.1+{PROTOCOL}"
_MOST_CONNECTIONS = 200
_PIECE = 1 << 15


class Wire(Protocol):
    """The bytes of a session, both ways."""

    def pieces(self) -> AsyncIterator[bytes]: ...

    async def write(self, data: bytes) -> None: ...


class RawWire:
    """A connection that was upgraded to SPDY."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def pieces(self) -> AsyncIterator[bytes]:
        while data := await self._request.reader.read(_PIECE):
            yield data

    async def write(self, data: bytes) -> None:
        self._request.writer.write(data)
        await self._request.writer.drain()


class SocketWire:
    """A WebSocket whose messages are pieces of SPDY."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def pieces(self) -> AsyncIterator[bytes]:
        while (data := await self._socket.receive()) is not None:
            yield data

    async def write(self, data: bytes) -> None:
        await self._socket.send_whole(data)


def wants_spdy(request: Request) -> bool:
    return request.headers.get("upgrade", "").lower() == "spdy/3.1"


async def accept(request: Request) -> RawWire:
    """Answer the upgrade. Raises KubeError 403 where the client speaks another stream protocol."""
    offered = [
        name.strip() for name in request.headers.get("x-stream-protocol-version", "").split(",")
    ]
    if PROTOCOL not in offered:
        raise KubeError(
            403,
            f"unable to upgrade: unable to negotiate protocol: client supports {offered}, server accepts [{PROTOCOL}]",
        )
    await request.hijack(
        101,
        {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": PROTOCOL},
    )
    return RawWire(request)


@dataclass(slots=True)
class _Connection:
    """One of a client's connections. Streams are 0 until they are opened."""

    port: int
    errors: int = 0
    data: int = 0
    service: Service | None = None


class Tunnel:
    """Serves the ports of one forwarding."""

    def __init__(
        self, wire: Wire, name: str, listening: set[int], make: Callable[[], Service]
    ) -> None:
        self._wire = wire
        self._name = name
        self._listening = listening
        self._make = make
        self._framing = Framing()
        self._connections: dict[str, _Connection] = {}

    async def serve(self, gone: asyncio.Event) -> None:
        """Until the client, or the pod, is gone."""
        reading = asyncio.create_task(self._read())
        ending = asyncio.create_task(gone.wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            ending.cancel()
            results = await asyncio.gather(reading, ending, return_exceptions=True)
        if isinstance(results[0], ConnectionError):
            raise results[0]

    async def _read(self) -> None:
        async for piece in self._wire.pieces():
            for frame in self._framing.feed(piece):
                if frame.kind == GOAWAY:
                    return
                await self._take(frame)

    async def _take(self, frame: Frame) -> None:
        if frame.kind == SYN_STREAM:
            await self._open(frame)
        elif frame.kind == PING:
            await self._wire.write(self._framing.pong(frame))
        elif frame.kind == RST_STREAM:
            self._drop(frame.stream)
        elif frame.kind == 0:
            await self._data(frame)

    async def _open(self, frame: Frame) -> None:
        kind, port = frame.headers.get("streamtype", ""), frame.headers.get("port", "")
        number = frame.headers.get("requestid", "")
        full = number not in self._connections and len(self._connections) >= _MOST_CONNECTIONS
        if kind not in {"data", "error"} or not port.isdigit() or full:
            await self._wire.write(self._framing.refuse(frame.stream))
            return
        await self._wire.write(self._framing.reply(frame.stream))
        known = self._connections.setdefault(number, _Connection(int(port)))
        if kind == "error":
            known.errors = frame.stream
        else:
            known.data = frame.stream
        if not known.errors or not known.data:
            return
        if known.port in self._listening:
            known.service = self._make()
            return
        text = f"error forwarding port {known.port} to pod {self._name}: failed to connect to localhost:{known.port} inside namespace: dial tcp4 127.0.0.1:{known.port}: connect: connection refused"
        await self._wire.write(self._framing.data(known.errors, text.encode()))
        await self._close(number)

    async def _data(self, frame: Frame) -> None:
        number = next(
            (key for key, one in self._connections.items() if one.data == frame.stream), None
        )
        known = self._connections[number] if number is not None else None
        if number is None or known is None or known.service is None:
            return
        answer = known.service.feed(frame.data) if frame.data else b""
        for start in range(0, len(answer), _PIECE):
            await self._wire.write(self._framing.data(known.data, answer[start : start + _PIECE]))
        if frame.ends or known.service.closed:
            await self._close(number)

    async def _close(self, number: str) -> None:
        known = self._connections.pop(number)
        for stream in (known.errors, known.data):
            await self._wire.write(self._framing.data(stream, b"", True))

    def _drop(self, stream: int) -> None:
        for number, known in list(self._connections.items()):
            if stream in (known.data, known.errors):
                del self._connections[number]
