"""BuildKit's part of the Engine API: /session, /grpc, /build with version 2, and the cache.

What speaks HTTP/2 is imported on a thread when somebody first needs it. Source: moby/api/swagger.yaml v1.47, Session,
ImageBuild and BuildPrune; moby, api/server/router/grpc.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dockdesk.sandbox.engine import images
from dockdesk.sandbox.engine.filters import Filters
from dockdesk.sandbox.engine.state import EngineState
from dockdesk.sandbox.http import HIJACKED, HttpError, Request, Response, Router, json_response

if TYPE_CHECKING:
    from dockdesk.sandbox.buildkit.builder import Builder
    from dockdesk.sandbox.buildkit.control import Control
    from dockdesk.sandbox.buildkit.requests import Requests

_UPGRADE = {"Connection": "Upgrade", "Upgrade": "h2c"}


def _load() -> None:
    """Import what takes time, off the event loop."""
    import dockdesk.sandbox.buildkit.classic
    import dockdesk.sandbox.buildkit.control
    import dockdesk.sandbox.buildkit.requests  # noqa: F401


class BuildKitApi:
    def __init__(self, state: EngineState) -> None:
        self._state = state
        self._loading = asyncio.Lock()
        self._builder: Builder | None = None
        self._control: Control | None = None
        self._requests: Requests | None = None

    def add_to(self, router: Router) -> None:
        router.add("POST", "/session", self._session)
        router.add("POST", "/grpc", self._grpc)
        router.add("POST", "/build/cancel", self._cancel)
        router.add("POST", "/build/prune", self._prune)

    async def _parts(self) -> tuple[Builder, Control, Requests]:
        async with self._loading:
            if self._builder is None or self._control is None or self._requests is None:
                await asyncio.to_thread(_load)
                from dockdesk.sandbox.buildkit.builder import Builder
                from dockdesk.sandbox.buildkit.cache import Cache
                from dockdesk.sandbox.buildkit.control import Control
                from dockdesk.sandbox.buildkit.requests import Requests

                self._builder = Builder(self._state, Cache(self._state), Cache(self._state, False))
                self._control = Control(self._builder, asyncio.get_running_loop())
                self._requests = Requests(self._builder)
            return self._builder, self._control, self._requests

    @staticmethod
    def _upgrading(request: Request) -> None:
        if request.headers.get("upgrade", "").lower() != "h2c":
            raise HttpError(400, "error getting upgrade header: no upgrade proto in request")

    async def _session(self, request: Request) -> Response:
        self._upgrading(request)
        if not request.headers.get("x-docker-expose-session-uuid"):
            raise HttpError(500, "no session uuid in request")
        builder, _, _ = await self._parts()
        sock, received = await request.detach(_UPGRADE)
        await builder.sessions.serve(sock, received, request.headers)
        return HIJACKED

    async def _grpc(self, request: Request) -> Response:
        self._upgrading(request)
        _, control, _ = await self._parts()
        sock, received = await request.detach(_UPGRADE)
        await control.serve(sock, received)
        return HIJACKED

    async def build(self, request: Request) -> Response:
        """POST /build, in either version."""
        modern = is_buildkit(request)
        builder, _, requests = await self._parts()
        if modern:
            return Response(body=await requests.build(request))
        from dockdesk.sandbox.buildkit.classic import ClassicBuild, ClassicRequest, logins_of

        if request.first("remote"):
            raise HttpError(400, f"the sandbox reaches no network: {request.first('remote')}")
        arguments = json.loads(request.first("buildargs") or "{}")
        asked = ClassicRequest(
            request.first("dockerfile") or "Dockerfile",
            request.query.get("t", []),
            {str(key): str(value) for key, value in arguments.items() if value is not None},
            request.first("target"),
            json.loads(request.first("labels") or "{}"),
            request.flag("nocache"),
            request.flag("pull"),
            logins_of(request.headers.get("x-registry-config", "")),
        )
        data, now = await request.body(), self._state.clock.now()
        tree = await asyncio.to_thread(images.tree_of_tar, data, now)
        return Response(body=ClassicBuild(builder, tree, asked).run())

    async def _cancel(self, request: Request) -> Response:
        id = request.first("id")
        if not id:
            raise HttpError(400, "build ID not provided")
        if self._requests is not None:
            self._requests.cancel(id)
        return Response()

    async def _prune(self, request: Request) -> Response:
        filters = Filters.of(request)
        keep = int(request.first("keep-storage") or request.first("reserved-space") or 0)

        def wanted(line: Mapping[str, Any]) -> bool:
            return filters.starts("id", str(line["ID"])) and filters.allows(
                "type", str(line["Type"])
            )

        # Without a builder yet, all that is there is what was there from the beginning.
        builder, _, _ = await self._parts()
        gone = builder.cache.prune(request.flag("all"), wanted, keep)
        freed = sum(int(line["Size"]) for line in gone)
        self._state.events.emit("builder", "prune", "", {"reclaimed": str(freed)})
        return json_response(
            {"CachesDeleted": [line["ID"] for line in gone] or None, "SpaceReclaimed": freed}
        )

    async def close(self) -> None:
        if self._builder is not None and self._control is not None:
            await self._builder.close()
            await self._control.close()


def is_buildkit(request: Request) -> bool:
    """Whether a build request asks for BuildKit. Raises HttpError 400 for a version that nobody knows."""
    version = request.first("version") or "1"
    if version not in {"1", "2"}:
        raise HttpError(400, f"invalid version {json.dumps(version)}")
    return version == "2"
