"""One sandbox process for a module's builds, whose time runs fast, and a plain way to talk to it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox
from dockdesk.wire.grpc import Client

PATIENCE = 60.0


@dataclass(frozen=True)
class Place:
    """A sandbox and its variables."""

    sandbox: Sandbox
    variables: Mapping[str, str]

    @property
    def socket(self) -> str:
        return self.variables["DOCKER_HOST"].removeprefix("unix://")

    def connect(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(self.socket)
        return sock

    def upgrade(self, path: str, **headers: str) -> tuple[socket.socket, bytes]:
        """A connection that speaks HTTP/2 from here on."""
        sock = self.connect()
        lines = [f"POST {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: h2c"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(4096)
            assert piece, data
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        sock.settimeout(None)
        return sock, rest

    def control(self) -> Client:
        sock, rest = self.upgrade("/grpc")
        return Client(sock, rest, name="test-control")

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("x", timeout=PATIENCE)
        connection.sock = self.connect()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, json.loads(data) if data.startswith((b"[", b"{")) else data


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    sandbox = Sandbox(("--speed", "60"))
    yield Place(sandbox, sandbox.variables(SilentWork()))
    sandbox.stop()


@dataclass(frozen=True)
class Docker:
    """The docker CLI, which knows nothing of DockDesk."""

    program: str
    host: str
    config: Path

    def __call__(
        self, *words: str, given: bytes = b"", fails: bool | None = False, modern: bool = True
    ) -> str:
        environment = {
            **os.environ,
            "DOCKER_HOST": self.host,
            "DOCKER_CONFIG": str(self.config),
            "DOCKER_BUILDKIT": "1" if modern else "0",
        }
        done = subprocess.run(
            [self.program, *words],
            input=given,
            capture_output=True,
            timeout=PATIENCE,
            env=environment,
        )
        told = (done.stdout + done.stderr).decode(errors="replace")
        assert fails is None or bool(done.returncode) == fails, told
        return told


def _with_buildkit() -> str:
    """A docker CLI that builds by BuildKit itself: the last of them is 20.10."""
    for folder in os.get_exec_path():
        program = shutil.which("docker", path=folder)
        if program is None:
            continue
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
        version = done.stdout.removeprefix("Docker version ").partition(".")[0]
        if version.isdigit() and 18 < int(version) < 23:
            return program
    return ""


@pytest.fixture
def docker(place: Place, tmp_path: Path) -> Docker:
    program = _with_buildkit()
    if not program:
        pytest.skip("there is no docker CLI with a BuildKit client of its own")
    config = tmp_path / "config"
    config.mkdir()
    return Docker(program, place.variables["DOCKER_HOST"], config)
