"""A registry that is asked whether a tag may name another image, as ECR's immutable repositories are."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdesk.sandbox.engine.layers import sha256
from dockdesk.sandbox.registry.access import BasicAccess
from dockdesk.sandbox.registry.accounts import PULL, PUSH, Login
from dockdesk.sandbox.registry.api import DistributionApi
from dockdesk.sandbox.registry.blobs import Blobs
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.repositories import Repositories, Repository

_KIND = "application/vnd.oci.image.manifest.v1+json"


def _refuse_moves(repository: Repository, tag: str, digest: str) -> None:
    held = repository.tags.get(tag)
    if held is not None and held.digest != digest:
        raise RegistryError("TAG_INVALID", message="the tag is immutable")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    access = BasicAccess("test", lambda name, _: Login(name, True), lambda *_: {PULL, PUSH})
    repositories = Repositories(Blobs(tmp_path), lambda: 1_767_787_200.0)
    server = DistributionApi(repositories, access, tagging=_refuse_moves).server
    yield asyncio.run_coroutine_threadsafe(server.listen_loopback(), loop).result(20)
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


def _call(port: int, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Authorization": "Basic bWU6eA==", **({"Content-Type": kind} if kind else {})}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def _manifest(port: int, config: bytes) -> bytes:
    digest = sha256(config)
    assert _call(port, "POST", f"/v2/app/blobs/uploads/?digest={digest}", config)[0] == 201
    described = {"mediaType": "application/json", "digest": digest, "size": len(config)}
    value = {"schemaVersion": 2, "mediaType": _KIND, "config": described, "layers": []}
    return json.dumps(value).encode()


def test_a_tag_that_may_not_move_stays(port: int) -> None:
    first, second = _manifest(port, b"{}"), _manifest(port, b'{"a": 1}')
    assert _call(port, "PUT", "/v2/app/manifests/1", first, _KIND)[0] == 201
    assert _call(port, "PUT", "/v2/app/manifests/1", first, _KIND)[0] == 201
    status, answer = _call(port, "PUT", "/v2/app/manifests/1", second, _KIND)
    assert (status, answer["errors"][0]["code"]) == (400, "TAG_INVALID")
    assert _call(port, "PUT", "/v2/app/manifests/2", second, _KIND)[0] == 201
    assert _call(port, "PUT", f"/v2/app/manifests/{sha256(second)}", second, _KIND)[0] == 201
