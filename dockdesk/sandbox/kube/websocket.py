"""WebSockets as exec needs them: the handshake, frames, and Kubernetes' channels in them.

Sources: RFC 6455; Kubernetes' v4.channel.k8s.io and v5.channel.k8s.io subprotocols (KEP-4006): the first byte of a message
is its channel, and in v5 channel 255 says which stream has ended.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

from dockdesk.sandbox.http import Request
from dockdesk.sandbox.kube.status import KubeError

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MOST = 4 << 20
_TEXT, _BINARY, _CLOSED, _PING, _PONG = 1, 2, 8, 9, 10


class WebSocketError(ConnectionError):
    """The client broke the protocol."""


def wants_websocket(request: Request) -> bool:
    upgrade = request.headers.get("upgrade", "").lower()
    return "websocket" in upgrade and "upgrade" in request.headers.get("connection", "").lower()


def offered_protocols(request: Request) -> list[str]:
    """The subprotocols that a client speaks, the best first."""
    header = request.headers.get("sec-websocket-protocol", "")
    return [part.strip() for part in header.split(",")]


async def accept(request: Request, known: Sequence[str] = PROTOCOLS) -> WebSocket:
    """Answer the handshake. Raises KubeError 400 where it is none, or speaks no subprotocol that is known here."""
    key = request.headers.get("sec-websocket-key", "")
    if not wants_websocket(request) or not key:
        raise KubeError(
            400,
            "Upgrade request required: the sandbox speaks WebSocket, v5.channel.k8s.io or v4.channel.k8s.io",
        )
    offered = offered_protocols(request)
    chosen = next((name for name in known if name in offered), "")
    if not chosen:
        raise KubeError(
            400,
            f"unable to upgrade: none of the offered subprotocols is known: {', '.join(offered)[:200]}",
        )
    proof = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest())
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": proof.decode(),
        "Sec-WebSocket-Protocol": chosen,
    }
    await request.hijack(101, headers)
    return WebSocket(request, chosen)


class WebSocket:
    """The server's end."""

    def __init__(self, request: Request, protocol: str) -> None:
        self._reader = request.reader
        self._writer = request.writer
        self.protocol = protocol
        self._closed = False

    async def receive(self) -> bytes | None:
        """The next message, None at the end. Raises WebSocketError."""
        message = b""
        while True:
            try:
                final, opcode, data = await self._frame()
            except asyncio.IncompleteReadError:
                return None
            if opcode == _CLOSED:
                await self.close()
                return None
            if opcode == _PING:
                await self._write(_PONG, data)
            elif opcode != _PONG:
                message += data
                if len(message) > _MOST:
                    raise WebSocketError("a message is too large")
                if final:
                    return message

    async def _frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        if first & 0x70 or not second & 128:
            raise WebSocketError("a malformed frame")
        length = second & 127
        if length == 126:
            (length,) = struct.unpack(">H", await self._reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", await self._reader.readexactly(8))
        if length > _MOST:
            raise WebSocketError("a frame is too large")
        mask = await self._reader.readexactly(4)
        data = await self._reader.readexactly(length)
        whole = int.from_bytes(data, "big") ^ int.from_bytes(
            (mask * (length // 4 + 1))[:length], "big"
        )
        return bool(first & 128), first & 15, whole.to_bytes(length, "big")

    async def _write(self, opcode: int, data: bytes) -> None:
        size = len(data)
        head = bytes([128 | opcode])
        if size < 126:
            head += bytes([size])
        elif size < 1 << 16:
            head += struct.pack(">BH", 126, size)
        else:
            head += struct.pack(">BQ", 127, size)
        self._writer.write(head + data)
        await self._writer.drain()

    async def send(self, channel: int, data: bytes) -> None:
        if not self._closed:
            await self._write(_BINARY, bytes([channel]) + data)

    async def send_whole(self, data: bytes) -> None:
        """A message without a channel."""
        if not self._closed:
            await self._write(_BINARY, data)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self._write(_CLOSED, struct.pack(">H", 1000))


class ExecPipe:
    """The streams of an exec as a terminal's pipe. ``resized`` is told columns and rows."""

    def __init__(self, socket: WebSocket, resized: Callable[[int, int], None]) -> None:
        self._socket = socket
        self._resized = resized
        self.ended = False

    async def read(self) -> bytes:
        while True:
            message = await self._socket.receive()
            if message is None:
                return b""
            channel, data = (message[0], message[1:]) if message else (STDIN, b"")
            if channel == STDIN and data and not self.ended:
                return data
            if channel == RESIZE:
                self._resize(data)
            elif channel == CLOSE and data == bytes([STDIN]) and not self.ended:
                self.ended = True
                return b"\x04"

    def _resize(self, data: bytes) -> None:
        try:
            size = json.loads(data)
            columns, rows = int(size["Width"]), int(size["Height"])
        except (ValueError, KeyError, TypeError):
            return
        if 0 < columns < 10_000 and 0 < rows < 10_000:
            self._resized(columns, rows)

    async def write(self, data: bytes) -> None:
        await self._socket.send(STDOUT, data)

    async def finish(self, code: int, trouble: str = "") -> None:
        """Tell how it ended, and end."""
        await self._socket.send(ERROR, json.dumps(ending(code, trouble)).encode())
        await self._socket.close()


def ending(code: int, trouble: str = "") -> dict[str, Any]:
    """The Status on the error channel."""
    if trouble:
        return {
            "metadata": {},
            "status": "Failure",
            "message": trouble,
            "reason": "InternalError",
            "code": 500,
        }
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
