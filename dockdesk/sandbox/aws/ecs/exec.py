"""ECS Exec: a shell in a container of a task, over the Session Manager's data channel."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import shlex
from collections.abc import Callable

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.ecs import ssm
from dockdesk.sandbox.aws.ecs.model import Task
from dockdesk.sandbox.aws.values import AwsError, hex_id
from dockdesk.sandbox.engine.catalogue import RECIPES
from dockdesk.sandbox.engine.filesystem import FileSystem
from dockdesk.sandbox.engine.images import image_of
from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.engine.state import SimContainer
from dockdesk.sandbox.engine.streams import Terminal
from dockdesk.sandbox.http import HIJACKED, Request, Response
from dockdesk.sandbox.kube.websocket import WebSocket, wants_websocket
from dockdesk.sandbox.world.traffic import Traffic

_log = logging.getLogger(__name__)

PATH = "/v1/data-channel/"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHELLS = {"sh", "bash", "ash"}
_BINARY = 2
_TOKEN_SECONDS = 30.0
_CHUNK = 1024
_KEPT = 100


@dataclass(slots=True)
class Session:
    """What ExecuteCommand has promised; it can be taken up once."""

    id: str
    token: str
    task: Task
    container: str
    command: str
    taken: bool = False


class _Channel(WebSocket):
    async def binary(self, data: bytes) -> None:
        if not self._closed:
            await self._write(_BINARY, data)


class Sessions:
    """All sessions of a region. ``now`` gives the world's time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._all: dict[str, Session] = {}

    def open(self, task: Task, container: str, command: str) -> Session:
        name = f"ecs-execute-command-{hex_id(17, task.id, len(self._all), self._now())}"
        session = Session(name, hex_id(64, name, "token"), task, container, command)
        self._all[name] = session
        while len(self._all) > _KEPT:
            del self._all[next(iter(self._all))]
        return session

    async def serve(self, request: Request) -> Response:
        """The data channel of a session. Raises AwsError before it is one."""
        session = self._all.get(request.path.removeprefix(PATH))
        key = request.headers.get("sec-websocket-key", "")
        if session is None or session.taken:
            raise AwsError("SessionNotFound", "There is no such session.", 404)
        if not wants_websocket(request) or not key:
            raise AwsError("BadRequest", "The data channel speaks WebSocket.", 400)
        proof = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": base64.b64encode(proof).decode(),
        }
        await request.hijack(101, headers)
        channel = _Channel(request, "")
        try:
            if await self._opened(channel, session):
                await self._converse(channel, session)
        except (ssm.MessageError, TimeoutError) as error:
            _log.debug("exec: %s", error)
        await channel.close()
        return HIJACKED

    async def _opened(self, channel: _Channel, session: Session) -> bool:
        """The first message carries the token."""
        async with asyncio.timeout(_TOKEN_SECONDS):
            first = await channel.receive()
        token = str(ssm.fields(first or b"{}").get("TokenValue", ""))
        if not hmac.compare_digest(token.encode(), session.token.encode()):
            return False
        session.taken = True
        return True

    async def _converse(self, channel: _Channel, session: Session) -> None:
        around = self._surroundings(session)
        pipe = _Pipe(channel, around, self._now)
        await pipe.begin()
        terminal = Terminal(pipe, around, True)
        gone = asyncio.Event()
        watching = asyncio.create_task(self._until_gone(session.task, gone))
        words = shlex.split(session.command)
        try:
            if words[0].rpartition("/")[2] in _SHELLS and "-c" not in words:
                await terminal.interact(gone)
            else:
                await terminal.run(session.command)
        finally:
            watching.cancel()
        await pipe.end(session.id)

    @staticmethod
    async def _until_gone(task: Task, gone: asyncio.Event) -> None:
        while task.status == "RUNNING":
            await asyncio.sleep(0.25)
        gone.set()

    def _surroundings(self, session: Session) -> Surroundings:
        """The container as the sandbox's shell knows containers."""
        task = session.task
        body = next(
            one
            for one in task.definition.containers
            if str(one.get("name") or "main") == session.container
        )
        style = task.service.log_style if task.service else "api"
        with_shell = [recipe for recipe in RECIPES if recipe.shells]
        recipe = next((one for one in with_shell if one.program.logs == style), with_shell[0])
        image = image_of(recipe, task.started)
        host = f"ip-{task.ip.replace('.', '-')}"
        container = SimContainer(
            hex_id(64, task.id, session.container),
            session.container,
            image,
            str(body.get("image") or ""),
            {**image.config, "Hostname": host},
            {"Memory": task.definition.memory << 20},
            FileSystem(image.tree),
            image.program,
            task.created,
            task.service.workload.traffic if task.service else Traffic(1, task.id, 1.0),
            status="running",
            started=task.started,
        )
        env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": "/root",
            "HOSTNAME": host,
            "TERM": "xterm",
        }
        env |= {
            str(one.get("name")): str(one.get("value")) for one in body.get("environment") or ()
        }
        env["AWS_REGION"] = task.arn.split(":")[3]
        env["ECS_CONTAINER_METADATA_URI_V4"] = f"http://169.254.170.2/v4/{hex_id(32, task.id)}"
        return Surroundings(container, self._now, "root", env, "/")


class _Pipe:
    """The data channel as a terminal's pipe."""

    def __init__(self, channel: _Channel, around: Surroundings, now: Callable[[], float]) -> None:
        self._channel = channel
        self._around = around
        self._now = now
        self._sequence = 0

    async def _send(self, payload: bytes, payload_type: int) -> None:
        message = ssm.Message(
            ssm.OUTPUT, self._sequence, payload, payload_type, int(self._now() * 1000)
        )
        self._sequence += 1
        await self._channel.binary(message.encode())

    async def _next(self) -> ssm.Message | None:
        """What the client says, acknowledged; None at the end."""
        while (data := await self._channel.receive()) is not None:
            message = ssm.decode(data)
            if message.kind == ssm.INPUT:
                told = ssm.acknowledgement(message, int(self._now() * 1000))
                await self._channel.binary(told.encode())
                return message
        return None

    async def begin(self) -> None:
        """Shake hands, as agents since 2019 do."""
        action = {
            "ActionType": "SessionType",
            "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": {}},
        }
        asked = {"AgentVersion": "3.3.987.0", "RequestedClientActions": [action]}
        await self._send(json.dumps(asked).encode(), ssm.HANDSHAKE_REQUEST)
        async with asyncio.timeout(_TOKEN_SECONDS):
            while (message := await self._next()) is not None:
                if message.payload_type == ssm.HANDSHAKE_RESPONSE:
                    break
        done = {"HandshakeTimeToComplete": 1_000_000, "CustomerMessage": ""}
        await self._send(json.dumps(done).encode(), ssm.HANDSHAKE_COMPLETE)

    async def read(self) -> bytes:
        while (message := await self._next()) is not None:
            if message.payload_type == ssm.DATA and message.payload:
                return message.payload
            if message.payload_type == ssm.SIZE:
                self._resize(message.payload)
            if (
                message.payload_type == ssm.FLAG
                and message.payload == ssm.TERMINATE_SESSION.to_bytes(4, "big")
            ):
                return b""
        return b""

    def _resize(self, payload: bytes) -> None:
        size = ssm.fields(payload)
        columns, rows = size.get("cols"), size.get("rows")
        if (
            isinstance(columns, int)
            and isinstance(rows, int)
            and 0 < columns < 10_000
            and 0 < rows < 10_000
        ):
            self._around.columns, self._around.rows = columns, rows

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), _CHUNK):
            await self._send(data[start : start + _CHUNK], ssm.DATA)

    async def end(self, session: str) -> None:
        told = {
            "MessageType": ssm.CLOSED,
            "SessionId": session,
            "DestinationId": session,
            "SchemaVersion": 1,
            "CreatedDate": "",
            "Output": "",
        }
        message = ssm.Message(ssm.CLOSED, 0, json.dumps(told).encode(), 0, int(self._now() * 1000))
        await self._channel.binary(message.encode())
