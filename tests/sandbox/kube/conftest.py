"""A simulated cluster whose time the test moves, and one that is served."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dockdesk.sandbox.kube.objects import Object, labels_of
from dockdesk.sandbox.kube.server import TOKEN, SimulatedKubernetes
from dockdesk.sandbox.kube.tables import pod_reason
from dockdesk.sandbox.world.clock import Clock

# A Wednesday, at noon.
START = 1_767_787_200.0


class Lab:
    """A cluster without a server; its time passes when the test says so."""

    def __init__(self, pods: int = 0) -> None:
        self.real = 0.0
        self.kube = SimulatedKubernetes(Clock(1.0, lambda: self.real, START), 7, pods)
        self.cluster = self.kube.cluster
        self.store = self.cluster.store
        self.cluster.tick()

    def advance(
        self, seconds: float, step: float = 0.5, each: Callable[[], None] | None = None
    ) -> None:
        end = self.real + seconds
        while self.real < end:
            self.real = min(self.real + step, end)
            self.cluster.tick()
            if each is not None:
                each()

    def until(self, condition: Callable[[], Any], most: float = 120.0) -> float:
        """Advance until it holds; returns how long that took."""
        start = self.real
        while not condition():
            assert self.real - start < most, "it never happened"
            self.advance(0.5)
        return self.real - start

    def make(self, kind: str, group: str, item: Object) -> Object:
        return self.kube._admission.create(self.cluster.kind(kind, group), item)

    def get(self, kind: str, group: str, name: str, namespace: str = "shop") -> Object:
        return self.store.get(self.cluster.kind(kind, group), namespace, name).object

    def find(self, kind: str, group: str, name: str, namespace: str = "shop") -> Object | None:
        return self.store.find(self.cluster.kind(kind, group), namespace, name)

    def change(
        self,
        kind: str,
        group: str,
        name: str,
        change: Callable[[Object], None],
        namespace: str = "shop",
    ) -> None:
        """As a client would: through the same checks and generation counting."""
        found = self.cluster.kind(kind, group)
        old = self.get(kind, group, name, namespace)
        item = json.loads(json.dumps(old))
        change(item)
        if item["spec"] != old["spec"] and "generation" in item["metadata"]:
            item["metadata"]["generation"] += 1
        self.store.replace(found, item)

    def pods(self, app: str, namespace: str = "shop") -> list[Object]:
        return [
            pod
            for pod in self.store.all(self.cluster.kind("Pod"), namespace)
            if labels_of(pod).get("app") == app
        ]

    def reasons(self, app: str) -> list[str]:
        return sorted(pod_reason(pod) for pod in self.pods(app))

    def events(self, name: str, namespace: str = "shop") -> list[str]:
        """Reasons of the events about an object."""
        kind = self.cluster.kind("Event")
        return [
            item["reason"]
            for item in self.store.all(kind, namespace)
            if item["involvedObject"]["name"] == name
        ]


def deployment(
    name: str, image: str = "nginx:1.27-alpine", replicas: int = 3, **container: Any
) -> Object:
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image, **container}]},
            },
        },
    }


@pytest.fixture
def lab() -> Lab:
    return Lab()


class Served:
    """A cluster behind its server, in a thread; time runs at twenty times its pace."""

    def __init__(self, tmp: Any) -> None:
        self._ready = threading.Event()
        self._tmp = tmp
        self.port = self.tls_port = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="kubernetes")
        self._thread.start()
        assert self._ready.wait(30)

    async def _main(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self.kube = SimulatedKubernetes(Clock(20.0), 7, bookmark_seconds=0.3)
        self.port = await self.kube.server.listen_loopback()
        self.tls_port = await self.kube.listen_tls(self._tmp)
        self.kube.start()
        self._ready.set()
        await self._end.wait()
        await self.kube.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def call(self, act: Callable[[], Any]) -> Any:
        """Do something in the server's thread."""

        async def run() -> Any:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    def request(
        self, method: str, path: str, body: Any = None, token: str = TOKEN, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON of one request; header names with _ for -."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, data, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        kind = response.headers.get("Content-Type", "")
        return response.status, json.loads(text) if "json" in kind and text else text

    def get(self, path: str, **headers: str) -> Any:
        status, value = self.request("GET", path, **headers)
        assert status == 200, value
        return value


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("kube"))
    yield made
    made.close()
