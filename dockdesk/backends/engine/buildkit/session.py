"""The session that a build needs: a connection on which the engine is the client, and DockDesk the server.

Source: Engine API, Session; moby/buildkit, session/manager.go.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

from dockdesk.backends.engine.client import EngineClient
from dockdesk.core.errors import NotSupportedError
from dockdesk.core.work import Work
from dockdesk.wire.buildkit import (
    HEALTH_CHECK,
    SESSION_ID,
    SESSION_KEY,
    SESSION_METHOD,
    SESSION_NAME,
    HealthResponse,
)
from dockdesk.wire.grpc import Handler, Server, unary
from dockdesk.wire.http2 import Connection
from dockdesk.wire.protobuf import encode

_PATIENCE = 60.0


def upgraded(
    client: EngineClient,
    path: str,
    headers: Mapping[str, str | tuple[str, ...]],
    title: str,
    work: Work,
) -> tuple[socket.socket, bytes]:
    """A connection to the engine that speaks HTTP/2 from here on, and what came over it already.

    Raise NotSupportedError where the engine has no such thing.
    """
    exchange = client.stream(
        "POST",
        path,
        headers={"Connection": "Upgrade", "Upgrade": "h2c", **headers},
        timeout=_PATIENCE,
        title=title,
        work=work,
    )
    if exchange.status != 101:
        exchange.close()
        raise NotSupportedError(title, "The engine did not open a two-way connection.")
    sock, received = exchange.detach()
    return sock, b"".join(received)


class Session:
    """Open while a build runs; a context manager. ``lost`` is true once the engine has let go of it."""

    def __init__(self, handlers: Mapping[str, Handler], shared_key: str = "") -> None:
        self.id = uuid.uuid4().hex
        self._handlers = {HEALTH_CHECK: unary(lambda _: encode(HealthResponse(1))), **handlers}
        self._server = Server(self._handlers, name="buildkit-session")
        self._shared_key = shared_key
        self._connection: Connection | None = None
        self._lost = threading.Event()

    @property
    def lost(self) -> bool:
        return self._lost.is_set()

    def open(self, client: EngineClient, title: str, work: Work) -> None:
        headers: dict[str, str | tuple[str, ...]] = {
            SESSION_ID: self.id,
            SESSION_NAME: "dockdesk",
            SESSION_KEY: self._shared_key,
            # Only what is answered is told: the engine falls back to what it finds.
            SESSION_METHOD: tuple(self._handlers),
        }
        sock, received = upgraded(client, "/session", headers, title, work)
        self._connection = self._server.serve(sock, received, on_close=self._lost.set)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._server.join()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def shared_key(context: Path) -> str:
    """What tells this folder from others, of this computer and user, in the engine's memory of contexts."""
    place = f"{_machine()}:{os.getuid()}:{context.resolve()}"
    return hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()


def _machine() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return socket.gethostname()
