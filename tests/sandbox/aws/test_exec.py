"""ECS Exec, spoken as the Session Manager's plugin speaks it."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.aws.ecs import ssm
from tests.sandbox.aws.conftest import World


class _Client:
    """A WebSocket client with no more than this needs."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline() not in {b"\r\n", b""}:
            pass
        self.sequence = 0

    def frame(self, opcode: int, data: bytes) -> None:
        mask = os.urandom(4)
        size = len(data)
        head = (
            bytes([128 | opcode, 128 | size])
            if size < 126
            else struct.pack(">BBH", 128 | opcode, 254, size)
        )
        self.socket.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def send(self, payload: bytes, kind: int) -> None:
        self.frame(
            2,
            ssm.Message(ssm.INPUT, self.sequence, payload, kind, int(time.time() * 1000)).encode(),
        )
        self.sequence += 1

    def receive(self) -> ssm.Message | None:
        first, size = self.file.read(2) or b"\x88\x00"
        if size == 126:
            (size,) = struct.unpack(">H", self.file.read(2))
        data = self.file.read(size)
        return None if first & 15 == 8 else ssm.decode(data)

    def begin(self, token: str) -> None:
        self.frame(1, json.dumps({"MessageSchemaVersion": "1.0", "TokenValue": token}).encode())
        message = self.receive()
        assert message is not None
        assert message.payload_type == ssm.HANDSHAKE_REQUEST
        assert "RequestedClientActions" in ssm.fields(message.payload)
        self.send(
            json.dumps({"ClientVersion": "1.2", "ProcessedClientActions": []}).encode(),
            ssm.HANDSHAKE_RESPONSE,
        )

    def until(self, text: str) -> str:
        """Output up to and with a text."""
        seen = ""
        while text not in seen:
            message = self.receive()
            assert message is not None, seen
            if message.kind == ssm.OUTPUT and message.payload_type == ssm.DATA:
                seen += message.payload.decode()
        return seen

    def close(self) -> None:
        self.file.close()
        self.socket.close()


def _open(ecs: Any, command: str = "/bin/sh") -> Any:
    (task, *_) = ecs.list_tasks(cluster="shop-prod", serviceName="api")["taskArns"]
    return ecs.execute_command(cluster="shop-prod", task=task, command=command, interactive=True)[
        "session"
    ]


def test_a_shell_in_a_task(world: World, ecs: Any) -> None:
    session = _open(ecs)
    client = _Client(session["streamUrl"])
    try:
        assert client.status == 101
        client.begin(session["tokenValue"])
        client.until("# ")
        client.send(b'{"cols": 132, "rows": 40}', ssm.SIZE)
        client.send(b"echo $LOG_LEVEL-$((1)); ps\r", ssm.DATA)
        assert "info-" in client.until("PID")
        client.send(b"exit\r", ssm.DATA)
        kinds = []
        while (message := client.receive()) is not None:
            kinds.append(message.kind)
        assert kinds[-1] == ssm.CLOSED
    finally:
        client.close()
    again = _Client(session["streamUrl"])
    assert again.status == 404
    again.close()


def test_one_command(ecs: Any) -> None:
    session = _open(ecs, "env")
    client = _Client(session["streamUrl"])
    client.begin(session["tokenValue"])
    assert "AWS_REGION=eu-central-1" in client.until("ECS_CONTAINER_METADATA_URI_V4")
    client.close()


def test_a_wrong_token_opens_nothing(ecs: Any) -> None:
    session = _open(ecs)
    client = _Client(session["streamUrl"])
    client.frame(1, b'{"TokenValue": "guess"}')
    assert client.receive() is None
    client.close()
    for data in (b"not JSON", b"[]"):
        client = _Client(session["streamUrl"])
        client.frame(1, data)
        assert client.receive() is None
        client.close()


def test_bad_commands_are_refused(ecs: Any) -> None:
    for command in ("'open", " "):
        with pytest.raises(ClientError):
            _open(ecs, command)


@given(st.binary(max_size=2000), st.integers(0, 2**40), st.integers(0, 20))
def test_messages_come_back_as_they_went(payload: bytes, sequence: int, kind: int) -> None:
    message = ssm.Message(ssm.OUTPUT, sequence, payload, kind, 5)
    assert ssm.decode(message.encode()) == message


@given(st.binary(max_size=200))
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ssm.MessageError):
        ssm.decode(data)
