"""Logs and terminals of simulated containers as the Engine API frames them. Source: Engine API, "stream format"."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.loglines import STDOUT, first_lines, lines_between
from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.engine.shell import InterruptedByUserError, LineEditor, Shell, keys_of
from dockdesk.sandbox.engine.state import SimContainer
from dockdesk.sandbox.http import Request
from dockdesk.sandbox.world.clock import Clock

_BATCH_BYTES = 1 << 16
Line = tuple[float, int, bytes]


def framed(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def log_lines(container: SimContainer, since: float, until: float) -> list[Line]:
    """What a container wrote in [since, until), in order."""
    found: list[Line] = []
    spans = list(container.runs)
    if container.running:
        spans.append((container.started, until))
    style, seed = container.program.logs, f"{container.name}/{container.image_name}"
    for start, end in spans:
        if end < since or start >= until:
            continue
        found += [
            (at, stream, line.encode() + b"\n")
            for at, stream, line in first_lines(style, start)
            if since <= at < until
        ]
        low, high = max(start + 0.05, since), min(end, until)
        found += [
            (at, stream, line.encode() + b"\n")
            for at, stream, line in lines_between(style, seed, low, high)
        ]
    spoken = [line for line in container.spoken if since <= line[0] < until]
    return sorted(found + spoken, key=lambda line: line[0]) if spoken else found


def newest_lines(container: SimContainer, since: float, until: float, tail: int) -> list[Line]:
    """The last ``tail`` lines, looking back no further than it takes: weeks of history are not made for ten lines."""
    span = 60.0
    oldest = min([start for start, _ in container.runs] + [container.started or until])
    floor = max(since, oldest)
    while True:
        low = max(until - span, floor)
        lines = log_lines(container, low, until)
        if len(lines) >= tail or low <= floor:
            return lines[-tail:] if tail else []
        span *= 4


async def follow_logs(
    container: SimContainer, clock: Clock, since: float
) -> AsyncIterator[list[Line]]:
    """Lines as they are written, until the container ends."""
    while True:
        ended = not container.running
        now = clock.now()
        if lines := log_lines(container, since, now):
            yield lines
        since = now
        if ended:
            return
        try:
            await asyncio.wait_for(container.ended.wait(), 0.25)
        except TimeoutError:
            continue


def encode(lines: list[Line], tty: bool, timestamps: bool, streams: set[int]) -> bytes:
    """Lines as the log endpoint sends them: framed, or raw for a TTY."""
    parts = []
    for at, stream, data in lines:
        if not tty and stream not in streams:
            continue
        text = stamp(at).encode() + b" " + data if timestamps else data
        parts.append(text.replace(b"\n", b"\r\n") if tty else framed(stream, text))
    return b"".join(parts)


class Pipe(Protocol):
    """Both ways between a program and whoever talks to it."""

    async def read(self) -> bytes:
        """What was typed; nothing at its end."""
        ...

    async def write(self, data: bytes) -> None: ...


class HijackedPipe:
    """A connection that was taken over: raw for a TTY, else framed."""

    def __init__(self, request: Request, tty: bool) -> None:
        self._request = request
        self._tty = tty

    async def read(self) -> bytes:
        return await self._request.reader.read(_BATCH_BYTES)

    async def write(self, data: bytes) -> None:
        self._request.writer.write(data if self._tty else framed(STDOUT, data))
        await self._request.writer.drain()


class Terminal:
    """A shell, or one command, at one end of a pipe."""

    def __init__(self, pipe: Pipe, around: Surroundings, tty: bool) -> None:
        self._pipe = pipe
        self._tty = tty
        self._keys: asyncio.Queue[str] = asyncio.Queue(10_000)
        self._shell = Shell(around, self._keys if tty else None)
        self.said: Callable[[bytes], None] | None = (
            None  # keeps what was written in the container's log
        )

    async def _write(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        if self._tty:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if self.said is not None:
            self.said(data)
        await self._pipe.write(data)

    async def run(self, line: str) -> int:
        """One command, not interactive; the connection's end ends it."""
        reading = asyncio.create_task(self._read())
        running = asyncio.create_task(self._shell.run(line, self._write))
        try:
            await asyncio.wait(
                {running, reading} if self._tty else {running}, return_when=asyncio.FIRST_COMPLETED
            )
            if running.done():
                return running.result()
            return 137
        except InterruptedByUserError:
            return 130
        finally:
            for task in (running, reading):
                task.cancel()
            await asyncio.gather(running, reading, return_exceptions=True)

    async def interact(self, ended: asyncio.Event) -> int:
        """A prompt until exit, Ctrl+D, the connection's end, or the container's (``ended``)."""
        reading = asyncio.create_task(self._read())
        talking = asyncio.create_task(self._talk())
        ending = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait({reading, talking, ending}, return_when=asyncio.FIRST_COMPLETED)
            return talking.result() if talking.done() else 137
        finally:
            for task in (reading, talking, ending):
                task.cancel()
            await asyncio.gather(reading, talking, ending, return_exceptions=True)

    async def _read(self) -> None:
        while data := await self._pipe.read():
            for key in keys_of(data.decode("utf-8", "replace")):
                await self._keys.put(key)

    async def _talk(self) -> int:
        shell, editor = self._shell, LineEditor()
        if self._tty:
            await self._write(shell.prompt)
        while not shell.exited:
            key = await self._keys.get()
            if key == "\x03":
                editor = _cleared(editor)
                await self._write(f"^C\n{shell.prompt}")
                continue
            if key == "\x04" and not editor.text:
                return shell.code
            echo, line = editor.feed(key)
            if echo and self._tty:
                await self._write(echo)
            if line is None:
                continue
            try:
                await shell.run(line, self._write)
            except InterruptedByUserError:
                await self._write("^C\n")
                shell.code = 130
            if not shell.exited and self._tty:
                await self._write(shell.prompt)
        return shell.code


def _cleared(editor: LineEditor) -> LineEditor:
    editor.text, editor.cursor = "", 0
    return editor
