"""Sessions: connections that clients open for their builds, on which this side asks and the client answers.

Source: moby/buildkit, session/manager.go, session/auth, session/secrets; Engine API, Session.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dockdesk.sandbox.buildkit import sync
from dockdesk.sandbox.buildkit.messages import UPLOAD_PULL
from dockdesk.sandbox.engine.filesystem import Node
from dockdesk.sandbox.engine.registry_client import Credentials
from dockdesk.wire.buildkit import (
    CHECK_AGENT,
    CREDENTIALS,
    FILE_SEND,
    GET_SECRET,
    HEALTH_CHECK,
    BytesMessage,
    CheckAgentRequest,
    CredentialsRequest,
    CredentialsResponse,
    GetSecretRequest,
    GetSecretResponse,
    HealthResponse,
)
from dockdesk.wire.grpc import Client, Code, GrpcError
from dockdesk.wire.protobuf import decode, encode

_WAIT_SECONDS = 5.0
_ASK_SECONDS = 30.0
_FOLDERS = 16
_LARGEST_UPLOAD = 256 << 20
_HUB = "registry-1.docker.io"


class Session:
    """One client's. ``methods`` are what it says it answers, in lower case; ``key`` names its folders for the next time."""

    def __init__(
        self, id: str, client: Client, methods: frozenset[str], key: str, ended: asyncio.Event
    ) -> None:
        self.id = id
        self.key = key
        self.ended = ended
        self._client = client
        self._methods = methods

    def offers(self, method: str) -> bool:
        return method.lower() in self._methods

    async def _ask(self, method: str, request: bytes) -> bytes:
        return await asyncio.to_thread(self._client.ask, method, request, (), _ASK_SECONDS)

    async def check(self) -> None:
        """Raises GrpcError where the client does not serve."""
        answer = await self._ask(HEALTH_CHECK, b"")
        if decode(HealthResponse, answer).status != 1:
            raise GrpcError(Code.UNAVAILABLE, "the session's client is not serving")

    async def folder(
        self, wanted: sync.Wanted, known: sync.Folder, moved: Callable[[int], None]
    ) -> sync.Folder:
        return await asyncio.to_thread(sync.receive, self._client, wanted, known, moved)

    async def secret(self, id: str) -> bytes | None:
        """A secret, None where the client has none of this name."""
        if not self.offers(GET_SECRET):
            return None
        try:
            answer = await self._ask(GET_SECRET, encode(GetSecretRequest(id)))
        except GrpcError as error:
            if error.code in {Code.NOT_FOUND, Code.UNIMPLEMENTED}:
                return None
            raise
        return decode(GetSecretResponse, answer).content

    async def has_agent(self, id: str) -> bool:
        if not self.offers(CHECK_AGENT):
            return False
        try:
            await self._ask(CHECK_AGENT, encode(CheckAgentRequest(id)))
        except GrpcError:
            return False
        return True

    async def credentials(self, host: str) -> Credentials:
        """The client's login for a registry; none where it has none."""
        if not self.offers(CREDENTIALS):
            return Credentials()
        try:
            answer = await self._ask(CREDENTIALS, encode(CredentialsRequest(host)))
        except GrpcError as error:
            if error.code in {Code.NOT_FOUND, Code.UNIMPLEMENTED, Code.UNKNOWN}:
                return Credentials()
            raise
        found = decode(CredentialsResponse, answer)
        if not found.username:
            return Credentials(identity_token=found.secret)
        return Credentials(found.username, found.secret)

    async def upload(self, path: str) -> bytes:
        """What the client uploads under a URL's path."""
        return await asyncio.to_thread(self._upload, path)

    def _upload(self, path: str) -> bytes:
        call = self._client.call(UPLOAD_PULL, [("urlpath", path), ("urlhost", "buildkit-session")])
        data = bytearray()
        for message in call:
            data += decode(BytesMessage, message).content
            if len(data) > _LARGEST_UPLOAD:
                raise GrpcError(Code.RESOURCE_EXHAUSTED, "larger than the sandbox holds")
        return bytes(data)

    def receives(self) -> None:
        """Raises GrpcError where the client takes no results."""
        if not self.offers(FILE_SEND):
            raise GrpcError(Code.UNKNOWN, f"method {FILE_SEND} not supported by the client")

    async def give_folder(
        self, number: int, tree: Mapping[str, Node], moved: Callable[[int], None]
    ) -> None:
        self.receives()
        await asyncio.to_thread(sync.send_folder, self._client, number, tree, moved)

    async def give_file(self, number: int, data: bytes, moved: Callable[[int], None]) -> None:
        self.receives()
        await asyncio.to_thread(sync.send_file, self._client, number, data, moved)

    async def close(self) -> None:
        await asyncio.to_thread(self._client.close)


@dataclass(slots=True)
class Sessions:
    """All that are open, and what their folders held when they were last sent."""

    _open: dict[str, Session] = field(default_factory=dict)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _folders: OrderedDict[tuple[str, str], sync.Folder] = field(default_factory=OrderedDict)

    async def serve(self, sock: socket.socket, received: bytes, headers: Mapping[str, str]) -> None:
        """Be the client on a connection until it ends."""
        loop, id = asyncio.get_running_loop(), headers.get("x-docker-expose-session-uuid", "")
        listed = headers.get("x-docker-expose-session-grpc-method", "")
        methods = frozenset(name.strip().lower() for name in listed.split(",") if name.strip())
        ended = asyncio.Event()

        def on_close() -> None:
            loop.call_soon_threadsafe(ended.set)

        client = Client(sock, received, name="sandbox-session", on_close=on_close)
        key = headers.get("x-docker-expose-session-sharedkey", "")
        session = Session(id, client, methods, key, ended)
        try:
            await session.check()
            self._open[id] = session
            arrived, self._arrived = self._arrived, asyncio.Event()
            arrived.set()
            await ended.wait()
        except GrpcError:
            return  # a client that does not serve has no session
        finally:
            self._open.pop(id, None)
            await session.close()

    async def get(self, id: str) -> Session:
        """A session, which may be about to open. Raises GrpcError."""
        deadline = asyncio.get_running_loop().time() + _WAIT_SECONDS
        while id not in self._open:
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._arrived.wait(), max(left, 0))
            except TimeoutError:
                text = f"no active session for {id}: context deadline exceeded"
                raise GrpcError(Code.UNKNOWN, text) from None
        return self._open[id]

    def known(self, session: Session, hint: str) -> sync.Folder:
        return self._folders.get((session.key or session.id, hint)) or sync.Folder()

    def keep(self, session: Session, hint: str, folder: sync.Folder) -> None:
        self._folders[session.key or session.id, hint] = folder
        self._folders.move_to_end((session.key or session.id, hint))
        while len(self._folders) > _FOLDERS:
            self._folders.popitem(last=False)

    def forget_folders(self) -> None:
        self._folders.clear()

    async def close(self) -> None:
        for session in list(self._open.values()):
            await session.close()


def host_of_login(registry: str) -> str:
    """What a client is asked for, given a registry's address; Docker Hub has a name of its own."""
    return registry or _HUB
