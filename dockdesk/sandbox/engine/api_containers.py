"""Containers of the Engine API. Source: moby/api/swagger.yaml v1.43, tag Container."""

from __future__ import annotations

import asyncio
import base64
import json
import posixpath
import stat
from collections.abc import AsyncIterator
from typing import Any

from dockdesk.sandbox.engine import present
from dockdesk.sandbox.engine.bodies import changes_of, check_container
from dockdesk.sandbox.engine.filesystem import clean
from dockdesk.sandbox.engine.filters import Filters
from dockdesk.sandbox.engine.lifecycle import Lifecycle, stamp
from dockdesk.sandbox.engine.mounts import points_of
from dockdesk.sandbox.engine.programs import process_lines
from dockdesk.sandbox.engine.scripts import Scripts
from dockdesk.sandbox.engine.state import EngineState, SimContainer, volume_names
from dockdesk.sandbox.engine.streams import (
    encode,
    follow_logs,
    log_lines,
    newest_lines,
)
from dockdesk.sandbox.http import HttpError, Request, Response, Router, json_response

RAW_STREAM = "application/vnd.docker.raw-stream"
MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream"
TAR = "application/x-tar"
NO_CONTENT = Response(204)


class ContainersApi:
    def __init__(self, state: EngineState, lifecycle: Lifecycle) -> None:
        self._state = state
        self._life = lifecycle
        self.scripts = Scripts(state, lifecycle)

    def add_to(self, router: Router) -> None:
        router.add("GET", "/containers/json", self._list)
        router.add("POST", "/containers/create", self._create)
        router.add("POST", "/containers/prune", self._prune)
        router.add("GET", "/containers/{id}/json", self._inspect)
        router.add("GET", "/containers/{id}/top", self._top)
        router.add("GET", "/containers/{id}/logs", self._logs)
        router.add("GET", "/containers/{id}/changes", self._changes)
        router.add("GET", "/containers/{id}/export", self._export)
        router.add("GET", "/containers/{id}/stats", self._stats)
        router.add("GET", "/containers/{id}/archive", self._get_archive)
        router.add("PUT", "/containers/{id}/archive", self._put_archive)
        for verb in (
            "start",
            "stop",
            "restart",
            "kill",
            "pause",
            "unpause",
            "rename",
            "update",
            "wait",
        ):
            router.add("POST", f"/containers/{{id}}/{verb}", getattr(self, f"_{verb}"))
        router.add("DELETE", "/containers/{id}", self._remove)

    def _of(self, request: Request) -> SimContainer:
        return self._state.container(request.params["id"])

    async def _list(self, request: Request) -> Response:
        filters = Filters.of(request)
        everything = request.flag("all") or "status" in filters
        found = [
            item
            for item in self._state.containers.values()
            if (everything or item.running) and self._matches(item, filters)
        ]
        found.sort(key=lambda item: item.created, reverse=True)
        limit = int(request.first("limit") or 0)
        size = request.flag("size")
        lines = [
            present.container_line(self._state, item, size)
            for item in (found[:limit] if limit > 0 else found)
        ]
        return json_response(lines)

    def _matches(self, item: SimContainer, filters: Filters) -> bool:
        return (
            filters.starts("id", item.id)
            and filters.holds("name", f"/{item.name}", item.name)
            and filters.allows("status", item.status)
            and filters.allows("health", item.health or "none")
            and filters.allows("exited", str(item.exit_code))
            and filters.allows("ancestor", item.image_name, item.image.id, *item.image.tags)
            and filters.allows("network", *item.endpoints)
            and filters.allows("volume", *volume_names(item), *volume_names(item).values())
            and filters.labels(item.labels)
        )

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        if not isinstance(body, dict):
            raise HttpError(400, "config cannot be empty in order to create a container")
        check_container(body)
        container = self._life.create(request.first("name"), body)
        return json_response({"Id": container.id, "Warnings": []}, 201)

    async def _inspect(self, request: Request) -> Response:
        return json_response(present.container_json(self._state, self._of(request)))

    async def _top(self, request: Request) -> Response:
        container = self._of(request)
        if not container.running:
            raise HttpError(409, f"Container {container.id} is not running")
        now = self._state.clock.now()
        rows = [
            [
                user,
                str(container.pid + pid - 1),
                str(container.pid if pid > 1 else 1),
                f"{int(cpu)}",
                stamp(container.started)[11:16],
                "?",
                "00:00:01",
                command,
            ]
            for pid, user, cpu, _, command in process_lines(container, now)
        ]
        return json_response(
            {
                "Titles": ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
                "Processes": rows,
            }
        )

    async def _logs(self, request: Request) -> Response:
        container = self._of(request)
        streams = {number for number, name in ((1, "stdout"), (2, "stderr")) if request.flag(name)}
        if not streams:
            raise HttpError(400, "Bad parameters: you must choose at least one stream")
        driver = (container.host.get("LogConfig") or {}).get("Type")
        if driver == "none":
            raise HttpError(501, "configured logging driver does not support reading")
        now = self._state.clock.now()
        since = _moment(request.first("since"), now)
        until = _moment(request.first("until"), now) or now
        tail = request.first("tail", "all")
        if tail.isdigit():
            lines = newest_lines(container, since, until, int(tail))
        else:
            lines = log_lines(container, since, until)
        timestamps, tty = request.flag("timestamps"), container.tty
        follow = request.flag("follow") and not request.first("until")

        async def body() -> AsyncIterator[bytes]:
            for start in range(0, len(lines), 2000):
                yield encode(lines[start : start + 2000], tty, timestamps, streams)
                await asyncio.sleep(0)
            if follow and container.running:
                async for more in follow_logs(container, self._state.clock, until):
                    yield encode(more, tty, timestamps, streams)

        return Response(body=body(), content_type=RAW_STREAM if tty else MULTIPLEXED_STREAM)

    async def _changes(self, request: Request) -> Response:
        changes = self._of(request).files.changes()
        return json_response([{"Path": path, "Kind": kind} for path, kind in changes])

    async def _export(self, request: Request) -> Response:
        container = self._of(request)
        data = await asyncio.to_thread(container.files.tar, "/", False)
        return Response(body=data, content_type=TAR)

    async def _stats(self, request: Request) -> Response:
        container = self._of(request)
        clock = self._state.clock
        first = present.stats_json(container, clock.now(), None)
        if not request.flag("stream", True):
            if not request.flag("one-shot"):
                await asyncio.sleep(0.1)
                first = present.stats_json(container, clock.now(), first)
            return json_response(first)

        async def body() -> AsyncIterator[bytes]:
            before: dict[str, Any] | None = None
            while not container.removed.is_set():
                message = present.stats_json(container, clock.now(), before)
                yield json.dumps(message, separators=(",", ":")).encode() + b"\n"
                before = message
                try:
                    await asyncio.wait_for(container.removed.wait(), 1.0)
                except TimeoutError:
                    continue

        return Response(body=body())

    async def _get_archive(self, request: Request) -> Response:
        container = self._of(request)
        asked = request.first("path")
        if not asked:
            raise HttpError(400, "missing parameter: path")
        files, path = container.view, clean(asked)
        node = files.get(path)
        if node is None:
            path, node = files.find(path)
        info = {
            "name": posixpath.basename(clean(asked)) or "/",
            "size": len(node.data) if not node.is_folder else 4096,
            "mode": _go_mode(node.mode),
            "mtime": stamp(node.modified),
            "linkTarget": clean(posixpath.join(posixpath.dirname(path), node.link))
            if node.is_link
            else "",
        }
        headers = {
            "X-Docker-Container-Path-Stat": base64.b64encode(json.dumps(info).encode()).decode()
        }
        if request.method == "HEAD":
            return Response(headers=headers)
        data = await asyncio.to_thread(files.tar, clean(asked))
        return Response(body=data, content_type=TAR, headers=headers)

    async def _put_archive(self, request: Request) -> Response:
        container = self._of(request)
        data = await request.body()
        target = clean(request.first("path"))
        below = any(
            f"{target}/".startswith(f"{point.target}/") for point in points_of(container.host)
        )
        if container.host.get("ReadonlyRootfs") and not below:
            raise HttpError(400, "container rootfs is marked read-only")
        container.view.untar(data, clean(request.first("path")), self._state.clock.now())
        return Response()

    async def _start(self, request: Request) -> Response:
        container = self._of(request)
        self._life.start(container)
        if container.program.logs == "quiet" and 0 < container.program.runs_for < 1:
            await self.scripts.start(container)
        return NO_CONTENT

    async def _stop(self, request: Request) -> Response:
        container = self._of(request)
        await self._life.stop(container, _patience(request, container))
        return NO_CONTENT

    async def _restart(self, request: Request) -> Response:
        container = self._of(request)
        await self._life.restart(container, _patience(request, container))
        return NO_CONTENT

    async def _kill(self, request: Request) -> Response:
        self._life.kill(self._of(request), request.first("signal", "SIGKILL"))
        return NO_CONTENT

    async def _pause(self, request: Request) -> Response:
        self._life.pause(self._of(request))
        return NO_CONTENT

    async def _unpause(self, request: Request) -> Response:
        self._life.unpause(self._of(request))
        return NO_CONTENT

    async def _rename(self, request: Request) -> Response:
        self._life.rename(self._of(request), request.first("name"))
        return NO_CONTENT

    async def _update(self, request: Request) -> Response:
        container = self._of(request)
        container.host.update(changes_of(await request.json() or {}))
        self._life.tell(container, "update")
        return json_response({"Warnings": []})

    async def _wait(self, request: Request) -> Response:
        container = self._of(request)
        condition = request.first("condition")

        async def body() -> AsyncIterator[bytes]:
            if condition == "removed":
                await container.removed.wait()
            elif container.running or condition == "next-exit":
                while container.status == "created" and not container.removed.is_set():
                    await asyncio.sleep(0.02)
                await container.ended.wait()
            yield json.dumps({"StatusCode": container.exit_code}).encode()

        # The head goes out at once: `docker run` waits for it before it starts the container.
        return Response(body=body())

    async def _remove(self, request: Request) -> Response:
        self._life.remove(self._of(request), request.flag("force"), request.flag("v"))
        return NO_CONTENT

    async def _prune(self, request: Request) -> Response:
        filters = Filters.of(request)
        gone = [
            item
            for item in list(self._state.containers.values())
            if not item.running and filters.labels(item.labels)
        ]
        freed = sum(item.files.size() for item in gone)
        for item in gone:
            self._life.remove(item, False, False)
        self._state.events.emit("container", "prune", "", {"reclaimed": str(freed)})
        return json_response(
            {"ContainersDeleted": [item.id for item in gone] or None, "SpaceReclaimed": freed}
        )


def _patience(request: Request, container: SimContainer) -> float:
    """How long a container may take to stop, in s: what is asked for, else what it was made with."""
    asked = request.first("t") or str(container.config.get("StopTimeout") or 10)
    try:
        seconds = float(asked)
    except ValueError:
        raise HttpError(400, f"invalid value for t: {asked}") from None
    return seconds if seconds >= 0 else float("inf")


def _moment(text: str, now: float) -> float:
    """A since or until parameter: seconds since 1970, or 0 where there is none. Raises HttpError 400."""
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        raise HttpError(400, f"invalid value for a time: {text}") from None
    return now + value if value < 0 else value


def _go_mode(mode: int) -> int:
    """st_mode as Go's os.FileMode writes it. Source: Go io/fs."""
    value = stat.S_IMODE(mode) & 0o777
    if stat.S_ISDIR(mode):
        value |= 1 << 31
    if stat.S_ISLNK(mode):
        value |= 1 << 27
    if stat.S_ISFIFO(mode):
        value |= 1 << 25
    for bit, flag in ((stat.S_ISUID, 23), (stat.S_ISGID, 22), (stat.S_ISVTX, 20)):
        if mode & bit:
            value |= 1 << flag
    return value
