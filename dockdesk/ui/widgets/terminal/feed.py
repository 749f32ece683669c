"""A program's output on its way to the GUI thread: bounded, so that a flood is slowed down at its source."""

from __future__ import annotations

import threading
from collections import deque

HIGH_WATER = 1 << 20
LOW_WATER = 1 << 18
_WAIT_S = 0.05
"""The longest one call is held up. A reader that is stuck, or waits for the caller, must not stop it for good."""


class Feed:
    """Bytes from any thread to one reader."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._closed = False

    def put(self, data: bytes, wait: bool) -> tuple[bool, bool]:
        """Add bytes. Returns whether the reader must be woken, and whether there is room for more.

        ``wait`` holds the caller up for a moment while the queue is over its bound.
        """
        with self._condition:
            if self._closed or not data:
                return False, not self._closed
            first = not self._chunks
            self._chunks.append(data)
            self._size += len(data)
        if first or not wait:
            return first, self._size < HIGH_WATER
        with self._condition:
            if self._size >= HIGH_WATER and not self._closed:
                self._condition.wait(_WAIT_S)
            return False, self._size < HIGH_WATER

    def take(self) -> bytes | None:
        """The oldest chunk, or None."""
        with self._condition:
            if not self._chunks:
                return None
            chunk = self._chunks.popleft()
            self._size -= len(chunk)
            if self._size <= LOW_WATER:
                self._condition.notify_all()
            return chunk

    @property
    def size(self) -> int:
        return self._size

    def close(self) -> None:
        """Drop everything, let waiting callers go, and take nothing more."""
        with self._condition:
            self._closed = True
            self._chunks.clear()
            self._size = 0
            self._condition.notify_all()
