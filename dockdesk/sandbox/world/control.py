"""The sandbox's own small API, on a unix socket of its own: what is played, how fast time passes, and changing both.

    GET  /status    → {"scenario", "speed", "now", "scenarios": [{"id", "title", "summary"}]}
    POST /scenario  {"name": "spike"}  → the status
    POST /speed     {"value": 10}      → the status; from 1 to 60

An error is {"message"} with status 400, 404 or 405. ``now`` is in seconds since 1970, of the world's time. For example:
``curl --unix-socket "$DOCKDESK_SANDBOX_CONTROL" -d '{"name": "spike"}' http://sandbox/scenario``
"""

from __future__ import annotations

import math
from typing import Any

from dockdesk.sandbox.http import HttpError, Request, Response, Router, Server, json_response
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.scenarios import SCENARIOS, Director, UnknownScenarioError


class Control:
    """Serves the control API; listen with `server`."""

    def __init__(self, clock: Clock, director: Director) -> None:
        self._clock = clock
        self._director = director
        router = Router(lambda error: json_response({"message": error.message}, error.status))
        router.add("GET", "/status", self._on_status)
        router.add("POST", "/scenario", self._on_scenario)
        router.add("POST", "/speed", self._on_speed)
        self.server = Server(router, "control")

    def _status(self) -> Response:
        return json_response(
            {
                "scenario": self._director.current.id,
                "speed": self._clock.speed,
                "now": self._clock.now(),
                "scenarios": [
                    {"id": known.id, "title": known.title, "summary": known.summary}
                    for known in SCENARIOS
                ],
            }
        )

    async def _on_status(self, _request: Request) -> Response:
        return self._status()

    async def _on_scenario(self, request: Request) -> Response:
        name = await _member(request, "name")
        if not isinstance(name, str):
            raise HttpError(400, "name must be a string")
        try:
            self._director.play(name)
        except UnknownScenarioError as error:
            raise HttpError(400, str(error)) from None
        return self._status()

    async def _on_speed(self, request: Request) -> Response:
        value = await _member(request, "value")
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise HttpError(400, "value must be a number")
        self._clock.set_speed(float(value))
        return self._status()


async def _member(request: Request, name: str) -> Any:
    body = await request.json()
    if not isinstance(body, dict) or name not in body:
        raise HttpError(400, f"a JSON object with {name!r} is needed")
    return body[name]
