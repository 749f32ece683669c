"""A simulated AWS whose time the test moves, and clients of it that judge every answer by its shape."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from dockdesk.sandbox.aws.server import SimulatedAws
from dockdesk.sandbox.aws.values import ACCESS_KEY, REGION, SECRET_KEY
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.scenarios import scenario
from tests.sandbox.aws import shapes

MONDAY_NOON = 1_767_614_400.0  # 2026-01-05 12:00 UTC
_session = boto3.Session(
    aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
)


class World:
    """A server in a thread of its own. Its clock stands still until `live` or `until` moves it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.clock = Clock(1.0, lambda: self.time, start=MONDAY_NOON)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="simulated aws")
        self.thread.start()
        self.aws, self.port = self.run(self._serve())
        self.clients: list[Any] = []

    def run(self, job: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(job, self.loop).result(60)

    async def _serve(self) -> tuple[SimulatedAws, int]:
        aws = SimulatedAws(self.clock, 1)
        return aws, await aws.server.listen_loopback()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **more: Any) -> Any:
        settings = Config(
            retries={"total_max_attempts": 1}, inject_host_prefix=False, read_timeout=60
        )
        made = more.pop("session", _session).client(
            service, endpoint_url=self.url, config=settings, **more
        )
        made.meta.events.register("before-parse", _judge)
        self.clients.append(made)
        return made

    def live(self, seconds: float) -> None:
        """Let so much of the world's time pass."""

        async def advance() -> None:
            self.time += seconds
            for region in self.aws.regions.values():
                region.cloud.advance()

        self.run(advance())

    def until(self, condition: Callable[[], Any], minutes: float = 60.0) -> Any:
        """Let time pass, half a minute at a time, until ``condition`` holds; returns what it returned."""
        for _ in range(int(minutes * 2)):
            found = condition()
            if found:
                return found
            self.live(30)
        raise AssertionError(f"not within {minutes} minutes of the world's time")

    def play(self, name: str) -> None:
        async def play() -> None:
            self.aws.play(scenario(name).conditions)

        self.run(play())

    @property
    def now(self) -> float:
        return self.clock.now()

    def close(self) -> None:
        for made in self.clients:
            made.close()
        self.run(self.aws.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(30)
        self.loop.close()


def _judge(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    if not operation_model.has_event_stream_output:
        shapes.check(operation_model, response_dict)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


@pytest.fixture
def ecs(world: World) -> Any:
    return world.client("ecs")


@pytest.fixture
def cloudwatch(world: World) -> Any:
    return world.client("cloudwatch")


@pytest.fixture
def scaling(world: World) -> Any:
    return world.client("application-autoscaling")
