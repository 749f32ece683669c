"""Terminals in containers: exec and attach over a connection that carries raw bytes both ways.

Sources: Engine API, ContainerExec, ExecStart, ExecResize, ContainerAttach ("Hijacking").
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from dockdesk.backends.engine.base import EnginePart
from dockdesk.backends.engine.client import EngineClient, quoted
from dockdesk.backends.engine.exchange import Exchange
from dockdesk.backends.engine.frames import FrameSplitter
from dockdesk.backends.engine.streams import Decoder, EngineStream, StreamHub
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    RemoteError,
)
from dockdesk.core.streams import Sink

# Best first. Folders in the order of a usual PATH.
_SHELLS = ("bash", "zsh", "fish", "ash", "ksh", "dash", "sh")
_SHELL_FOLDERS = ("/bin", "/usr/bin", "/usr/local/bin", "/busybox")

# The engine holds back the first key of this sequence until the next: its own default, Ctrl+P, is one that shells use.
_DETACH_KEYS = "ctrl-^,ctrl-_,ctrl-^,ctrl-_"

_INTERRUPT = b"\x03"
_END_OF_INPUT = b"\x04"
# Between the two: a shell that has just been interrupted drops what it had been sent.
_CLOSE_PAUSE = 0.1
_VERIFY_TRIES = 20
_VERIFY_PAUSE = 0.1
_CLOSE_ROUNDS = 8  # a program in a shell in a shell …


class BytesDecoder:
    """A terminal's output as it is."""

    def feed(self, pieces: Sequence[bytes]) -> list[bytes]:
        return [piece for piece in pieces if piece]


class DemuxedDecoder:
    """Output of a container without a TTY, stdout and stderr in the order in which they came."""

    def __init__(self) -> None:
        self._splitter = FrameSplitter()

    def feed(self, pieces: Sequence[bytes]) -> list[bytes]:
        return [chunk.data for chunk in self._splitter.feed(pieces)]


class AttachSession:
    """A container's own main process; `close` leaves it running, as detaching does."""

    def __init__(self, hub: StreamHub, id: str) -> None:
        self._hub = hub
        self._id = id
        self._stream: EngineStream[bytes] | None = None

    def begin(self, stream: EngineStream[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.send(data)

    def resize(self, columns: int, rows: int) -> None:
        _resize(self._hub.client, f"/containers/{quoted(self._id)}/resize", columns, rows)

    def exit_code(self) -> int | None:
        state = self._hub.client.get(f"/containers/{quoted(self._id)}/json")["State"]
        return None if state.get("Running") else int(state.get("ExitCode", 0))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


class TerminalSession:
    """A process started by exec."""

    def __init__(self, hub: StreamHub, exec_id: str) -> None:
        self._hub = hub
        self._exec_id = exec_id
        self._stream: EngineStream[bytes] | None = None
        self._lock = threading.Lock()
        self._closing = False

    def begin(self, stream: EngineStream[bytes]) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        if self._stream is not None and not self._closing:
            self._stream.send(data)

    def resize(self, columns: int, rows: int) -> None:
        _resize(self._hub.client, f"/exec/{self._exec_id}/resize", columns, rows)

    def exit_code(self) -> int | None:
        state = self._hub.client.get(f"/exec/{self._exec_id}/json")
        return None if state.get("Running") else int(state.get("ExitCode") or 0)

    def verify(self) -> DockDeskError | None:
        """Whether the process has ended, now that its connection has. An engine started anew does not know it."""
        for _ in range(_VERIFY_TRIES):
            try:
                if self.exit_code() is not None:
                    return None
            except NotFoundError:
                break
            # The engine notes the exit a little after the terminal is closed.
            time.sleep(_VERIFY_PAUSE)
        return self._hub.lost()

    def close(self) -> None:
        """Ctrl+C, a pause, Ctrl+D, and again for what runs below, until the engine says that the process is gone."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        if self._stream is not None:
            self._stream.mute()
            self._hub.reactor.call(lambda: self._round(_CLOSE_ROUNDS))

    def _round(self, left: int) -> None:
        stream = self._stream
        if stream is None or stream.over:
            return
        if not left:
            stream.close()
            return
        stream.send(_INTERRUPT)
        later = self._hub.reactor.later

        def end_input() -> None:
            stream.send(_END_OF_INPUT)
            later(_CLOSE_PAUSE, lambda: self._round(left - 1))

        later(_CLOSE_PAUSE, end_input)


class Terminals(EnginePart):
    """See Executes in core/ports.py."""

    hub: StreamHub

    def shells(self, id: str) -> list[str]:
        found: list[str] = []
        for shell in _SHELLS:
            for folder in _SHELL_FOLDERS:
                path = f"{folder}/{shell}"
                if self._is_there(id, path):
                    found.append(path)
                    break
        if not found:
            self.client.get(f"/containers/{quoted(id)}/json", title="No such container")
        return found

    def execute(
        self,
        id: str,
        command: Sequence[str],
        sink: Sink[bytes],
        columns: int = 80,
        rows: int = 24,
        user: str = "",
        workdir: str = "",
        env: Sequence[str] = (),
    ) -> TerminalSession:
        title = "The command could not be started"
        wanted: dict[str, Any] = {
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "Tty": True,
            "DetachKeys": _DETACH_KEYS,
            "Cmd": list(command),
            "Env": ["TERM=xterm-256color", *env],
            "User": user,
            "WorkingDir": workdir,
        }
        start: dict[str, Any] = {"Detach": False, "Tty": True}
        if self.client.speaks("1.42"):
            wanted["ConsoleSize"] = start["ConsoleSize"] = [rows, columns]
        made = self.client.post(f"/containers/{quoted(id)}/exec", json=wanted, title=title)
        session = TerminalSession(self.hub, made["Id"])

        path = f"/exec/{made['Id']}/start"
        exchange = self.client.hijack(path, json=start, title=title)
        stream = EngineStream(
            self.hub, exchange.reader, BytesDecoder(), sink, title, session.verify, session.close
        )
        session.begin(stream)
        self._adopt(exchange, stream)
        _first_resize(session, columns, rows)
        return session

    def attach(
        self, id: str, sink: Sink[bytes], columns: int = 80, rows: int = 24
    ) -> AttachSession:
        title = "The container's terminal could not be opened"
        detail = self.client.get(f"/containers/{quoted(id)}/json", title=title)
        started = detail["State"].get("StartedAt")
        tty = bool(detail["Config"]["Tty"])
        session = AttachSession(self.hub, id)

        def verify() -> DockDeskError | None:
            for _ in range(_VERIFY_TRIES):
                try:
                    state = self.client.get(f"/containers/{quoted(id)}/json")["State"]
                except NotFoundError:
                    return None
                if not state.get("Running") or state.get("StartedAt") != started:
                    return None
                time.sleep(_VERIFY_PAUSE)  # the engine notes the exit a little after
            return self.hub.lost()

        params = {
            "stream": True,
            "stdin": True,
            "stdout": True,
            "stderr": True,
            "detachKeys": _DETACH_KEYS,
        }
        path = f"/containers/{quoted(id)}/attach"
        decoder: Decoder[bytes] = BytesDecoder() if tty else DemuxedDecoder()
        exchange = self.client.hijack(path, params, title=title)
        stream = EngineStream(self.hub, exchange.reader, decoder, sink, title, verify)
        session.begin(stream)
        self._adopt(exchange, stream)
        if tty:
            _first_resize(session, columns, rows)
        return session

    def _adopt(self, exchange: Exchange, stream: EngineStream[bytes]) -> None:
        try:
            self.hub.adopt(exchange, stream)
        finally:
            exchange.close()

    def _is_there(self, id: str, path: str) -> bool:
        try:
            self.client.head(f"/containers/{quoted(id)}/archive", {"path": path})
        except (NotFoundError, InvalidInputError, RemoteError):
            return False  # engines differ in what they say of a path below a file
        return True


def _resize(client: EngineClient, path: str, columns: int, rows: int) -> None:
    client.post(path, {"h": max(1, rows), "w": max(1, columns)}, title="The terminal kept its size")


def _first_resize(session: TerminalSession | AttachSession, columns: int, rows: int) -> None:
    """The process may not have its terminal yet when the connection stands: try a few times, as the docker CLI does.

    A terminal of the wrong size still works, so a failure is not one of the session.
    """
    for attempt in range(5):
        try:
            session.resize(columns, rows)
            return
        except (ConflictError, NotFoundError, RemoteError):
            time.sleep(0.01 * (attempt + 1))
