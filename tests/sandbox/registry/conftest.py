"""The sandbox's registry in a thread of the test process, and a plain client that knows no registry by name."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import http.client
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from dockdesk.sandbox.engine.server import SimulatedEngine
from dockdesk.sandbox.registry.accounts import PASSWORD, USER
from dockdesk.sandbox.registry.server import SimulatedRegistry
from dockdesk.sandbox.world.clock import Clock
from tests.engines import Registry


class World:
    """A registry and an engine on an event loop of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.loop = asyncio.new_event_loop()
        # The name tells the check for leaks that these threads are the fixture's.
        self.loop.set_default_executor(ThreadPoolExecutor(4, thread_name_prefix="fixture world"))
        self._thread = threading.Thread(target=self.loop.run_forever, name="sandbox world")
        self._thread.start()
        clock = Clock()
        self.registry = SimulatedRegistry(clock, 1, folder)
        self.engine = SimulatedEngine(clock, 1)
        self.socket = folder / "e.sock"
        self.run(self._start())

    async def _start(self) -> None:
        await self.registry.listen()
        await self.engine.server.listen_unix(self.socket)
        self.engine.start()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def call(self, function: Callable[[], Any]) -> Any:
        """Change something on the world's own thread."""

        async def called() -> Any:
            return function()

        return self.run(called())

    def close(self) -> None:
        self.run(self.registry.close())
        self.run(self.engine.close())
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="ddr-", dir="/tmp") as folder:
        made = World(Path(folder))
        yield made
        made.close()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of its first error."""
        return str(self.json["errors"][0]["code"])


class Client:
    """Asks a registry as the specification says, with tokens where it asks for them."""

    def __init__(self, address: str, user: str = "", password: str = "") -> None:
        self.address = address
        self._login = (user, password)
        self._tokens: dict[str, str] = {}

    def raw(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        parts = urlsplit(target)
        connection = http.client.HTTPConnection(parts.netloc or self.address, timeout=60)
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            try:
                data = response.read()
            except http.client.IncompleteRead as error:  # docker-registry's answer to a bad range
                data = error.partial
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, data)
        finally:
            connection.close()

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        """A request, again with a token where one is asked for; _ in header names stands for -."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.raw(method, target, body, given)
        if answer.status != 401 or "www-authenticate" not in answer.headers:
            return answer
        token = self.token(answer.headers["www-authenticate"])
        return self.raw(method, target, body, {**given, "Authorization": f"Bearer {token}"})

    def token(self, challenge: str) -> str:
        kept = self._tokens.get(challenge)
        if kept is not None:
            return kept
        parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urlencode(
            [("service", parts["service"])]
            + [("scope", scope) for scope in parts.get("scope", "").split()]
        )
        user, password = self._login
        headers = {}
        if user:
            secret = base64.b64encode(f"{user}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {secret}"
        answer = self.raw("GET", f"{parts['realm']}?{query}", headers=headers)
        assert answer.status == 200, answer
        self._tokens[challenge] = str(answer.json["token"])
        return self._tokens[challenge]

    def begin(self, repository: str) -> str:
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        assert answer.status == 202, answer
        return answer.headers["location"]

    def push_blob(self, repository: str, data: bytes) -> str:
        digest = digest_of(data)
        location = with_query(self.begin(repository), digest=digest)
        answer = self.ask("PUT", location, data, Content_Type="application/octet-stream")
        assert answer.status == 201, answer
        assert answer.headers["docker-content-digest"] == digest
        return digest

    def push_manifest(self, repository: str, reference: str, value: Any) -> Answer:
        data = json.dumps(value).encode()
        return self.ask(
            "PUT", f"/v2/{repository}/manifests/{reference}", data, Content_Type=value["mediaType"]
        )


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def with_query(location: str, **values: str) -> str:
    return f"{location}{'&' if '?' in location else '?'}{urlencode(values)}"


@pytest.fixture
def demo(world: World) -> Client:
    """Logged in to the sandbox's registry."""
    return Client(world.registry.address, USER, PASSWORD)


@pytest.fixture
def anybody(world: World) -> Client:
    return Client(world.registry.address)


@pytest.fixture(params=["docker-registry", "sandbox"])
def either(request: pytest.FixtureRequest) -> Client:
    """Debian's docker-registry, the judge, and then the sandbox's."""
    if request.param == "sandbox":
        world: World = request.getfixturevalue("world")
        return Client(world.registry.address, USER, PASSWORD)
    registry: Registry = request.getfixturevalue("registry")
    return Client(registry.address)
