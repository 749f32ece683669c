"""Exec and attach of the Engine API: terminals in simulated containers. Source: moby/api/swagger.yaml v1.43, tag Exec."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass

from dockdesk.sandbox.engine.api_containers import (
    MULTIPLEXED_STREAM,
    RAW_STREAM,
)
from dockdesk.sandbox.engine.lifecycle import Lifecycle
from dockdesk.sandbox.engine.loglines import STDOUT
from dockdesk.sandbox.engine.programs import PROGRAMS, Surroundings
from dockdesk.sandbox.engine.programs_files import FILE_PROGRAMS
from dockdesk.sandbox.engine.scripts import surroundings
from dockdesk.sandbox.engine.state import EngineState, SimContainer
from dockdesk.sandbox.engine.streams import HijackedPipe, Terminal, encode, follow_logs, log_lines
from dockdesk.sandbox.http import HIJACKED, HttpError, Request, Response, Router, json_response

_SHELLS = {"sh", "bash", "ash"}
_KEPT = 200
_START_SECONDS = 0.03


@dataclass(slots=True)
class _Exec:
    id: str
    container: SimContainer
    command: list[str]
    tty: bool
    around: Surroundings
    running: bool = False
    exit_code: int | None = None


class ExecApi:
    def __init__(self, state: EngineState, lifecycle: Lifecycle) -> None:
        self._state = state
        self._life = lifecycle
        self._execs: dict[str, _Exec] = {}

    def add_to(self, router: Router) -> None:
        router.add("POST", "/containers/{id}/exec", self._create)
        router.add("POST", "/exec/{id}/start", self._start)
        router.add("POST", "/exec/{id}/resize", self._resize)
        router.add("GET", "/exec/{id}/json", self._inspect)
        router.add("POST", "/containers/{id}/attach", self._attach)
        router.add("POST", "/containers/{id}/resize", self._resize_container)

    def _of(self, request: Request) -> _Exec:
        found = self._execs.get(request.params["id"])
        if found is None:
            raise HttpError(404, f"No such exec instance: {request.params['id']}")
        return found

    async def _create(self, request: Request) -> Response:
        container = self._state.container(request.params["id"])
        if container.status != "running":
            what = (
                "is paused, unpause the container before exec"
                if container.status == "paused"
                else "is not running"
            )
            raise HttpError(409, f"Container {container.id} {what}")
        body = await request.json() or {}
        command = [str(word) for word in body.get("Cmd") or ()]
        if not command:
            raise HttpError(400, "No exec command specified")
        around = surroundings(self._state, container, body)
        made = _Exec(
            self._state.new_id("exec", container.id),
            container,
            command,
            bool(body.get("Tty")),
            around,
        )
        self._execs[made.id] = made
        while len(self._execs) > _KEPT:
            ended = next((item for item in self._execs.values() if not item.running), None)
            if ended is None:
                break
            del self._execs[ended.id]
        return json_response({"Id": made.id}, 201)

    async def _start(self, request: Request) -> Response:
        made = self._of(request)
        if made.running or made.exit_code is not None:
            raise HttpError(409, f"Error: Exec command {made.id} has already run")
        body = await request.json() or {}
        if made.container.status != "running":
            raise HttpError(409, f"Container {made.container.id} is not running")
        program = made.command[0].rpartition("/")[2]
        shells = {path.rpartition("/")[2] for path in made.container.image.shells}
        if not (
            program in PROGRAMS
            or program in FILE_PROGRAMS
            or program in {"top", "sleep"}
            or program in _SHELLS & shells
        ):
            made.exit_code = 127 if body.get("Detach") else 126
            raise HttpError(
                400,
                "OCI runtime exec failed: exec failed: unable to start container process: exec: "
                f'"{made.command[0]}": {_why_not(made.command[0])}: unknown',
            )
        made.running = True
        self._tell(made, "exec_start")
        if body.get("Detach"):
            made.running, made.exit_code = False, 0
            return Response()
        await _take_over(request, made.tty)
        terminal = Terminal(HijackedPipe(request, made.tty), made.around, made.tty)
        try:
            if program in _SHELLS and "-c" not in made.command:
                made.exit_code = await terminal.interact(made.container.ended)
            else:
                made.exit_code = await terminal.run(shlex.join(made.command))
        finally:
            made.running = False
            if made.exit_code is None:
                made.exit_code = 137
            self._tell(made, "exec_die", exitCode=str(made.exit_code))
        return HIJACKED

    def _tell(self, made: _Exec, action: str, **more: str) -> None:
        container = made.container
        attributes = {
            **container.labels,
            "image": container.image_name,
            "name": container.name,
            "execID": made.id,
            **more,
        }
        self._state.events.emit(
            "container",
            action if more else f"{action}: {' '.join(made.command)}",
            container.id,
            attributes,
        )

    async def _resize(self, request: Request) -> Response:
        made = self._of(request)
        made.around.columns = _positive(request.first("w"), made.around.columns)
        made.around.rows = _positive(request.first("h"), made.around.rows)
        return Response(201)

    async def _resize_container(self, request: Request) -> Response:
        if not self._state.container(request.params["id"]).running:
            raise HttpError(409, "cannot resize a stopped container")
        return Response()

    async def _inspect(self, request: Request) -> Response:
        made = self._of(request)
        return json_response(
            {
                "ID": made.id,
                "Running": made.running,
                "ExitCode": made.exit_code,
                "ProcessConfig": {
                    "tty": made.tty,
                    "entrypoint": made.command[0],
                    "arguments": made.command[1:],
                    "privileged": False,
                },
                "OpenStdin": True,
                "OpenStderr": True,
                "OpenStdout": True,
                "CanRemove": False,
                "ContainerID": made.container.id,
                "DetachKeys": "",
                "Pid": made.container.pid + 47 if made.running else 0,
            }
        )

    async def _attach(self, request: Request) -> Response:
        container = self._state.container(request.params["id"])
        clock, tty = self._state.clock, container.tty
        await request.body()
        now = clock.now()
        past = log_lines(container, 0.0, now) if request.flag("logs") else []
        await _take_over(request, tty)
        request.writer.write(encode(past, tty, False, {1, 2}))
        await request.writer.drain()
        if not request.flag("stream"):
            return HIJACKED
        while container.status == "created" and not container.removed.is_set():
            # The CLI attaches before it starts.
            await asyncio.sleep(0.02)
        if (
            request.flag("stdin")
            and container.config.get("OpenStdin")
            and container.program.logs == "quiet"
        ):
            await self._converse(request, container, tty)
            return HIJACKED
        async for lines in follow_logs(container, clock, now):
            request.writer.write(encode(lines, tty, False, {1, 2}))
            await request.writer.drain()
        return HIJACKED

    async def _converse(self, request: Request, container: SimContainer, tty: bool) -> None:
        """Talk to the container's own shell; when it exits, so does the container."""
        around = surroundings(self._state, container, {"Tty": tty})
        terminal = Terminal(HijackedPipe(request, tty), around, tty)
        terminal.said = lambda data: container.say(self._state.clock.now(), STDOUT, data)
        code = await terminal.interact(container.ended)
        if container.running and code != 137:
            self._life.finish(container, code)


async def _take_over(request: Request, tty: bool) -> None:
    kind = RAW_STREAM if tty else MULTIPLEXED_STREAM
    if "upgrade" in request.headers:
        await request.hijack(101, {"Content-Type": kind, "Connection": "Upgrade", "Upgrade": "tcp"})
    else:
        await request.hijack(200, {"Content-Type": kind})
    # A real process takes a moment to start, and clients count on it: the SDK loses what comes with the head itself.
    await asyncio.sleep(_START_SECONDS)


def _positive(text: str, otherwise: int) -> int:
    return int(text) if text.isdigit() and 0 < int(text) < 10_000 else otherwise


def _why_not(program: str) -> str:
    """What the runtime says of a program that is not there."""
    if "/" in program:
        return f"stat {program}: no such file or directory"
    return "executable file not found in $PATH"
