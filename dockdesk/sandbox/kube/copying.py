"""tar in a container, as `kubectl cp` and its like use it: an archive out of, or into, its files."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.kube.websocket import STDERR, ExecPipe, WebSocket

_MOST = 256 << 20
_END = bytes(1024)


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
            around.files.untar(await _taken(pipe), around.path(folder), around.now())
            return 0
    except HttpError as error:
        await socket.send(STDERR, f"tar: {error.message}\n".encode())
        return 2
    await socket.send(STDERR, b"tar: only c and x, from and to -, are simulated\n")
    return 2


async def _pack(around: Surroundings, folder: str, paths: Sequence[str], pipe: ExecPipe) -> int:
    archives = [
        around.files.tar(around.path(f"{folder}/{path}" if not path.startswith("/") else path))
        for path in paths
    ]
    for number, archive in enumerate(archives):
        # Only the last archive's end is the end.
        data = archive if number == len(archives) - 1 else archive.rstrip(b"\0")
        data += bytes(-len(data) % 512)
        for start in range(0, len(data), 1 << 15):
            await pipe.write(data[start : start + (1 << 15)])
    return 0


async def _taken(pipe: ExecPipe) -> bytes:
    """An archive from the standard input: to its end, or to tar's own mark of the end."""
    parts, size = [], 0
    while data := await pipe.read():
        if pipe.ended:
            break
        parts.append(data)
        size += len(data)
        if size > _MOST:
            raise HttpError(413, "the archive is too large")
        if size % 512 == 0 and b"".join(parts[-2:]).endswith(_END):
            break
    return b"".join(parts)
