"""What a build tells: kept from its beginning, so that whoever comes later hears it too.

It belongs to the event loop. What is told goes to listeners as encoded StatusResponse messages: several of them, one
after the other, are again one such message.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace

from dockdesk.wire.buildkit import (
    Position,
    Range,
    SourceInfo,
    StatusResponse,
    Timestamp,
    Vertex,
    VertexLog,
    VertexStatus,
    VertexWarning,
)
from dockdesk.wire.protobuf import encode

_GATHER_SECONDS = 0.03
_STEP_LOG = 2 << 20  # BuildKit's own limits, in bytes, and bytes a second
_STEP_RATE = 200 << 10


class Journal:
    """``now`` gives the world's time."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._told: list[bytes] = []
        self._changed = asyncio.Event()
        self.over = False
        self.vertexes: dict[str, Vertex] = {}
        self.warnings = 0

    @property
    def size(self) -> int:
        return sum(map(len, self._told))

    def stamp(self) -> Timestamp:
        return Timestamp.at(self._now())

    def _tell(self, response: StatusResponse) -> None:
        self._told.append(encode(response))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def vertex(self, vertex: Vertex) -> None:
        self.vertexes[vertex.digest] = vertex
        self._tell(StatusResponse(vertexes=(vertex,)))

    def status(self, status: VertexStatus) -> None:
        self._tell(StatusResponse(statuses=(status,)))

    def log(self, digest: str, data: bytes, stream: int) -> None:
        self._tell(StatusResponse(logs=(VertexLog(digest, self.stamp(), stream, data),)))

    def warn(self, warning: VertexWarning) -> None:
        self.warnings += 1
        self._tell(StatusResponse(warnings=(warning,)))

    def end(self) -> None:
        """Nothing more will come."""
        self.over = True
        self._changed.set()

    async def after(self, position: int) -> tuple[bytes, int]:
        """What was told from a position on, waiting for some, and where that ends; empty at the end of all."""
        while position >= len(self._told):
            if self.over:
                return b"", position
            await self._changed.wait()
        if not self.over:
            await asyncio.sleep(_GATHER_SECONDS)
        end = len(self._told)
        return b"".join(self._told[position:end]), end

    async def follow(self) -> AsyncIterator[bytes]:
        position = 0
        while True:
            data, position = await self.after(position)
            if not data:
                return
            yield data


class Telling:
    """One vertex of a build, while it is worked on."""

    def __init__(self, journal: Journal, vertex: Vertex) -> None:
        self.journal = journal
        self.vertex = vertex
        self._logged = 0
        self._second, self._in_second, self._clipped = 0, 0, ""

    @property
    def digest(self) -> str:
        return self.vertex.digest

    def _change(self, vertex: Vertex) -> None:
        self.vertex = vertex
        self.journal.vertex(vertex)

    def announce(self) -> None:
        self._change(self.vertex)

    def start(self) -> None:
        self._change(replace(self.vertex, started=self.journal.stamp()))

    def finish(self, error: str = "", cached: bool = False) -> None:
        stamp = self.journal.stamp()
        started = self.vertex.started or stamp
        self._change(
            replace(self.vertex, started=started, completed=stamp, error=error, cached=cached)
        )

    def status(self, id: str, name: str = "", total: int = 0) -> Progress:
        """Something that the vertex does, which has begun now."""
        made = Progress(self.journal, VertexStatus(id, self.digest, name, 0, total))
        made.begin()
        return made

    def log(self, text: str | bytes, stream: int = 1) -> None:
        """Output, clipped as BuildKit clips it."""
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._in_second = second, 0
        room = min(_STEP_LOG - self._logged, _STEP_RATE - self._in_second)
        kept = data[: max(room, 0)]
        self._logged += len(kept)
        self._in_second += len(kept)
        if kept:
            self.journal.log(self.digest, kept, stream)
        if len(kept) < len(data):
            limit = "2MiB" if self._logged >= _STEP_LOG else "200KiB/s"
            if self._clipped != limit:
                self._clipped = limit
                note = f"\n[output clipped, log limit {limit} reached]\n"
                self.journal.log(self.digest, note.encode(), 2)

    def warn(
        self,
        short: str,
        detail: str,
        url: str,
        source: SourceInfo,
        lines: Sequence[tuple[int, int]],
    ) -> None:
        ranges = tuple(Range(Position(first), Position(last)) for first, last in lines)
        details = (detail.encode(),) if detail else ()
        self.journal.warn(
            VertexWarning(self.digest, 1, short.encode(), details, url, source, ranges)
        )


@dataclass(slots=True)
class Progress:
    journal: Journal
    state: VertexStatus

    def _tell(self, state: VertexStatus) -> None:
        self.state = replace(state, timestamp=self.journal.stamp())
        self.journal.status(self.state)

    def begin(self) -> None:
        self._tell(replace(self.state, started=self.journal.stamp()))

    def at(self, current: int) -> None:
        self._tell(replace(self.state, current=current))

    def done(self, current: int = -1) -> None:
        count = self.state.current if current < 0 else current
        self._tell(replace(self.state, current=count, completed=self.journal.stamp()))
