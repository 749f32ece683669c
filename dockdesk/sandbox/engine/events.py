"""The engine's events: kept for a while, and handed to whoever listens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from dockdesk.sandbox.world.clock import Clock

KEPT = 1000
_QUEUE = 10_000


class EventBus:
    """Events as the Engine API writes them, newest last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.past: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()

    def emit(
        self, kind: str, action: str, id: str, attributes: Mapping[str, str] | None = None
    ) -> None:
        """Tell of one event; a listener that does not keep up loses the oldest ones."""
        now = self._clock.now()
        event = {
            "status": action,
            "id": id,
            "from": (attributes or {}).get("image", ""),
            "Type": kind,
            "Action": action,
            "Actor": {"ID": id, "Attributes": dict(attributes or {})},
            "scope": "local",
            "time": int(now),
            "timeNano": int(now * 1e9),
        }
        if kind != "container":
            del event["from"]
        self.past.append(event)
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def listen(self) -> asyncio.Queue[dict[str, Any]]:
        """A queue of what happens from now on; give it back with `leave`."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_QUEUE)
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[dict[str, Any]]) -> None:
        self._listeners.discard(queue)

    @property
    def listeners(self) -> int:
        return len(self._listeners)


class Listening:
    """An answer made of events from now on. It listens before anybody reads, and stops also where nobody ever does."""

    def __init__(
        self,
        bus: EventBus,
        body: Callable[[asyncio.Queue[dict[str, Any]]], AsyncIterator[bytes]],
    ) -> None:
        self._bus = bus
        self._queue = bus.listen()
        self._pieces = body(self._queue)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        self._bus.leave(self._queue)
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()
