"""The engine's events: kept for a while, and handed to whoever listens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
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
