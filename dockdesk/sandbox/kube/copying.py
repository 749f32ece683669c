"""tar in a container, as `kubectl cp` and its like use it: an archive out of, or into, its files."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Sequence

from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.kube.websocket import PROTOCOLS, STDERR, ExecPipe, WebSocket

_MOST = 256 << 20
_END = bytes(1024)
_PIECE = 1 << 15
_PADDING_SECONDS = 0.3


async def tar(words: Sequence[str], around: Surroundings, socket: WebSocket, pipe: ExecPipe) -> int:
    """Run `tar cf - PATH…` or `tar xf - [-C FOLDER]`; returns its exit code."""
    letters = next((word for word in words if word.strip("-")), "").lstrip("-")
    folder, paths, rest = ".", [], [word for word in words[1:] if word != "-"]
    while rest:
        word = rest.pop(0)
        if word == "-C" and rest:
            folder = rest.pop(0)
        elif not word.startswith("-"):
            paths.append(word)
    try:
        if "c" in letters:
            return await _pack(around, folder, paths, pipe)
        if "x" in letters:
            around.files.untar(
                await _taken(pipe, socket.protocol == PROTOCOLS[0]),
                around.path(folder),
                around.now(),
            )
            return 0
    except HttpError as error:
        await socket.send(STDERR, f"tar: {error.message}\n".encode())
        return 2
    await socket.send(STDERR, b"tar: only c and x, from and to -, are simulated\n")
    return 2


async def _pack(around: Surroundings, folder: str, paths: Sequence[str], pipe: ExecPipe) -> int:
    """Members are named as they were asked for, without a leading slash, as tar does it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in paths:
            whole = path if path.startswith("/") else f"{folder}/{path}"
            above = path.strip("/").rpartition("/")[0]
            with tarfile.open(fileobj=io.BytesIO(around.files.tar(around.path(whole)))) as inner:
                for member in inner:
                    member.name = f"{above}/{member.name}" if above else member.name
                    archive.addfile(member, inner.extractfile(member) if member.isfile() else None)
    data = buffer.getvalue()
    for start in range(0, len(data), _PIECE):
        await pipe.write(data[start : start + _PIECE])
    return 0


async def _taken(pipe: ExecPipe, ends: bool) -> bytes:
    """An archive from the standard input: to its end, or where that can't be told (v4) to tar's own mark of it.

    What pads the archive after the mark is read too: a client that is cut off while it still sends sees an error.
    """
    parts, size, marked = [], 0, False
    while True:
        try:
            async with asyncio.timeout(_PADDING_SECONDS if marked and not ends else None):
                data = await pipe.read()
        except TimeoutError:
            break
        if not data or pipe.ended:
            break
        parts.append(data)
        size += len(data)
        if size > _MOST:
            raise HttpError(413, "the archive is too large")
        marked = marked or (size % 512 == 0 and b"".join(parts[-2:]).endswith(_END))
    return b"".join(parts)
