from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dockdesk.core.errors import LocalError
from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.control import Control
from dockdesk.sandbox.world.scenarios import (
    CALM,
    SCENARIOS,
    Conditions,
    Director,
    UnknownScenarioError,
    scenario,
)


class _Actor:
    def __init__(self) -> None:
        self.played: list[Conditions] = []

    def play(self, conditions: Conditions) -> None:
        self.played.append(conditions)


def test_every_scenario_but_calm_changes_something() -> None:
    assert CALM.conditions == Conditions()
    assert all(item.conditions != Conditions() for item in SCENARIOS[1:])
    assert len({item.id for item in SCENARIOS}) == len(SCENARIOS) == 10


def test_the_director_tells_every_actor() -> None:
    actors = (_Actor(), _Actor())
    director = Director(actors)
    director.play("spike")
    director.play("calm")
    assert director.current is CALM
    assert all(actor.played == [scenario("spike").conditions, Conditions()] for actor in actors)
    with pytest.raises(UnknownScenarioError, match="spike"):
        director.play("flood")
    assert all(len(actor.played) == 2 for actor in actors)


def _ask(path: Path, request: bytes) -> tuple[int, Any]:
    async def ask() -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(request)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    answer = asyncio.run(ask())
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body)


def _request(method: str, path: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def test_the_control_api(tmp_path: Path) -> None:
    clock, director = Clock(1.0), Director((_Actor(),))
    loop = asyncio.new_event_loop()
    control = Control(clock, director)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    path = tmp_path / "c.sock"
    try:
        asyncio.run_coroutine_threadsafe(control.server.listen_unix(path), loop).result(15)
        assert path.stat().st_mode & 0o077 == 0
        status, answer = _ask(path, _request("GET", "/status"))
        assert (status, answer["scenario"], answer["speed"]) == (200, "calm", 1.0)
        assert {item["id"] for item in answer["scenarios"]} == {item.id for item in SCENARIOS}
        assert (
            _ask(path, _request("POST", "/scenario", b'{"name": "spike"}'))[1]["scenario"]
            == "spike"
        )
        assert _ask(path, _request("POST", "/speed", b'{"value": 1000}'))[1]["speed"] == 60
        assert director.current.id == "spike"
        for method, place, body in (
            ("POST", "/scenario", b'{"name": "flood"}'),
            ("POST", "/scenario", b'{"name": 1}'),
            ("POST", "/scenario", b"{"),
            ("POST", "/scenario", b"[]"),
            ("POST", "/speed", b'{"value": "fast"}'),
            ("POST", "/speed", b'{"value": NaN}'),
            ("POST", "/speed", b'{"value": true}'),
        ):
            status, answer = _ask(path, _request(method, place, body))
            assert status == 400, (place, body)
            assert answer["message"]
        assert _ask(path, _request("GET", "/nothing"))[0] == 404
        assert _ask(path, _request("GET", "/scenario"))[0] == 405
    finally:
        asyncio.run_coroutine_threadsafe(control.server.close(), loop).result(15)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(15)
        loop.close()


def test_a_running_sandbox_is_directed_through_the_launcher() -> None:
    sandbox = Sandbox(["--scenario", "spike", "--speed", "20"])
    with pytest.raises(LocalError):
        sandbox.status()
    try:
        variables = sandbox.variables(SilentWork())
        assert variables["DOCKER_HOST"] == sandbox.start(SilentWork())
        assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
        status = sandbox.status()
        assert (status.scenario, status.speed) == ("spike", 20)
        assert sandbox.set_speed(2).speed == 2
        assert sandbox.play("calm").scenario == "calm"
        with pytest.raises(LocalError, match="unknown scenario"):
            sandbox.play("flood")
    finally:
        sandbox.stop()
    with pytest.raises(LocalError):
        sandbox.play("calm")


def test_the_engine_restarts_and_comes_back() -> None:
    sandbox = Sandbox()
    try:
        path = Path(urlsplit(sandbox.start(SilentWork())).path)
        listing = _request("GET", "/v1.43/containers/json?all=1")
        names = {item["Names"][0] for item in _ask(path, listing)[1]}
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as events:
            events.settimeout(30)
            events.connect(str(path))
            events.sendall(b"GET /v1.43/events HTTP/1.1\r\nHost: docker\r\n\r\n")
            assert events.recv(1 << 16).startswith(b"HTTP/1.1 200")
            sandbox.play("engine-restart")
            while events.recv(1 << 16):
                pass
        end = time.monotonic() + 30
        while True:
            try:
                assert {item["Names"][0] for item in _ask(path, listing)[1]} == names
                break
            except (OSError, IndexError):
                assert time.monotonic() < end
                time.sleep(0.1)
    finally:
        sandbox.stop()
