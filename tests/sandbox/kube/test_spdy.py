"""SPDY's frames, by themselves, and port forwarding in them."""

from __future__ import annotations

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.kube.forwarding import Redis
from dockdesk.sandbox.kube.spdy import DICTIONARY, SYN_REPLY, Framing
from dockdesk.sandbox.kube.tunnel import Tunnel
from dockdesk.sandbox.kube.websocket import WebSocketError


class Client:
    """The client's half, as far as it is needed."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(zdict=DICTIONARY)

    def open(self, stream: int, **headers: str) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode()
            block += struct.pack(">I", len(value)) + value.encode()
        packed = self._packer.compress(block) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">IIH", stream, 0, 0) + packed
        return struct.pack(">HHI", 0x8003, 1, len(body)) + body

    @staticmethod
    def data(stream: int, data: bytes, ends: bool = False) -> bytes:
        return Framing.data(stream, data, ends)


def test_the_dictionary_is_the_one_everybody_has() -> None:
    assert zlib.adler32(DICTIONARY) == 0xE3C6A7C2


@given(st.integers(1, 40))
def test_frames_may_come_in_any_pieces(size: int) -> None:
    client, framing = Client(), Framing()
    sent = client.open(1, streamtype="data", port="80") + client.data(1, b"hello", True)
    frames = [
        frame
        for start in range(0, len(sent), size)
        for frame in framing.feed(sent[start : start + size])
    ]
    assert [frame.kind for frame in frames] == [1, 0]
    assert frames[0].headers == {"streamtype": "data", "port": "80"}
    assert (frames[1].data, frames[1].ends) == (b"hello", True)


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">HHI", 0x8002, 1, 12) + bytes(12),
        struct.pack(">HHI", 0x8003, 1, 12) + bytes(12),
        struct.pack(">HHI", 0x8003, 6, 0),
        struct.pack(">II", 1, 0xFFFFFF),
    ],
)
def test_what_is_malformed_is_refused(data: bytes) -> None:
    with pytest.raises(WebSocketError):
        list(Framing().feed(data))


@dataclass
class _Wire:
    sent: list[bytes]
    got: bytes = b""

    async def pieces(self) -> AsyncIterator[bytes]:
        for piece in self.sent:
            yield piece

    async def write(self, data: bytes) -> None:
        self.got += data


def _served(*sent: bytes) -> list[tuple[int, int, bytes, bool]]:
    """Kind, stream, data and end of what a tunnel answers to."""
    wire = _Wire(list(sent))

    async def main() -> None:
        tunnel = Tunnel(wire, "redis-0", {6379}, Redis)
        await asyncio.wait_for(tunnel.serve(asyncio.Event()), 20)

    asyncio.run(main())
    found: list[tuple[int, int, bytes, bool]] = []
    at = 0
    while at < len(wire.got):
        first, second = struct.unpack_from(">II", wire.got, at)
        body = wire.got[at + 8 : at + 8 + (second & 0xFFFFFF)]
        control = first >> 31
        stream = struct.unpack(">I", body[:4])[0] if control else first
        found.append((first & 0xFFFF if control else 0, stream, body, bool(second >> 24 & 1)))
        at += 8 + len(body)
    return found


def _opened(client: Client, port: str) -> list[bytes]:
    headers: dict[str, Any] = {"port": port, "requestid": "0"}
    return [
        client.open(1, streamtype="error", **headers),
        client.open(3, streamtype="data", **headers),
    ]


def test_a_connection_has_two_streams() -> None:
    client = Client()
    answers = _served(
        *_opened(client, "6379"), client.data(3, b"PING\r\n"), client.data(3, b"", True)
    )
    assert [(kind, stream) for kind, stream, _, _ in answers[:2]] == [
        (SYN_REPLY, 1),
        (SYN_REPLY, 3),
    ]
    assert answers[2:] == [(0, 3, b"+PONG\r\n", False), (0, 1, b"", True), (0, 3, b"", True)]


def test_a_port_that_nobody_listens_on_is_told_of() -> None:
    answers = _served(*_opened(Client(), "1"))
    assert b"connection refused" in answers[2][2]
    assert [(stream, ends) for _, stream, _, ends in answers[2:]] == [
        (1, False),
        (1, True),
        (3, True),
    ]


def test_odd_streams_are_refused_and_pings_answered() -> None:
    client = Client()
    ping = struct.pack(">HHII", 0x8003, 6, 4, 7)
    answers = _served(client.open(1, streamtype="video"), ping, client.data(9, b"to nobody"))
    assert [kind for kind, *_ in answers] == [3, 6]
