"""BuildKit's Control API, its gateway as far as checks need it, and gRPC's health: what is served on /grpc.

Each call has a thread of its own, on which it waits for the event loop. Source: moby/buildkit, control/control.go.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from dockdesk.sandbox.buildkit.builder import Builder
from dockdesk.sandbox.buildkit.messages import (
    BuildkitVersion,
    DiskUsageResponse,
    InfoResponse,
    ListWorkersResponse,
    Platform,
    PongResponse,
    PruneRequest,
    UpdateBuildHistoryRequest,
    UsageRecord,
    WorkerRecord,
)
from dockdesk.wire.buildkit import (
    BUILD_ID,
    CONTROL,
    GATEWAY,
    HEALTH_CHECK,
    BuildHistoryRequest,
    GatewayResult,
    GatewayReturnRequest,
    GatewaySolveRequest,
    GatewaySolveResponse,
    HealthResponse,
    SolveRequest,
    SolveResponse,
    StatusRequest,
    Timestamp,
)
from dockdesk.wire.grpc import Code, GrpcError, Handler, Server, ServerCall, unary
from dockdesk.wire.http2 import Connection
from dockdesk.wire.protobuf import decode, encode

VERSION = "v0.16.0"
_LOOK_SECONDS = 0.1
_WAIT_SECONDS = 5.0
T = TypeVar("T")


@dataclass(slots=True)
class _Gateway:
    """A build that a client leads itself."""

    session: str
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    failure: GrpcError | None = None


class Control:
    """``loop`` is where the builder lives."""

    def __init__(self, builder: Builder, loop: asyncio.AbstractEventLoop) -> None:
        self._builder = builder
        self._loop = loop
        self._gateways: dict[str, _Gateway] = {}
        self._connections: set[Connection] = set()
        self._server = Server(self._handlers(), name="sandbox-buildkit")

    async def serve(self, sock: socket.socket, received: bytes) -> None:
        """Answer on a connection until it ends."""
        ended = asyncio.Event()

        def on_close() -> None:
            self._loop.call_soon_threadsafe(ended.set)

        connection = self._server.serve(sock, received, on_close)
        self._connections.add(connection)
        try:
            await ended.wait()
        finally:
            self._connections.discard(connection)
            await asyncio.to_thread(connection.close)

    async def close(self) -> None:
        for connection in list(self._connections):
            await asyncio.to_thread(connection.close)
        await asyncio.to_thread(self._server.join)

    def _handlers(self) -> dict[str, Handler]:
        return {
            HEALTH_CHECK: unary(lambda _: encode(HealthResponse(1))),
            f"{CONTROL}Solve": self._solve,
            f"{CONTROL}Status": self._status,
            f"{CONTROL}Info": unary(lambda _: encode(InfoResponse(_version()))),
            f"{CONTROL}ListWorkers": unary(lambda _: encode(_workers())),
            f"{CONTROL}DiskUsage": self._disk_usage,
            f"{CONTROL}Prune": self._prune,
            f"{CONTROL}ListenBuildHistory": self._history,
            f"{CONTROL}UpdateBuildHistory": self._update_history,
            f"{GATEWAY}Ping": self._ping,
            f"{GATEWAY}Solve": self._gateway_solve,
            f"{GATEWAY}Return": self._gateway_return,
        }

    def _on_loop(self, call: ServerCall, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Have the loop do something; it is cancelled if the caller goes away. Raises GrpcError."""
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        while True:
            try:
                return future.result(_LOOK_SECONDS)
            except concurrent.futures.CancelledError:
                raise GrpcError(Code.CANCELLED, "context canceled") from None
            except TimeoutError:
                if future.done():
                    raise
                if call.broken:
                    future.cancel()
                    raise GrpcError(Code.CANCELLED, "context canceled") from None

    def _request(self, call: ServerCall, made: type[T]) -> T:
        return decode(made, call.receive() or b"")

    # --- builds ---

    def _solve(self, call: ServerCall) -> None:
        request = self._request(call, SolveRequest)
        if not request.frontend:
            self._on_loop(call, lambda: self._lead(request))
            call.send(encode(SolveResponse()))
            return
        answer = self._on_loop(call, lambda: self._builder.solve(request))
        call.send(encode(SolveResponse(answer)))

    async def _lead(self, request: SolveRequest) -> None:
        """Until the client that leads the build returns a result."""
        gateway = self._gateways[request.ref] = _Gateway(request.session)
        try:
            await gateway.ended.wait()
        finally:
            self._gateways.pop(request.ref, None)
        if gateway.failure is not None:
            raise gateway.failure

    def _status(self, call: ServerCall) -> None:
        ref = self._request(call, StatusRequest).ref
        journal = self._on_loop(call, lambda: self._builder.memory.wait_for(ref, _WAIT_SECONDS))
        if journal is None:
            raise GrpcError(Code.NOT_FOUND, f"no such job {ref}")
        position = 0
        while True:
            at = position
            data, position = self._on_loop(call, lambda at=at: journal.after(at))  # type: ignore[misc]
            if not data:
                return
            call.send(data)

    # --- the gateway ---

    def _led(self, call: ServerCall) -> _Gateway:
        ref = next(iter(call.metadata.get(BUILD_ID, ())), "")

        async def find() -> _Gateway:
            deadline = self._loop.time() + _WAIT_SECONDS
            while ref not in self._gateways:
                if self._loop.time() > deadline:
                    raise GrpcError(Code.NOT_FOUND, f"no such job {ref}")
                await asyncio.sleep(0.02)
            return self._gateways[ref]

        return self._on_loop(call, find)

    def _ping(self, call: ServerCall) -> None:
        self._led(call)
        call.send(encode(PongResponse()))

    def _gateway_solve(self, call: ServerCall) -> None:
        gateway = self._led(call)
        request = self._request(call, GatewaySolveRequest)
        wanted = request.frontend_opt.get("requestid", "")
        if wanted != "frontend.lint":
            text = f"unsupported request {wanted}" if wanted else "unsupported frontend capability"
            raise GrpcError(Code.UNIMPLEMENTED, f"{text}: the sandbox is led by Solve alone")
        found = self._on_loop(
            call, lambda: self._builder.lint(gateway.session, request.frontend_opt)
        )
        call.send(encode(GatewaySolveResponse(GatewayResult(found))))

    def _gateway_return(self, call: ServerCall) -> None:
        gateway = self._led(call)
        request = self._request(call, GatewayReturnRequest)
        if request.error is not None:
            gateway.failure = GrpcError(Code.UNKNOWN, request.error.text)
        self._loop.call_soon_threadsafe(gateway.ended.set)
        call.send(b"")

    # --- cache and history ---

    def _disk_usage(self, call: ServerCall) -> None:
        call.receive()

        async def lines() -> list[dict[str, Any]]:
            return self._builder.cache.lines()

        records = tuple(_usage(line) for line in self._on_loop(call, lines))
        call.send(encode(DiskUsageResponse(records)))

    def _prune(self, call: ServerCall) -> None:
        request = self._request(call, PruneRequest)
        types = {one.partition("==")[2] for one in request.filter if one.startswith("type==")}

        async def prune() -> list[dict[str, Any]]:
            return self._builder.cache.prune(
                request.all, lambda line: not types or line["Type"] in types, request.keep_bytes
            )

        for line in self._on_loop(call, prune):
            call.send(encode(_usage(line)))

    def _history(self, call: ServerCall) -> None:
        request = self._request(call, BuildHistoryRequest)
        memory = self._builder.memory

        async def begin() -> tuple[list[bytes], asyncio.Queue[Any] | None]:
            found = memory.events(request.active_only, request.ref, request.limit)
            return [encode(item) for item in found], None if request.early_exit else memory.listen()

        events, queue = self._on_loop(call, begin)
        call.begin()
        if events:
            call.send(*events)
        if queue is None:
            return
        try:
            while True:
                event = self._on_loop(call, queue.get)
                if not request.ref or (event.record and event.record.ref == request.ref):
                    call.send(encode(event))
        finally:
            self._loop.call_soon_threadsafe(memory.leave, queue)

    def _update_history(self, call: ServerCall) -> None:
        request = self._request(call, UpdateBuildHistoryRequest)

        async def update() -> None:
            memory = self._builder.memory
            if request.ref not in memory.builds:
                raise GrpcError(Code.NOT_FOUND, f"no such build {request.ref}")
            if request.delete:
                memory.delete(request.ref)
            elif not request.finalize:
                memory.pin(request.ref, request.pinned)

        self._on_loop(call, update)
        call.send(b"")


def _version() -> BuildkitVersion:
    return BuildkitVersion("github.com/moby/buildkit", VERSION, "sandbox")


def _workers() -> ListWorkersResponse:
    platforms = (Platform("amd64", "linux"), Platform("arm64", "linux"))
    labels = {"org.mobyproject.buildkit.worker.moby.host-gateway-ip": "172.17.0.1"}
    return ListWorkersResponse((WorkerRecord("sandbox", labels, platforms, _version()),))


def _usage(line: dict[str, Any]) -> UsageRecord:
    def moment(text: str) -> Timestamp:
        return Timestamp.at(datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp())

    return UsageRecord(
        line["ID"], line["Type"] == "exec.cachemount", line["InUse"], line["Size"], moment(line["CreatedAt"]),
        moment(line["LastUsedAt"]), line["UsageCount"], line["Description"], line["Type"], line["Shared"],
    )  # fmt: skip
