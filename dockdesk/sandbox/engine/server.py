"""The simulated engine as a server."""

from __future__ import annotations

import asyncio
import re

from dockdesk.sandbox.buildkit.api import BuildKitApi
from dockdesk.sandbox.engine.api_containers import ContainersApi
from dockdesk.sandbox.engine.api_exec import ExecApi
from dockdesk.sandbox.engine.api_images import ImagesApi
from dockdesk.sandbox.engine.api_system import NetworksApi, SystemApi, VolumesApi
from dockdesk.sandbox.engine.lifecycle import Lifecycle
from dockdesk.sandbox.engine.present import API_VERSION, MIN_API_VERSION
from dockdesk.sandbox.engine.seed import furnish
from dockdesk.sandbox.engine.state import EngineState
from dockdesk.sandbox.http import HttpError, Request, Response, Router, Server, json_response
from dockdesk.sandbox.world.clock import Clock

_VERSION = re.compile(r"/v(\d+)\.(\d+)(/.*)")
_TICK_SECONDS = 0.2


class SimulatedEngine:
    """Routes the Engine API to the state, and lets its time pass."""

    def __init__(self, clock: Clock, seed: int, containers: int = 0) -> None:
        self.state = EngineState(clock, seed)
        self.lifecycle = Lifecycle(self.state)
        networks = NetworksApi(self.state, self.lifecycle)
        self._router = Router(_error)
        containers_api = ContainersApi(self.state, self.lifecycle)
        self._scripts = containers_api.scripts
        self._buildkit = BuildKitApi(self.state)
        for api in (
            SystemApi(self.state),
            containers_api,
            ExecApi(self.state, self.lifecycle),
            self._buildkit,
            ImagesApi(self.state, self._buildkit),
            VolumesApi(self.state, self.lifecycle),
            networks,
        ):
            api.add_to(self._router)
        furnish(self.state, self.lifecycle, networks, containers)
        self.server = Server(self._handle, "engine")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Let time pass."""
        self._task = asyncio.create_task(self._live())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._scripts.close()
        await self._buildkit.close()
        await self.server.close()

    async def _live(self) -> None:
        while True:
            self.lifecycle.tick()
            await asyncio.sleep(_TICK_SECONDS)

    async def _handle(self, request: Request) -> Response:
        match = _VERSION.fullmatch(request.path)
        if match is not None:
            asked = (int(match[1]), int(match[2]))
            newest, oldest = (
                tuple(map(int, text.split("."))) for text in (API_VERSION, MIN_API_VERSION)
            )
            if asked > newest:
                text = f"client version {match[1]}.{match[2]} is too new. Maximum supported API version is {API_VERSION}"
                return _error(HttpError(400, text))
            if asked < oldest:
                text = f"client version {match[1]}.{match[2]} is too old. Minimum supported API version is {MIN_API_VERSION}"
                return _error(HttpError(400, text))
            request.path = match[3]
        try:
            return await self._router(request)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            # Parameters of the wrong type: the engine answers 400 for them too.
            return _error(HttpError(400, f"invalid request: {type(error).__name__}: {error}"))


def _error(error: HttpError) -> Response:
    if error.status == 304:
        return Response(304)
    return json_response({"message": error.message}, error.status)
