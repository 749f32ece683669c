"""POST /build?version=2: a build whose progress comes in the answer, as the docker CLI without buildx asks for it.

Source: Engine API, ImageBuild; moby, builder/builder-next/builder.go.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dockdesk.sandbox.buildkit.builder import Builder
from dockdesk.sandbox.engine import images
from dockdesk.sandbox.engine.filesystem import Node, file_node, folder_node
from dockdesk.sandbox.http import HttpError, Request
from dockdesk.wire.buildkit import SolveRequest
from dockdesk.wire.grpc import GrpcError

_UPLOAD = "upload-request"
_UPLOAD_SECONDS = 5.0


def _line(**values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\r\n"


@dataclass(slots=True)
class _Job:
    uploaded: asyncio.Future[bytes]
    task: asyncio.Task[Any] | None = None


@dataclass(slots=True)
class Requests:
    builder: Builder
    _jobs: dict[str, _Job] = field(default_factory=dict)

    def _job(self, id: str) -> _Job:
        if id not in self._jobs:
            self._jobs[id] = _Job(asyncio.get_running_loop().create_future())
        return self._jobs[id]

    def cancel(self, id: str) -> None:
        """End a build by the id that its client gave it."""
        job = self._jobs.get(id)
        if job is not None and job.task is not None:
            job.task.cancel()

    async def build(self, request: Request) -> AsyncIterator[bytes]:
        """The stream of a build. Raises HttpError for what can't begin."""
        id = request.first("buildid")
        if id.startswith(f"{_UPLOAD}:"):
            await self._take_upload(id.partition(":")[2], request)
            return _nothing()
        solve = solve_request(request)
        remote = request.first("remote")
        context: Mapping[str, Node] | None = None
        if remote == _UPLOAD:
            context = await self._uploaded(id)
        elif remote == "client-session":
            pass
        elif remote:
            context = await self._remote(remote, solve)
        else:
            context = await self._unpacked(await request.body())
        return self._stream(solve, context, id)

    async def _take_upload(self, id: str, request: Request) -> None:
        data, job = await request.body(), self._job(id)
        if not job.uploaded.done():
            job.uploaded.set_result(data)

    async def _uploaded(self, id: str) -> Mapping[str, Node]:
        try:
            data = await asyncio.wait_for(asyncio.shield(self._job(id).uploaded), _UPLOAD_SECONDS)
        except TimeoutError:
            raise HttpError(500, "context deadline exceeded") from None
        return await self._unpacked(data)

    async def _unpacked(self, data: bytes) -> Mapping[str, Node]:
        now = self.builder.state.clock.now()
        if not data:
            raise HttpError(500, "the build context is empty")
        return await asyncio.to_thread(images.tree_of_tar, data, now)

    async def _remote(self, remote: str, solve: SolveRequest) -> Mapping[str, Node]:
        """A context that the session uploads; what is elsewhere can't be reached."""
        parts = urlsplit(remote)
        if parts.hostname != "buildkit-session":
            raise HttpError(
                500, f"failed to load build context: the sandbox reaches no network: {remote}"
            )
        try:
            session = await self.builder.sessions.get(solve.session)
            data = await session.upload(parts.path)
        except GrpcError as error:
            raise HttpError(500, error.message) from None
        now = self.builder.state.clock.now()
        with contextlib.suppress(HttpError):
            return await asyncio.to_thread(images.tree_of_tar, data, now)
        # No archive: it is the Dockerfile alone.
        name = solve.frontend_attrs.get("filename", "Dockerfile")
        return {"/": folder_node(), f"/{name}": file_node(data, modified=now)}

    async def _stream(
        self, solve: SolveRequest, context: Mapping[str, Node] | None, id: str
    ) -> AsyncIterator[bytes]:
        builder = self.builder
        task = asyncio.create_task(builder.solve(solve, context))
        if id:
            self._job(id).task = task
        try:
            journal = await builder.memory.wait_for(solve.ref, _UPLOAD_SECONDS)
            if journal is not None:
                async for data in journal.follow():
                    yield _line(id="moby.buildkit.trace", aux=b64encode(data).decode())
            try:
                answer = await task
            except GrpcError as error:
                yield _line(errorDetail={"message": error.message}, error=error.message)
                return
            except asyncio.CancelledError:
                if not task.cancelled():
                    raise
                yield _line(errorDetail={"message": "context canceled"}, error="context canceled")
                return
            if image := answer.get("containerimage.digest"):
                yield _line(id="moby.image.id", aux={"ID": image})
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._jobs.pop(id, None)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def solve_request(request: Request) -> SolveRequest:
    """What the parameters ask for. Raises HttpError 400."""
    attrs: dict[str, str] = {}
    if request.first("target"):
        attrs["target"] = request.first("target")
    if request.first("dockerfile") not in {"", "."}:
        attrs["filename"] = request.first("dockerfile")
    for name, key in (("buildargs", "build-arg:"), ("labels", "label:")):
        values = _json(request.first(name), dict)
        attrs |= {f"{key}{one}": str(value) for one, value in values.items() if value is not None}
    if request.flag("nocache"):
        attrs["no-cache"] = ""
    attrs["image-resolve-mode"] = "pull" if request.flag("pull") else "default"
    if request.first("platform"):
        attrs["platform"] = request.first("platform").lower()
    network = request.first("networkmode")
    if network in {"host", "none"}:
        attrs["force-network-mode"] = network
    elif network not in {"", "default", "bridge"}:
        raise HttpError(400, f"network mode {network!r} not supported by buildkit")
    if hosts := request.query.get("extrahosts"):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow(
            [host.replace(":", "=", 1) for host in hosts]
        )
        attrs["add-hosts"] = buffer.getvalue()
    if request.first("shmsize"):
        attrs["shm-size"] = request.first("shmsize")
    attrs["cache-from"] = ",".join(str(one) for one in _json(request.first("cachefrom"), list))
    exporter, exporter_attrs = _exporter(request)
    return SolveRequest(
        secrets.token_hex(12),
        exporter,
        exporter_attrs,
        request.first("session"),
        "dockerfile.v0",
        attrs,
    )


def _exporter(request: Request) -> tuple[str, dict[str, str]]:
    outputs = _json(request.first("outputs"), list)
    if len(outputs) > 1:
        raise HttpError(400, "multiple outputs not supported")
    if outputs:
        kind = str(outputs[0].get("Type") or "")
        attrs = {str(key): str(value) for key, value in (outputs[0].get("Attrs") or {}).items()}
        if kind == "cacheonly":
            return "", {}
    else:
        kind, attrs = "moby", {}
    if kind == "moby" and request.query.get("t"):
        attrs["name"] = ",".join(request.query["t"])
    return kind, attrs


def _json(text: str, kind: type[Any]) -> Any:
    try:
        found = json.loads(text) if text else kind()
    except ValueError as error:
        raise HttpError(400, f"invalid JSON: {error}") from None
    return found if isinstance(found, kind) else kind()
